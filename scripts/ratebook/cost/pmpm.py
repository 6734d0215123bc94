"""Cost per month, in every variant, with both halves of the ratio named."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import MONTH_RULES, Pmpm
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel
from ratebook.cost.panels import MEMBERS_OF, named_providers
from ratebook.cost.resample import contrast, draw_providers, equal_units, per, student, summary
from ratebook.dates import MONTH_DAYS
from ratebook.tables import frame_of

ENGAGED = {"exact": "engaged_exact_months", "calendar": "engaged_calendar_months", "ceil30": "engaged_ceil30_months"}
DENOMINATORS = {
    "exact": "engaged months: engaged days / 30.4375",
    "calendar": "engaged months: calendar months touched",
    "ceil30": "engaged months: days / 30 of each spell, rounded up",
    "eligible": "eligible member months in follow-up",
}
POPULATION = "whole population: nothing was sampled, so no limits"


def price_pmpm(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    client_intervals: pd.DataFrame,
    total_cost: pd.DataFrame,
    population_costs: pd.DataFrame,
    population_months: pd.DataFrame,
    mm_rule: str,
    boot_reps: int,
    seed: int,
) -> pd.DataFrame:
    """Price a month in variants P1 to P6 for each arm, and total cost for the population.

    A PMPM is the ratio of the sums, never the mean of members' ratios: P6 is that mean, shown for its difference.
    Standard errors are linearised, with residuals summed by provider; beside them stand those of the providers drawn
    for `total_cost`. Limits use Student's t, on the logarithm, with as many degrees of freedom as equally large
    providers would give. P5 is adjusted already: its error is the drawn one. The population has no limits: everyone in
    it is counted, and months and persons of one year are no sample of another's; how far its cost swings from year to
    year is not to be read from one year's claims.

    Parameters
    ----------
    follow_up, person_costs, client_intervals, total_cost, population_costs, population_months : pandas.DataFrame
        As the contracts of the same names.
    mm_rule : str
        The rule eligible months were counted by.
    boot_reps, seed : int
        Replicates of providers.

    Returns
    -------
    pandas.DataFrame
        As `Pmpm`.

    References
    ----------
    methods.md, D2, H35, H36 and H70.
    """
    members = member_totals(follow_up, person_costs, client_intervals)
    weights = _draw(members, boot_reps, seed)
    rows = []
    for rule, column in ENGAGED.items():
        rows += _arms(members, weights, "P1", "program", column, rule)
        rows += _arms(members, weights, "P3", "total_sud", column, rule)
        rows += _arms(_ratios(members, column), weights, "P6", "program", column, rule)
    # Cost in engaged days belongs to engaged days: over calendar or rounded months it would mix two rules.
    rows += _arms(members, weights, "P3", "total_sud_engaged", ENGAGED["exact"], "exact")
    rows += _arms(members, weights, "P2", "program", "eligible_months", mm_rule)
    rows += _arms(members, weights, "P4", "total_sud", "eligible_months", mm_rule)
    rows += _arms(members, weights, "TCOC", "tcoc", "eligible_months", mm_rule)
    rows += _adjusted(total_cost)
    rows += _population(population_costs, population_months, mm_rule)
    return frame_of(rows, Pmpm).fillna({"part_of": "all"})


def member_totals(follow_up: pd.DataFrame, person_costs: pd.DataFrame, client_intervals: pd.DataFrame) -> pd.DataFrame:
    """Sum each member of an arm over observed follow-up: costs, unobserved costs, engagement, the log."""
    members = follow_up[follow_up.arm.isin(ARMS)].set_index("person_id").sort_index()
    post = person_costs[person_costs.window == "post"]
    after = person_costs[person_costs.window == "unobserved"]
    for name, categories in MEMBERS_OF.items():
        for prefix, rows in {"": post, "unobserved_": after}.items():
            sums = rows[rows.category.isin(categories)].groupby("person_id").cost_usd.sum()
            members[f"{prefix}{name}"] = sums.reindex(members.index).fillna(0.0)
    sud = post[post.category.isin(MEMBERS_OF["total_sud"])]
    members["total_sud_engaged"] = sud.groupby("person_id").engaged_cost_usd.sum().reindex(members.index).fillna(0.0)
    members["unobserved_total_sud_engaged"] = 0.0
    counted = ["engaged_days", "spells", "contacts", "billable_units"]
    log = client_intervals.groupby("person_id")[counted].sum().reindex(members.index).fillna(0)
    members = members.join(log)
    members["engaged_exact_months"] = members.engaged_days / MONTH_DAYS
    members["provider_id"] = named_providers(members.provider_id, members.index).astype(object)
    cluster = [pd.Series(pd.factorize(own, sort=True)[0], own.index) for _, own in members.groupby("arm").provider_id]
    return members.assign(cluster=pd.concat([pd.Series(dtype=int), *cluster]))


def _draw(members: pd.DataFrame, reps: int, seed: int) -> dict[str, np.ndarray]:
    """Draw the providers of both arms as `total_cost` does: by arm a row a replicate, a column a `cluster`."""
    panels = {}
    for arm in ARMS:
        mine = members[members.arm == arm]
        if len(mine):
            days = np.zeros(len(mine), dtype=int)
            panels[arm] = Panel(
                days, days == 0, mine.cluster.to_numpy(), np.array([0, 1]), {}, mine.provider_id.to_numpy()
            )
    return draw_providers(panels, reps, seed)


def ratio_of_sums(above: np.ndarray, below: np.ndarray, cluster: np.ndarray) -> dict:
    """Divide the sums, with a linearised standard error clustered by provider.

    The variance is the sum over clusters of squared summed residuals above - R·below, over the squared sum
    below, times G / (G - 1). Limits are taken on the logarithm: a price has no negative limit.

    Returns
    -------
    dict
        `estimate_usd`, `std_error`, `lower`, `upper`, `clusters`, `equals` (the equally large clusters that would
        tell as much), `reason`; nan with a reason where nothing stands below the line or there is one cluster.
    """
    groups, codes, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    found = {"estimate_usd": np.nan, "std_error": np.nan, "lower": np.nan, "upper": np.nan}
    found |= {"clusters": len(groups), "equals": equal_units(sizes)}
    total = float(np.sum(below))
    if total <= 0:
        return {**found, "reason": "no month stands behind the rate"}
    ratio = float(np.sum(above)) / total
    if len(groups) < 2:
        return {**found, "estimate_usd": ratio, "reason": "fewer than two providers: no limits"}
    residual = np.bincount(codes, weights=above - ratio * below)
    error = float(np.sqrt((residual**2).sum() * len(groups) / (len(groups) - 1)) / total)
    spread = np.exp(student(found["equals"], 1) * error / ratio) if ratio > 0 else 1.0
    limits = {"estimate_usd": ratio, "std_error": error, "lower": ratio / spread, "upper": ratio * spread}
    return {**found, **limits, "reason": None}


def compare_ratios(first: dict, second: dict) -> dict:
    """Give the difference and the ratio of two independent arms; the ratio's limits are taken on its logarithm."""
    found = {
        "estimate_usd": first["estimate_usd"] - second["estimate_usd"],
        "clusters": first["clusters"] + second["clusters"],
        "reason": first["reason"] or second["reason"],
    }
    positive = first["estimate_usd"] > 0 and second["estimate_usd"] > 0
    if positive:
        found["ratio"] = first["estimate_usd"] / second["estimate_usd"]
    if found["reason"]:
        return found
    error = float(np.hypot(first["std_error"], second["std_error"]))
    quantile = student(first["equals"] + second["equals"], 2)
    found |= {"std_error": error, "lower": found["estimate_usd"] - quantile * error}
    found["upper"] = found["estimate_usd"] + quantile * error
    if positive:
        relative = [arm["std_error"] / arm["estimate_usd"] for arm in (first, second)]
        spread = np.exp(quantile * float(np.hypot(*relative)))
        found |= {"ratio_lower": found["ratio"] / spread, "ratio_upper": found["ratio"] * spread}
    return found


def _arms(members: pd.DataFrame, weights: dict, variant: str, numerator: str, months: str, rule: str) -> list[dict]:
    words = DENOMINATORS.get(rule, f"{DENOMINATORS['eligible']} ({rule})")
    words = f"members; each one's cost per month is averaged ({rule})" if variant == "P6" else words
    key = {"variant": variant, "numerator": numerator, "plan": "all", "month_rule": rule, "denominator": words}
    rows, found, draws = [], {}, []
    for arm in ARMS:
        mine = members.loc[members.arm == arm, [numerator, months, "cluster", f"unobserved_{numerator}"]]
        above, below = mine[numerator].to_numpy(dtype=float), mine[months].to_numpy(dtype=float)
        found[arm] = ratio_of_sums(above, below, mine.cluster.to_numpy())
        draws.append(_redrawn(above, below, mine.cluster.to_numpy(), weights.get(arm)))
        halves = {"numerator_usd": above.sum(), "denominator_months": below.sum() or np.nan}
        halves = {} if variant == "P6" else halves
        excluded = mine[f"unobserved_{numerator}"].sum() if len(mine) else np.nan
        drawn = _boot("", draws[-1], student(found[arm]["equals"], 1), is_positive=True)
        facts = {"excluded_usd": excluded, "persons": int((below > 0).sum())}
        rows.append({**key, "arm": arm, **halves, **found[arm], **drawn, **facts})
    persons = sum(row["persons"] for row in rows)
    difference, ratio = contrast(*draws)
    reach = student(sum(part["equals"] for part in found.values()), 2)
    drawn = _boot("", difference, reach) | _boot("ratio_", ratio, reach, is_positive=True)
    compared = compare_ratios(*[found[arm] for arm in ARMS])
    return [*rows, {**key, "arm": "difference", "persons": persons, **compared, **drawn}]


def _redrawn(above: np.ndarray, below: np.ndarray, cluster: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Give the ratio of the sums and its replicates, from each provider's own sums."""
    if weights is None:
        return np.array([np.nan])
    sums = [np.bincount(cluster, weights=values, minlength=weights.shape[1]) for values in (above, below)]
    return per(*(weights @ one for one in sums))


def _boot(of: str, draws: np.ndarray, reach: float, is_positive: bool = False) -> dict:
    """Name the error and the limits of replicates; the error of a ratio of arms is not given."""
    found = summary(draws, "", reach, is_positive)
    found = {f"boot_{of}{name}": found[name] for name in ("std_error", "lower", "upper")}
    return {name: value for name, value in found.items() if name != "boot_ratio_std_error"}


def _ratios(members: pd.DataFrame, months: str) -> pd.DataFrame:
    """Give members' own ratios, with a one below the line, so that their ratio of sums is the mean of ratios."""
    engaged = members[members[months] > 0]
    return engaged.assign(program=engaged.program / engaged[months], **{months: 1.0})


def _adjusted(total_cost: pd.DataFrame) -> list[dict]:
    """P5: the censoring-adjusted cost per member, as it stands in `total_cost`."""
    chosen = total_cost[
        (total_cost.method == "partitioned") & total_cost.estimand.isin(["program", "total_sud", "tcoc"])
    ]
    shared = ["arm", "estimate_usd", "std_error", "lower", "upper", "ratio", "ratio_lower", "ratio_upper"]
    shared += ["persons", "clusters", "reason"]
    return [
        {
            "variant": "P5",
            "numerator": row["estimand"],
            "plan": "all",
            "month_rule": "none",
            "denominator": f"members, to day {row['horizon_days']} after discharge, adjusted for censoring",
            **{name: row[name] for name in shared},
            **{f"boot_{name}": row[name] for name in ("std_error", "lower", "upper", "ratio_lower", "ratio_upper")},
        }
        for row in chosen.to_dict("records")
    ]


def _population(costs: pd.DataFrame, months: pd.DataFrame, mm_rule: str) -> list[dict]:
    """Total cost per member month of everyone: in all, by group and by category, for each plan and all plans.

    A person in several months of a plan counts once a month, so no count of persons is given but the most of a
    month: of users there are at least so many. What is left out is given in all, for few may stand behind a part.
    """
    plans = ["all", *sorted(months.plan.unique())] if len(months) else ["all"]
    rows = []
    for plan in plans:
        of_plan = costs if plan == "all" else costs[costs.plan == plan]
        covered = of_plan[of_plan.is_covered].groupby("category").cost_usd.sum()
        outside = of_plan.cost_usd[~of_plan.is_covered].sum()
        users = (
            of_plan[of_plan.is_covered].groupby(["category", "service_month"]).users.sum().groupby("category").max()
        )
        total = float(months.member_months[(months.plan == plan) | (plan == "all")].sum())
        groups = {name: MEMBERS_OF[name] for name in ("tcoc", "total_sud")} | {c: (c,) for c in CATEGORIES}
        for numerator, categories in groups.items():
            paid = float(covered.reindex(list(categories)).sum())
            rows.append(
                {
                    "variant": "TCOC",
                    "numerator": numerator,
                    "arm": "all",
                    "plan": plan,
                    "month_rule": mm_rule,
                    "denominator": f"eligible member months of everyone ({mm_rule})",
                    "numerator_usd": paid,
                    "denominator_months": total or np.nan,
                    "estimate_usd": paid / total if total else np.nan,
                    "users": int(users.reindex(list(categories)).fillna(0).max()),
                    "part_of": _part_of(numerator),
                    "excluded_usd": float(outside) if (plan, numerator) == ("all", "tcoc") else np.nan,
                    "reason": POPULATION if total else "no month stands behind the rate",
                }
            )
    return rows


def _part_of(numerator: str) -> str:
    """Name the printed total that a category of the population adds to."""
    if numerator not in CATEGORIES:
        return "all"
    return "total_sud" if numerator in MEMBERS_OF["total_sud"] else "other_care"


assert set(ENGAGED) == set(MONTH_RULES)
