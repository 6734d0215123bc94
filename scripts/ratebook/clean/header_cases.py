"""How the headers' amounts stand to their lines': every record of a medical claim is one case of methods.md A7."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.clean.chains import RECORD
from ratebook.clean.lines import CLAIM, denial_rule, unite_lines
from ratebook.clean.missing import count_where
from ratebook.contracts.quality import HeaderCases
from ratebook.tables import fingerprint

READ = [*RECORD, "load_sequence", "claim_line_number", "claim_type", "source_file", "raw_usd", "header_paid_amount"]
READ += ["denied_flag", "record_type", "claim_status_code", "line_status_code"]
SUMS = ("records", "lines", "raw_usd", "header_usd", "paid_usd")


def count_header_cases(
    medical: ibis.Table, pharmacy: ibis.Table, irregular: ibis.Table, adjusted: ibis.Table
) -> ibis.Table:
    """Count the records of medical claims by how their header's amount stands to their lines'.

    Copies count as lines of their record and never as dollars; lines denied are not summed. Most claims are one
    record, its lines numbered 1, 2, 3, … under one header that agrees with them, or none: their lines are counted
    one by one. Only the others are put together.

    Parameters
    ----------
    medical, pharmacy : MedicalClaims, PharmacyClaims
    irregular : ibis.Table
        `claim`, the fingerprints of all claims that are not so, as `suspects.find_irregular` gives them.
    adjusted : AdjustedLines
        What cleaning made of the amounts; no line of any other claim stands in it.

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
    lines = lines.mutate(claim=fingerprint(lines, CLAIM))
    both = _of_regular(lines.anti_join(irregular, "claim")).union(
        _of_irregular(lines.semi_join(irregular, "claim"), adjusted)
    )
    return both.group_by("source_file", "claim_type", "case").agg(
        **{name: both[name].sum().fill_null(0) for name in SUMS}
    )


def _of_regular(lines: ibis.Table) -> ibis.Table:
    is_first = lines.claim_line_number == 1
    header = ibis.ifelse(is_first, lines.header_paid_amount, ibis.null("decimal(14, 2)"))
    case = ibis.ifelse(lines.header_paid_amount.isnull(), "no_header", "agree")
    return lines.group_by("source_file", "claim_type", case=case).agg(
        records=count_where(is_first),
        lines=lines.count(),
        raw_usd=lines.raw_usd.sum(),
        header_usd=header.sum(),
        paid_usd=lines.raw_usd.sum(),
    )


def _of_irregular(lines: ibis.Table, adjusted: ibis.Table) -> ibis.Table:
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
    return records.group_by("source_file", "claim_type", "case").agg(
        records=records.count(), **{name: records[name].sum() for name in SUMS[1:]}
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
