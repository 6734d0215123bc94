"""Mean cost to a horizon when some members are not observed to it, for any weighting of the clusters.

Everything is a linear sum over members at a whole day, so a bootstrap of clusters is a matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

MOST_CELLS = 1_000_000
"""Clusters times days above which sums by day are kept sparse."""


class Cells(NamedTuple):
    """What was spent in intervals seen whole, summed where cluster and day of its end are the same.

    Attributes
    ----------
    is_seen : numpy.ndarray
        Members by intervals: seen to the interval's end or to death.
    of : numpy.ndarray
        Cell of each member's interval that is seen.
    day, cluster : numpy.ndarray
        Of each cell.
    """

    is_seen: np.ndarray
    of: np.ndarray
    day: np.ndarray
    cluster: np.ndarray

    def sums(self, amount: np.ndarray) -> np.ndarray:
        """Sum members' amounts by cell."""
        return np.bincount(self.of, weights=amount[self.is_seen], minlength=len(self.day))


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
    provider : numpy.ndarray, optional
        Name of the member's cluster; the same name in both arms is the same provider.
    """

    followed_days: np.ndarray
    is_complete: np.ndarray
    cluster: np.ndarray
    edges: np.ndarray
    amounts: Mapping[str, np.ndarray]
    provider: np.ndarray | None = None

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

    @cached_property
    def cells(self) -> Cells:
        """Members' intervals observed to their end or to death, of one cluster and day together."""
        starts, ends, followed = self.edges[:-1], self.edges[1:], self.followed_days[:, None]
        is_seen = (self.is_complete[:, None] | (followed >= ends)) & (followed > starts)
        day, cluster = np.minimum(followed, ends), np.broadcast_to(self.cluster[:, None], is_seen.shape)
        keys, of = np.unique(day[is_seen] * max(self.clusters, 1) + cluster[is_seen], return_inverse=True)
        return Cells(is_seen, of, *np.divmod(keys, max(self.clusters, 1)))

    def sums_by_day(self, day: np.ndarray, values: np.ndarray) -> np.ndarray | sparse.csr_array:
        """Sum members' values by cluster and day, 0..horizon; sparse where clusters are many, as members are."""
        values, shape = np.asarray(values, dtype=float), (self.clusters, self.horizon + 1)
        if shape[0] * shape[1] > MOST_CELLS:
            return sparse.coo_array((values, (self.cluster, np.asarray(day))), shape=shape).tocsr()
        return np.bincount(self.cluster * shape[1] + day, weights=values, minlength=shape[0] * shape[1]).reshape(shape)


class Sample:
    """A panel, and how often each of its clusters is drawn: one row of `weights` for each replicate.

    A row of ones is the arm as it is.
    """

    def __init__(self, panel: Panel, weights: np.ndarray | None = None):
        self.panel = panel
        self.weights = np.ones((1, panel.clusters)) if weights is None else weights

    def by_day(self, day: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sum members' values by day: replicates by days 0..horizon."""
        return np.asarray(self.weights @ self.panel.sums_by_day(day, values))

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

    @cached_property
    def cell_weight(self) -> np.ndarray:
        """How many members each cell stands for: replicates by cells. What it multiplies is summed for every amount."""
        cells = self.panel.cells
        return self.weights[:, cells.cluster] * self.weight[:, cells.day]


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


def simple_std_error(sample: Sample, name: str) -> float:
    """Give the standard error of the `simple` mean by its formula, members taken as independent.

    The variance of the mean has two parts: that of the complete totals M, Δ(M - mean)² / K, and what not seeing the
    others adds, summed over the censored: (G(M²) - G(M)²) / K², where G(V) is the mean of V among those alive
    past the day of censoring, estimated from the complete.

    References
    ----------
    methods.md, D4. Bang and Tsiatis 2000; as in the R package ccostr.
    """
    panel, amount = sample.panel, sample.panel.amounts[name]
    total, complete, followed = amount.sum(axis=1), panel.is_complete, panel.followed_days
    chance = sample.observed_share[0, followed]
    mean = mean_cost(sample, name, "simple")[0]
    own = np.where(complete, (total - mean) ** 2 / np.where(chance > 0, chance, 1.0), 0.0)
    died = np.bincount(followed, complete & (followed < panel.horizon), panel.horizon + 1)
    alive = np.cumprod(1 - _ratio(died, _from_here(sample.ends)[0], 0.0))

    def among_alive(values: np.ndarray) -> np.ndarray:
        by_day = np.bincount(followed, np.where(complete, values, 0.0) * sample.weight[0, followed], panel.horizon + 1)
        later = _from_here(by_day[None])[0]
        # Complete at the horizon is alive past every day of censoring; a death on the day is not.
        return _ratio(later - np.where(np.arange(len(later)) < panel.horizon, by_day, 0.0), panel.persons * alive, 0.0)

    spread = among_alive(total**2) - among_alive(total) ** 2
    unseen = _ratio(sample.censored[0] * spread, sample.observed_share_after[0] ** 2, 0.0)
    return float(np.sqrt((own.sum() + unseen.sum()) / panel.persons**2))


def accrued_cost(sample: Sample, name: str) -> np.ndarray:
    """Estimate the mean amount per member accrued by the end of each interval: replicates by intervals.

    The last column is the partitioned estimate of `mean_cost`.
    """
    cells, edges = sample.panel.cells, sample.panel.edges
    interval = np.searchsorted(edges, cells.day) - 1
    by_interval = np.zeros((len(cells.day), len(edges) - 1))
    by_interval[np.arange(len(interval)), interval] = cells.sums(sample.panel.amounts[name])
    return _ratio((sample.cell_weight @ by_interval).cumsum(axis=1), sample.size[:, None], np.nan)


def _partitioned(sample: Sample, amount: np.ndarray) -> np.ndarray:
    return _ratio(sample.cell_weight @ sample.panel.cells.sums(amount), sample.size, np.nan)


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
        later = _from_here(_dense(panel.sums_by_day(panel.followed_days, values)))
        return later - _dense(panel.sums_by_day(panel.followed_days, np.where(panel.is_complete, values, 0.0)))

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


def _dense(sums: np.ndarray | sparse.csr_array) -> np.ndarray:
    return sums if isinstance(sums, np.ndarray) else sums.toarray()


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
