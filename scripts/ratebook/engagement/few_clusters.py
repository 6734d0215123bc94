"""Tests that stay honest with few providers: the wild cluster bootstrap, for means and for hazards."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from ratebook.engagement.cox import fit_cox, scores_at
from ratebook.engagement.model_rows import A_TEST, Study, model_row
from ratebook.engagement.pseudo import pseudo_values_by_arm

NAN = float("nan")
FEW = 12
"""Below so many clusters signs alone give too few different draws; Webb's six points are drawn instead."""
MANY = 200
TOO_FEW = "fewer than three providers: nothing to resample"
ENOUGH = "over 200 providers: the clustered error stands without help"
WEBB = np.sqrt([0.5, 1.0, 1.5])
FURTHEST = 64.0
"""Standard errors from the estimate within which a limit is looked for."""
HALVINGS = 16


class Wild(NamedTuple):
    """Estimate, its clustered error, t, the bootstrap's p, and the interval of values it would not reject."""

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    lower: float
    upper: float
    clusters: int


def wild_rows(study: Study, horizons_days: list[int], reps: int, seed: int) -> list[dict]:
    """Test the arms' difference in restricted mean, and their hazard ratio, so that few providers suffice.

    The restricted mean is that of the regression of pseudo-values on the arm and the covariates; the hazard
    ratio's test works on the score with the arm left out of the adjusted Cox model.

    Parameters
    ----------
    study : Study
        With persons in both arms.
    horizons_days : list of int
    reps, seed : int

    Returns
    -------
    list of dict
        Rows of `EngagementModels`, model `wild_bootstrap`.

    References
    ----------
    methods.md, C4, H29.
    """
    arm = study.treated.astype(float)
    others = np.column_stack([np.ones(len(arm)), study.matrix.to_numpy(float)[:, 1:]])
    values = pseudo_values_by_arm(study.persons, horizons_days)
    rows = []
    for place, tau in enumerate(horizons_days):
        found = wild_cluster_test(values[:, place], arm, others, study.cluster, reps, seed)
        rows.append(model_row("wild_bootstrap", f"rmst difference, {tau} days", study.persons, **_cells(found)))
    return [*rows, _hazard_row(study, reps, seed)]


def _cells(found: Wild | str) -> dict:
    if isinstance(found, str):
        return {"reason": found}
    cells = {"scale": "identity", "estimate": found.estimate, "std_error": found.std_error, "p_value": found.p_value}
    cells |= {"lower": found.lower, "upper": found.upper, "statistic": found.statistic}
    reason = None if np.isfinite(found.lower + found.upper) else "no value is rejected on one side: no limit there"
    return {**cells, "reason": reason}


def _hazard_row(study: Study, reps: int, seed: int) -> dict:
    covariates = study.matrix.iloc[:, 1:]
    beta = np.zeros(study.matrix.shape[1])
    if covariates.shape[1]:
        fitted = fit_cox(study.days, study.event, covariates, study.cluster)
        if isinstance(fitted, str):
            return model_row("wild_bootstrap", "hazard ratio", study.persons, reason=fitted)
        beta[1:] = fitted.beta
    if not study.event.any():
        return model_row("wild_bootstrap", "hazard ratio", study.persons, reason="no event")
    found = wild_score_test(*scores_at(study.days, study.event, study.matrix, beta), study.cluster, reps, seed)
    if isinstance(found, str):
        return model_row("wild_bootstrap", "hazard ratio", study.persons, reason=found)
    statistic, p_value = found
    cells = {"statistic": statistic, "p_value": p_value, "reason": A_TEST}
    return model_row("wild_bootstrap", "hazard ratio", study.persons, **cells)


def wild_signs(clusters: int, reps: int, seed: int) -> np.ndarray:
    """Draw one factor a cluster with mean 0 and variance 1: ±1, or Webb's ±√½, ±1, ±√1½ under 12 clusters."""
    generator = np.random.default_rng(seed)
    points = np.array([-1.0, 1.0]) if clusters >= FEW else np.concatenate([-WEBB, WEBB])
    return generator.choice(points, size=(reps, clusters))


def wild_cluster_test(outcome, arm, others: np.ndarray, cluster, reps: int, seed: int) -> Wild | str:
    """Test an arm's coefficient in a least-squares model by the wild cluster bootstrap-t, the null imposed.

    The model is fitted as though the arm did nothing; the residuals of whole clusters are multiplied by a random
    factor and t is worked out again. p is the share of draws, the data among them, in which |t| is at least as large. The interval holds
    the values that the same test, imposing each of them, does not reject at 5%.

    Parameters
    ----------
    outcome, arm : array (n,)
    others : array (n, p)
        The other columns of the design, a constant among them.
    cluster : array (n,) of int
        0, 1, …
    reps, seed : int

    Returns
    -------
    Wild or str
        The reason where there is nothing to test.

    References
    ----------
    methods.md, C4 and H29; Cameron, Gelbach & Miller 2008; Webb 2023.
    """
    clusters = int(cluster.max()) + 1 if len(cluster) else 0
    if not 3 <= clusters <= MANY:
        return TOO_FEW if clusters < 3 else ENOUGH
    own = arm - others @ np.linalg.lstsq(others, arm, rcond=None)[0]
    size = float(own @ own)
    if size < 1e-9 * len(arm):
        return "the covariates tell the arms apart"
    free = outcome - others @ np.linalg.lstsq(others, outcome, rcond=None)[0]
    estimate = float(own @ free) / size
    design = np.column_stack([own, others])
    inverse = np.linalg.pinv(design.T @ design)
    members = csr_matrix((np.ones(len(arm)), (cluster, np.arange(len(arm)))), (clusters, len(arm)))
    spread = (members @ (design * own[:, None])).T
    factor = np.sqrt(clusters / (clusters - 1)) / size

    def error(scores, products):
        """Clustered error of the arm's coefficient, from scores and products of whatever the outcome is."""
        return factor * np.sqrt(((scores - products @ inverse @ spread) ** 2).sum(-1))

    parts = [members @ (design * part[:, None]) for part in (free, own)]
    signs = wild_signs(clusters, reps, seed)

    def p_value(null: float) -> float:
        products = parts[0] - null * parts[1]
        statistic = abs(estimate - null) / observed
        scores = signs * products[:, 0]
        draws = np.abs(scores.sum(1)) / size / np.maximum(error(scores, signs @ products), 1e-300)
        return _share_as_large(draws, statistic)

    observed = float(error(parts[0][:, 0], parts[0].sum(0)))
    if not observed > 1e-12:
        return "no variation between providers"
    limits = [_edge(p_value, estimate, direction * observed) for direction in (-1, 1)]
    return Wild(estimate, observed, estimate / observed, p_value(0.0), *limits, clusters)


def _share_as_large(draws: np.ndarray, observed: float) -> float:
    """Give p: the share of draws at least as large, what was observed being one of them, so that p is never 0."""
    return float((1 + (draws >= observed - 1e-12).sum()) / (1 + len(draws)))


def _edge(p_value: Callable[[float], float], estimate: float, step: float) -> float:
    """Find, by doubling and halving, how far from the estimate a value is rejected; NaN where none is."""
    inside, outside = 0.0, 1.0
    while p_value(estimate + outside * step) >= 0.05:
        inside, outside = outside, 2 * outside
        if outside > FURTHEST:
            return NAN
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if p_value(estimate + middle * step) >= 0.05:
            inside = middle
        else:
            outside = middle
    return estimate + inside * step


def wild_score_test(scores, information: np.ndarray, cluster, reps: int, seed: int) -> tuple[float, float] | str:
    """Test one coefficient of a likelihood by multiplying the clusters' scores, the null imposed.

    Parameters
    ----------
    scores : array (n, p)
        Each person's part of the score, the tested coefficient first, at the fit with that coefficient 0.
    information : array (p, p)
        There, too.
    cluster : array (n,) of int

    Returns
    -------
    tuple or str
        t of the score and the bootstrap's p; or why there is none.

    References
    ----------
    methods.md, C4; Kline & Santos 2012, the score bootstrap.
    """
    clusters = int(cluster.max()) + 1 if len(cluster) else 0
    if not 3 <= clusters <= MANY:
        return TOO_FEW if clusters < 3 else ENOUGH
    others = np.linalg.pinv(information[1:, 1:]) @ information[1:, 0]
    sums = np.bincount(cluster, scores[:, 0] - scores[:, 1:] @ others, clusters)

    def statistic(parts):
        centred = parts - parts.mean(-1, keepdims=True)
        return parts.sum(-1) / np.maximum(np.sqrt((centred**2).sum(-1) * clusters / (clusters - 1)), 1e-300)

    observed = float(statistic(sums))
    drawn = statistic(wild_signs(clusters, reps, seed) * sums)
    return observed, _share_as_large(np.abs(drawn), abs(observed))
