"""Sheets of the case rates: who stays and what they use month by month, what a worker costs, and payments live in both."""

from __future__ import annotations

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from ratebook.release.sheets import FIRST_ROW, Column

MONTHS = [
    Column("arm", "Program"),
    Column("month", "Month of engagement", "count"),
    Column("months", "Months in the row"),
    Column(
        "survival_start", "Still engaged at its start; of months together, the sum", "share", "share", is_input=True
    ),
    Column("units", "Units to a client engaged, a month", "number", is_input=True),
    Column("month_cost_usd", "Cost of a month", formula="={units}*unit_price"),
    Column("expected_usd", "Expected per client enrolled", formula="={survival_start}*{month_cost_usd}"),
]
STAFFING_BUILD = [
    Column("arm", "Program"),
    Column("basis", "Basis", width=18),
    Column("step", "Step", "count", width=6),
    Column("part", "Part", width=16),
    Column("client_minutes", "Minutes of work a client month takes", "number", "minutes", by_row="minutes_formula"),
    Column("caseload", "Clients a worker carries", "number", "clients", by_row="caseload_formula"),
    Column("worker_year_usd", "Worker's year", by_row="year_formula"),
    Column("client_month_usd", "Adds to a client month", by_row="month_formula"),
    Column("lower", "Lower 95%, as first computed", "usd", "usd"),
    Column("upper", "Upper 95%, as first computed", "usd", "usd"),
    Column("reason", "Why not", width=40),
]
CASE_RATES = [
    Column("arm", "Program"),
    Column("basis", "Basis", width=18),
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
STAYS = f"SUMPRODUCT({OF_ARM},{{months_survival_start}})"
EPISODE = f"SUMPRODUCT({OF_ARM},{{months_survival_start}},{{months_month_cost_usd}})"
LATER = (
    f"({EPISODE}-SUMPRODUCT({FIRST},{{months_survival_start}},{{months_month_cost_usd}}))"
    f"/({STAYS}-SUMPRODUCT({FIRST},{{months_survival_start}}))"
)
YEAR = "(salary*(1+fringe_share)+overhead+supervision+travel)"
OBSERVED = "SUMPRODUCT(--({staff_arm}={arm}),--({staff_basis}={basis}),--({staff_step}=1),{staff_caseload})"
WORKER = f"{YEAR}/(12*caseload*occupancy_share)"
MONTHLY = {
    "actuarial": f"{EPISODE}/{{expected_months}}",
    "staffing": WORKER,
    "staffing_observed": f"{YEAR}/(12*{OBSERVED}*occupancy_share)",
}
"""Basis to what a month is paid, before load."""
VALUES = {
    (basis, form): f"={monthly}{times}"
    for basis, monthly in MONTHLY.items()
    for form, times in (("per_episode", "*{expected_months}"), ("per_month", ""), ("per_day", "*12/365"))
} | {("actuarial", "per_episode"): f"={EPISODE}", ("actuarial", "hybrid"): f"={LATER}"}
"""Basis and form to what is paid, before load."""
YEAR_PARTS = {"fringe": "=salary*fringe_share", **{name: f"={name}" for name in STAFFING[:1] + STAFFING[2:5]}}
MONTH_PARTS = {
    **dict.fromkeys(YEAR_PARTS, "={worker_year_usd}/(12*{caseload})"),
    "empty places": f"={YEAR}/(12*{{caseload}})*(1/occupancy_share-1)",
    "load": f"={YEAR}/(12*{{caseload}}*occupancy_share)*(1/(1-case_load)-1)",
}
"""Part of the staffing build-up to the formula of a worker's year, and of what it adds to a client month."""
NEAR = 1e-6
"""What nine digits of a table may be off, relatively, once they are added up."""


def months_frame(tables: dict[str, pd.DataFrame], unit_price: float) -> pd.DataFrame:
    """Set the share still engaged beside the units a client uses in each month.

    Month and cost are those of the case rate: of months seen to their end or to the client's. Months few clients reached
    are hidden; with all that follow they are one row, what is left of the episode and of its months.
    """
    price = unit_price or float("nan")
    risk = tables["provider_risk"].drop_duplicates(["arm", "stay_months"]).sort_values(["arm", "stay_months"])
    cost = risk.cost_usd - risk.groupby("arm").cost_usd.shift(fill_value=0.0)
    months = risk.assign(month=risk.stay_months, month_cost_usd=cost)[["arm", "month", "month_cost_usd"]]
    rows = tables["survival_by_month"][["arm", "month", "survival_start"]].merge(months, on=["arm", "month"])
    rows = rows.sort_values(["arm", "month"]).assign(months=lambda r: r.month.astype(str))
    gone = (rows.survival_start.isna() | rows.month_cost_usd.isna()).groupby(rows.arm).cumsum() > 0
    rates = tables["case_rates"]
    episodes = rates[(rates.basis == "actuarial") & (rates.form == "per_episode")].set_index("arm")
    later = [
        _later(arm, hidden, rows[(rows.arm == arm) & ~gone], episodes)
        for arm, hidden in rows[gone].groupby("arm")
        if arm in episodes.index
    ]
    rows = pd.concat([rows[~gone], pd.DataFrame([row for row in later if row], columns=rows.columns)])
    rows = rows.sort_values(["arm", "month"], ignore_index=True)
    return rows.assign(units=rows.month_cost_usd / price, expected_usd=rows.survival_start * rows.month_cost_usd)


def _later(arm: str, hidden: pd.DataFrame, shown: pd.DataFrame, episodes: pd.DataFrame) -> dict | None:
    """Give the months after those shown as one: what is left of the months and of the cost of an episode."""
    stays = float(episodes.expected_months[arm] - shown.survival_start.sum())
    usd = float(episodes.value_usd[arm] - (shown.survival_start * shown.month_cost_usd).sum())
    if shown.empty or not (stays > NEAR and usd >= 0):
        return None
    first, last = int(hidden.month.min()), int(hidden.month.max())
    return {
        "arm": arm,
        "month": first,
        "months": f"{first} to {last}",
        "survival_start": stays,
        "month_cost_usd": usd / stays,
    }


def staffing_frame(build: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Give every step of the staffing build-up its formula; the minutes of a client month are an input once per basis.

    Parameters
    ----------
    build : StaffingBuild
    settings : dict
        `config.yaml` rates.case_rate.
    """
    rows = build.sort_values(["arm", "basis", "step"], ignore_index=True)
    letter = xl_col_to_name([column.name for column in STAFFING_BUILD].index("client_minutes"))
    above = [f"=${letter}${place}" for place in range(FIRST_ROW, FIRST_ROW + len(rows))]
    is_assumed, is_first = rows.basis == "staffing", rows.step == 1
    minutes = pd.Series(above, rows.index, dtype=object).where(~is_first, "")
    return rows.assign(
        client_minutes=settings["worked_minutes"]["value"] / rows.caseload,
        minutes_formula=minutes.where(~is_assumed, "=worked_minutes/{caseload}"),
        caseload_formula=pd.Series("=worked_minutes/{client_minutes}", rows.index).where(~is_assumed, "=caseload"),
        year_formula=rows.part.map(YEAR_PARTS).fillna(""),
        month_formula=rows.part.map(MONTH_PARTS).fillna(""),
    )


def case_frame(tables: dict[str, pd.DataFrame], months: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Give every case rate the formula that makes it; where the book does not hold all it rests on, none.

    Parameters
    ----------
    tables : dict of DataFrame
        case_rates and staffing_build.
    months : pandas.DataFrame
        As `months_frame` gives them.
    settings : dict
        `config.yaml` rates.case_rate.
    """
    sums = months.groupby("arm").agg(stays=("survival_start", "sum"), episode=("expected_usd", "sum"))
    rows = tables["case_rates"].merge(sums, left_on="arm", right_index=True, how="left")
    last = months.groupby("arm").month.max().reindex(rows.arm).fillna(0).to_numpy()
    known = _near(rows.stays, rows.expected_months)
    episode = rows[rows.form.eq("per_episode") & rows.basis.eq("actuarial")].set_index("arm").value_usd
    held = known & _near(rows.episode, rows.arm.map(episode.astype(float)))
    carried = tables["staffing_build"].dropna(subset=["caseload"])
    observed = pd.Series(
        [pair in {*zip(carried.arm, carried.basis)} for pair in zip(rows.arm, rows.basis)], rows.index
    )
    staffed = rows.basis.eq("staffing") | (rows.basis.eq("staffing_observed") & observed)
    live = (staffed & (rows.form.ne("per_episode") | rows.expected_months.notna())) | (
        rows.basis.eq("actuarial") & held
    )
    live &= (rows.form != "hybrid") | (last > 1)
    formula = pd.Series([VALUES.get(pair, "") for pair in zip(rows.basis, rows.form)], rows.index, dtype=object)
    rows["value_formula"] = formula.where(live, "")
    rows["months_formula"] = pd.Series(f"={STAYS}", rows.index).where(known, "")
    hybrid = live & (rows.form == "hybrid")
    rows["enrolment_formula"] = pd.Series(
        f"=SUMPRODUCT({FIRST},{{months_month_cost_usd}})-{{value_usd}}", rows.index
    ).where(hybrid, "")
    # Other forms pay nothing at enrolment: no cell to change.
    rows["enrolment_usd"] = rows.enrolment_usd.where(rows.form == "hybrid")
    is_shared = _near(rows.load_share, settings["load_share"]["value"])
    rows["load_formula"] = pd.Series("=case_load", rows.index).where(is_shared, "")
    monthly = rows.basis.map(MONTHLY).fillna("")
    implied = "=" + monthly + "/(1-{load_share})/{units_per_month}"
    rows["implied_formula"] = implied.where((live | staffed) & (monthly != ""), "")
    return rows


def _near(ours: pd.Series, theirs) -> pd.Series:
    return ((ours - theirs).abs() <= NEAR * ours.abs()).fillna(False).astype(bool)


def case_inputs(settings: dict) -> list[tuple]:
    """List the named inputs of case rates and of their terms: key, value, unit, source."""
    entries = {"unit_price": settings["unit_price_usd"], "case_load": settings["load_share"]}
    entries |= {name: settings["staffing"][name] for name in STAFFING}
    entries["worked_minutes"] = settings["worked_minutes"]
    entries |= {f"case_{name}": settings["terms"][name] for name in ("withhold_share", "earned_share")}
    return [(key, entry["value"], entry["unit"], entry["source"]) for key, entry in entries.items()]
