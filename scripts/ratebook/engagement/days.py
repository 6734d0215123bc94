"""Days with a navigator in a fixed window from discharge: as treated, from a landmark, and by site."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.frame import daily_engagement
from ratebook.engagement.resampling import resample


def engaged_day_rows(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    horizons_days: list[int],
    landmark_days: int,
    spell_gap_days: int,
    boot_reps: int,
    seed: int,
) -> list[dict]:
    """Mean days engaged within each horizon, three ways side by side.

    - `naive`: from discharge, by the program of the first contact whenever it came. Whoever reached a contact
      was, until then, neither readmitted nor gone: time in which nothing could happen counts for the arm.
    - `landmark`: from day `landmark_days`, persons then still observed and not readmitted, by the program of
      a contact up to that day.
    - `by_site`: from discharge, everybody, by the kind of site that discharged them.

    Returns
    -------
    list of dict
        Rows of `Engagement`.

    References
    ----------
    methods.md, B9 and C4.
    """
    cohort = cohort.sort_values("person_id", kind="stable")
    landmark = np.timedelta64(landmark_days, "D")
    at_landmark = cohort.discharge_date + landmark
    is_there = cohort.follow_end_date.ge(at_landmark) & ~cohort.readmission_date.le(at_landmark)
    has_begun = cohort.first_contact_date.le(at_landmark)
    ways = {
        "naive": (cohort.arm, cohort.provider_id, cohort.discharge_date, cohort.arm.isin(ARMS)),
        "landmark": (cohort.arm, cohort.provider_id, at_landmark, cohort.arm.isin(ARMS) & is_there & has_begun),
        "by_site": (cohort.site_arm, cohort.facility_id, cohort.discharge_date, cohort.site_arm.isin(ARMS)),
    }
    rows = []
    for method, (arm, cluster, start, chosen) in ways.items():
        persons = cohort[chosen].assign(_arm=arm[chosen], _cluster=cluster[chosen], _start=start[chosen])
        rows += _rows_of(
            persons.reset_index(drop=True), spells, horizons_days, method, spell_gap_days, boot_reps, seed
        )
    return rows


def _rows_of(persons, spells, horizons_days, method, spell_gap_days, boot_reps, seed) -> list[dict]:
    draws = resample(persons._arm, persons._cluster, boot_reps, seed)
    daily = daily_engagement(persons, spells, persons._start, max(horizons_days), spell_gap_days)
    curves = {}
    for arm in ARMS:
        mine = np.flatnonzero((persons._arm == arm).to_numpy())
        unit, counts = draws.among(mine)
        belongs = csr_matrix((np.ones(len(mine)), (unit, np.arange(len(mine)))), (counts.shape[1], len(mine)))
        by_unit = [belongs @ part[mine].astype(float) for part in daily]
        point = expected_days(*(part.sum(0) for part in by_unit))
        replicates = expected_days(*(counts @ part for part in by_unit))
        curves[arm] = (point, replicates, len(mine))
    rows = []
    for tau in horizons_days:
        found = {}
        for arm, (point, replicates, persons_behind) in curves.items():
            value = float(point[tau - 1])
            reason = "no person in the arm" if not persons_behind else None
            reason = reason or (None if np.isfinite(value) else "nobody observed to the horizon")
            found[arm] = Measured(NAN if reason else value, replicates[..., tau - 1], persons_behind, reason=reason)
        rows += contrast_rows("engaged_days", tau, "contact", method, found, draws)
    return rows


def expected_days(observed: np.ndarray, engaged: np.ndarray, died: np.ndarray) -> np.ndarray:
    """Expected engaged days up to the end of each day, adjusted for censoring as a cost would be.

    Each day adds the share alive as it begins times the share engaged among those observed on it; who leaves
    observation says nothing about the days after, and who dies is engaged no more. NaN from the first day on
    which nobody alive is observed.

    Parameters
    ----------
    observed, engaged, died : array (…, H)
        Persons observed on each day, engaged on it, and dying on it.

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
