"""Everything that compares costs over time: arms around the index stay, sites around a start, prices of one year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost import COSTS
from ratebook.contracts.cost_panels import DOLLARS, MONTHS, Did, EventStudy, GroupTime, PriceComparison
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import mean_cost
from ratebook.cost.did import estimate_contrasts, event_rows, frame
from ratebook.cost.event_study import arm_months
from ratebook.cost.group_time import group_time_rows, site_panel
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.resample import contrast, draw_providers, quantile, replicate, summary
from ratebook.cost.total_cost import too_few_observed
from ratebook.tables import empty_frame

COLUMNS = dict(zip(DOLLARS, ("cost_usd", "real_cost_usd")))
ESTIMANDS = ("other_sud", "total_sud", "tcoc")
NOT_REPRICED = "no cost stands at another year's prices: cost.prices.form is nominal, or no code has a price"
WIDE_GAP_DAYS = 90
"""Medians of the arms' index discharges further apart than this make nominal dollars hard to compare (H43)."""


def estimate_did(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    client_intervals: pd.DataFrame,
    member_intervals: pd.DataFrame,
    site_quarters: pd.DataFrame,
    settings: dict,
) -> dict[str, pd.DataFrame]:
    """Compare arms before and after, sites before and after, and the arms at the prices of one year.

    Parameters
    ----------
    follow_up, person_costs, client_intervals, member_intervals, site_quarters : pandas.DataFrame
        As their contracts declare them.
    settings : dict
        `horizon_days`, `intervals`, `boot_reps`, `min_observed_share`, `seed`, `run_up_intervals`, `start_share`.

    Returns
    -------
    dict
        `did`, `event_study`, `group_time`, `price_comparison`.

    References
    ----------
    methods.md, D6, D7, H42 and H43.
    """
    reps, seed, run_up = settings["boot_reps"], settings["seed"], settings["run_up_intervals"]
    did, events, sites = [], [], []
    for dollars, column in COLUMNS.items():
        arms = arm_months(follow_up, person_costs, member_intervals, column, ESTIMANDS)
        for estimand in ESTIMANDS:
            for months in MONTHS:
                found = estimate_contrasts(arms, estimand, months, run_up, reps, seed) if arms else []
                did += [{**row, "dollars": dollars} for row in found]
            events += [{**row, "dollars": dollars} for row in event_rows(arms, estimand, run_up)]
        panel = site_panel(site_quarters, OF_SITES[dollars], settings["start_share"])
        sites += [{**row, "dollars": dollars} for row in group_time_rows(panel, reps, seed)]
    return {
        "did": frame(did, Did),
        "event_study": frame(events, EventStudy),
        "group_time": frame(sites, GroupTime),
        "price_comparison": compare_prices(follow_up, person_costs, client_intervals, settings),
    }


OF_SITES = dict(zip(DOLLARS, ("sud_cost_usd", "real_sud_cost_usd")))


def compare_prices(
    follow_up: pd.DataFrame, person_costs: pd.DataFrame, client_intervals: pd.DataFrame, settings: dict
) -> pd.DataFrame:
    """Put the arms' mean cost per member as paid beside the same at the base year's prices.

    Both rows rest on the same replicates. Where the arms' median index discharges are more than 90 days apart,
    `needs_repricing` says that nominal dollars compare two price levels, and the real row is the one to read.

    References
    ----------
    methods.md, D7 and H43.
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    days = pd.to_datetime(follow_up.discharge_date)
    medians = {arm: days[follow_up.arm == arm].median() for arm in ARMS}
    gap = (medians["RSN"] - medians["CSP"]) / pd.Timedelta(days=1)
    rows = []
    for dollars, column in COLUMNS.items():
        costs = person_costs.assign(cost_usd=person_costs[column])
        panels = build_panels(follow_up, costs, client_intervals, edges)
        if len(panels) < len(ARMS):
            return empty_frame(PriceComparison)
        weights = draw_providers(panels, settings["boot_reps"], settings["seed"])
        draws = {arm: replicate(panels[arm], _means, [weights[arm]]) for arm in ARMS}
        unchanged = NOT_REPRICED if dollars == "real" and (costs.cost_usd == person_costs.cost_usd).all() else ""
        few = {arm: too_few_observed(panels[arm], settings["min_observed_share"]) for arm in ARMS}
        absent = {arm: reason or unchanged for arm, reason in few.items()}
        for name in COSTS:
            values = {arm: draws[arm][name] for arm in ARMS}
            values["difference"] = contrast(*values.values())[0]
            for arm, drawn in values.items():
                chosen = [panels[one] for one in ARMS if arm in (one, "difference")]
                reason = next(filter(None, [absent[one] for one in ARMS if arm in (one, "difference")]), "")
                found = summary(drawn, reason, quantile(*chosen), is_positive=arm != "difference")
                found["estimate_usd"] = found.pop("estimate")
                rows.append(
                    {"estimand": name, "dollars": dollars, "arm": arm, **found}
                    | {"index_gap_days": gap, "needs_repricing": bool(np.abs(gap) > WIDE_GAP_DAYS)}
                    | {"persons": sum(panel.persons for panel in chosen)}
                    | {"clusters": sum(panel.clusters for panel in chosen)}
                )
    return frame(rows, PriceComparison)


def _means(sample) -> dict:
    return {name: mean_cost(sample, name, "partitioned") for name in COSTS}
