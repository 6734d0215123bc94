"""Sheets of what surrounds a case rate: the terms of a contract, live in the case rates, and how a panel ends."""

from __future__ import annotations

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from ratebook.contracts.case_rates import BEYOND
from ratebook.release.sheets import FIRST_ROW, Column

TERMS = [
    Column("arm", "Program"),
    Column("term", "Term", width=18),
    Column("part", "Part of the payment", width=30),
    Column("clients", "Clients", "count"),
    Column("times_per_client", "Paid so often per client, expected", "number", by_row="times_formula"),
    Column("value_usd", "Payment each time, before load", by_row="value_formula"),
    Column("lower", "Lower 95%, as first computed", "usd", "usd"),
    Column("upper", "Upper 95%, as first computed", "usd", "usd"),
    Column("expected_usd", "Expected per client", formula="={times_per_client}*{value_usd}"),
    Column("at_level_usd", "Were each month paid the level monthly rate", by_row="level_formula"),
    Column("reason", "Why not", width=40),
]
PANELS = [
    Column("arm", "Program"),
    Column("form", "Form", width=14),
    Column("panel_clients", "Clients of the panel", "count"),
    Column("is_after_overhead", "After overhead"),
    Column("clients", "Clients it is drawn from", "count"),
    Column("margin_usd", "Margin per client, expected"),
    Column("lower", "Margin, lower 95%", "usd", "usd"),
    Column("upper", "Margin, upper 95%", "usd", "usd"),
    Column("margin_p05_usd", "One panel in twenty falls short of"),
    Column("margin_p95_usd", "One panel in twenty exceeds"),
    Column("probability_of_loss", "Panels that lose", "share", "share"),
    Column("probability_lower", "That lose, lower 95%", "share", "share"),
    Column("probability_upper", "That lose, upper 95%", "share", "share"),
    Column("reason", "Why not", width=40),
]
OF_CASE = 'SUMPRODUCT(--({cases_arm}={arm}),--({cases_basis}="actuarial"),--({cases_form}="%s"),{cases_%s})'
LEVEL, EPISODE = OF_CASE % ("per_month", "value_usd"), OF_CASE % ("per_episode", "value_usd")
STAYS = OF_CASE % ("per_month", "expected_months")
AT_START, LATER = OF_CASE % ("hybrid", "enrolment_usd"), OF_CASE % ("hybrid", "value_usd")
PAID = f"{LEVEL}/(1-case_withhold_share*(1-case_earned_share))"
AT_LEVEL = f"={{times_per_client}}*{LEVEL}"
FORMULAS = {
    "each later month": (f"={STAYS}-1", f"={LATER}", AT_LEVEL),
    "month 1": ("", f"={AT_START}+{LATER}", AT_LEVEL),
    "minimum_contact": ("", f"={EPISODE}/{{times_per_client}}", AT_LEVEL),
    "maximum_months": ("", f"={EPISODE}/{{times_per_client}}", AT_LEVEL),
    "tier_severity": ("", "", AT_LEVEL),
    "episode, before the charge": ("", f"={EPISODE}", f"={EPISODE}"),
    "paid each month": (
        f"={STAYS}",
        f"={PAID}*(1-case_withhold_share)",
        f"{AT_LEVEL}*(1-case_withhold_share)",
    ),
    "earned, each month": (
        f"={STAYS}",
        f"={PAID}*case_withhold_share*case_earned_share",
        f"{AT_LEVEL}*case_withhold_share*case_earned_share",
    ),
}
"""Part, or else term, to the formulas of how often it is paid, of how much, and of the same at the level rate."""


def terms_frame(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Give every part of a term the formulas that follow from the case rates; tiers and recoveries are inputs.

    Where the case rates of an arm are not all known, its parts stand as they were computed.
    """
    rows = tables["case_terms"].reset_index(drop=True)
    rates = tables["case_rates"]
    rates = rates[(rates.basis == "actuarial") & rates.value_usd.notna()]
    whole = {arm for arm, forms in rates.groupby("arm") if set(forms.form) >= {"per_episode", "per_month", "hybrid"}}
    beyond = rows[(rows.part == BEYOND) & rows.value_usd.notna() & rows.times_per_client.notna()]
    place = {(row.arm, row.term): FIRST_ROW + 1 + row.Index for row in beyond.itertuples()}
    letters = {column.name: xl_col_to_name(at) for at, column in enumerate(TERMS)}
    found = []
    for row in rows.itertuples():
        three = FORMULAS.get(row.part, FORMULAS.get(row.term, ("", "", ""))) if row.arm in whole else ("", "", "")
        here = place.get((row.arm, row.term))
        if row.part == "charge":
            cells = {name: f"${letters[name]}${here}" for name in ("times_per_client", "value_usd")}
            charge = f"=-{cells['times_per_client']}*{cells['value_usd']}" if here else ""
            three = ("", charge, "")
        found.append(three)
    return rows.join(
        pd.DataFrame(found, columns=["times_formula", "value_formula", "level_formula"], index=rows.index)
    )
