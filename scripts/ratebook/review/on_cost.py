"""Checks of cost: denominators, censoring, intervals, decomposition (H35 to H46, H70)."""

from __future__ import annotations

from ratebook.review.seen import CannotSay, Seen, checks


@checks("H35")
def denominator_stated(seen: Seen):
    """Count PMPM rows with no denominator in words."""
    pmpm = seen.table("pmpm")
    return (pmpm.denominator.fillna("").str.len() == 0).sum()


@checks("H36")
def mean_of_ratios(seen: Seen):
    """Say whether the mean of ratios is the only price of an engaged month."""
    variants = set(seen.table("pmpm").variant)
    return float("P6" in variants and "P1" not in variants)


@checks("H37")
def kaplan_meier_cost(seen: Seen):
    """Count cost estimates of a method that is not made for cost, or where the end of engagement censors."""
    cost = seen.table("total_cost")
    known = ("partitioned", "lin", "simple", "zhao_tian", "available_case", "complete_case")
    wrong = (~cost.method.isin(known)).sum()
    reasons = set(seen.table("follow_up").end_reason)
    return wrong + len(reasons & {"disengaged", "graduated"})


@checks("H38")
def available_cases(seen: Seen):
    """Say whether censoring passes 5% with no adjusted mean."""
    cost = seen.table("total_cost", "arm != 'difference'")
    censored = cost.censored_share.max()
    adjusted = cost.estimate_usd[cost.method == "partitioned"].notna().any()
    return float(censored > 0.05 and not adjusted), f"{100 * censored:.0f}% censored in the arm with most"


@checks("H40")
def interval_on_difference(seen: Seen):
    """Count differences of cost with neither an interval nor a reason."""
    missing = 0
    for name in ("pmpm", "total_cost"):
        rows = seen.table(name, "arm == 'difference'")
        missing += ((rows.lower.isna() | rows.upper.isna()) & rows.reason.isna()).sum()
    return missing


@checks("H41")
def trimmed(seen: Seen):
    """Count cohort members who are in no cost table."""
    return len(seen.table("cohort")) - len(seen.table("follow_up"))


@checks("H42")
def index_stay(seen: Seen):
    """Say whether the index stay is left out of the post window in one arm only."""
    index = seen.table("cost_by_category", "window == 'index' and arm != 'difference'")
    return float(index.groupby("arm").estimate_usd.sum().gt(0).nunique() > 1)


@checks("H44")
def outside_cost(seen: Seen):
    """Say whether the case-rate arm has no cost outside claims on record."""
    seen.table("cohort", "arm == 'RSN'")
    outside = seen.tables.get("outside_costs")
    has_cost = outside is not None and (outside.program == "RSN").any()
    return float(not has_cost), "shown beside, never inside, the cost of claims" if has_cost else "none is on record"


@checks("H45")
def ratio_without_quadrant(seen: Seen):
    """Count ratios of cost to effect with no quadrant."""
    rows = seen.table("increments")
    return (rows.icer_usd.notna() & rows.quadrant.isna()).sum()


@checks("H46")
def residual(seen: Seen):
    """Give what the parts of the decomposition leave unexplained of the difference."""
    effects = seen.table("decomposition").effect_usd
    if effects.isna().all():
        raise CannotSay("the difference could not be split")
    whole = seen.table("total_cost", "estimand == 'total_sud' and arm == 'difference' and method == 'partitioned'")
    difference = whole.estimate_usd.iloc[0]
    if difference != difference or difference == 0:
        raise CannotSay("there is no difference to split")
    return abs(effects.sum() - difference) / abs(difference)


@checks("H70")
def denominators_side_by_side(seen: Seen):
    """Count how many of P1, P2, P4 and P5 stand in the released table."""
    seen.table("total_cost")
    return len({"P1", "P2", "P4", "P5"} & set(seen.table("pmpm").variant))
