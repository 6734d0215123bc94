"""One mechanism for every case rate: who is still engaged, times what a month brings to those who are.

Any column of the engaged months (cost, units, a month with enough contacts, dollars beyond a limit) has an expected
value per client: the sum over months of the share still engaged and the column's mean among those engaged. Columns that
add up in each row have expected values that add up, so a payment split by such columns is budget neutral.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.resampling import resample


class Units(NamedTuple):
    """Which unit each row belongs to, how often each counts (first as it is, then in each replicate), and their t."""

    unit: np.ndarray
    counts: np.ndarray
    quantile: float
    error_unit: str
    size: int


class Stays(NamedTuple):
    """Engaged months of one arm, each seen to its end or to the client's; the share still engaged; what is resampled."""

    rows: pd.DataFrame
    still: np.ndarray
    providers: Units
    persons: Units

    @property
    def clients(self) -> int:
        """Clients of the arm with a month seen whole."""
        return self.rows.person_id.nunique()


def read_stays(
    engaged: pd.DataFrame, survival: pd.DataFrame, horizon_months: int, resamples: int, seed: int
) -> dict[str, Stays]:
    """Put together, by arm, the engaged months, the share still engaged, and the resamples of providers and of clients.

    The share still engaged is that of the engagement stage. A month in which a client's record stops while engaged is
    left out: what would have been delivered in the rest of it is not known, and to count it as it stands made rates
    1% too low. The last month is the last in which a client was engaged, the horizon at most: beyond it no cost is
    known. An arm without a client is not there.

    Parameters
    ----------
    engaged : EngagedMonths
    survival : SurvivalByMonth
    horizon_months : int
    resamples, seed : int

    References
    ----------
    methods.md, E7.
    """
    engaged = engaged.sort_values(["person_id", "arm", "engaged_month"]).reset_index(drop=True)
    clients = engaged.drop_duplicates(["person_id", "arm"])[["person_id", "arm", "provider_id"]].reset_index(drop=True)
    if clients.empty:
        return {}
    index = pd.MultiIndex.from_frame(clients[["person_id", "arm"]])
    place = index.get_indexer(pd.MultiIndex.from_frame(engaged[["person_id", "arm"]]))
    alone = pd.Series(None, index=clients.index, dtype=object)
    drawn = [resample(clients.arm, cluster, resamples, seed) for cluster in (clients.provider_id, alone)]
    found = {}
    for arm in ARMS:
        is_whole = engaged.is_event | ~engaged.is_last
        inside = ((engaged.arm == arm) & (engaged.engaged_month <= horizon_months) & is_whole).to_numpy(dtype=bool)
        rows = engaged[inside].reset_index(drop=True)
        if rows.empty:
            continue
        known = survival[survival.arm == arm].sort_values("month").survival_start.dropna()
        still = known.to_numpy(dtype=float)[: int(rows.engaged_month.max())]
        units = []
        for sample in drawn:
            ids, unit = np.unique(sample.unit[place[inside]], return_inverse=True)
            counts = np.vstack([np.ones(len(ids)), sample.counts[:, ids]])
            units.append(Units(unit, counts, sample.quantile((arm,)), sample.error_unit, sample.sizes.get(arm, 0)))
        found[arm] = Stays(rows, still, *units)
    return found


def month_sums(stays: Stays, columns: pd.DataFrame, units: Units) -> np.ndarray:
    """Sum columns by month over clients: (1 + replicates, months, columns); the first is the data as it is."""
    months = len(stays.still) or int(stays.rows.engaged_month.max())
    inside = (stays.rows.engaged_month <= months).to_numpy()
    size = units.counts.shape[1]
    cell = units.unit[inside] * months + stays.rows.engaged_month.to_numpy()[inside] - 1
    values = columns.to_numpy(dtype=float)[inside]
    sums = np.stack([np.bincount(cell, weights=column, minlength=size * months) for column in values.T], axis=-1)
    return np.tensordot(units.counts, sums.reshape(size, months, -1), axes=1)


def month_means(stays: Stays, columns: pd.DataFrame, units: Units) -> np.ndarray:
    """Give each column's mean among those engaged at the start of each month; 0 where a replicate has none."""
    sums = month_sums(stays, columns.assign(engaged=1.0), units)
    return sums[:, :, :-1] / np.where(sums[:, :, -1:] > 0, sums[:, :, -1:], 1.0)


def expect(stays: Stays, columns: pd.DataFrame, units: Units) -> pd.DataFrame:
    """Give each column's expected value per client, to the horizon.

    Parameters
    ----------
    stays : Stays
    columns : DataFrame
        One row per row of `stays.rows`.
    units : Units
        `stays.providers` or `stays.persons`.

    Returns
    -------
    DataFrame
        One row for the data as it is (0), with the engagement stage's survival, and one for each replicate, with
        the replicate's own: the share of those engaged at the start of a month not seen to end in it, multiplied.

    References
    ----------
    methods.md, E7.
    """
    means = month_means(stays, columns.assign(ended=stays.rows.is_event.astype(float)), units)
    kept = np.cumprod(1 - means[:, :-1, -1], axis=1)
    survival = np.hstack([np.ones((len(means), 1)), kept])
    survival[0] = stays.still
    return pd.DataFrame(np.einsum("rm,rmk->rk", survival, means[:, :, :-1]), columns=columns.columns)


def limits(values: np.ndarray, units: Units, is_price: bool = True) -> tuple[float | None, float | None]:
    """Give 95% limits from a value (first) and its replicates, with Student's t by the effective number of units.

    A price has them on the scale of the logarithm, so that it keeps its sign; a difference (margin, what is paid
    beyond a level) on its own. None with fewer than two units. Replicates without a value are passed over.
    """
    point, draws = float(values[0]), np.asarray(values[1:], dtype=float)
    draws = draws[np.isfinite(draws)]
    if units.size < 2 or len(draws) < 2 or not np.isfinite(point):
        return None, None
    if is_price and point != 0 and (np.sign(draws) == np.sign(point)).all():
        reach = np.exp(units.quantile * np.std(np.log(np.abs(draws)), ddof=1))
        ends = (point / reach, point * reach)
    else:
        width = units.quantile * np.std(draws, ddof=1)
        ends = (point - width, point + width)
    return min(ends), max(ends)
