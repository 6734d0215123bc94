"""From the person-scale tables to one panel an arm: members by intervals, as arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import COSTS, OTHER_SUD
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel
from ratebook.dates import MONTH_DAYS

MEMBERS_OF = {
    "program": ("NAVIGATOR",),
    "other_sud": OTHER_SUD,
    "total_sud": ("NAVIGATOR", *OTHER_SUD),
    "tcoc": CATEGORIES,
}
"""Which categories each cost sums."""


def build_panels(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    client_intervals: pd.DataFrame,
    edges: np.ndarray,
    window: str = "post",
) -> dict[str, Panel]:
    """Lay out each arm that has a member: costs, categories, units and engagement by member and interval.

    Amounts are named by cost (`total_sud`), by category (`RES35`), `units of <category>`, and, from the service
    log, `engaged_months`, `log_units`, `spells`.  The windows before and in the index stay are one interval that
    everybody completes.
    """
    panels = {}
    for arm in ARMS:
        members = follow_up[follow_up.arm == arm].sort_values("person_id", kind="stable")
        if len(members):
            costs = person_costs[person_costs.window == window]
            panels[arm] = _panel(members, costs, client_intervals, edges, is_post=window == "post")
    return panels


def _panel(
    members: pd.DataFrame, costs: pd.DataFrame, clients: pd.DataFrame, edges: np.ndarray, is_post: bool
) -> Panel:
    people = pd.Index(members.person_id)
    edges = np.asarray(edges) if is_post else np.array([0, 1])
    shape = (len(people), len(edges) - 1)

    def by_interval(rows: pd.DataFrame, column: str) -> np.ndarray:
        at = people.get_indexer(rows.person_id)
        found = np.zeros(shape)
        mine = at >= 0
        np.add.at(found, (at[mine], np.maximum(rows.interval.to_numpy()[mine] - 1, 0)), rows[column].to_numpy()[mine])
        return found

    amounts = {}
    for category in CATEGORIES:
        rows = costs[costs.category == category]
        amounts[category] = by_interval(rows, "cost_usd")
        amounts[f"units of {category}"] = by_interval(rows, "units")
    for name in COSTS:
        amounts[name] = sum(amounts[category] for category in MEMBERS_OF[name])
    if is_post:
        amounts["engaged_months"] = by_interval(clients, "engaged_days") / MONTH_DAYS
        amounts["log_units"] = by_interval(clients, "billable_units")
        amounts["spells"] = by_interval(clients, "spells")
    followed = np.minimum(members.followed_days.to_numpy(), edges[-1])
    return Panel(
        followed_days=followed if is_post else np.ones(len(people), dtype=int),
        is_complete=members.is_complete.to_numpy() if is_post else np.ones(len(people), dtype=bool),
        cluster=pd.factorize(members.provider_id, sort=True)[0],
        edges=edges,
        amounts=amounts,
    )
