"""Mean cost to a horizon when some members are not observed to it, for any weighting of the clusters.

Everything is a linear sum over members at a whole day, so a bootstrap of clusters is a matrix product: `weights`
has one row per replicate and one column per cluster, and its first row is all ones, the estimate itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Panel:
    """One arm: how long each member was observed, and amounts by member and interval.

    Attributes
    ----------
    followed_days : numpy.ndarray
        Days observed, at most the horizon.
    is_complete : numpy.ndarray
        Observation ended with death or the horizon.
    cluster : numpy.ndarray
        Number of the member's cluster, from 0.
    edges : numpy.ndarray
        Days at which the intervals begin and end: first 0, last the horizon.
    amounts : mapping of str to numpy.ndarray
        Members by intervals: dollars, units or days, by name.
    """

    followed_days: np.ndarray
    is_complete: np.ndarray
    cluster: np.ndarray
    edges: np.ndarray
    amounts: Mapping[str, np.ndarray]

    @property
    def persons(self) -> int:
        """Members of the arm."""
        return len(self.followed_days)

    @property
    def clusters(self) -> int:
        """Clusters of the arm."""
        return int(self.cluster.max()) + 1 if self.persons else 0

    @property
    def horizon(self) -> int:
        """Days to the horizon."""
        return int(self.edges[-1])

    def by_member(self) -> Panel:
        """Give the panel with every member a cluster of their own."""
        return replace(self, cluster=np.arange(self.persons))


def mean_cost(panel: Panel, name: str, method: str, weights: np.ndarray) -> np.ndarray:
    """Estimate the mean amount per member to the horizon, once for each row of weights.

    Parameters
    ----------
    panel : Panel
        One arm with at least one member.
    name : str
        Which amount.
    method : str
        `partitioned` Bang-Tsiatis by interval: what is spent in an interval, over the chance of still being
        observed when it was spent. `simple` Bang-Tsiatis: complete members' totals only. `zhao_tian`: `simple`,
        improved by the histories of censored members; within an interval cost is taken to accrue evenly.
        `lin`: mean cost among those observed at an interval's start, times the chance of being alive there;
        right when censoring falls at the intervals' ends. `available_case`: what was seen, as if it were all.
        `complete_case`: complete members only.
    weights : numpy.ndarray
        Replicates by clusters.

    Returns
    -------
    numpy.ndarray
        One estimate per replicate; nan where nobody stands behind it.

    References
    ----------
    methods.md, D4. Bang and Tsiatis 2000; Lin et al. 1997; Zhao and Tian 2001.
    """
    return ESTIMATORS[method](panel, panel.amounts[name], weights)


def observed_share(panel: Panel, weights: np.ndarray) -> np.ndarray:
    """Give K just before each day: the chance of not having been censored earlier, replicates by days 0..horizon.

    Kaplan-Meier of censoring; at a tie the death or the horizon comes first.
    """
    ends = _by_day(panel, panel.followed_days, np.ones(panel.persons), weights)
    censored = _by_day(panel, panel.followed_days, ~panel.is_complete, weights)
    later = ends[:, ::-1].cumsum(axis=1)[:, ::-1] - ends
    after = np.cumprod(1 - _ratio(censored, later + censored, 0.0), axis=1)
    return np.concatenate([np.ones((len(after), 1)), after[:, :-1]], axis=1)


def accrued_cost(panel: Panel, name: str, weights: np.ndarray) -> np.ndarray:
    """Estimate the mean amount per member accrued by the end of each interval: replicates by intervals.

    The last column is the partitioned estimate of `mean_cost`.
    """
    amount, starts, ends = panel.amounts[name], panel.edges[:-1], panel.edges[1:]
    followed = panel.followed_days[:, None]
    is_seen = (panel.is_complete[:, None] | (followed >= ends)) & (followed > starts)
    spent = _by_day(panel, np.minimum(followed, ends), np.where(is_seen, amount, 0.0), weights)
    total = _ratio(spent, observed_share(panel, weights), 0.0).cumsum(axis=1)[:, ends]
    return _ratio(total, _size(panel, weights)[:, None], np.nan)


def _partitioned(panel: Panel, amount: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return accrued_cost(replace(panel, amounts={"": amount}), "", weights)[:, -1]


def _simple(panel: Panel, amount: np.ndarray, weights: np.ndarray) -> np.ndarray:
    complete = np.where(panel.is_complete, amount.sum(axis=1), 0.0)
    spent = _by_day(panel, panel.followed_days, complete, weights)
    total = _ratio(spent, observed_share(panel, weights), 0.0).sum(axis=1)
    return _ratio(total, _size(panel, weights), np.nan)


def _zhao_tian(panel: Panel, amount: np.ndarray, weights: np.ndarray) -> np.ndarray:
    followed = panel.followed_days
    days = np.arange(panel.horizon + 1)
    before = np.concatenate([np.zeros((panel.persons, 1)), amount.cumsum(axis=1)], axis=1)
    # A sum over members at risk on a day is a sum over those who end on it or later.
    at_risk = _at_risk(panel, np.ones(panel.persons), weights)
    accrued = np.zeros_like(at_risk)
    for interval, (start, end) in enumerate(zip(panel.edges[:-1], panel.edges[1:])):
        inside = (days > start) & (days <= end)
        daily = amount[:, interval] / np.clip(np.minimum(followed, end) - start, 1, None)
        base = _at_risk(panel, before[:, interval], weights)
        slope = _at_risk(panel, daily, weights)
        accrued[:, inside] = (base + slope * (days - start))[:, inside]
    mean_so_far = _ratio(accrued, at_risk, 0.0)
    after = np.concatenate([observed_share(panel, weights)[:, 1:], np.zeros((len(weights), 1))], axis=1)
    own = _by_day(panel, followed, np.where(panel.is_complete, 0.0, amount.sum(axis=1)), weights)
    censored = _by_day(panel, followed, ~panel.is_complete, weights)
    gained = _ratio(own - censored * mean_so_far, after, 0.0).sum(axis=1)
    return _simple(panel, amount, weights) + _ratio(gained, _size(panel, weights), np.nan)


def _lin(panel: Panel, amount: np.ndarray, weights: np.ndarray) -> np.ndarray:
    died = panel.is_complete & (panel.followed_days < panel.horizon)
    ends = _by_day(panel, panel.followed_days, np.ones(panel.persons), weights)
    deaths = _by_day(panel, panel.followed_days, died, weights)
    at_risk = ends[:, ::-1].cumsum(axis=1)[:, ::-1]
    alive = np.cumprod(1 - _ratio(deaths, at_risk, 0.0), axis=1)
    total = np.zeros(len(weights))
    for interval, start in enumerate(panel.edges[:-1]):
        here = panel.followed_days > start
        spent = _total(panel, np.where(here, amount[:, interval], 0.0), weights)
        total += (alive[:, start] if start else 1.0) * _ratio(spent, _total(panel, here, weights), 0.0)
    return np.where(_size(panel, weights) > 0, total, np.nan)


def _available_case(panel: Panel, amount: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _ratio(_total(panel, amount.sum(axis=1), weights), _size(panel, weights), np.nan)


def _complete_case(panel: Panel, amount: np.ndarray, weights: np.ndarray) -> np.ndarray:
    spent = _total(panel, np.where(panel.is_complete, amount.sum(axis=1), 0.0), weights)
    return _ratio(spent, _total(panel, panel.is_complete, weights), np.nan)


def _at_risk(panel: Panel, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum values over members still observed on each day, those censored on it included, the dead not."""
    later = _by_day(panel, panel.followed_days, values, weights)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return later - _by_day(panel, panel.followed_days, np.where(panel.is_complete, values, 0.0), weights)


def _by_day(panel: Panel, day: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum values of members, or of members by intervals, by day, 0..horizon: replicates by days."""
    values = np.asarray(values, dtype=float)
    cluster = np.broadcast_to(panel.cluster.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    at = (cluster.ravel(), np.asarray(day).ravel())
    sums = sparse.coo_array((values.ravel(), at), shape=(panel.clusters, panel.horizon + 1)).tocsr()
    return np.asarray((sums.T @ weights.T).T)


def _total(panel: Panel, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ np.bincount(panel.cluster, weights=np.asarray(values, dtype=float), minlength=panel.clusters)


def _size(panel: Panel, weights: np.ndarray) -> np.ndarray:
    return _total(panel, np.ones(panel.persons), weights)


def _ratio(above: np.ndarray, below: np.ndarray, otherwise: float) -> np.ndarray:
    out = np.full(np.broadcast_shapes(np.shape(above), np.shape(below)), otherwise)
    return np.divide(above, below, out=out, where=np.broadcast_to(below, out.shape) > 0)


ESTIMATORS = {
    "partitioned": _partitioned,
    "lin": _lin,
    "simple": _simple,
    "zhao_tian": _zhao_tian,
    "available_case": _available_case,
    "complete_case": _complete_case,
}
