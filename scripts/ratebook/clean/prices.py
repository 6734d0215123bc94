"""What a unit of service was paid, by procedure code and year."""

from __future__ import annotations

import ibis

from ratebook.contracts.quality import UnitPrices

SERVICE = ("hcpcs_code", "hcpcs_modifier_1")
PERCENTS = (5, 25, 50, 75, 95)


def select_prices(claims: ibis.Table, codes: int, least_lines: int) -> ibis.Table:
    """Describe the paid amount per unit of the costliest procedures, a code and its first modifier, by year of service.

    Final lines with a code, units and a paid amount; crossovers are left out, and gross adjustments, which are no
    price. Shown are the `codes` procedures with the most dollars, of years with at least `least_lines` lines.

    Parameters
    ----------
    claims : Claims
    codes : int
        How many procedures are shown.
    least_lines : int
        A procedure's year with fewer lines is not shown.

    Returns
    -------
    UnitPrices

    References
    ----------
    methods.md, A1.3 and A13.
    """
    paid = claims.filter(
        claims.hcpcs_code.notnull(), claims.units > 0, claims.paid_usd > 0, ~claims.is_crossover, ~claims.is_money_only
    )
    paid = paid.select(*SERVICE, "paid_usd", "units", service_year=paid.service_start_date.year().cast("int64"))
    years = paid.group_by(*SERVICE, "service_year").agg(lines=paid.count(), paid_usd=paid.paid_usd.sum())
    years = years.filter(years.lines >= least_lines)
    total = years.group_by(SERVICE).agg(total_usd=years.paid_usd.sum())
    shown = total.order_by(ibis.desc("total_usd"), *SERVICE).limit(codes)
    paid = paid.semi_join(shown, [paid[name].identical_to(shown[name]) for name in SERVICE])
    price = paid.paid_usd.cast("float64") / paid.units.cast("float64")
    paid = paid.mutate(price_usd=price)
    found = paid.group_by(*SERVICE, "service_year").agg(
        lines=paid.count(),
        paid_usd=paid.paid_usd.sum(),
        **{f"p{percent}_usd": paid.price_usd.quantile(percent / 100) for percent in PERCENTS},
    )
    return found.filter(found.lines >= least_lines).select(*UnitPrices.types())
