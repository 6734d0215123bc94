"""Dollars that add up: amounts are split so that the parts sum to the whole, to the cent."""

from __future__ import annotations

import ibis


def upto(amount: ibis.Value, weight_so_far: ibis.Value, weight: ibis.Value) -> ibis.Value:
    """Give the cents of an amount that belong to the first `weight_so_far` of `weight`.

    The difference of two neighbours is the exact share of what lies between them, for days and for weights.
    """
    cents = (amount * 100).cast("int64")
    share = (cents * weight_so_far.cast("float64") / weight.cast("float64")).round().cast("int64")
    return (share / 100).cast("decimal(14, 2)")
