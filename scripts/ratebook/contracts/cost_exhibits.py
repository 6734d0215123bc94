"""What cost is shown as: four denominators side by side, who bears what, and the plane of dollars and months."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.cost import ROWS
from ratebook.contracts.episodes import ARMS

EXHIBITED = ("P1", "P2", "P4", "P5")
PERSPECTIVES = ("claims", "payer", "provider")
SUMS = ("total_sud", "other_sud", "tcoc", "tcoc_without_navigator")
CATEGORY_WORDS = {
    "WM_HOSP": "Hospital detoxification",
    "WM_RES": "Residential detoxification",
    "RES35": "Residential, 3.5",
    "RES31": "Residential, 3.1",
    "IOP_PHP": "Intensive outpatient",
    "OP_SUD": "SUD outpatient",
    "MOUD_DRUG": "Opioid medication",
    "OTP": "Methadone program",
    "NAVIGATOR": "Navigator",
    "ED_SUD": "Emergency, SUD",
    "IP_SUD_MEDICAL": "Inpatient, SUD diagnosis",
    "OTHER_BH": "Other behavioral health",
    "IP_MEDICAL": "Inpatient, medical",
    "ED_OTHER": "Emergency, other",
    "OP_PROFESSIONAL": "Outpatient, professional",
    "PHARMACY_OTHER": "Pharmacy, other",
    "LTSS": "Long-term services",
    "OTHER": "Transport, other",
}
"""Service categories as figures and sentences name them."""


class PmpmExhibit(Contract):
    """One row per variant and arm: the four answers to 'which costs less', both halves of each ratio in words.

    The difference and the ratio compare the arms within one variant; no row compares one variant with another.
    """

    variant: str = Field("P1, P2, P4 or P5.", isin=EXHIBITED)
    arm: str = Field("RSN, CSP or difference (RSN less CSP).", isin=ROWS)
    numerator_words: str = Field("What is above the line, in words.")
    denominator: str = Field("The denominator in words.")
    numerator_usd: float = Field("Dollars above the line; null on a difference and where adjusted.", nullable=True)
    denominator_months: float = Field("Months below the line.", nullable=True)
    estimate_usd: float = Field("Dollars per month (P5: per member).", nullable=True)
    lower: float = Field("Lower limit, 95%.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    ratio: float = Field("RSN / CSP, on the difference rows.", nullable=True)
    ratio_lower: float = Field("Lower limit of the ratio.", nullable=True)
    ratio_upper: float = Field("Upper limit of the ratio.", nullable=True)
    persons: int = Field("Persons behind the denominator.", persons=True, nullable=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("variant", "arm")
        hides = (
            "numerator_usd",
            "denominator_months",
            "estimate_usd",
            "lower",
            "upper",
            "ratio",
            "ratio_lower",
            "ratio_upper",
        )


class Perspectives(Contract):
    """One row per perspective, cost, denominator and arm: what claims and what stands outside them come to together.

    Claims are the mean per member to the horizon, adjusted for censoring. What a program costs outside claims is a
    sum of the ledger over the study window, spread evenly over all its clients there, cohort or not: it was not
    sampled, so it has no sampling error, and the limits are those of claims and engaged months alone. It is in no
    PMPM.
    """

    perspective: str = Field(
        "claims: paid on claims. payer: claims, and what the payer bears outside them. provider: what the provider "
        "bears outside claims; claims are its revenue.",
        isin=PERSPECTIVES,
    )
    estimand: str = Field(
        "program, total_sud or tcoc; outside: of the provider.", isin=("program", "total_sud", "tcoc", "outside")
    )
    per: str = Field("client or engaged_month.", isin=("client", "engaged_month"))
    arm: str = Field("RSN, CSP or difference (RSN less CSP).", isin=ROWS)
    claims_usd: float = Field(
        "The part of the estimate that was paid on claims; null for the provider.", nullable=True
    )
    outside_usd: float = Field("The part of the estimate outside claims.", nullable=True)
    estimate_usd: float = Field("Dollars per client or per engaged month: both parts.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    ratio: float = Field("RSN / CSP, on the difference rows.", nullable=True)
    ratio_lower: float = Field("Lower limit of the ratio.", nullable=True)
    ratio_upper: float = Field("Upper limit of the ratio.", nullable=True)
    persons: int = Field("Members of the cohort behind the claims.", persons=True)
    spread_persons: int = Field("Clients over whom the cost outside claims is spread.", persons=True, nullable=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("perspective", "estimand", "per", "arm")
        hides = ("claims_usd", "outside_usd", "estimate_usd", "lower", "upper", "ratio", "ratio_lower", "ratio_upper")


class CategorySums(Contract):
    """One row per sum of categories and arm: SUD cost and all cost per member, with and without the navigator."""

    sum_of: str = Field(
        "total_sud: the eleven SUD categories. tcoc: all eighteen. other_sud, tcoc_without_navigator: the same "
        "without the navigator.",
        isin=SUMS,
    )
    arm: str = Field("RSN, CSP or difference (RSN less CSP).", isin=ROWS)
    has_navigator: bool = Field("The navigator's category is in the sum.")
    estimate_usd: float = Field("Dollars per member to the horizon, adjusted for censoring.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    categories_usd: float = Field(
        "The categories' own estimates, each made by itself, added up: the estimate to the cent.", nullable=True
    )
    persons: int = Field("Members.", persons=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("sum_of", "arm")
        hides = ("estimate_usd", "lower", "upper", "categories_usd")


class Plane(Contract):
    """One row per replicate: extra engaged months and extra dollars per member, RSN less CSP.

    Replicate 0 is the estimate; the others draw providers, and are no persons.
    """

    replicate: int = Field("0: the estimate; from 1: a replicate.", ge=0)
    difference_months: float = Field(
        "Engaged months per member over all spells from discharge to the horizon, RSN less CSP: not the restricted "
        "mean of the first spell.",
        nullable=True,
    )
    program_usd: float = Field("Extra dollars of the navigator.", nullable=True)
    other_sud_usd: float = Field("Extra dollars of the other SUD categories.", nullable=True)
    total_sud_usd: float = Field("Extra dollars of both.", nullable=True)
    tcoc_usd: float = Field("Extra dollars of all eighteen categories.", nullable=True)
    persons: int = Field("Members of both arms.", persons=True)
    reason: str = Field("Why there is no estimate, or that a replicate has no interval of its own.")

    class Config(Contract.Config):
        unique = ("replicate",)
        hides = ("difference_months", "program_usd", "other_sud_usd", "total_sud_usd", "tcoc_usd")


class BreakEvenLine(Contract):
    """One row per monthly rate and arm: the navigator's cost per member if RSN were paid that rate a month.

    RSN's cost is the rate times its engaged months; CSP's is what was paid, whatever the rate.
    """

    rate_usd: float = Field("Dollars per engaged month of all spells.", ge=0)
    arm: str = Field("RSN or CSP.", isin=ARMS)
    estimate_usd: float = Field("Dollars per member to the horizon, adjusted for censoring.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members.", persons=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("rate_usd", "arm")
        hides = ("estimate_usd", "lower", "upper")


EXHIBIT_TABLES = {
    "perspectives": Perspectives,
    "category_sums": CategorySums,
    "plane": Plane,
    "break_even_line": BreakEvenLine,
}
"""What `cost.exhibits.derive_exhibits` makes."""
