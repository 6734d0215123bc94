"""The arms made alike in what was known at discharge, and how long each then stays."""

from __future__ import annotations

import numpy as np

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.curves import unknown_to
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.survival import risk_table, rmst, survival_of
from ratebook.engagement.weights import overlap_weight, propensity


def overlap_rows(persons, draws, curves, covariates, horizons_days, min_observed_share) -> list[dict]:
    """Restricted means of the overlap-weighted arms, the propensity refitted in every replicate."""
    treated = (persons.arm == ARMS[0]).to_numpy()
    reps = len(draws.counts)
    values = {arm: np.full((reps + 1, len(horizons_days)), NAN) for arm in ARMS}
    if treated.any() and not treated.all():
        matrix = design_matrix(persons, covariates).to_numpy()
        start = None
        for rep in range(reps + 1):
            weight = np.ones(len(persons)) if rep == 0 else draws.counts[rep - 1][draws.unit]
            chance, beta = propensity(matrix, treated, weight, start)
            start = beta if rep == 0 else start
            weight = weight * overlap_weight(chance, treated)
            for arm, chosen in zip(ARMS, (treated, ~treated)):
                curve = curves[arm]
                table = risk_table(curve.days, curve.cause > 0, weight=weight[chosen])
                survival = survival_of(table.total())
                values[arm][rep] = [rmst(table.time, survival, tau) for tau in horizons_days]
    rows = []
    for place, tau in enumerate(horizons_days):
        found = {}
        for arm, curve in curves.items():
            reason = unknown_to(curve, tau, min_observed_share)
            reason = reason or (None if np.isfinite(values[arm][0, place]) else "no person in the other arm")
            point = NAN if reason else float(values[arm][0, place])
            found[arm] = Measured(point, values[arm][1:, place], len(curve.days), reason=reason)
        rows += contrast_rows("rmst", tau, "contact", "overlap_weighted", found, draws)
    return rows
