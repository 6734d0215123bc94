"""Which arm a person would have been likely to get, and weights that make the arms alike."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

CUT = (0.01, 0.99)
CLOSEST = 1e-6
"""A probability nearer 0 than this is taken as this, where it divides."""
STEPS = 25
CELLS = 2_000_000
"""Persons × replicates held in memory at once."""
AT_REST = 1e-6
"""A step of every coefficient below this ends the fit; each step is a small part of the one before."""
STALE = 8
"""Passes with one information matrix, after which those not yet at rest get a fresh one."""


def propensity(matrix: np.ndarray, treated: np.ndarray, weight: np.ndarray | None = None, start=None):
    """Fit a logistic regression of the arm on the design matrix, by Newton's method.

    Parameters
    ----------
    matrix : array (n, p)
        Covariates, without a column of ones.
    treated : array (n,) of bool
    weight : array (n,), optional
        A weight of 2 is the row twice.
    start : array (p + 1,), optional
        Coefficients to start from: those of the whole sample, in a bootstrap.

    Returns
    -------
    tuple
        Probability of treatment (n,), and the coefficients (p + 1,).

    References
    ----------
    methods.md, C8.
    """
    ones = np.column_stack([np.ones(len(treated)), matrix])
    weight = np.ones(len(treated)) if weight is None else weight
    treated = np.asarray(treated, float)
    beta = np.zeros(ones.shape[1]) if start is None else start.copy()
    for _ in range(STEPS):
        chance = expit(ones @ beta)
        score = ones.T @ (weight * (treated - chance))
        information = (ones * (weight * chance * (1 - chance))[:, None]).T @ ones
        step = _solve(information, score)
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            break
    return expit(ones @ beta), beta


def _solve(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Solve, also where a replicate happens to hold nobody of a level and the information is singular."""
    try:
        step = np.linalg.solve(information, score)
        if np.isfinite(step).all():
            return step
    except np.linalg.LinAlgError:
        pass
    return np.linalg.lstsq(information, score, rcond=1e-10)[0]


def refit(matrix, outcome, unit, counts, weight=None, start=None, steps: int = STEPS) -> np.ndarray:
    """Fit a logistic regression again in every bootstrap replicate.

    The first Newton step leads from the whole sample's fit by scores and informations summed once per unit, so it
    costs a matrix product. The steps after it are exact in the score and keep the replicate's information, until
    nothing moves by `AT_REST`; the information is made afresh for the few that it leads too slowly.

    Parameters
    ----------
    matrix : array (n, p)
        Covariates of each row (a person, or a person's day), without a column of ones.
    outcome : array (n,) of bool
    unit : array (n,) of int
        Resampling unit of each row.
    counts : array (reps, units)
        How often each unit counts.
    weight : array (n,), optional
        A row's own weight.
    start : array (p + 1,), optional
        The whole sample's coefficients; fitted where not given.
    steps : int
        Most steps; 1 stops after the step that needs no pass over the rows.

    Returns
    -------
    array (reps, p + 1)
        Coefficients, the constant first. A level of which a replicate holds nobody keeps its coefficient.

    References
    ----------
    methods.md, C8.
    """
    weight = np.ones(len(matrix)) if weight is None else np.asarray(weight, float)
    start = propensity(matrix, outcome, weight)[1] if start is None else start
    rows = np.column_stack([np.ones(len(matrix)), matrix])
    outcome = np.asarray(outcome, float)
    score, information = _sums_by_unit(rows, weight, expit(rows @ start), outcome, unit, counts.shape[1])
    inverse = inverses((counts @ information.reshape(len(score), -1)).reshape(-1, *information.shape[1:]))
    beta = start + np.clip(np.einsum("rij,rj->ri", inverse, counts @ score), -5, 5)
    for chosen in chunks(len(counts), len(rows)):
        if steps > 1:
            beta[chosen] = _settle(
                rows, outcome, counts[chosen][:, unit] * weight, beta[chosen], inverse[chosen], steps
            )
    return beta


def chunks(reps: int, persons: int) -> list[slice]:
    """Cut the replicates so that replicates × persons of each part fit in memory."""
    size = max(CELLS // max(persons, 1), 1)
    return [slice(first, first + size) for first in range(0, reps, size)]


def _sums_by_unit(rows, weight, chance, outcome, unit, units) -> tuple[np.ndarray, np.ndarray]:
    """Sum the score and the information of a fit over the rows of each unit."""
    order = np.argsort(unit, kind="stable")
    ends = np.searchsorted(unit[order], np.arange(units + 1))
    wide = rows.shape[1]
    score, information = np.zeros((units, wide)), np.zeros((units, wide, wide))
    for place in range(units):
        mine = order[ends[place] : ends[place + 1]]
        x, w, p = rows[mine], weight[mine], chance[mine]
        score[place] = (w * (outcome[mine] - p)) @ x
        information[place] = (x * (w * p * (1 - p))[:, None]).T @ x
    return score, information


def inverses(information: np.ndarray) -> np.ndarray:
    """Invert each; a trace of a ridge keeps what a replicate says nothing about where it is."""
    ridge = 1e-10 * np.trace(information, axis1=1, axis2=2)[:, None, None] + 1e-12
    return np.linalg.inv(information + ridge * np.eye(information.shape[1]))


def _settle(rows, outcome, weight, beta, inverse, steps) -> np.ndarray:
    """Step every replicate of `weight` (reps, n) until it rests."""
    moving = np.arange(len(beta))
    for step in range(1, steps):
        if step % STALE == 0:
            inverse = _fresh_inverses(rows, weight, beta[moving])
        residual = weight * (outcome - expit(beta[moving] @ rows.T))
        move = np.clip(np.einsum("rij,rj->ri", inverse, residual @ rows), -5, 5)
        beta[moving] += move
        still = np.abs(move).max(axis=1) > AT_REST
        if not still.any():
            break
        if not still.all():
            moving, inverse, weight = moving[still], inverse[still], weight[still]
    return beta


def _fresh_inverses(rows, weight, beta) -> np.ndarray:
    chance = expit(beta @ rows.T)
    return inverses(np.stack([(rows * w[:, None]).T @ rows for w in weight * chance * (1 - chance)]))


def overlap_weight(chance: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Weigh each person by the probability of the arm it did not get."""
    return np.where(treated, 1 - chance, chance)


def inverse_weight(chance: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Weigh each by the share of its arm over the probability of it (stabilised), cut at the 1st and 99th percentile."""
    own = np.clip(np.where(treated, chance, 1 - chance), CLOSEST, 1)
    weight = np.where(treated, treated.mean(), 1 - treated.mean()) / own
    low, high = np.quantile(weight, CUT, axis=-1, keepdims=True)
    return np.clip(weight, low, high)


def treated_weight(chance: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Weigh the first arm by 1 and the other by the odds of the first: the persons of the first arm, twice."""
    safe = np.clip(chance, CLOSEST, 1 - CLOSEST)
    return np.where(treated, 1.0, safe / (1 - safe))


WEIGHTINGS = {"overlap": overlap_weight, "inverse": inverse_weight, "treated": treated_weight}
"""What makes the arms alike: to the persons in equipoise, to everybody, or to the persons of RSN (methods.md, C8)."""


def effective_size(weight: np.ndarray) -> float:
    """Number of equally weighted persons that would be as informative: (Σw)² / Σw²."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def standardised_difference(values, treated, weight=None) -> float:
    """Difference of the arms' weighted means over the pooled spread of the unweighted arms; NaN without spread.

    References
    ----------
    methods.md, C8.
    """
    values, treated = np.asarray(values, float), np.asarray(treated, bool)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, float)
    known = ~np.isnan(values)
    spread = np.sqrt((values[known & treated].var() + values[known & ~treated].var()) / 2)
    gap = weighted_mean(values, weight, known & treated) - weighted_mean(values, weight, known & ~treated)
    return float(gap / spread) if spread > 1e-12 else float("nan")


def weighted_mean(values, weight, chosen) -> float:
    """Weighted mean of the chosen; NaN where they weigh nothing."""
    total = weight[chosen].sum()
    return float((weight * np.nan_to_num(values))[chosen].sum() / total) if total > 0 else float("nan")
