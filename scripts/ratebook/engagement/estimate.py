"""How long clients stay with a navigator: curves, restricted means, medians, and what biases them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import CumulativeIncidence, Engagement, Survival, SurvivalByMonth
from ratebook.contracts.episodes import ARMS
from ratebook.dates import MONTH_DAYS
from ratebook.engagement.days import engaged_day_rows
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import Resampling, resample
from ratebook.engagement.survival import (
    RiskTable,
    cumulative_incidence,
    greenwood,
    log_log_interval,
    median_of,
    risk_table,
    rmst,
    rmst_variance,
    survival_of,
    value_at,
)
from ratebook.engagement.weights import overlap_weight, propensity
from ratebook.tables import empty_frame

GRID_DAYS = 7
Z95 = 1.959963984540054
NO_HAZARD_LIMITS = "hazard: no interval of its own, the share it leads to carries one"


class Estimates(NamedTuple):
    """The four tables of `estimate_survival`."""

    survival: pd.DataFrame
    survival_by_month: pd.DataFrame
    cumulative_incidence: pd.DataFrame
    engagement: pd.DataFrame


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


def estimate_survival(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    end_reasons: dict[str, str],
    spell_gap_days: int,
    horizons_days: list[int],
    min_observed_share: float,
    survival_months: int,
    landmark_days: int,
    covariates: list[str],
    boot_reps: int,
    seed: int,
) -> Estimates:
    """Estimate the length of engagement by arm, and by how much the arms differ.

    Engagement ends when the first spell ends for any seen cause; `competing` ends (death, another detox) close a
    spell as much as silence does, and the cumulative incidence tells the causes apart. The same curve with
    competing ends censored stands beside it as `competing_censored`. Both arms are read on the same clock, from
    first to last contact; the administrative clock and the `measurement_gap` between the two show what a
    comparison across clocks would have manufactured.

    A restricted mean is given up to `tau` only where at least `min_observed_share` of the arm was not censored
    before it, and the curve is known that far. Errors resample providers with all their clients.

    Returns
    -------
    Estimates
        Survival, SurvivalByMonth, CumulativeIncidence, Engagement.

    References
    ----------
    methods.md, B7, B9, C1, C3, C6, C7.
    """
    persons = engaged_persons(cohort, spells, end_reasons, spell_gap_days)
    causes = [reason for reason, role in end_reasons.items() if role != "censor"]
    draws = resample(persons.arm, persons.provider_id, boot_reps, seed)
    curves = curves_by_arm(persons, persons.days, draws, causes)
    rows = rmst_rows(curves, draws, "contact", "kaplan_meier", horizons_days, min_observed_share)
    rows += _median_rows(curves, draws)
    events_only = [reason for reason in causes if end_reasons[reason] == "event"]
    censored = curves_by_arm(persons, persons.days, draws, events_only)
    rows += rmst_rows(censored, draws, "contact", "competing_censored", horizons_days, min_observed_share)
    rows += _contact_rows(persons, draws)
    rows += _overlap_rows(persons, draws, curves, covariates, horizons_days, min_observed_share)
    rows += _clock_rows(persons, causes, horizons_days, min_observed_share, boot_reps, seed)
    rows += engaged_day_rows(cohort, spells, horizons_days, landmark_days, spell_gap_days, boot_reps, seed)
    return Estimates(
        _frame(_survival_rows(curves, draws, horizons_days), Survival),
        _frame(_month_rows(curves, survival_months), SurvivalByMonth),
        _frame(_incidence_rows(curves, draws, causes, max(horizons_days)), CumulativeIncidence),
        _frame(rows, Engagement),
    )


def _frame(rows: list[dict], contract) -> pd.DataFrame:
    if not rows:
        return empty_frame(contract)
    frame = pd.DataFrame(rows).reindex(columns=list(contract.types()))
    whole = [name for name, kind in contract.types().items() if kind == "int64"]
    return frame.astype({name: "Int64" for name in whole})


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


def _unknown_to(curve: Curve, tau: int, min_observed_share: float) -> str | None:
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
            reason = _unknown_to(curve, tau, min_observed_share)
            means[arm] = _rmst(curve, tau, reason)
            shares[arm] = _share_at(curve, tau, reason)
        rows += contrast_rows("rmst", tau, clock, method, means, draws)
        rows += contrast_rows("survival", tau, clock, method, shares, draws, ("difference",), "share")
    return rows


def _rmst(curve: Curve, tau: int, reason: str | None) -> Measured:
    mean = NAN if reason else float(rmst(curve.table.time, curve.survival, tau))
    naive = NAN if reason else rmst_variance(curve.table, tau) ** 0.5
    return Measured(mean, rmst(curve.table.time, curve.replicates, tau), len(curve.days), naive, reason)


def _share_at(curve: Curve, tau: int, reason: str | None) -> Measured:
    time = curve.table.time
    share = NAN if reason else float(value_at(time, curve.survival, tau))
    naive = NAN if reason else float(value_at(time, greenwood(curve.table), tau, 0.0)) ** 0.5
    return Measured(share, value_at(time, curve.replicates, tau), len(curve.days), naive, reason)


def _median_rows(curves: dict[str, Curve], draws: Resampling) -> list[dict]:
    found = {}
    for arm, curve in curves.items():
        reason = None if len(curve.days) else "no person in the arm"
        middle = float(median_of(curve.table.time, curve.survival))
        found[arm] = Measured(middle, median_of(curve.table.time, curve.replicates), len(curve.days), reason=reason)
    return contrast_rows("median", None, "contact", "kaplan_meier", found, draws, ("difference",), scale="percentile")


def _contact_rows(persons: pd.DataFrame, draws: Resampling) -> list[dict]:
    """Contacts in the first spell as observed, per person and per engaged month; a censored spell counts as seen."""
    per_person, per_month = {}, {}
    for arm in ARMS:
        mine = persons[persons.arm == arm]
        unit, counts = draws.among((persons.arm == arm).to_numpy())
        contacts, months, ones = (
            np.bincount(unit, value, counts.shape[1])
            for value in (mine.contacts, mine.days / MONTH_DAYS, np.ones(len(mine)))
        )
        per_person[arm] = _observed_ratio(contacts, ones, counts, len(mine))
        per_month[arm] = _observed_ratio(contacts, months, counts, len(mine))
    rows = contrast_rows("contacts_per_person", None, "contact", "observed", per_person, draws)
    return rows + contrast_rows("contacts_per_engaged_month", None, "contact", "observed", per_month, draws)


def _observed_ratio(part: np.ndarray, whole: np.ndarray, counts: np.ndarray, persons: int) -> Measured:
    if not persons:
        return Measured(NAN, np.full(len(counts), NAN), 0, reason="no person in the arm")
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates = (counts @ part) / (counts @ whole)
    return Measured(float(part.sum() / whole.sum()), replicates, persons)


def _overlap_rows(persons, draws, curves, covariates, horizons_days, min_observed_share) -> list[dict]:
    """Restricted means of the overlap-weighted arms, the propensity refitted in every replicate."""
    treated = (persons.arm == ARMS[0]).to_numpy()
    reps = len(draws.counts)
    values = {arm: np.full((reps + 1, len(horizons_days)), NAN) for arm in ARMS}
    if treated.any() and not treated.all():
        matrix = design_matrix(persons, covariates).to_numpy()
        start = None
        for rep in range(reps + 1):
            weight = np.ones(len(persons)) if rep == 0 else draws.counts[rep - 1][draws.unit]
            chance, beta = propensity(matrix, treated, weight, start)
            start = beta if rep == 0 else start
            weight = weight * overlap_weight(chance, treated)
            for arm, chosen in zip(ARMS, (treated, ~treated)):
                curve = curves[arm]
                table = risk_table(curve.days, curve.cause > 0, weight=weight[chosen])
                survival = survival_of(table.total())
                values[arm][rep] = [rmst(table.time, survival, tau) for tau in horizons_days]
    rows = []
    for place, tau in enumerate(horizons_days):
        found = {}
        for arm, curve in curves.items():
            reason = _unknown_to(curve, tau, min_observed_share)
            reason = reason or (None if np.isfinite(values[arm][0, place]) else "no person in the other arm")
            point = NAN if reason else float(values[arm][0, place])
            found[arm] = Measured(point, values[arm][1:, place], len(curve.days), reason=reason)
        rows += contrast_rows("rmst", tau, "contact", "overlap_weighted", found, draws)
    return rows


def _clock_rows(persons, causes, horizons_days, min_observed_share, boot_reps, seed) -> list[dict]:
    """The administrative clock, and what it adds to the contact clock among the same persons.

    On the administrative clock the end of the enrolment is the end, whatever the contacts say.
    """
    both = persons[persons.admin_days.notna()].reset_index(drop=True)
    draws = resample(both.arm, both.provider_id, boot_reps, seed)
    enrolled = both.assign(end_reason=both.has_admin_end.map({True: "ended", False: "end_of_data"}))
    admin = curves_by_arm(enrolled, both.admin_days, draws, ["ended"])
    contact = curves_by_arm(both, both.days, draws, causes)
    rows = rmst_rows(admin, draws, "admin", "kaplan_meier", horizons_days, min_observed_share)
    for tau in horizons_days:
        gaps = {}
        for arm in ARMS:
            reason = _unknown_to(admin[arm], tau, min_observed_share)
            reason = reason or _unknown_to(contact[arm], tau, min_observed_share)
            long, short = _rmst(admin[arm], tau, reason), _rmst(contact[arm], tau, reason)
            gaps[arm] = Measured(
                long.estimate - short.estimate, long.replicates - short.replicates, long.persons, reason=reason
            )
        rows += contrast_rows("measurement_gap", tau, "admin", "kaplan_meier", gaps, draws, ("difference",))
    for row in rows:
        row["reason"] = "no enrolment dates in the arm" if row["reason"] == "no person in the arm" else row["reason"]
    return rows


def _survival_rows(curves: dict[str, Curve], draws: Resampling, horizons_days: list[int]) -> list[dict]:
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
                    "survival": share[place] if known else NAN,
                    "lower": low[place] if known else NAN,
                    "upper": high[place] if known else NAN,
                    "reason": _edge_reason(share[place], low[place]) if known else "after the last day observed",
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


def _incidence_rows(curves, draws, causes, horizon) -> list[dict]:
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
            ended = int(curve.table.ends[place][time <= known[-1]].sum())
            for n, day in enumerate(known):
                reason = None if np.isfinite(low[n]) else "nobody has ended for this reason"
                row = {"arm": arm, "end_reason": cause, "day": day, "at_risk": at_risk[n], "cause_persons": ended}
                rows.append(
                    {**row, "incidence": share[n], "lower": 1 - high[n], "upper": 1 - low[n], "reason": reason}
                )
    return rows


def _month_rows(curves: dict[str, Curve], survival_months: int) -> list[dict]:
    """Read the curve at the start of every month; the hazard is what makes the next start of it."""
    rows = []
    for arm, curve in curves.items():
        starts = np.arange(survival_months + 1) * MONTH_DAYS
        share = value_at(curve.table.time, curve.survival, starts)
        error = value_at(curve.table.time, curve.replicates, starts).std(0, ddof=1)
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
                    **_log_log_limits(share[month - 1], error[month - 1]),
                }
            )
    return rows


def _log_log_limits(share: float, error: float) -> dict:
    """Give 95% limits of a share still engaged, which never leave 0 and 1, and why they or the hazard's are missing."""
    if not 0 < share < 1 or not np.isfinite(error):
        why = "1 by definition" if share == 1 else "none is left" if share == 0 else "fewer than two providers"
        return {"lower": None, "upper": None, "reason": f"share: {why}, no interval; {NO_HAZARD_LIMITS}"}
    reach = np.exp(Z95 * error / (share * abs(np.log(share))))
    return {"lower": share**reach, "upper": share ** (1 / reach), "reason": NO_HAZARD_LIMITS}
