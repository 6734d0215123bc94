"""The arms made alike in what was known at discharge, and how long each then stays."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.curves import unknown_to
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.logit import propensity, refit
from ratebook.engagement.survival import rmst, survival_of, weighted_table
from ratebook.engagement.weights import WEIGHTINGS, chunks


def weighted_rows(persons, draws, curves, covariates, horizons_days, min_observed_share) -> list[dict]:
    """Restricted means of the arms under each weighting, the propensity fitted again in every replicate.

    Returns
    -------
    list of dict
        Rows of `Engagement`, methods `overlap_weighted` (the persons whom either arm might have had: the primary
        one), `inverse_weighted` (everybody) and `treated_weighted` (those of RSN).

    References
    ----------
    methods.md, C8.
    """
    treated = (persons.arm == ARMS[0]).to_numpy()
    values = _weighted_means(persons, treated, draws, covariates, horizons_days)
    rows = []
    for method, by_arm in values.items():
        for place, tau in enumerate(horizons_days):
            found = {}
            for arm, curve in curves.items():
                mean = by_arm[arm][:, place]
                reason = unknown_to(curve, tau, min_observed_share)
                reason = reason or (None if np.isfinite(mean[0]) else "no person in the other arm")
                found[arm] = Measured(NAN if reason else float(mean[0]), mean[1:], len(curve.days), reason=reason)
            rows += contrast_rows("rmst", tau, "contact", method, found, draws)
    return rows


def _weighted_means(persons, treated, draws, covariates, horizons_days) -> dict[str, dict[str, np.ndarray]]:
    """Give restricted means (1 + reps, horizons) by weighting and arm, the whole sample's first; NaN without both arms."""
    counts = np.vstack([np.ones(draws.counts.shape[1]), draws.counts])
    shape = (len(counts), len(horizons_days))
    values = {f"{name}_weighted": {arm: np.full(shape, NAN) for arm in ARMS} for name in WEIGHTINGS}
    if treated.all() or not treated.any():
        return values
    matrix = design_matrix(persons, covariates).to_numpy()
    start = propensity(matrix, treated)[1]
    beta = np.vstack([start, refit(matrix, treated, draws.unit, draws.counts, start=start)])
    days, ended = persons.days.to_numpy(), (persons.role != "censor").to_numpy()
    for part in chunks(len(counts), len(persons)):
        chance = expit(beta[part, :1] + beta[part, 1:] @ matrix.T)
        for name, weigh in WEIGHTINGS.items():
            weight = counts[part][:, draws.unit] * weigh(chance, treated)
            for arm, chosen in zip(ARMS, (treated, ~treated)):
                table = weighted_table(days[chosen], ended[chosen], weight[:, chosen])
                survival = survival_of(table)
                means = np.stack([rmst(table.time, survival, tau) for tau in horizons_days], axis=1)
                values[f"{name}_weighted"][arm][part] = means
    return values
