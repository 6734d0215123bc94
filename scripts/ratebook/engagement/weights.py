"""Weights that make the arms alike, made of the probability of the arm each person got."""

from __future__ import annotations

import numpy as np

LEAST = 0.01
"""Nobody stands for more than a hundred alike: a probability of the own arm below this is taken as this."""
CLOSEST = 1e-6
"""A probability nearer 0 than this is taken as this, where it divides."""
CELLS = 2_000_000
"""Persons × replicates held in memory at once."""


def chunks(reps: int, persons: int) -> list[slice]:
    """Cut the replicates so that replicates × persons of each part fit in memory."""
    size = max(CELLS // max(persons, 1), 1)
    return [slice(first, first + size) for first in range(0, reps, size)]


def inverses(information: np.ndarray) -> np.ndarray:
    """Invert each; a trace of a ridge keeps what a replicate says nothing about where it is."""
    ridge = 1e-10 * np.trace(information, axis1=1, axis2=2)[:, None, None] + 1e-12
    return np.linalg.inv(information + ridge * np.eye(information.shape[1]))


def overlap_weight(chance: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Weigh each person by the probability of the arm it did not get."""
    return np.where(treated, 1 - chance, chance)


def inverse_weight(chance: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Weigh each by the share of its arm over the probability of it (stabilised), the latter no less than 1%.

    Cut at the 1st and 99th percentile instead, the weights would say less than they mean wherever few of an arm stand
    for many: where a fifth of the most severe got it, the arms' difference came out 2 to 3% too large.
    """
    own = np.clip(np.where(treated, chance, 1 - chance), LEAST, 1)
    return np.where(treated, treated.mean(), 1 - treated.mean()) / own


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
