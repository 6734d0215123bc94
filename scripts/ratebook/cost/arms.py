"""Everything that compares the two arms' costs, from one set of panels."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.cost import BreakEven, Decomposition, Increments, NetBenefit
from ratebook.contracts.cost_identity import FixedAndMonthly, Paradox
from ratebook.contracts.episodes import ARMS
from ratebook.cost.break_even import derive_break_even, derive_increments, derive_net_benefit, mean_draws
from ratebook.cost.decomposition import decompose
from ratebook.cost.exhibits import value_grid
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.paradox import derive_paradox
from ratebook.cost.resample import quantile
from ratebook.cost.total_cost import too_few_observed
from ratebook.tables import empty_frame

ARM_TABLES = {
    "decomposition": Decomposition,
    "break_even": BreakEven,
    "increments": Increments,
    "net_benefit": NetBenefit,
    "paradox": Paradox,
    "fixed_and_monthly": FixedAndMonthly,
}
"""What `compare_arms` makes."""


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
        The tables of `ARM_TABLES`; without a row where an arm has no member.

    References
    ----------
    methods.md, D3, D8 and D9.
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    panels = build_panels(follow_up, person_costs, client_intervals, edges)
    if len(panels) < len(ARMS):
        return {name: empty_frame(contract) for name, contract in ARM_TABLES.items()}
    reps, seed, hybrid = settings["boot_reps"], settings["seed"], settings["hybrid"]
    reasons = [too_few_observed(panel, settings["min_observed_share"]) for panel in panels.values()]
    absent = next((reason for reason in reasons if reason), "")
    means = mean_draws(panels, reps, seed)
    persons, reach = sum(panel.persons for panel in panels.values()), quantile(*panels.values())
    enrolment, month = hybrid.get("per_episode_usd", 0.0), hybrid.get("per_month_usd", 0.0)
    return {
        "decomposition": decompose(panels, reps, seed, absent),
        "break_even": derive_break_even(*means, persons, enrolment, month, absent, reach),
        "increments": derive_increments(*means, persons, absent, reach),
        "net_benefit": derive_net_benefit(*means, persons, value_grid(settings["month_values_usd"]), absent, reach),
        **derive_paradox(panels, reps, seed, absent),
    }
