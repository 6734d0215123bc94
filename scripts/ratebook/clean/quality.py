"""What a careful analyst checks before believing the claims: control totals, and quality in numbers."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.contracts.clean import Qa, Reconciliation


def build_reconciliation(tally: pd.DataFrame, control: pd.DataFrame, warn: float, error: float) -> pd.DataFrame:
    """Set what we read beside what the supplier says it sent, per file, month paid and category.

    Category `all` of the supplier is compared with the sum of ours. The status is pass up to `warn`, warn up to
    `error`, fail above; na where either side has nothing to compare.

    Parameters
    ----------
    tally : pandas.DataFrame
        As `attrition.tally_lines`. Identical copies count once: the supplier sent one.
    control : ControlTotals
    warn, error : float
        Limits of |ours / control - 1|.

    Returns
    -------
    Reconciliation
        Empty where the supplier sent no totals.

    References
    ----------
    methods.md, A13 T2 and H1.
    """
    keys = ["source_file", "paid_month", "category"]
    once = tally[tally.rule_id != "A3.1"].rename(columns={"claim_type": "category"})
    received = once.groupby(keys, as_index=False, dropna=False).agg(
        records=("rows", "sum"), paid_usd=("raw_usd", "sum")
    )
    theirs = control.rename(columns={"record_count": "control_records", "paid_amount": "control_usd"})
    theirs["category"] = theirs.category.fillna("all")
    whole = received.assign(category="all").groupby(keys, as_index=False, dropna=False)[["records", "paid_usd"]].sum()
    ours = pd.concat([received, whole[whole.category.isin(theirs.category.unique())]])
    asked = theirs.source_file.unique()
    ours = ours[ours.source_file.isin(asked) & ours.category.isin(theirs.category.unique())]
    both = theirs.merge(ours, on=keys, how="outer").sort_values(keys, kind="stable")
    gap = (both.paid_usd.astype(float) / both.control_usd.astype(float).where(lambda usd: usd != 0) - 1).abs()
    both["difference_share"] = gap
    both["status"] = pd.cut(gap, [-1, warn, error, float("inf")], labels=["pass", "warn", "fail"]).astype(object)
    one_side = both.paid_usd.isna() != both.control_usd.isna()
    both["status"] = both.status.where(gap.notna(), "na").where(~one_side, "fail")
    for column in ("records", "control_records"):
        both[column] = both[column].astype("Int64")
    return both[list(Reconciliation.types())]


def count_marks(tally: pd.DataFrame) -> dict:
    """Count what the checks need of all raw lines, from the waterfall's tally."""
    rule, amount_rule = tally.rule_id, tally.amount_rule_id
    final = rule.isna()

    def rows(where: pd.Series) -> int:
        return int(tally.rows[where].sum())

    def dollars(where: pd.Series) -> float:
        return float(tally.paid_usd[where].sum())

    return {
        "rows": rows(rule.notna() | final),
        "read_usd": dollars(rule.notna() | final),
        "unknown": rows(rule.isin(["A2.3", "A2.4"])),
        "unknown_usd": dollars(rule.isin(["A2.3", "A2.4"])),
        "final_voids": rows(final & (tally.adjustment == "void")),
        "orphan_voids": rows(rule == "A5.5"),
        "orphan_void_usd": dollars(rule == "A5.5"),
        "orphan_replacements": rows(final & tally.is_orphan_replacement.astype(bool)),
        "repeated_header_lines": rows(amount_rule == "A7.4"),
        "header_priced_lines": rows(amount_rule == "A7.1"),
        "header_mismatch_lines": rows(amount_rule == "A7.3"),
        "conflicting": rows(rule == "A3.2"),
        "negative": rows(rule == "A8.3"),
        "largest_negative_usd": float(max(tally.largest_usd[rule == "A8.3"], default=0)),
    }


def count_claims(claims: ibis.Table) -> ibis.Table:
    """Count in one pass what the checks need of final-action lines: one row."""
    medical = claims.claim_type != "pharmacy"
    others = (
        claims.tpl_usd.fill_null(0) + claims.medicare_paid_usd.fill_null(0) + claims.patient_liability_usd.fill_null(0)
    )
    gap = (claims.allowed_usd - others - claims.paid_usd).abs()
    return claims.aggregate(
        final_rows=claims.count(),
        final_usd=_dollars(claims, ibis.literal(True)),
        zero_paid=_rows((claims.record_type == "ffs") & (claims.paid_usd == 0)),
        above_allowed=_rows(claims.paid_usd > claims.allowed_usd + 1),
        net_broken=_rows(medical & (gap > 1)),
        net_broken_usd=_dollars(claims, medical & (gap > 1)),
        units_flagged=_rows(claims.units_flag.notnull()),
        units_flagged_usd=_dollars(claims, claims.units_flag.notnull()),
        filled_discharges=_rows(claims.discharge_source != "reported"),
        no_paid_date=_rows(claims.paid_date.isnull()),
        no_diagnosis=_rows(medical & claims.diagnosis_code_1.isnull()),
        no_provider=_rows(medical & claims.billing_npi.isnull()),
        crossovers=_rows(claims.is_crossover),
        subcapitated=_rows(claims.is_subcapitated),
        near_duplicates=_rows(claims.is_near_duplicate),
        unmapped=_rows(claims.category == "OTHER"),
        unmapped_usd=_dollars(claims, claims.category == "OTHER"),
    )


CHECKS = (
    ("cells_unparsed", "Cells of the source that hold something and do not parse", "warn", "cells_unparsed", None, 0),
    ("unknown_ids_share", "Dollars on ids of no known member", "error", "unknown_usd", "read_usd", "unmatched"),
    ("unknown_ids_warning", "The same, at the lower limit", "warn", "unknown_usd", "read_usd", "unmatched_warn"),
    ("split_ids_share", "Ids the crosswalk sends to two persons", "error", "split_ids", "crosswalk_ids", 0),
    ("conflicting_copies", "Lines with one key and different content", "warn", "conflicting", "rows", 0.01),
    ("final_voids", "Voids among final lines", "error", "final_voids", None, 0),
    ("orphan_voids", "Voids of claims that are not in the extract", "info", "orphan_voids", None, None),
    ("orphan_void_usd", "Dollars of those voids", "info", "orphan_void_usd", None, None),
    (
        "orphan_replacements",
        "Replacements of claims that are not in the extract",
        "info",
        "orphan_replacements",
        None,
        None,
    ),
    (
        "repeated_header_lines",
        "Lines that repeated their header's amount",
        "info",
        "repeated_header_lines",
        None,
        None,
    ),
    ("header_priced_lines", "Lines given a share of their header's amount", "info", "header_priced_lines", None, None),
    ("header_mismatch_share", "Lines whose header and lines disagree", "warn", "header_mismatch_lines", "rows", 0.05),
    ("unexplained_negatives", "Negative final amounts without a cause", "warn", "negative", "rows", 0.01),
    ("large_negatives", "1 where any of them is beyond its limit, else 0", "error", "has_large_negative", None, 0),
    (
        "zero_paid_share",
        "Fee-for-service lines paid zero, kept for utilisation",
        "info",
        "zero_paid",
        "final_rows",
        None,
    ),
    ("above_allowed_share", "Lines paid more than allowed", "warn", "above_allowed", "final_rows", 0.05),
    (
        "net_identity_share",
        "Dollars where allowed less other payers is not paid",
        "warn",
        "net_broken_usd",
        "final_usd",
        0.05,
    ),
    ("units_flagged_share", "Dollars with implausible units (H9)", "warn", "units_flagged_usd", "final_usd", 0.01),
    ("filled_discharges", "Stays whose discharge date was filled", "info", "filled_discharges", None, None),
    ("no_paid_date_share", "Lines without a paid date", "warn", "no_paid_date", "final_rows", 0.01),
    ("no_diagnosis_share", "Medical lines without a diagnosis", "warn", "no_diagnosis", "final_rows", 0.05),
    ("no_provider_share", "Medical lines without a billing provider", "warn", "no_provider", "final_rows", 0.05),
    (
        "near_duplicate_share",
        "Lines whose service another claim bills too",
        "warn",
        "near_duplicates",
        "final_rows",
        0.01,
    ),
    ("crossover_share", "Lines Medicare paid first", "info", "crossovers", "final_rows", None),
    ("subcapitated_share", "Encounters paid zero", "info", "subcapitated", "final_rows", None),
    ("unmapped_share", "Dollars in no category but OTHER (H12)", "warn", "unmapped_usd", "final_usd", 0.01),
)
"""Check, what it says, severity, numerator, denominator or None, limit (a number, or a named setting)."""

FINDINGS = {
    "unknown_usd": "unknown",
    "orphan_void_usd": "orphan_voids",
    "has_large_negative": "negative",
    "net_broken_usd": "net_broken",
    "units_flagged_usd": "units_flagged",
    "unmapped_usd": "unmapped",
}
"""Numerator that is no count to the count of lines behind it; any other numerator is its own."""


def build_qa(counted: dict, manifest: pd.DataFrame, limits: dict[str, float]) -> pd.DataFrame:
    """Judge every check: its value is a count, or a share where it has a denominator; null where that is zero.

    Parameters
    ----------
    counted : dict
        `count_marks`, `count_claims` and `count_split_ids` together.
    manifest : SourceManifest
    limits : dict
        `unmatched_warn`, `unmatched` and `negative`, from the config.

    Returns
    -------
    Qa

    References
    ----------
    methods.md, A13.
    """
    # One line's amount is one person's: only whether it is beyond the limit is kept.
    is_beyond = counted["largest_negative_usd"] > limits["negative"]
    counted = {
        **counted,
        "cells_unparsed": int(manifest.cells_unparsed.sum()),
        "has_large_negative": int(is_beyond),
    }
    rows = []
    for check, description, severity, top, bottom, limit in CHECKS:
        limit = limits.get(limit, limit) if isinstance(limit, str) else limit
        below = counted[bottom] if bottom else 1
        value = counted[top] / below if below else None
        passed = None if limit is None or value is None else value <= limit
        rows.append((check, description, severity, value, int(counted[FINDINGS.get(top, top)]), limit, passed))
    frame = pd.DataFrame(rows, columns=list(Qa.types()))
    return frame.astype({"value": float, "threshold": float, "passed": "boolean"})


def _rows(where: ibis.Value) -> ibis.Value:
    return where.fill_null(False).cast("int64").sum().fill_null(0)


def _dollars(lines: ibis.Table, where: ibis.Value) -> ibis.Value:
    paid = ibis.ifelse(where.fill_null(False), lines.paid_usd, 0).cast("decimal(14, 2)")
    return paid.sum().cast("float64").fill_null(0)
