"""Spans of coverage to member months, counted by every rule in use."""

from __future__ import annotations

import ibis

from ratebook.dates import days_in_month, month_of
from ratebook.exposure.spans import ATTRIBUTES, LONG_AGO

ONE_DAY, ONE_MONTH = ibis.interval(days=1), ibis.interval(months=1)


def build_member_months(spans: ibis.Table, persons: ibis.Table) -> ibis.Table:
    """Count each person's months of coverage by five rules, with the attributes of the month's last covered day.

    A month with one covered day is a month by `any_day`; by `first_day` and `day_15` that day must be covered;
    by `full_month` every day must; `fractional` is covered days over the days of the month. The patient's
    liability is that of the last covered day, not prorated.

    Parameters
    ----------
    spans : Spans
        Periods of coverage that do not overlap.
    persons : Persons
        Demographics.

    Returns
    -------
    ibis.Table
        `MemberMonths` without its columns on institutions for mental diseases: `add_imd_days` adds them.

    References
    ----------
    methods.md, A12.4 and A12.6.
    """
    pieces = _split_at_months(spans)
    # Within a span retroactive days come first.
    last_retro = ibis.least(pieces.retro_through_date.fill_null(LONG_AGO), pieces.last_date)
    retro_days = ibis.greatest(last_retro.delta(pieces.first_date, unit="day") + 1, 0)
    covered = pieces.group_by("person_id", "service_month").agg(
        eligible_days=(pieces.last_date.delta(pieces.first_date, unit="day") + 1).sum(),
        mm_first_day=(pieces.first_date == pieces.service_month).any().cast("int64"),
        mm_day_15=_covers_day_15(pieces).any().cast("int64"),
        retro_days=retro_days.sum(),
        span_start=pieces.start_date.max(),
    )
    last = spans.select(*ATTRIBUTES, last_id="person_id", last_start="start_date")
    months = covered.join(last, [covered.person_id == last.last_id, covered.span_start == last.last_start])
    months = months.mutate(days_in_month=days_in_month(months.service_month))
    months = months.mutate(
        is_retro=months.retro_days > 0,
        mm_any_day=ibis.literal(1),
        mm_full_month=(months.eligible_days == months.days_in_month).cast("int64"),
        mm_fractional=(months.eligible_days / months.days_in_month).cast("decimal(18, 12)"),
    )
    about = persons.select("person_id", "birth_date", "sex", "county", "region")
    months = months.left_join(about, "person_id").drop("person_id_right")
    unknown = {name: months[name].fill_null("unknown") for name in ("sex", "county", "region")}
    return months.mutate(age_years=age_on(months.service_month, months.birth_date), **unknown).drop(
        "birth_date", "span_start", "last_id", "last_start"
    )


def age_on(day: ibis.Value, birth_date: ibis.Value) -> ibis.Value:
    """Give the age in completed years on a day; a birthday on the day itself counts."""
    before_birthday = (day.month() * 100 + day.day()) < (birth_date.month() * 100 + birth_date.day())
    return day.year() - birth_date.year() - before_birthday.cast("int64")


def _split_at_months(spans: ibis.Table) -> ibis.Table:
    first = month_of(spans.start_date).cast("timestamp")
    after = spans.end_date.cast("timestamp") + ONE_DAY
    pieces = spans.mutate(service_month=ibis.range(first, after, ONE_MONTH).unnest().cast("date"))
    month_end = (pieces.service_month + ONE_MONTH - ONE_DAY).cast("date")
    return pieces.mutate(
        first_date=ibis.greatest(pieces.start_date, pieces.service_month),
        last_date=ibis.least(pieces.end_date, month_end),
    )


def _covers_day_15(pieces: ibis.Table) -> ibis.Value:
    return (pieces.first_date.day() <= 15) & (pieces.last_date.day() >= 15)
