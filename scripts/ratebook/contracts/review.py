"""What a reviewer asks: is the planted truth found, do the conclusions hold, which known errors are absent."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field

STATUSES = ("pass", "warn", "fail", "na")


class ClaimFacts(Contract):
    """One row per fact counted over the claims-scale tables, for checks that need one number of them."""

    fact: str = Field("Name of the fact.")
    value: float = Field("What was counted; null where there was nothing to count.", nullable=True)

    class Config(Contract.Config):
        unique = ("fact",)


class Checklist(Contract):
    """One row per error a reviewer would catch (methods.md H): was it looked for, and is it there."""

    id: str = Field("Check, H1 to H70.")
    error: str = Field("The error.")
    status: str = Field("pass, warn, fail, or na where the data or the first depth cannot say.", isin=STATUSES)
    value: float = Field("What was found.", nullable=True)
    threshold: float = Field("Limit that decides the status.", nullable=True)
    evidence: str = Field("Table in which it can be looked up.")
    severity: str = Field("What the error would be if found: fail, warn or info.", isin=("fail", "warn", "info"))
    measure: str = Field("What `value` is.")
    reason: str = Field(
        "Why it could not be said, or what the finding means; null where the value says it.", nullable=True
    )

    class Config(Contract.Config):
        unique = ("id",)


class Recovery(Contract):
    """One row per quantity the simulation planted: what the pipeline made of it. Empty for real data."""

    quantity: str = Field("What was planted.")
    planted: float = Field("Its true value.", nullable=True)
    estimate: float = Field("What the pipeline found.", nullable=True)
    lower: float = Field("Lower limit of the 95% interval.", nullable=True)
    upper: float = Field("Upper limit of the 95% interval.", nullable=True)
    covered: bool = Field("The interval holds the truth; for a count, the two are equal.", nullable=True)
    reason: str = Field("Why there is no estimate, no interval or no truth; null where all stand.", nullable=True)

    class Config(Contract.Config):
        unique = ("quantity",)


class Sensitivity(Contract):
    """One row per headline quantity and variation of a choice: does the conclusion hold."""

    quantity: str = Field("Headline quantity, as a contrast of RSN with CSP.")
    factor: str = Field("Choice that is varied.")
    setting: str = Field("Value of the choice.")
    is_base: bool = Field("The value in force in the main analysis.")
    estimate: float = Field("The quantity under this choice.", nullable=True)
    lower: float = Field("Lower limit of the 95% interval.", nullable=True)
    upper: float = Field("Upper limit of the 95% interval.", nullable=True)
    sign_change: bool = Field("The sign is not that of the main analysis.", nullable=True)
    unit: str = Field("Unit of the estimate.")
    reason: str = Field("Why the estimate or its interval is missing; null where both stand.", nullable=True)

    class Config(Contract.Config):
        unique = ("quantity", "factor", "setting")


class FaultCounts(Contract):
    """One row per kind of fault the simulation planted: how many records, how many were found, what else is marked."""

    kind: str = Field(
        "Kind of fault; 'records without a fault': what the rules took or changed, whatever was planted."
    )
    mark: str = Field("What the pipeline must say of the record; null where it must say nothing.", nullable=True)
    planted: int = Field("Records with the fault.", ge=0)
    met: int = Field("Of these, records that bear the mark and came out as they should.", ge=0)
    marked: int = Field("Records that bear the mark, among claims, dispensings, persons or log entries.", ge=0)
    explained: int = Field("Of these, records planted to bear it, by this kind or another.", ge=0)
    paid_usd: float = Field("Final dollars of the kind's claims and of those that stand beside them.")

    class Config(Contract.Config):
        unique = ("kind",)
