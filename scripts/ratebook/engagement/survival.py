"""Kaplan-Meier, restricted mean, Aalen-Johansen and log-rank on one risk table, for many replicates at once.

Everything here is a function of two counts per distinct time: who is at risk, and who ends. Kept apart by
resampling unit, the counts of a bootstrap replicate are one matrix product, so that a thousand replicates
cost no more than a few curves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtri

Z = float(ndtri(0.975))
SAME = 1e-12
"""Two survival probabilities closer than this are the same number."""


class RiskTable(NamedTuple):
    """Counts at the J distinct times at which anybody ends, by unit (U) and cause (C)."""

    time: np.ndarray
    at_risk: np.ndarray
    ends: np.ndarray

    def total(self, counts: np.ndarray | None = None) -> RiskTable:
        """Sum over units; with `counts` (replicates × units), once per replicate."""
        if counts is None:
            return RiskTable(self.time, self.at_risk.sum(0), self.ends.sum(1))
        return RiskTable(self.time, counts @ self.at_risk, counts @ self.ends)


def risk_table(time, cause, *, causes: int = 1, unit=None, units: int = 1, weight=None, entry=None) -> RiskTable:
    """Count who is at risk and who ends at every distinct time of an end.

    A person is at risk at t when entry < t <= time: ends come before censorings on the same day, and who
    enters late is not at risk before.

    Parameters
    ----------
    time : array (n,)
        Days to the end or to censoring.
    cause : array (n,) of int
        0 censored, else 1, …, `causes`.
    unit : array (n,) of int, optional
        Resampling unit of each person, 0 … `units` - 1; one unit where not given.
    weight, entry : array (n,), optional
        1 and -infinity where not given.

    Returns
    -------
    RiskTable
        `at_risk` of shape (units, J), `ends` of shape (causes, units, J).

    References
    ----------
    methods.md, C1.
    """
    time, cause = np.asarray(time, float), np.asarray(cause, int)
    unit = np.zeros(len(time), int) if unit is None else np.asarray(unit, int)
    weight = np.ones(len(time)) if weight is None else np.asarray(weight, float)
    at = np.unique(time[cause > 0])
    wide = len(at) + 1
    leaves = np.searchsorted(at, time, side="right")
    enters = np.zeros(len(time), int) if entry is None else np.searchsorted(at, entry, side="right")
    enters = np.minimum(enters, leaves)
    steps = _sums(unit * wide + enters, weight, units * wide) - _sums(unit * wide + leaves, weight, units * wide)
    at_risk = np.maximum(np.cumsum(steps.reshape(units, wide), axis=1)[:, :-1], 0.0)
    place = np.searchsorted(at, time)
    ends = [
        _sums((unit * wide + place)[cause == k], weight[cause == k], units * wide).reshape(units, wide)[:, :-1]
        for k in range(1, causes + 1)
    ]
    return RiskTable(at, at_risk, np.stack(ends))


def weighted_table(time, ended, weight: np.ndarray) -> RiskTable:
    """Count the weights at risk and ending at every distinct time of an end, once per replicate.

    Parameters
    ----------
    time, ended : array (n,)
        Days, and whether the spell was seen to end.
    weight : array (reps, n)
        The persons' weights in each replicate.

    Returns
    -------
    RiskTable
        `at_risk` of shape (reps, J), `ends` of shape (1, reps, J).
    """
    time, ended = np.asarray(time, float), np.asarray(ended, bool)
    at = np.unique(time[ended])
    leaves = _indicator(np.searchsorted(at, time, side="right"), len(at) + 1)
    ends = _indicator(np.searchsorted(at, time[ended]), len(at))
    at_risk = np.cumsum((leaves @ weight.T).T[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return RiskTable(at, at_risk, (ends @ weight[:, ended].T).T[None])


def _indicator(place: np.ndarray, size: int) -> csr_matrix:
    return csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))), (size, len(place)))


def _sums(place: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(place, weight, size)[:size]


def survival_of(table: RiskTable) -> np.ndarray:
    """Kaplan-Meier: the product of 1 - ends / at risk, all causes together; shape as `at_risk`.

    Where nobody is left at risk the curve stays where it was.
    """
    return np.cumprod(1.0 - _share(table.ends.sum(0), table.at_risk), axis=-1)


def greenwood(table: RiskTable) -> np.ndarray:
    """Variance of the survival, persons independent: S² Σ d / (Y (Y - d)); 0 once S is 0."""
    survival = survival_of(table)
    return survival**2 * np.cumsum(_greenwood_terms(table), axis=-1)


def _greenwood_terms(table: RiskTable) -> np.ndarray:
    ends, left = table.ends.sum(0), table.at_risk - table.ends.sum(0)
    return _share(ends, table.at_risk * np.where(left > SAME, left, 0.0))


def value_at(time: np.ndarray, curve: np.ndarray, days, start: float = 1.0) -> np.ndarray:
    """Read a step curve on given days: the value just after the last step at or before each day."""
    first = np.full((*curve.shape[:-1], 1), start)
    return np.concatenate([first, curve], -1)[..., np.searchsorted(time, days, side="right")]


def rmst(time: np.ndarray, survival: np.ndarray, tau: float) -> np.ndarray:
    """Restricted mean: the area under the curve up to `tau`, the mean of min(T, tau) days.

    References
    ----------
    methods.md, C3.
    """
    first = np.ones((*survival.shape[:-1], 1))
    return np.concatenate([first, survival], -1) @ _widths(time, tau)


def rmst_variance(table: RiskTable, tau: float) -> float:
    """Variance of the restricted mean: Σ A² d / (Y (Y - d)), A the area from each end to `tau`.

    A step at which everybody left ends adds nothing. This is the squared standard error of the mean, not the
    variance of min(T, tau) that some libraries give under this name.

    References
    ----------
    methods.md, C3.
    """
    area = survival_of(table) * _widths(table.time, tau)[1:]
    still_to_come = np.cumsum(area[::-1])[::-1]
    return float(np.sum(still_to_come**2 * _greenwood_terms(table)))


def _widths(time: np.ndarray, tau: float) -> np.ndarray:
    return np.diff(np.concatenate([[0.0], np.minimum(time, tau), [tau]]))


def median_of(time: np.ndarray, survival: np.ndarray) -> np.ndarray:
    """First time at which half or fewer remain; NaN where more than half always do."""
    reached = survival <= 0.5 + SAME
    never = np.append(time, np.nan)
    return never[np.where(reached.any(-1), reached.argmax(-1) if len(time) else 0, len(time))]


def median_interval(time, survival: np.ndarray, variance: np.ndarray, quantile: float = Z) -> tuple[float, float]:
    """95% limits of the median: where the lower and the upper pointwise limit of the curve reach one half.

    Pointwise limits are those of the log(-log) scale; once the curve is 0 they stay as last defined. NaN above where
    the upper limit never comes down to one half.

    References
    ----------
    methods.md, C1; Brookmeyer & Crowley 1982.
    """
    low, high = (
        np.where(np.isnan(limit) & (survival <= SAME), 0.0, np.where(np.isnan(limit), 1.0, limit))
        for limit in log_log_interval(survival, np.sqrt(variance), quantile)
    )
    return float(median_of(time, low)), float(median_of(time, high))


def cumulative_incidence(table: RiskTable) -> np.ndarray:
    """Aalen-Johansen: Σ S(t-) d_k / Y for every cause; with the survival they sum to 1 on every day.

    Returns
    -------
    array (causes, …, J)

    References
    ----------
    methods.md, C7.
    """
    survival = survival_of(table)
    before = np.concatenate([np.ones((*survival.shape[:-1], 1)), survival[..., :-1]], -1)
    return np.cumsum(before * _share(table.ends, table.at_risk), axis=-1)


def log_log_interval(survival, std_error, quantile: float = Z):
    """Interval of a probability on the log(-log) scale: S^exp(∓ q·se / (S ln S)); NaN at 0 and 1."""
    survival, std_error = np.asarray(survival, float), np.asarray(std_error, float)
    inside = (survival > SAME) & (survival < 1 - SAME)
    safe = np.where(inside, survival, 0.5)
    width = quantile * std_error / (safe * np.abs(np.log(safe)))
    low, high = safe ** np.exp(width), safe ** np.exp(-width)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


class LogRank(NamedTuple):
    """Observed and expected ends by group, and the test that they differ by chance only."""

    observed: np.ndarray
    expected: np.ndarray
    chi2: float
    df: int
    p_value: float


def log_rank(time, event, group, weighting: str = "log_rank", strata=None) -> LogRank:
    """Compare the hazards of k groups; `weighting` "gehan" weighs each time by the number at risk.

    Within `strata`, such as regions, each stratum is compared with itself: gaps and their covariances add up.
    Persons count as independent: with clients inside providers the test is too sure of itself, and the
    clustered Cox estimate stands beside it.

    References
    ----------
    methods.md, C2.
    """
    from scipy.stats import chi2  # seconds to import, and whoever needs a curve needs no test

    names, unit = np.unique(np.asarray(group), return_inverse=True)
    time, event = np.asarray(time, float), np.asarray(event, bool)
    label = np.zeros(len(time), int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    observed, expected, gap = (np.zeros(len(names)) for _ in range(3))
    covariance = np.zeros((len(names), len(names)))
    for stratum in range(label.max(initial=-1) + 1):
        mine = label == stratum
        table = risk_table(time[mine], event[mine], unit=unit[mine], units=len(names))
        risk, ends = table.at_risk, table.ends[0]
        total, died = risk.sum(0), ends.sum(0)
        weight = total if weighting == "gehan" else np.ones_like(total)
        share = _share(risk, total)
        weighed = weight**2 * _share(died * (total - died), total - 1)
        observed, expected = observed + ends.sum(1), expected + (died * share).sum(1)
        gap = gap + (weight * (ends - died * share)).sum(1)
        covariance = covariance + np.diag((weighed * share).sum(1)) - (weighed * share) @ share.T
    statistic = float(gap @ np.linalg.pinv(covariance) @ gap)
    df = len(names) - 1
    return LogRank(observed, expected, statistic, df, float(chi2.sf(statistic, df)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide where there is something to divide by; 0 elsewhere."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > SAME)
