"""What a careful analyst asks of enrolment before dividing anything by it."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.exposure import ExposureQa
from ratebook.exposure.spans import clean_eligibility

DAYS_OF_SHORTEST_MONTH = 28
EXCESS = ("within_days", "beyond_days")


def check_exposure(
    records: pd.DataFrame,
    spans: dict,
    months: pd.DataFrame,
    persons: dict,
    years: pd.DataFrame,
    services: pd.DataFrame,
) -> pd.DataFrame:
    """Count what was dropped, disputed, added retroactively, counted twice, spent in an IMD, and served outside coverage.

    Every row is a part of a whole: `share` is its value over the sum of the rows of its check, null where
    that sum is zero. Fractional months can be no more than covered days / 28: what is beyond is counted twice.

    Parameters
    ----------
    records, spans, months, persons, years : DataFrame and dict
        As `count_records`, `count_days`, `count_months` (fractional), `count_persons` and `count_years` give them.
    services : pandas.DataFrame
        As `matches.tally_coverage` gives it.

    Returns
    -------
    ExposureQa

    References
    ----------
    methods.md, A12.2, A12.4, A12.7 and A12.8; checks H6, H10, H11, H60.
    """
    retro = np.where(months.is_retro, "retro", "known_in_time")
    short = np.where(months.imd_days > 0, "short_imd_stay", "no_imd_day")
    stays = np.where(months.is_imd_excluded, "long_imd_stay", short)
    days, covered = months.eligible_days.sum(), [spans["persons"], 0]
    beyond = max(0.0, float(months.member_months.sum()) - days / DAYS_OF_SHORTEST_MONTH)
    within = float(months.member_months.sum()) - beyond
    known_days = months.eligible_days - months.retro_days
    behind = services.groupby("coverage").persons.max().to_dict()
    found = [
        ("spans", "records", records.level, records.records, records.set_index("level").persons.to_dict()),
        *(_disputed(spans, check_id) for check_id in ("conflict", "plan_conflict")),
        ("retro", "member_months", retro, months.member_months, persons),
        ("retro_days", "days", ["retro", "known_in_time"], [months.retro_days.sum(), known_days.sum()], persons),
        ("imd", "member_months", stays, months.months, persons),
        ("imd_days", "days", stays, months.imd_days, persons),
        ("double_count", "person_years", years.level, years.person_years, years.set_index("level").persons.to_dict()),
        ("excess_months", "member_months", EXCESS, [within, beyond], dict(zip(EXCESS, covered))),
        ("claims_cost", "usd", services.coverage, services.cost_usd, behind),
        ("claims_paid", "usd", services.coverage, services.paid_usd, behind),
        ("claims_lines", "lines", services.coverage, services.lines, behind),
    ]
    qa = pd.concat([_parts(*check) for check in found], ignore_index=True)
    whole = qa.groupby("check_id").value.transform("sum")
    qa["share"] = qa.value / whole.where(whole != 0)
    return qa[list(ExposureQa.types())]


def count_records(eligibility: ibis.Table, identity: ibis.Table, persons: ibis.Table, extract_date: str) -> ibis.Table:
    """Count enrolment records by why they cannot count: one row per `level`, `kept` for those that do."""
    records = clean_eligibility(eligibility, identity, persons, extract_date)
    return records.group_by(level=records.drop_reason.fill_null("kept")).agg(
        records=records.count(), persons=records.person_id.nunique()
    )


def count_days(spans: ibis.Table) -> ibis.Table:
    """Add up the days of the spans, and those on which records disagreed, and count whose they are: one row."""
    sums = {"days": (spans.end_date.delta(spans.start_date, unit="day") + 1).sum().fill_null(0)}
    for name in ("conflict", "plan_conflict"):
        disputed = spans[f"{name}_days"]
        sums[f"{name}_days"] = disputed.sum().fill_null(0)
        sums[f"{name}_persons"] = spans.person_id.nunique(where=disputed > 0)
    return spans.aggregate(**sums, persons=spans.person_id.nunique())


def count_months(member_months: ibis.Table, mm_rule: str = "fractional") -> ibis.Table:
    """Add up months, days and stays by calendar month, plan and whether retroactive, in one pass.

    Returns
    -------
    ibis.Table
        service_month, plan, is_retro, is_imd_excluded, has_imd_day, months (rows), member_months (by `mm_rule`),
        eligible_days, retro_days, imd_days.
    """
    keys = ["service_month", "plan", "is_retro", "is_imd_excluded"]
    grouped = member_months.group_by(*keys, has_imd_day=member_months.imd_days > 0)
    return grouped.agg(
        months=member_months.count(),
        member_months=member_months[f"mm_{mm_rule}"].sum(),
        eligible_days=member_months.eligible_days.sum(),
        retro_days=member_months.retro_days.sum(),
        imd_days=member_months.imd_days.sum(),
    )


def count_persons(member_months: ibis.Table) -> ibis.Table:
    """Count the persons with any month of each kind the checks tell apart: one row, a column a kind."""
    kinds = {
        "retro": member_months.is_retro,
        "known_in_time": member_months.retro_days < member_months.eligible_days,
        "long_imd_stay": member_months.is_imd_excluded,
        "short_imd_stay": (member_months.imd_days > 0) & ~member_months.is_imd_excluded,
        "no_imd_day": member_months.imd_days == 0,
    }
    return member_months.aggregate(
        **{kind: member_months.person_id.nunique(where=is_kind) for kind, is_kind in kinds.items()}
    )


def count_years(member_months: ibis.Table) -> ibis.Table:
    """Count person-years by whether they hold more than twelve months, which no year has."""
    yearly = member_months.group_by("person_id", year=member_months.service_month.year()).agg(n=lambda t: t.count())
    level = ibis.ifelse(yearly.n > 12, "over_12_months_a_year", "up_to_12_months_a_year")
    return yearly.group_by(level=level).agg(person_years=yearly.count(), persons=yearly.person_id.nunique())


def build_enrolment(months: pd.DataFrame) -> pd.DataFrame:
    """Add up persons and fractional member months by plan and calendar month.

    A person has one row of member months a month, so rows are persons.

    Returns
    -------
    Enrolment
    """
    sums = months.groupby(["service_month", "plan"], as_index=False)[["months", "member_months"]].sum()
    return sums.rename(columns={"months": "persons"}).astype({"member_months": float})


def _disputed(spans: dict, check_id: str) -> tuple:
    days = spans[f"{check_id}_days"]
    persons = {"disputed": spans[f"{check_id}_persons"], "agreed": spans["persons"]}
    return check_id, "days", ["disputed", "agreed"], [days, spans["days"] - days], persons


def _parts(check_id: str, unit: str, level, value, persons: dict[str, int]) -> pd.DataFrame:
    levels = pd.DataFrame({"level": list(level), "value": list(value)})
    sums = levels.groupby("level", as_index=False).value.sum()
    behind = sums.level.map(persons).astype("int64")
    return sums.assign(check_id=check_id, unit=unit, value=sums.value.astype(float), persons=behind)
