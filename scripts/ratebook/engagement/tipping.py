"""What if those no longer observed end sooner, or later, than those still observed: how far before it matters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ratebook.engagement.resampling import Resampling
from ratebook.engagement.survival import SAME, risk_table, survival_of


class Unseen(NamedTuple):
    """One arm's curve and its censored, in the whole sample (first) and in every replicate.

    `widths` (J + 1,) and `survival` (1 + reps, J + 1) by stretch between ends; `seen_days` (1 + reps,), the days
    that are known; `censored` (1 + reps, J + 1), persons censored in each stretch; `persons` (1 + reps,).
    """

    widths: np.ndarray
    survival: np.ndarray
    seen_days: np.ndarray
    censored: np.ndarray
    persons: np.ndarray


def unseen_of(days, ended, chosen: np.ndarray, draws: Resampling, tau: int) -> Unseen:
    """Lay out one arm's persons (`chosen`, bool) for any assumption about those censored before `tau`."""
    days, ended = np.asarray(days, float)[chosen], np.asarray(ended, bool)[chosen]
    unit, counts = draws.among(chosen)
    units = counts.shape[1]
    counts = np.vstack([np.ones(units), counts])
    table = risk_table(days, ended & (days < tau), unit=unit, units=units)
    edges = np.concatenate([[0.0], table.time, [tau]])
    survival = survival_of(table.total(counts))
    lost = ~ended & (days < tau)
    stretch = np.searchsorted(table.time, days, side="right")
    known = np.where(lost, edges[np.minimum(stretch + 1, len(edges) - 1)], np.minimum(days, tau))
    size = len(edges) - 1
    censored = np.bincount((unit * size + stretch)[lost], minlength=units * size).reshape(units, size)
    return Unseen(
        np.diff(edges),
        np.column_stack([np.ones(len(counts)), survival]),
        counts @ np.bincount(unit, known, units),
        counts @ censored,
        counts @ np.bincount(unit, minlength=units),
    )


def restricted_mean_if(unseen: Unseen, factor: float) -> np.ndarray:
    """Give the restricted mean were the hazard after censoring `factor` times that of those still observed.

    Each person censored adds what would be expected of it: from the end after its last day on, (S(t)/S(c))^factor.
    With a factor of 1 that is Kaplan-Meier itself, exactly (its self-consistency); with 0 nobody censored ends.

    Parameters
    ----------
    unseen : Unseen
    factor : float
        At least 0.

    Returns
    -------
    array (1 + reps,)
        Days; NaN where nobody is in the arm.

    References
    ----------
    methods.md, C9; Efron 1967 for the self-consistency.
    """
    power = np.where(unseen.survival > SAME, unseen.survival, 0.0) ** factor
    area = power * unseen.widths
    to_come = np.cumsum(area[:, ::-1], axis=1)[:, ::-1] - area
    expected = np.divide(to_come, power, out=np.zeros_like(power), where=power > SAME)
    with np.errstate(invalid="ignore"):
        return (unseen.seen_days + (unseen.censored * expected).sum(1)) / unseen.persons
