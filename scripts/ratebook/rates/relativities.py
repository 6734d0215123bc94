"""Relativities of rate cells: each cell's rate beside its pool's, smoothed along ages, and neutral in total."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.rates import Relativities
from ratebook.rates import build_up
from ratebook.rates.base import SEPARATOR, name_bands
from ratebook.tables import empty_frame

LOADS = ("admin_share", "margin_share", "tax_share")
LAST_STEP = (
    "the last step of the rate, its factor taken as known: the interval of the rate lies around the smoothed rate"
)


def derive_relativities(rates: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Smooth the cells of a pool that are equal but for their age band, and keep what they cost together.

    A relativity is the cell's loaded rate over its pool's mean by member months; credibility has drawn it to the pool
    before. Cells whose bands follow each other, all else equal, are neighbours; a band that is missing between two
    keeps them apart. `smooth` draws neighbours together, with a penalty of `penalty_share` of the mean member months of
    the pool's cells that have one; a share of 0 changes no rate. What is smoothed then is rescaled to the member months
    times rates of those cells. 'All other' cells, cells of unknown age and cells without a rate have no neighbour.

    Parameters
    ----------
    rates : Rates
        Before smoothing: cell, pool, members, member_months, blended cost, care management and loads.
    settings : dict
        `config.yaml` rates.

    Returns
    -------
    Relativities
        In the order of `rates`.

    References
    ----------
    methods.md, E4 (smoothing comes after the loads) and E8.
    """
    if rates.empty:
        return empty_frame(Relativities)
    rows = rates[["cell", "pool", "members", "member_months"]].reset_index(drop=True)
    shares = (rates[name].to_numpy() for name in LOADS)
    rows["loaded_usd"] = build_up.load_rate(
        rates.blended_pmpm_usd.to_numpy(), rates.fixed_pmpm_usd.to_numpy(), *shares
    )
    is_rated = rates.blended_pmpm_usd.to_numpy() > 0
    dollars = (rows.loaded_usd * rows.member_months).where(is_rated)
    months = rows.member_months.where(is_rated)
    mean = dollars.groupby(rows.pool).transform("sum") / months.groupby(rows.pool).transform("sum")
    rows["relativity"] = (rows.loaded_usd / mean).where(is_rated)
    pairs = find_neighbours(rows.cell.where(is_rated, ""), settings["cell_columns"], settings["age_bands"])
    pools = rows.pool.to_numpy()
    pairs = pairs[pools[pairs[:, 0]] == pools[pairs[:, 1]]]
    rows["neighbours"] = np.bincount(pairs.ravel(), minlength=len(rows))
    rows["smoothed_relativity"], rows["penalty_member_months"], rows["neutral_factor"] = rows.relativity, np.nan, 1.0
    share = settings["smoothing"]["penalty_share"]["value"]
    for _, cells in rows[rows.neighbours > 0].groupby("pool"):
        at = cells.index.to_numpy()
        weight, raw = cells.member_months.to_numpy(dtype=float), cells.relativity.to_numpy(dtype=float)
        penalty = share * weight.mean()
        smoothed = smooth(raw, weight, np.searchsorted(at, pairs[np.isin(pairs[:, 0], at)]), penalty)
        rows.loc[at, "smoothed_relativity"], rows.loc[at, "penalty_member_months"] = smoothed, penalty
        rows.loc[at, "neutral_factor"] = (weight @ raw) / (weight @ smoothed)
    rows["f_smoothing"] = (rows.neutral_factor * rows.smoothed_relativity / rows.relativity).fillna(1.0)
    rows["reason"] = LAST_STEP
    return rows[list(Relativities.types())]


def find_neighbours(cells: pd.Series, cell_columns: list[str], age_bands: list[int]) -> np.ndarray:
    """Give the positions of every two cells that are equal but for age bands that follow each other.

    Parameters
    ----------
    cells : pandas.Series
        Names of cells: the values of `cell_columns`, joined.
    cell_columns, age_bands : list
        `config.yaml` rates.

    Returns
    -------
    numpy.ndarray
        A row a pair, the younger first; none where age is no part of a cell.
    """
    found = []
    if "age_band" in cell_columns:
        of_age, bands = cell_columns.index("age_band"), name_bands(age_bands)
        place = {name: at for at, name in enumerate(cells)}
        for younger, at in place.items():
            parts = younger.split(SEPARATOR)
            if len(parts) == len(cell_columns) and parts[of_age] in bands[:-1]:
                parts[of_age] = bands[bands.index(parts[of_age]) + 1]
                found += [(at, place[older]) for older in [SEPARATOR.join(parts)] if older in place]
    return np.array(found, dtype=int).reshape(-1, 2)


def smooth(values: np.ndarray, weights: np.ndarray, pairs: np.ndarray, penalty: float) -> np.ndarray:
    """Smooth by Whittaker and Henderson, first differences: weighted squares off the values plus penalised squares of steps.

    The weighted sum stays as it is, no value leaves the range of those it is connected to, so none turns negative, and
    without a penalty, or where neighbours are equal, every value stays exactly.

    Parameters
    ----------
    values, weights : numpy.ndarray
        Weights above 0.
    pairs : numpy.ndarray
        Positions of neighbours, a row a pair.
    penalty : float
        Weight of a squared step, in the unit of the weights; the larger, the flatter.

    References
    ----------
    methods.md, E8.
    """
    steps = np.zeros((len(pairs), len(values)))
    steps[np.arange(len(pairs)), pairs[:, 0]], steps[np.arange(len(pairs)), pairs[:, 1]] = -1.0, 1.0
    roughness = penalty * steps.T @ steps
    return values - np.linalg.solve(np.diag(weights) + roughness, roughness @ values)
