"""What a careful analyst asks of enrolment before dividing anything by it."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.contracts.exposure import ExposureQa
from ratebook.exposure.spans import clean_eligibility

DAYS_OF_SHORTEST_MONTH = 28


def check_exposure(
    records: pd.DataFrame, spans: dict, months: pd.DataFrame, years: pd.DataFrame, services: pd.DataFrame
) -> pd.DataFrame:
    """Count what was dropped, disputed, added retroactively, counted twice, spent in an IMD, and served outside coverage.

    Every row is a part of a whole: `share` is its value over the sum of the rows of its check, null where
    that sum is zero. More member months than covered days / 28 cannot be: what is beyond is counted twice.

    Parameters
    ----------
    records, spans, months, years : DataFrame and dict
        As `count_records`, `count_days`, `count_months` and `count_years` give them.
    services : pandas.DataFrame
        As `matches.tally_coverage` gives it.

    Returns
    -------
    ExposureQa

    References
    ----------
    methods.md, A12.2, A12.4, A12.7 and A12.8; checks H6, H10, H11, H60.
    """
    retro = months.assign(level=months.is_retro.map({True: "retro", False: "known_in_time"}))
    stays = months.assign(level="no_imd_day")
    stays.loc[stays.imd_days > 0, "level"] = "short_imd_stay"
    stays.loc[stays.is_imd_excluded, "level"] = "long_imd_stay"
    total, days = months.member_months.sum(), months.eligible_days.sum()
    beyond = max(0.0, float(total) - days / DAYS_OF_SHORTEST_MONTH)
    parts = [
        _parts("spans", "records", records.level, records.records),
        _parts("conflict", "days", *_split(spans, "conflict_days", "disputed", "agreed")),
        _parts("plan_conflict", "days", *_split(spans, "plan_conflict_days", "disputed", "agreed")),
        _parts("retro", "member_months", retro.level, retro.member_months),
        _parts(
            "retro_days", "days", ["retro", "known_in_time"], [months.retro_days.sum(), days - months.retro_days.sum()]
        ),
        _parts("imd", "member_months", stays.level, stays.months),
        _parts("imd_days", "days", stays.level, stays.imd_days),
        _parts("double_count", "person_years", years.level, years.person_years),
        _parts("excess_months", "member_months", ["within_days", "beyond_days"], [float(total) - beyond, beyond]),
        _parts("claims_cost", "usd", services.coverage, services.cost_usd),
        _parts("claims_paid", "usd", services.coverage, services.paid_usd),
        _parts("claims_lines", "lines", services.coverage, services.lines),
    ]
    found = pd.concat(parts, ignore_index=True)
    whole = found.groupby("check_id").value.transform("sum")
    found["share"] = found.value / whole.where(whole != 0)
    return found[list(ExposureQa.types())]


def count_records(eligibility: ibis.Table, identity: ibis.Table, persons: ibis.Table, extract_date: str) -> ibis.Table:
    """Count enrolment records by why they cannot count: one row per `level`, `kept` for those that do."""
    records = clean_eligibility(eligibility, identity, persons, extract_date)
    return records.group_by(level=records.drop_reason.fill_null("kept")).agg(records=records.count())


def count_days(spans: ibis.Table) -> ibis.Table:
    """Add up the days of the spans, and those on which records disagreed: one row."""
    return spans.aggregate(
        days=(spans.end_date.delta(spans.start_date, unit="day") + 1).sum().fill_null(0),
        conflict_days=spans.conflict_days.sum().fill_null(0),
        plan_conflict_days=spans.plan_conflict_days.sum().fill_null(0),
    )


def count_months(member_months: ibis.Table, mm_rule: str) -> ibis.Table:
    """Add up months, days and stays by calendar month, plan and whether retroactive, in one pass.

    Returns
    -------
    ibis.Table
        service_month, plan, is_retro, is_imd_excluded, months, member_months (by `mm_rule`),
        fractional_months, eligible_days, retro_days, imd_days; months with an IMD day stand apart.
    """
    keys = ["service_month", "plan", "is_retro", "is_imd_excluded"]
    grouped = member_months.group_by(*keys, has_imd_day=member_months.imd_days > 0)
    return grouped.agg(
        months=member_months.count(),
        member_months=member_months[f"mm_{mm_rule}"].sum(),
        fractional_months=member_months.mm_fractional.sum(),
        eligible_days=member_months.eligible_days.sum(),
        retro_days=member_months.retro_days.sum(),
        imd_days=member_months.imd_days.sum(),
    )


def count_years(member_months: ibis.Table) -> ibis.Table:
    """Count person-years by whether they hold more than twelve months, which no year has."""
    yearly = member_months.group_by("person_id", year=member_months.service_month.year()).agg(n=lambda t: t.count())
    level = ibis.ifelse(yearly.n > 12, "over_12_months_a_year", "up_to_12_months_a_year")
    return yearly.group_by(level=level).agg(person_years=yearly.count())


def build_enrolment(months: pd.DataFrame) -> pd.DataFrame:
    """Add up persons and fractional member months by plan and calendar month.

    A person has one row of member months a month, so rows are persons.

    Returns
    -------
    Enrolment
    """
    sums = months.groupby(["service_month", "plan"], as_index=False)[["months", "fractional_months"]].sum()
    enrolment = sums.rename(columns={"months": "persons", "fractional_months": "member_months"})
    return enrolment.astype({"member_months": float})


def _split(spans: dict, count: str, part: str, rest: str) -> tuple[list, list]:
    return [part, rest], [spans[count], spans["days"] - spans[count]]


def _parts(check_id: str, unit: str, level, value) -> pd.DataFrame:
    levels = pd.DataFrame({"level": list(level), "value": list(value)})
    sums = levels.groupby("level", as_index=False).value.sum()
    return sums.assign(check_id=check_id, unit=unit, value=sums.value.astype(float))
