"""Stays in a nursing facility, and the days of them that fall in each covered month."""

from __future__ import annotations

import ibis

from ratebook.dates import month_of, months_between

DAY = ibis.interval(days=1)


def build_nf_stays(claims: ibis.Table) -> ibis.Table:
    """Join a person's nursing-facility lines into stays: days that touch or overlap belong to one stay.

    The last day of a line counts, unless the patient was discharged on it: the day of discharge is not a day
    of care (a stay of one day is). Two lines that bill the same day make one day.

    Returns
    -------
    ibis.Table
        One row per person and stay: `stay_start_date`, `stay_end_date` (the last day of care), `stay_days`.

    References
    ----------
    methods.md, F0; 0.1 for days of care.
    """
    lines = _facility_lines(claims)
    in_order = ibis.window(group_by="person_id", order_by=["start_date", "end_date"])
    before = ibis.window(group_by="person_id", order_by=["start_date", "end_date"], preceding=(None, 1))
    reached = lines.end_date.max().over(before)
    lines = lines.mutate(opens=(reached.isnull() | (lines.start_date > reached + DAY)).cast("int64"))
    lines = lines.mutate(stay=lines.opens.cumsum().over(in_order))
    stays = lines.group_by("person_id", "stay").agg(
        stay_start_date=lines.start_date.min(), stay_end_date=lines.end_date.max()
    )
    return stays.mutate(stay_days=stays.stay_end_date.delta(stays.stay_start_date, unit="day") + 1)


def count_nf_days(months: ibis.Table, claims: ibis.Table) -> ibis.Table:
    """Add to each member month its facility days, and the current or latest stay with its facility.

    Columns added: `nf_days`, `nf_days_spell` (days of the current stay up to the month's end), `stay`,
    `stay_start_date`, `stay_end_date`, `stay_days`, `facility_id`.
    """
    stays = build_nf_stays(claims)
    parts = explode_months(stays, "stay_start_date", "stay_end_date")
    month_end = (parts.service_month + ibis.interval(months=1)).cast("date") - DAY
    last = ibis.least(parts.stay_end_date, month_end)
    parts = parts.mutate(
        days=last.delta(ibis.greatest(parts.stay_start_date, parts.service_month), unit="day") + 1,
        so_far=last.delta(parts.stay_start_date, unit="day") + 1,
    )
    found = parts.group_by("person_id", "service_month").agg(
        nf_days=parts.days.sum(), stay=parts.stay.max(), nf_days_spell=parts.so_far.argmax(parts.stay)
    )
    months = months.left_join(found, ["person_id", "service_month"]).drop("person_id_right", "service_month_right")
    months = months.left_join(_facility_of_month(claims), ["person_id", "service_month"])
    months = months.drop("person_id_right", "service_month_right")
    so_far = ibis.cumulative_window(group_by="person_id", order_by="service_month")
    months = months.mutate(
        nf_days=months.nf_days.fill_null(0),
        nf_days_spell=months.nf_days_spell.fill_null(0),
        stay=months.stay.max().over(so_far),
        latest=months.latest.max().over(so_far),
    )
    months = months.left_join(stays, ["person_id", "stay"]).drop("person_id_right", "stay_right")
    return months.mutate(facility_id=months.latest.substr(10).fill_null("none")).drop("latest")


def explode_months(spans: ibis.Table, start: str, end: str) -> ibis.Table:
    """Give one row per span and calendar month it touches, as `service_month`."""
    steps = ibis.range(0, months_between(spans[start], spans[end]) + 1)
    spans = spans.mutate(month_step=steps.unnest())
    month = month_of(spans[start]) + spans.month_step.as_interval("M")
    return spans.mutate(service_month=month.cast("date")).drop("month_step")


def _facility_lines(claims):
    lines = claims.filter(claims.ltc_service == "nursing_facility")
    leaves = (
        (lines.discharge_date == lines.service_end_date)
        & (lines.discharge_status != "30")
        & (lines.service_end_date > lines.service_start_date)
    ).fill_null(False)
    end = ibis.ifelse(leaves, lines.service_end_date - DAY, lines.service_end_date)
    facility = ibis.coalesce(lines.facility_npi, lines.billing_npi, "none")
    return lines.select(
        person_id=lines.person_id, start_date=lines.service_start_date, end_date=end.cast("date"), facility=facility
    ).distinct()


def _facility_of_month(claims):
    """Name the facility of the month's last line; its first day goes before it, so that the later one is the greater."""
    lines = explode_months(_facility_lines(claims), "start_date", "end_date")
    key = lines.start_date.cast("string") + lines.facility
    return lines.group_by("person_id", "service_month").agg(latest=key.max())
