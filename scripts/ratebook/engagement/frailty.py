"""Shared frailty: how far providers differ, and the arm's effect among clients of one and the same provider."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import gammaln, psi
from scipy.stats import chi2

from ratebook.contracts.engagement import CONTRAST
from ratebook.engagement.cox import NO_MAXIMUM
from ratebook.engagement.model_rows import NAN, Study, coefficient, model_row

NO_FRAILTY, MOST = 1e-6, 20.0
"""Variances between which the likelihood is searched; at the lower end providers are alike."""


class Pieces(NamedTuple):
    """Ends and person-days by what the hazard depends on: provider, interval, covariates."""

    ends: np.ndarray
    days: np.ndarray
    z: np.ndarray
    cluster: np.ndarray
    clusters: int


class Frailty(NamedTuple):
    """A fitted model; `variance` 0 with a missing lower limit where providers are alike."""

    beta: np.ndarray
    covariance: np.ndarray
    variance: float
    lower: float
    upper: float
    likelihood_ratio: float
    p_value: float
    without: np.ndarray
    without_covariance: np.ndarray


def pieces_of(days, event, x: np.ndarray, cluster, cuts: list[int]) -> Pieces:
    """Cut every person's days at `cuts` and add up those who share provider, interval and covariates."""
    edges = np.array([0, *cuts, np.inf])
    days, event = np.asarray(days, float), np.asarray(event, bool)
    low, high = edges[:-1], edges[1:]
    time = np.clip(days[:, None], low, high) - low
    ends = event[:, None] & (days[:, None] > low) & (days[:, None] <= high)
    person, piece = np.nonzero(time > 0)
    keys = np.column_stack([np.asarray(cluster)[person], piece, x[person]])
    unique, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.ravel()
    ended = np.bincount(place, ends[person, piece], len(unique))
    # An interval in which nothing ends has the hazard 0, and nothing to say about the rest.
    fruitful = np.flatnonzero(np.bincount(unique[:, 1].astype(int), ended) > 0)
    kept = np.isin(unique[:, 1], fruitful)
    dummies = (unique[:, [1]] == fruitful).astype(float)
    z = np.column_stack([dummies, unique[:, 2:]])[kept]
    lived = np.bincount(place, time[person, piece], len(unique))[kept]
    codes, provider = np.unique(unique[kept, 0], return_inverse=True)
    return Pieces(ended[kept], lived, z, provider.ravel(), len(codes))


def fit_frailty(days, event, x: np.ndarray, cluster, cuts: list[int]) -> Frailty | str:
    """Fit a hazard constant between `cuts`, times exp(xβ), times a gamma variable that a provider's clients share.

    The gamma has mean 1 and variance θ; integrated out, a provider with D ends and expected ends Λ adds
    ln Γ(D + 1/θ) - ln Γ(1/θ) + D ln θ - (D + 1/θ) ln(1 + θΛ) to the likelihood. β compares clients of one
    provider, or of equally able ones; its error comes from the model. The interval of θ holds the values that a
    likelihood-ratio test keeps; that θ is 0 is tested on the edge of its range, by half a chi-squared.

    Parameters
    ----------
    days, event, cluster : array (n,)
    x : array (n, p)
    cuts : list of int
        Days at which the hazard may change.

    Returns
    -------
    Frailty or str
        The reason, where no model can be fitted.

    References
    ----------
    methods.md, C4: shared frailty; Duchateau & Janssen 2008, chapter 2.
    """
    if not np.any(event):
        return "no event"
    pieces = pieces_of(days, event, x, cluster, cuts)
    if pieces.clusters < 2:
        return "one provider: nothing to differ"
    if np.linalg.matrix_rank(pieces.z.T @ pieces.z, tol=1e-9 * len(pieces.z)) < pieces.z.shape[1]:
        return "the covariates do not vary, or repeat each other"
    alone = _climb(_start(pieces), pieces, np.log(NO_FRAILTY))
    inside = _climb_all(np.append(alone.x, np.log(0.1)), pieces)
    wide = pieces.z.shape[1]
    gain = 2 * max(alone.fun - inside.fun, 0.0)
    at_edge = gain < 1e-6
    beta, log_variance = (alone.x, np.log(NO_FRAILTY)) if at_edge else (inside.x[:wide], inside.x[wide])
    covariance = _covariance(beta, log_variance, pieces)
    if covariance is None or np.diag(covariance)[wide - x.shape[1] : wide].max() > MOST**2:
        return NO_MAXIMUM
    without = _covariance(alone.x, np.log(NO_FRAILTY), pieces)
    best = min(alone.fun, inside.fun)
    lower, upper = _limits(beta, log_variance, best, alone.fun, pieces)
    chosen = slice(wide - x.shape[1], wide)
    return Frailty(
        beta[chosen],
        covariance[chosen, chosen],
        0.0 if at_edge else float(np.exp(log_variance)),
        lower,
        upper,
        gain,
        0.5 * float(chi2.sf(gain, 1)) if not at_edge else 1.0,
        alone.x[chosen],
        without[chosen, chosen],
    )


def _start(pieces: Pieces) -> np.ndarray:
    """Begin at one hazard for all, by least squares: intervals' columns add up to one."""
    level = np.full(len(pieces.z), np.log(pieces.ends.sum() / pieces.days.sum()))
    return np.linalg.lstsq(pieces.z, level, rcond=None)[0]


def _minus_log(beta: np.ndarray, log_variance: float, pieces: Pieces) -> tuple[float, np.ndarray, float]:
    """Minus the log likelihood, its slope in the coefficients and in ln θ."""
    inverse = np.exp(-log_variance)
    expected = pieces.days * np.exp(np.minimum(pieces.z @ beta, 50))
    ends, risk = (np.bincount(pieces.cluster, of, pieces.clusters) for of in (pieces.ends, expected))
    grown = np.log1p(risk / inverse)
    value = pieces.ends @ (pieces.z @ beta) + _rising(ends, inverse).sum() - ((ends + inverse) * grown).sum()
    shared = (ends + inverse) / (risk + inverse)
    slope = pieces.z.T @ (pieces.ends - shared[pieces.cluster] * expected)
    by_inverse = psi(ends + inverse) - psi(inverse) - ends / inverse - grown + shared * risk / inverse
    return -value, -slope, float(by_inverse.sum() * inverse)


def _rising(ends: np.ndarray, inverse: float) -> np.ndarray:
    """ln Γ(D + a) - ln Γ(a) - D ln a, which tends to 0 as a grows."""
    if inverse > 1e5:
        return ends * (ends - 1) / (2 * inverse)
    return gammaln(ends + inverse) - gammaln(inverse) - ends * np.log(inverse)


def _climb(start, pieces: Pieces, log_variance: float):
    """Maximise over the coefficients at a given variance."""
    return minimize(
        lambda beta: _minus_log(beta, log_variance, pieces)[:2], start, jac=True, method="BFGS", options={"gtol": 1e-5}
    )


def _climb_all(start, pieces: Pieces):
    def of(theta):
        value, slope, by_variance = _minus_log(theta[:-1], theta[-1], pieces)
        return value, np.append(slope, by_variance)

    bounds = [(None, None)] * (len(start) - 1) + [(np.log(NO_FRAILTY), np.log(MOST))]
    return minimize(of, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-6})


def _covariance(beta, log_variance, pieces: Pieces) -> np.ndarray | None:
    """Invert the curvature in the coefficients and, inside its range, ln θ."""
    fixed = log_variance <= np.log(NO_FRAILTY) + 1e-9
    theta = beta if fixed else np.append(beta, log_variance)

    def slope(at):
        _, by_beta, by_variance = _minus_log(at[: len(beta)], log_variance if fixed else at[-1], pieces)
        return by_beta if fixed else np.append(by_beta, by_variance)

    steps = np.eye(len(theta)) * 1e-4
    curvature = np.array([(slope(theta + step) - slope(theta - step)) / 2e-4 for step in steps])
    curvature = (curvature + curvature.T) / 2
    return np.linalg.inv(curvature) if np.linalg.eigvalsh(curvature).min() > 1e-8 else None


def _limits(beta, log_variance, best, alone, pieces: Pieces) -> tuple[float, float]:
    """Variances at which twice the log likelihood, the rest refitted, has lost the 95% point of chi-squared."""
    most = best + chi2.ppf(0.95, 1) / 2

    def lost(at):
        return _climb(beta, pieces, at).fun - most

    low, high = np.log(NO_FRAILTY), np.log(MOST)
    lower = 0.0 if alone <= most else float(np.exp(brentq(lost, low, log_variance, xtol=1e-3)))
    upper = float(np.exp(brentq(lost, log_variance, high, xtol=1e-3))) if lost(high) > 0 else NAN
    return lower, upper


def frailty_rows(study: Study, cuts: list[int]) -> list[dict]:
    """Give the arm's effect within providers' frailty, and how far providers differ; alone and adjusted.

    `naive_std_error` is that of the same hazards without a frailty.

    References
    ----------
    methods.md, C4.
    """
    rows = []
    for name, design in study.designs.items():
        model = f"frailty{name}"
        if _one_sided(study):
            rows.append(model_row(model, CONTRAST, study.persons, reason="no event in an arm: the ratio has no limit"))
            continue
        found = fit_frailty(study.days, study.event, design.to_numpy(), study.cluster, cuts)
        if isinstance(found, str):
            rows.append(model_row(model, CONTRAST, study.persons, reason=found))
            continue
        error, naive = np.sqrt(found.covariance[0, 0]), np.sqrt(found.without_covariance[0, 0])
        rows.append(
            model_row(model, CONTRAST, study.persons, **coefficient(found.beta[0], error, study.degrees, naive))
        )
        rows.append(_variance_row(study, model, found))
    return rows


def _one_sided(study: Study) -> bool:
    return bool(study.event.any()) and len(set(study.treated[study.event])) < 2


def _variance_row(study: Study, model: str, found: Frailty) -> dict:
    reason = None if np.isfinite(found.upper) else "the likelihood bounds it on one side only"
    return model_row(
        model,
        "variance between providers",
        study.persons,
        scale="identity",
        estimate=found.variance,
        lower=found.lower,
        upper=found.upper,
        statistic=found.likelihood_ratio,
        degrees=1,
        p_value=found.p_value,
        reason=reason,
    )
