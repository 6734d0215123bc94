"""Table 1, who the cohort is; how often care continued, and how often detox was needed again, arm by arm."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.episodes import ARMS, CohortTable, ContinuityByArm, Readmission
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
EMPTY_ARM = "nobody is in the arm"
READMISSION_DAYS = (7, 14, 30, 90)
"""Windows after discharge in which readmission is usually reported (methods.md, B4)."""


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
    arms = _by_arm(cohort)
    rows = []
    for name, label, column in _layout(cohort):
        place = 1 + len(rows) // len(arms)
        for arm, members in arms.items():
            cell = _number(members[column]) if label == "mean" else _level(members[column], label)
            reason = EMPTY_ARM if members.empty else None
            rows.append({"place": place, "characteristic": name, "level": label, "arm": arm, "reason": reason, **cell})
    return pd.DataFrame(rows)


def estimate_continuity(cohort: pd.DataFrame, continuity: pd.DataFrame) -> pd.DataFrame:
    """Estimate the share of discharges after which care continued, by arm and window.

    Another detox, death and disenrolment before any treatment are failures, as competing events are. Only who
    was still waiting when the data end is left out: of them the window was not seen.

    Parameters
    ----------
    cohort : Cohort
        For the arms.
    continuity : Continuity

    Returns
    -------
    ContinuityByArm
        An arm with nobody whose wait was seen has a null estimate and a reason; no row where the cohort is empty.

    References
    ----------
    methods.md, B6.
    """
    if continuity.empty:
        return empty_frame(ContinuityByArm)
    seen = continuity[continuity.end_reason != "end_of_data"].merge(cohort[["person_id", "arm"]], on="person_id")
    rows = []
    for window_days in sorted(continuity.window_days.unique()):
        for arm, members in _by_arm(seen[seen.window_days == window_days]).items():
            continued, persons = int(members.is_continued.sum()), len(members)
            row = {"arm": arm, "window_days": window_days, "persons": persons, "continued": continued}
            rows.append({**row, **_share(continued, persons)})
    return pd.DataFrame(rows)


def estimate_readmission(cohort: pd.DataFrame) -> pd.DataFrame:
    """Estimate the share of index discharges followed by another detox episode, by arm and window.

    Counted are persons seen for the whole window, and those readmitted or dead before its end; who left
    coverage or the data earlier without either is not. An arm is known by the first contact after discharge,
    so the arms' shares describe them and do not compare programs: who is soon readmitted has less time to
    meet one.

    Parameters
    ----------
    cohort : Cohort
        One row per person, discharged alive, any order. A readmission is another episode, never a transfer.

    Returns
    -------
    Readmission
        An arm with nobody counted has a null share and a reason; no row where the cohort is empty.

    References
    ----------
    methods.md, B4.
    """
    if cohort.empty:
        return empty_frame(Readmission)
    days_to_next = (cohort.readmission_date - cohort.discharge_date).dt.days
    days_followed = (cohort.follow_end_date - cohort.discharge_date).dt.days
    rows = []
    for window_days in READMISSION_DAYS:
        again = is_readmitted(days_to_next, window_days)
        counted = again | (days_followed >= window_days) | (cohort.follow_end_reason == "death")
        for arm, members in _by_arm(cohort.assign(again=again)[counted]).items():
            readmitted, persons = int(members.again.sum()), len(members)
            row = {"arm": arm, "window_days": window_days, "persons": persons, "readmitted": readmitted}
            rows.append({**row, **_share(readmitted, persons)})
    return pd.DataFrame(rows).rename(columns={"estimate": "share"})


def is_readmitted(days_to_next: pd.Series, window_days: int) -> pd.Series:
    """Tell whether the next episode began within the window; the window's last day counts, no next one is none."""
    return days_to_next.between(1, window_days)


def _by_arm(members: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"all": members, **{arm: members[members.arm == arm] for arm in (*ARMS, "none")}}


def _share(successes: int, trials: int) -> dict:
    """Give a proportion with Wilson's interval, which stays within 0 and 1 and is none without trials."""
    if trials == 0:
        return {"estimate": None, "lower": None, "upper": None, "reason": EMPTY_ARM}
    share, z = successes / trials, 1.959963984540054
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5 / (1 + z**2 / trials)
    return {"estimate": share, "lower": max(middle - half, 0.0), "upper": min(middle + half, 1.0), "reason": None}


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
