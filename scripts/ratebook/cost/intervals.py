"""The intervals since discharge in which cost is summed."""

from __future__ import annotations

import numpy as np


def interval_days(horizon_days: int, intervals: int) -> np.ndarray:
    """Cut [0, horizon) into whole-day intervals of equal length, to the day: the edges, first 0, last the horizon."""
    return np.rint(np.arange(intervals + 1) * horizon_days / intervals).astype(int)
