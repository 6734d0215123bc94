"""The tornado: headline contrasts of RSN with CSP under every other choice that could have been made."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.contracts.review import Sensitivity
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import resample
from ratebook.engagement.survival import SAME, risk_table, rmst, survival_of
from ratebook.tables import empty_frame

LENGTH = "length of engagement"
PRICE = "program cost per engaged month"
TOTAL = "total SUD cost per member"


def estimate_sensitivity(
    cohort: pd.DataFrame,
    spells_by_gap: pd.DataFrame,
    engagement: pd.DataFrame,
    pmpm: pd.DataFrame,
    total_cost: pd.DataFrame,
    *,
    spell_gap_days: int,
    end_reasons: dict[str, str],
    boot_reps: int,
    seed: int,
) -> pd.DataFrame:
    """Set the headline contrasts beside what other choices give.

    The headlines are the difference in restricted mean engagement (contacts, Kaplan-Meier, longest horizon that
    could be estimated), in program cost per engaged month, and in total SUD cost per member adjusted for
    censoring. Varied are the gap rule, single-contact spells, the horizon, the clock, the estimator, how months
    are counted, and whether the navigator's own cost is in the total. `sign_change` says that an estimate has
    the other sign than the headline; an estimate of exactly zero has none.

    Parameters
    ----------
    cohort : Cohort
    spells_by_gap : SpellsByGap
        Spells built once for every gap rule of `episodes.spell_gap_sensitivity_days`.
    engagement, pmpm, total_cost : Engagement, Pmpm, TotalCost
    spell_gap_days : int
        The gap rule in force.
    end_reasons : dict
        End reason to event, competing or censor.
    boot_reps, seed : int
        Replicates that resample providers, for the gap rules.

    Returns
    -------
    Sensitivity

    References
    ----------
    methods.md, C9, H24, H34, H69.
    """
    means = engagement[(engagement.arm == "RSN vs CSP") & (engagement.estimand == "rmst_difference")]
    base = means[(means.clock == "contact") & (means.method == "kaplan_meier")].sort_values("tau_days")
    known = base[base.estimate.notna()]
    rows = []
    if len(base):
        headline = (known if len(known) else base).iloc[-1]
        tau = int(headline.tau_days)
        rows += _rows(LENGTH, "horizon", base, base.tau_days.astype(int).astype(str) + " days", headline)
        same = means[(means.tau_days == tau) & (means.clock == "contact")]
        rows += _rows(LENGTH, "estimator", same, same.method, headline)
        clocks = means[(means.tau_days == tau) & (means.method == "kaplan_meier")]
        rows += _rows(LENGTH, "clock", clocks, clocks.clock, headline)
        rows += _gap_rows(cohort, spells_by_gap, tau, spell_gap_days, end_reasons, boot_reps, seed, headline)
    price = pmpm[(pmpm.variant == "P1") & (pmpm.numerator == "program") & (pmpm.arm == "difference")]
    headline = price[price.month_rule == "exact"]
    rows += _rows(PRICE, "months", price, price.month_rule, headline.iloc[0] if len(headline) else None)
    cost = total_cost[(total_cost.arm == "difference") & (total_cost.method == "partitioned")]
    sud = total_cost[(total_cost.arm == "difference") & (total_cost.estimand == "total_sud")]
    headline = sud[sud.method == "partitioned"]
    headline = headline.iloc[0] if len(headline) else None
    rows += _rows(TOTAL, "estimator", sud, sud.method, headline)
    rows += _rows(TOTAL, "what is counted", cost, cost.estimand, headline)
    if not rows:
        return empty_frame(Sensitivity)
    return pd.DataFrame(rows).drop_duplicates(["quantity", "factor", "setting"], ignore_index=True)


def _rows(quantity: str, factor: str, found: pd.DataFrame, settings: pd.Series, headline) -> list[dict]:
    """Turn rows of an estimate table into rows of the tornado; the headline's own row is the base."""
    name = "estimate" if "estimate" in found else "estimate_usd"
    centre = np.nan if headline is None else headline[name]
    return [
        _row(
            quantity,
            factor,
            setting,
            row[name],
            row.lower,
            row.upper,
            centre,
            row.reason,
            headline is not None and row.name == headline.name,
        )
        for (_, row), setting in zip(found.iterrows(), settings)
    ]


def _row(quantity, factor, setting, estimate, lower, upper, centre, reason, is_base) -> dict:
    can_tell = not (pd.isna(estimate) or pd.isna(centre))
    return {
        "quantity": quantity,
        "factor": factor,
        "setting": str(setting),
        "is_base": bool(is_base),
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "sign_change": bool(estimate * centre < 0) if can_tell else None,
        "unit": "days" if quantity == LENGTH else "usd",
        "reason": reason,
    }


def _gap_rows(cohort, spells_by_gap, tau, spell_gap_days, end_reasons, boot_reps, seed, headline) -> list[dict]:
    rows = []
    for gap, spells in spells_by_gap.groupby("spell_gap_days"):
        persons = engaged_persons(cohort, spells, end_reasons, int(gap))
        found = rmst_difference(persons, tau, boot_reps, seed)
        rows.append(
            _row(LENGTH, "gap rule", f"{gap} days", *found, headline.estimate, _why(found), gap == spell_gap_days)
        )
        if gap == spell_gap_days:
            without = rmst_difference(persons[persons.contacts > 1], tau, boot_reps, seed)
            for setting, one, is_base in (("counted", found, True), ("left out", without, False)):
                why = _why(one)
                rows.append(_row(LENGTH, "single-contact spells", setting, *one, headline.estimate, why, is_base))
    return rows


def _why(found: tuple[float, float, float]) -> str | None:
    return "an arm has no client, or nobody is followed to the horizon" if np.isnan(found[0]) else None


def rmst_difference(persons: pd.DataFrame, tau: int, boot_reps: int, seed: int) -> tuple[float, float, float]:
    """Give the difference in restricted mean engagement, RSN less CSP, with its interval, in days.

    Every seen end closes a spell. The interval is Student's t with the providers' degrees of freedom around the
    estimate, its error from resampled providers. NaN where an arm has nobody or nobody is followed so long.
    """
    persons = persons.reset_index(drop=True)
    draws = resample(persons.arm, persons.provider_id, boot_reps, seed)
    means, replicates = {}, {}
    for arm in ARMS:
        mine = (persons.arm == arm).to_numpy()
        if not mine.any():
            return np.nan, np.nan, np.nan
        ended = (persons.role != "censor").to_numpy()[mine].astype(int)
        table = risk_table(persons.days[mine], ended, unit=draws.unit[mine], units=draws.counts.shape[1])
        survival = survival_of(table.total())
        if persons.days[mine].max() < tau and (not len(survival) or survival[-1] > SAME):
            return np.nan, np.nan, np.nan
        means[arm] = float(rmst(table.time, survival, tau))
        replicates[arm] = rmst(table.time, survival_of(table.total(draws.counts)), tau)
    difference = means["RSN"] - means["CSP"]
    reach = draws.quantile(ARMS) * float(np.std(replicates["RSN"] - replicates["CSP"], ddof=1))
    return difference, difference - reach, difference + reach
