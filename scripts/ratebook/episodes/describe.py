"""Table 1: who the cohort is, arm by arm."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.episodes import CohortTable
from ratebook.episodes.incidence import EMPTY_ARM, by_arm
from ratebook.tables import empty_frame

NUMBERS = {
    "Age at admission, years": "age_years",
    "Days of the index episode": "los_days",
    "Detox episodes in 365 days": "n12",
    "Days covered in the 365 before": "enrolled_days_before",
    "SUD cost in the 365 days before, $": "sud_cost_before_usd",
    "Total cost in the 365 days before, $": "total_cost_before_usd",
    "Days followed": "followed_days",
}
LEVELS = {
    "Sex": "sex",
    "Race": "race",
    "Region": "region",
    "First substance": "dx_class",
    "Index ended against advice": "is_ama",
    "Medication for opioid use disorder before": "is_moud_before",
    "Mental-health care before": "is_mental_before",
    "Navigator before": "is_prior_program",
    "Both programs in follow-up": "is_both_programs",
    "End of follow-up": "follow_end_reason",
}


def describe_cohort(cohort: pd.DataFrame) -> pd.DataFrame:
    """Describe the cohort at time zero, arm by arm and in all, missing values counted as a level.

    Parameters
    ----------
    cohort : Cohort
        One row per person, any order.

    Returns
    -------
    CohortTable
        No row where the cohort is empty; an empty arm has its rows, with zeros and a reason.
    """
    if cohort.empty:
        return empty_frame(CohortTable)
    cohort = cohort.assign(followed_days=(cohort.follow_end_date - cohort.discharge_date).dt.days)
    arms = by_arm(cohort)
    rows = []
    for name, label, column in _layout(cohort):
        place = 1 + len(rows) // len(arms)
        for arm, members in arms.items():
            cell = _number(members[column]) if label == "mean" else _level(members[column], label)
            reason = EMPTY_ARM if members.empty else None
            rows.append({"place": place, "characteristic": name, "level": label, "arm": arm, "reason": reason, **cell})
    return pd.DataFrame(rows)


def _layout(cohort: pd.DataFrame):
    """List characteristic, level and column in the order of the printed table."""
    for name, column in NUMBERS.items():
        yield name, "mean", column
    for name, column in LEVELS.items():
        for label in sorted(_labels(cohort[column]).unique()):
            yield name, label, column


def _labels(values: pd.Series) -> pd.Series:
    if values.dtype == bool:
        return values.map({True: "yes", False: "no"})
    return values.astype("object").where(values.notna(), "missing").astype(str)


def _number(values: pd.Series) -> dict:
    known = values.dropna().astype(float)
    share = len(known) / len(values) if len(values) else None
    std_dev = known.std() if len(known) > 1 else None
    return {"persons": len(known), "share": share, "mean": known.mean(), "std_dev": std_dev}


def _level(values: pd.Series, label: str) -> dict:
    persons = int((_labels(values) == label).sum())
    share = persons / len(values) if len(values) else None
    return {"persons": persons, "share": share, "mean": None, "std_dev": None}
