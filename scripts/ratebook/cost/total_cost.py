"""Mean cost per member to the horizon, by arm, by method and by category, with every interval resampled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import COSTS, METHODS, CostByCategory, CostCurve, TotalCost
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel, accrued_cost, mean_cost, observed_share
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.resample import contrast, replicate, summary
from ratebook.tables import empty_frame

UNADJUSTED = ("available_case", "complete_case")


def estimate_total_cost(
    follow_up: pd.DataFrame, person_costs: pd.DataFrame, client_intervals: pd.DataFrame, settings: dict
) -> dict[str, pd.DataFrame]:
    """Estimate mean cost per member from discharge to the horizon, as if everyone had been observed to it.

    Censoring is weighted by arm. Providers are drawn with all their members, within arm, and censoring is
    estimated anew in each replicate; standard errors from drawing members stand beside, since providers are few.

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
    return {
        "total_cost": _total_cost(panels, settings),
        "cost_curve": _cost_curve(panels, settings),
        "cost_by_category": _by_category({**windows, "post": panels}, settings),
    }


def too_few_observed(panel: Panel, min_observed_share: float) -> str:
    """Say why an adjusted mean would lean on too few: the chance of being observed to the horizon is too small."""
    share = observed_share(panel, np.ones((1, panel.clusters)))[0, -1]
    few = share < min_observed_share or not (panel.followed_days >= panel.horizon).any()
    return "too few members are observed to the horizon: shorten cost.horizon_days" if few else ""


def _total_cost(panels: dict[str, Panel], settings: dict) -> pd.DataFrame:
    keys = [(name, method) for name in COSTS for method in METHODS]

    def statistics(panel: Panel, weights: np.ndarray) -> dict:
        return {(name, method): mean_cost(panel, name, method, weights) for name, method in keys}

    draws, member_draws = ({}, {})
    for number, (arm, panel) in enumerate(panels.items()):
        seed = [settings["seed"], number]
        draws[arm] = replicate(panel, statistics, settings["boot_reps"], seed)
        member_draws[arm] = replicate(panel.by_member(), statistics, settings["boot_reps"], seed)
    absent = {arm: too_few_observed(panel, settings["min_observed_share"]) for arm, panel in panels.items()}
    rows = []
    for name, method in keys:
        key = {"estimand": name, "method": method, "horizon_days": settings["horizon_days"]}
        why = {arm: "" if method in UNADJUSTED else reason for arm, reason in absent.items()}
        for arm in ARMS:
            facts = _facts(panels.get(arm))
            if arm not in panels:
                rows.append({**key, "arm": arm, **facts, "reason": "no member in the arm"})
                continue
            found = summary(draws[arm][name, method], why[arm])
            of_members = summary(member_draws[arm][name, method], why[arm])
            rows.append({**key, "arm": arm, **facts, **found, "member_std_error": of_members["std_error"]})
        facts = {
            "persons": sum(p.persons for p in panels.values()),
            "clusters": sum(p.clusters for p in panels.values()),
        }
        if len(panels) < len(ARMS):
            rows.append({**key, "arm": "difference", **facts, "reason": "one arm has no member"})
            continue
        reason = next((text for text in why.values() if text), "")
        difference, ratio = contrast(*[draws[arm][name, method] for arm in ARMS])
        of_members = contrast(*[member_draws[arm][name, method] for arm in ARMS])[0]
        found, ratios = summary(difference, reason), summary(ratio, reason)
        rows.append(
            {
                **key,
                "arm": "difference",
                **facts,
                **found,
                "member_std_error": summary(of_members, reason)["std_error"],
                "ratio": ratios["estimate"],
                "ratio_lower": ratios["lower"],
                "ratio_upper": ratios["upper"],
            }
        )
    return _frame(rows, TotalCost)


def _facts(panel: Panel | None) -> dict:
    if panel is None:
        return {"persons": 0, "clusters": 0}
    share = observed_share(panel, np.ones((1, panel.clusters)))[0, -1]
    return {
        "persons": panel.persons,
        "clusters": panel.clusters,
        "censored_share": 1 - panel.is_complete.mean(),
        "observed_share": share,
    }


def _cost_curve(panels: dict[str, Panel], settings: dict) -> pd.DataFrame:
    rows = []
    for number, (arm, panel) in enumerate(panels.items()):
        draws = replicate(
            panel,
            lambda panel, weights: {name: accrued_cost(panel, name, weights) for name in COSTS},
            settings["boot_reps"],
            [settings["seed"], number],
        )
        for name in COSTS:
            rows.append(
                {"estimand": name, "arm": arm, "day": 0, "estimate": 0.0, "lower": 0.0, "upper": 0.0}
                | {"persons": panel.persons}
            )
            for interval, day in enumerate(panel.edges[1:]):
                observed = int((panel.followed_days >= day).sum())
                absent = "" if observed else "nobody is observed to the day"
                found = summary(draws[name][:, interval], absent)
                rows.append({"estimand": name, "arm": arm, "day": int(day), "persons": observed, **found})
    return _frame(rows, CostCurve)


def _by_category(windows: dict[str, dict[str, Panel]], settings: dict) -> pd.DataFrame:
    names = [*CATEGORIES, *[f"units of {category}" for category in CATEGORIES]]

    def statistics(panel: Panel, weights: np.ndarray) -> dict:
        return {name: mean_cost(panel, name, "partitioned", weights) for name in names}

    rows = []
    for window, panels in windows.items():
        draws, absent = {}, {}
        for number, (arm, panel) in enumerate(panels.items()):
            draws[arm] = replicate(panel, statistics, settings["boot_reps"], [settings["seed"], number])
            absent[arm] = too_few_observed(panel, settings["min_observed_share"])
        for category in CATEGORIES:
            key = {"window": window, "category": category}
            for arm in panels:
                found = summary(draws[arm][category], absent[arm])
                units = draws[arm][f"units of {category}"][0] if np.isfinite(found["estimate"]) else np.nan
                price = draws[arm][category][0] / units if units > 0 else np.nan
                volume = {"units_per_member": units, "unit_price_usd": price, "persons": panels[arm].persons}
                rows.append({**key, "arm": arm, **volume, **found})
            if len(panels) == len(ARMS):
                difference = contrast(*[draws[arm][category] for arm in ARMS])[0]
                persons = sum(panel.persons for panel in panels.values())
                reason = next((text for text in absent.values() if text), "")
                rows.append({**key, "arm": "difference", "persons": persons, **summary(difference, reason)})
    return _frame(rows, CostByCategory)


def _frame(rows: list[dict], contract) -> pd.DataFrame:
    """Rows to a table of the contract; `estimate` is in dollars here, and says so."""
    frame = pd.DataFrame(rows).rename(columns={"estimate": "estimate_usd"})
    return frame.reindex(columns=list(contract.types()))
