"""Mean cost per member to the horizon, by arm, by method and by category, with every interval resampled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import COSTS, METHODS, CostByCategory, CostCurve, TotalCost
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel, Sample, accrued_cost, mean_cost, simple_std_error
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import MEMBERS_OF, build_panels
from ratebook.cost.resample import (
    contrast,
    draw_members,
    draw_providers,
    means_of,
    named,
    per,
    quantile,
    replicate,
    summary,
)
from ratebook.tables import empty_frame, frame_of

PRIMARY = "partitioned"
NO_MEMBER = "no member in the arm"
OF_AN_ARM = "units and prices are of an arm: not compared here"
NONE = np.array([np.nan])
UNADJUSTED = ("available_case", "complete_case")


def estimate_total_cost(
    follow_up: pd.DataFrame, person_costs: pd.DataFrame, client_intervals: pd.DataFrame, settings: dict
) -> dict[str, pd.DataFrame]:
    """Estimate mean cost per member from discharge to the horizon, as if everyone had been observed to it.

    Censoring is weighted by arm. Providers are drawn with all their members, within arm, and censoring is
    estimated anew in each replicate; limits use Student's t, on the logarithm for means and ratios. Beside them stand
    standard errors from drawing members, and for `simple` the one of its formula, which also takes members as alike.

    Parameters
    ----------
    follow_up, person_costs, client_intervals : pandas.DataFrame
        As `FollowUp`, `PersonCosts`, `ClientIntervals`.
    settings : dict
        `horizon_days`, `intervals`, `boot_reps`, `min_observed_share`, `seed`.

    Returns
    -------
    dict
        `total_cost`, `cost_curve`, `cost_by_category`; a table without a row where no arm has a member.

    References
    ----------
    methods.md, D4, D5 (bootstrap), H37 to H41.
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    panels = build_panels(follow_up, person_costs, client_intervals, edges)
    if not panels:
        kinds = {"total_cost": TotalCost, "cost_curve": CostCurve, "cost_by_category": CostByCategory}
        return {name: empty_frame(contract) for name, contract in kinds.items()}
    windows = {w: build_panels(follow_up, person_costs, client_intervals, edges, w) for w in ("pre", "index")}
    weights = draw_providers(panels, settings["boot_reps"], settings["seed"])
    return {
        "total_cost": total_costs(panels, weights, settings),
        "cost_curve": _cost_curve(panels, weights),
        "cost_by_category": _by_category({**windows, "post": panels}, weights, settings),
    }


def too_few_observed(panel: Panel, min_observed_share: float) -> str:
    """Say why an adjusted mean would lean on too few, and the longest horizon at which it would not.

    It does where the chance of being observed to the horizon is below `min_observed_share`, or nobody is.

    References
    ----------
    methods.md, D4: K(tau) below its floor shortens tau.
    """
    last = int(panel.followed_days.max(initial=0))
    enough = np.flatnonzero(Sample(panel).observed_share[0, : last + 1] >= min_observed_share)
    longest = int(enough.max(initial=0))
    if longest == panel.horizon:
        return ""
    return f"too few members are observed to the horizon: the longest cost.horizon_days that would do is {longest}"


def total_costs(panels: dict[str, Panel], weights: dict[str, np.ndarray], settings: dict) -> pd.DataFrame:
    """Estimate every cost by every method, arm by arm and between the arms, from panels and drawn providers."""

    def every_method(sample: Sample) -> dict:
        return {(name, method): mean_cost(sample, name, method) for name in COSTS for method in METHODS}

    reps, seeds = settings["boot_reps"], {arm: [settings["seed"], n] for n, arm in enumerate(ARMS)}
    draws = {arm: replicate(panel, every_method, [weights[arm]]) for arm, panel in panels.items()}
    by_member = {arm: draw_members(panel, means_of(COSTS), reps, seeds[arm]) for arm, panel in panels.items()}
    reach = {arm: quantile(panel) for arm, panel in panels.items()} | {"difference": quantile(*panels.values())}
    few = {arm: too_few_observed(panel, settings["min_observed_share"]) for arm, panel in panels.items()}
    facts = {arm: _facts(panels.get(arm)) for arm in ARMS}
    facts["difference"] = {count: sum(facts[arm][count] for arm in ARMS) for count in ("persons", "clusters")}
    rows = []
    for name, method in [(name, method) for name in COSTS for method in METHODS]:
        key = {"estimand": name, "method": method, "horizon_days": settings["horizon_days"]}
        absent = {arm: few.get(arm, NO_MEMBER) if method not in UNADJUSTED or arm not in few else "" for arm in ARMS}
        of_members = {arm: means[name] if method == PRIMARY else NONE for arm, means in by_member.items()}
        mine = {arm: (draws[arm][name, method], of_members[arm]) for arm in panels}
        found = {
            arm: _estimated(*mine.get(arm, (NONE, NONE)), absent[arm], reach.get(arm, np.nan), is_positive=True)
            for arm in ARMS
        }
        for arm, panel in panels.items() if method == "simple" else ():
            found[arm]["formula_std_error"] = np.nan if absent[arm] else simple_std_error(Sample(panel), name)
        if len(mine) == len(ARMS):
            (difference, ratio), (between, _) = (contrast(*pair) for pair in zip(*[mine[arm] for arm in ARMS]))
            reason = next(filter(None, absent.values()), "")
            found["difference"] = _estimated(difference, between, reason, reach["difference"])
            ratios = summary(ratio, reason, reach["difference"], is_positive=True)
            found["difference"] |= {"ratio": ratios["estimate"], "ratio_lower": ratios["lower"]}
            found["difference"] |= {"ratio_upper": ratios["upper"]}
        else:
            found["difference"] = {"reason": "one arm has no member"}
        rows += [{**key, "arm": arm, **facts[arm], **values} for arm, values in found.items()]
    return frame_of(rows, TotalCost, estimate_usd="estimate")


def _estimated(
    draws: np.ndarray, of_members: np.ndarray, absent: str, reach: float, is_positive: bool = False
) -> dict:
    found = summary(draws, absent, reach, is_positive)
    return found | {"member_std_error": summary(of_members, absent)["std_error"]}


def _facts(panel: Panel | None) -> dict:
    if panel is None:
        return {"persons": 0, "clusters": 0}
    share = Sample(panel).observed_share[0, -1]
    return {
        "persons": panel.persons,
        "clusters": panel.clusters,
        "censored_share": 1 - panel.is_complete.mean(),
        "observed_share": share,
    }


def _cost_curve(panels: dict[str, Panel], weights: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = []

    def statistics(sample: Sample) -> dict:
        return {name: accrued_cost(sample, name) for name in COSTS}

    for arm, panel in panels.items():
        draws, reach = replicate(panel, statistics, [weights[arm]]), quantile(panel)
        for name in COSTS:
            rows.append(
                {"estimand": name, "arm": arm, "day": 0, "estimate": 0.0, "lower": 0.0, "upper": 0.0}
                | {"persons": panel.persons}
            )
            for interval, day in enumerate(panel.edges[1:]):
                observed = int((panel.followed_days >= day).sum())
                absent = "" if observed else "nobody is observed to the day"
                found = summary(draws[name][:, interval], absent, reach, is_positive=True)
                rows.append({"estimand": name, "arm": arm, "day": int(day), "persons": observed, **found})
    return frame_of(rows, CostCurve, estimate_usd="estimate")


def _by_category(windows: dict[str, dict[str, Panel]], weights: dict[str, np.ndarray], settings: dict) -> pd.DataFrame:
    statistics = means_of([*CATEGORIES, *[f"units of {category}" for category in CATEGORIES]])
    rows = []
    for window, panels in windows.items():
        draws = {arm: replicate(panel, statistics, [weights[arm]]) for arm, panel in panels.items()}
        reach = {arm: quantile(panel) for arm, panel in panels.items()} | {"difference": quantile(*panels.values())}
        absent = {arm: too_few_observed(panel, settings["min_observed_share"]) for arm, panel in panels.items()}
        for category in CATEGORIES:
            key = {"window": window, "category": category, "part_of": part_of(category)}
            users = {arm: int((panel.amounts[category] != 0).any(axis=1).sum()) for arm, panel in panels.items()}
            for arm in panels:
                units, dollars = draws[arm][f"units of {category}"], draws[arm][category]
                found, used, price = (
                    summary(values, absent[arm], reach[arm], is_positive=True)
                    for values in (dollars, units, per(dollars, units))
                )
                volume = named(used, "units_per_member", "units") | named(price, "unit_price_usd", "unit_price")
                if found["reason"] is None:
                    found["reason"] = _why_no_price(volume)
                counts = {"persons": panels[arm].persons, "users": users[arm]}
                rows.append({**key, "arm": arm, **counts, **volume, **found})
            if len(panels) == len(ARMS):
                difference = contrast(*[draws[arm][category] for arm in ARMS])[0]
                persons = sum(panel.persons for panel in panels.values())
                reason = next(filter(None, absent.values()), "")
                found = summary(difference, reason, reach["difference"])
                found["reason"] = found["reason"] or OF_AN_ARM
                counts = {"persons": persons, "users": sum(users.values())}
                rows.append({**key, "arm": "difference", **counts, **found})
    return frame_of(rows, CostByCategory, estimate_usd="estimate")


def part_of(category: str) -> str:
    """Name the cost of which a category is a part: every one of them is printed beside its categories."""
    return next((name for name in ("program", "other_sud") if category in MEMBERS_OF[name]), "other_care")


def _why_no_price(volume: dict) -> str | None:
    """Say why a price, or its interval, is missing; None where both stand."""
    if np.isnan(volume["unit_price_usd"]):
        return "no unit was used: no price"
    return "unit price: too few replicates with a unit, no limits" if np.isnan(volume["unit_price_lower"]) else None
