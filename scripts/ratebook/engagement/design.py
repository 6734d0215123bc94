"""Covariates known at discharge, as the columns of a model."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of a restricted cubic spline with three degrees of freedom (Harrell)."""
UNKNOWN = "unknown"


def design_matrix(persons: pd.DataFrame, covariates: list[str]) -> pd.DataFrame:
    """Turn covariates into model columns, named `covariate` or `covariate: level`.

    A category has a column for every level but the commonest; a missing category is the level 'unknown'. Age is
    a restricted cubic spline, dollars enter as log(1 + usd), a date as years since the first, any other number
    as it is. A missing number is set to the median and marked. A column that does not vary is left out. Numbers
    are centred and divided by their spread, so that coefficients are per standard deviation.

    Parameters
    ----------
    persons : DataFrame (n, …)
    covariates : list of str
        Columns of the cohort, all known at discharge.

    Returns
    -------
    DataFrame (n, p) of float64
    """
    columns: dict[str, np.ndarray] = {}
    for name in covariates:
        values = persons[name]
        if _is_number(values):
            columns.update(_number_columns(name, values))
        else:
            levels = _levels(values)
            for level in levels.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[1:]:
                columns[f"{name}: {level}"] = (levels == level).to_numpy(float)
    matrix = pd.DataFrame(columns, index=persons.index, dtype=float)
    return matrix.loc[:, matrix.std(ddof=0) > 1e-12] if len(matrix) else matrix


def balance_columns(persons: pd.DataFrame, covariates: list[str]) -> dict[tuple[str, str], pd.Series]:
    """Give what the arms are compared on: means, squares, logarithms and products of numbers, and every level's share."""
    found, numbers = {}, {}
    for name in covariates:
        values = persons[name]
        if values.dtype == bool:
            found[name, "yes"] = values.astype(float)
        elif _is_number(values):
            number = numbers[name] = _as_number(values)
            found[name, "mean"] = number
            found.update({(name, "log"): _log(number)} if name.endswith("_usd") else {(name, "squared"): number**2})
        else:
            levels = _levels(values)
            for level in sorted(levels.unique()):
                found[name, level] = (levels == level).astype(float)
    for one, other in itertools.combinations(numbers, 2):
        product = (numbers[one] - numbers[one].mean()) * (numbers[other] - numbers[other].mean())
        found[f"{one} × {other}", "product"] = product
    return found


def strata_of(values: pd.Series) -> pd.Series:
    """Cut a number into quarters, fewer where it takes few values; a category is its levels, missing is 'unknown'."""
    if values.dtype == bool:
        return values.map({True: "yes", False: "no"})
    if not _is_number(values):
        return _levels(values)
    number = _as_number(values)
    edges = np.unique(number.quantile([0.25, 0.5, 0.75]).dropna())
    quarter = pd.Series(np.searchsorted(edges, number.fillna(0.0), side="left") + 1, index=values.index)
    return ("part " + quarter.astype(str) + f" of {len(edges) + 1}").where(number.notna(), UNKNOWN)


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)


def _as_number(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        return (values - values.min()) / pd.Timedelta(days=365.25)
    return values.astype(float)


def _levels(values: pd.Series) -> pd.Series:
    return values.astype("object").where(values.notna(), UNKNOWN).astype(str)


def _log(number: pd.Series) -> pd.Series:
    return np.log1p(number.clip(lower=0))


def _number_columns(name: str, values: pd.Series) -> dict[str, np.ndarray]:
    number = _as_number(values)
    number = _log(number) if name.endswith("_usd") else number
    missing = number.isna()
    number = number.fillna(number.median()).fillna(0.0).to_numpy()
    columns = {name: number}
    if name == "age_years":
        columns |= {f"{name}: spline {n}": column for n, column in enumerate(restricted_cubic(number), start=2)}
    if values.dtype != bool:
        columns = {key: _standardise(column) for key, column in columns.items()}
    if missing.any():
        columns[f"{name}: missing"] = missing.to_numpy(float)
    return columns


def _standardise(column: np.ndarray) -> np.ndarray:
    spread = column.std() if len(column) else 0.0
    return (column - column.mean()) / spread if spread > 0 else np.zeros(len(column))


def restricted_cubic(number: np.ndarray) -> list[np.ndarray]:
    """Give the two curved terms of a cubic spline that is straight beyond its outer knots; none where knots coincide."""
    knots = np.unique(np.quantile(number, KNOTS)) if len(number) else np.array([])
    if len(knots) < 4:
        return []
    k1, k2, k3, k4 = knots

    def cube(knot):
        return np.maximum(number - knot, 0.0) ** 3

    scale = (k4 - k1) ** 2
    return [(cube(k) - cube(k3) * (k4 - k) / (k4 - k3) + cube(k4) * (k3 - k) / (k4 - k3)) / scale for k in (k1, k2)]
