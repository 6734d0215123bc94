"""Dollars that add up: amounts are split so that the parts sum to the whole, to the cent."""

from __future__ import annotations

import ibis


def spread_share(amount: ibis.Value, part: ibis.Value, parts: ibis.Value) -> ibis.Value:
    """Give the `part`-th of `parts` equal shares of an amount, in cents that sum to it exactly.

    The k-th share is round(amount·k/n) - round(amount·(k-1)/n): no share is off by more than a cent, and
    nothing is left over. `part` counts from 1.
    """
    return upto(amount, part, parts) - upto(amount, part - 1, parts)


def upto(amount: ibis.Value, weight_so_far: ibis.Value, weight: ibis.Value) -> ibis.Value:
    """Give the cents of an amount that belong to the first `weight_so_far` of `weight`.

    The difference of two neighbours is the exact share of what lies between them, for days and for weights.
    """
    cents = (amount * 100).cast("int64")
    share = (cents * weight_so_far.cast("float64") / weight.cast("float64")).round().cast("int64")
    return (share / 100).cast("decimal(14, 2)")
