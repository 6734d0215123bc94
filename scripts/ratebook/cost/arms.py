"""Everything that compares the two arms' costs, from one set of panels."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.cost import BreakEven, Decomposition, Increments, NetBenefit
from ratebook.contracts.episodes import ARMS
from ratebook.cost.break_even import derive_break_even, derive_increments, derive_net_benefit, mean_draws
from ratebook.cost.decomposition import decompose
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.total_cost import too_few_observed
from ratebook.tables import empty_frame


def compare_arms(
    follow_up: pd.DataFrame, person_costs: pd.DataFrame, client_intervals: pd.DataFrame, settings: dict
) -> dict[str, pd.DataFrame]:
    """Say why RSN and CSP differ in cost, at which rate they would not, and what an extra engaged month costs.

    Parameters
    ----------
    follow_up, person_costs, client_intervals : pandas.DataFrame
        As `FollowUp`, `PersonCosts`, `ClientIntervals`.
    settings : dict
        `horizon_days`, `intervals`, `boot_reps`, `min_observed_share`, `month_values_usd`, `seed`, and `hybrid`,
        the parts of the hybrid payment form.

    Returns
    -------
    dict
        `decomposition`, `break_even`, `increments`, `net_benefit`; without a row where an arm has no member.

    References
    ----------
    methods.md, D8 and D9.
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    panels = build_panels(follow_up, person_costs, client_intervals, edges)
    if len(panels) < len(ARMS):
        kinds = {"decomposition": Decomposition, "break_even": BreakEven, "increments": Increments}
        return {name: empty_frame(contract) for name, contract in (kinds | {"net_benefit": NetBenefit}).items()}
    reps, seed, hybrid = settings["boot_reps"], settings["seed"], settings["hybrid"]
    reasons = [too_few_observed(panel, settings["min_observed_share"]) for panel in panels.values()]
    absent = next((reason for reason in reasons if reason), "")
    means = mean_draws(panels, reps, seed)
    persons = sum(panel.persons for panel in panels.values())
    enrolment, month = hybrid.get("per_episode_usd", 0.0), hybrid.get("per_month_usd", 0.0)
    return {
        "decomposition": decompose(panels, reps, seed, absent),
        "break_even": derive_break_even(*means, persons, enrolment, month, absent),
        "increments": derive_increments(*means, persons, absent),
        "net_benefit": derive_net_benefit(*means, persons, settings["month_values_usd"], absent),
    }
