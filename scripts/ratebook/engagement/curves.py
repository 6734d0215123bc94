"""One arm's curve of engagement with its replicates, and the rows of the tables read off it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.dates import MONTH_DAYS
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.resampling import Resampling
from ratebook.engagement.survival import (
    RiskTable,
    cumulative_incidence,
    greenwood,
    log_log_interval,
    risk_table,
    rmst,
    rmst_variance,
    survival_of,
    value_at,
)

GRID_DAYS = 7
NO_HAZARD_LIMITS = "hazard: no interval of its own, the share it leads to carries one"


class Curve(NamedTuple):
    """One arm's counts and Kaplan-Meier, with the replicates' curves (reps, J), and each person's end."""

    table: RiskTable
    survival: np.ndarray
    resampled: RiskTable
    replicates: np.ndarray
    days: np.ndarray
    cause: np.ndarray

    def at_risk(self, days) -> np.ndarray:
        """Persons whose time is at least each of the days."""
        return len(self.days) - np.searchsorted(np.sort(self.days), days, side="left")

    def ended(self, days, cause: int | None = None) -> np.ndarray:
        """Persons seen to end by each of the days, for any cause or for one (from 1 on)."""
        mine = self.cause > 0 if cause is None else self.cause == cause
        return np.searchsorted(np.sort(self.days[mine]), days, side="right")


def curves_by_arm(persons: pd.DataFrame, days: pd.Series, draws: Resampling, causes: list[str]) -> dict[str, Curve]:
    """Give each arm's Kaplan-Meier; an arm without persons has a curve without steps."""
    number = {reason: place for place, reason in enumerate(causes, start=1)}
    cause = persons.end_reason.map(number).fillna(0).astype(int).to_numpy()
    found = {}
    for arm in ARMS:
        mine = (persons.arm == arm).to_numpy()
        time = days.to_numpy(float)[mine]
        unit, counts = draws.among(mine)
        by_unit = risk_table(time, cause[mine], causes=len(causes), unit=unit, units=counts.shape[1])
        total, resampled = by_unit.total(), by_unit.total(counts)
        found[arm] = Curve(total, survival_of(total), resampled, survival_of(resampled), time, cause[mine])
    return found


def unknown_to(curve: Curve, tau: int, min_observed_share: float) -> str | None:
    """Say why the curve is not known up to `tau`; None where it is."""
    if not len(curve.days):
        return "no person in the arm"
    lost = (curve.cause == 0) & (curve.days < tau)
    if 1 - lost.mean() < min_observed_share:
        return "too few observed to the horizon"
    last = float(value_at(curve.table.time, curve.survival, tau))
    if curve.days.max() < tau and last > 1e-12:
        return "follow-up ends before the horizon"
    return None


def rmst_rows(curves, draws, clock, method, horizons_days, min_observed_share) -> list[dict]:
    rows = []
    for tau in horizons_days:
        means, shares = {}, {}
        for arm, curve in curves.items():
            reason = unknown_to(curve, tau, min_observed_share)
            means[arm] = rmst_in(curve, tau, reason)
            shares[arm] = share_at(curve, tau, reason)
        rows += contrast_rows("rmst", tau, clock, method, means, draws)
        still = contrast_rows("survival", tau, clock, method, shares, draws, ("difference",), "share")
        rows += [{**row, "fewest_persons": _fewest_at(curves, tau, row["arm"])} for row in still]
    return rows


def _fewest_at(curves: dict[str, Curve], tau: int, arm: str) -> int:
    """Count who was seen beyond a day, and who ended by it, and give the smaller number above 0; of a contrast in either arm."""
    read = [curves[arm]] if arm in curves else curves.values()
    counts = [count for curve in read for count in (int((curve.days > tau).sum()), curve.ended([tau])[0])]
    return min((int(count) for count in counts if count > 0), default=0)


def rmst_in(curve: Curve, tau: int, reason: str | None) -> Measured:
    mean = NAN if reason else float(rmst(curve.table.time, curve.survival, tau))
    naive = NAN if reason else rmst_variance(curve.table, tau) ** 0.5
    return Measured(mean, rmst(curve.table.time, curve.replicates, tau), len(curve.days), naive, reason)


def share_at(curve: Curve, tau: int, reason: str | None) -> Measured:
    time = curve.table.time
    share = NAN if reason else float(value_at(time, curve.survival, tau))
    naive = NAN if reason else float(value_at(time, greenwood(curve.table), tau, 0.0)) ** 0.5
    return Measured(share, value_at(time, curve.replicates, tau), len(curve.days), naive, reason)


def survival_rows(curves: dict[str, Curve], draws: Resampling, horizons_days: list[int]) -> list[dict]:
    days = np.union1d(np.arange(0, max(horizons_days) + 1, GRID_DAYS), horizons_days)
    rows = []
    for arm, curve in curves.items():
        if not len(curve.days):
            continue
        share, low, high = _share_on(curve.table.time, curve.survival, curve.replicates, days, draws, arm)
        unknown = (days > curve.days.max()) & (share > 1e-12)
        for place, day in enumerate(days):
            known = not unknown[place]
            rows.append(
                {
                    "arm": arm,
                    "day": day,
                    "at_risk": int(curve.at_risk([day])[0]),
                    "ended": int(curve.ended([day])[0]),
                    "is_horizon": int(day) in horizons_days,
                    "survival": share[place] if known else NAN,
                    "lower": low[place] if known else NAN,
                    "upper": high[place] if known else NAN,
                    "reason": _edge_reason(share[place], low[place]) if known else "after the last day observed",
                }
            )
    return rows


def rmst_by_day(curves, draws: Resampling, horizon: int, min_observed_share: float) -> list[dict]:
    """Read the restricted means and their difference at every week up to the longest horizon."""
    rows = []
    for tau in np.arange(GRID_DAYS, horizon + 1, GRID_DAYS):
        reasons = {arm: unknown_to(curve, tau, min_observed_share) for arm, curve in curves.items()}
        means = {arm: rmst_in(curve, tau, reasons[arm]) for arm, curve in curves.items()}
        *_, found = contrast_rows("rmst", tau, "contact", "kaplan_meier", means, draws, ("difference",))
        rows.append(
            {
                "tau_days": tau,
                "difference_days": found["estimate"],
                "lower": found["lower"],
                "upper": found["upper"],
                "at_risk": min(int(curve.at_risk([tau])[0]) for curve in curves.values()),
                "reason": found["reason"],
            }
        )
    return rows


def _share_on(time, curve, replicates, days, draws: Resampling, arm: str):
    """Read a curve and its 95% band on the days; the band is empty where one unit is all there is."""
    share = value_at(time, curve, days)
    error = value_at(time, replicates, days).std(0, ddof=1) if draws.sizes.get(arm, 0) > 1 else np.zeros(len(days))
    low, high = log_log_interval(share, error, draws.quantile((arm,)))
    return share, np.where(error > 1e-12, low, NAN), np.where(error > 1e-12, high, NAN)


def _edge_reason(share: float, low: float) -> str | None:
    if np.isfinite(low):
        return None
    if share > 1 - 1e-12:
        return "nobody has ended yet"
    return "everybody has ended" if share < 1e-12 else "too few to resample"


def incidence_rows(curves, draws, causes, horizon) -> list[dict]:
    days = np.arange(0, horizon + 1, GRID_DAYS)
    rows = []
    for arm, curve in curves.items():
        if not len(curve.days):
            continue
        incidence = cumulative_incidence(curve.table)
        replicates = cumulative_incidence(curve.resampled)
        at_risk = curve.at_risk(days)
        known = days[(days <= curve.days.max()) | (value_at(curve.table.time, curve.survival, days) < 1e-12)]
        for place, cause in enumerate(causes):
            time = curve.table.time
            rest, low, high = _share_on(time, 1 - incidence[place], 1 - replicates[place], known, draws, arm)
            share = np.clip(1 - rest, 0.0, 1.0)
            ended = curve.ended(known, place + 1)
            for n, day in enumerate(known):
                reason = None if np.isfinite(low[n]) else _no_band(share[n])
                row = {"arm": arm, "end_reason": cause, "day": day, "at_risk": at_risk[n], "ended": ended[n]}
                rows.append(
                    {
                        **row,
                        "cause_persons": ended[-1],
                        "incidence": share[n],
                        "lower": 1 - high[n],
                        "upper": 1 - low[n],
                        "reason": reason,
                    }
                )
    return rows


def _no_band(share: float) -> str:
    if share < 1e-12:
        return "nobody has ended for this reason"
    return "everybody has ended for this reason" if share > 1 - 1e-12 else "too few to resample"


def month_rows(curves: dict[str, Curve], draws: Resampling, survival_months: int) -> list[dict]:
    """Read the curve at the start of every month; the hazard is what makes the next start of it."""
    rows = []
    for arm, curve in curves.items():
        starts = np.arange(survival_months + 1) * MONTH_DAYS
        share = value_at(curve.table.time, curve.survival, starts)
        error = value_at(curve.table.time, curve.replicates, starts).std(0, ddof=1)
        error = error if draws.sizes.get(arm, 0) > 1 else np.full(len(starts), NAN)
        at_risk = len(curve.days) - np.searchsorted(np.sort(curve.days), starts, side="right")
        ended = np.searchsorted(np.sort(curve.days[curve.cause > 0]), starts, side="right")
        for month in range(1, survival_months + 1):
            if at_risk[month - 1] == 0:
                break
            rows.append(
                {
                    "arm": arm,
                    "month": month,
                    "at_risk": at_risk[month - 1],
                    "events": ended[month] - ended[month - 1],
                    "hazard": 1 - share[month] / share[month - 1],
                    "survival_start": share[month - 1],
                    "std_error": error[month - 1],
                    **_log_log_limits(share[month - 1], error[month - 1], draws.quantile((arm,))),
                }
            )
    return rows


def _log_log_limits(share: float, error: float, quantile: float) -> dict:
    """Give 95% limits of a share still engaged, which never leave 0 and 1, and why they or the hazard's are missing."""
    if not 0 < share < 1 or not np.isfinite(error):
        why = "1 by definition" if share == 1 else "none is left" if share == 0 else "one person in the arm"
        return {"lower": None, "upper": None, "reason": f"share: {why}, no interval; {NO_HAZARD_LIMITS}"}
    lower, upper = (float(limit) for limit in log_log_interval(share, error, quantile))
    return {"lower": lower, "upper": upper, "reason": NO_HAZARD_LIMITS}
