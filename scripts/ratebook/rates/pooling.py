"""Pooling of large amounts: what a member year costs beyond a limit is shared by a pool's cells, not borne by one."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.risk_sharing import Pooling
from ratebook.dates import months_between
from ratebook.rates.base import INCLUDED, WIDE
from ratebook.tables import empty_frame

WITH_PERSONS = "an account of what was paid: large amounts are redrawn with their persons for the interval of rates"


def build_excess(
    members: ibis.Table, lines: ibis.Table, base_start: str, attachment_usd: float, coinsurance_share: float
) -> ibis.Table:
    """Sum, by cell, what members cost in a year of the base beyond the attachment point.

    A year is twelve months from the base's first; excess is coinsurance * max(0, cost of the person's year -
    attachment), so a cost of exactly the attachment has none. A person in two cells in a year passes the limit once,
    and the excess is shared by what each cell paid, in cents; a cell that took money back counts nothing.

    Parameters
    ----------
    members, lines : ibis.Table
        As `base.place_members` and `base.place_claims` give them.
    base_start : str
        First day of the base period.
    attachment_usd, coinsurance_share : float

    Returns
    -------
    MemberYearExcess

    References
    ----------
    methods.md, E9.
    """
    start = ibis.date(base_start)

    def year(table: ibis.Table) -> ibis.Value:
        return (months_between(start, table.service_month) / 12).floor().cast("int64")

    counted = members.filter(members.is_base & (members.status == INCLUDED))
    counted = counted.mutate(year=year(counted))
    months = counted.group_by("cell", "pool", "person_id", "year").agg(months=counted.member_months.sum())
    served = lines.filter(lines.is_base & (lines.status == INCLUDED))
    served = served.mutate(year=year(served))
    cost = served.group_by("cell", "person_id", "year").agg(paid=served.cost_usd.sum().cast(WIDE))
    zero = ibis.literal(0, WIDE)
    each = months.left_join(cost, ["cell", "person_id", "year"])
    each = each.select("cell", "pool", "person_id", "year", "months", paid=each.paid.fill_null(zero))
    of_year = ibis.window(group_by=["person_id", "year"])
    each = each.mutate(weight=ibis.greatest(each.paid, zero))
    each = each.mutate(
        whole=each.paid.sum().over(of_year).cast(WIDE), weights=each.weight.sum().over(of_year).cast(WIDE)
    )
    beyond = ibis.greatest(each.whole - ibis.literal(attachment_usd, WIDE), zero).cast(WIDE)
    share = each.weight.cast("float64") / each.weights.cast("float64").nullif(0)
    # Rounded to the cent person by person, so that the sum does not depend on the order of rows.
    excess = (beyond.cast("float64") * share * coinsurance_share).round(2).cast("decimal(14, 2)")
    each = each.mutate(excess=excess.fill_null(ibis.literal(0, "decimal(14, 2)")))
    return each.group_by("cell", "pool").agg(
        member_years=each.count(),
        member_months=each.months.sum().cast("float64"),
        paid_usd=each.paid.sum(),
        members_beyond=(each.excess > 0).sum(),
        excess_usd=each.excess.sum(),
    )


def derive_pooling(excess: pd.DataFrame, attachment_usd: float, coinsurance_share: float) -> pd.DataFrame:
    """Take every cell's excess out of its base and put its pool's charge in: the pool's total stays, to the cent.

    The charge is the pool's excess per member month, over all years of the base; over fewer cells or years it follows
    chance. Cents that rounding leaves over go to the cells they are nearest to.

    Parameters
    ----------
    excess : MemberYearExcess
    attachment_usd, coinsurance_share : float

    Returns
    -------
    Pooling

    References
    ----------
    methods.md, E9.
    """
    if excess.empty:
        return empty_frame(Pooling)
    rows = excess.sort_values("cell").reset_index(drop=True)
    money = rows[["paid_usd", "excess_usd"]].astype(float)
    months = rows.member_months.groupby(rows.pool).transform("sum")
    total = money.excess_usd.groupby(rows.pool).transform("sum")
    rows["pool_members_beyond"] = rows.members_beyond.groupby(rows.pool).transform("sum")
    rows["attachment_usd"], rows["coinsurance_share"] = attachment_usd, coinsurance_share
    rows["charge_pmpm_usd"] = (total / months).where(months > 0)
    exact = rows.charge_pmpm_usd.fillna(0.0) * rows.member_months
    rows["charge_usd"] = 0.0
    for _, cells in rows.groupby("pool"):
        of_pool = money.excess_usd[cells.index].sum()
        rows.loc[cells.index, "charge_usd"] = in_cents(exact[cells.index].to_numpy(), of_pool)
    rows["paid_usd"], rows["excess_usd"] = money.paid_usd, money.excess_usd
    rows["pooled_usd"] = rows.paid_usd - rows.excess_usd + rows.charge_usd
    rows["f_pooling"] = (rows.pooled_usd / rows.paid_usd.where(rows.paid_usd > 0)).fillna(1.0)
    rows["reason"] = WITH_PERSONS
    return rows[list(Pooling.types())]


def in_cents(shares: np.ndarray, total_usd: float) -> np.ndarray:
    """Round shares to whole cents that add up to the total: down first, then one cent to the largest remainders."""
    cents = np.floor(shares * 100 + 1e-6)
    left = round(total_usd * 100 - cents.sum())
    order = np.argsort(-(shares * 100 - cents), kind="stable")
    cents[order[: max(left, 0)]] += 1
    return cents / 100
