"""Base experience of every rate cell, and the triangles of payments: claims-scale tables in, small sums out."""

from __future__ import annotations

import itertools

import ibis
import pandas as pd

from ratebook.dates import month_of, months_between
from ratebook.errors import RatebookError

INCLUDED, RETRO, DUAL, IMD, UNCOUNTED = "included", "retroactive", "excluded_dual", "imd", "not_counted"
NOT_COVERED, NO_ELIGIBILITY = "not_covered", "no_eligibility"
SMALL = "all other"
SEPARATOR = " | "


def map_categories(groups: dict[str, list[str]], categories: tuple[str, ...]) -> dict[str, str]:
    """Give the rate category of every service category.

    Raises
    ------
    RatebookError
        If a service category stands in no group, in two, or is unknown.
    """
    placed = [service for group in groups.values() for service in group]
    wrong = {name for name in (*categories, *placed) if placed.count(name) != 1 or name not in categories}
    if wrong:
        listed = ", ".join(sorted(wrong))
        raise RatebookError(
            f"config.yaml rates.category_groups: each service category must stand once; look at {listed}"
        )
    return {service: group for group, services in groups.items() for service in services}


def age_band(age: ibis.Value, lower_limits: list[int]) -> ibis.Value:
    """Name the band of an age: '21-44' for limits 21 and 45; 'unknown' where the birth date is missing."""
    *bands, last = name_bands(lower_limits)
    above = zip(sorted({*lower_limits} - {0}), bands)
    return ibis.cases((age.isnull(), "unknown"), *((age < limit, name) for limit, name in above), else_=last)


def name_bands(lower_limits: list[int]) -> list[str]:
    """Name every age band, youngest first: '0-20', '21-44' and '45+' for limits 21 and 45."""
    limits = sorted({0, *lower_limits})
    return [*(f"{low}-{high - 1}" for low, high in itertools.pairwise(limits)), f"{limits[-1]}+"]


def place_members(
    member_months: ibis.Table, settings: dict, mm_rule: str, exclude_retro_from_base: bool
) -> ibis.Table:
    """Give each member month its rate cell, and say whether it belongs to a capitation base.

    The cell is the joined text of `cell_columns`. Cells with fewer base member months than
    `min_cell_member_months` are put together, within `pool_columns`, as 'all other'. A retroactive month was paid fee for service
    and not by capitation, so it leaves the base unless the settings keep it; so do dual groups a plan does not insure,
    and months with more days in an institution for mental diseases than a capitation may cover.

    Parameters
    ----------
    member_months : MemberMonths
    settings : dict
        `config.yaml` rates.
    mm_rule : str
        How member months are counted, `config.yaml` exposure.mm_rule.
    exclude_retro_from_base : bool
        `config.yaml` exposure.exclude_retro_from_base.

    Returns
    -------
    ibis.Table
        person_id, service_month, plan, pool, cell, member_months, is_imd_excluded, status, is_base.

    References
    ----------
    methods.md, A12, E8 and H60.
    """
    rule = f"mm_{mm_rule}"
    duals = [
        (member_months.plan == plan) & member_months.dual_group.isin(groups)
        for plan, groups in settings["excluded_dual_groups"].items()
    ]
    retro = member_months.is_retro if exclude_retro_from_base else ibis.literal(False)
    start, end = ibis.date(settings["base_start"]), ibis.date(settings["base_end"])
    months = member_months.mutate(
        member_months=member_months[rule].cast("decimal(18, 12)"),
        age_band=age_band(member_months.age_years, settings["age_bands"]),
        is_base=member_months.service_month.between(start, end),
        status=ibis.cases(
            (member_months[rule] <= 0, UNCOUNTED),
            (retro, RETRO),
            (ibis.or_(*duals) if duals else ibis.literal(False), DUAL),
            (member_months.is_imd_excluded, IMD),
            else_=INCLUDED,
        ),
    )
    months = months.mutate(
        fine=ibis.literal(SEPARATOR).join([months[column] for column in settings["cell_columns"]]),
        pool=ibis.literal(SEPARATOR).join([months[column] for column in settings["pool_columns"]]),
    )
    counted = months.filter(months.is_base & (months.status == INCLUDED))
    large = counted.group_by("fine").agg(size=counted.member_months.sum())
    large = large.filter(large.size >= settings["min_cell_member_months"]).select(large_cell="fine")
    placed = months.left_join(large, months.fine == large.large_cell)
    placed = placed.mutate(cell=ibis.ifelse(placed.large_cell.isnull(), placed.pool + SEPARATOR + SMALL, placed.fine))
    return placed.select(
        "person_id", "service_month", "plan", "pool", "cell", "member_months", "is_imd_excluded", "status", "is_base"
    )


def place_claims(claims: ibis.Table, members: ibis.Table, category_of: dict[str, str], settings: dict) -> ibis.Table:
    """Give each final-action line the cell of its member in its month of service, and say whether a rate must pay it.

    The month of a line is that of its first day, stays included: the triangles count the same month. A line
    in a month that is not in the base follows that month out; so does a service the member's plan does not cover.
    """
    lines = claims.mutate(
        service_month=month_of(claims.service_start_date),
        rate_category=claims.category.cases(*category_of.items()),
        service=claims.category + ibis.coalesce(" " + claims.hcpcs_code, " " + claims.revenue_center_code, ""),
    ).select("person_id", "service_month", "rate_category", "service", "cost_usd", "units")
    joined = lines.left_join(members, ["person_id", "service_month"])
    outside = [
        (joined.plan == plan) & joined.rate_category.isin(categories)
        for plan, categories in settings["not_covered"].items()
    ]
    return joined.mutate(
        status=ibis.cases(
            (joined.status.isnull(), NO_ELIGIBILITY),
            ((joined.status == INCLUDED) & (ibis.or_(*outside) if outside else ibis.literal(False)), NOT_COVERED),
            else_=joined.status,
        )
    ).drop("person_id_right", "service_month_right")


def build_experience(members: ibis.Table, lines: ibis.Table, settings: dict, window: tuple[str, str]) -> ibis.Table:
    """Sum cost, units and member months by cell, category and month; a covered category without a claim costs 0.

    Parameters
    ----------
    members, lines : ibis.Table
        As `place_members` and `place_claims` give them.
    settings : dict
        `config.yaml` rates.
    window : tuple of str
        First and last day of the study.

    Returns
    -------
    BaseExperience
    """
    inside = members.service_month.between(ibis.date(window[0]), ibis.date(window[1]))
    counted = members.filter(inside & (members.status == INCLUDED))
    exposure = counted.group_by("cell", "pool", "plan", "service_month").agg(
        members=counted.person_id.nunique(), member_months=counted.member_months.sum()
    )
    covered = [
        {"covered_plan": plan, "category": category}
        for plan in [*sorted(settings["not_covered"]), ""]
        for category in settings["category_groups"]
        if category not in settings["not_covered"].get(plan, [])
    ]
    offered = ibis.memtable(pd.DataFrame(covered), schema={"covered_plan": "string", "category": "string"})
    special = sorted(settings["not_covered"])
    exposure = exposure.mutate(
        covered_plan=ibis.ifelse(exposure.plan.isin(special), exposure.plan, "") if special else ibis.literal("")
    )
    grid = exposure.inner_join(offered, "covered_plan")
    served = lines.filter(lines.status == INCLUDED)
    costs = served.group_by("cell", "plan", "service_month", category="rate_category").agg(
        paid_usd=served.cost_usd.sum(), units=served.units.fill_null(0).sum(), claim_lines=served.count()
    )
    rows = grid.left_join(costs, ["cell", "plan", "service_month", "category"])
    sums = ("paid_usd", "units", "claim_lines")
    return rows.mutate(**{name: rows[name].fill_null(0) for name in sums}).select(
        "cell", "pool", "plan", "category", "service_month", "members", "member_months", *sums
    )


WIDE = "decimal(20, 4)"


def build_moments(members: ibis.Table, lines: ibis.Table) -> ibis.Table:
    """Sum, by cell, each member's base months and dollars, their squares and product: what a variance needs.

    The sums are of decimals, so that they do not depend on the order of rows; wide ones, because the engine
    holds the product of two narrow decimals in 18 digits, which the square of $100,000 overflows.

    Returns
    -------
    CellMoments
    """
    counted = members.filter(members.is_base & (members.status == INCLUDED))
    months = counted.group_by("cell", "person_id").agg(months=counted.member_months.sum().cast(WIDE))
    served = lines.filter(lines.is_base & (lines.status == INCLUDED))
    cost = served.group_by("cell", "person_id").agg(paid=served.cost_usd.sum().cast(WIDE))
    each = months.left_join(cost, ["cell", "person_id"])
    zero = ibis.literal(0, WIDE)
    each = each.mutate(paid=each.paid.fill_null(zero)).select("cell", "months", "paid")
    return each.group_by("cell").agg(
        members=each.count(),
        member_months=each.months.sum().cast("float64"),
        paid_usd=each.paid.sum(),
        months_squared=(each.months * each.months).sum().cast("float64"),
        paid_squared=(each.paid * each.paid).sum().cast("float64"),
        paid_months=(each.paid * each.months).sum().cast("float64"),
    )


def build_exclusions(members: ibis.Table, lines: ibis.Table, settings: dict) -> ibis.Table:
    """Account for the base period: member months and dollars in the base, and what was left out by which rule."""
    inside = members.filter(members.is_base)
    exposure = inside.group_by("status").agg(
        member_months=inside.member_months.sum(),
        imd_member_months=inside.member_months.sum(where=inside.is_imd_excluded),
    )
    start, end = ibis.date(settings["base_start"]), ibis.date(settings["base_end"])
    within = lines.filter(lines.service_month.between(start, end))
    cost = within.group_by("status").agg(paid_usd=within.cost_usd.sum())
    both = exposure.outer_join(cost, "status")
    return both.select(
        status=ibis.coalesce(both.status, both.status_right),
        member_months=both.member_months.fill_null(0),
        imd_member_months=both.imd_member_months.fill_null(0),
        paid_usd=both.paid_usd.fill_null(0),
    )


def build_triangles(
    ledger: ibis.Table, category_of: dict[str, str], window: tuple[str, str], last_paid_day: str
) -> ibis.Table:
    """Sum the signed ledger by category, month of service and months until payment.

    Services of the study's window, paid through the last complete month. A payment dated before its service
    counts at lag 0. Left out are rows with no paid date, lump sums that belong to no service, and the taking back of
    a payment that is older than the extract.

    Returns
    -------
    Triangles

    References
    ----------
    methods.md, E2.
    """
    dated = ledger.filter(
        ledger.paid_date.notnull()
        & (ledger.paid_date <= ibis.date(last_paid_day))
        & ledger.record_type.isin(["ffs", "encounter"])
        & (ledger.entry != "orphan_void")
        & ledger.incurred_date.between(ibis.date(window[0]), ibis.date(window[1]))
    )
    dated = dated.select(
        category=dated.category.cases(*category_of.items()),
        incurred_month=month_of(dated.incurred_date),
        lag_months=ibis.greatest(months_between(dated.incurred_date, dated.paid_date), 0),
        signed_usd=dated.signed_usd,
    )
    return dated.group_by("category", "incurred_month", "lag_months").agg(paid_usd=dated.signed_usd.sum())


def last_complete_month(extract_date: str) -> str:
    """Give the last day of the last month whose payments are all in the extract."""
    day = pd.Timestamp(extract_date)
    return str((day if day.is_month_end else day - pd.offsets.MonthEnd(1)).date())
