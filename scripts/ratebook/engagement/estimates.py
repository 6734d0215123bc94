"""Rows of the engagement table: an estimate by arm, its contrasts, and an honest interval or a reason."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import CONTRAST
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.resampling import Resampling
from ratebook.engagement.survival import log_log_interval

NAN = float("nan")
TOO_OFTEN_UNDEFINED = 0.05
"""Share of replicates without a value above which no interval is given."""


class Measured(NamedTuple):
    """One quantity in one arm: its estimate, its replicates (reps,), and what stands behind it."""

    estimate: float
    replicates: np.ndarray
    persons: int
    naive_std_error: float = NAN
    reason: str | None = None


def contrast_rows(
    estimand: str,
    tau_days: int | None,
    clock: str,
    method: str,
    measured: dict[str, Measured],
    draws: Resampling,
    contrasts: tuple[str, ...] = ("difference", "ratio"),
    scale: str = "identity",
) -> list[dict]:
    """Write an estimand's row for each arm and for the contrasts of the arms.

    A contrast is missing where an arm's estimate is, and counts the persons of the smaller arm. Ratios are judged on the log scale,
    probabilities (`scale` "share") on the log(-log) scale.

    Returns
    -------
    list of dict
        Rows of `Engagement`.
    """
    label = {"tau_days": tau_days, "clock": clock, "method": method, "error_unit": draws.error_unit}
    rows = [{"estimand": estimand, "arm": arm, **label, **_judge(measured[arm], draws, (arm,), scale)} for arm in ARMS]
    first, second = (measured[arm] for arm in ARMS)
    reason = first.reason or second.reason
    persons = min(first.persons, second.persons)
    with np.errstate(divide="ignore", invalid="ignore"):
        compared = {
            "difference": Measured(
                first.estimate - second.estimate,
                first.replicates - second.replicates,
                persons,
                float(np.hypot(first.naive_std_error, second.naive_std_error)),
                reason,
            ),
            "ratio": _ratio(first, second, persons, reason),
        }
    for kind in contrasts:
        judged = _judge(compared[kind], draws, ARMS, "log" if kind == "ratio" else "identity")
        rows.append({"estimand": f"{estimand}_{kind}", "arm": CONTRAST, **label, **judged})
    return rows


def _ratio(first: Measured, second: Measured, persons: int, reason: str | None) -> Measured:
    replicates = np.where(second.replicates > 0, first.replicates / second.replicates, NAN)
    if not (first.estimate > 0 and second.estimate > 0):
        return Measured(NAN, replicates, persons, reason=reason or "an arm's estimate is zero")
    relative = np.hypot(first.naive_std_error / first.estimate, second.naive_std_error / second.estimate)
    return Measured(first.estimate / second.estimate, replicates, persons, float(relative), reason)


def _judge(found: Measured, draws: Resampling, arms: tuple[str, ...], scale: str) -> dict:
    """Give estimate, error and interval; or what can be given, and the reason for the rest."""
    row = {
        "estimate": NAN,
        "std_error": NAN,
        "lower": NAN,
        "upper": NAN,
        "naive_std_error": NAN,
        "persons": found.persons,
        "error_units": draws.size(arms),
        "reason": found.reason,
    }
    if not np.isfinite(found.estimate):
        return {**row, "reason": found.reason or "not reached in the observed time"}
    row["estimate"] = found.estimate
    if min(draws.sizes.get(arm, 0) for arm in arms) < 2:
        return {**row, "reason": "one person in an arm: no interval"}
    replicates = np.log(np.where(found.replicates > 0, found.replicates, NAN)) if scale == "log" else found.replicates
    defined = replicates[np.isfinite(replicates)]
    if len(defined) < (1 - TOO_OFTEN_UNDEFINED) * max(len(replicates), 1) or len(defined) < 2:
        return {**row, "reason": "undefined in more than 5% of the replicates: no interval"}
    error = float(defined.std(ddof=1))
    if error < 1e-12:
        return {**row, "reason": "no variation to estimate an error from: no interval"}
    low, high = _interval(found.estimate, error, draws.quantile(arms), scale, defined)
    reason = None if np.isfinite(low) else "at the edge of its range: no interval"
    return {
        **row,
        "std_error": error,
        "lower": low,
        "upper": high,
        "naive_std_error": found.naive_std_error,
        "reason": reason,
    }


def _interval(estimate, error, quantile, scale, replicates) -> tuple[float, float]:
    if scale == "log":
        return estimate * np.exp(-quantile * error), estimate * np.exp(quantile * error)
    if scale == "share":
        low, high = log_log_interval(estimate, error, quantile)
        return float(low), float(high)
    if scale == "percentile":
        return tuple(float(limit) for limit in np.percentile(replicates, [2.5, 97.5], method="nearest"))
    return estimate - quantile * error, estimate + quantile * error


def build_engagement(first_spells: pd.DataFrame, trial: pd.DataFrame) -> pd.DataFrame:
    """Put what is estimated of first spells above what is estimated of days from discharge.

    Parameters
    ----------
    first_spells, trial : Engagement

    Returns
    -------
    Engagement
        A row for every row of both; no estimand and method is in both.
    """
    return pd.concat([first_spells, trial], ignore_index=True)
