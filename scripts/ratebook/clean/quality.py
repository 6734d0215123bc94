"""Quality in numbers: every check, what it found, and the limit it is held to."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from ratebook.clean.missing import count_where
from ratebook.contracts.clean import Qa


@dataclass(frozen=True)
class Check:
    """A check's value is the count of `top`, or its share of `bottom`; its limit a number, or a setting's name.

    `findings` names the count of lines behind a value that is no count; none stand behind a value of months.
    """

    check_id: str
    description: str
    severity: str
    top: str
    bottom: str | None = None
    limit: float | str | None = None
    bound: str = "at_most"
    findings: str | None = "top"

    @property
    def counted(self) -> str | None:
        """The count of lines behind the value."""
        return self.top if self.findings == "top" else self.findings


MONTHS = {"findings": None}
CHECKS = (
    Check(
        "cells_unparsed", "Cells of the source that hold something and do not parse", "warn", "cells_unparsed", limit=0
    ),
    # Who it is of (A2).
    Check(
        "unknown_ids_share",
        "Dollars on ids of no known member",
        "error",
        "unknown_usd",
        "read_usd",
        "unmatched",
        findings="unknown",
    ),
    Check(
        "unknown_ids_warning",
        "The same, at the lower limit",
        "warn",
        "unknown_usd",
        "read_usd",
        "unmatched_warn",
        findings="unknown",
    ),
    Check("split_ids_share", "Ids the crosswalk sends to two persons", "error", "split_ids", "crosswalk_ids", 0),
    Check("persons_of_two_sexes", "Persons whose records disagree on their sex", "warn", "two_sexes", limit=0),
    Check("persons_of_two_births", "Persons with birth dates more than a year apart", "warn", "two_births", limit=0),
    # Which record stands (A3 to A6).
    Check("conflicting_copies", "Lines with one key and different content", "warn", "conflicting", "rows", 0.01),
    Check("final_voids", "Voids among final lines", "error", "final_voids", limit=0),
    Check("orphan_voids", "Voids of claims that are not in the extract", "info", "orphan_voids"),
    Check("orphan_void_usd", "Dollars of those voids", "info", "orphan_void_usd", findings="orphan_voids"),
    Check("orphan_replacements", "Replacements of claims that are not in the extract", "info", "orphan_replacements"),
    Check(
        "near_duplicate_share",
        "Lines whose service another claim bills too",
        "warn",
        "near_duplicates",
        "final_rows",
        0.01,
    ),
    Check(
        "denial_jumps", "Months of a feed in which the share denied jumps", "warn", "denial_jumps", limit=0, **MONTHS
    ),
    Check(
        "denial_jumps_of_providers",
        "Months of a billing provider in which it does",
        "info",
        "provider_jumps",
        "provider_months",
        **MONTHS,
    ),
    Check(
        "final_action_kappa",
        "Agreement beyond chance of the payer's final-action flag with the records (A5.7)",
        "warn",
        "final_action_kappa",
        limit=0.9,
        bound="at_least",
        findings="final_action_flagged",
    ),
    Check(
        "final_action_usd",
        "Dollars on which the two disagree",
        "info",
        "final_action_differing_usd",
        findings="final_action_differing",
    ),
    # What was paid (A7, A8).
    Check("repeated_header_lines", "Lines that repeated their header's amount", "info", "repeated_header_lines"),
    Check("header_priced_lines", "Lines given a share of their header's amount", "info", "header_priced_lines"),
    Check(
        "header_mismatch_share", "Lines whose header and lines disagree", "warn", "header_mismatch_lines", "rows", 0.05
    ),
    Check("unexplained_negatives", "Negative final amounts without a cause", "warn", "negative", "rows", 0.01),
    Check(
        "large_negatives",
        "1 where any of them is beyond its limit, else 0",
        "error",
        "has_large_negative",
        limit=0,
        findings="negative",
    ),
    Check(
        "zero_paid_share", "Fee-for-service lines paid zero, kept for utilisation", "info", "zero_paid", "final_rows"
    ),
    Check("above_allowed_share", "Lines paid more than allowed", "warn", "above_allowed", "final_rows", 0.05),
    Check("above_billed_share", "Lines allowed more than billed", "warn", "above_billed", "final_rows", 0.05),
    Check(
        "net_identity_share",
        "Dollars where allowed less other payers is not paid",
        "warn",
        "net_broken_usd",
        "final_usd",
        "net_identity",
        findings="net_broken",
    ),
    Check(
        "net_identity_payers",
        "Plans and claim types in which that share is above the limit",
        "warn",
        "net_flagged",
        limit=0,
        **MONTHS,
    ),
    Check("crossover_share", "Lines Medicare paid first", "info", "crossovers", "final_rows"),
    Check("subcapitated_share", "Encounters paid zero", "info", "subcapitated", "final_rows"),
    # When it was (A9).
    Check("impossible_dates_share", "Lines with a date that cannot be (A9)", "warn", "impossible_dates", "rows", 0.01),
    Check("swapped_dates", "Lines whose start and end were exchanged", "info", "swapped"),
    Check("soon_after_death", "Lines served after death, within the days allowed", "warn", "after_death", limit=0),
    Check("filled_discharges", "Stays whose discharge date was filled", "info", "filled_discharges"),
    # How many (A10), and how late (A11).
    Check(
        "units_flagged_share",
        "Dollars with implausible units (H9)",
        "warn",
        "units_flagged_usd",
        "final_usd",
        0.01,
        findings="units_flagged",
    ),
    Check(
        "runout_months",
        "Months of payments after the last month of service studied",
        "error",
        "runout_months",
        limit="runout",
        bound="at_least",
        **MONTHS,
    ),
    Check(
        "immature_months",
        "Months studied of which too little is paid yet to show them as they are",
        "warn",
        "immature_months",
        limit=0,
        **MONTHS,
    ),
    # What is missing, and what no code names.
    Check("no_paid_date_share", "Lines without a paid date", "warn", "no_paid_date", "final_rows", 0.01),
    Check("no_diagnosis_share", "Medical lines without a diagnosis", "warn", "no_diagnosis", "final_rows", 0.05),
    Check("no_provider_share", "Medical lines without a billing provider", "warn", "no_provider", "final_rows", 0.05),
    Check(
        "unmapped_share",
        "Dollars in no category but OTHER (H12)",
        "warn",
        "unmapped_usd",
        "final_usd",
        0.01,
        findings="unmapped",
    ),
)


def count_marks(tally: pd.DataFrame) -> dict:
    """Count what the checks need of all raw lines, from the waterfall's tally."""
    rule, amount_rule = tally.rule_id, tally.amount_rule_id
    final = rule.isna()

    def rows(where: pd.Series, column: str = "rows") -> int:
        return int(tally[column][where].sum())

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
        "impossible_dates": rows(rule.astype("string").str.startswith("A9").fillna(False).astype(bool)),
        "swapped": rows(final, "swapped_rows"),
        "after_death": rows(final, "after_death_rows"),
        "above_billed": rows(final, "above_billed_rows"),
        **compare_final_action(tally),
    }


def compare_final_action(tally: pd.DataFrame) -> dict:
    """Compare what the payer's flag calls final with what the records do: Cohen's kappa, lines and dollars apart.

    Only lines that reach the adjustment of claims are compared: copies and denials are final to neither. Kappa is
    null where the feed has no flag, or both say the same of every line.

    References
    ----------
    methods.md, A5.7.
    """
    reached = ~tally.rule_id.astype("string").str.match("A[0-4]").fillna(False).astype(bool)
    told = tally[reached & tally.final_action_flag.notna()]
    theirs, ours = told.final_action_flag.astype(bool), told.stands_by_records.astype(bool)
    lines = told.rows.sum()
    shares = [told.rows[side].sum() / lines if lines else 0.0 for side in (theirs, ours)]
    by_chance = shares[0] * shares[1] + (1 - shares[0]) * (1 - shares[1])
    agreed = told.rows[theirs == ours].sum() / lines if lines else 0.0
    return {
        "final_action_flagged": int(lines),
        "final_action_differing": int(told.rows[theirs != ours].sum()),
        "final_action_differing_usd": float(told.raw_usd[theirs != ours].abs().sum()),
        "final_action_kappa": (agreed - by_chance) / (1 - by_chance) if lines and by_chance < 1 else None,
    }


def count_claims(claims: ibis.Table) -> ibis.Table:
    """Count in one pass what the checks need of final-action lines, by plan and type of claim."""
    medical = claims.claim_type != "pharmacy"
    others = (
        claims.tpl_usd.fill_null(0) + claims.medicare_paid_usd.fill_null(0) + claims.patient_liability_usd.fill_null(0)
    )
    gap = (claims.allowed_usd - others - claims.paid_usd).abs()
    return claims.group_by("plan", "claim_type").agg(
        final_rows=claims.count(),
        final_usd=claims.paid_usd.sum(),
        final_cost_usd=claims.cost_usd.sum(),
        zero_paid=count_where((claims.record_type == "ffs") & (claims.paid_usd == 0)),
        above_allowed=count_where(claims.paid_usd > claims.allowed_usd + 1),
        net_broken=count_where(medical & (gap > 1)),
        net_broken_usd=_dollars(claims, medical & (gap > 1)),
        units_flagged=count_where(claims.units_flag.notnull()),
        units_flagged_usd=_dollars(claims, claims.units_flag.notnull()),
        filled_discharges=count_where(claims.discharge_source != "reported"),
        no_paid_date=count_where(claims.paid_date.isnull()),
        no_diagnosis=count_where(medical & claims.diagnosis_code_1.isnull()),
        no_provider=count_where(medical & claims.billing_npi.isnull()),
        crossovers=count_where(claims.is_crossover),
        subcapitated=count_where(claims.is_subcapitated),
        near_duplicates=count_where(claims.is_near_duplicate),
        unmapped=count_where(claims.category == "OTHER"),
        unmapped_usd=_dollars(claims, claims.category == "OTHER"),
    )


def count_disagreeing(members: ibis.Table, identity: ibis.Table) -> ibis.Table:
    """Count the persons whose member records disagree: on their sex, or on their birth by more than a year (A2.5)."""
    told = members.select("sex", "birth_date", told_id="person_id")
    # An id that was used again means another person: whose record it is cannot be said.
    known = identity.group_by("source_person_id").agg(person_id=identity.person_id.min(), meanings=identity.count())
    known = known.filter(known.meanings == 1)
    told = told.join(known, told.told_id == known.source_person_id)
    sexes = told.sex.isin(["female", "male"]).ifelse(told.sex, ibis.null("string"))
    persons = told.group_by("person_id").agg(
        first_sex=sexes.min(),
        last_sex=sexes.max(),
        first_birth=told.birth_date.min(),
        last_birth=told.birth_date.max(),
    )
    years = persons.first_birth + ibis.interval(years=1)
    return persons.aggregate(
        two_sexes=count_where(persons.first_sex != persons.last_sex).fill_null(0),
        two_births=count_where(persons.last_birth > years).fill_null(0),
    )


def build_qa(counted: dict, limits: dict[str, float]) -> pd.DataFrame:
    """Judge every check: its value is a count, or a share where it has a denominator; null where that is zero.

    Parameters
    ----------
    counted : dict
        Every count a check names, null where the data cannot say, and `largest_negative_usd`.
    limits : dict
        `negative`, and every limit a check names, from the config.

    Returns
    -------
    Qa

    References
    ----------
    methods.md, A2 to A11 and A13.
    """
    # One line's amount is one person's: only whether it is beyond the limit is kept.
    is_beyond = counted["largest_negative_usd"] > limits["negative"]
    counted = {**counted, "has_large_negative": int(is_beyond)}
    rows = []
    for check in CHECKS:
        limit = limits[check.limit] if isinstance(check.limit, str) else check.limit
        above, below = counted[check.top], counted[check.bottom] if check.bottom else 1
        value = float(above) / float(below) if above is not None and below else None
        is_judged = limit is not None and value is not None
        passed = (value <= limit if check.bound == "at_most" else value >= limit) if is_judged else None
        found = None if check.counted is None else int(counted[check.counted])
        rows.append((check.check_id, check.description, check.severity, value, found, limit, check.bound, passed))
    names = ["check_id", "description", "severity", "value", "findings", "threshold", "bound", "passed"]
    frame = pd.DataFrame(rows, columns=names)[list(Qa.types())]
    return frame.astype({"value": float, "findings": "Int64", "threshold": float, "passed": "boolean"})


def _dollars(lines: ibis.Table, where: ibis.Value) -> ibis.Value:
    """Sum the size of the amounts: money out and money back, both wrong, are no less wrong together."""
    zero = ibis.literal(0).cast("decimal(14, 2)")
    return ibis.ifelse(where.fill_null(False), lines.paid_usd.abs(), zero).sum()
