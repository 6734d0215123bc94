"""Units that cannot be: minutes where quarters of an hour belong, and numbers far from what a code is billed with."""

from __future__ import annotations

import ibis

from ratebook.clean.lines import CLAIM

ENOUGH = 5
"""Lines a provider needs for a median of its own; with fewer, the code's median speaks."""
SCALES = (15, 10)
"""How much too large units may be, and still be a slip of scale and not a long service."""
TOLERANCE = 0.25
"""A provider's prices differ, and rise over the years: a fifteenth may be a twelfth of the median, or an eighteenth."""

OUTLYING = 4
"""Robust standard deviations, on the log scale, beyond which a number of units is out of its code's usual range."""
MAD_TO_SD = 1.4826


def find_prices(keys: ibis.Table, timed_codes: list[str]) -> ibis.Table:
    """Give the median price of a unit, by provider and code, of the codes billed in time.

    Returns
    -------
    ibis.Table
        `price_npi`, `price_code`, `price_modifier`, `median_usd`, and of the code's units the median logarithm and
        the median distance from it, `log_units` and `log_spread`. A modifier may change what a unit is: a case rate
        by the month under a code of quarters of an hour has a price of its own.
    """
    timed = keys.filter(keys.hcpcs_code.isin(timed_codes), keys.raw_usd > 0, keys.service_unit_quantity > 0)
    timed = timed.mutate(price=_price(timed), modifier=timed.hcpcs_modifier_1.fill_null(""), log=_log_units(timed))
    code = ["hcpcs_code", "modifier"]
    by_code = timed.group_by(code).agg(of_code=timed.price.median(), log_units=timed.log.median())
    apart = timed.join(by_code, code).mutate(apart=lambda t: (t.log - t.log_units).abs())
    spread = apart.group_by(code).agg(log_spread=apart.apart.median())
    by_code = by_code.join(spread, code)
    by_provider = timed.group_by(["billing_npi", *code]).agg(lines=timed.count(), own=timed.price.median())
    joined = by_provider.join(by_code, code)
    median = ibis.ifelse(joined.lines >= ENOUGH, joined.own, joined.of_code)
    return joined.select(
        "log_units",
        "log_spread",
        price_npi="billing_npi",
        price_code="hcpcs_code",
        price_modifier="modifier",
        median_usd=median,
    )


def find_misscaled(keys: ibis.Table, prices: ibis.Table) -> ibis.Table:
    """List the claims with a line whose price is a tenth or a fifteenth of the median, or whose units lie far out."""
    lines = with_unit_scale(keys.filter(keys.service_unit_quantity > 0), prices)
    return lines.filter(lines.unit_scale.notnull() | lines.is_unit_outlier).select(CLAIM)


def with_unit_scale(lines: ibis.Table, prices: ibis.Table) -> ibis.Table:
    """Say by how much a line's units are too large: 15 where minutes stand for quarters of an hour, 10, or null.

    The price of a unit must lie within a quarter of that part of the median. Units that are in the right scale but
    more than four robust standard deviations from the code's median, on the log scale, are `is_unit_outlier`; they are
    flagged and stay. Dollars are never changed.

    References
    ----------
    methods.md, A10.
    """
    same = [lines.billing_npi == prices.price_npi, lines.hcpcs_code == prices.price_code]
    same += [lines.hcpcs_modifier_1.fill_null("") == prices.price_modifier]
    joined = lines.left_join(prices, same)
    lines = joined.select(lines, "median_usd", "log_units", "log_spread")
    ratio = lines.median_usd / ibis.ifelse(lines.service_unit_quantity > 0, _price(lines), ibis.null("float64"))
    known = (lines.raw_usd > 0) & lines.median_usd.notnull()
    tests = [(known & ((ratio / scale - 1).abs() <= TOLERANCE), scale) for scale in SCALES]
    far = (_log_units(lines) - lines.log_units).abs() > OUTLYING * MAD_TO_SD * lines.log_spread
    far &= (lines.log_spread > 0) & (lines.raw_usd > 0)
    lines = lines.mutate(unit_scale=ibis.cases(*tests, else_=ibis.null("int64")), is_far=far.fill_null(False))
    return lines.mutate(is_unit_outlier=lines.is_far & lines.unit_scale.isnull()).drop("is_far")


def _log_units(lines: ibis.Table) -> ibis.Value:
    units = lines.service_unit_quantity.cast("float64")
    return ibis.ifelse(units > 0, units, ibis.null("float64")).log()


def _price(lines: ibis.Table) -> ibis.Value:
    return lines.raw_usd.cast("float64") / lines.service_unit_quantity.cast("float64")
