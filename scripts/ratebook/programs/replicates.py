"""Every estimate once on all persons and once without each tenth, twentieth, … of them: its interval.

The sums of a comparison group become an array: first the total, then the total less each replicate. A formula,
however long, runs on arrays as on numbers, and the spread of its leave-one-out values is its standard error
(the delete-a-group jackknife).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

NO_MONTHS = "no member month in the data"
ONE_GROUP = "interval needs persons in at least two replicates"
NO_COMPARISON = "no member month in a comparison group"
KEYS = ("program", "frame", "comparison_group", "cell", "period", "replicate")


class Sums:
    """Sums of one program's frame, by comparison group, cell and column, each an array of 1 + replicates."""

    def __init__(self, groups: pd.DataFrame, program: str, frame: str, replicates: int, period: str | None = None):
        rows = groups[(groups.program == program) & (groups.frame == frame)]
        rows = rows if period is None else rows[rows.period == period]
        self.replicates, self.period = replicates, period
        self.columns = {name: n for n, name in enumerate(c for c in groups.columns if c not in KEYS)}
        self.rows = rows
        self.found = {key: self._arrays(part) for key, part in rows.groupby(["comparison_group", "cell"], sort=True)}

    def _arrays(self, rows: pd.DataFrame) -> np.ndarray:
        each = np.zeros((self.replicates, len(self.columns)))
        np.add.at(each, rows.replicate.to_numpy(), rows[list(self.columns)].to_numpy(dtype=float))
        total = each.sum(axis=0)
        return np.vstack([total, total - each])

    def cells(self, group: str) -> list[str]:
        """Name the cells the group has member months in, in order."""
        return [cell for found, cell in self.found if found == group]

    def total(self, group: str, cell: str, column: str) -> np.ndarray:
        """Sum a column of a group in a cell; zeros where the group has no member month there."""
        arrays = self.found.get((group, cell))
        return np.zeros(self.replicates + 1) if arrays is None else arrays[:, self.columns[column]]

    def largest(self, group: str, cell: str, column: str) -> int:
        """Give the largest value of a column that does not add up."""
        rows = self.rows[(self.rows.comparison_group == group) & (self.rows.cell == cell)]
        return int(rows[column].max()) if len(rows) else 0

    def count(self, group: str, cell: str, column: str) -> int:
        """Sum an integer column over all persons."""
        return round(self.total(group, cell, column)[0])


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide; unknown (nan) where nothing stands below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)


def estimate(values: np.ndarray) -> dict:
    """Give the estimate, its 95 percent limits, and the reason where one is missing.

    A replicate whose absence leaves nothing to compute with, or no replicate that makes a difference, leaves
    the interval out.
    """
    values = np.asarray(values, dtype=float)
    point, others = values[0], values[1:]
    if not np.isfinite(point):
        return {"estimate": None, "lower": None, "upper": None, "reason": NO_COMPARISON}
    n = len(others)
    spread = float(np.sqrt((n - 1) / n * np.sum((others - others.mean()) ** 2))) if n > 1 else np.nan
    moves = int((np.abs(others - point) > 1e-9 * max(1.0, abs(point))).sum())
    if not np.isfinite(spread) or moves < 2:
        return {"estimate": float(point), "lower": None, "upper": None, "reason": ONE_GROUP}
    half = float(stdtrit(n - 1, 0.975)) * spread
    return {"estimate": float(point), "lower": float(point - half), "upper": float(point + half), "reason": None}


def first(values: np.ndarray) -> float | None:
    """Give the value of all persons; None where it is unknown."""
    value = float(np.ravel(values)[0])
    return value if np.isfinite(value) else None
