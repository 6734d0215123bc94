"""From any rate back, factor by factor, to lines, dollars and member months: as a table, and printed for one cell."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from ratebook.contracts.rate_trace import RateTrace
from ratebook.errors import RatebookError
from ratebook.rates.derive import ERRORS_IN_RATES
from ratebook.tables import empty_frame

RELEASED_TRACE = "results/release/tables/rate_trace.parquet"
MANUAL, CARE, WHOLE = "manual_rate", "care_management", "rate"
"""Parts of a rate that are no category, and their sum."""
BLENDED = [
    ("f_neutral", "multiply", "f_neutral", "rates", "f_neutral"),
    ("loads", "divide", "kept_share", "rates", "1 - admin_share - margin_share - tax_share"),
    ("f_smoothing", "multiply", "f_smoothing", "relativities", "f_smoothing"),
]
STEPS = {
    "category": [
        ("base_usd", "start", "base_usd", "base_experience", "paid_usd"),
        ("member_months", "divide", "member_months", "base_experience", "member_months"),
        ("completion_factor", "divide", "completion_factor", "base_completion", "completion_factor"),
        ("f_missing", "multiply", "f_missing", "assumptions", "rates.missing"),
        ("f_pooling", "multiply", "f_pooling", "pooling", "f_pooling"),
        ("f_base_changes", "multiply", "f_base_changes", "assumptions", "rates.base_changes"),
        ("f_trend", "multiply", "f_trend", "trend", "annual_trend of utilisation and unit_cost"),
        ("f_program", "multiply", "f_program", "assumptions", "rates.program_changes"),
        ("f_managed_care", "multiply", "f_managed_care", "assumptions", "rates.managed_care"),
        ("f_tpl", "multiply", "f_tpl", "assumptions", "rates.tpl_share"),
        ("credibility_z", "multiply", "credibility_z", "credibility", "credibility_z"),
        *BLENDED,
    ],
    MANUAL: [
        ("manual_pmpm_usd", "start", "manual_pmpm_usd", "rates", "manual_pmpm_usd"),
        ("1 - credibility_z", "multiply", "manual_weight", "credibility", "1 - credibility_z"),
        *BLENDED,
    ],
    CARE: [("fixed_pmpm_usd", "start", "fixed_pmpm_usd", "assumptions", "rates.loads.fixed_pmpm_usd"), *BLENDED[1:]],
}
"""Of each kind of part: factor, operation, the column that holds its number here, and the table and column it is from."""


def derive_rate_trace(
    experience: pd.DataFrame, build: pd.DataFrame, rates: pd.DataFrame, settings: dict
) -> pd.DataFrame:
    """Lay out the arithmetic of every rate, one operation a row, with the tables its numbers stand in.

    A rate is a sum of parts: each category's own experience, weighed by its credibility; the manual rate, weighed by
    the rest; and care management. Each part is a product. The sum of the parts, rounded, is the rate to the cent; a
    cell without a rate has parts and ends in null.

    Parameters
    ----------
    experience : BaseExperience
    build : RateBuild
    rates : Rates
    settings : dict
        `config.yaml` rates.

    Returns
    -------
    RateTrace

    References
    ----------
    methods.md, E1 (a rate is a reproducible product) and E10.
    """
    if build.empty:
        return empty_frame(RateTrace)
    base = experience[experience.service_month.between(settings["base_start"], settings["base_end"])]
    lines = base.groupby(["cell", "category"], as_index=False).claim_lines.sum()
    cells = rates.assign(
        kept_share=1 - rates.admin_share - rates.margin_share - rates.tax_share, manual_weight=1 - rates.credibility_z
    )
    own = build.merge(lines, on=["cell", "category"], how="left")
    own = own.merge(cells.drop(columns=["members", "member_months", "reason"]), on="cell")
    parts = [
        _walk(own, "category"),
        _walk(cells.assign(category=MANUAL), MANUAL),
        _walk(cells.assign(category=CARE), CARE),
    ]
    rows = pd.concat(parts, ignore_index=True).sort_values(["cell", "category", "step"], ignore_index=True)
    taken = rows.value.where(rows.operation != "divide", 1 / rows.value)
    rows["running_usd"] = taken.groupby([rows.cell, rows.category]).cumprod()
    rows = pd.concat([rows, _sum_parts(rows, rates)], ignore_index=True)
    rows["claim_lines"] = rows.claim_lines.where(rows.factor == "base_usd").astype("Int64")
    rows["reason"] = ERRORS_IN_RATES
    return rows.sort_values(["cell", "category", "step"], ignore_index=True)[list(RateTrace.types())]


def _walk(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Turn each row into the steps of its kind."""
    frame = frame if "claim_lines" in frame else frame.assign(claim_lines=np.nan)
    steps = []
    for number, (factor, operation, column, table, source) in enumerate(STEPS[kind], start=1):
        step = frame[["cell", "category", "members", "claim_lines"]].assign(
            step=number,
            factor=factor,
            operation=operation,
            value=frame[column].astype(float),
            source_table=table,
            source_column=source,
        )
        steps.append(step)
    return pd.concat(steps, ignore_index=True)


def _sum_parts(rows: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Add up where the parts of each cell end, and round."""
    ends = rows.groupby(["cell", "category"], as_index=False).last()
    added = ends.assign(
        step=ends.groupby("cell").cumcount() + 1,
        factor=ends.category,
        category=WHOLE,
        operation="add",
        value=ends.running_usd,
        running_usd=ends.groupby("cell").running_usd.cumsum(),
        source_table="rate_trace",
        source_column="running_usd",
    )
    rate = rates.rate_usd.astype(float)
    rounded = rates[["cell", "members"]].assign(
        category=WHOLE,
        step=rates.cell.map(ends.groupby("cell").size()) + 1,
        factor="rate_usd",
        operation="round",
        value=rate,
        running_usd=rate,
        source_table="rates",
        source_column="rate_usd",
    )
    return pd.concat([added, rounded], ignore_index=True)


def print_trace(trace: pd.DataFrame, cell: str, category: str = "") -> str:
    """Print the way of one cell, or of one part of it, from the rate back to the data.

    Parameters
    ----------
    trace : RateTrace
        Its released copy: what stands for few people is not shown.
    cell : str
        A cell, or a part of the name of exactly one.
    category : str
        A part of the rate; all when empty.

    Raises
    ------
    RatebookError
        If no cell, or more than one, or no such part, is meant; the message lists what there is.
    """
    cells = sorted(set(trace.cell))
    meant = [cell] if cell in cells else [name for name in cells if cell.lower() in name.lower()]
    if len(meant) != 1:
        raise RatebookError(f"CELL={cell!r} means {len(meant)} cells; there are:\n  " + "\n  ".join(meant or cells))
    rows = trace[trace.cell == meant[0]]
    parts = [WHOLE, *(part for part in dict.fromkeys(rows.category) if part != WHOLE)]
    if category and category not in parts:
        raise RatebookError(f"CATEGORY={category!r} is no part of this rate; there are: {', '.join(parts)}")
    text = [f"{meant[0]}: {_number(rows.members.iloc[0], 0)} members in the base"]
    for part in [category] if category else parts:
        text += ["", part]
        for row in rows[rows.category == part].sort_values("step", ascending=False).itertuples():
            lines = "" if pd.isna(row.claim_lines) else f", {_number(row.claim_lines, 0)} lines"
            source = f"{row.source_table}.{row.source_column}{lines}"
            number = _number(row.value, 2 if row.factor == "base_usd" else 6)
            text.append(
                f"  {_number(row.running_usd, 4):>18}  {row.operation:<8} {number:>18}  {row.factor:<22} {source}"
            )
    return "\n".join(text)


def _number(value, digits: int) -> str:
    return "hidden or none" if pd.isna(value) else f"{value:,.{digits}f}"


if __name__ == "__main__":
    try:
        print(print_trace(pd.read_parquet(RELEASED_TRACE), *sys.argv[1:3]))
    except (RatebookError, FileNotFoundError) as error:
        sys.exit(str(error))
