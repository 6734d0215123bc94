"""Clones of every member under a strategy of the target trial: censored as they deviate, weighted for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.days import expected_days
from ratebook.engagement.design import restricted_cubic
from ratebook.engagement.frame import DAY
from ratebook.engagement.logit import by_unit, logit, newton_step, symmetric
from ratebook.engagement.weights import LEAST, effective_size, inverses

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
    - `readmitted_first`: detoxified again within grace, and nothing started by its end: no start was due.
    - `not_started`: grace passed without a start: censored the day after.
    """
    in_time = course.start_day <= grace_days
    return np.select(
        [
            in_time & (course.program == arm),
            in_time,
            course.last_day <= grace_days,
            course.readmitted_day <= grace_days,
        ],
        ["started", "other_program", "ended", "readmitted_first"],
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
    """Expected engaged days if everybody started this program first, within the grace period, unless readmitted before.

    Each member is a clone in the arm until it deviates. A clone that does not stands for those alike that did.

    - On days 1 to `grace_days` its weight is 1 / the probability of not having started the other program: a pooled
      logistic regression on the days of those who have started nothing, on the covariates, a spline of the day and
      whether readmitted by the day before. Who dies or is lost within grace has not deviated, and keeps this weight
      in both arms: nobody need survive to be counted.
    - Of those followed beyond grace, starters have one weight whenever they started, linear in the covariates, that
      makes those not readmitted by its end, together, all who were not: as many, and on average the same in every
      covariate. A starter who was readmitted afterwards weighs as the others alike do.
    - Who was readmitted before any start could not start, and has not deviated: they stay in both arms, with a weight
      that makes the readmitted as many as they were. What a start does to readmission within grace is not credited.

    The product of the daily probabilities and of having started by the end, instead, favours those who start late, since
    they were exposed to the other program for longer: with a slow program beside a fast one its days within grace came
    out 5% too few. Nobody stands for more than a hundred alike, and no weight is below 0. Weights cut at their 1st and
    99th percentile would say less than they mean wherever few stand for many: the difference came out 2 to 4% larger for
    the cut alone. Replicates calibrate anew, and step to their own daily regression from the whole sample's.

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
    methods.md, B9; Hernán 2018; Deville & Särndal 1992, weights calibrated to known totals.
    """
    clones = _Clones(course, arm, grace_days, matrix, unit, counts.shape[1])
    if not len(clones.starters):
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
            [self.fate == "other_program", self.fate == "not_started"], [self.course.start_day - 1, grace_days], np.inf
        )
        is_followed = self.course.last_day > grace_days
        self.is_again = self.course.readmitted_day <= grace_days
        self.followed = np.flatnonzero(is_followed)
        self.starters = np.flatnonzero(is_followed & (self.fate == "started"))
        self.spared = np.flatnonzero(is_followed & (self.fate == "readmitted_first"))
        self.ended = np.flatnonzero(~is_followed & (self.fate != "other_program"))
        self.kept = self.order[np.concatenate([self.starters, self.spared, self.ended])]
        self.rows = np.column_stack([np.ones(len(self.matrix)), self.matrix])
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
        """Walk with the whole sample and describe the weights."""
        ones = np.ones((1, self.unit.max() + 1 if self.deviation is None else len(self.deviation.score)))
        found = []
        for day, weight in self._walk(ones):
            here = (self.until >= day) & (self.course.last_day >= day)
            found.append(self._describe(weight[0, here], day))
        return [*found, self._describe(self._beyond_grace(ones[:, self.unit])[0], self.grace + 1)]

    def weigh(self, counts: np.ndarray) -> np.ndarray:
        """Give the weights (replicates, kept): of starters, of those readmitted before, of those who ended within grace."""
        *_, (_, weight) = self._walk(counts)
        return np.hstack([self._beyond_grace(counts[:, self.unit]), weight[:, self.ended]])

    def _beyond_grace(self, times: np.ndarray) -> np.ndarray:
        """Weigh starters, and those readmitted before a start, to be everybody followed beyond grace."""
        starters, again = self.starters, self.is_again[self.starters]
        alike, others = starters[~again], self.followed[~self.is_again[self.followed]]
        first, second = np.triu_indices(self.rows.shape[1])
        information = symmetric(times[:, alike] @ (self.rows[alike][:, first] * self.rows[alike][:, second]))
        totals = times[:, others] @ self.rows[others]
        slope = np.einsum("rij,rj->ri", inverses(information), totals)
        weight = np.clip(slope @ self.rows[starters].T, 0.0, 1 / LEAST)
        left = times[:, self.followed] @ self.is_again[self.followed] - (times[:, starters] * weight) @ again
        shared = left / np.maximum(times[:, self.spared].sum(axis=1), 1.0)
        return np.hstack([weight, np.tile(np.clip(shared, 0.0, 1 / LEAST)[:, None], len(self.spared))])

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
