"""Mean cost per member to the horizon, by arm, by method and by category, with every interval resampled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import COSTS, METHODS, CostByCategory, CostCurve, TotalCost
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel, Sample, accrued_cost, mean_cost
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.resample import contrast, replicate, summary
from ratebook.tables import empty_frame

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
    share = Sample(panel).observed_share[0, -1]
    is_few = share < min_observed_share or not (panel.followed_days >= panel.horizon).any()
    return "too few members are observed to the horizon: shorten cost.horizon_days" if is_few else ""


def _total_cost(panels: dict[str, Panel], settings: dict) -> pd.DataFrame:
    def every_method(sample: Sample) -> dict:
        return {(name, method): mean_cost(sample, name, method) for name in COSTS for method in METHODS}

    def primary(sample: Sample) -> dict:
        return {(name, PRIMARY): mean_cost(sample, name, PRIMARY) for name in COSTS}

    reps, seeds = settings["boot_reps"], {arm: [settings["seed"], n] for n, arm in enumerate(ARMS)}
    draws = {arm: replicate(panel, every_method, reps, seeds[arm]) for arm, panel in panels.items()}
    by_member = {arm: replicate(panel.by_member(), primary, reps, seeds[arm]) for arm, panel in panels.items()}
    few = {arm: too_few_observed(panel, settings["min_observed_share"]) for arm, panel in panels.items()}
    facts = {arm: _facts(panels.get(arm)) for arm in ARMS}
    facts["difference"] = {count: sum(facts[arm][count] for arm in ARMS) for count in ("persons", "clusters")}
    rows = []
    for name, method in [(name, method) for name in COSTS for method in METHODS]:
        key = {"estimand": name, "method": method, "horizon_days": settings["horizon_days"]}
        absent = {arm: few.get(arm, NO_MEMBER) if method not in UNADJUSTED or arm not in few else "" for arm in ARMS}
        mine = {arm: (draws[arm][name, method], by_member[arm].get((name, method), NONE)) for arm in panels}
        found = {arm: _estimated(*mine.get(arm, (NONE, NONE)), absent[arm]) for arm in ARMS}
        if len(mine) == len(ARMS):
            (difference, ratio), (of_members, _) = (contrast(*pair) for pair in zip(*[mine[arm] for arm in ARMS]))
            reason = next(filter(None, absent.values()), "")
            found["difference"] = _estimated(difference, of_members, reason)
            ratios = summary(ratio, reason)
            found["difference"] |= {"ratio": ratios["estimate"], "ratio_lower": ratios["lower"]}
            found["difference"] |= {"ratio_upper": ratios["upper"]}
        else:
            found["difference"] = {"reason": "one arm has no member"}
        rows += [{**key, "arm": arm, **facts[arm], **values} for arm, values in found.items()]
    return _frame(rows, TotalCost)


def _estimated(draws: np.ndarray, of_members: np.ndarray, absent: str) -> dict:
    return summary(draws, absent) | {"member_std_error": summary(of_members, absent)["std_error"]}


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


def _cost_curve(panels: dict[str, Panel], settings: dict) -> pd.DataFrame:
    rows = []

    def statistics(sample: Sample) -> dict:
        return {name: accrued_cost(sample, name) for name in COSTS}

    for number, arm in enumerate(ARMS):
        if arm not in panels:
            continue
        panel = panels[arm]
        draws = replicate(panel, statistics, settings["boot_reps"], [settings["seed"], number])
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

    def statistics(sample: Sample) -> dict:
        return {name: mean_cost(sample, name, PRIMARY) for name in names}

    rows = []
    for window, panels in windows.items():
        reps, seeds = settings["boot_reps"], {arm: [settings["seed"], n] for n, arm in enumerate(ARMS)}
        draws = {arm: replicate(panel, statistics, reps, seeds[arm]) for arm, panel in panels.items()}
        absent = {arm: too_few_observed(panel, settings["min_observed_share"]) for arm, panel in panels.items()}
        for category in CATEGORIES:
            key = {"window": window, "category": category}
            for arm in panels:
                found = summary(draws[arm][category], absent[arm])
                units, dollars = draws[arm][f"units of {category}"], draws[arm][category]
                price = np.divide(dollars, units, out=np.full(len(units), np.nan), where=units > 0)
                volume = _named("units_per_member", "units", summary(units, absent[arm]))
                volume |= _named("unit_price_usd", "unit_price", summary(price, absent[arm]))
                if found["reason"] is None:
                    found["reason"] = _why_no_price(volume)
                rows.append({**key, "arm": arm, "persons": panels[arm].persons, **volume, **found})
            if len(panels) == len(ARMS):
                difference = contrast(*[draws[arm][category] for arm in ARMS])[0]
                persons = sum(panel.persons for panel in panels.values())
                reason = next(filter(None, absent.values()), "")
                found = summary(difference, reason)
                found["reason"] = found["reason"] or OF_AN_ARM
                rows.append({**key, "arm": "difference", "persons": persons, **found})
    return _frame(rows, CostByCategory)


def _named(column: str, stem: str, found: dict) -> dict:
    return {column: found["estimate"], f"{stem}_lower": found["lower"], f"{stem}_upper": found["upper"]}


def _why_no_price(volume: dict) -> str | None:
    """Say why a price, or its interval, is missing; None where both stand."""
    if np.isnan(volume["unit_price_usd"]):
        return "no unit was used: no price"
    return "unit price: too few replicates with a unit, no limits" if np.isnan(volume["unit_price_lower"]) else None


def _frame(rows: list[dict], contract) -> pd.DataFrame:
    """Rows to a table of the contract; `estimate` is in dollars here, and says so."""
    frame = pd.DataFrame(rows).rename(columns={"estimate": "estimate_usd"})
    return frame.reindex(columns=list(contract.types()))
