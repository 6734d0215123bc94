"""What a careful analyst asks of enrolment before dividing anything by it."""

from __future__ import annotations

import ibis

from ratebook.exposure.spans import clean_eligibility


def tag_coverage(claims: ibis.Table, spans: ibis.Table) -> ibis.Table:
    """Say of every line whether its person was covered when the service began.

    `coverage` is `eligible` on a day known to be covered at the time, `retro` on a day covered only
    retroactively, `outside` on any other day. The last retroactive day is `retro`, the day after it is not.

    References
    ----------
    methods.md, A12.7.
    """
    covered = spans.select("start_date", "end_date", "retro_through_date", covered_person_id=spans.person_id)
    tagged = claims.left_join(
        covered,
        [
            claims.person_id == covered.covered_person_id,
            claims.service_start_date >= covered.start_date,
            claims.service_start_date <= covered.end_date,
        ],
    )
    coverage = ibis.cases(
        (tagged.covered_person_id.isnull(), "outside"),
        (tagged.service_start_date <= tagged.retro_through_date, "retro"),
        else_="eligible",
    )
    return tagged.mutate(coverage=coverage).drop(*covered.columns)


def check_exposure(
    eligibility: ibis.Table,
    identity: ibis.Table,
    persons: ibis.Table,
    spans: ibis.Table,
    member_months: ibis.Table,
    claims: ibis.Table,
    extract_date: str,
) -> ibis.Table:
    """Count what was dropped, disputed, added retroactively, counted twice, and served outside coverage.

    Every row is a part of a whole: `share` is its value over the sum of the rows of its check, null where
    that sum is zero.

    Returns
    -------
    ExposureQa

    References
    ----------
    methods.md, A12.2, A12.4, A12.7; checks H6, H10, H11.
    """
    records = clean_eligibility(eligibility, identity, persons, extract_date)
    records = records.mutate(level=records.drop_reason.fill_null("kept"))
    days = spans.end_date.delta(spans.start_date, unit="day") + 1
    totals = spans.aggregate(disputed=spans.conflict_days.sum(), days=days.sum())
    conflict = ibis.union(
        totals.select(level=ibis.literal("disputed"), value=totals.disputed.fill_null(0)),
        totals.select(level=ibis.literal("agreed"), value=(totals.days - totals.disputed).fill_null(0)),
    )
    months = member_months.mutate(level=ibis.ifelse(member_months.is_retro, "retro", "known_in_time"))
    yearly = member_months.group_by("person_id", year=member_months.service_month.year()).agg(n=lambda t: t.count())
    yearly = yearly.mutate(level=ibis.ifelse(yearly.n > 12, "over_12_months_a_year", "up_to_12_months_a_year"))
    tagged = tag_coverage(claims, spans)
    parts = [
        _counted("spans", "records", records.group_by("level").agg(value=records.count())),
        _counted("conflict", "days", conflict),
        _counted("retro", "member_months", months.group_by("level").agg(value=months.mm_fractional.sum())),
        _counted("double_count", "person_years", yearly.group_by("level").agg(value=yearly.count())),
        _counted("claims_cost", "usd", tagged.group_by(level=tagged.coverage).agg(value=tagged.cost_usd.sum())),
        _counted("claims_lines", "lines", tagged.group_by(level=tagged.coverage).agg(value=tagged.count())),
    ]
    found = ibis.union(*parts)
    whole = found.value.sum().over(ibis.window(group_by="check_id"))
    return found.mutate(share=found.value / whole.nullif(0))


def build_enrolment(member_months: ibis.Table) -> ibis.Table:
    """Add up member months by plan and calendar month.

    Returns
    -------
    Enrolment
    """
    return member_months.group_by("service_month", "plan").agg(
        persons=member_months.person_id.nunique(),
        member_months=member_months.mm_fractional.sum(),
    )


def _counted(check_id: str, unit: str, levels: ibis.Table) -> ibis.Table:
    return levels.select(
        check_id=ibis.literal(check_id),
        level=levels.level,
        unit=ibis.literal(unit),
        value=levels.value.cast("decimal(38, 12)").cast("float64"),
    )
