"""Restricted means adjusted by regression: each person's pseudo-value, and what the arms differ by among alike persons."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.curves import unknown_to
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.survival import RiskTable, risk_table, rmst, survival_of
from ratebook.engagement.weights import inverses

AT_ONCE = 4_000_000
"""Curves × times held in memory at once."""


def pseudo_values(days, ended, taus: list[int]) -> np.ndarray:
    """Give what each person adds to the restricted mean: n·μ - (n - 1)·μ without the person.

    Exact: persons who leave at the same time in the same way have the same value, so the curve without a person
    is worked out once for each such kind. Without censoring it is min(days, tau). A sole person's is the mean.

    Parameters
    ----------
    days : array (n,)
    ended : array (n,) of bool
    taus : list of int
        Horizons, in days.

    Returns
    -------
    array (n, horizons)
        Days; their mean over the persons is the restricted mean where nobody is censored, and all but it elsewhere.

    References
    ----------
    methods.md, C3; Andersen, Hansen & Klein 2004.
    """
    days, ended = np.asarray(days, float), np.asarray(ended, bool)
    table = risk_table(days, ended).total()
    leaves = np.searchsorted(table.time, days, side="right")
    kinds, kind = np.unique(2 * leaves + ended, return_inverse=True)
    place = np.arange(len(table.time))
    count = len(days)
    values = np.empty((len(kinds), len(taus)))
    size = max(AT_ONCE // max(len(place), 1), 1)
    for part in (slice(first, first + size) for first in range(0, len(kinds), size)):
        last, ends = kinds[part, None] // 2, kinds[part, None] % 2
        others = RiskTable(
            table.time,
            table.at_risk - (place < last),
            (table.ends[0] - (ends * (place == last - 1)))[None],
        )
        without = survival_of(others)
        values[part] = np.stack([rmst(table.time, without, tau) for tau in taus], axis=1)
    whole = np.array([rmst(table.time, survival_of(table), tau) for tau in taus])
    return count * whole - (count - 1) * values[kind] if count > 1 else np.tile(whole, (count, 1))


def pseudo_values_by_arm(persons: pd.DataFrame, taus: list[int]) -> np.ndarray:
    """Give pseudo-values (n, horizons) within each arm, so that the arms may be censored differently."""
    values = np.full((len(persons), len(taus)), NAN)
    for arm in ARMS:
        mine = (persons.arm == arm).to_numpy()
        if mine.any():
            values[mine] = pseudo_values(persons.days[mine], persons.role[mine] != "censor", taus)
    return values


class Adjusted(NamedTuple):
    """The design with a constant and the arm first, and the pseudo-values (n, horizons)."""

    design: np.ndarray
    values: np.ndarray


def adjusted_design(persons: pd.DataFrame, covariates: list[str], taus: list[int]) -> Adjusted:
    treated = (persons.arm == ARMS[0]).to_numpy(float)
    design = np.column_stack([np.ones(len(persons)), treated, design_matrix(persons, covariates).to_numpy()])
    return Adjusted(design, pseudo_values_by_arm(persons, taus))


def pseudo_value_rows(persons, draws, curves, covariates, horizons_days, min_observed_share) -> list[dict]:
    """Restricted means of the arms among alike persons: least squares of the pseudo-values.

    The model is the mean itself (identity link, independence as the working correlation). The difference is the
    arm's coefficient. A regression compares most where the covariates leave most open which arm a person got: it
    weighs who was in one arm by the linear probability of the other. An arm's mean is that of its pseudo-values
    with these weights, so that the means differ by the coefficient exactly and are of the persons of
    `overlap_weighted`; a prediction for everybody would take a straight line for the truth where few were.
    Pseudo-values are those within the arm and stay as they are in the replicates, in which the regression is fitted
    again; `naive_std_error` is the sandwich with persons independent. Without covariates everything is as by
    Kaplan-Meier; where they leave nothing of the arm there is no estimate.

    Returns
    -------
    list of dict
        Rows of `Engagement`, method `pseudo_values`.

    References
    ----------
    methods.md, C3.
    """
    nothing = None if persons.arm.nunique() == len(ARMS) else "no person in the other arm"
    if not nothing:
        adjusted = adjusted_design(persons, covariates, horizons_days)
        nothing = None if _arm_stands_out(adjusted.design) else "the covariates tell the arms apart"
    if not nothing:
        means, naive = _adjusted_means(adjusted, draws)
    rows = []
    for place, tau in enumerate(horizons_days):
        found = {}
        for arm, curve in curves.items():
            reason = unknown_to(curve, tau, min_observed_share) or nothing
            if reason:
                missing = np.full(len(draws.counts), NAN)
                found[arm] = Measured(NAN, missing, len(curve.days), reason=reason)
            else:
                mean = means[arm][:, place]
                found[arm] = Measured(float(mean[0]), mean[1:], len(curve.days), float(naive[arm][place]))
        rows += contrast_rows("rmst", tau, "contact", "pseudo_values", found, draws)
    return rows


def _arm_stands_out(design: np.ndarray) -> bool:
    """Say whether anything of the arm, the second column, is left beside the others."""
    arm, others = design[:, 1], np.delete(design, 1, axis=1)
    left = arm - others @ np.linalg.lstsq(others, arm, rcond=None)[0]
    return bool(left @ left > 1e-9 * len(arm))


def _adjusted_means(adjusted: Adjusted, draws) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Give both arms' means (1 + reps, horizons), the whole sample's first, and their naive errors."""
    z, y, treated = np.delete(adjusted.design, 1, axis=1), adjusted.values, adjusted.design[:, 1]
    units = draws.counts.shape[1]
    counts = np.vstack([np.ones(units), draws.counts])
    order = np.argsort(draws.unit, kind="stable")
    edges = np.searchsorted(draws.unit[order], np.arange(units + 1))
    mine = [order[first:last] for first, last in itertools.pairwise(edges)]
    wide = z.shape[1]

    def sums(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.einsum("ru,uij->rij", counts, np.array([left[of].T @ right[of] for of in mine]), optimize=True)

    inverse, of_treated = inverses(sums(z, z)), sums(z, treated[:, None])
    chance = inverse @ of_treated
    fitted, means, naive = z @ chance[0], {}, {}
    left = (treated - fitted[:, 0])[:, None]
    for arm, member in zip(ARMS, (treated, 1 - treated)):
        own = member[:, None]
        there, days = sums(z, own), sums(z, own * y)
        # The weight of a member is 1 - zα in the first arm and zα in the other.
        weight = np.eye(1, wide).T - chance if arm == ARMS[0] else chance
        whole = np.einsum("rpi,rpi->r", weight, there)[:, None]
        means[arm] = np.einsum("rpi,rph->rh", weight, days) / whole
        apart = own * (y - means[arm][0])
        turn = z @ (inverse[0] @ (z.T @ apart))
        influence = apart * (z @ weight[0]) + left * (turn if arm == ARMS[1] else -turn)
        naive[arm] = np.sqrt((influence**2).sum(0)) / whole[0]
    return means, naive
