"""Every client's service log priced by every payment form: what the form alone does to the rate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost import PaymentForms
from ratebook.contracts.episodes import ARMS
from ratebook.cost.pmpm import ENGAGED, compare_ratios, member_totals, ratio_of_sums
from ratebook.tables import frame_of

PARTS = {
    "per_episode_usd": ("spells", "spell"),
    "per_month_usd": ("months", "month"),
    "per_day_usd": ("engaged_days", "engaged day"),
    "per_unit_usd": ("billable_units", "15-minute unit"),
}


def price_forms(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    client_intervals: pd.DataFrame,
    forms: dict[str, dict],
    month_rule: str,
    min_contacts: int,
) -> pd.DataFrame:
    """Price the log of every client of both arms by each form, per client and per engaged month.

    Under a per-day form the cost of an engaged month is the same however long a client stays; under a form with
    an amount per episode it falls with the length of stay. What the arms differ by under one form is use, not
    payment.

    Parameters
    ----------
    follow_up, person_costs, client_intervals : pandas.DataFrame
        As the contracts of the same names.
    forms : dict
        Form to its parts: `per_episode_usd`, `per_month_usd`, `per_day_usd`, `per_unit_usd`, `max_months`,
        `needs_contacts` (a month is paid only with `min_contacts` contacts).
    month_rule : str
        How engaged months are counted.
    min_contacts : int
        Contacts that `contact_months` were counted by; for the words of the formula.

    Returns
    -------
    pandas.DataFrame
        As `PaymentForms`.

    References
    ----------
    methods.md, D3.
    """
    members = member_totals(follow_up, person_costs, client_intervals)
    clients = members[members.engaged_days > 0]
    months = clients[ENGAGED[month_rule]].to_numpy(dtype=float)
    rows = []
    for form, parts in forms.items():
        paid = price_clients(clients, parts, ENGAGED[month_rule])
        for per, below in {"client": np.ones(len(clients)), "engaged_month": months}.items():
            key = {"form": form, "per": per, "formula": formula_of(parts, min_contacts)}
            found = {}
            for arm in ARMS:
                mine = (clients.arm == arm).to_numpy()
                found[arm] = ratio_of_sums(paid[mine], below[mine], clients.cluster.to_numpy()[mine])
                rows.append({**key, "arm": arm, "persons": int(mine.sum()), **found[arm]})
            difference = compare_ratios(*[found[arm] for arm in ARMS])
            rows.append({**key, "arm": "difference", "persons": len(clients), **difference})
    return frame_of(rows, PaymentForms)


def price_clients(clients: pd.DataFrame, parts: dict, months: str) -> np.ndarray:
    """Pay each client by one form: so much a spell, a month, a day, a unit."""
    paid_months = clients["contact_months" if parts.get("needs_contacts") else months].to_numpy(dtype=float)
    counts = clients.assign(months=np.minimum(paid_months, parts.get("max_months", np.inf)))
    return sum(
        (parts[name] * counts[column].to_numpy(dtype=float) for name, (column, _) in PARTS.items() if name in parts),
        start=np.zeros(len(clients)),
    )


def formula_of(parts: dict, min_contacts: int) -> str:
    """Say a form in words."""
    words = [f"{parts[name]:g} USD per {unit}" for name, (_, unit) in PARTS.items() if name in parts]
    if parts.get("needs_contacts"):
        words.append(f"only months with at least {min_contacts} contacts")
    if "max_months" in parts:
        words.append(f"at most {parts['max_months']:g} months")
    return ", ".join(words)
