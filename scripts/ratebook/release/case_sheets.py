"""Sheets of the case rates: who is still engaged and what they use, month by month, and payments live in both."""

from __future__ import annotations

import pandas as pd

from ratebook.release.sheets import Column

MONTHS = [
    Column("arm", "Program"),
    Column("month", "Month of engagement", "count"),
    Column("survival_start", "Still engaged at its start", "share", "share", is_input=True),
    Column("units", "Units to a client engaged", "number", is_input=True),
    Column("month_cost_usd", "Cost of the month", formula="={units}*unit_price"),
    Column("expected_usd", "Expected per client enrolled", formula="={survival_start}*{month_cost_usd}"),
]
CASE_RATES = [
    Column("arm", "Program"),
    Column("basis", "Basis", width=16),
    Column("form", "Form"),
    Column("clients", "Clients", "count"),
    Column("expected_months", "Months a client stays", by_row="months_formula"),
    Column("enrolment_usd", "At enrolment, before load", by_row="enrolment_formula"),
    Column("value_usd", "Before load", by_row="value_formula"),
    Column("lower", "Lower 95%, as first computed", "usd", "usd"),
    Column("upper", "Upper 95%, as first computed", "usd", "usd"),
    Column("load_share", "Load, share of the rate", by_row="load_formula"),
    Column("loaded_usd", "With load", formula="={value_usd}/(1-{load_share})"),
    Column("loaded_lower", "With load, lower 95%", "usd", "usd", "={lower}/(1-{load_share})"),
    Column("loaded_upper", "With load, upper 95%", "usd", "usd", "={upper}/(1-{load_share})"),
    Column("units_per_month", "Units per engaged month", "number", is_input=True),
    Column("implied_unit_price_usd", "Implied price of a unit", by_row="implied_formula"),
    Column("paid_per_month_usd", "Paid today per engaged month"),
    Column("reason", "Why not", width=40),
]
STAFFING = ("salary", "fringe_share", "overhead", "supervision", "travel", "caseload", "occupancy_share")
OF_ARM = "--({months_arm}={arm})"
FIRST = OF_ARM + ",--({months_month}=1)"
STAYS = f"SUMPRODUCT({OF_ARM},{{months_survival}})"
EPISODE = f"SUMPRODUCT({OF_ARM},{{months_survival}},{{months_cost}})"
LATER = (
    f"({EPISODE}-SUMPRODUCT({FIRST},{{months_survival}},{{months_cost}}))"
    f"/({STAYS}-SUMPRODUCT({FIRST},{{months_survival}}))"
)
WORKER = "(salary*(1+fringe_share)+overhead+supervision+travel)/(12*caseload*occupancy_share)"
VALUES = {
    ("actuarial", "per_episode"): f"={EPISODE}",
    ("actuarial", "per_month"): f"={EPISODE}/{{expected_months}}",
    ("actuarial", "per_day"): f"={EPISODE}/{{expected_months}}*12/365",
    ("actuarial", "hybrid"): f"={LATER}",
    ("staffing", "per_episode"): f"={WORKER}*{{expected_months}}",
    ("staffing", "per_month"): f"={WORKER}",
    ("staffing", "per_day"): f"={WORKER}*12/365",
}
"""Basis and form to what is paid, before load."""
MONTHLY = {"actuarial": f"{EPISODE}/{{expected_months}}", "staffing": WORKER}
NEAR = 1e-6
"""What nine digits of a table may be off, relatively, once they are added up."""


def months_frame(tables: dict[str, pd.DataFrame], unit_price: float) -> pd.DataFrame:
    """Set the share still engaged beside the units a client uses in each month, as far as both are known.

    A month whose cost rests on few clients is hidden, and ends the arm's months here.
    """
    risk = tables["provider_risk"].drop_duplicates(["arm", "stay_months"]).sort_values(["arm", "stay_months"])
    cost = risk.cost_usd - risk.groupby("arm").cost_usd.shift(fill_value=0.0)
    months = risk.assign(month=risk.stay_months, month_cost_usd=cost)
    rows = tables["survival_by_month"][["arm", "month", "survival_start"]]
    rows = rows.merge(months[["arm", "month", "month_cost_usd"]], on=["arm", "month"]).sort_values(["arm", "month"])
    gone = (rows.survival_start.isna() | rows.month_cost_usd.isna()).groupby(rows.arm).cumsum() > 0
    rows = rows[~gone].reset_index(drop=True)
    price = unit_price or float("nan")
    return rows.assign(units=rows.month_cost_usd / price, expected_usd=rows.survival_start * rows.month_cost_usd)


def case_frame(case_rates: pd.DataFrame, months: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Give every case rate the formula that makes it; where the book does not hold all it rests on, none.

    Parameters
    ----------
    case_rates : CaseRates
    months : pandas.DataFrame
        As `months_frame` gives them.
    settings : dict
        `config.yaml` rates.case_rate.
    """
    sums = months.groupby("arm").agg(stays=("survival_start", "sum"), episode=("expected_usd", "sum"))
    rows = case_rates.merge(sums, left_on="arm", right_index=True, how="left")
    last = months.groupby("arm").month.max().reindex(rows.arm).fillna(0).to_numpy()
    known = _near(rows.stays, rows.expected_months)
    episode = rows[rows.form.eq("per_episode") & rows.basis.eq("actuarial")].set_index("arm").value_usd
    held = known & _near(rows.episode, rows.arm.map(episode.astype(float)))
    is_staffed = rows.basis == "staffing"
    live = (is_staffed & (rows.form.ne("per_episode") | rows.expected_months.notna())) | (
        rows.basis == "actuarial"
    ) & held
    live &= (rows.form != "hybrid") | (last > 1)
    formula = pd.Series([VALUES.get(pair, "") for pair in zip(rows.basis, rows.form)], rows.index, dtype=object)
    rows["value_formula"] = formula.where(live, "")
    rows["months_formula"] = pd.Series(f"={STAYS}", rows.index).where(known, "")
    hybrid = live & (rows.form == "hybrid")
    rows["enrolment_formula"] = pd.Series(f"=SUMPRODUCT({FIRST},{{months_cost}})-{{value_usd}}", rows.index).where(
        hybrid, ""
    )
    is_shared = _near(rows.load_share, settings["load_share"]["value"])
    rows["load_formula"] = pd.Series("=case_load", rows.index).where(is_shared, "")
    monthly = rows.basis.map(MONTHLY).fillna("")
    implied = "=" + monthly + "/(1-{load_share})/{units_per_month}"
    rows["implied_formula"] = implied.where((live | is_staffed) & (monthly != ""), "")
    return rows


def _near(ours: pd.Series, theirs) -> pd.Series:
    return ((ours - theirs).abs() <= NEAR * ours.abs()).fillna(False).astype(bool)


def case_inputs(settings: dict) -> list[tuple]:
    """List the named inputs of case rates: key, value, unit, source."""
    entries = {"unit_price": settings["unit_price_usd"], "case_load": settings["load_share"]}
    entries |= {name: settings["staffing"][name] for name in STAFFING}
    return [(key, entry["value"], entry["unit"], entry["source"]) for key, entry in entries.items()]
