"""The raw tables: what any payer's files become before a rule is applied.

Column names are those of the Tuva input layer wherever it has the column. Amounts are dollars as the source
states them; nothing is corrected here.
"""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Quantity, RawTable, Usd

RECORD_TYPES = ("ffs", "encounter", "capitation", "supplemental", "other", "denied")
ADJUSTMENTS = (
    "original",
    "void",
    "replacement",
    "resubmission",
    "credit",
    "gross_credit",
    "gross_debit",
    "late_charge",
    "interim",
)
CLAIM_TYPES = ("institutional", "professional", "dental", "pharmacy", "other")


class Members(RawTable):
    """One row per member record of the source; a person may have several under different source ids."""

    person_id: str = Field("Person key of the source.", nullable=True)
    birth_date: dt.date = Field("Date of birth.", nullable=True)
    death_date: dt.date = Field("Date of death.", nullable=True)
    sex: str = Field("Sex as the payer records it: female, male, unknown.", nullable=True)
    race: str = Field("Race as the payer records it; often missing.", nullable=True)
    ethnicity: str = Field("Ethnicity as the payer records it.", nullable=True)
    county: str = Field("County of residence.", nullable=True)
    region: str = Field("Payer's region.", nullable=True)
    state: str = Field("State of residence, two letters or a name.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True


class IdentityCrosswalk(RawTable):
    """One row per pair of ids the payer says are one person: the old id and the id it became."""

    source_person_id: str = Field("An id as it stands in claims, eligibility or logs.", nullable=True)
    person_id: str = Field("The id it became; may itself have become another.", nullable=True)
    valid_from: dt.date = Field(
        "First day it means that person, where an id is used again; null: always.", nullable=True
    )
    valid_to: dt.date = Field("Last day it means that person; null: still.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True


class Eligibility(RawTable):
    """One row per enrolment span of the source; spans of one person may overlap and disagree."""

    person_id: str = Field("Person key of the source.", nullable=True)
    enrollment_start_date: dt.date = Field("First day of the span.", nullable=True)
    enrollment_end_date: dt.date = Field("Last day of the span; null while open.", nullable=True)
    payer: str = Field("Payer.", nullable=True)
    plan: str = Field("Managed-care plan or carve-out; 'ffs' where none.", nullable=True)
    dual_status_code: str = Field("Medicare-Medicaid dual code, T-MSIS values 00 to 10.", nullable=True)
    aid_category: str = Field("Aid category.", nullable=True)
    medicaid_class: str = Field("SSI, MAO (medical assistance only) or other.", nullable=True)
    waiver: str = Field("Home and community-based waiver in force; null where none.", nullable=True)
    tpl_flag: bool = Field("Other insurance is on file.", nullable=True)
    monthly_patient_liability: Usd = Field("Share of cost the member owes a facility each month.", nullable=True)
    record_added_date: dt.date = Field(
        "Day the span was entered: later than its start means retroactive.", nullable=True
    )

    class Config(Contract.Config):
        claims_scale = True


class MedicalClaims(RawTable):
    """One row per claim line and version; header fields repeat on every line of a claim."""

    claim_id: str = Field(
        "Claim control number; versions of a claim may share it or point to each other.", nullable=True
    )
    claim_line_number: int = Field("Line of the claim, from 1.", nullable=True)
    claim_type: str = Field("institutional, professional, dental or other.", nullable=True)
    record_type: str = Field("ffs, encounter, capitation, supplemental, other or denied.", nullable=True)
    person_id: str = Field("Person key of the source.", nullable=True)
    plan: str = Field("Plan that paid.", nullable=True)
    claim_start_date: dt.date = Field("Header service start.", nullable=True)
    claim_end_date: dt.date = Field("Header service end.", nullable=True)
    claim_line_start_date: dt.date = Field("Line service start.", nullable=True)
    claim_line_end_date: dt.date = Field("Line service end.", nullable=True)
    admission_date: dt.date = Field("Admission.", nullable=True)
    discharge_date: dt.date = Field("Discharge; null while the patient stays.", nullable=True)
    discharge_disposition_code: str = Field(
        "Patient status: 01 home, 07 against advice, 20 died, 30 still patient.", nullable=True
    )
    place_of_service_code: str = Field("CMS place of service.", nullable=True)
    bill_type_code: str = Field("UB bill type without leading zero, the last digit the frequency.", nullable=True)
    ms_drg_code: str = Field("MS-DRG.", nullable=True)
    revenue_center_code: str = Field("UB revenue code, four digits.", nullable=True)
    hcpcs_code: str = Field("HCPCS or CPT code.", nullable=True)
    hcpcs_modifier_1: str = Field("First modifier.", nullable=True)
    hcpcs_modifier_2: str = Field("Second modifier.", nullable=True)
    hcpcs_modifier_3: str = Field("Third modifier.", nullable=True)
    hcpcs_modifier_4: str = Field("Fourth modifier.", nullable=True)
    service_unit_quantity: Quantity = Field("Units of the code's own kind.", nullable=True)
    diagnosis_code_1: str = Field("Principal diagnosis, ICD-10-CM without point.", nullable=True)
    diagnosis_code_2: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_3: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_4: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_5: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_6: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_7: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_8: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_9: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_10: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_11: str = Field("Diagnosis.", nullable=True)
    diagnosis_code_12: str = Field("Diagnosis.", nullable=True)
    procedure_code_1: str = Field("Principal procedure, ICD-10-PCS.", nullable=True)
    procedure_code_2: str = Field("Procedure.", nullable=True)
    procedure_code_3: str = Field("Procedure.", nullable=True)
    procedure_code_4: str = Field("Procedure.", nullable=True)
    procedure_code_5: str = Field("Procedure.", nullable=True)
    procedure_code_6: str = Field("Procedure.", nullable=True)
    rendering_npi: str = Field("Provider who served.", nullable=True)
    billing_npi: str = Field("Provider who bills.", nullable=True)
    facility_npi: str = Field("Facility.", nullable=True)
    adjustment_code: str = Field(
        "original, void, replacement, credit, gross_credit, gross_debit, late_charge, interim.", nullable=True
    )
    original_claim_id: str = Field("Claim this record voids, replaces or adds to.", nullable=True)
    patient_control_number: str = Field("The provider's own number of the claim.", nullable=True)
    final_action_flag: bool = Field("The payer says the record is the last of its family.", nullable=True)
    payment_level: str = Field("header or line: where the payer sets the amount.", nullable=True)
    claim_status_code: str = Field("Adjudication status of the claim.", nullable=True)
    line_status_code: str = Field("Adjudication status of the line.", nullable=True)
    denied_flag: bool = Field("The payer denied the claim.", nullable=True)
    crossover_flag: bool = Field("Medicare paid first.", nullable=True)
    paid_date: dt.date = Field("Day of payment or adjudication.", nullable=True)
    header_paid_amount: Usd = Field("Medicaid paid for the whole claim.", nullable=True)
    paid_amount: Usd = Field("Medicaid paid for the line.", nullable=True)
    allowed_amount: Usd = Field("Allowed for the line.", nullable=True)
    charge_amount: Usd = Field("Billed for the line.", nullable=True)
    tpl_amount: Usd = Field("Paid by other insurance.", nullable=True)
    medicare_paid_amount: Usd = Field("Paid by Medicare.", nullable=True)
    medicare_coinsurance_amount: Usd = Field("Medicare coinsurance.", nullable=True)
    medicare_deductible_amount: Usd = Field("Medicare deductible.", nullable=True)
    copayment_amount: Usd = Field("Paid by the member.", nullable=True)
    patient_liability_amount: Usd = Field("Share of cost owed by the member to the facility.", nullable=True)
    ffs_equivalent_amount: Usd = Field("What fee-for-service would have paid for an encounter.", nullable=True)
    source_file: str = Field("File the row came from.", nullable=True)
    load_sequence: int = Field("Order of the row in the load: its key.")

    class Config(Contract.Config):
        unique = ("load_sequence",)
        claims_scale = True
        as_read = True


class PharmacyClaims(RawTable):
    """One row per dispensing and version."""

    claim_id: str = Field("Claim control number.", nullable=True)
    claim_line_number: int = Field("Line of the claim, from 1.", nullable=True)
    person_id: str = Field("Person key of the source.", nullable=True)
    plan: str = Field("Plan that paid.", nullable=True)
    prescribing_provider_npi: str = Field("Prescriber.", nullable=True)
    dispensing_provider_npi: str = Field("Pharmacy.", nullable=True)
    dispensing_date: dt.date = Field("Day dispensed.", nullable=True)
    ndc_code: str = Field("National drug code, 11 digits.", nullable=True)
    quantity: Quantity = Field("Quantity dispensed.", nullable=True)
    days_supply: int = Field("Days supplied.", nullable=True)
    refills: int = Field("Refill number.", nullable=True)
    paid_date: dt.date = Field("Day of payment.", nullable=True)
    paid_amount: Usd = Field("Medicaid paid.", nullable=True)
    allowed_amount: Usd = Field("Allowed.", nullable=True)
    tpl_amount: Usd = Field("Paid by other insurance.", nullable=True)
    copayment_amount: Usd = Field("Paid by the member.", nullable=True)
    adjustment_code: str = Field("As in medical claims.", nullable=True)
    original_claim_id: str = Field("Claim this record voids or replaces.", nullable=True)
    final_action_flag: bool = Field("The payer says the record is the last of its family.", nullable=True)
    source_file: str = Field("File the row came from.", nullable=True)
    load_sequence: int = Field("Order of the row in the load: its key.")

    class Config(Contract.Config):
        unique = ("load_sequence",)
        claims_scale = True
        as_read = True


class CapitationPayments(RawTable):
    """One row per capitation payment for a member and coverage month."""

    person_id: str = Field("Person key of the source.", nullable=True)
    coverage_month: dt.date = Field("First day of the month covered.", nullable=True)
    plan: str = Field("Plan paid.", nullable=True)
    rate_cell: str = Field("Rate cell paid.", nullable=True)
    amount: Usd = Field("Amount paid.", nullable=True)
    adjustment_code: str = Field("As in medical claims.", nullable=True)
    paid_date: dt.date = Field("Day of payment.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True
        as_read = True


class NavigatorLog(RawTable):
    """One row per activity of a navigator, billable or not, with or without the client."""

    log_id: str = Field("Key of the entry.")
    person_id: str = Field("Client; null for work for no one client (training, coaching).", nullable=True)
    program: str = Field("RSN (case rate) or CSP (15-minute units).")
    provider_id: str = Field("Organisation that employs the worker.", nullable=True)
    worker_id: str = Field("Worker.", nullable=True)
    contact_date: dt.date = Field("Day of the activity.", nullable=True)
    contact_type: str = Field(
        "face, phone, video, text, collateral, attempt, admin, training or coaching.", nullable=True
    )
    successful: bool = Field("The client was reached.", nullable=True)
    minutes: int = Field("Minutes spent.", nullable=True)
    billable_units: Quantity = Field("15-minute units the unit form may bill.", nullable=True)
    referral_date: dt.date = Field("Referral to the program.", nullable=True)
    enrollment_date: dt.date = Field("Enrolment in the program.", nullable=True)
    disenrollment_date: dt.date = Field("End of enrolment; null while open.", nullable=True)
    disenrollment_reason: str = Field("completed, lost, moved, declined, died; null while open.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True


class Assessments(RawTable):
    """One row per person and level-of-care assessment."""

    person_id: str = Field("Person key of the source.")
    assessment_date: dt.date = Field("Day of the assessment.")
    nursing_home_certifiable: bool = Field("Meets the nursing-home level of care.", nullable=True)
    dms1_level: int = Field("DMS-1 level of function, 1 to 3; null where not scored.", nullable=True)
    functional_score: float = Field("Functional score, 0 (independent) to 100.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True


class Facilities(RawTable):
    """One row per facility and period of a per diem."""

    facility_npi: str = Field("Facility.")
    kind: str = Field(
        "NF nursing facility, ALF assisted living, ADC adult day care, IMD institution for mental diseases."
    )
    nf_level: str = Field("SNF or ICF for nursing facilities.", nullable=True)
    per_diem: Usd = Field("Medicaid per diem.", nullable=True)
    ancillary_amount: Usd = Field("Ancillary cost per resident month.", nullable=True)
    valid_from: dt.date = Field("First day of the per diem.", nullable=True)
    valid_to: dt.date = Field("Last day of the per diem; null while in force.", nullable=True)
    county: str = Field("County.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True


class ControlTotals(RawTable):
    """One row per source file, paid month and category: what the supplier says it sent."""

    source_file: str = Field("File.")
    paid_month: dt.date = Field("First day of the month paid.", nullable=True)
    category: str = Field("Category as the supplier counts: a claim type, or 'all'.", nullable=True)
    record_count: int = Field("Records sent.", nullable=True)
    paid_amount: Usd = Field("Dollars sent.", nullable=True)

    class Config(Contract.Config):
        claims_scale = True


class ProgramCosts(RawTable):
    """One row per program, month and item of cost outside claims."""

    program: str = Field("RSN or CSP.")
    month: dt.date = Field("First day of the month.")
    item: str = Field("training, coaching, incentive or outreach.")
    amount: Usd = Field("Dollars spent.")
    perspective: str = Field("Who bore it: payer or provider.", isin=("payer", "provider"))

    class Config(Contract.Config):
        claims_scale = True


class SourceManifest(Contract):
    """One row per raw table: which file it came from and what was in it."""

    table: str = Field("Raw table.")
    source: str = Field("File or folder, relative to the source; null where absent.", nullable=True)
    sha256: str = Field("Fingerprint of the file's bytes.", nullable=True)
    rows: int = Field("Rows read.", ge=0)
    paid_usd: Usd = Field("Sum of the paid amount, where the table has one.", nullable=True)
    cells_unparsed: int = Field("Cells that are not empty and do not parse; they are null in the raw table.", ge=0)
    status: str = Field("read or absent.", isin=("read", "absent"))

    class Config(Contract.Config):
        unique = ("table",)


TABLES = {
    "members": Members,
    "identity_crosswalk": IdentityCrosswalk,
    "eligibility": Eligibility,
    "medical_claims": MedicalClaims,
    "pharmacy_claims": PharmacyClaims,
    "capitation_payments": CapitationPayments,
    "navigator_log": NavigatorLog,
    "assessments": Assessments,
    "facilities": Facilities,
    "control_totals": ControlTotals,
    "program_costs": ProgramCosts,
}
REQUIRED = ("members", "eligibility", "medical_claims")
