"""How long clients stay with a navigator: curves, restricted means, medians, and what biases them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import CumulativeIncidence, Engagement, RmstByDay, Survival, SurvivalByMonth
from ratebook.contracts.episodes import ARMS
from ratebook.dates import MONTH_DAYS
from ratebook.engagement.adjusted import weighted_rows
from ratebook.engagement.clocks import clock_rows, compare_clocks, time_by_clocks
from ratebook.engagement.curves import (
    Curve,
    curves_by_arm,
    incidence_rows,
    month_rows,
    rmst_by_day,
    rmst_rows,
    survival_rows,
)
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.ipcw import ipcw_rows
from ratebook.engagement.pseudo import pseudo_value_rows
from ratebook.engagement.resampling import Resampling, resample
from ratebook.engagement.survival import median_interval, median_of
from ratebook.tables import frame_of

NO_UPPER_LIMIT = "the curve's upper limit does not come down to one half: no interval"


class Estimates(NamedTuple):
    """The tables of `estimate_survival`."""

    survival: pd.DataFrame
    rmst_by_day: pd.DataFrame
    survival_by_month: pd.DataFrame
    cumulative_incidence: pd.DataFrame
    clocks: pd.DataFrame
    engagement: pd.DataFrame


def estimate_survival(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    end_reasons: dict[str, str],
    spell_gap_days: int,
    horizons_days: list[int],
    min_observed_share: float,
    survival_months: int,
    covariates: list[str],
    boot_reps: int,
    seed: int,
) -> Estimates:
    """Estimate the length of engagement by arm, and by how much the arms differ.

    Engagement ends when the first spell ends for any seen cause; `competing` ends (death, and another detox where it
    closes a spell) end it as much as silence does, and the cumulative incidence tells the causes apart. A cause by which
    no spell ended, as where spells go on through another detox, has no incidence. The same curve with
    competing ends censored stands beside it as `competing_censored`. Both arms are read on the same clock, from
    first to last contact; the administrative clock and the `measurement_gap` between the two show what a
    comparison across clocks would have manufactured.

    A restricted mean is given up to `tau` only where at least `min_observed_share` of the arm was not censored
    before it, and the curve is known that far. Errors resample providers with all their clients.

    Returns
    -------
    Estimates
        Survival, RmstByDay, SurvivalByMonth, CumulativeIncidence, Clocks, Engagement.

    References
    ----------
    methods.md, B7, B9, C1, C3, C6, C7.
    """
    persons = engaged_persons(cohort, spells, end_reasons, spell_gap_days)
    causes = [reason for reason, role in end_reasons.items() if role != "censor"]
    causes = [reason for reason in causes if persons.end_reason.eq(reason).any()] or causes
    draws = resample(persons.arm, persons.provider_id, boot_reps, seed)
    curves = curves_by_arm(persons, persons.days, draws, causes)
    rows = rmst_rows(curves, draws, "contact", "kaplan_meier", horizons_days, min_observed_share)
    rows += _median_rows(curves, draws)
    events_only = [reason for reason in causes if end_reasons[reason] == "event"]
    censored = curves_by_arm(persons, persons.days, draws, events_only)
    rows += rmst_rows(censored, draws, "contact", "competing_censored", horizons_days, min_observed_share)
    rows += _contact_rows(persons, draws)
    rows += weighted_rows(persons, draws, curves, covariates, horizons_days, min_observed_share)
    rows += pseudo_value_rows(persons, draws, curves, covariates, horizons_days, min_observed_share)
    rows += ipcw_rows(persons, draws, curves, covariates, end_reasons, horizons_days, min_observed_share)
    timed = time_by_clocks(persons, draws, end_reasons)
    rows += clock_rows(timed, draws, horizons_days, min_observed_share)
    return Estimates(
        frame_of(survival_rows(curves, draws, horizons_days), Survival),
        frame_of(rmst_by_day(curves, draws, max(horizons_days), min_observed_share), RmstByDay),
        frame_of(month_rows(curves, draws, survival_months), SurvivalByMonth),
        frame_of(incidence_rows(curves, draws, causes, max(horizons_days)), CumulativeIncidence),
        compare_clocks(timed, draws, horizons_days, min_observed_share),
        frame_of(rows, Engagement),
    )


def _median_rows(curves: dict[str, Curve], draws: Resampling) -> list[dict]:
    """Give the medians, in the limits between which the curve's own limits pass one half, and their difference.

    References
    ----------
    methods.md, C1; Brookmeyer & Crowley 1982.
    """
    found = {}
    for arm, curve in curves.items():
        reason = None if len(curve.days) else "no person in the arm"
        middle = float(median_of(curve.table.time, curve.survival))
        found[arm] = Measured(middle, median_of(curve.table.time, curve.replicates), len(curve.days), reason=reason)
    rows = contrast_rows("median", None, "contact", "kaplan_meier", found, draws, ("difference",), scale="percentile")
    return [_with_median_limits(row, curves, draws) if row["arm"] in curves else row for row in rows]


def _with_median_limits(row: dict, curves: dict[str, Curve], draws: Resampling) -> dict:
    if not np.isfinite(row["lower"]):
        return row
    curve, quantile = curves[row["arm"]], draws.quantile((row["arm"],))
    variance = curve.replicates.var(axis=0, ddof=1)
    lower, upper = median_interval(curve.table.time, curve.survival, variance, quantile)
    if not np.isfinite(upper):
        return {**row, "lower": NAN, "upper": NAN, "reason": NO_UPPER_LIMIT}
    return {**row, "lower": lower, "upper": upper}


def _contact_rows(persons: pd.DataFrame, draws: Resampling) -> list[dict]:
    """Contacts in the first spell as observed, per person and per engaged month; a censored spell counts as seen.

    The months are those from its first to its last contact, in which the contacts were counted, also where the last
    days leave the risk set.
    """
    per_person, per_month = {}, {}
    for arm in ARMS:
        mine = persons[persons.arm == arm]
        unit, counts = draws.among((persons.arm == arm).to_numpy())
        contacts, months, ones = (
            np.bincount(unit, value, counts.shape[1])
            for value in (mine.contacts, mine.length_days.astype(float) / MONTH_DAYS, np.ones(len(mine)))
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
