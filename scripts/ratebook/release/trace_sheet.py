"""Sheet of the way from every rate back to dollars, live in the sheets its numbers stand on."""

from __future__ import annotations

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

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
OF_BUILD = "=SUMPRODUCT(--({{build_cell}}={{cell}}),--({{build_category}}={{category}}),{{build_{}}})"
OF_CELL = "SUMPRODUCT(--({{rates_cell}}={{cell}}),{{rates_{}}})"
IN_BUILD = ("base_usd", "member_months", "completion_factor", "f_trend", "f_program", "f_managed_care")
IN_RATES = ("f_tpl", "credibility_z", "f_neutral", "manual_pmpm_usd", "fixed_pmpm_usd", "rate_usd")
VALUES = {
    **{name: OF_BUILD.format(name) for name in IN_BUILD},
    **{name: "=" + OF_CELL.format(name) for name in IN_RATES},
    "1 - credibility_z": "=1-" + OF_CELL.format("credibility_z"),
    "loads": "=1-admin_share-margin_share-tax_share",
}
"""Factor to the formula of its number, as sheets of the book hold it."""
SIGNS = {"multiply": "*", "divide": "/", "add": "+"}


def trace_frame(trace: pd.DataFrame) -> pd.DataFrame:
    """Give every step of the trace, in the order of the sheet, the formulas of its number and of the result so far.

    Where a start is hidden because few lines stand behind it, the next step begins from dollars per member month.
    """
    rows = trace.reset_index(drop=True)
    ends = {}
    numbers, results = [], []
    for place, row in enumerate(rows.to_dict("records"), start=FIRST_ROW + 1):
        before, here = f"${RUNNING}${place - 1}", (row["cell"], row["category"])
        is_first, is_broken = here not in ends, is_missing(ends.get(here, ("", 0.0))[1])
        numbers.append(None if row["operation"] == "add" else VALUES.get(row["factor"], ""))
        if row["operation"] == "round":
            result = f"=ROUND({before},2)"
        elif is_first:
            result = "={value}"
        elif is_broken:
            result = OF_BUILD.format("paid_pmpm_usd")
        else:
            result = f"={before}{SIGNS[row['operation']]}{{value}}"
        results.append(result)
        ends[here] = (f"${RUNNING}${place}", row["running_usd"])
    rows["value_formula"] = [
        f"={ends[cell, factor][0]}" if number is None and (cell, factor) in ends else number or ""
        for number, cell, factor in zip(numbers, rows.cell, rows.factor)
    ]
    return rows.assign(running_formula=results)
