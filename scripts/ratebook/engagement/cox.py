"""Cox regression on the counting process: late entry, weights, strata, ties by Efron, errors clustered by provider.

Worked out here and not by a library, because the ones at hand leave out the small-sample factor of the clustered
error and approximate the test of proportional hazards; both need the same sums over risk sets as the fit itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.engagement.survival import risk_table, survival_of, value_at

ITERATIONS = 30
STILL = 1e-8
"""A Newton step shorter than this, in standard deviations of each covariate, is the end."""
NO_MAXIMUM = "the likelihood has no maximum: a covariate separates the ends"


class Cox(NamedTuple):
    """A fitted model: coefficients, both covariances, and the log likelihood at the fit and without covariates."""

    terms: list[str]
    beta: np.ndarray
    naive: np.ndarray
    robust: np.ndarray
    log_likelihood: float
    clusters: int
    null_log_likelihood: float


class RiskSets(NamedTuple):
    """Which rows are at risk at which place: a place is a stratum's distinct time of an end, rows hold a stretch."""

    first: np.ndarray
    last: np.ndarray
    own: np.ndarray
    size: int

    def at_places(self, values: np.ndarray) -> np.ndarray:
        """Sum the values of the rows at risk at every place; from the end, so that the last few keep their digits."""
        steps = _by_place(values, self.last, self.size + 1) - _by_place(values, self.first, self.size + 1)
        return steps[::-1].cumsum(0)[::-1][1:]

    def over_rows(self, values: np.ndarray) -> np.ndarray:
        """Sum for every row the values of the places at which it is at risk."""
        upto = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(0)])
        return upto[self.last] - upto[self.first]


class Ends(NamedTuple):
    """One entry per end: its place, the share of its ties already gone, its weight, risk at and mean covariates."""

    place: np.ndarray
    tied: np.ndarray
    weight: np.ndarray
    denominator: np.ndarray
    mean: np.ndarray


class Sample(NamedTuple):
    """Everything a likelihood is made of, row by row."""

    x: np.ndarray
    event: np.ndarray
    weight: np.ndarray
    sets: RiskSets
    efron: bool

    def risk(self, beta: np.ndarray) -> np.ndarray:
        """exp(xβ): how many times the risk of an average row."""
        return np.exp((self.x - self.x.mean(0)) @ beta)


def fit_cox(
    days, event, covariates: pd.DataFrame, cluster, *, entry=None, weight=None, strata=None, ties: str = "efron"
) -> Cox | str:
    """Fit proportional hazards with errors clustered by provider.

    A row is at risk at t when entry < t ≤ days, within its stratum. The robust covariance is
    I⁻¹ (Σ s s') I⁻¹ · G / (G - 1), s the weighted sum of score residuals of a provider and G the number of
    providers; each row is a cluster where `cluster` names each differently. With one provider it is not defined.

    Parameters
    ----------
    days, event : array (n,)
        Time, and whether it ended in the event.
    covariates : DataFrame (n, p)
    cluster : array (n,)
    entry, weight, strata : array (n,), optional
        Start of the time at risk (always before its end), weight, and label of the baseline hazard.
    ties : str
        "efron" or "breslow". A weight of 2 is the row twice with Breslow's ties only.

    Returns
    -------
    Cox or str
        The reason, where no model can be fitted.

    References
    ----------
    methods.md, C4; Therneau & Grambsch 2000, chapter 3 and 7.
    """
    sample = _sample(days, event, covariates, entry, weight, strata, ties)
    if not sample.event.any():
        return "no event"
    if not _identified(sample.x, strata):
        return "the covariates do not vary, or repeat each other"
    beta, null = _climb(sample)
    if beta is None:
        return NO_MAXIMUM
    ends = _ends(sample, beta)
    value, _, information = _likelihood(sample, beta, ends)
    naive = np.linalg.inv(information)
    codes, names = pd.factorize(np.asarray(cluster))
    sums = _by_place(_score_residuals(sample, beta, ends) * sample.weight[:, None], codes, len(names))
    groups = len(names)
    factor = groups / (groups - 1) if groups > 1 else np.nan
    robust = naive @ (sums.T @ sums) @ naive * factor
    return Cox(list(covariates.columns), beta, naive, robust, value, groups, null)


def _sample(days, event, covariates, entry, weight, strata, ties) -> Sample:
    days, event = np.asarray(days, float), np.asarray(event, bool)
    entry = np.full(len(days), -np.inf) if entry is None else np.asarray(entry, float)
    if (entry >= days).any():
        raise ValueError("a row's time at risk ends before it starts")
    stratum = np.zeros(len(days), int) if strata is None else pd.factorize(np.asarray(strata), sort=True)[0]
    weight = np.ones(len(days)) if weight is None else np.asarray(weight, float)
    at = np.unique(days[event])
    offset = stratum * len(at)
    places = np.unique((offset + np.searchsorted(at, days))[event])
    # The number of places before a row's first and last: those of earlier strata and, in its own, of earlier times.
    first, last, own = (
        np.searchsorted(places, offset + np.searchsorted(at, when, side))
        for when, side in ((entry, "right"), (days, "right"), (days, "left"))
    )
    return Sample(covariates.to_numpy(float), event, weight, RiskSets(first, last, own, len(places)), ties == "efron")


def _identified(x: np.ndarray, strata) -> bool:
    if x.shape[1] == 0:
        return False
    label = np.zeros(len(x), int) if strata is None else np.asarray(strata)
    within = x - pd.DataFrame(x).groupby(label).transform("mean").to_numpy()
    return np.linalg.matrix_rank(within.T @ within, tol=1e-9 * len(x)) == x.shape[1]


def _climb(sample: Sample) -> tuple[np.ndarray | None, float]:
    """Newton's method with halved steps; no maximum where steps do not become short."""
    beta = np.zeros(sample.x.shape[1])
    spread = sample.x.std(0)
    value, score, information = _likelihood(sample, beta, _ends(sample, beta))
    null = value
    for _ in range(ITERATIONS):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None, null
        for _ in range(ITERATIONS):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                found = _likelihood(sample, beta + step, _ends(sample, beta + step))
            if found[0] >= value - 1e-9 * abs(value):
                break
            step = step / 2
        beta = beta + step
        value, score, information = found
        if np.abs(step * spread).max() < STILL:
            return beta, null
    return None, null


def _by_place(values: np.ndarray, place: np.ndarray, size: int) -> np.ndarray:
    return np.column_stack([np.bincount(place, column, size) for column in values.T])


def _ends(sample: Sample, beta: np.ndarray) -> Ends:
    """Risk and mean covariates of those at risk, once per end; of d tied ends the k-th loses k/d of them."""
    sets, event = sample.sets, sample.event
    columns = np.column_stack([np.ones(len(sample.x)), sample.x]) * (sample.risk(beta) * sample.weight)[:, None]
    at_risk = sets.at_places(columns)
    dying = _by_place(columns[event], sets.own[event], sets.size)
    count = np.bincount(sets.own[event], minlength=sets.size)
    place = np.repeat(np.arange(sets.size), count)
    tied = (np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)) / count[place] * sample.efron
    sums = at_risk[place] - tied[:, None] * dying[place]
    weight = (np.bincount(sets.own[event], sample.weight[event], sets.size) / count)[place]
    return Ends(place, tied, weight, sums[:, 0], sums[:, 1:] / sums[:, :1])


def _likelihood(sample: Sample, beta: np.ndarray, ends: Ends) -> tuple[float, np.ndarray, np.ndarray]:
    """Log partial likelihood, its slope and its curvature."""
    x, weight, event = sample.x, sample.weight, sample.event
    value = weight[event] @ ((x[event] - x.mean(0)) @ beta) - ends.weight @ np.log(ends.denominator)
    score = weight[event] @ x[event] - ends.weight @ ends.mean
    return float(value), score, _information(sample, beta, ends, ends.weight)


def _hazards(sample: Sample, ends: Ends, factor: np.ndarray, mean: np.ndarray | None = None) -> np.ndarray:
    """Sum over the ends a row lives through their hazard × factor (and × mean); a tied end in part, by Efron."""
    sets, event = sample.sets, sample.event
    hazard = factor / ends.denominator
    columns = hazard[:, None] if mean is None else np.column_stack([hazard, hazard[:, None] * mean])
    lived = sets.over_rows(_by_place(columns, ends.place, sets.size))
    spared = _by_place(columns * ends.tied[:, None], ends.place, sets.size)
    lived[event] -= spared[sets.own[event]]
    return lived


def _information(sample: Sample, beta: np.ndarray, ends: Ends, factor: np.ndarray) -> np.ndarray:
    """Sum over ends, each × factor, the spread of the covariates at risk: second moments less squared means."""
    lived = sample.risk(beta) * sample.weight * _hazards(sample, ends, factor)[:, 0]
    return (sample.x * lived[:, None]).T @ sample.x - (ends.mean * factor[:, None]).T @ ends.mean


def _score_residuals(sample: Sample, beta: np.ndarray, ends: Ends) -> np.ndarray:
    """What each row adds to the score: its own end less what its risk made expected; weighted they sum to 0."""
    sets, event, x = sample.sets, sample.event, sample.x
    lived = _hazards(sample, ends, ends.weight, ends.mean)
    mean = _by_place(ends.mean, ends.place, sets.size) / np.bincount(ends.place, minlength=sets.size)[:, None]
    residuals = -sample.risk(beta)[:, None] * (x * lived[:, :1] - lived[:, 1:])
    residuals[event] += x[event] - mean[sets.own[event]]
    return residuals


def scores_at(days, event, covariates: pd.DataFrame, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each row's part of the score (n, p) and the information (p, p) at coefficients that need not be the fit."""
    sample = _sample(days, event, covariates, None, None, None, "efron")
    ends = _ends(sample, beta)
    return _score_residuals(sample, beta, ends), _likelihood(sample, beta, ends)[2]


class Proportionality(NamedTuple):
    """Chi-squared per term and for all together, with degrees of freedom and p."""

    terms: list[str]
    chi2: np.ndarray
    degrees: np.ndarray
    p_value: np.ndarray


def test_proportionality(
    days, event, covariates: pd.DataFrame, beta: np.ndarray, *, entry=None, weight=None, strata=None
) -> Proportionality:
    """Test, by the exact score test, whether any effect changes with time.

    Adds g(t)·x to the fitted model without refitting, g(t) being 1 less the Kaplan-Meier of all subjects just
    before t, centred over the ends. Each term alone, then all together as GLOBAL; NaN where all
    ends come at once.

    References
    ----------
    methods.md, C4: Therneau's test since survival 3.
    """
    from scipy.stats import chi2  # seconds to import, and whoever fits a model needs no test

    days, event = np.asarray(days, float), np.asarray(event, bool)
    sample = _sample(days, event, covariates, entry, weight, strata, "efron")
    ends = _ends(sample, beta)
    table = risk_table(days, event, entry=entry).total()
    before = value_at(table.time, survival_of(table), np.nextafter(days[event], 0))
    g_of_place = np.zeros(sample.sets.size)
    g_of_place[sample.sets.own[event]] = 1 - before
    g = g_of_place[ends.place]
    g = g - np.average(g, weights=ends.weight)
    own = _by_place(sample.x[event] * sample.weight[event][:, None], sample.sets.own[event], sample.sets.size)
    expected = _by_place(ends.mean * ends.weight[:, None], ends.place, sample.sets.size)
    g_of_place[ends.place] = g
    score = g_of_place @ (own - expected)
    alone, both, of_time = (_information(sample, beta, ends, ends.weight * g**power) for power in (0, 1, 2))
    spread = of_time - both @ np.linalg.solve(alone, both)
    told = np.diag(spread) > 1e-12
    each = np.divide(score**2, np.diag(spread), out=np.full(len(score), np.nan), where=told)
    together = float(score @ np.linalg.pinv(spread) @ score) if told.all() else np.nan
    statistic = np.append(each, together)
    degrees = np.append(np.ones(len(each), int), len(each))
    return Proportionality([*covariates.columns, "GLOBAL"], statistic, degrees, chi2.sf(statistic, degrees))


test_proportionality.__test__ = False
