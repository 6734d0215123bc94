"""Exhibits of data quality (methods.md A13): what a data manager looks at before believing the claims.

All stay inside the building, except the lags: they count by file and month, where few lines are few persons.
"""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Usd


class FileTotals(Contract):
    """One row per source file: all our dollars beside all the supplier's."""

    source_file: str = Field("File; null where the source does not say.", nullable=True)
    control_records: int = Field("Records the supplier sent; null where it names no such file.", nullable=True)
    records: int = Field("Records we read, identical copies once; null where we have no such file.", nullable=True)
    control_usd: Usd = Field("Dollars the supplier sent.", nullable=True)
    paid_usd: Usd = Field("Dollars we read.", nullable=True)
    difference_share: float = Field("|ours / control - 1|; null where the control is zero or absent.", nullable=True)
    months_absent: int = Field("Months the supplier counts and we do not have.", ge=0)
    months_unannounced: int = Field("Months we have and the supplier does not count.", ge=0)
    status: str = Field("pass, warn, fail or na.", isin=("pass", "warn", "fail", "na"))

    class Config(Contract.Config):
        unique = ("source_file",)


class AdjustmentRates(Contract):
    """One row per source table and month paid: raw rows by what they are to their claim (A13 T3).

    Each raw row is one of: original, void, replacement, resubmission, addition (late charge, interim bill), gross
    adjustment; they sum to the raw rows and dollars of the waterfall.
    """

    source_table: str = Field("medical_claims or pharmacy_claims.")
    paid_month: dt.date = Field("Month paid; null where the source has no paid date.", nullable=True)
    rows: int = Field("Raw rows.", ge=1)
    raw_usd: Usd = Field("Their dollars as the source states them.")
    original_rows: int = Field("Originals.", ge=0)
    original_usd: Usd = Field("Their dollars.")
    void_rows: int = Field("Voids.", ge=0)
    void_usd: Usd = Field("Their dollars: negative, positive or zero, as the source writes voids.")
    replacement_rows: int = Field("Replacements.", ge=0)
    replacement_usd: Usd = Field("Their dollars.")
    resubmission_rows: int = Field("Resubmissions.", ge=0)
    resubmission_usd: Usd = Field("Their dollars.")
    addition_rows: int = Field("Late charges and interim bills, which add to a claim.", ge=0)
    addition_usd: Usd = Field("Their dollars.")
    gross_rows: int = Field("Credits, gross credits and gross debits.", ge=0)
    gross_usd: Usd = Field("Their dollars.")
    orphan_void_rows: int = Field("Of the voids: of nothing in the extract (A5.5).", ge=0)
    orphan_void_usd: Usd = Field("Their dollars.")
    orphan_replacement_rows: int = Field("Of the replacements: of nothing in the extract.", ge=0)
    orphan_replacement_usd: Usd = Field("Their dollars.")
    void_rate: float = Field("Voids per original; null without originals.", nullable=True)
    replacement_rate: float = Field("Replacements per original; null without originals.", nullable=True)

    class Config(Contract.Config):
        unique = ("source_table", "paid_month")


HEADER_CASES = {
    "no_header": "No header amount: lines count",
    "agree": "Header and lines agree",
    "repeated": "Header repeated on every line, counted once (A7.4)",
    "header_spread": "Header spread over unpriced lines (A7.1)",
    "header_stands": "They differ, the header stands (A7.3)",
    "denied_lines": "They differ, lines are denied: paid lines stand",
    "lines_stand": "They differ, the lines stand",
}
"""How a record's header amount stands to its lines' (methods.md A7), in the order in which it is judged."""


class HeaderCases(Contract):
    """One row per source file, claim type and case: how header amounts stand to the lines' (A13 T4).

    A record is one version of a claim. Medical claims only: pharmacy claims have no header.
    """

    source_file: str = Field("File; null where the source does not say.", nullable=True)
    claim_type: str = Field("institutional, professional, dental or other.")
    case: str = Field("How the header's amount stands to the lines' (methods.md A7).", isin=tuple(HEADER_CASES))
    records: int = Field("Records.", ge=1)
    lines: int = Field("Raw lines.", ge=1)
    raw_usd: Usd = Field("Dollars of the lines as the source states them.")
    header_usd: Usd = Field("Dollars of the headers, once a record.")
    paid_usd: Usd = Field("Dollars of the lines once headers and lines are reconciled, copies not counted.")
    records_share: float = Field("Share of the records of the file and claim type.", ge=0, le=1)
    dollars_share: float = Field(
        "Share of their reconciled dollars; null where those are not positive.", nullable=True
    )

    class Config(Contract.Config):
        unique = ("source_file", "claim_type", "case")


class LagDistribution(Contract):
    """One row per category and weight: how long after service payment comes (A13 T6).

    Counted over months of service old enough for a year of payments, so that late ones are not missing.
    """

    category: str = Field("Service category, or all.")
    weight: str = Field("dollars (out less back) or entries of the ledger.", isin=("dollars", "entries"))
    entries: int = Field("Entries of the ledger with a paid date.", ge=0, persons=True)
    signed_usd: Usd = Field("Dollars out less dollars back.")
    mean_months: float = Field("Mean calendar months from service to payment.", nullable=True)
    p10_months: int = Field("Months by which a tenth is paid.", nullable=True)
    p50_months: int = Field("Months by which half is paid.", nullable=True)
    p90_months: int = Field("Months by which nine tenths are paid.", nullable=True)
    within_1_share: float = Field("Share paid within 1 month.", nullable=True)
    within_3_share: float = Field("Share paid within 3 months.", nullable=True)
    within_6_share: float = Field("Share paid within 6 months.", nullable=True)
    within_12_share: float = Field("Share paid within 12 months.", nullable=True)
    reason: str = Field("Why the row says nothing of lags; null where it does.", nullable=True)

    class Config(Contract.Config):
        unique = ("category", "weight")
        groups = ("weight",)
        hides = (
            "signed_usd",
            "mean_months",
            "p10_months",
            "p50_months",
            "p90_months",
            "within_1_share",
            "within_3_share",
            "within_6_share",
            "within_12_share",
        )


class LagCompletion(Contract):
    """One row per category and age of a month of service: how much of its final dollars is paid by then.

    A chain ladder over the dollars of all months of service; `rates` has the one that rates are built on.
    """

    category: str = Field("Service category, or all.")
    age_months: int = Field("Calendar months since the month of service.", ge=0)
    service_months: int = Field("Months of service seen at this age.", ge=1)
    completion: float = Field("Share of the final dollars paid; null where dollars are not positive.", nullable=True)

    class Config(Contract.Config):
        unique = ("category", "age_months")


class Missingness(Contract):
    """One row per source file, claim type and key field: raw rows in which it is empty (A13 T7)."""

    source_table: str = Field("medical_claims or pharmacy_claims.")
    source_file: str = Field("File; null where the source does not say.", nullable=True)
    claim_type: str = Field("institutional, professional, dental, pharmacy or other.")
    field: str = Field("Key field.")
    rows: int = Field("Raw rows in which the field is expected.", ge=1)
    missing_rows: int = Field("Of these, rows in which it is empty or did not parse.", ge=0)
    missing_share: float = Field("Share missing.", ge=0, le=1)

    class Config(Contract.Config):
        unique = ("source_table", "source_file", "claim_type", "field")


DUPLICATES = {
    "copy_within_file": "Identical copy in the same file (A3.1)",
    "copy_across_files": "Identical copy in another file (A3.1)",
    "conflicting": "One key, different content (A3.2)",
    "near": "Same service under another claim (A6)",
}


class Duplicates(Contract):
    """One row per source file and kind of duplicate; every file stands here, also one without any."""

    source_table: str = Field("medical_claims or pharmacy_claims.")
    source_file: str = Field("File of the duplicate; null where the source does not say.", nullable=True)
    kind: str = Field("copy_within_file, copy_across_files, conflicting or near.", isin=tuple(DUPLICATES))
    rows: int = Field("Duplicates; of identical copies the first loaded is none.", ge=0)
    raw_usd: Usd = Field("Their dollars as the source states them.")
    rows_share: float = Field("Share of the file's raw rows.", ge=0, le=1)

    class Config(Contract.Config):
        unique = ("source_table", "source_file", "kind")


class Denials(Contract):
    """One row per source file and month paid: the share denied, and where it jumps (methods.md A4).

    A jump means that the feed changed more often than that the payer did. A feed is the files named alike but for
    digits; a month is compared with the median of its feed.
    """

    source_table: str = Field("medical_claims or pharmacy_claims.")
    source_file: str = Field("File; null where the source does not say.", nullable=True)
    paid_month: dt.date = Field("Month paid; null where the source has no paid date.", nullable=True)
    feed: str = Field("The file's name with # for every run of digits.", nullable=True)
    rows: int = Field("Raw rows.", ge=1)
    denied_rows: int = Field("Rows of denied claims, and denied lines.", ge=0)
    denied_share: float = Field("Share denied.", ge=0, le=1)
    usual_share: float = Field("Median share of the feed's months; null where they are too few.", nullable=True)
    distance_sd: float = Field("Distance from it in standard deviations; null where not judged.", nullable=True)
    is_jump: bool = Field("Further from the usual share than allowed; null where not judged.", nullable=True)

    class Config(Contract.Config):
        unique = ("source_table", "source_file", "paid_month")


class NetCost(Contract):
    """One row per plan and claim type: final dollars where allowed less other payers is not paid (methods.md A8)."""

    plan: str = Field("Plan that paid.", nullable=True)
    claim_type: str = Field("institutional, professional, dental, pharmacy or other.")
    rows: int = Field("Final-action lines.", ge=1)
    paid_usd: Usd = Field("Their dollars.")
    broken_rows: int = Field("Lines more than a dollar off the identity; a line without allowed amount is not judged.")
    broken_usd: Usd = Field("The size of their dollars, out or back.")
    broken_share: float = Field("Share of the dollars; null where there are none.", nullable=True)
    is_flagged: bool = Field("More than `clean.quality.net_identity_share` of the dollars.")

    class Config(Contract.Config):
        unique = ("plan", "claim_type")


class UnitPrices(Contract):
    """One row per costly procedure, a code and its first modifier, and year of service: what a unit was paid.

    Paid lines with units; crossovers are left out (methods.md A1.3): Medicaid's part of them is no price.
    """

    hcpcs_code: str = Field("HCPCS or CPT code.")
    hcpcs_modifier_1: str = Field("First modifier.", nullable=True)
    service_year: int = Field("Year of service.")
    lines: int = Field("Paid lines.", ge=1)
    paid_usd: Usd = Field("Their dollars.")
    p5_usd: float = Field("Paid per unit: 5 in 100 lines are below.", ge=0)
    p25_usd: float = Field("Lower quartile.", ge=0)
    p50_usd: float = Field("Median.", ge=0)
    p75_usd: float = Field("Upper quartile.", ge=0)
    p95_usd: float = Field("5 in 100 lines are above.", ge=0)

    class Config(Contract.Config):
        unique = ("hcpcs_code", "hcpcs_modifier_1", "service_year")
