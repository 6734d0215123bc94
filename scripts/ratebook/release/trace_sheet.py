"""Sheet of the way from every rate back to dollars, live in the sheets its numbers stand on."""

from __future__ import annotations

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from ratebook.rates.build_up import FACTORS
from ratebook.release.sheets import FIRST_ROW, Column
from ratebook.release.wording import is_missing

TRACE = [
    Column("cell", "Rate cell", width=34),
    Column("category", "Part of the rate", width=22),
    Column("step", "Step", "count", width=6),
    Column("factor", "Factor", width=22),
    Column("operation", "Operation", width=10),
    Column("value", "Number", "number", by_row="value_formula", width=16),
    Column("running_usd", "Result so far", "number", "usd", by_row="running_formula", width=16),
    Column("members", "Members", "count"),
    Column("claim_lines", "Claim lines", "count"),
    Column("source_table", "Table", width=18),
    Column("source_column", "Column", width=40),
]
RUNNING = xl_col_to_name([column.name for column in TRACE].index("running_usd"))
OF_BUILD = "=INDEX({{build_{}}},{{row}})"
OF_CELL = "INDEX({{rates_{}}},{{row}})"
IN_BUILD = ("base_usd", "member_months", "completion_factor", *FACTORS)
IN_RATES = ("f_tpl", "credibility_z", "f_neutral", "manual_pmpm_usd", "fixed_pmpm_usd", "f_smoothing", "rate_usd")
VALUES = {
    **{name: OF_BUILD.format(name) for name in IN_BUILD},
    **{name: "=" + OF_CELL.format(name) for name in IN_RATES},
    "1 - credibility_z": "=1-" + OF_CELL.format("credibility_z"),
    "loads": "=1-admin_share-margin_share-tax_share",
}
"""Factor to the formula of its number, as sheets of the book hold it."""
SIGNS = {"multiply": "*", "divide": "/", "add": "+"}


def trace_frame(trace: pd.DataFrame, build: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Give every step of the trace, in the order of the sheet, the formulas of its number and of the result so far.

    A number is looked up by its row on the sheet it stands on: to search for it would take a large book minutes.
    Where a start is hidden because few lines stand behind it, the next step begins from dollars per member month.

    Parameters
    ----------
    trace : RateTrace
    build, rates : RateBuild, Rates
        In the order of their sheets.
    """
    row_of = {pair: number for number, pair in enumerate(zip(build.cell, build.category), start=1)}
    row_of |= {cell: number for number, cell in enumerate(rates.cell, start=1)}
    rows = trace.reset_index(drop=True)
    last = {here: place for place, here in enumerate(zip(rows.cell, rows.category), start=FIRST_ROW + 1)}
    numbers, results, was_hidden = [], [], False
    for place, row in enumerate(rows.to_dict("records"), start=FIRST_ROW + 1):
        here, before = (row["cell"], row["category"]), f"${RUNNING}${place - 1}"
        if row["operation"] == "add":
            numbers.append(f"=${RUNNING}${last[row['cell'], row['factor']]}")
        else:
            place_of_number = row_of.get(here if row["factor"] in IN_BUILD else row["cell"])
            numbers.append(_at(VALUES.get(row["factor"], ""), place_of_number))
        if row["operation"] == "round":
            results.append(f"=ROUND({before},2)")
        elif row["step"] == 1:
            results.append("={value}")
        elif was_hidden:
            results.append(_at(OF_BUILD.format("paid_pmpm_usd"), row_of.get(here)))
        else:
            results.append(f"={before}{SIGNS[row['operation']]}{{value}}")
        was_hidden = is_missing(row["running_usd"])
    return rows.assign(value_formula=numbers, running_formula=results)


def _at(formula: str, row: int | None) -> str:
    """Put a row into a formula; none, where there is no such row."""
    return formula if "{row}" not in formula else "" if row is None else formula.replace("{row}", str(row))
