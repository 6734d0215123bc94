"""Final action and the ledger: what was served, what was paid when, and what left a table and why."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Quantity, Usd

CATEGORIES = (
    "WM_HOSP",
    "WM_RES",
    "RES35",
    "RES31",
    "IOP_PHP",
    "OP_SUD",
    "MOUD_DRUG",
    "OTP",
    "NAVIGATOR",
    "ED_SUD",
    "IP_SUD_MEDICAL",
    "OTHER_BH",
    "IP_MEDICAL",
    "ED_OTHER",
    "OP_PROFESSIONAL",
    "PHARMACY_OTHER",
    "LTSS",
    "OTHER",
)
"""The 18 service categories of methods.md D1, in its order: a line has exactly one."""
SUD_CATEGORIES = CATEGORIES[:11]


class ServiceColumns(Contract):
    """What a line served, read from its codes once, so that every later stage agrees."""

    claim_type: str = Field("institutional, professional, dental, pharmacy or other.")
    category: str = Field("Service category (methods.md D1).", isin=CATEGORIES)
    level: str = Field(
        "SUD level of care: WM_HOSP, WM_RES, RES35, RES31, IOP, OP, OTP, WM_OP; null otherwise.", nullable=True
    )
    ltc_service: str = Field(
        "Long-term-care benefit of Table 1 (nursing_facility, personal_care, …); null otherwise.", nullable=True
    )
    program: str = Field("RSN or CSP for a navigator's line; null otherwise.", nullable=True)
    is_sud_diagnosis: bool = Field("Any diagnosis of the line is a substance use disorder.")
    dx_class: str = Field(
        "Class of the first SUD diagnosis: alcohol, opioid, poly (several, F19) or other; null where none.",
        nullable=True,
    )
    hcpcs_code: str = Field("HCPCS or CPT code.", nullable=True)
    hcpcs_modifier_1: str = Field("First modifier.", nullable=True)
    revenue_center_code: str = Field("UB revenue code.", nullable=True)


class Persons(Contract):
    """One row per person after the identity crosswalk: the demographics most of their records agree on."""

    person_id: str = Field("Pseudonymous person key, the end of the crosswalk's chain.")
    birth_date: dt.date = Field("Date of birth.", nullable=True)
    death_date: dt.date = Field("Date of death.", nullable=True)
    sex: str = Field("female, male or unknown.", isin=("female", "male", "unknown"))
    race: str = Field("Race as recorded; 'unknown' where missing.")
    county: str = Field("County of residence; 'unknown' where missing.")
    region: str = Field("Payer's region; 'unknown' where missing.")
    state: str = Field("State; 'unknown' where missing.")

    class Config(Contract.Config):
        unique = ("person_id",)
        claims_scale = True


class Identity(Contract):
    """One row per id that stands in any raw table and belongs to a known person, and period in which it does."""

    source_person_id: str = Field("Id as the source writes it.")
    person_id: str = Field("Person key.")
    valid_from: dt.date = Field("First day it means that person; 1900-01-01 unless the id was used again.")
    valid_to: dt.date = Field("Last day it means that person; 9999-12-31 unless the id was used again.")

    class Config(Contract.Config):
        unique = ("source_person_id", "valid_from")
        claims_scale = True


class Claims(ServiceColumns):
    """One row per final-action line: the service as it stands after every void, replacement and denial.

    Utilisation and cost are counted here; cash flow is not (that is the ledger's). Pharmacy claims are lines too.
    """

    claim_id: str = Field("Claim of the final record.")
    line_number: int = Field("Line of the claim.")
    family_id: str = Field("First claim of the chain of adjustments.")
    person_id: str = Field("Person key.")
    record_type: str = Field("ffs or encounter.", isin=("ffs", "encounter"))
    plan: str = Field("Plan that paid.", nullable=True)
    service_start_date: dt.date = Field("First day of service of the line.")
    service_end_date: dt.date = Field("Last day of service of the line.")
    admission_date: dt.date = Field("Admission, institutional claims.", nullable=True)
    discharge_date: dt.date = Field(
        "Discharge, institutional claims; filled as CMS does where missing.", nullable=True
    )
    discharge_status: str = Field("Patient status at the claim's end.", nullable=True)
    place_of_service_code: str = Field("Place of service.", nullable=True)
    bill_type_code: str = Field("UB bill type.", nullable=True)
    ms_drg_code: str = Field("MS-DRG.", nullable=True)
    ndc_code: str = Field("Drug, pharmacy lines.", nullable=True)
    diagnosis_code_1: str = Field("Principal diagnosis.", nullable=True)
    units: Quantity = Field("Units of the code's own kind, corrected to the plausible maximum.", nullable=True)
    units_flag: str = Field("above_max, scale_error, outlier or null.", nullable=True)
    days_supply: int = Field("Days supplied, pharmacy lines.", nullable=True)
    paid_usd: Usd = Field("Medicaid paid, after header and lines are reconciled.")
    cost_usd: Usd = Field("Cost by `clean.cost_basis`: what every cost downstream sums.")
    cost_basis: str = Field("paid or ffs_equivalent.", isin=("paid", "ffs_equivalent"))
    allowed_usd: Usd = Field("Allowed.", nullable=True)
    medicare_paid_usd: Usd = Field("Paid by Medicare.", nullable=True)
    tpl_usd: Usd = Field("Paid by other insurance.", nullable=True)
    patient_liability_usd: Usd = Field("Share of cost the member owed.", nullable=True)
    paid_date: dt.date = Field("Day of payment.", nullable=True)
    rendering_npi: str = Field("Provider who served.", nullable=True)
    billing_npi: str = Field("Provider who bills.", nullable=True)
    facility_npi: str = Field("Facility.", nullable=True)
    is_crossover: bool = Field("Medicare paid first.")
    is_subcapitated: bool = Field("Encounter paid zero because the provider is capitated.")
    is_near_duplicate: bool = Field("Another claim bills the same service: person, provider, day, codes, dollars.")
    is_money_only: bool = Field("A gross adjustment: dollars, and no service; its units are zero.")
    load_sequence: int = Field("Order of the raw row in its load: the way back to the source.")
    source_file: str = Field("File the raw row came from.", nullable=True)
    discharge_source: str = Field("reported, header_end or line_end; null where no stay.", nullable=True)

    class Config(Contract.Config):
        unique = ("person_id", "claim_type", "claim_id", "line_number")
        claims_scale = True
        any_order = True


class AdjustedLines(Contract):
    """One row per raw line that cannot be judged by its own cells: a copy, part of a chain, or paid at the header."""

    source_table: str = Field("medical_claims or pharmacy_claims.")
    load_sequence: int = Field("Order of the row in the load.")
    family_id: str = Field("First claim of the chain of adjustments.")
    line_number: int = Field("Line of the claim; numbered anew where the source's numbers repeat.", nullable=True)
    adjustment: str = Field("What the record is, also where only its number or its pair tells.")
    rule_id: str = Field("Rule that takes the line: A3, A5 or A6; null where none does.", nullable=True)
    amount_rule_id: str = Field("Rule that changes its amount: A5.4 or A7; null where none does.", nullable=True)
    paid_usd: Usd = Field("Paid amount after that rule.")
    record_verdict: str = Field(
        "Rule A5.3 or A5.5 by the records, also where the payer's flag overrules.", nullable=True
    )
    reversed_date: dt.date = Field("Paid date of the record that voids or replaces it.", nullable=True)
    is_orphan_replacement: bool = Field("Replaces a claim that is not in the extract.")
    is_near_duplicate: bool = Field("Another final claim bills the same service.")
    is_across_files: bool = Field("A copy of a line of another file.")
    unit_scale: int = Field("How many times too large the units are; null where they are not.", nullable=True)
    is_unit_outlier: bool = Field("Units more than four robust standard deviations from the code's median.")

    class Config(Contract.Config):
        unique = ("source_table", "load_sequence")
        claims_scale = True


class FeedStyles(Contract):
    """One row per file of claims: how its feed (the files named alike but for digits) writes adjustments, and why we think so."""

    source_table: str = Field("medical_claims or pharmacy_claims.")
    source_file: str = Field("File; null where the source does not say.", nullable=True)
    feed: str = Field("The file's name with # for every run of digits.")
    style: str = Field(
        "coded, same_id, suffix, debit_credit or none (methods.md A5.6).",
        isin=("coded", "same_id", "suffix", "debit_credit", "none"),
    )
    is_configured: bool = Field("The config says so (`clean.feed_styles`), not the records.")
    lines: int = Field("Lines of the feed.", ge=0)
    adjusting_lines: int = Field("Lines of the feed with a code of a void, replacement or resubmission.", ge=0)
    pointing_lines: int = Field("Of these, lines that name the claim they adjust.", ge=0)
    repeated_lines: int = Field("Of these, lines under the number of a claim that adjusts nothing.", ge=0)
    suffixed_claims: int = Field("Claims without code whose number, less a suffix, another claim has too.", ge=0)
    agreeing_claims: int = Field("Of these, claims that agree on person, provider and first day.", ge=0)
    negative_lines: int = Field("Lines without code that pay less than nothing.", ge=0)
    credit_lines: int = Field("Of these, lines to which there is an equal positive one.", ge=0)

    class Config(Contract.Config):
        unique = ("source_table", "source_file")


class ReversedLines(ServiceColumns):
    """One row per line that was paid and later taken back, or that voids what was paid before the extract."""

    claim_id: str = Field("Claim of the record.")
    line_number: int = Field("Line of the claim.")
    load_sequence: int = Field("Order of the record in the load.")
    person_id: str = Field("Person key.")
    rule_id: str = Field("Rule that took it: A5.3a, A5.3b, A5.5, A5.6 or A5.7.")
    record_type: str = Field("ffs or encounter.")
    service_start_date: dt.date = Field("First day of service.")
    paid_date: dt.date = Field("Day of payment; null where the source has none.", nullable=True)
    reversed_date: dt.date = Field("Paid date of the record that takes it back.", nullable=True)
    paid_usd: Usd = Field("What was paid.")

    class Config(Contract.Config):
        unique = ("person_id", "claim_type", "claim_id", "line_number", "load_sequence")
        claims_scale = True
        any_order = True


class CashLedger(Contract):
    """One row per non-denied line and movement of its money: the payment, and its taking back by a void or replacement.

    What a void takes back is what was paid, even where the source writes voids positive or zero; a family's
    entries add up to its final paid amount. Paid-lag triangles use this table. What else is known of a line stands in
    `Claims` and `ReversedLines`, under the same `load_sequence`.
    """

    claim_type: str = Field("institutional, professional, dental, pharmacy or other.")
    category: str = Field("Service category (methods.md D1).", isin=CATEGORIES)

    claim_id: str = Field("Claim of the record.")
    line_number: int = Field("Line of the claim.")
    load_sequence: int = Field("Order of the record in the load.")
    person_id: str = Field("Person key.")
    entry: str = Field(
        "payment, reversal, or orphan_void: the void of something paid before the extract.",
        isin=("payment", "reversal", "orphan_void"),
    )
    record_type: str = Field("ffs or encounter.")
    incurred_date: dt.date = Field("First day of service.")
    paid_date: dt.date = Field("Day of payment; null where the source has none.", nullable=True)
    signed_usd: Usd = Field("Dollars out (positive) or back (negative).")

    class Config(Contract.Config):
        unique = ("claim_type", "load_sequence", "entry")
        claims_scale = True
        any_order = True


class PaidLags(Contract):
    """One row per month of service, months from service to payment, and category: how money arrives."""

    service_month: dt.date = Field("First day of the month of service.")
    lag_months: int = Field("Calendar months from service to payment; null where no paid date.", nullable=True)
    category: str = Field("Service category (methods.md D1).", isin=CATEGORIES)
    entries: int = Field("Entries of the ledger.", ge=1)
    persons: int = Field("Persons.", persons=True)
    signed_usd: Usd = Field("Dollars out less dollars back.")

    class Config(Contract.Config):
        unique = ("service_month", "lag_months", "category")


class Rejected(Contract):
    """One row per raw row that is not in `claims`, with the first rule that took it."""

    source_table: str = Field("medical_claims or pharmacy_claims.")
    rule_id: str = Field("Rule of methods.md A that took the row.")
    claim_id: str = Field("Claim.", nullable=True)
    claim_line_number: int = Field("Line.", nullable=True)
    load_sequence: int = Field("Order of the row in the load.", nullable=True)
    source_person_id: str = Field("Id as the source writes it.", nullable=True)
    person_id: str = Field("Person key, where the id is known.", nullable=True)
    paid_usd: Usd = Field("Paid amount of the raw row.")

    class Config(Contract.Config):
        claims_scale = True
        any_order = True


class Contacts(Contract):
    """One row per contact of a navigator with a client, from service logs or, where no log is, from unit claims."""

    contact_id: str = Field("Log entry or claim line.")
    person_id: str = Field("Person key.")
    program: str = Field("RSN or CSP.", isin=("RSN", "CSP"))
    provider_id: str = Field("Organisation.")
    worker_id: str = Field("Worker; null for contacts known from claims only.", nullable=True)
    contact_date: dt.date = Field("Day of the contact.")
    contact_type: str = Field("face, phone, video, text, collateral, attempt, admin, training or coaching.")
    is_contact: bool = Field("The client was reached in a way that counts as engagement (methods.md B7).")
    minutes: int = Field("Minutes spent.", ge=0)
    billable_units: Quantity = Field("15-minute units the unit form may bill.", ge=0)
    enrollment_date: dt.date = Field("Enrolment in the program.", nullable=True)
    disenrollment_date: dt.date = Field("End of enrolment.", nullable=True)
    disenrollment_reason: str = Field("completed, lost, moved, declined, died.", nullable=True)
    source: str = Field("log or claim.", isin=("log", "claim"))

    class Config(Contract.Config):
        unique = ("person_id", "contact_date", "contact_id")
        claims_scale = True


class WorkerTime(Contract):
    """One row per log entry, with or without a client: what navigators did with their time."""

    log_id: str = Field("Log entry.")
    program: str = Field("RSN or CSP.", isin=("RSN", "CSP"))
    provider_id: str = Field("Organisation.")
    worker_id: str = Field("Worker.", nullable=True)
    person_id: str = Field("Client; null for work for no one client.", nullable=True)
    activity_date: dt.date = Field("Day.")
    activity: str = Field("Contact type of the log.")
    is_contact: bool = Field("The client was reached.")
    minutes: int = Field("Minutes.", ge=0)
    billable_units: Quantity = Field("15-minute units the unit form may bill.", ge=0)

    class Config(Contract.Config):
        unique = ("log_id",)
        claims_scale = True


class Attrition(Contract):
    """One row per source table and rule, in the order the rules apply: the dollar waterfall.

    `paid_out_usd` of a row is `paid_in_usd` of the next; raw plus every delta is final, to the cent.
    """

    source_table: str = Field("medical_claims, pharmacy_claims or navigator_log.")
    step: int = Field("Order of the rule.")
    rule_id: str = Field("Rule of methods.md.")
    description: str = Field("What the rule does.")
    rows_in: int = Field("Rows before.")
    rows_out: int = Field("Rows after.")
    persons_in: int = Field("Persons before.", persons=True)
    persons_out: int = Field("Persons after.", persons=True)
    paid_in_usd: Usd = Field("Dollars before.")
    delta_usd: Usd = Field("Dollars the rule adds or takes.")
    paid_out_usd: Usd = Field("Dollars after.")

    class Config(Contract.Config):
        unique = ("source_table", "step")


class Reconciliation(Contract):
    """One row per source file, paid month and category: our dollars beside the supplier's.

    Few records are few persons: the released copy hides their dollars.
    """

    source_file: str = Field("File.")
    paid_month: dt.date = Field("Month paid.", nullable=True)
    category: str = Field("Category as the supplier counts.")
    control_records: int = Field("Records the supplier sent.", nullable=True, persons=True)
    records: int = Field("Records we read.", nullable=True, persons=True)
    control_usd: Usd = Field("Dollars the supplier sent.", nullable=True)
    paid_usd: Usd = Field("Dollars we read.", nullable=True)
    difference_share: float = Field("|ours / control - 1|; null where the control is zero or absent.", nullable=True)
    status: str = Field("pass, warn, fail or na.", isin=("pass", "warn", "fail", "na"))

    class Config(Contract.Config):
        # The last: a file of one month has no sibling, but the waterfall gives the sum of all files.
        groups = (("source_file", "category"), ("source_file", "paid_month"), ("category",))
        hides = ("control_usd", "paid_usd", "difference_share")


class Qa(Contract):
    """One row per quality check."""

    check_id: str = Field("Check.")
    description: str = Field("What is checked.")
    severity: str = Field("error, warn or info.", isin=("error", "warn", "info"))
    value: float = Field("What was found.", nullable=True)
    findings: int = Field(
        "Lines, cells or ids that `value` counts, or whose dollars it sums; null where it is of months.",
        ge=0,
        nullable=True,
        persons=True,
    )
    threshold: float = Field("Limit.", nullable=True)
    bound: str = Field("at_most or at_least: the side of the limit that passes.", isin=("at_most", "at_least"))
    passed: bool = Field("Within the limit; null where the data cannot say.", nullable=True)

    class Config(Contract.Config):
        unique = ("check_id",)
        hides = ("value",)
