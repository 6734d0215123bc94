"""Checks of engagement: clocks, curves, models, weights (H23 to H34)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.survival import risk_table, survival_of
from ratebook.engagement.weights import WEIGHTINGS, effective_size
from ratebook.review.seen import CannotSay, Seen, checks

PRIMARY = "estimand == 'rmst_difference' and clock == 'contact' and method == 'kaplan_meier'"
FEW_PROVIDERS = 20
"""Providers in an arm below which the clustered error alone is too small (methods.md, C4)."""
NAIVE_SHARE = 0.8
"""An error that ignores providers below this share of the clustered one would have misled."""
LARGEST_WEIGHT, LEAST_EFFECTIVE = 20.0, 0.5
"""Limits of a weight over its arm's mean, and of the share of an arm that its weights leave (methods.md, H31)."""
DIGITS = 12
"""Decimals of a share that is held against a limit: beyond them is the machine's last digit."""
FEWEST_RULES = 3
"""Gap rules below which the rule counts as not varied (methods.md, H24)."""
KNOWN_AT_DISCHARGE = {
    "episode", "index_admission_date", "discharge_date", "facility_id", "age_years", "sex", "race", "region", "dx_class",
    "los_days", "is_ama", "n12", "enrolled_days_before", "sud_cost_before_usd", "total_cost_before_usd",
    "is_moud_before", "is_mental_before", "is_prior_program",
}  # fmt: skip
"""Columns of the cohort that no day after the discharge can change."""


@checks("H23")
def different_clocks(seen: Seen):
    """Give what a comparison across clocks would have added, as a share of the effect; 2 where it may have been made.

    It may have been where the arms' contacts are read in different sources: one billing's days are then set against
    the other's. On one clock in both arms the share says how much rests on the choice of the clock; it counts up to 1.
    """
    known = seen.table("engagement", PRIMARY).dropna(subset=["estimate"])
    if known.empty or not _last(known).estimate:
        raise CannotSay("the effect on engagement could not be estimated")
    effect, tau = _last(known)[["estimate", "tau_days"]]
    clocks = seen.table("clocks", "comparison in ('same_clock', 'cross_clock') and other_clock == 'contact'")
    sources = set(clocks.source.iloc[0].split(" / "))
    enough = clocks[(clocks.clock == "admin") & (clocks.persons >= seen.setting("release", "suppress_below"))]
    enough = enough[enough.tau_days == tau]
    across = _last(enough).estimate_days if len(enough) else float("nan")
    share = 0.0 if across != across else min(round(abs((across - effect) / effect), DIGITS), 1.0)
    added = (
        ""
        if across != across
        else f"; RSN by enrolment against CSP by contacts would add {across - effect:.0f} days to {effect:.0f}"
    )
    value = 2.0 if len(sources) > 1 else share
    return value, f"both arms are timed by contacts, read in: {' and '.join(sorted(sources))}{added}"


@checks("H24")
def gap_rule_varied(seen: Seen):
    """Give the largest share of the difference that another gap rule adds or takes; 2 with under three rules."""
    rows = seen.table("sensitivity", "factor == 'gap rule'")
    rows = rows[rows.estimate.notna()]
    rules, base = rows.setting.nunique(), rows[rows.is_base.astype(bool)]
    if rules < FEWEST_RULES:
        return 2.0, f"the difference stands under {rules} gap rules"
    if base.empty or not base.estimate.iloc[0]:
        raise CannotSay("the difference under the gap rule in force could not be estimated")
    chosen = base.iloc[0]
    moved = (rows.estimate / chosen.estimate - 1).abs()
    other = rows.loc[moved.idxmax()]
    said = f"{chosen.estimate:.0f} days at {chosen.setting}, {other.estimate:.0f} at {other.setting}"
    return round(moved.max(), DIGITS), f"under {rules} gap rules the difference stands; {said}"


@checks("H26")
def naive_incidence(seen: Seen):
    """Give the share of spells ended by a competing event, unless incidences stand that leave room for each other.

    One minus Kaplan-Meier, cause by cause, adds up to more than 1; Aalen-Johansen never does, and has a curve for
    every competing end.
    """
    roles = seen.setting("engagement", "end_reasons")
    spells = seen.table("spells", "spell == 1")
    competing = spells.end_reason.map(roles) == "competing"
    share = float(competing.mean())
    # In whole percent above: with more digits the share of a known number gives few persons back.
    said = f"up to {math.ceil(100 * share)}% of spells end by a competing event"
    curves = seen.tables.get("cumulative_incidence", spells.iloc[:0])
    if curves.empty:
        return share, f"{said} and no Aalen-Johansen incidence is given"
    largest = curves.groupby(["arm", "day"]).incidence.sum().max()
    if largest > 1 + 1e-9:
        return 1.0, f"the incidences of an arm add up to {largest:.3f}: more than one"
    missing = set(spells.end_reason[competing]) - set(curves.end_reason)
    said += f"; incidences add up to at most {largest:.3f}"
    return (share, f"{said}, but {len(missing)} of the competing ends have none") if missing else (0.0, said)


@checks("H27")
def hazards_not_proportional(seen: Seen):
    """Ask whether hazards are proportional, and whether what does not need it stands: restricted means and pieces.

    They are not where a global test has p < 0.05 or the curves cross.
    """
    models = seen.table("engagement_models")
    tests = models[models.model.str.startswith("ph_test") & (models.term == "GLOBAL")].p_value.dropna()
    if tests.empty:
        raise CannotSay("proportional hazards could not be tested")
    crosses = models[models.model == "crossing"].estimate.notna().any()
    means = seen.table("engagement", PRIMARY).estimate.notna().any()
    pieces = models[models.model == "piecewise_exponential"].ratio.notna().sum() > 1
    remark = f"global test p = {tests.min():.3f}; the curves {'cross' if crosses else 'do not cross'}; " + (
        "restricted means are the headline and hazard ratios are given by interval"
        if means and pieces
        else "no restricted mean, or no hazard ratio by interval"
    )
    return float((tests.min() < 0.05 or crosses) and not (means and pieces)), remark


@checks("H28")
def restricted_mean_errors(seen: Seen):
    """Count restricted means beyond follow-up, without an error or a reason, or with the spread of min(T, horizon)
    in the place of the squared error.

    Beyond follow-up: nobody of the arm was observed to the horizon, and not all had ended.
    """
    means = seen.table("engagement", "estimand.str.startswith('rmst')")
    bare = means.estimate.notna() & means.std_error.isna() & means.reason.isna()
    settings = seen.setting("engagement", "end_reasons"), seen.setting("episodes", "spell_gap_days")
    persons = engaged_persons(seen.table("cohort"), seen.table("spells"), *settings)
    beyond = wrong = 0
    arms = means[(means.estimand == "rmst") & (means.method == "kaplan_meier") & (means.clock == "contact")]
    for row in arms[arms.estimate.notna()].itertuples():
        mine = persons[persons.arm == row.arm]
        table = risk_table(mine.days, mine.role != "censor").total()
        kept = survival_of(table)
        beyond += mine.days.max() < row.tau_days and kept[-1:].min(initial=1.0) > 1e-12
        spread = spread_of_restricted(table.time, kept, row.tau_days)
        given = [error**2 for error in (row.std_error, row.naive_std_error) if pd.notna(error)]
        wrong += any(abs(error - spread) <= 0.01 * spread for error in given)
    return (
        bare.sum() + beyond + wrong,
        f"{beyond} beyond follow-up, {wrong} with the spread of the days as their error",
    )


def spread_of_restricted(time, survival, tau: float) -> float:
    """Variance of min(T, tau) days: 2 ∫ t S(t) dt less the squared mean."""
    edges = np.concatenate([[0.0], np.minimum(time, tau), [tau]])
    kept = np.concatenate([[1.0], survival])
    return float(kept @ np.diff(edges**2) - (kept @ np.diff(edges)) ** 2)


@checks("H29")
def clusters(seen: Seen):
    """Ask whether errors know that the arm comes with the provider, and whether few providers are allowed for.

    2 where the headline's error is not by provider, or an arm has fewer than 20 providers and no permutation or
    wild bootstrap of providers stands; 1 where an arm has fewer than 20 and one stands, or where an error that takes
    persons as independent would be less than 0.8 of the given one; else 0.
    """
    headline = seen.table("engagement", PRIMARY)
    headline = headline[headline.std_error.notna()]
    if headline.empty:
        raise CannotSay("the headline has no error")
    cohort = seen.table("cohort", "arm in ('RSN', 'CSP')")
    providers = int(cohort.groupby("arm").provider_id.nunique().min())
    ratio = float((headline.naive_std_error / headline.std_error).min())
    tests = seen.tables.get("engagement_models", headline.assign(model="", p_value=None))
    small = tests[tests.model.isin(["permutation", "wild_bootstrap"])].p_value.notna().any()
    by_provider = (headline.error_unit == "provider").all()
    few = providers < FEW_PROVIDERS
    remark = (
        f"{providers} providers in the smaller arm; errors by {'provider' if by_provider else 'person'}; an error of "
        f"independent persons would be {ratio:.2f} of it; "
        + ("tests that move providers stand beside it" if small else "no test for few providers")
    )
    if not by_provider or (few and not small):
        return 2.0, remark
    return float(few or ratio < NAIVE_SHARE), remark


@checks("H30")
def covariates_after_baseline(seen: Seen):
    """Count covariates of the balance table that are not among what the cohort knows at discharge."""
    named = {part for covariate in seen.table("balance").covariate for part in covariate.split(" × ")}
    return len(named - KNOWN_AT_DISCHARGE)


@checks("H31")
def imbalance(seen: Seen):
    """Give the largest standardised difference that overlap weighting leaves, or how far clones' mean weight is from 1.

    1 where weights are extreme: one over 20 times its arm's mean, or an arm that tells as much as under half its
    persons; of the clones of the target trial, a stabilised weight over 20, or a day half as telling.
    """
    after = seen.table("balance").smd_after.dropna().abs()
    if after.empty:
        raise CannotSay("no covariate could be weighted")
    weights = seen.tables.get("weights", pd.DataFrame(columns=["arm", *WEIGHTINGS]))
    columns = [mine[name].to_numpy(float) for _, mine in weights.groupby("arm") for name in WEIGHTINGS]
    usable = [weight for weight in columns if weight.sum() > 0]
    largest = max((weight.max() / weight.mean() for weight in usable), default=1.0)
    least = min((effective_size(weight) / len(weight) for weight in usable), default=1.0)
    is_extreme = largest > LARGEST_WEIGHT or least < LEAST_EFFECTIVE or len(usable) < len(columns)
    remark = (
        f"largest weight {largest:.1f} times its arm's mean; an arm tells as much as {100 * least:.0f}% of its persons"
    )
    clones = seen.tables.get("trial_weights", pd.DataFrame(columns=["mean_weight"])).dropna(subset=["mean_weight"])
    if clones.empty:
        return max(after.max(), float(is_extreme)), remark
    away = clones.loc[(clones.mean_weight - 1).abs().idxmax()]
    left = (clones.effective_persons / clones.persons).min()
    is_extreme |= bool(clones.largest_weight.max() > LARGEST_WEIGHT or left < LEAST_EFFECTIVE)
    remark += (
        f"; clones' weights: mean {away.mean_weight:.2f} at its furthest from 1, largest "
        f"{clones.largest_weight.max():.1f}; a day tells as much as {100 * left:.0f}% of its clones"
    )
    return max(after.max(), round(abs(away.mean_weight - 1), DIGITS), float(is_extreme)), remark


@checks("H32")
def positivity(seen: Seen):
    """Give the share of members whose arm was all but certain."""
    return 1 - seen.table("weights").propensity.between(0.05, 0.95).mean()


@checks("H34")
def single_contacts(seen: Seen):
    """Say whether leaving out spells of a single contact changes the sign of the difference."""
    rows = seen.table("sensitivity", "factor == 'single-contact spells'")
    changes = rows.sign_change.dropna()
    if changes.empty:
        raise CannotSay("the difference without single contacts could not be estimated")
    return float(changes.any())


def _last(rows):
    return rows.sort_values("tau_days").iloc[-1]
