"""Clones of every member under a strategy of the target trial: censored as they deviate, weighted for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.days import expected_days
from ratebook.engagement.design import restricted_cubic
from ratebook.engagement.frame import DAY
from ratebook.engagement.logit import by_row, by_unit, logit, newton_step
from ratebook.engagement.weights import LEAST, effective_size

LOW = 0.01
"""Quantile described at either end of the weights."""
CELLS = 400_000
"""Replicates × members weighed at once: few enough to stay in the processor's cache."""
NOBODY = "nobody starts the program within the grace period"


class Course(NamedTuple):
    """What each member did, in days since discharge; infinite where it never came. Arrays (n,)."""

    program: np.ndarray
    start_day: np.ndarray
    last_day: np.ndarray
    readmitted_day: np.ndarray


class Followed(NamedTuple):
    """One arm's expected engaged days by the end of each day (k, H), the replicates (k, reps, H), the weights by day."""

    days: np.ndarray
    replicates: np.ndarray
    weights: list[dict]
    starters: int


def course_of(cohort: pd.DataFrame) -> Course:
    """Read each member's first program and its day, the last day followed and the day of readmission."""

    def days_to(date: str) -> np.ndarray:
        return (
            (cohort[date].to_numpy("datetime64[D]") - cohort.discharge_date.to_numpy("datetime64[D]")) / DAY
        ).astype(float)

    start, again = days_to("first_contact_date"), days_to("readmission_date")
    start = np.where(cohort.arm.isin(ARMS), start, np.inf)
    return Course(
        cohort.arm.to_numpy(str),
        np.where(np.isnan(start), np.inf, start),
        days_to("follow_end_date"),
        np.where(np.isnan(again), np.inf, again),
    )


def fate_of(course: Course, arm: str, grace_days: int) -> np.ndarray:
    """Say how each member's clone fares under "start this program first, within the grace period".

    - `started`: its own program came first, by the last day of grace; nothing it does later deviates.
    - `other_program`: the other came first, by then: censored on that day.
    - `ended`: death or the end of observation came before the end of grace, or on its last day.
    - `not_started`: grace passed without a start: censored the day after.
    """
    in_time = course.start_day <= grace_days
    return np.select(
        [in_time & (course.program == arm), in_time, course.last_day <= grace_days],
        ["started", "other_program", "ended"],
        "not_started",
    )


def follow_clones(
    course: Course,
    arm: str,
    grace_days: int,
    matrix: np.ndarray,
    observed: np.ndarray,
    died: np.ndarray,
    engaged: list[np.ndarray],
    unit: np.ndarray,
    counts: np.ndarray,
) -> Followed:
    """Expected engaged days if everybody started this program first, within the grace period.

    Each member is a clone in the arm until it deviates. A clone that does not stands for those alike that did: its
    weight is 1 / the probability of not deviating, the product of

    - on days 1 to `grace_days`, not starting the other program: a pooled logistic regression on the days of those
      who have started nothing, on the covariates, a spline of the day and whether readmitted by the day before;
    - at the end of the last day of grace, having started: a logistic regression among the uncensored and followed,
      each with its weight so far, on the covariates and whether readmitted by then. One probability for the whole
      period and no weight per starting day: who has started cannot deviate by not starting. What an early start
      does to readmission within the period is therefore not credited to it.

    Who dies or is lost within grace has not deviated and stays in both arms, with the first factor: nobody need
    survive to be counted. A clone has one weight for all its days, so the strategy's days within grace are those of
    its starters, who start when starters do. The probability of having kept to the strategy is held at 1% or more:
    nobody stands for more than a hundred alike. Weights cut at their 1st and 99th percentile instead would say less
    than they mean wherever few stand for many: where the less severe were sent to RSN, the arms' difference came out
    2 to 4% larger for the cut alone. Replicates estimate both regressions anew by one Newton step from the whole
    sample's coefficients.

    Parameters
    ----------
    course : Course (n,)
    arm : str
    grace_days : int
    matrix : array (n, p)
        Covariates known at discharge, standardised, without a column of ones.
    observed, died : array (n, H)
        Of `daily_engagement`.
    engaged : list of k arrays (n, H)
        Ways to count a day as engaged, each with its own expectation.
    unit, counts : array (n,), (reps, units)
        Resampling unit of each member, and how often each counts; a member's clones go together.

    Returns
    -------
    Followed
        Days are NaN where nobody has started, and been followed beyond, the period.

    References
    ----------
    methods.md, B9; Hernán 2018; Maringe et al. 2020, for the weight at the end of grace.
    """
    clones = _Clones(course, arm, grace_days, matrix, unit, counts.shape[1])
    if not clones.has_started.any():
        days = observed.shape[1]
        nobody = [{"day": 0, "persons": len(unit), "reason": NOBODY}]
        return Followed(
            np.full((len(engaged), days), np.nan), np.full((len(engaged), len(counts), days), np.nan), nobody, 0
        )
    weights = clones.describe()
    seen, dying, *ways = (part[clones.kept].astype(float) for part in (observed, died, *engaged))

    def days_in(times: np.ndarray) -> np.ndarray:
        weight = times[:, unit[clones.kept]] * clones.weigh(times)
        there, dead = weight @ seen, weight @ dying
        return np.stack([expected_days(there, weight @ way, dead) for way in ways])

    size = max(CELLS // len(unit), 4)
    replicates = [days_in(counts[at : at + size]) for at in range(0, len(counts), size)]
    point = days_in(np.ones((1, counts.shape[1])))
    starters = int((clones.fate == "started").sum())
    return Followed(point[:, 0], np.concatenate(replicates, axis=1), weights, starters)


class _Clones:
    """One arm's clones, those longest at risk of the other program first: who is at risk on a day is a slice."""

    def __init__(self, course, arm, grace_days, matrix, unit, units):
        risk_days = np.clip(np.minimum(course.start_day, course.last_day), 0, grace_days).astype(int)
        self.order = np.argsort(-risk_days, kind="stable")
        self.risk_days, self.matrix, self.unit = risk_days[self.order], matrix[self.order], unit[self.order]
        self.course = Course(*(part[self.order] for part in course))
        self.fate, self.grace = fate_of(self.course, arm, grace_days), grace_days
        # The last day on which the clone agrees with its strategy.
        self.until = np.select(
            [self.fate == "started", self.fate == "other_program"], [np.inf, self.course.start_day - 1], grace_days
        )
        is_followed = self.course.last_day > grace_days
        self.at_end = np.flatnonzero(is_followed & (self.fate != "other_program"))
        self.has_started = self.fate[self.at_end] == "started"
        self.starters = self.at_end[self.has_started]
        self.ended = np.flatnonzero(~is_followed & (self.fate != "other_program"))
        self.kept = self.order[np.concatenate([self.starters, self.ended])]
        self.deviation, self.day_terms = self._fit_deviation(units)

    def _fit_deviation(self, units: int):
        """Fit the daily hazard of the other program; None where nobody starts it."""
        row = np.repeat(np.arange(len(self.unit)), self.risk_days)
        day = np.arange(len(row)) - np.repeat(np.cumsum(self.risk_days) - self.risk_days, self.risk_days) + 1
        event = (day == self.course.start_day[row]) & (self.fate[row] == "other_program")
        if not event.any():
            return None, None
        spline = np.column_stack([day / self.grace, *restricted_cubic(day.astype(float))])
        days, first = np.unique(day, return_index=True)
        terms = np.zeros((self.grace + 1, spline.shape[1]))
        terms[days] = spline[first]
        again = self.course.readmitted_day[row] < day
        columns = np.column_stack([np.ones(len(row)), spline, again, self.matrix[row]])
        free = 1 + spline.shape[1]
        return by_unit(columns, event, logit(columns, event, free), free, self.unit[row], units), terms

    def _walk(self, counts: np.ndarray):
        """Give the weights (replicates, n) as they grow, day by day of the grace period."""
        weight = np.ones((len(counts), len(self.unit)))
        yield 0, weight
        if self.deviation is None:
            yield from ((day, weight) for day in range(1, self.grace + 1))
            return
        beta = newton_step(self.deviation, counts @ self.deviation.score, counts @ self.deviation.information)
        spline = self.day_terms.shape[1]
        odds = np.exp(beta[:, :1] + beta[:, spline + 2 :] @ self.matrix.T)
        day_odds, again_odds = np.exp(beta[:, 1 : spline + 1] @ self.day_terms.T), np.exp(beta[:, [spline + 1]])
        for day in range(1, self.grace + 1):
            odds[:, self.course.readmitted_day == day - 1] *= again_odds
            some = np.searchsorted(-self.risk_days, -day, side="right")
            # 1 / (1 - hazard) = 1 + odds.
            weight[:, :some] *= 1 + odds[:, :some] * day_odds[:, day, None]
            yield day, weight

    def describe(self) -> list[dict]:
        """Walk with the whole sample: learn who is likely to have started, and describe the weights."""
        ones = np.ones((1, self.unit.max() + 1 if self.deviation is None else len(self.deviation.score)))
        found = []
        for day, weight in self._walk(ones):
            here = (self.until >= day) & (self.course.last_day >= day)
            found.append(self._describe(weight[0, here], day))
        again = self.course.readmitted_day[self.at_end] <= self.grace
        self.start_matrix = np.column_stack([np.ones(len(again)), again, self.matrix[self.at_end]])
        beta = logit(self.start_matrix, self.has_started, 1, weight[0, self.at_end])
        self.start = by_row(self.start_matrix, self.has_started, beta, 1)
        last = self._beyond_grace(np.ones_like(weight), weight)[0]
        return [*found, self._describe(last, self.grace + 1)]

    def weigh(self, counts: np.ndarray) -> np.ndarray:
        """Give the weights (replicates, kept) of those who started, and of those who ended within grace."""
        *_, (_, weight) = self._walk(counts)
        last = self._beyond_grace(counts[:, self.unit], weight)
        return np.hstack([last, weight[:, self.ended]])

    def _beyond_grace(self, times: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Weigh those who started, and are followed beyond grace, by their probability of having started, too."""
        if self.has_started.all():
            return np.minimum(weight[:, self.starters], 1 / LEAST)
        used = (times * weight)[:, self.at_end]
        beta = newton_step(self.start, used @ self.start.score, used @ self.start.information)
        chance = expit(beta @ self.start_matrix[self.has_started].T) / weight[:, self.starters]
        return 1 / np.maximum(chance, LEAST)

    def _describe(self, weight: np.ndarray, day: int) -> dict:
        """Describe a day's weights, stabilised by the share uncensored whatever the covariates."""
        share = self._uncensored_share(day)
        row = {"day": day, "persons": len(weight), "uncensored_share": share, "reason": None}
        if not len(weight):
            return {**row, "reason": "nobody is left"}
        weight = share * weight
        return {
            **row,
            "mean_weight": weight.mean(),
            "low_weight": np.quantile(weight, LOW),
            "high_weight": np.quantile(weight, 1 - LOW),
            "largest_weight": weight.max(),
            "effective_persons": effective_size(weight),
        }

    def _uncensored_share(self, day: int) -> float:
        """Kaplan-Meier share of clones not censored for deviating, without regard to covariates."""
        share = 1.0
        for past in range(1, day + 1):
            is_in = (self.until >= past - 1) & (self.course.last_day >= past)
            share *= 1 - (is_in & (self.until < past)).sum() / max(is_in.sum(), 1)
        return float(share)
