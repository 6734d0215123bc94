"""Spans of coverage to member months, counted by every rule in use."""

from __future__ import annotations

import ibis

from ratebook.dates import days_in_month, month_of
from ratebook.exposure.spans import ATTRIBUTES, LONG_AGO

PERSONAL = ["birth_date", "sex", "county", "region"]
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
    about = persons.select("person_id", *PERSONAL)
    spans = spans.left_join(about, "person_id").drop("person_id_right")
    shares = _shares_month(spans)
    # Most months lie in one span, which says all of them; only those of several are put together.
    alone = _split_at_months(spans.filter(~shares))
    pieces = _split_at_months(spans.filter(shares))
    parts = pieces.group_by("person_id", "service_month").agg(
        **{name: pieces[name].sum() for name in ("eligible_days", "retro_days")},
        **{name: pieces[name].max() for name in ("mm_first_day", "mm_day_15", "start_date")},
    )
    last = pieces.select("person_id", "service_month", "start_date", *ATTRIBUTES, *PERSONAL)
    together = parts.join(last, ["person_id", "service_month", "start_date"])
    months = alone.select(together.columns).union(together).drop("start_date")
    months = months.mutate(days_in_month=days_in_month(months.service_month))
    months = months.mutate(
        is_retro=months.retro_days > 0,
        mm_any_day=ibis.literal(1),
        mm_full_month=(months.eligible_days == months.days_in_month).cast("int64"),
        mm_fractional=(months.eligible_days / months.days_in_month).cast("decimal(18, 12)"),
    )
    unknown = {name: months[name].fill_null("unknown") for name in ("sex", "county", "region")}
    return months.mutate(age_years=age_on(months.service_month, months.birth_date), **unknown).drop("birth_date")


def age_on(day: ibis.Value, birth_date: ibis.Value) -> ibis.Value:
    """Give the age in completed years on a day; a birthday on the day itself counts."""
    before_birthday = (day.month() * 100 + day.day()) < (birth_date.month() * 100 + birth_date.day())
    return day.year() - birth_date.year() - before_birthday.cast("int64")


def _shares_month(spans: ibis.Table) -> ibis.Value:
    """Tell whether the month a span begins or ends in is also one of the span's before it, or of the one after."""
    in_order = ibis.window(group_by="person_id", order_by="start_date")
    before, after = spans.end_date.lag().over(in_order), spans.start_date.lead().over(in_order)
    begins = month_of(before) == month_of(spans.start_date)
    ends = month_of(after) == month_of(spans.end_date)
    return (begins | ends).fill_null(False)


def _split_at_months(spans: ibis.Table) -> ibis.Table:
    first = month_of(spans.start_date).cast("timestamp")
    after = spans.end_date.cast("timestamp") + ONE_DAY
    pieces = spans.mutate(service_month=ibis.range(first, after, ONE_MONTH).unnest().cast("date"))
    month_end = (pieces.service_month + ONE_MONTH - ONE_DAY).cast("date")
    first, last = ibis.greatest(pieces.start_date, pieces.service_month), ibis.least(pieces.end_date, month_end)
    # Within a span retroactive days come first.
    last_retro = ibis.least(pieces.retro_through_date.fill_null(LONG_AGO), last)
    return pieces.mutate(
        eligible_days=last.delta(first, unit="day") + 1,
        retro_days=ibis.greatest(last_retro.delta(first, unit="day") + 1, 0),
        mm_first_day=(first == pieces.service_month).cast("int64"),
        mm_day_15=((first.day() <= 15) & (last.day() >= 15)).cast("int64"),
    )
