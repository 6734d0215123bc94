"""The target trial emulated: days engaged from discharge, with no time in which nothing could happen left uncounted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import Engagement
from ratebook.contracts.episodes import ARMS
from ratebook.contracts.trial import FATES, FirstContactWait, Protocol, TrialFlow, TrialWeights
from ratebook.engagement.clones import NOBODY, course_of, fate_of, follow_clones
from ratebook.engagement.days import KEPT, day_rows, engaged_day_rows, ways_of
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.frame import DAY, daily_engagement
from ratebook.engagement.protocol import write_protocol
from ratebook.engagement.resampling import Resampling, resample
from ratebook.errors import RatebookError
from ratebook.tables import frame_of


class Trial(NamedTuple):
    """The five tables of `estimate_trial`."""

    protocol: pd.DataFrame
    trial: pd.DataFrame
    trial_flow: pd.DataFrame
    trial_weights: pd.DataFrame
    first_contact_wait: pd.DataFrame


def estimate_trial(
    cohort: pd.DataFrame,
    cohort_flow: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    spell_gap_days: int,
    assignment_days: int,
    horizons_days: list[int],
    landmark_days: list[int],
    grace_days: list[int],
    covariates: list[str],
    boot_reps: int,
    seed: int,
) -> Trial:
    """Estimate days engaged from discharge as treated, from landmarks, by site, and by weighted clones.

    The first of `grace_days` is the protocol's. Its clones are also counted by the days engaged with the
    strategy's own program alone (`own_engaged_days`): what crossing over after the start adds is the difference.
    Errors resample providers with their members, a member's clones together; a member without a navigator, and so
    without a provider, is a unit of its own.

    Returns
    -------
    Trial
        Protocol, Engagement, TrialFlow, TrialWeights, FirstContactWait.

    Raises
    ------
    RatebookError
        If a landmark or a grace period is longer than the days in which a first contact assigns an arm: contacts
        between the two would be taken for none.

    References
    ----------
    methods.md, B8 and B9; Hernán & Robins 2016, the target trial.
    """
    if max(*landmark_days, *grace_days) > assignment_days:
        raise RatebookError("engagement.landmark_days and grace_days must not exceed episodes.assignment_days")
    cohort = cohort.sort_values("person_id", kind="stable", ignore_index=True)
    draws = resample(cohort.arm, cohort.provider_id, boot_reps, seed)
    ways = ways_of(cohort, landmark_days)
    rows = engaged_day_rows(cohort, spells, ways, horizons_days, spell_gap_days, boot_reps, seed)
    matrix = design_matrix(cohort, covariates).to_numpy()
    weights, fates = [], {method: (way.arm, way.fate) for method, way in ways.items()}
    daily = _Daily(cohort, spells, max(horizons_days), spell_gap_days)
    for grace in grace_days:
        method, estimands = f"clone_censor_weight_{grace}", ["engaged_days"]
        estimands += ["own_engaged_days"] if grace == grace_days[0] else []
        curves: dict[str, dict] = {estimand: {} for estimand in estimands}
        for arm in ARMS:
            engaged = [daily.engaged, daily.own(arm)][: len(estimands)]
            found = follow_clones(
                course_of(cohort), arm, grace, matrix, daily.observed, daily.died, engaged, draws.unit, draws.counts,
            )  # fmt: skip
            weights += [{"method": method, "arm": arm, **row} for row in found.weights]
            for estimand, days, replicates in zip(estimands, found.days, found.replicates):
                curves[estimand][arm] = (days, replicates, found.starters, None if found.starters else NOBODY)
        for estimand, arms in curves.items():
            rows += day_rows(estimand, method, horizons_days, arms, draws)
        fates |= {(method, arm): (arm, fate_of(course_of(cohort), arm, grace)) for arm in ARMS}
    protocol = write_protocol(
        cohort_flow, assignment_days, horizons_days, landmark_days, grace_days, covariates, boot_reps
    )
    return Trial(
        frame_of(protocol, Protocol),
        frame_of(rows, Engagement),
        frame_of(_flow(fates), TrialFlow),
        frame_of(weights, TrialWeights),
        frame_of(_wait_rows(cohort, draws), FirstContactWait),
    )


class _Daily:
    """Everybody's days from discharge: observed, dying, engaged with any program, and with one alone; (n, H)."""

    def __init__(self, cohort, spells, horizon_days, spell_gap_days):
        self.cohort, self.spells, self.window = cohort, spells, (cohort.discharge_date, horizon_days, spell_gap_days)
        self.observed, self.engaged, self.died = daily_engagement(cohort, spells, *self.window)

    def own(self, arm: str) -> np.ndarray:
        return daily_engagement(self.cohort, self.spells[self.spells.program == arm], *self.window)[1]


def _flow(fates: dict) -> list[dict]:
    """Count the members by method, arm and fate; of clones each arm counts everybody."""
    rows = []
    for key, (arm, fate) in fates.items():
        method = key if isinstance(key, str) else key[0]
        counts = pd.DataFrame({"arm": arm, "fate": fate}).value_counts()
        kept = KEPT if isinstance(key, str) else ("started", "readmitted_first", "ended")
        rows += [
            {
                "method": method,
                "arm": arm,
                "fate": fate,
                "description": FATES[fate],
                "is_kept": fate in kept,
                "persons": persons,
            }
            for (arm, fate), persons in counts.items()
        ]
    return rows


def _wait_rows(cohort: pd.DataFrame, draws: Resampling) -> list[dict]:
    """Median days from discharge to the first contact, by arm: the smallest wait that half do not exceed."""
    wait = ((cohort.first_contact_date - cohort.discharge_date) / DAY).to_numpy(float)
    found = {}
    for arm in ARMS:
        mine = np.flatnonzero((cohort.arm == arm).to_numpy())
        unit, counts = draws.among(mine)
        days, place = np.unique(wait[mine], return_inverse=True)
        by_unit = np.zeros((counts.shape[1], len(days)))
        np.add.at(by_unit, (unit, place), 1.0)
        reason = None if len(mine) else "no person in the arm"
        median, replicates = (_median(days, weight) for weight in (by_unit.sum(0)[None], counts @ by_unit))
        found[arm] = Measured(NAN if reason else float(median[0]), replicates, len(mine), reason=reason)
    rows = contrast_rows("wait", None, "contact", "observed", found, draws, ("difference",), scale="percentile")
    return [{**row, "median_days": row["estimate"]} for row in rows]


def _median(days: np.ndarray, weight: np.ndarray) -> np.ndarray:
    if not len(days):
        return np.full(len(weight), NAN)
    passed = np.cumsum(weight, axis=1)
    return np.where(passed[:, -1] > 0, days[(passed >= passed[:, [-1]] / 2).argmax(axis=1)], NAN)
