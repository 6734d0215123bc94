"""The intervals since discharge in which cost is summed."""

from __future__ import annotations

import numpy as np


def interval_days(horizon_days: int, intervals: int) -> np.ndarray:
    """Cut [0, horizon) into whole-day intervals of equal length, to the day: the edges, first 0, last the horizon."""
    return np.rint(np.arange(intervals + 1) * horizon_days / intervals).astype(int)


def pre_interval_days(pre_days: int, horizon_days: int, intervals: int) -> np.ndarray:
    """Cut [-pre_days, 0) into intervals about as long as those of follow-up: the edges, first -pre_days, last 0."""
    count = max(1, round(pre_days * intervals / horizon_days))
    return -interval_days(pre_days, count)[::-1]
