"""The difference in length of engagement under every other choice, and where the program can have done nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.contracts.robustness import EngagementSensitivity
from ratebook.engagement.curves import Curve, curves_by_arm, rmst_in, unknown_to
from ratebook.engagement.e_values import e_value, risk_ratio_of_mean
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.frame import DAY, engaged_persons
from ratebook.engagement.resampling import Resampling, resample
from ratebook.engagement.survival import rmst, survival_of
from ratebook.engagement.tipping import Unseen, restricted_mean_if, unseen_of
from ratebook.tables import empty_frame, frame_of

END_OF_DATA = "end_of_data"
ENDED = "ended"
FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0)
FURTHEST = 64.0
"""Largest factor on the hazard of those censored that is tried."""
HALVINGS = 30
CONTROLS = {"los_days": "days", "sud_cost_before_usd": "usd", "is_prior_program": "share"}
"""Known before the program could do anything: an arm that differs in them was another arm to begin with."""


class Setting(NamedTuple):
    """What every analysis needs besides its persons."""

    horizons_days: list[int]
    min_observed_share: float
    boot_reps: int
    seed: int


class Arms(NamedTuple):
    """The persons of one variant, their resampling and their curves."""

    persons: pd.DataFrame
    draws: Resampling
    curves: dict[str, Curve]


def estimate_robustness(
    cohort: pd.DataFrame,
    spells_by_gap: pd.DataFrame,
    *,
    spell_gap_days: int,
    end_reasons: dict[str, str],
    horizons_days: list[int],
    min_observed_share: float,
    boot_reps: int,
    seed: int,
) -> pd.DataFrame:
    """Estimate the headline difference again under each choice that could have been another.

    The headline is the difference in restricted mean engagement, RSN less CSP, by Kaplan-Meier on the contact
    clock, to the longest horizon that can be estimated.

    - gap rule, single-contact spells, disenrolment and readmission (or each a competing end): the choices of the
      definition;
    - informative censoring: those censored end 0.5 to 3 times as fast as those still observed, in one arm or both;
      tipping point: the factor, in the arm that stays longer, at which the difference or its significance is gone;
    - a provider left out: the smallest, middle and largest estimate, without naming whom;
    - negative control: what was so before the first contact; placebo arm: clients of the unit form before the case
      rate began, by the kind of site that discharged them. Here a difference is a bias, not an effect.

    Parameters
    ----------
    cohort : Cohort
    spells_by_gap : SpellsByGap
    spell_gap_days : int
        The gap rule in force; must be among those tried.

    Returns
    -------
    EngagementSensitivity
        Empty where nobody has a spell.

    References
    ----------
    methods.md, C9, H24, H33, H34.
    """
    setting = Setting(horizons_days, min_observed_share, boot_reps, seed)
    spells = spells_by_gap[spells_by_gap.spell_gap_days == spell_gap_days]
    persons = engaged_persons(cohort, spells, end_reasons, spell_gap_days)
    if persons.empty:
        return empty_frame(EngagementSensitivity)
    base = _arms(persons, setting)
    tau = _horizon(base, setting)
    headline = _difference(base, tau, setting)
    rows = []
    for gap, own in spells_by_gap.groupby("spell_gap_days"):
        other = _arms(engaged_persons(cohort, own, end_reasons, int(gap)), setting)
        rows.append(_row("gap rule", f"{gap} days", _difference(other, tau, setting), int(gap) == spell_gap_days))
    several = _arms(persons[persons.contacts > 1], setting)
    rows.append(_row("single-contact spells", "counted", headline, True))
    rows.append(_row("single-contact spells", "left out", _difference(several, tau, setting)))
    lost = {reason: "competing" for reason, role in end_reasons.items() if role == "censor" and reason != END_OF_DATA}
    closing = _arms(engaged_persons(cohort, spells, end_reasons | lost, spell_gap_days), setting)
    rows.append(_row("disenrolment", "not seen further", headline, True))
    rows.append(_row("disenrolment", "closes the spell", _difference(closing, tau, setting)))
    until = _arms(until_readmission(persons), setting)
    rows.append(_row("readmission", "as spells are counted", headline, True))
    rows.append(_row("readmission", "closes the spell", _difference(until, tau, setting)))
    rows += _censoring_rows(base, tau, headline)
    rows += _left_out_rows(base, tau, setting, headline)
    rows = [{**row, "sign_change": _opposite(row["estimate"], headline["estimate"])} for row in rows]
    rows += [_control_row(base, column, unit) for column, unit in CONTROLS.items()]
    rows.append(_row("placebo arm", "sites before the case rate began", _placebo(cohort, persons, tau, setting)))
    return frame_of(rows, EngagementSensitivity)


def until_readmission(persons: pd.DataFrame) -> pd.DataFrame:
    """Close spells on the day of another detox admission; who was readmitted before meeting anybody has none.

    References
    ----------
    methods.md, C: readmission as a competing end.
    """
    again = (persons.readmission_date - persons.first_date) / DAY
    closes = (again <= persons.days).to_numpy()
    closed = persons.assign(
        days=persons.days.mask(closes, again),
        end_reason=persons.end_reason.mask(closes, "readmitted"),
        role=persons.role.mask(closes, "competing"),
    )
    return closed[~(again <= 0).to_numpy()]


def _row(analysis: str, variant: str, found: dict, is_base: bool = False) -> dict:
    return {"analysis": analysis, "variant": variant, "is_base": is_base, "unit": "days", **found}


def _opposite(estimate: float, centre: float) -> bool | None:
    return bool(estimate * centre < 0) if np.isfinite(estimate) and np.isfinite(centre) else None


def _arms(persons: pd.DataFrame, setting: Setting) -> Arms:
    persons = persons.reset_index(drop=True)
    draws = resample(persons.arm, persons.provider_id, setting.boot_reps, setting.seed)
    closed = persons.assign(end_reason=np.where(persons.role == "censor", END_OF_DATA, ENDED))
    return Arms(persons, draws, curves_by_arm(closed, persons.days, draws, [ENDED]))


def _horizon(base: Arms, setting: Setting) -> int:
    """The longest horizon to which both arms are known; the shortest where none is."""
    known = [
        tau
        for tau in setting.horizons_days
        if not any(unknown_to(curve, tau, setting.min_observed_share) for curve in base.curves.values())
    ]
    return max(known, default=min(setting.horizons_days))


def _difference(arms: Arms, tau: int, setting: Setting) -> dict:
    """Give the difference in restricted mean with its interval and E-values, as cells of a row."""
    reasons = {arm: unknown_to(curve, tau, setting.min_observed_share) for arm, curve in arms.curves.items()}
    means = {arm: rmst_in(curve, tau, reasons[arm]) for arm, curve in arms.curves.items()}
    found = _contrast(means, arms.draws, tau)
    variances = [_variance_to(curve, tau) for curve in arms.curves.values()]
    return found | _e_values(found, float(np.sqrt(np.mean(variances))))


def _contrast(measured: dict[str, Measured], draws: Resampling, tau: int | None) -> dict:
    row = contrast_rows("rmst", tau, "contact", "kaplan_meier", measured, draws, ("difference",))[-1]
    return {name: row[name] for name in ("tau_days", "estimate", "lower", "upper", "persons", "reason")}


def _variance_to(curve: Curve, tau: int) -> float:
    """Variance of min(T, tau) between persons, by the curve: twice the area under t·S(t), less the mean squared."""
    edges = np.concatenate([[0.0], np.minimum(curve.table.time, tau), [tau]])
    second = np.concatenate([[1.0], curve.survival]) @ np.diff(edges**2)
    return float(second - rmst(curve.table.time, curve.survival, tau) ** 2)


def _e_values(found: dict, spread: float) -> dict:
    values = [found[name] for name in ("estimate", "lower", "upper")]
    if not (np.isfinite(values).all() and spread > 0):
        return {"e_value": NAN, "e_value_limit": NAN}
    point, limit = e_value(*(risk_ratio_of_mean(value, spread) for value in values))
    return {"e_value": point, "e_value_limit": limit}


def _censoring_rows(base: Arms, tau: int, headline: dict) -> list[dict]:
    """Those censored end faster or slower than those observed: in one arm, in both, and until nothing is left."""
    ended = (base.persons.role != "censor").to_numpy()
    unseen = {
        arm: unseen_of(base.persons.days, ended, (base.persons.arm == arm).to_numpy(), base.draws, tau) for arm in ARMS
    }
    rows = []
    for where, touched in {**{arm: (arm,) for arm in ARMS}, "both arms": ARMS}.items():
        for factor in FACTORS:
            found = _tipped(base, unseen, {arm: factor for arm in touched}, tau, headline)
            row = _row("informative censoring", f"hazard × {factor:g} in {where}", found, factor == 1)
            rows.append({**row, "hazard_factor": factor})
    return [*rows, *_tipping_rows(base, unseen, tau, headline)]


def _tipped(base: Arms, unseen: dict[str, Unseen], factors: dict[str, float], tau: int, headline: dict) -> dict:
    means = {}
    for arm, curve in base.curves.items():
        mean = restricted_mean_if(unseen[arm], factors.get(arm, 1.0))
        reason = None if np.isfinite(headline["estimate"]) else headline["reason"]
        means[arm] = Measured(NAN if reason else float(mean[0]), mean[1:], len(curve.days), reason=reason)
    return _contrast(means, base.draws, tau)


def _tipping_rows(base: Arms, unseen: dict[str, Unseen], tau: int, headline: dict) -> list[dict]:
    """Find, by halving, the factor in the arm that stays longer at which the estimate, and its nearer limit, reach 0."""
    sign = -1 if headline["estimate"] < 0 else 1
    longer, nearer = (ARMS[0], "lower") if sign > 0 else (ARMS[1], "upper")

    def at(factor: float) -> dict:
        return _tipped(base, unseen, {longer: factor}, tau, headline)

    rows = []
    for variant, cell in (("the difference is gone", "estimate"), ("its interval reaches 0", nearer)):
        row = _row(
            "tipping point", f"{variant}, hazard × in {longer}", headline | {"e_value": NAN, "e_value_limit": NAN}
        )
        start, end = sign * headline[cell], sign * at(FURTHEST)[cell]
        if not start > 0:
            why = headline["reason"] or "the interval holds 0 already"
            rows.append({**row, "reason": why})
            continue
        if not end <= 0:
            why = f"not even if those censored in {longer} ended {FURTHEST:g} times as fast"
            rows.append({**row, **at(FURTHEST), "hazard_factor": FURTHEST, "reason": why})
            continue
        low, high = 1.0, FURTHEST
        for _ in range(HALVINGS):
            middle = (low * high) ** 0.5
            low, high = (middle, high) if sign * at(middle)[cell] > 0 else (low, middle)
        rows.append({**row, **at(high), "hazard_factor": high})
    return rows


def _left_out_rows(base: Arms, tau: int, setting: Setting, headline: dict) -> list[dict]:
    """Leave out each provider in turn, and show the smallest, middle and largest estimate."""
    analysis, variants = "a provider left out", ("smallest estimate", "middle estimate", "largest estimate")
    reason = headline["reason"] if not np.isfinite(headline["estimate"]) else None
    if base.draws.error_unit != "provider":
        reason = reason or "fewer than two providers in an arm"
    if reason:
        nothing = {"tau_days": tau, "persons": headline["persons"], "estimate": NAN, "reason": reason}
        return [_row(analysis, variant, nothing) for variant in variants]
    unit = base.draws.unit
    units = base.draws.counts.shape[1]
    without = base.draws._replace(counts=1.0 - np.eye(units))
    closed = base.persons.assign(end_reason=np.where(base.persons.role == "censor", END_OF_DATA, ENDED))
    curves = curves_by_arm(closed, base.persons.days, without, [ENDED])
    means = [rmst(curve.table.time, survival_of(curve.resampled), tau) for curve in curves.values()]
    differences = means[0] - means[1]
    order = np.argsort(differences, kind="stable")
    opposite = int((differences * headline["estimate"] < 0).sum())
    rows = []
    for variant, place in zip(variants, (order[0], order[(units - 1) // 2], order[-1])):
        found = _difference(_arms(base.persons[unit != place], setting), tau, setting)
        row = _row(analysis, variant, found | {"persons": headline["persons"]})
        rows.append({**row, "opposite_providers": opposite})
    return rows


def _control_row(base: Arms, column: str, unit: str) -> dict:
    """Compare the arms on something of the time before the first contact, as though it were the outcome."""
    measured = {}
    for arm in ARMS:
        mine = (base.persons.arm == arm).to_numpy()
        values = base.persons[column][mine].astype(float).to_numpy()
        number, counts = base.draws.among(mine)
        known = np.isfinite(values)
        if not known.any():
            reason = "no person in the arm" if not mine.any() else "not known of anybody in the arm"
            measured[arm] = Measured(NAN, np.full(len(counts), NAN), int(mine.sum()), reason=reason)
            continue
        sums = np.bincount(number[known], values[known], counts.shape[1])
        sizes = np.bincount(number[known], minlength=counts.shape[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            replicates = (counts @ sums) / (counts @ sizes)
        measured[arm] = Measured(float(sums.sum() / sizes.sum()), replicates, int(known.sum()))
    row = {**_row("negative control", column, _contrast(measured, base.draws, None)), "unit": unit}
    return row | ({"fewest_persons": _fewest_of(base.persons, column)} if unit == "share" else {})


def _fewest_of(persons: pd.DataFrame, column: str) -> int:
    known = persons[persons[column].notna()]
    return int(known.groupby(["arm", known[column].astype(bool)]).size().min()) if len(known) else 0


def _placebo(cohort: pd.DataFrame, persons: pd.DataFrame, tau: int, setting: Setting) -> dict:
    """Compare clients of the unit form by site, among those discharged before anybody met the case rate's navigators."""
    begins = cohort.first_contact_date[cohort.arm == ARMS[0]].min()
    before = persons[(persons.arm == ARMS[1]) & (persons.discharge_date < begins) & persons.site_arm.isin(ARMS)]
    if before.site_arm.nunique() < len(ARMS):
        reason = "nobody of the unit form was discharged by both kinds of site before the case rate began"
        return {"tau_days": tau, "estimate": NAN, "persons": 0, "reason": reason}
    return _difference(_arms(before.assign(arm=before.site_arm), setting), tau, setting)
