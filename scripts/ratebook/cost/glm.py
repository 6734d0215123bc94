"""Regressions of cost fitted once exactly, and then again in every bootstrap replicate at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from ratebook.engagement.weights import inverses

STEPS = 80
"""Most steps of a fit."""
LONGEST = 2.0
"""No coefficient moves further in a step: a longer step is shortened as a whole, which keeps its direction."""
FEWER_STEPS = 30
"""Most steps of the replicates together; those that are not at rest then, or stray, are fitted each alone."""
SETTLED = 1e-11
NO_GAIN = 1e-8
"""A fit whose last step gained less of the likelihood than this share of its spread has come to rest too: the
coefficient of a level nobody of which has the outcome goes on without end, and changes nothing."""
AT_REST = 0.01
"""A replicate rests when its next step is below this share of a usual replicate's distance from the whole sample, in
the metric of the information: no estimate is then off by more than about that share of its standard error."""


class Family(NamedTuple):
    """A regression, by what an outcome y does at a mean m of it.

    Attributes
    ----------
    mean : of a linear predictor
    worth : (quasi-)log-likelihood of a row
    pull : its slope in the linear predictor, the score
    hold : the slope's expected fall, the information
    """

    name: str
    mean: Callable[[np.ndarray], np.ndarray]
    worth: Callable[[np.ndarray, np.ndarray], np.ndarray]
    pull: Callable[[np.ndarray, np.ndarray], np.ndarray]
    hold: Callable[[np.ndarray], np.ndarray]


def _exp(predictor: np.ndarray) -> np.ndarray:
    """Exponentiate in place: large arrays are not copied, and nothing passes the largest number or becomes 0."""
    return np.exp(np.clip(predictor, -100.0, 100.0, out=predictor), out=predictor)


def _share(predictor: np.ndarray) -> np.ndarray:
    """Give a chance that is never quite 0 or 1, so that its logarithm is a number."""
    return expit(np.clip(predictor, -30.0, 30.0, out=predictor), out=predictor)


def _square(y: np.ndarray, m: np.ndarray) -> np.ndarray:
    return -((y - m) ** 2) / 2


LOGIT = Family(
    "logit", _share, lambda y, m: xlogy(y, m) + xlog1py(1 - y, -m), lambda y, m: y - m, lambda m: m * (1 - m)
)
LINE = Family("line", lambda predictor: predictor, _square, lambda y, m: y - m, np.ones_like)
LOG_LINK = (
    Family("gaussian", _exp, _square, lambda y, m: (y - m) * m, lambda m: m**2),
    Family("poisson", _exp, lambda y, m: y * np.log(m) - m, lambda y, m: y - m, lambda m: m),
    Family("gamma", _exp, lambda y, m: -y / m - np.log(m), lambda y, m: y / m - 1, np.ones_like),
    Family(
        "inverse_gaussian",
        _exp,
        lambda y, m: (1 - y / m / 2) / m,
        lambda y, m: (y / m - 1) / m,
        lambda m: 1 / m,
    ),
)
"""Families with a log link, at the power of the mean to which their variance is proportional: 0, 1, 2, 3."""
POISSON, GAMMA = LOG_LINK[1:3]


def fit(
    rows: np.ndarray, outcome: np.ndarray, weight: np.ndarray, family: Family, start: np.ndarray | None = None
) -> tuple[np.ndarray, bool]:
    """Fit a regression by Fisher's scoring, to the last digits; a step that makes the fit worse is halved.

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
    best, before = -np.inf, beta
    for _ in range(STEPS):
        mean = family.mean(rows @ beta)
        worth = weight @ family.worth(outcome, mean)
        if worth < best - 1e-9 * abs(best):
            beta = (beta + before) / 2
            continue
        best, before = worth, beta
        pull, hold = family.pull(outcome, mean), family.hold(mean)
        score = (weight * pull) @ rows
        step = inverses(_information(rows, weight * hold)[None])[0] @ score
        if not np.isfinite(step).all():
            return beta, False
        beta = beta + step * (LONGEST / max(np.abs(step).max(), LONGEST))
        if np.abs(step).max() < SETTLED:
            return beta, True
    spread = np.divide(pull**2, hold, out=np.zeros(len(pull)), where=hold > 0)
    return before, bool(step @ score < NO_GAIN * (weight @ spread))


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
            A level of which a replicate holds nobody keeps its coefficient; nan where a replicate has no fit.
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
        first = np.einsum("ri,ri->r", step, score)
        tolerance = at_rest**2 * first.mean()
        moving, strayed = np.arange(len(beta)), np.zeros(len(beta), dtype=bool)
        for _ in range(FEWER_STEPS):
            residual = self.family.pull(self.outcome, self.family.mean(beta[moving] @ self.rows.T))
            residual *= weight if len(moving) == len(weight) else weight[moving]
            before, score = score, residual @ self.rows
            inverse = _learn(inverse, step, before - score)
            step = _step(inverse, score)
            gain = np.einsum("ri,ri->r", step, score)
            wild = ~(gain <= np.maximum(2 * first[moving], tolerance))
            strayed[moving] |= wild
            beta[moving] += step
            still = (gain > tolerance) & (np.abs(step).max(axis=1) > SETTLED) & ~wild
            moving, inverse, score, step = moving[still], inverse[still], score[still], step[still]
            if not len(moving):
                break
        strayed[moving] = True
        for place in np.flatnonzero(strayed):
            beta[place], is_settled = fit(self.rows, self.outcome, weight[place], self.family, self.beta)
            if not is_settled:
                beta[place] = np.nan
        return beta


def _step(inverse: np.ndarray, score: np.ndarray) -> np.ndarray:
    move = np.einsum("rij,rj->ri", inverse, score)
    move = np.nan_to_num(move, posinf=0.0, neginf=0.0)
    return move * (LONGEST / np.maximum(np.abs(move).max(axis=1, keepdims=True), LONGEST))


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
