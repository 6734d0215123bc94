"""How often care continued and how often detox was needed again: plain shares and Aalen-Johansen, side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ratebook.contracts.episodes import ARMS, ContinuityByArm, Readmission
from ratebook.tables import empty_frame

EMPTY_ARM = "nobody is in the arm"
UNSEEN = "of nobody in the arm was the whole window seen"
ONE_FACILITY = "one facility: how facilities differ cannot be seen, so there are no limits"
READMISSION_DAYS = (7, 14, 30, 90)
"""Windows after discharge in which readmission is usually reported (methods.md, B4)."""
CONTINUITY_CAUSES = {"service": 1, "readmitted": 2, "death": 2, "disenrolled": 2, "end_of_data": 0, "window": 0}
"""What ended the wait: 1 care, 2 what competes with it, 0 nothing yet."""


def estimate_continuity(cohort: pd.DataFrame, continuity: pd.DataFrame) -> pd.DataFrame:
    """Estimate the share of discharges after which care continued, by arm, window and method.

    Another detox, death and disenrolment before any treatment compete with it: they are failures. The complete-window
    share leaves out who was still waiting when the data end; the cumulative incidence counts them as long as they
    were seen. Where the data end on nobody, both are one number.

    Parameters
    ----------
    cohort : Cohort
        For the arms and the discharging facilities, which are the units of the intervals.
    continuity : Continuity

    Returns
    -------
    ContinuityByArm
        An arm with nobody whose wait was seen has a null estimate and a reason; no row where the cohort is empty.

    References
    ----------
    methods.md, B6 and C7.
    """
    if continuity.empty:
        return empty_frame(ContinuityByArm)
    waits = continuity.merge(cohort[["person_id", "arm", "facility_id"]], on="person_id")
    waits = waits.assign(
        days=waits.wait_days,
        cause=waits.end_reason.map(CONTINUITY_CAUSES),
        is_seen=waits.end_reason != "end_of_data",
    )
    by_window = {days: waits[waits.window_days == days] for days in sorted(waits.window_days.unique())}
    return _estimates(by_window, "continued")


def estimate_readmission(cohort: pd.DataFrame) -> pd.DataFrame:
    """Estimate the share of index discharges followed by another detox admission, by arm, window and method.

    Who left for a hospital's medical care had not gone home, and is not counted. The complete-window share counts
    who was seen for the whole window, and who was readmitted or died before its end; the cumulative incidence counts
    everybody as long as they were covered, death competing. An arm is known by the first contact after
    discharge, so the arms' numbers describe them and do not compare programs: who is soon readmitted has less time
    to meet one.

    Parameters
    ----------
    cohort : Cohort
        One row per person, discharged alive, any order. A readmission is another episode, never a transfer.

    Returns
    -------
    Readmission
        An arm with nobody counted has a null estimate and a reason; no row where the cohort is empty.

    References
    ----------
    methods.md, B4 and C7.
    """
    if cohort.empty:
        return empty_frame(Readmission)
    home = cohort[~cohort.is_acute_transfer.astype(bool)]
    days_to_next = (home.readmission_date - home.discharge_date).dt.days
    followed = (home.follow_end_date - home.discharge_date).dt.days
    is_dead = home.follow_end_reason == "death"
    by_window = {}
    for window_days in READMISSION_DAYS:
        is_again = is_readmitted(days_to_next, window_days)
        is_dead_before = ~is_again & is_dead & (followed <= window_days)
        by_window[window_days] = home[["arm", "facility_id"]].assign(
            days=np.where(is_again, days_to_next, followed.clip(upper=window_days)).astype(int),
            cause=np.select([is_again, is_dead_before], [1, 2], 0),
            is_seen=is_again | is_dead_before | (followed >= window_days),
        )
    return _estimates(by_window, "readmitted")


def is_readmitted(days_to_next: pd.Series, window_days: int) -> pd.Series:
    """Tell whether the next episode began within the window; the window's last day counts, no next one is none."""
    return days_to_next.between(1, window_days)


def incidence_at(days, cause, unit, horizon_days: int) -> tuple[float, float]:
    """Give the Aalen-Johansen probability of cause 1 by a day, and its variance with persons of a unit together.

    F(w) = Σ S(d-) dN₁(d) / Y(d) over the days d = 0 … w, S the probability that nothing has ended the wait. Its
    variance adds the squares of the units' influence: of the derivatives of F by the persons' weights. Without
    censoring F is a plain share p, and the variance with a person a unit is p (1 - p) / n · n / (n - 1).

    Parameters
    ----------
    days : array (n,) of int
        Days to the end of the wait; a person is at risk on that day still.
    cause : array (n,) of int
        1 what is asked for, 2 what competes, 0 censored after the day.
    unit : array (n,)
        What errors go together in: any labels.
    horizon_days : int
        The last day that counts.

    Returns
    -------
    (float, float)
        The variance is NaN with a single unit.

    References
    ----------
    methods.md, C7.
    """
    days, cause = np.asarray(days, int), np.asarray(cause, int)
    _, place = np.unique(np.asarray(unit), return_inverse=True)
    units, width = place.max() + 1, horizon_days + 1
    day = np.minimum(days, horizon_days)
    cause = np.where(days <= horizon_days, cause, 0)

    def counts(which) -> np.ndarray:
        flat = np.bincount(place[which] * width + day[which], minlength=units * width)
        return flat.reshape(units, width).astype(float)

    asked, ended = counts(cause == 1), counts(cause > 0)
    at_risk = counts(np.full(len(day), True))[:, ::-1].cumsum(1)[:, ::-1]
    people = np.maximum(at_risk.sum(0), 1.0)
    hazard_asked, hazard = asked.sum(0) / people, ended.sum(0) / people
    waiting = np.concatenate([[1.0], np.cumprod(1.0 - hazard)[:-1]])
    incidence = np.cumsum(waiting * hazard_asked)
    later = (incidence[-1] - incidence) / np.where(hazard < 1.0, 1.0 - hazard, 1.0)
    influence = waiting * (asked - hazard_asked * at_risk) - later * (ended - hazard * at_risk)
    of_unit = (influence / people).sum(1)
    variance = units / (units - 1) * (of_unit**2).sum() if units > 1 else np.nan
    return float(incidence[-1]), float(variance)


def wilson(share: float, trials: float, quantile: float) -> tuple[float, float]:
    """Give Wilson's limits of a proportion: they stay within 0 and 1, and say something at both ends."""
    middle = (share + quantile**2 / (2 * trials)) / (1 + quantile**2 / trials)
    spread = share * (1 - share) / trials + quantile**2 / (4 * trials**2)
    half = quantile * spread**0.5 / (1 + quantile**2 / trials)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def by_arm(members: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give all members, and each arm's; an arm without members is there too."""
    return {"all": members, **{arm: members[members.arm == arm] for arm in (*ARMS, "none")}}


def _estimates(by_window: dict[int, pd.DataFrame], count: str) -> pd.DataFrame:
    rows = []
    for window_days, waits in by_window.items():
        for arm, members in by_arm(waits).items():
            for method, counted in (("complete_window", members[members.is_seen]), ("aalen_johansen", members)):
                row = {"arm": arm, "window_days": int(window_days), "method": method, "persons": len(counted)}
                row[count] = int((counted.cause == 1).sum())
                nobody = EMPTY_ARM if members.empty else UNSEEN
                rows.append({**row, **_estimate(counted, int(window_days), nobody)})
    return pd.DataFrame(rows)


def _estimate(counted: pd.DataFrame, window_days: int, nobody: str) -> dict:
    """Estimate from the persons counted; the limits are Wilson's on as many persons as the facilities are worth."""
    facilities, persons = counted.facility_id.nunique(), len(counted)
    if persons == 0:
        return {"estimate": None, "lower": None, "upper": None, "facilities": 0, "reason": nobody}
    share, variance = incidence_at(counted.days, counted.cause, counted.facility_id, window_days)
    found = {"estimate": share, "facilities": facilities}
    if facilities < 2:
        return {**found, "lower": None, "upper": None, "reason": ONE_FACILITY}
    # Rounding may leave a share a hair outside 0 to 1, and a variance where everybody or nobody is one of them.
    share = min(max(share, 0.0), 1.0)
    worth = share * (1 - share) / variance if variance > 1e-15 else persons
    lower, upper = wilson(share, min(max(worth, 1.0), persons), float(stdtrit(facilities - 1, 0.975)))
    return {**found, "estimate": share, "lower": lower, "upper": upper, "reason": None}
