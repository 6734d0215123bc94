"""Cox regression: lifelines fits it; the clustered error and the test of proportionality are worked out here.

lifelines sums score residuals without the small-sample factor, and its test of proportional hazards is an
approximation that can be far off, so both are computed from the partial likelihood itself (Efron's ties).
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError
from scipy.stats import chi2

from ratebook.engagement.survival import risk_table, survival_of, value_at


class Cox(NamedTuple):
    """A fitted model: coefficients, both covariances, and the data in the order of the fit."""

    terms: list[str]
    beta: np.ndarray
    naive: np.ndarray
    robust: np.ndarray
    log_likelihood: float
    clusters: int


class Deaths(NamedTuple):
    """One row per end, ties by Efron: its time and the mean and spread of covariates among those at risk."""

    place: np.ndarray
    tied: np.ndarray
    denominator: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def fit_cox(days, event, covariates: pd.DataFrame, cluster) -> Cox | str:
    """Fit proportional hazards with errors clustered by provider.

    The robust covariance is I⁻¹ (Σ s s') I⁻¹ · G / (G - 1), s the sum of score residuals of a provider and G
    the number of providers; each person is a cluster where `cluster` names each differently.

    Parameters
    ----------
    days, event : array (n,)
        Time, and whether it ended in the event.
    covariates : DataFrame (n, p)
    cluster : array (n,)

    Returns
    -------
    Cox or str
        The reason, where no model can be fitted.

    References
    ----------
    methods.md, C4.
    """
    days, event = np.asarray(days, float), np.asarray(event, bool)
    if not event.any():
        return "no event"
    if covariates.shape[1] == 0 or np.linalg.matrix_rank(covariates - covariates.mean()) < covariates.shape[1]:
        return "the covariates do not vary, or repeat each other"
    frame = covariates.reset_index(drop=True).set_axis(range(covariates.shape[1]), axis=1)
    frame = frame.assign(_days=days, _event=event).rename(columns=str)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = CoxPHFitter().fit(frame, "_days", "_event")
    except ConvergenceError:
        return "the likelihood has no maximum: a covariate separates the ends"
    beta = fitted.params_.to_numpy()
    x = covariates.to_numpy(float)
    deaths = _deaths(days, event, x, beta)
    naive = np.linalg.inv(deaths.spread.sum(0))
    codes, names = pd.factorize(np.asarray(cluster))
    residuals = _score_residuals(days, event, x, beta, deaths)
    sums = np.zeros((len(names), x.shape[1]))
    np.add.at(sums, codes, residuals)
    groups = len(names)
    factor = groups / (groups - 1) if groups > 1 else np.nan
    robust = naive @ (sums.T @ sums) @ naive * factor
    return Cox(list(covariates.columns), beta, naive, robust, float(fitted.log_likelihood_), groups)


def _deaths(days, event, x, beta) -> Deaths:
    """Weighted mean and spread of the covariates at risk, once per end; of d tied ends the k-th loses k/d of them."""
    risk = np.exp((x - x.mean(0)) @ beta)
    at = np.unique(days[event])
    last = np.searchsorted(at, days, side="right")
    own = np.searchsorted(at, days)
    size, p = len(at), x.shape[1]
    outer = (x[:, :, None] * x[:, None, :]).reshape(len(x), p * p)
    columns = np.column_stack([np.ones(len(x)), x, outer]) * risk[:, None]
    at_risk = _by_place(columns, last, size + 1)[1:][::-1].cumsum(0)[::-1]
    dying = _by_place(columns[event], own[event], size)
    count = np.bincount(own[event], minlength=size)
    place = np.repeat(np.arange(size), count)
    tied = (np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)) / np.repeat(count, count)
    sums = at_risk[place] - tied[:, None] * dying[place]
    mean = sums[:, 1 : p + 1] / sums[:, :1]
    second = (sums[:, p + 1 :] / sums[:, :1]).reshape(-1, p, p)
    return Deaths(place, tied, sums[:, 0], mean, second - mean[:, :, None] * mean[:, None, :])


def _by_place(values: np.ndarray, place: np.ndarray, size: int) -> np.ndarray:
    return np.column_stack([np.bincount(place, column, size) for column in values.T])


def _score_residuals(days, event, x, beta, deaths: Deaths) -> np.ndarray:
    """What each person adds to the score: its own end less what its risk made expected; they sum to 0 at the fit."""
    at = np.unique(days[event])
    size = len(at)
    risk = np.exp((x - x.mean(0)) @ beta)
    hazard = 1 / deaths.denominator
    columns = np.column_stack([hazard, hazard[:, None] * deaths.mean])
    full = _by_place(columns, deaths.place, size)
    spared = _by_place(columns * deaths.tied[:, None], deaths.place, size)
    upto = np.vstack([np.zeros(full.shape[1]), full.cumsum(0)])[np.searchsorted(at, days, side="right")]
    own = np.searchsorted(at, days[event])
    upto[event] -= spared[own]
    mean = _by_place(deaths.mean, deaths.place, size) / np.bincount(deaths.place, minlength=size)[:, None]
    residuals = -risk[:, None] * (x * upto[:, :1] - upto[:, 1:])
    residuals[event] += x[event] - mean[own]
    return residuals


class Proportionality(NamedTuple):
    """Chi-squared per term and for all together, with degrees of freedom and p."""

    terms: list[str]
    chi2: np.ndarray
    degrees: np.ndarray
    p_value: np.ndarray


def test_proportionality(days, event, covariates: pd.DataFrame, beta: np.ndarray) -> Proportionality:
    """Test, by the exact score test, whether any effect changes with time.

    Adds g(t)·x to the fitted model without refitting, g(t) being 1 less the Kaplan-Meier of all subjects just
    before t, centred over the ends. Each term alone, then all together as GLOBAL.

    References
    ----------
    methods.md, C4: Therneau's test since survival 3.
    """
    days, event = np.asarray(days, float), np.asarray(event, bool)
    x = covariates.to_numpy(float)
    deaths = _deaths(days, event, x, beta)
    table = risk_table(days, event).total()
    before = value_at(table.time, survival_of(table), np.nextafter(table.time, 0))
    g = (1 - before)[deaths.place]
    g = g - g.mean()
    order = np.argsort(days[event], kind="stable")
    score = (g[:, None] * (x[event][order] - deaths.mean)).sum(0)
    both = np.einsum("e,eij->ij", g, deaths.spread)
    of_time = np.einsum("e,eij->ij", g**2, deaths.spread)
    spread = of_time - both @ np.linalg.solve(deaths.spread.sum(0), both)
    each = score**2 / np.diag(spread)
    together = float(score @ np.linalg.pinv(spread) @ score)
    statistic = np.append(each, together)
    degrees = np.append(np.ones(len(each), int), len(each))
    return Proportionality([*covariates.columns, "GLOBAL"], statistic, degrees, chi2.sf(statistic, degrees))


test_proportionality.__test__ = False
