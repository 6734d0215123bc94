"""Logistic regression by Newton's method, and its replicates: scores and information kept by resampling unit."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from ratebook.engagement.weights import chunks, inverses

RIDGE = 1.0
"""Penalty on the coefficients of standardised covariates: a level without an event keeps a finite odds ratio."""
WHISPER = 1e-6
"""Penalty on the others: a replicate may hold no row in a spline's reach."""
STEPS = 30
LONGEST = 5.0
"""Longest step of a coefficient."""
AT_REST = 1e-6
"""A step of every coefficient below this ends a replicate's fit; each step is a small part of the one before."""
STALE = 8
"""Passes with one information matrix, after which those not yet at rest get a fresh one."""


class Logit(NamedTuple):
    """A logistic regression at its whole-sample coefficients, with what a replicate's Newton step needs.

    Shapes (p,), (p,), (units, p) and (units, p (p + 1) / 2): the information's upper triangle, row by row.
    """

    coefficients: np.ndarray
    penalty: np.ndarray
    score: np.ndarray
    information: np.ndarray


def logit(matrix: np.ndarray, event: np.ndarray, free: int | None = None, weight=None, start=None) -> np.ndarray:
    """Fit a logistic regression by Newton's method.

    Parameters
    ----------
    matrix : array (n, p)
        With its column of ones first.
    event : array (n,) of bool
    free : int, optional
        Columns, from the first on, that hardly are penalised, the others having a light ridge; without it none is.
    weight : array (n,), optional
        A weight of 2 is the row twice.
    start : array (p,), optional
        Coefficients to start from.

    Returns
    -------
    array (p,)
        Where everybody or nobody has the event the intercept is as large as thirty steps make it, and finite.
    """
    weight = np.ones(len(event)) if weight is None else weight
    penalty = _penalty(matrix, free)
    beta = np.zeros(matrix.shape[1]) if start is None else start.copy()
    for _ in range(STEPS):
        chance = expit(matrix @ beta)
        score = matrix.T @ (weight * (event - chance)) - penalty * beta
        information = (matrix * (weight * chance * (1 - chance))[:, None]).T @ matrix + np.diag(penalty)
        step = _solve(information, score)
        beta = beta + np.clip(step, -LONGEST, LONGEST)
        if np.abs(step).max() < 1e-9:
            break
    return beta


def propensity(matrix: np.ndarray, treated: np.ndarray, weight: np.ndarray | None = None):
    """Fit the probability of the first arm, not penalised.

    Parameters
    ----------
    matrix : array (n, p)
        Covariates, without a column of ones.
    treated : array (n,) of bool
    weight : array (n,), optional
        A weight of 2 is the row twice.

    Returns
    -------
    tuple
        Probability of treatment (n,), and the coefficients (p + 1,), the constant first.

    References
    ----------
    methods.md, C8.
    """
    rows = _with_ones(matrix)
    beta = logit(rows, np.asarray(treated, float), weight=weight)
    return expit(rows @ beta), beta


def refit(matrix, outcome, unit, counts, weight=None, start=None, steps: int = STEPS) -> np.ndarray:
    """Fit a logistic regression again in every bootstrap replicate, to the end and not penalised.

    The first step is `newton_step`, which costs a matrix product. The steps after it are exact in the score and keep
    the replicate's information, until nothing moves by `AT_REST`; the information is made afresh for the few that it
    leads too slowly.

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
    rows, outcome = _with_ones(matrix), np.asarray(outcome, float)
    start = logit(rows, outcome, weight=weight) if start is None else start
    model = by_unit(rows, outcome, start, None, unit, counts.shape[1], weight)
    score, inverse = counts @ model.score, _inverses(model, counts @ model.information)
    beta = _step(model, score, inverse)
    for chosen in chunks(len(counts), len(rows)):
        if steps > 1:
            beta[chosen] = _settle(
                rows, outcome, counts[chosen][:, unit] * weight, beta[chosen], inverse[chosen], steps
            )
    return beta


def by_unit(matrix, event, beta, free: int | None, unit: np.ndarray, units: int, weight=None) -> Logit:
    """Add up scores and information within each resampling unit; a unit without a row adds nothing."""
    chance = expit(matrix @ beta)
    weight = np.ones(len(matrix)) if weight is None else weight
    upper = np.triu_indices(matrix.shape[1])
    order = np.argsort(unit, kind="stable")
    edges = np.searchsorted(unit[order], np.arange(units + 1))
    rows = matrix[order]
    scored, weighed = (rows * (weight * part)[order, None] for part in (event - chance, chance * (1 - chance)))
    score, information = np.zeros((units, matrix.shape[1])), np.zeros((units, len(upper[0])))
    for n, (low, high) in enumerate(pairwise(edges)):
        if high > low:
            score[n] = scored[low:high].sum(0)
            information[n] = (rows[low:high].T @ weighed[low:high])[upper]
    return Logit(beta, _penalty(matrix, free), score, information)


def newton_step(model: Logit, score: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """Step from the whole sample's coefficients to each replicate's.

    Parameters
    ----------
    model : Logit
    score : array (reps, p)
        Each replicate's score at the whole sample's coefficients, without the penalty.
    triangle : array (reps, p (p + 1) / 2)
        Its information there, alike.

    Returns
    -------
    array (reps, p)
        The whole sample's own coefficients where the replicate is the whole sample.
    """
    return _step(model, score, _inverses(model, triangle))


def _step(model: Logit, score: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    move = np.einsum("rij,rj->ri", inverse, score - model.penalty * model.coefficients)
    return model.coefficients + np.clip(move, -LONGEST, LONGEST)


def _inverses(model: Logit, triangle: np.ndarray) -> np.ndarray:
    """Invert each replicate's information, given as upper triangles."""
    return inverses(symmetric(triangle) + np.diag(model.penalty))


def symmetric(triangle: np.ndarray) -> np.ndarray:
    """Lay out matrices (reps, p, p) from their upper triangles (reps, p (p + 1) / 2), row by row."""
    size = int((2 * triangle.shape[1]) ** 0.5)
    first, second = np.triu_indices(size)
    found = np.zeros((len(triangle), size, size))
    found[:, first, second] = triangle
    found[:, second, first] = triangle
    return found


def _settle(rows, outcome, weight, beta, inverse, steps) -> np.ndarray:
    """Step every replicate of `weight` (reps, n) until it rests."""
    moving = np.arange(len(beta))
    for step in range(1, steps):
        if step % STALE == 0:
            inverse = _fresh_inverses(rows, weight, beta[moving])
        residual = weight * (outcome - expit(beta[moving] @ rows.T))
        move = np.clip(np.einsum("rij,rj->ri", inverse, residual @ rows), -LONGEST, LONGEST)
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


def _solve(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Solve, also where a sample happens to hold nobody of a level and the information is singular."""
    try:
        step = np.linalg.solve(information, score)
        if np.isfinite(step).all():
            return step
    except np.linalg.LinAlgError:
        pass
    return np.linalg.lstsq(information, score, rcond=1e-10)[0]


def _penalty(matrix: np.ndarray, free: int | None) -> np.ndarray:
    if free is None:
        return np.zeros(matrix.shape[1])
    return np.where(np.arange(matrix.shape[1]) < free, WHISPER, RIDGE)


def _with_ones(matrix: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(matrix)), matrix])
