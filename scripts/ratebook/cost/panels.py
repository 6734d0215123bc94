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
NO_PROVIDER = "unknown"
"""What `FollowUp` calls the provider of a member who has none."""


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

    def by_interval(rows: pd.DataFrame, column: str, of: np.ndarray | int = 0, kinds: int = 1) -> np.ndarray:
        """Sum a column by kind, member and interval; `of` numbers the kind of each row."""
        member, interval = people.get_indexer(rows.person_id), np.maximum(rows.interval.to_numpy() - 1, 0)
        cell, mine = (of * shape[0] + member) * shape[1] + interval, member >= 0
        values = rows[column].to_numpy(dtype=float)
        sums = np.bincount(cell[mine], weights=values[mine], minlength=kinds * shape[0] * shape[1])
        return sums.reshape(kinds, *shape)

    kind = pd.Categorical(costs.category, categories=CATEGORIES).codes.astype(int)
    usd, units = (by_interval(costs, column, kind, len(CATEGORIES)) for column in ("cost_usd", "units"))
    amounts = dict(zip(CATEGORIES, usd)) | {f"units of {name}": part for name, part in zip(CATEGORIES, units)}
    for name in COSTS:
        amounts[name] = sum(amounts[category] for category in MEMBERS_OF[name])
    if is_post:
        amounts["engaged_months"] = by_interval(clients, "engaged_days")[0] / MONTH_DAYS
        amounts["log_units"] = by_interval(clients, "billable_units")[0]
        amounts["spells"] = by_interval(clients, "spells")[0]
    provider = named_providers(members.provider_id, people)
    followed = np.minimum(members.followed_days.to_numpy(), edges[-1])
    return Panel(
        followed_days=followed if is_post else np.ones(len(people), dtype=int),
        is_complete=members.is_complete.to_numpy() if is_post else np.ones(len(people), dtype=bool),
        cluster=pd.factorize(provider, sort=True)[0],
        edges=edges,
        amounts=amounts,
        provider=provider.to_numpy(dtype=object),
    )


def named_providers(provider_id: pd.Series, person_id: pd.Index) -> pd.Series:
    """Name each member's cluster; one without a provider is a cluster of their own, as for the length of engagement."""
    return provider_id.where((provider_id != NO_PROVIDER).to_numpy(), "person " + person_id.to_series().to_numpy())
