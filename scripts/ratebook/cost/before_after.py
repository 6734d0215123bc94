"""Everything that compares costs over time: arms around the index stay, and sites around a start."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.cost_panels import DOLLARS, MONTHS, Did, EventStudy, GroupTime
from ratebook.cost.did import estimate_contrasts, event_rows
from ratebook.cost.event_study import arm_months
from ratebook.cost.group_time import group_time_rows, site_panel
from ratebook.tables import frame_of

COLUMNS = dict(zip(DOLLARS, ("cost_usd", "real_cost_usd")))
OF_SITES = dict(zip(DOLLARS, ("sud_cost_usd", "real_sud_cost_usd")))
ESTIMANDS = ("other_sud", "total_sud", "tcoc")


def estimate_did(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    member_intervals: pd.DataFrame,
    site_quarters: pd.DataFrame,
    settings: dict,
) -> dict[str, pd.DataFrame]:
    """Compare arms before and after their index stay, and sites before and after their start.

    Parameters
    ----------
    follow_up, person_costs, member_intervals, site_quarters : pandas.DataFrame
        As their contracts declare them.
    settings : dict
        `boot_reps`, `seed`, `run_up_intervals`, `start_share`.

    Returns
    -------
    dict
        The tables of `DID_TABLES`.

    References
    ----------
    methods.md, D6 and H42.
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
        "did": frame_of(did, Did),
        "event_study": frame_of(events, EventStudy),
        "group_time": frame_of(sites, GroupTime),
    }
