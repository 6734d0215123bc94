"""Checks of engagement: clocks, curves, models, weights (H23 to H34)."""

from __future__ import annotations

from ratebook.review.seen import CannotSay, Seen, checks

PRIMARY = "estimand == 'rmst_difference' and clock == 'contact' and method == 'kaplan_meier'"


@checks("H23")
def different_clocks(seen: Seen):
    """Compare what the clocks disagree by with the effect, both as the longest horizon gives them."""
    effect = _last(seen.table("engagement", PRIMARY)).estimate
    same = seen.table("engagement", "estimand == 'rmst_difference'").clock
    if not effect or effect != effect:
        raise CannotSay("the effect on engagement could not be estimated")
    return 0.0 if "contact" in set(
        same
    ) else 1.0, "both arms are timed by contacts; the administrative clock is shown beside it"


@checks("H24")
def gap_rule_varied(seen: Seen):
    """Count the gap rules by which spells were built."""
    return seen.table("spells_by_gap").spell_gap_days.nunique()


@checks("H26")
def naive_incidence(seen: Seen):
    """Give the share of spells ended by a competing event, unless an Aalen-Johansen estimate stands."""
    spells = seen.table("spells")
    share = spells.end_reason.isin(["death", "readmitted"]).mean()
    if "cumulative_incidence" in seen.tables and len(seen.tables["cumulative_incidence"]):
        return 0.0, f"{100 * share:.1f}% of spells end by a competing event; Aalen-Johansen incidence is given"
    return share


@checks("H27")
def hazards_not_proportional(seen: Seen):
    """Ask the global test of proportional hazards, and whether restricted means are given."""
    tests = seen.table("engagement_models", "model.str.startswith('ph_test') and term == 'GLOBAL'")
    p_value = tests.p_value.min()
    has_mean = seen.table("engagement").estimand.str.startswith("rmst").any()
    remark = f"global test p = {p_value:.3f}; " + (
        "restricted means are the headline" if has_mean else "no restricted mean"
    )
    return float(p_value < 0.05 and not has_mean), remark


@checks("H28")
def restricted_mean_errors(seen: Seen):
    """Count restricted means that stand without a standard error and without a reason."""
    means = seen.table("engagement", "estimand.str.startswith('rmst')")
    return (means.estimate.notna() & means.std_error.isna() & means.reason.isna()).sum()


@checks("H29")
def clusters(seen: Seen):
    """Count providers in the smaller arm."""
    cohort = seen.table("cohort", "arm in ('RSN', 'CSP')")
    providers = cohort.groupby("arm").provider_id.nunique()
    return providers.min(), "providers are resampled; with few of them intervals are too narrow"


@checks("H30")
def covariates_after_baseline(seen: Seen):
    """Count covariates of the balance table that the cohort does not know at discharge."""
    after = {"first_contact_date", "follow_end_date", "follow_end_reason", "readmission_date", "is_both_programs"}
    return seen.table("balance").covariate.isin(after).sum()


@checks("H31")
def imbalance(seen: Seen):
    """Give the largest standardised difference that overlap weighting leaves."""
    after = seen.table("balance").smd_after.dropna().abs()
    if after.empty:
        raise CannotSay("no covariate could be weighted")
    return after.max()


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
