"""Raw lines to final action: every rule marks the rows it takes or the amounts it changes; nothing is dropped."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.clean.members import with_person
from ratebook.codes import CLASSIFIED_BY, PROCEDURES, classify_lines
from ratebook.contracts.clean import AdjustedLines, Claims, Identity, Persons, Rejected, ReversedLines
from ratebook.contracts.intake import MedicalClaims, PharmacyClaims

MARKED_FROM = {
    "medical_claims": MedicalClaims,
    "pharmacy_claims": PharmacyClaims,
    "adjusted_lines": AdjustedLines,
    "identity": Identity,
    "persons": Persons,
}
"""The tables `mark_lines` reads."""
UNREAD = ("hcpcs_modifier_2", "hcpcs_modifier_3", "hcpcs_modifier_4", "header_paid_amount", "charge_amount")
UNREAD += (*PROCEDURES, "copayment_amount", "paid_amount", "adjustment_code", "original_claim_id")
DERIVED = ("source_table", "ndc_code", "days_supply", "adjustment", "raw_usd")
READ = [name for name in MedicalClaims.types() if name not in UNREAD] + list(DERIVED)
"""The columns a line is judged and classified by; what `adjusted_lines` already says is not read again."""
TAKEN = {*Rejected.types(), *ReversedLines.types(), *CLASSIFIED_BY, "raw_usd", "adjustment"}
"""The columns asked of lines a rule took."""
SERVICE_RECORDS = ("ffs", "encounter")
DENIED_STATUS = ("26", "026", "87", "087", "542", "585", "654", "F2")
"""Status codes of a denied claim or line: CMS's own header filter, and the X12 category."""
FREQUENCIES = (("5", "late_charge"), ("7", "replacement"), ("8", "void"))
FREQUENCIES += tuple((digit, "interim") for digit in "234")
"""Last character of a bill type to what the bill is; used where the source has no adjustment code."""
CLAIM = ["source_table", "claim_id"]
LINE = ["source_table", "load_sequence"]
ADJUSTING = ("void", "replacement", "resubmission")
MONEY_ONLY = ("credit", "gross_credit", "gross_debit")
STAYS = ("11", "18", "21", "28", "41", "65", "66", "86")
"""Bill types, less frequency, of care by the night."""


def unite_lines(medical: ibis.Table, pharmacy: ibis.Table, columns: list[str] | None = None) -> ibis.Table:
    """Put medical and pharmacy lines into one table with the columns of medical claims, and drug columns.

    Adds `source_table`, `adjustment` (from the adjustment code, else the bill type's frequency, else original),
    and `raw_usd`, the paid amount as the source states it, zero where it states none. With `columns`, only those
    are read: an engine reads a table used twice once in full, so a few columns are better read by themselves.
    """
    frequency = ibis.ifelse(
        medical.claim_type == "institutional", medical.bill_type_code.right(1).cases(*FREQUENCIES), ibis.null("string")
    )
    original = ibis.literal("original")
    of_medical = {
        **{name: medical[name] for name in medical.columns},
        "source_table": ibis.literal("medical_claims"),
        "claim_type": medical.claim_type.fill_null("other"),
        "record_type": medical.record_type.fill_null("ffs"),
        "ndc_code": ibis.null("string"),
        "days_supply": ibis.null("int64"),
        "adjustment": ibis.coalesce(medical.adjustment_code, frequency, original),
        "raw_usd": medical.paid_amount.fill_null(0).cast("decimal(14, 2)"),
    }
    of_pharmacy = {
        **{name: ibis.null(kind) for name, kind in MedicalClaims.types().items()},
        **{name: pharmacy[name] for name in pharmacy.columns if name in of_medical},
        "source_table": ibis.literal("pharmacy_claims"),
        "claim_type": ibis.literal("pharmacy"),
        "record_type": ibis.literal("ffs"),
        "claim_start_date": pharmacy.dispensing_date,
        "claim_end_date": pharmacy.dispensing_date,
        "service_unit_quantity": pharmacy.quantity,
        "rendering_npi": pharmacy.dispensing_provider_npi,
        "billing_npi": pharmacy.dispensing_provider_npi,
        "adjustment": ibis.coalesce(pharmacy.adjustment_code, original),
        "raw_usd": pharmacy.paid_amount.fill_null(0).cast("decimal(14, 2)"),
    }
    names = columns or list(of_medical)
    return medical.select(**{name: of_medical[name] for name in names}).union(
        pharmacy.select(**{name: of_pharmacy[name] for name in names})
    )


def with_told(lines: ibis.Table, told: ibis.Table) -> ibis.Table:
    """Join to each line, by table and order of load, what was found out about a few of them; null for the others."""
    found = told.rename(told_table="source_table", told_sequence="load_sequence")
    same = [lines.source_table == found.told_table, lines.load_sequence == found.told_sequence]
    return lines.left_join(found, same).drop("told_table", "told_sequence")


def record_rule(lines: ibis.Table) -> ibis.Value:
    """Name the rule that takes a row for what its record is: no claim id, a cell nobody can read, or no service (A1)."""
    return ibis.cases(
        (lines.claim_id.isnull(), "A0.1"),
        ((lines.cells_unparsed > 0).fill_null(False), "A0.2"),
        (lines.record_type.notin([*SERVICE_RECORDS, "denied"]), "A1.1"),
        else_=ibis.null("string"),
    )


def denial_rule(lines: ibis.Table) -> ibis.Value:
    """Name the rule that takes a denied claim or a denied line; a missing status passes (methods.md, A4)."""
    header = (
        lines.denied_flag.fill_null(False)
        | (lines.record_type == "denied")
        | lines.claim_status_code.isin(DENIED_STATUS).fill_null(False)
    )
    line = lines.line_status_code.isin(DENIED_STATUS).fill_null(False)
    return ibis.cases((header, "A4.1"), (line, "A4.2"), else_=ibis.null("string"))


def mark_lines(
    raw: dict[str, ibis.Table], extract_date: str, settings: dict, also: tuple[str, ...] = ()
) -> ibis.Table:
    """Mark every raw line with the first rule that takes it, and say what it was paid and cost.

    Parameters
    ----------
    raw : dict
        The tables of `MARKED_FROM`: raw lines, what is known of them beside their neighbours, and who is who.
    extract_date : str
        Last day on which a payment could be in the data.
    settings : dict
        The config's section `clean`.
    also : tuple of str
        Raw columns to keep beside those a line is judged by.

    Returns
    -------
    ibis.Table
        One row per raw line of either source. `rule_id` is null for a final-action line,
        `amount_rule_id` for a line whose amount stands as the source states it.

    References
    ----------
    methods.md, A1 to A9, in its order; `ratebook.clean.attrition.RULES` lists the marks.
    """
    lines = unite_lines(raw["medical_claims"], raw["pharmacy_claims"], [*READ, *also])
    lines = _with_adjustments(lines, raw["adjusted_lines"])
    lines = _with_dates(lines, settings)
    persons = raw["persons"].select("person_id", "birth_date", "death_date")
    known = raw["identity"].join(persons, "person_id")
    lines = with_person(lines, known, lines.service_start_date)
    lines = lines.mutate(
        rule_id=ibis.coalesce(
            record_rule(lines),
            _identity_rule(lines),
            lines.chain_rule_id,
            denial_rule(lines),
            _amount_rule(lines),
            _date_rule(lines, extract_date, settings),
        )
    )
    return _with_cost(lines, settings["cost_basis"])


def clean_claims(
    marked: ibis.Table, services: pd.DataFrame, diagnoses: pd.DataFrame, meanings: ibis.Table
) -> ibis.Table:
    """Select the lines no rule took, and say what each served.

    Parameters
    ----------
    marked : ibis.Table
        As `mark_lines` gives them.
    services, diagnoses : pandas.DataFrame
        Code tables.
    meanings : ibis.Table
        As `codes.claim_meanings` gives them for the raw medical lines.

    Returns
    -------
    Claims

    References
    ----------
    methods.md, A5.3, A10, B2 and D1.
    """
    lines = marked.filter(marked.rule_id.isnull())
    lines = classify_lines(lines, services, diagnoses, meanings)
    return _with_units(lines, services).select(*Claims.types())


def select_taken(marked: ibis.Table) -> ibis.Table:
    """Select the lines a rule took, in the columns that say why, what they were paid and what they served."""
    taken = marked.filter(marked.rule_id.notnull())
    return taken.select(*[name for name in marked.columns if name in TAKEN])


def select_rejected(taken: ibis.Table) -> ibis.Table:
    """Put the lines of `mark_lines` that a rule took into a table, with their dollars as the source states them."""
    return taken.select(*[name for name in Rejected.types() if name != "paid_usd"], paid_usd="raw_usd")


def _with_adjustments(lines: ibis.Table, adjusted: ibis.Table) -> ibis.Table:
    found = adjusted.rename(
        at_table="source_table",
        at_sequence="load_sequence",
        chain_rule_id="rule_id",
        new_usd="paid_usd",
        read_as="adjustment",
    )
    same = [lines.source_table == found.at_table, lines.load_sequence == found.at_sequence]
    joined = lines.left_join(found, same)
    return joined.select(
        *[lines[name] for name in lines.columns if name != "adjustment"],
        adjustment=ibis.coalesce(found.read_as, lines.adjustment),
        chain_rule_id=found.chain_rule_id,
        amount_rule_id=found.amount_rule_id,
        record_verdict=found.record_verdict,
        reversed_date=found.reversed_date,
        is_orphan_replacement=found.is_orphan_replacement.fill_null(False),
        is_near_duplicate=found.is_near_duplicate.fill_null(False),
        is_across_files=found.is_across_files.fill_null(False),
        unit_scale=found.unit_scale,
        is_unit_outlier=found.is_unit_outlier.fill_null(False),
        family_id=ibis.coalesce(found.family_id, lines.claim_id),
        line_number=ibis.coalesce(found.line_number, lines.claim_line_number, ibis.literal(1)),
        paid_usd=ibis.coalesce(found.new_usd, lines.raw_usd),
    )


def _with_dates(lines: ibis.Table, settings: dict) -> ibis.Table:
    """Give each line its first and last day, and a stay its admission and discharge where the source leaves them out."""
    start = ibis.coalesce(lines.claim_line_start_date, lines.claim_start_date)
    end = ibis.coalesce(lines.claim_line_end_date, lines.claim_line_start_date, lines.claim_end_date)
    lines = lines.mutate(first=ibis.coalesce(start, end), last=ibis.coalesce(end, start))
    days_back = lines.first.delta(lines.last, unit="day")
    swap = (days_back > 0) & (days_back <= settings["swap_within_days"]) & ibis.literal(settings["swap_dates"])
    is_stay = (lines.claim_type == "institutional") & (
        lines.admission_date.notnull() | lines.bill_type_code.substr(0, 2).isin(STAYS)
    )
    is_stay = is_stay.fill_null(False)
    admission = ibis.coalesce(lines.admission_date, lines.claim_start_date, lines.first)
    discharge = ibis.coalesce(lines.discharge_date, lines.claim_end_date, lines.last)
    return lines.mutate(
        service_start_date=ibis.ifelse(swap, lines.last, lines.first),
        service_end_date=ibis.ifelse(swap, lines.first, lines.last),
        admission_date=ibis.ifelse(is_stay, admission, lines.admission_date),
        discharge_date=ibis.ifelse(is_stay, discharge, lines.discharge_date),
        discharge_source=ibis.cases(
            (lines.discharge_date.notnull(), "reported"),
            (is_stay & lines.claim_end_date.notnull(), "header_end"),
            (is_stay, "line_end"),
            else_=ibis.null("string"),
        ),
    )


def _identity_rule(lines: ibis.Table) -> ibis.Value:
    placeholder = lines.source_person_id.startswith("&").fill_null(False)
    return ibis.cases((placeholder, "A2.4"), (lines.person_id.isnull(), "A2.3"), else_=ibis.null("string"))


def _amount_rule(lines: ibis.Table) -> ibis.Value:
    unexplained = (lines.paid_usd < 0) & lines.adjustment.notin(MONEY_ONLY)
    return ibis.cases((unexplained, "A8.3"), else_=ibis.null("string"))


def _date_rule(lines: ibis.Table, extract_date: str, settings: dict) -> ibis.Value:
    start, end = lines.service_start_date, lines.service_end_date
    extract = ibis.literal(extract_date).cast("date")
    span = end.delta(start, unit="day") + 1
    limit = settings["max_span_days"]
    most = ibis.ifelse(lines.claim_type == "institutional", limit["institutional"], limit["professional"])
    equipment = lines.hcpcs_code.startswith("E").fill_null(False)
    after_death = start.delta(lines.death_date, unit="day") > settings["after_death_days"]
    return ibis.cases(
        (start.isnull(), "A9.1"),
        (start > end, "A9.2"),
        (lines.birth_date.delta(start, unit="day") > 1, "A9.3"),
        (start.delta(lines.paid_date, unit="day") > 1, "A9.4"),
        (start > extract, "A9.5"),
        (after_death & ~equipment, "A9.6"),
        (span > most, "A9.7"),
        else_=ibis.null("string"),
    )


def _with_units(lines: ibis.Table, services: pd.DataFrame) -> ibis.Table:
    """Correct units in the wrong scale, then those above the code's plausible maximum; dollars are never changed."""
    codes = services[(services.system == "hcpcs") & (services.max_units_per_day != "")]
    text = {name: codes[name].to_numpy(dtype=object) for name in ("code", "modifier")}
    limits = ibis.memtable({**text, "units_per_day": codes.max_units_per_day.astype("int64").to_numpy()})
    plain, modified = limits.filter(limits.modifier == ""), limits.filter(limits.modifier != "").view()
    same = [lines.hcpcs_code == modified.code, lines.hcpcs_modifier_1 == modified.modifier]
    lines = lines.left_join(modified.rename(modified_units_per_day="units_per_day"), same).drop("code", "modifier")
    lines = lines.left_join(plain, lines.hcpcs_code == plain.code).drop("code", "modifier")
    most = ibis.coalesce(lines.modified_units_per_day, lines.units_per_day)
    days = ibis.greatest(lines.service_end_date.delta(lines.service_start_date, unit="day") + 1, 1)
    smaller = (lines.service_unit_quantity / lines.unit_scale).cast("decimal(18, 4)")
    units = ibis.ifelse(lines.unit_scale.isnull(), lines.service_unit_quantity, smaller)
    lines = lines.mutate(most=(most * days).cast("decimal(18, 4)"), scaled=units)
    above = (lines.scaled > lines.most).fill_null(False)
    return lines.mutate(
        units=ibis.cases(
            (lines.is_money_only, ibis.literal(0).cast("decimal(18, 4)")), (above, lines.most), else_=lines.scaled
        ),
        units_flag=ibis.cases(
            (lines.unit_scale.notnull(), "scale_error"),
            (above, "above_max"),
            (lines.is_unit_outlier, "outlier"),
            else_=ibis.null("string"),
        ),
    )


def _with_cost(lines: ibis.Table, cost_basis: str) -> ibis.Table:
    """Choose what a line costs: an encounter paid zero under sub-capitation still used services (methods.md, A1.2)."""
    encounter = lines.record_type == "encounter"
    unpaid = encounter & (lines.paid_usd == 0) & lines.amount_rule_id.isnull()
    priced = lines.ffs_equivalent_amount.notnull() & lines.adjustment.notin(MONEY_ONLY)
    by_equivalent = {
        "paid": ibis.literal(False),
        "paid_else_equivalent": unpaid & priced,
        "ffs_equivalent": encounter & priced,
    }[cost_basis]
    shared = lines.medicare_coinsurance_amount.fill_null(0) + lines.medicare_deductible_amount.fill_null(0)
    return lines.mutate(
        cost_usd=ibis.ifelse(by_equivalent, lines.ffs_equivalent_amount, lines.paid_usd),
        cost_basis=ibis.ifelse(by_equivalent, "ffs_equivalent", "paid"),
        is_subcapitated=unpaid,
        is_crossover=lines.crossover_flag.fill_null(False)
        | (lines.medicare_paid_amount > 0).fill_null(False)
        | (shared > 0),
        is_money_only=lines.adjustment.isin(MONEY_ONLY),
        discharge_status=lines.discharge_disposition_code,
        allowed_usd=lines.allowed_amount,
        medicare_paid_usd=lines.medicare_paid_amount,
        tpl_usd=lines.tpl_amount,
        patient_liability_usd=lines.patient_liability_amount,
    )
