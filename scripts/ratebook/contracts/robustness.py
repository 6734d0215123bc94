"""How far the difference in length of engagement depends on each choice, and on what nobody saw."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.engagement import FEWEST, REASON


class EngagementSensitivity(Contract):
    """One row per analysis and variant: RSN less CSP under another choice, other assumption, or where nothing can differ."""

    analysis: str = Field(
        "gap rule, single-contact spells, disenrolment, readmission, informative censoring, tipping point, a provider left out; "
        "negative control and placebo arm, where the program can have done nothing."
    )
    variant: str = Field("What was chosen or assumed.")
    is_base: bool = Field("The choice of the main analysis.")
    tau_days: int = Field("Horizon; null where the quantity has none.", nullable=True)
    unit: str = Field(
        "days (restricted mean engagement), or the unit of a negative control.", isin=("days", "usd", "share")
    )
    estimate: float = Field("RSN less CSP; Kaplan-Meier, contact clock, unadjusted.", nullable=True)
    lower: float = Field("Lower 95% limit, providers resampled.", nullable=True)
    upper: float = Field("Upper 95% limit.", nullable=True)
    hazard_factor: float = Field(
        "Hazard after censoring of those censored, of the hazard of those observed; null where none was assumed.",
        nullable=True,
        ge=0,
    )
    e_value: float = Field(
        "Risk ratio by which a hidden cause would have to be tied to arm and length to explain the estimate.",
        nullable=True,
        ge=1,
    )
    e_value_limit: float = Field(
        "The same, to explain the limit nearer 0; 1 where the interval holds 0.", nullable=True, ge=1
    )
    persons: int = Field(
        "Persons of the smaller arm; with a provider left out, those before it was.", ge=0, persons=True
    )
    fewest_persons: int = Field(FEWEST, nullable=True, ge=0, persons=True)
    opposite_providers: int = Field(
        "Providers without any one of whom the estimate has the other sign; null where none was left out.",
        nullable=True,
        ge=0,
    )
    sign_change: bool = Field(
        "The sign is not that of the main analysis; null where either is missing.", nullable=True
    )
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("analysis", "variant")
        hides = ("estimate", "lower", "upper", "e_value", "e_value_limit", "hazard_factor", "opposite_providers")
