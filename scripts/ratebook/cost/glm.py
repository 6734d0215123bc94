"""Regressions of cost fitted once exactly, and then again in every bootstrap replicate at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from ratebook.engagement.weights import inverses

STEPS = 60
"""Most steps of a fit. A logit of what never fails never rests: it stops here, its chances 0 or 1."""
LONGEST = 2.0
"""No coefficient moves further in a step: on the log scale that is a factor of seven."""
SETTLED = 1e-11
AT_REST = 0.01
"""A replicate rests when its next step is below this share of a usual replicate's distance from the whole sample, in
the metric of the information: no estimate is then off by more than about that share of its standard error."""


class Family(NamedTuple):
    """Mean of a linear predictor; `pull` of a row's outcome on it (the score); `hold`, its expected information."""

    name: str
    mean: Callable[[np.ndarray], np.ndarray]
    pull: Callable[[np.ndarray, np.ndarray], np.ndarray]
    hold: Callable[[np.ndarray], np.ndarray]


def _exp(predictor: np.ndarray) -> np.ndarray:
    """Exponentiate in place where it can: large arrays are not copied; nothing passes the largest number."""
    return np.exp(np.minimum(predictor, 300.0, out=predictor), out=predictor)


LOGIT = Family("logit", expit, lambda y, mean: y - mean, lambda mean: mean * (1 - mean))
LINE = Family("line", lambda predictor: predictor, lambda y, mean: y - mean, np.ones_like)
LOG_LINK = (
    Family("gaussian", _exp, lambda y, mean: (y - mean) * mean, lambda mean: mean**2),
    Family("poisson", _exp, lambda y, mean: y - mean, lambda mean: mean),
    Family("gamma", _exp, lambda y, mean: y / mean - 1, np.ones_like),
    Family("inverse_gaussian", _exp, lambda y, mean: (y / mean - 1) / mean, lambda mean: 1 / mean),
)
"""Families with a log link, at the power of the mean to which their variance is proportional: 0, 1, 2, 3."""
GAMMA = LOG_LINK[2]


def fit(
    rows: np.ndarray, outcome: np.ndarray, weight: np.ndarray, family: Family, start: np.ndarray | None = None
) -> tuple[np.ndarray, bool]:
    """Fit a regression by Fisher's scoring, to the last digits.

    Parameters
    ----------
    rows : array (n, p)
        Columns of the model, the first of ones.
    outcome, weight : array (n,)
        A weight of 2 is the row twice. With a log link the outcome may be 0, never below.
    family : Family
    start : array (p,), optional
        Coefficients to start from; the mean of all where not given.

    Returns
    -------
    tuple
        Coefficients (p,), and whether they came to rest. What no row tells apart stays where it started.

    References
    ----------
    methods.md, D5. McCullagh and Nelder 1989, section 2.5.
    """
    beta = _flat(rows, outcome, weight, family) if start is None else start.copy()
    for _ in range(STEPS):
        mean = family.mean(rows @ beta)
        score = (weight * family.pull(outcome, mean)) @ rows
        step = inverses(_information(rows, weight * family.hold(mean))[None])[0] @ score
        if not np.isfinite(step).all():
            return beta, False
        beta = beta + np.clip(step, -LONGEST, LONGEST)
        if np.abs(step).max() < SETTLED:
            return beta, True
    return beta, False


def _flat(rows: np.ndarray, outcome: np.ndarray, weight: np.ndarray, family: Family) -> np.ndarray:
    beta = np.zeros(rows.shape[1])
    mean = np.average(outcome, weights=weight)
    beta[0] = np.log(mean) if family in LOG_LINK else mean if family is LINE else 0.0
    return beta


def _information(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return (rows * weight[:, None]).T @ rows


@dataclass(frozen=True)
class Regression:
    """A regression fitted to the whole sample, ready to be fitted again.

    Attributes
    ----------
    rows, outcome : array (n, p), (n,)
    family : Family
    beta : array (p,)
        Coefficients of the whole sample.
    is_settled : bool
        They came to rest.
    information : array (units, p, p)
        Expected information of the whole sample's fit by resampling unit; of all in one where units are many.
    """

    rows: np.ndarray
    outcome: np.ndarray
    family: Family
    beta: np.ndarray
    is_settled: bool
    information: np.ndarray

    @classmethod
    def of(cls, rows, outcome, weight, family: Family, unit, units: int, start=None) -> Regression:
        """Fit, and sum the information by unit."""
        beta, is_settled = fit(rows, outcome, weight, family, start)
        hold = weight * family.hold(family.mean(rows @ beta))
        order = np.argsort(unit, kind="stable")
        ends = np.searchsorted(unit[order], np.arange(units + 1))
        parts = [order[first:last] for first, last in itertools.pairwise(ends)] if units < len(rows) / 4 else [order]
        information = np.stack([_information(rows[mine], hold[mine]) for mine in parts])
        return cls(rows, outcome, family, beta, is_settled, information)

    def refit(self, counts: np.ndarray, weight: np.ndarray, at_rest: float = AT_REST) -> np.ndarray:
        """Fit again in every replicate.

        Each step is exact in the score, so what it comes to rest at is the replicate's own fit. The information
        is at first that of the units drawn, taken at the whole sample's fit, which costs no pass over the rows;
        every step then corrects it by what it did to the score (BFGS).

        Parameters
        ----------
        counts : array (reps, units)
            How often each unit is drawn.
        weight : array (reps, n)
            What each row weighs in each replicate, how often it is drawn included.
        at_rest : float
            As `AT_REST`.

        Returns
        -------
        array (reps, p)
            A level of which a replicate holds nobody keeps its coefficient.
        """
        total = self.information.sum(axis=0)
        information = (
            np.tensordot(counts, self.information, axes=1)
            if len(self.information) == counts.shape[1]
            else np.broadcast_to(total, (len(counts), *total.shape))
        )
        inverse = inverses(information)
        residual = self.family.pull(self.outcome, self.family.mean(self.rows @ self.beta))
        score = (weight * residual) @ self.rows
        step = _step(inverse, score)
        beta = self.beta + step
        tolerance = at_rest**2 * np.einsum("ri,ri->r", step, score).mean()
        moving = np.arange(len(beta))
        for _ in range(STEPS):
            residual = self.family.pull(self.outcome, self.family.mean(beta[moving] @ self.rows.T))
            residual *= weight
            before, score = score, residual @ self.rows
            inverse = _learn(inverse, step, before - score)
            step = _step(inverse, score)
            beta[moving] += step
            gain = np.einsum("ri,ri->r", step, score)
            still = (gain > tolerance) & (np.abs(step).max(axis=1) > SETTLED)
            if not still.any():
                break
            if not still.all():
                moving, inverse, weight = moving[still], inverse[still], weight[still]
                score, step = score[still], step[still]
        return beta


def _step(inverse: np.ndarray, score: np.ndarray) -> np.ndarray:
    move = np.einsum("rij,rj->ri", inverse, score)
    return np.clip(np.nan_to_num(move, posinf=0.0, neginf=0.0), -LONGEST, LONGEST)


def _learn(inverse: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Correct each inverse information so that it takes the change of the score to the step that made it (BFGS)."""
    along = np.einsum("ri,ri->r", step, change)
    is_told = along > 1e-300
    rate = np.divide(1.0, along, out=np.zeros(len(along)), where=is_told)[:, None]
    leads = np.einsum("rij,rj->ri", inverse, change)
    stretch = (1.0 + rate[:, 0] * np.einsum("ri,ri->r", change, leads)) * rate[:, 0]
    crossed = (rate * step)[:, :, None] * leads[:, None, :]
    return (
        inverse + stretch[:, None, None] * step[:, :, None] * step[:, None, :] - crossed - crossed.transpose(0, 2, 1)
    )


def robust_covariance(
    rows: np.ndarray, outcome: np.ndarray, weight: np.ndarray, beta: np.ndarray, family: Family, cluster: np.ndarray
) -> np.ndarray:
    """Give the sandwich covariance of the coefficients, scores summed by cluster, times G / (G - 1)."""
    mean = family.mean(rows @ beta)
    bread = inverses(_information(rows, weight * family.hold(mean))[None])[0]
    scores = rows * (weight * family.pull(outcome, mean))[:, None]
    groups = np.unique(cluster, return_inverse=True)[1]
    by_cluster = np.zeros((groups.max() + 1, rows.shape[1]))
    np.add.at(by_cluster, groups, scores)
    number = len(by_cluster)
    return bread @ (by_cluster.T @ by_cluster) @ bread * (number / max(number - 1, 1))
