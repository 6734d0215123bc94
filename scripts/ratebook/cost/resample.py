"""Bootstrap of clusters within an arm: how often each is drawn, and what the replicates say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ratebook.cost.censored import Panel, Sample

BLOCK_CELLS = 2_000_000
"""Weights held at once: memory stays bounded however many members and replicates there are."""
LEVELS = (0.025, 0.975)


def draw_weights(clusters: int, reps: int, seed: list[int]) -> Iterator[np.ndarray]:
    """Yield blocks of weights: first one row of ones, then how often each cluster is drawn, a row a replicate."""
    rng = np.random.default_rng(seed)
    yield np.ones((1, clusters))
    size = max(1, BLOCK_CELLS // max(clusters, 1))
    for start in range(0, reps, size):
        chances = np.full(clusters, 1 / clusters)
        yield rng.multinomial(clusters, chances, size=min(size, reps - start)).astype(float)


def replicate(
    panel: Panel, statistics: Callable[[Sample], dict], reps: int, seed: list[int]
) -> dict[object, np.ndarray]:
    """Compute statistics on the arm and on every replicate: element 0 is the estimate, the rest replicates.

    With one cluster there is nothing to resample, so only the estimate is given.
    """
    reps = reps if panel.clusters > 1 else 0
    blocks = [statistics(Sample(panel, weights)) for weights in draw_weights(panel.clusters, reps, seed)]
    return {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}


def summary(draws: np.ndarray, absent: str = "") -> dict:
    """Give estimate, standard error and percentile limits of the replicates, or the reason there are none.

    Parameters
    ----------
    draws : numpy.ndarray
        Estimate, then replicates.
    absent : str
        Why there is no estimate at all, if so.
    """
    nothing = {"estimate": np.nan, "std_error": np.nan, "lower": np.nan, "upper": np.nan}
    if absent or not np.isfinite(draws[0]):
        return {**nothing, "reason": absent or "nobody stands behind the estimate"}
    spread = draws[1:][np.isfinite(draws[1:])]
    if len(spread) < 2 or len(spread) < 0.9 * len(draws[1:]):
        return {**nothing, "estimate": draws[0], "reason": NO_LIMITS}
    lower, upper = np.quantile(spread, LEVELS)
    return {"estimate": draws[0], "std_error": spread.std(ddof=1), "lower": lower, "upper": upper, "reason": None}


def contrast(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the difference and the ratio of two arms, replicate by replicate; nan where the second is zero.

    An arm of one cluster has no replicates, so its contrasts have none either.
    """
    length = min(len(first), len(second))
    first, second = first[:length], second[:length]
    ratio = np.divide(first, second, out=np.full(length, np.nan), where=second > 0)
    return first - second, ratio


NO_LIMITS = "fewer than two clusters or too few usable replicates: no limits"
