"""Exhibits of data quality from one tally of the raw lines, each tied to the waterfall's rows and dollars."""

from __future__ import annotations

from decimal import Decimal

import ibis
import pandas as pd

from ratebook.clean.chains import RECORD
from ratebook.clean.lines import MONEY_ONLY, denial_rule, fingerprint, unite_lines
from ratebook.clean.missing import count_where
from ratebook.contracts.quality import DUPLICATES, AdjustmentRates, Duplicates, HeaderCases, NetCost
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
READ = [*RECORD, "load_sequence", "claim_type", "source_file", "raw_usd", "header_paid_amount"]
READ += ["denied_flag", "record_type", "claim_status_code", "line_status_code"]
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


def count_header_cases(medical: ibis.Table, pharmacy: ibis.Table, adjusted: ibis.Table) -> ibis.Table:
    """Count the records of medical claims by how their header's amount stands to their lines'.

    Copies count as lines of their record and never as dollars; lines denied are not summed.

    Parameters
    ----------
    medical, pharmacy : MedicalClaims, PharmacyClaims
    adjusted : AdjustedLines
        What cleaning made of the amounts.

    Returns
    -------
    ibis.Table
        `source_file`, `claim_type`, `case`; `records`, `lines`, `raw_usd`, `header_usd`, `paid_usd`.

    References
    ----------
    methods.md, A7.
    """
    lines = unite_lines(medical, pharmacy, READ)
    lines = lines.filter(lines.source_table == "medical_claims")
    of_medical = adjusted.filter(adjusted.source_table == "medical_claims")
    told = of_medical.select(at="load_sequence", rule="rule_id", amount_rule="amount_rule_id", new_usd="paid_usd")
    lines = lines.left_join(told, lines.load_sequence == told.at)
    zero = ibis.literal(0).cast("decimal(14, 2)")
    is_copy = (lines.rule == "A3.1").fill_null(False)
    is_denied = denial_rule(lines) == "A4.2"
    counts = ~is_copy & ~is_denied.fill_null(False)
    records = lines.group_by(record=fingerprint(lines, RECORD)).agg(
        source_file=lines.source_file.min(),
        claim_type=lines.claim_type.min(),
        lines=lines.count(),
        denied_lines=count_where(is_denied),
        header_usd=lines.header_paid_amount.max(),
        raw_usd=lines.raw_usd.sum(),
        open_usd=ibis.ifelse(counts, lines.raw_usd, zero).sum(),
        paid_usd=ibis.ifelse(is_copy, zero, ibis.coalesce(lines.new_usd, lines.raw_usd)).sum(),
        amount_rule=lines.amount_rule.max(),
    )
    case = ibis.cases(
        (records.amount_rule == "A7.4", "repeated"),
        (records.amount_rule == "A7.1", "header_spread"),
        (records.amount_rule == "A7.3", "header_stands"),
        (records.header_usd.isnull(), "no_header"),
        ((records.header_usd - records.open_usd).abs() <= 0.01, "agree"),
        (records.denied_lines > 0, "denied_lines"),
        else_="lines_stand",
    )
    records = records.mutate(case=case)
    sums = ("lines", "raw_usd", "header_usd", "paid_usd")
    return records.group_by("source_file", "claim_type", "case").agg(
        records=records.count(), **{name: records[name].sum().fill_null(0) for name in sums}
    )


def build_header_cases(counts: pd.DataFrame) -> pd.DataFrame:
    """Give each case's share of the records and of the dollars of its file and claim type.

    Returns
    -------
    HeaderCases

    References
    ----------
    methods.md, A13 T4.
    """
    of = [counts[name] for name in ("source_file", "claim_type")]
    dollars = counts.paid_usd.astype(float)
    whole = dollars.groupby(of, dropna=False).transform("sum")
    records = counts.records.groupby(of, dropna=False).transform("sum")
    shares = {"records_share": counts.records / records, "dollars_share": dollars / whole.where(whole > 0)}
    return counts.assign(**shares)[list(HeaderCases.types())]


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
