"""Checks of cost: denominators, censoring, intervals, the index stay, calendar, decomposition (H21, H35 to H46, H70)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import METHODS
from ratebook.contracts.cost_exhibits import EXHIBITED
from ratebook.contracts.episodes import ARMS
from ratebook.review.seen import CannotSay, Seen, checks

CENSORED = 0.05
"""Share of members censored beyond which a mean of available cases is an error."""
ADJUSTED = ("partitioned", "simple")
"""Means by Bang and Tsiatis, by interval and not: both have to be there where censoring matters."""
SAME = 1e-6
SHARES_APART = 0.10
"""Difference between two arms' shares of members that a draw of hundreds does not make."""
DAYS_APART = 90
UNCOMPARED = 3.0
"""Stands for any spike where a before-after has no comparison."""
EARLIER_MONTH = -4
"""From this month before admission back, cost is not yet that of the crisis."""
WITHDRAWAL = ("WM_HOSP", "WM_RES")


@checks("H21")
def spike_before(seen: Seen):
    """Give the cost of the month before admission over that of the months before, in the arm where it is highest."""
    events = seen.table("event_study", "estimand == 'total_sud' and dollars == 'nominal' and event_month < 0")
    cost = events[events.contrast.isin(ARMS)].pivot_table(
        index="event_month", columns="contrast", values="estimate_usd", observed=True
    )
    earlier = cost[cost.index <= EARLIER_MONTH].mean()
    if -1 not in cost.index or not (earlier > 0).any():
        raise CannotSay("cost before admission is not known by month")
    ratio = (cost.loc[-1] / earlier[earlier > 0]).max()
    compared = seen.table("did", "contrast == 'RSN-CSP' and quantity == 'difference_in_differences'").estimate
    if compared.notna().any():
        return ratio, "each arm's change is read against the other's"
    return max(ratio, UNCOMPARED), "no arm's change has another's beside it"


@checks("H35")
def denominator_stated(seen: Seen):
    """Count PMPM rows without variant, rule or denominator, and comparisons that are not of one and the same."""
    pmpm = seen.table("pmpm")
    words = ["variant", "month_rule", "denominator"]
    unsaid = pmpm[words].fillna("").map(lambda text: not str(text).strip()).any(axis=1)
    arms = pmpm[pmpm.arm.isin([*ARMS, "difference"])]
    mixed = 0
    for _, rows in arms.groupby(["variant", "numerator", "plan", "month_rule"], dropna=False):
        usd = rows.set_index("arm").estimate_usd
        told = rows.denominator.nunique() != 1 or set(rows.arm) != {*ARMS, "difference"}
        mixed += told or _apart(usd.get("RSN", np.nan) - usd.get("CSP", np.nan), usd.get("difference", np.nan))
    return unsaid.sum() + mixed, f"{len(pmpm)} rows, {mixed} of them across variants" if mixed else f"{len(pmpm)} rows"


@checks("H36")
def mean_of_ratios(seen: Seen):
    """Count headline prices that are not the ratio of their sums: of the exhibit, and of every PMPM with both halves."""
    pmpm = seen.table("pmpm")
    exhibit = seen.table("pmpm_exhibit")
    wrong = (~exhibit.variant.isin(EXHIBITED)).sum()
    for rows in (pmpm[pmpm.variant != "P6"], exhibit):
        halves = rows[rows.numerator_usd.notna() & (rows.denominator_months > 0)]
        ratio = halves.numerator_usd / halves.denominator_months
        wrong += int(((halves.estimate_usd - ratio).abs() > SAME * ratio.abs().clip(lower=SAME)).sum())
        monthly = rows[rows.variant.isin(["P1", "P2", "P4"]) & rows.arm.isin(ARMS) & rows.estimate_usd.notna()]
        wrong += int(monthly.numerator_usd.isna().sum())
    return wrong, "the mean of ratios, P6, is shown for its difference only"


@checks("H37")
def kaplan_meier_cost(seen: Seen):
    """Count cost estimates of a method that is not made for cost, and members whose end of engagement censors it."""
    cost = seen.table("total_cost")
    members = seen.table("follow_up")
    wrong = int((~cost.method.isin(METHODS)).sum())
    wrong += int((~members.end_reason.isin(["horizon", "death", "disenrolled", "end_of_data"])).sum())
    return wrong + int((members.is_complete != members.end_reason.isin(["horizon", "death"])).sum())


@checks("H38")
def available_cases(seen: Seen):
    """Count arms with more than 5% censored that lack one of the means by Bang and Tsiatis, or quote another."""
    cost = seen.table("total_cost", "arm != 'difference'")
    adjusted = cost.pivot_table("estimate_usd", ["estimand", "arm"], "method").reindex(columns=list(ADJUSTED))
    censored = cost.groupby(["estimand", "arm"]).censored_share.max()
    matters = censored > CENSORED
    lacking = adjusted.reindex(matters.index).isna().any(axis=1) & matters
    quoted = seen.table("pmpm", "variant == 'P5' and arm != 'difference'").set_index(["numerator", "arm"]).estimate_usd
    primary = adjusted.partitioned.reindex(quoted.index)
    other = ((quoted - primary).abs() > SAME * primary.abs()) | (quoted.notna() & primary.isna())
    return int(lacking.sum() + other.sum()), f"{100 * censored.max():.0f}% censored in the arm with most"


@checks("H39")
def log_models(seen: Seen):
    """Count models of the logarithm of cost without smearing, and differences that are not of two means in dollars."""
    models = seen.table("cost_models")
    is_log = models.method.str.contains("log") | models.family.fillna("").str.contains("log")
    unsmeared = (is_log & ~models.method.str.contains("smearing")).sum()
    usd = models.pivot_table("estimate_usd", ["estimand", "method"], "arm")
    if not {*ARMS, "difference"} <= set(usd.columns):
        raise CannotSay("no model could be fitted in both arms")
    # A coefficient of a log link, or its exponential, is no difference of two means in dollars.
    dollars = (usd.difference - (usd.RSN - usd.CSP)).abs() > SAME * usd.abs().max(axis=1)
    alone = usd.difference.notna() & (usd.RSN.isna() | usd.CSP.isna())
    return unsmeared + (dollars | alone).sum(), "differences are of recycled predictions, in dollars"


@checks("H40")
def interval_on_difference(seen: Seen):
    """Count differences and ratios of cost with neither an interval nor a reason, or of intervals without providers."""
    wrong = 0
    for name in ("pmpm", "total_cost", "pmpm_exhibit", "cost_by_category"):
        rows = seen.table(name, "arm == 'difference'")
        lacks = rows.lower.isna() | rows.upper.isna()
        if "ratio" in rows:
            lacks |= rows.ratio.notna() & (rows.ratio_lower.isna() | rows.ratio_upper.isna())
        wrong += int((lacks & rows.reason.isna()).sum())
        if "clusters" in rows:
            has_limits = rows.lower.notna()
            # Members drawn one by one are as many clusters as members.
            wrong += int((has_limits & ~((rows.clusters >= 2) & (rows.clusters < rows.persons))).sum())
    rows = seen.table("increments")
    lacks = rows[["difference_lower", "difference_upper"]].isna().any(axis=1) & rows.difference_usd.notna()
    return wrong + int((lacks & rows.reason.isna()).sum())


@checks("H41")
def trimmed(seen: Seen):
    """Count cohort members who are in no cost table or estimate, and primary models that cut costs."""
    cohort, members = seen.table("cohort"), seen.table("follow_up")
    missing = len(set(cohort.person_id) - set(members.person_id))
    cost = seen.table("total_cost", "arm != 'difference'")
    counts = cohort.arm.value_counts()
    for arm in ARMS:
        of_arm = cost.persons[cost.arm == arm]
        missing += int((counts.get(arm, 0) - of_arm).clip(lower=0).max()) if len(of_arm) else 0
    models = seen.tables.get("cost_models")
    if models is None or models.empty:
        return missing
    cuts = models.method.isin(["winsorised", "capped"]) & models.is_primary
    lost = models.persons[models.is_primary & (models.arm == "difference")]
    lost = (sum(counts.get(arm, 0) for arm in ARMS) - lost).clip(lower=0).max() if len(lost) else 0
    return missing + int(lost) + int(cuts.sum()), "cut costs are shown as sensitivity only"


@checks("H42")
def index_stay(seen: Seen):
    """Say whether the arms' index stays are counted differently: in its own window in one, in follow-up in the other.

    By arm, the share of members with a dollar of withdrawal in the window of the index stay, and the share without
    one there but with one in the first interval after discharge.
    """
    members = seen.table("follow_up")
    costs = seen.table("person_costs", "cost_usd != 0")
    costs = costs[costs.category.isin(WITHDRAWAL)]
    index = set(costs.person_id[costs.window == "index"])
    after = set(costs.person_id[(costs.window == "post") & (costs.interval == 1)])
    shares = {}
    for arm in ARMS:
        mine = set(members.person_id[members.arm == arm])
        if not mine:
            raise CannotSay("an arm has no member")
        shares[arm] = (len(mine & index) / len(mine), len(mine & (after - index)) / len(mine))
    apart = max(abs(rsn - csp) for rsn, csp in zip(*[shares[arm] for arm in ARMS]))
    told = "; ".join(
        f"{arm} {100 * own:.0f}% in its own window, {100 * moved:.0f}% after" for arm, (own, moved) in shares.items()
    )
    return float(apart > SHARES_APART), told


@checks("H43")
def calendar(seen: Seen):
    """Give the days between the arms' median index discharges; none where costs stand at one year's prices too."""
    cohort = seen.table("cohort")
    days = {arm: pd.to_datetime(cohort.discharge_date[cohort.arm == arm]) for arm in ARMS}
    if any(dates.empty for dates in days.values()):
        raise CannotSay("an arm has no member")
    apart = abs((days["RSN"].median() - days["CSP"].median()).days)
    prices = seen.tables.get("price_comparison")
    is_repriced = prices is not None and bool(prices.estimate_usd[prices.dollars == "real"].notna().any())
    if is_repriced and apart > DAYS_APART:
        return 0, f"{apart} days apart, and shown at the base year's prices"
    return apart, f"{'shown' if is_repriced else 'not shown'} at the base year's prices"


@checks("H44")
def outside_cost(seen: Seen):
    """Say whether the case-rate arm has no cost outside claims on record, or it is in no perspective."""
    seen.table("cohort", "arm == 'RSN'")
    outside = seen.tables.get("outside_costs")
    has_cost = outside is not None and (outside.program == "RSN").any()
    if not has_cost:
        return 1.0, "none is on record"
    shown = seen.table("perspectives", "perspective != 'claims' and arm == 'RSN'")
    on_record = outside[(outside.program == "RSN") & outside.client_usd.notna()].client_usd.sum()
    clients = shown[(shown.per == "client") & shown.estimand.isin(["program", "outside"])]
    if _apart(clients.outside_usd.sum(), on_record) and clients.outside_usd.notna().all():
        return 1.0, "what is on record is not what the perspectives show"
    return 0.0, "shown by perspective, never inside the cost of claims"


@checks("H45")
def ratio_without_quadrant(seen: Seen):
    """Count ratios of cost to effect with no quadrant, with another than their signs', or that are not the ratio."""
    rows = seen.table("increments")
    rows = rows[rows.icer_usd.notna()]
    signs = np.where(rows.difference_usd >= 0, "N", "S").astype(object) + np.where(
        rows.difference_months >= 0, "E", "W"
    )
    ratio = rows.difference_usd / rows.difference_months
    return ((rows.quadrant != signs) | ((rows.icer_usd - ratio).abs() > SAME * ratio.abs())).sum()


@checks("H46")
def residual(seen: Seen):
    """Give the largest share that parts leave of a whole: of the decomposition, and of categories of the total.

    A part that is undefined counts as missing, and so leaves a residual.
    """
    parts = seen.table("decomposition")
    if parts.effect_usd.isna().all():
        raise CannotSay("the difference could not be split")
    total = seen.table("total_cost", "method == 'partitioned'").set_index(["estimand", "arm"]).estimate_usd
    difference = total.get(("total_sud", "difference"), np.nan)
    if difference != difference or difference == 0:
        raise CannotSay("there is no difference to split")
    shares = {"parts of the difference": abs(parts.effect_usd.sum() - difference) / abs(difference)}
    by_category = seen.table("cost_by_category", "window == 'post'")
    for arm in ARMS:
        rows, whole = by_category[by_category.arm == arm], total.get(("tcoc", arm), np.nan)
        lacks = set(CATEGORIES) - set(rows.category) or whole != whole or whole == 0
        shares[f"categories of {arm}"] = 1.0 if lacks else abs(rows.estimate_usd.sum() - whole) / abs(whole)
    worst = max(shares, key=shares.get)
    return shares[worst], f"largest in {worst}"


@checks("H70")
def denominators_side_by_side(seen: Seen):
    """Count which of P1, P2, P4 and P5 stand side by side for both arms, each with both halves in words."""
    seen.table("total_cost")
    rows = seen.table("pmpm_exhibit")
    told = rows[(rows.numerator_words.fillna("") != "") & (rows.denominator.fillna("") != "")]
    arms = told.groupby("variant").agg(arms=("arm", set), words=("denominator", "nunique"))
    whole = arms.arms.map(lambda found: {*ARMS, "difference"} <= found) & (arms.words == 1)
    return int(whole[whole.index.isin(EXHIBITED)].sum())


def _apart(first: float, second: float) -> bool:
    """Say whether two amounts differ by more than a machine's last digits; two that are missing do not."""
    if np.isnan(first) or np.isnan(second):
        return bool(np.isnan(first) != np.isnan(second))
    return bool(abs(first - second) > SAME * max(abs(first), abs(second), 1.0))
