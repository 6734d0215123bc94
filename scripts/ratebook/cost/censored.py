"""Mean cost to a horizon when some members are not observed to it, for any weighting of the clusters.

Everything is a linear sum over members at a whole day, so a bootstrap of clusters is a matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

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
        Members by intervals: dollars, units or months, by name.
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

    def sums_by_day(self, day: np.ndarray, values: np.ndarray) -> sparse.csr_array:
        """Sum values of members, or of members by intervals, by cluster and day, 0..horizon."""
        values = np.asarray(values, dtype=float)
        cluster = np.broadcast_to(self.cluster.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
        at = (cluster.ravel(), np.asarray(day).ravel())
        return sparse.coo_array((values.ravel(), at), shape=(self.clusters, self.horizon + 1)).tocsr()


class Sample:
    """A panel, and how often each of its clusters is drawn: one row of `weights` for each replicate.

    A row of ones is the arm as it is.
    """

    def __init__(self, panel: Panel, weights: np.ndarray | None = None):
        self.panel = panel
        self.weights = np.ones((1, panel.clusters)) if weights is None else weights

    def by_day(self, day: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sum values by day: replicates by days 0..horizon."""
        return np.asarray((self.panel.sums_by_day(day, values).T @ self.weights.T).T)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sum values over members, once a replicate."""
        values = np.asarray(values, dtype=float)
        return self.weights @ np.bincount(self.panel.cluster, weights=values, minlength=self.panel.clusters)

    @cached_property
    def size(self) -> np.ndarray:
        """Members in each replicate."""
        return self.total(np.ones(self.panel.persons))

    @cached_property
    def ends(self) -> np.ndarray:
        """Members whose observation ends on each day, for whatever reason."""
        return self.by_day(self.panel.followed_days, np.ones(self.panel.persons))

    @cached_property
    def censored(self) -> np.ndarray:
        """Members censored on each day."""
        return self.by_day(self.panel.followed_days, ~self.panel.is_complete)

    @cached_property
    def at_risk(self) -> np.ndarray:
        """Members who may be censored on each day: those who die on it no longer can."""
        return _from_here(self.ends) - self.ends + self.censored

    @cached_property
    def observed_share(self) -> np.ndarray:
        """K just before each day: the chance of not having been censored earlier (Kaplan-Meier of censoring)."""
        after = self.observed_share_after
        return np.concatenate([np.ones((len(after), 1)), after[:, :-1]], axis=1)

    @cached_property
    def observed_share_after(self) -> np.ndarray:
        """K at each day, the censoring of the day included."""
        return np.cumprod(1 - _ratio(self.censored, self.at_risk, 0.0), axis=1)

    @cached_property
    def weight(self) -> np.ndarray:
        """1 / K: how many members one stands for whose cost is known to a day; 0 where nobody is observed."""
        return _ratio(np.ones_like(self.observed_share), self.observed_share, 0.0)


def mean_cost(sample: Sample, name: str, method: str) -> np.ndarray:
    """Estimate the mean amount per member to the horizon, once a replicate.

    Parameters
    ----------
    sample : Sample
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

    Returns
    -------
    numpy.ndarray
        One estimate per replicate; nan where nobody stands behind it.

    References
    ----------
    methods.md, D4. Bang and Tsiatis 2000; Lin et al. 1997; Zhao and Tian 2001.
    """
    return ESTIMATORS[method](sample, sample.panel.amounts[name])


def accrued_cost(sample: Sample, name: str) -> np.ndarray:
    """Estimate the mean amount per member accrued by the end of each interval: replicates by intervals.

    The last column is the partitioned estimate of `mean_cost`.
    """
    spent = _spent_while_seen(sample, sample.panel.amounts[name]) * sample.weight
    return _ratio(spent.cumsum(axis=1)[:, sample.panel.edges[1:]], sample.size[:, None], np.nan)


def _spent_while_seen(sample: Sample, amount: np.ndarray) -> np.ndarray:
    """Sum what was spent in intervals observed to their end or to death, by the day that end came."""
    panel = sample.panel
    starts, ends, followed = panel.edges[:-1], panel.edges[1:], panel.followed_days[:, None]
    is_seen = (panel.is_complete[:, None] | (followed >= ends)) & (followed > starts)
    return sample.by_day(np.minimum(followed, ends), np.where(is_seen, amount, 0.0))


def _partitioned(sample: Sample, amount: np.ndarray) -> np.ndarray:
    total = np.einsum("rd,rd->r", _spent_while_seen(sample, amount), sample.weight)
    return _ratio(total, sample.size, np.nan)


def _simple(sample: Sample, amount: np.ndarray) -> np.ndarray:
    complete = np.where(sample.panel.is_complete, amount.sum(axis=1), 0.0)
    total = np.einsum("rd,rd->r", sample.by_day(sample.panel.followed_days, complete), sample.weight)
    return _ratio(total, sample.size, np.nan)


def _zhao_tian(sample: Sample, amount: np.ndarray) -> np.ndarray:
    panel = sample.panel
    mean_so_far = _ratio(sample.weights @ _accrued_at_risk(panel, amount), sample.at_risk, 0.0)
    own = sample.by_day(panel.followed_days, np.where(panel.is_complete, 0.0, amount.sum(axis=1)))
    gained = _ratio(own - sample.censored * mean_so_far, sample.observed_share_after, 0.0).sum(axis=1)
    return _simple(sample, amount) + _ratio(gained, sample.size, np.nan)


def _accrued_at_risk(panel: Panel, amount: np.ndarray) -> np.ndarray:
    """Sum, by cluster and day, what those at risk of censoring on the day have spent up to it."""

    def at_risk(values: np.ndarray) -> np.ndarray:
        later = _from_here(panel.sums_by_day(panel.followed_days, values).toarray())
        return later - panel.sums_by_day(panel.followed_days, np.where(panel.is_complete, values, 0.0)).toarray()

    days = np.arange(panel.horizon + 1)
    before = np.concatenate([np.zeros((panel.persons, 1)), amount.cumsum(axis=1)], axis=1)
    accrued = np.zeros((panel.clusters, panel.horizon + 1))
    for interval, (start, end) in enumerate(zip(panel.edges[:-1], panel.edges[1:])):
        inside = (days > start) & (days <= end)
        daily = amount[:, interval] / np.clip(np.minimum(panel.followed_days, end) - start, 1, None)
        accrued[:, inside] = (at_risk(before[:, interval]) + at_risk(daily) * (days - start))[:, inside]
    return accrued


def _lin(sample: Sample, amount: np.ndarray) -> np.ndarray:
    panel = sample.panel
    died = panel.is_complete & (panel.followed_days < panel.horizon)
    deaths = sample.by_day(panel.followed_days, died)
    alive = np.cumprod(1 - _ratio(deaths, _from_here(sample.ends), 0.0), axis=1)
    total = np.zeros(len(sample.weights))
    for interval, start in enumerate(panel.edges[:-1]):
        here = panel.followed_days > start
        spent = sample.total(np.where(here, amount[:, interval], 0.0))
        total += alive[:, start] * _ratio(spent, sample.total(here), 0.0)
    return np.where(sample.size > 0, total, np.nan)


def _available_case(sample: Sample, amount: np.ndarray) -> np.ndarray:
    return _ratio(sample.total(amount.sum(axis=1)), sample.size, np.nan)


def _complete_case(sample: Sample, amount: np.ndarray) -> np.ndarray:
    spent = sample.total(np.where(sample.panel.is_complete, amount.sum(axis=1), 0.0))
    return _ratio(spent, sample.total(sample.panel.is_complete), np.nan)


def _from_here(by_day: np.ndarray) -> np.ndarray:
    """Sum each day and all later ones."""
    return by_day[:, ::-1].cumsum(axis=1)[:, ::-1]


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
