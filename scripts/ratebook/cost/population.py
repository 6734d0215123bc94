"""Cost and member months of everyone, whether or not there is a cohort."""

from __future__ import annotations

import ibis

from ratebook.dates import days_in_month, month_of, months_between
from ratebook.money import upto


def population_months(member_months: ibis.Table, mm_rule: str, window_start: str, window_end: str) -> ibis.Table:
    """Sum the member months of each plan and month of the study window."""
    months = _counted(member_months, mm_rule, window_start, window_end)
    return months.group_by("plan", "service_month").agg(
        member_months=months.weight.sum().cast("float64"), persons=months.count()
    )


def population_costs(
    claims: ibis.Table, member_months: ibis.Table, mm_rule: str, window_start: str, window_end: str
) -> ibis.Table:
    """Sum cost by plan, month and category, apart for months that count as member months and months that do not.

    A line of several months is spread over them by day, to the cent. Its month is covered when the person has a
    member month there by the same rule that counts the denominator; the rest is kept apart, never dropped.

    References
    ----------
    methods.md, D1 and H6.
    """
    last = ibis.greatest(claims.service_start_date, claims.service_end_date)
    lines = claims.select(
        "person_id",
        "category",
        "cost_usd",
        units=claims.units.fill_null(1),
        first_date=claims.service_start_date,
        last_date=last,
        crossed=months_between(claims.service_start_date, last).cast("int64"),
    )
    parts = lines.mutate(step=ibis.range(0, lines.crossed + 1).unnest())
    parts = parts.mutate(
        service_month=(month_of(parts.first_date) + parts.step.cast("int32").as_interval("M")).cast("date")
    )
    parts = parts.filter(parts.service_month.between(ibis.date(window_start), ibis.date(window_end)))
    days = parts.last_date.delta(parts.first_date, unit="day") + 1
    before = ibis.greatest(parts.service_month.delta(parts.first_date, unit="day"), 0)
    through = ibis.least(
        parts.service_month.delta(parts.first_date, unit="day") + days_in_month(parts.service_month), days
    )
    parts = parts.select(
        "person_id",
        "service_month",
        "category",
        cost_usd=upto(parts.cost_usd, through, days) - upto(parts.cost_usd, before, days),
        units=upto(parts.units, through, days) - upto(parts.units, before, days),
    )
    months = _counted(member_months, mm_rule, window_start, window_end)
    joined = parts.left_join(months, ["person_id", "service_month"])
    joined = joined.mutate(is_covered=joined.weight.notnull(), plan=joined.plan.fill_null("none"))
    return joined.group_by("plan", "service_month", "category", "is_covered").agg(
        cost_usd=joined.cost_usd.sum(), units=joined.units.sum(), users=joined.person_id.nunique()
    )


def _counted(member_months: ibis.Table, mm_rule: str, window_start: str, window_end: str) -> ibis.Table:
    inside = member_months.service_month.between(ibis.date(window_start), ibis.date(window_end))
    weight = member_months[f"mm_{mm_rule}"].cast("decimal(18, 12)")
    months = member_months.filter(inside).select("person_id", "service_month", "plan", weight=weight)
    return months.filter(months.weight > 0)
