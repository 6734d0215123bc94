"""Logistic regression whose replicates are one Newton step away: scores and information kept by resampling unit."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import expit

RIDGE = 1.0
"""Penalty on the coefficients of standardised covariates: a level without an event keeps a finite odds ratio."""
WHISPER = 1e-6
"""Penalty on the others: a replicate may hold no row in a spline's reach."""
STEPS = 30


class Logit(NamedTuple):
    """A logistic regression at its whole-sample coefficients, with what a replicate's Newton step needs.

    Shapes (p,), (p,), (units, p) and (units, p (p + 1) / 2): the information's upper triangle, row by row.
    """

    coefficients: np.ndarray
    penalty: np.ndarray
    score: np.ndarray
    information: np.ndarray


def logit(matrix: np.ndarray, event: np.ndarray, free: int, weight: np.ndarray | None = None) -> np.ndarray:
    """Fit a logistic regression by Newton's method, all but the first `free` columns with a light ridge.

    Parameters
    ----------
    matrix : array (n, p)
        With its column of ones first.
    event : array (n,) of bool
    free : int
        Columns, from the first on, that are not penalised.
    weight : array (n,), optional
        A weight of 2 is the row twice.

    Returns
    -------
    array (p,)
        Where everybody or nobody has the event the intercept is as large as thirty steps make it, and finite.
    """
    weight = np.ones(len(event)) if weight is None else weight
    penalty = _penalty(matrix, free)
    beta = np.zeros(matrix.shape[1])
    for _ in range(STEPS):
        chance = expit(matrix @ beta)
        score = matrix.T @ (weight * (event - chance)) - penalty * beta
        information = (matrix * (weight * chance * (1 - chance))[:, None]).T @ matrix + np.diag(penalty)
        step = np.clip(np.linalg.solve(information, score), -3, 3)
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return beta


def _penalty(matrix: np.ndarray, free: int) -> np.ndarray:
    return np.where(np.arange(matrix.shape[1]) < free, WHISPER, RIDGE)


def by_unit(matrix, event, beta, free: int, unit: np.ndarray, units: int) -> Logit:
    """Add up scores and information within each resampling unit; a unit without a row adds nothing."""
    chance = expit(matrix @ beta)
    upper = np.triu_indices(matrix.shape[1])
    order = np.argsort(unit, kind="stable")
    edges = np.searchsorted(unit[order], np.arange(units + 1))
    rows = matrix[order]
    scored, weighed = (rows * part[order, None] for part in (event - chance, chance * (1 - chance)))
    score, information = np.zeros((units, matrix.shape[1])), np.zeros((units, len(upper[0])))
    for n, (low, high) in enumerate(pairwise(edges)):
        if high > low:
            score[n] = scored[low:high].sum(0)
            information[n] = (rows[low:high].T @ weighed[low:high])[upper]
    return Logit(beta, _penalty(matrix, free), score, information)


def by_row(matrix, event, beta, free: int) -> Logit:
    """Keep each row's own score and information, for replicates that weigh every row anew."""
    chance = expit(matrix @ beta)
    first, second = np.triu_indices(matrix.shape[1])
    information = matrix[:, first] * matrix[:, second] * (chance * (1 - chance))[:, None]
    return Logit(beta, _penalty(matrix, free), matrix * (event - chance)[:, None], information)


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
    size = len(model.coefficients)
    first, second = np.triu_indices(size)
    information = np.zeros((len(score), size, size))
    information[:, first, second] = triangle
    information[:, second, first] = triangle
    information += np.diag(model.penalty)
    gap = score - model.penalty * model.coefficients
    return model.coefficients + np.linalg.solve(information, gap[..., None])[..., 0]
