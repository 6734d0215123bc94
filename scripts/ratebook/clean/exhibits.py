"""Exhibits of data quality from one tally of the raw lines, each tied to the waterfall's rows and dollars."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from ratebook.clean.lines import MONEY_ONLY
from ratebook.contracts.quality import DUPLICATES, AdjustmentRates, Duplicates, NetCost
from ratebook.errors import RatebookError

KINDS = {
    "void": "void",
    "replacement": "replacement",
    "resubmission": "resubmission",
    "late_charge": "addition",
    "interim": "addition",
    **dict.fromkeys(MONEY_ONLY, "gross"),
}
"""What an adjustment is to its claim; anything else is an original."""
ZERO = Decimal("0.00")


def build_adjustment_rates(tally: pd.DataFrame) -> pd.DataFrame:
    """Lay out what raw rows are to their claims, by month paid: originals, voids, replacements and the like.

    Returns
    -------
    AdjustmentRates

    References
    ----------
    methods.md, A13 T3.
    """
    keys = ["source_table", "paid_month"]
    kind = tally.adjustment.map(KINDS).fillna("original")
    orphan = {
        "orphan_void": tally.rule_id == "A5.5",
        "orphan_replacement": (kind == "replacement") & tally.is_orphan_replacement.astype(bool),
    }
    columns = {}
    for name in dict.fromkeys(["original", *KINDS.values(), *orphan]):
        where = orphan.get(name, kind == name)
        columns[f"{name}_rows"] = tally.rows.where(where, 0)
        columns[f"{name}_usd"] = tally.raw_usd.where(where, ZERO)
    keyed = tally[[*keys, "rows", "raw_usd"]].assign(**columns)
    found = keyed.groupby(keys, dropna=False, as_index=False)[["rows", "raw_usd", *columns]].sum()
    originals = found.original_rows.where(found.original_rows > 0)
    found = found.assign(void_rate=found.void_rows / originals, replacement_rate=found.replacement_rows / originals)
    return found[list(AdjustmentRates.types())]


def build_duplicates(tally: pd.DataFrame) -> pd.DataFrame:
    """Lay out identical and conflicting copies and near duplicates, by the file they stand in.

    Of identical copies the first loaded is no duplicate. A near duplicate is a final line whose service another
    claim bills too, or one that rule A6 took for it.

    Returns
    -------
    Duplicates
        Every file and kind, also where there is none.

    References
    ----------
    methods.md, A3, A6 and A13.
    """
    keys = ["source_table", "source_file"]
    copy, across = tally.rule_id == "A3.1", tally.is_across_files.astype(bool)
    near = tally.is_near_duplicate.astype(bool) & tally.rule_id.isna()
    is_kind = {
        "copy_within_file": copy & ~across,
        "copy_across_files": copy & across,
        "conflicting": tally.rule_id == "A3.2",
        "near": near | (tally.rule_id == "A6"),
    }
    whole = tally.groupby(keys, dropna=False).rows.sum()
    parts = []
    for kind in DUPLICATES:
        counted = tally[keys].assign(
            rows=tally.rows.where(is_kind[kind], 0), raw_usd=tally.raw_usd.where(is_kind[kind], ZERO)
        )
        by_file = counted.groupby(keys, dropna=False)[["rows", "raw_usd"]].sum()
        by_file = by_file.assign(kind=kind, rows_share=by_file.rows / whole)
        parts.append(by_file.reset_index())
    return pd.concat(parts, ignore_index=True)[list(Duplicates.types())]


def build_net_cost(counted: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Give, by plan and type of claim, the dollars where allowed less what others pay is not what was paid.

    Parameters
    ----------
    counted : pandas.DataFrame
        As `quality.count_claims`.
    limit : float
        A share of dollars above it is flagged.

    Returns
    -------
    NetCost

    References
    ----------
    methods.md, A8.
    """
    found = counted.rename(
        columns={
            "final_rows": "rows",
            "final_usd": "paid_usd",
            "net_broken": "broken_rows",
            "net_broken_usd": "broken_usd",
        }
    )
    dollars = found.paid_usd.astype(float)
    found["broken_share"] = found.broken_usd.astype(float) / dollars.where(dollars != 0)
    found["is_flagged"] = found.broken_share > limit
    return found[list(NetCost.types())]


def check_ties(tally: pd.DataFrame, attrition: pd.DataFrame, exhibits: dict[str, pd.DataFrame]) -> None:
    """Stop where an exhibit does not add up to the raw rows and dollars of the waterfall, to the row and the cent.

    Raises
    ------
    RatebookError
        Naming every exhibit that does not.
    """
    first = attrition[attrition.step == 1].set_index("source_table")
    claims = first.drop(index="navigator_log", errors="ignore")
    rows, dollars = int(claims.rows_in.sum()), sum(claims.paid_in_usd, ZERO)
    medical = claims[claims.index == "medical_claims"]
    people, copies = exhibits["missingness"], exhibits["duplicates"]
    rates, cases = exhibits["adjustment_rates"], exhibits["header_cases"]
    parts = [name for name in rates if name.endswith("_usd") and not name.startswith(("raw", "orphan"))]
    exact = copies[copies.kind.str.startswith("copy")]
    ties = {
        "adjustment_rates": (rates.rows.sum(), sum(rates.raw_usd, ZERO)) == (rows, dollars)
        and sum((sum(rates[name], ZERO) for name in parts), ZERO) == dollars,
        "header_cases": (cases.lines.sum(), sum(cases.raw_usd, ZERO))
        == (medical.rows_in.sum(), sum(medical.paid_in_usd, ZERO)),
        "missingness": people.rows[people.field == "person"].sum() == rows,
        "denials": exhibits["denials"].rows.sum() == rows,
        "duplicates": exact.rows.sum() == tally.rows[tally.rule_id == "A3.1"].sum(),
    }
    broken = [name for name, ties_up in ties.items() if not ties_up]
    if broken:
        raise RatebookError(
            f"exhibits do not add up to the raw rows and dollars of the waterfall: {', '.join(broken)}"
        )
