"""Days with a navigator in a fixed window from discharge: as treated, from landmarks, and by site."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.frame import daily_engagement
from ratebook.engagement.resampling import resample

KEPT = ("kept", "mixed_site")
"""Fates of those an analysis holds."""
UNSEEN = "nobody observed to the horizon"


class Way(NamedTuple):
    """One way to compare the arms: each member's arm, cluster, day 0 and fate; Series (n,)."""

    arm: pd.Series
    cluster: pd.Series
    start: pd.Series
    fate: pd.Series


def ways_of(cohort: pd.DataFrame, landmark_days: list[int]) -> dict[str, Way]:
    """Say whom each analysis without weights holds, in which arm and from when, and why it drops the others.

    - `naive`: from discharge, by the program of the first contact whenever it came. Whoever reached a contact
      was, until then, neither readmitted nor gone: time in which nothing could happen counts for the arm.
    - `landmark_…`: from so many days after discharge, persons then still observed and not readmitted, by the
      program of a contact up to that day. A contact on the landmark counts, as does a readmission.
    - `by_site`: from discharge, everybody, by the kind of site that discharged them. A site's arm is read from
      most of its referrals, so at a site with both programs (`mixed_site`) some members met the other one.

    References
    ----------
    methods.md, B8 and B9.
    """
    is_met = cohort.arm.isin(ARMS)
    found = {
        "naive": Way(
            cohort.arm, cohort.provider_id, cohort.discharge_date, _first_of(cohort, {"never_met": ~is_met}, "kept")
        )
    }
    for days in landmark_days:
        at = cohort.discharge_date + np.timedelta64(days, "D")
        is_gone, is_dead = cohort.follow_end_date.lt(at), cohort.follow_end_reason.eq("death")
        dropped = {
            "never_met": ~is_met,
            "died": is_gone & is_dead,
            "unobserved": is_gone,
            "readmitted": cohort.readmission_date.le(at),
            "met_later": cohort.first_contact_date.gt(at),
        }
        found[f"landmark_{days}"] = Way(cohort.arm, cohort.provider_id, at, _first_of(cohort, dropped, "kept"))
    site_arm = cohort.site_arm.where(cohort.site_arm.isin(ARMS), "none")
    programs = cohort.arm.where(is_met).groupby(cohort.facility_id).transform("nunique")
    fate = _first_of(cohort, {"unknown_site": site_arm.eq("none"), "mixed_site": programs.gt(1)}, "kept")
    return found | {"by_site": Way(site_arm, cohort.facility_id, cohort.discharge_date, fate)}


def _first_of(cohort: pd.DataFrame, reasons: dict[str, pd.Series], default: str) -> pd.Series:
    tests = [test.fillna(False).to_numpy(bool) for test in reasons.values()]
    return pd.Series(np.select(tests, list(reasons), default), cohort.index, dtype=object)


def engaged_day_rows(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    ways: dict[str, Way],
    horizons_days: list[int],
    spell_gap_days: int,
    boot_reps: int,
    seed: int,
) -> list[dict]:
    """Mean days engaged within each horizon, each way beside the others.

    Returns
    -------
    list of dict
        Rows of `Engagement`, the ways' names as methods.

    References
    ----------
    methods.md, B9 and C4.
    """
    rows = []
    for method, way in ways.items():
        chosen = way.fate.isin(KEPT)
        persons = cohort[chosen].assign(_arm=way.arm[chosen], _cluster=way.cluster[chosen], _start=way.start[chosen])
        persons, unit = persons.reset_index(drop=True), way.cluster.name.removesuffix("_id")
        draws = resample(persons._arm, persons._cluster, boot_reps, seed, unit)
        rows += _rows_of(persons, draws, spells, horizons_days, method, spell_gap_days)
    return rows


def _rows_of(persons, draws, spells, horizons_days, method, spell_gap_days) -> list[dict]:
    daily = daily_engagement(persons, spells, persons._start, max(horizons_days), spell_gap_days)
    curves = {}
    for arm in ARMS:
        mine = np.flatnonzero((persons._arm == arm).to_numpy())
        unit, counts = draws.among(mine)
        belongs = csr_matrix((np.ones(len(mine)), (unit, np.arange(len(mine)))), (counts.shape[1], len(mine)))
        by_unit = [belongs @ part[mine].astype(float) for part in daily]
        point = expected_days(*(part.sum(0) for part in by_unit))
        replicates = expected_days(*(counts @ part for part in by_unit))
        curves[arm] = (point, replicates, len(mine), None if len(mine) else "no person in the arm")
    return day_rows("engaged_days", method, horizons_days, curves, draws)


def day_rows(estimand: str, method: str, horizons_days: list[int], curves: dict[str, tuple], draws) -> list[dict]:
    """Read the arms' expected days at each horizon: of each arm days (H,), replicates (reps, H), persons, reason."""
    rows = []
    for tau in horizons_days:
        found = {}
        for arm, (point, replicates, persons, reason) in curves.items():
            value = float(point[tau - 1])
            reason = reason or (None if np.isfinite(value) else UNSEEN)
            found[arm] = Measured(NAN if reason else value, replicates[..., tau - 1], persons, reason=reason)
        rows += contrast_rows(estimand, tau, "contact", method, found, draws)
    return rows


def expected_days(observed: np.ndarray, engaged: np.ndarray, died: np.ndarray) -> np.ndarray:
    """Expected engaged days up to the end of each day, adjusted for censoring as a cost would be.

    Each day adds the share alive as it begins times the share engaged among those observed on it; who leaves
    observation says nothing about the days after, and who dies is engaged no more. NaN from the first day on
    which nobody alive is observed.

    Parameters
    ----------
    observed, engaged, died : array (…, H)
        Persons observed on each day, engaged on it, and dying on it; or their weights added up.

    Returns
    -------
    array (…, H)

    References
    ----------
    methods.md, C4 and D4 (Lin 1997, with days for intervals).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        stays_alive = np.cumprod(1 - died / observed, axis=-1)
        alive = np.concatenate([np.ones((*observed.shape[:-1], 1)), stays_alive[..., :-1]], -1)
        share = np.where(alive > 0, alive * engaged / observed, 0.0)
    return np.cumsum(share, axis=-1)
