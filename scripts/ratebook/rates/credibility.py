"""How far a cell's own experience may be believed: limited fluctuation, and Bühlmann-Straub."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class BuhlmannStraub(NamedTuple):
    """Structure parameters, and each group's credibility and premium."""

    collective_mean: float
    within_variance: float
    between_variance: float
    credibility: np.ndarray
    premium: np.ndarray


def full_standard(z: float, k: float, cv: float = 1.0) -> float:
    """Give the exposure at which a cell is fully credible: within `k` of the truth with the confidence of `z`.

    With `cv` 1 this counts claims of equal size (1,082 for z 1.645 and k 0.05). For a rate per member month, `cv` is
    the coefficient of variation of one member month, the correlation of a member's months included.

    References
    ----------
    methods.md, E6.
    """
    return (z / k) ** 2 * cv**2


def limited_fluctuation(exposure, standard):
    """Square root rule: Z = min(1, sqrt(exposure / standard)); no exposure, no credibility."""
    exposure = np.asarray(exposure, dtype=float)
    return np.minimum(1.0, np.sqrt(np.maximum(exposure, 0.0) / standard))


def ratio_variance(members, months, paid, months_squared, paid_squared, paid_months):
    """Give the variance of paid per member month as a ratio of sums, a member's months taken as one draw.

    The arguments are a cell's sums over members of: 1, months, dollars, and their squares and product. Null below
    two members, where nothing can be said of the spread.

    References
    ----------
    methods.md, D2 (linearised ratio) and E6 (clustering).
    """
    rate = paid / months
    residual = paid_squared - 2 * rate * paid_months + rate**2 * months_squared
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.maximum(residual, 0.0) / months**2 * members / (members - 1)
    return np.where(np.asarray(members) > 1, found, np.nan)


def buhlmann_straub(values: np.ndarray, weights: np.ndarray) -> BuhlmannStraub:
    """Estimate how much groups differ beyond chance, and shrink each towards the collective accordingly.

    Where the groups differ by no more than chance the between variance is 0, no group is believed, and the
    collective is the exposure-weighted mean. A single group, or groups observed once, cannot show a difference:
    the same answer.

    Parameters
    ----------
    values, weights : numpy.ndarray
        Group by period: the mean of a unit of exposure, and the exposure; weight 0 where not observed.

    References
    ----------
    methods.md, E6.
    """
    values = np.where(weights > 0, values, 0.0)
    group_weight = weights.sum(axis=1)
    total = group_weight.sum()
    means = (weights * values).sum(axis=1) / group_weight
    overall = (group_weight * means).sum() / total
    freedom = ((weights > 0).sum(axis=1) - 1).sum()
    spread = total - (group_weight**2).sum() / total
    within = between = 0.0
    if freedom > 0:
        within = (weights * (values - means[:, None]) ** 2).sum() / freedom
        if spread > 0:
            between = max(0.0, ((group_weight * (means - overall) ** 2).sum() - (len(means) - 1) * within) / spread)
    if between == 0:
        credibility = np.zeros(len(means))
        return BuhlmannStraub(overall, within, between, credibility, np.full(len(means), overall))
    credibility = group_weight / (group_weight + within / between)
    collective = (credibility * means).sum() / credibility.sum()
    return BuhlmannStraub(
        collective, within, between, credibility, credibility * means + (1 - credibility) * collective
    )
