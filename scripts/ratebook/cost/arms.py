"""Everything that compares the two arms' costs, from one draw of them."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.cost import BreakEven, Decomposition, Increments, NetBenefit
from ratebook.contracts.cost_identity import FixedAndMonthly, Paradox
from ratebook.cost.break_even import derive_break_even, derive_increments, derive_net_benefit, value_grid
from ratebook.cost.decomposition import decompose
from ratebook.cost.drawn import Drawn
from ratebook.cost.paradox import derive_paradox
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


def compare_arms(drawn: Drawn, settings: dict) -> dict[str, pd.DataFrame]:
    """Say why RSN and CSP differ in cost, at which rate they would not, and what an extra engaged month costs.

    Parameters
    ----------
    drawn : Drawn
        Both arms.
    settings : dict
        `month_values_usd`, and `hybrid`, the parts of the hybrid payment form.

    Returns
    -------
    dict
        The tables of `ARM_TABLES`; without a row where an arm has no member.

    References
    ----------
    methods.md, D3, D8 and D9.
    """
    if not drawn.has_both:
        return {name: empty_frame(contract) for name, contract in ARM_TABLES.items()}
    hybrid = settings["hybrid"]
    enrolment_usd, month_usd = hybrid.get("per_episode_usd", 0.0), hybrid.get("per_month_usd", 0.0)
    return {
        "decomposition": decompose(drawn),
        "break_even": derive_break_even(drawn, enrolment_usd, month_usd),
        "increments": derive_increments(drawn),
        "net_benefit": derive_net_benefit(drawn, value_grid(settings["month_values_usd"])),
        **derive_paradox(drawn),
    }
