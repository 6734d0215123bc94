"""The first sheet: inputs that stand in more than one cell, and under them the rates, live."""

from __future__ import annotations

import pandas as pd

from ratebook.rates.build_up import months_of_base
from ratebook.release.case_sheets import case_inputs
from ratebook.release.risk_sheets import risk_inputs
from ratebook.release.sheets import LOOKS, Book, Column
from ratebook.release.wording import is_missing

INPUTS = [
    Column("key", "Input", width=34),
    Column("value", "Value", "number", is_input=True, named="{}"),
    Column("unit", "Unit", width=22),
    Column("source", "Source", width=60),
]
SUMMARY = [
    ("Rate cell", "", "cell"),
    ("Rate per member month", "rate_usd", "rate_usd"),
    ("After withhold", "rate_after_withhold_usd", "rate_after_withhold_usd"),
    ("95% interval, as first computed", "", "lower"),
    ("Loss ratio", "projected_mlr", "projected_mlr"),
]


def write_summary(book: Book, summary, tables: dict[str, pd.DataFrame], shared: pd.DataFrame, risk: dict) -> None:
    """Write the inputs every rate shares, and under them the rates, live."""
    book.write_table(summary, shared, INPUTS, "key")
    bold = book.look(bold=True, top=1, bottom=1, text_wrap=True, valign="top")
    looks = {
        name: book.look(num_format=LOOKS["share" if name == "projected_mlr" else "usd"]) for _, name, _ in SUMMARY
    }
    top = 7 + len(shared)
    for place, (label, _, _) in enumerate(SUMMARY):
        summary.write(top, place, label, bold)
    for row, record in enumerate(tables["rates"].to_dict("records"), start=top + 1):
        summary.write(row, 0, record["cell"])
        for place, (_, live, shown) in enumerate(SUMMARY[1:], start=1):
            if is_missing(record[shown]):
                continue
            if live:
                formula = f"=SUMPRODUCT(--({risk['cell_all']}=$A{row + 1}),{risk[f'{live}_all']})"
                summary.write_formula(row, place, formula, looks[live], float(record[shown]))
            elif not is_missing(record["upper"]):
                summary.write(row, place, f"{record['lower']:,.2f} to {record['upper']:,.2f}")
    summary.set_column(4, 4, 14)
    summary.print_area(0, 0, top + 1 + len(tables["rates"]), len(SUMMARY) - 1)


def inputs_frame(tables: dict[str, pd.DataFrame], chosen: dict) -> pd.DataFrame:
    """List the named inputs that stand in more than one cell: months of trend, loads, risk sharing, case rates."""
    rows = []
    for months in tables["rate_build"].trend_months.head(1):
        rows.append(("trend_months", months, "months", "middle of the base to middle of the rating period"))
        rows.append(("base_months", base_months(chosen), "months", "base period"))
    for name in ("admin_share", "margin_share", "tax_share"):
        entry = chosen["loads"][name]
        rows.append((name, entry["value"], entry["unit"], entry["source"]))
    rows += risk_inputs(chosen) + case_inputs(chosen["case_rate"])
    return pd.DataFrame(rows, columns=["key", "value", "unit", "source"])


def base_months(chosen: dict) -> int:
    """Count the months of the base period in force."""
    return months_of_base(chosen["base_start"], chosen["base_end"])
