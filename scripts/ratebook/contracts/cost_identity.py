"""Why cost per month and cost per member disagree: the identity between them, and what a month and an episode cost."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.episodes import ARMS

NUMERATORS = ("program", "total_sud", "tcoc")
LOWER, UPPER = "Lower limit, 95%, providers drawn, on the logarithm.", "Upper limit."


class Paradox(Contract):
    """One row per numerator: RSN over CSP, cost per engaged month × engaged months per member = cost per member.

    All three ratios are of means per member from discharge to the horizon, adjusted for censoring, so that they
    multiply exactly. `total_ratio` is that of `total_cost` (partitioned) and of P5. `observed_month_ratio` is the
    ratio per engaged month over observed follow-up only, that of P1 (program) and P3 (total_sud) in `pmpm`: another
    basis, beside.
    """

    numerator: str = Field("program, total_sud or tcoc.", isin=NUMERATORS)
    month_ratio: float = Field("Cost per engaged month, RSN over CSP.", nullable=True)
    month_ratio_lower: float = Field(LOWER, nullable=True)
    month_ratio_upper: float = Field(UPPER, nullable=True)
    duration_ratio: float = Field("Engaged months per member, RSN over CSP.", nullable=True)
    duration_ratio_lower: float = Field(LOWER, nullable=True)
    duration_ratio_upper: float = Field(UPPER, nullable=True)
    total_ratio: float = Field("Cost per member to the horizon, RSN over CSP.", nullable=True)
    total_ratio_lower: float = Field(LOWER, nullable=True)
    total_ratio_upper: float = Field(UPPER, nullable=True)
    residual: float = Field("total_ratio less month_ratio × duration_ratio.", nullable=True)
    observed_month_ratio: float = Field("Cost per engaged month over observed follow-up, RSN over CSP.", nullable=True)
    is_paradox: bool = Field("A month costs less under RSN and a member more, or the reverse.", nullable=True)
    persons: int = Field("Members of both arms.", persons=True)
    reason: str = Field("Why a ratio or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("numerator",)
        hides = (
            *(f"{name}_ratio{end}" for name in ("month", "duration", "total") for end in ("", "_lower", "_upper")),
            *("residual", "observed_month_ratio", "is_paradox"),
        )


class FixedAndMonthly(Contract):
    """One row per numerator and arm: cost per member as F + v × engaged months, and so F / months + v per month.

    v is what an engaged month more adds, by least squares over the arm's members in observed follow-up; F is what
    the mean cost leaves. Under a case rate they are near its amount per episode and per month; paid by units, F is
    near zero and v is units a month × price. RSN is cheaper by the month where v + F / months is below that of CSP,
    and dearer by the member where F + v × months is above it.
    """

    numerator: str = Field("program, total_sud or tcoc.", isin=NUMERATORS)
    arm: str = Field("RSN or CSP.", isin=ARMS)
    engaged_months: float = Field("Engaged months per member to the horizon, adjusted for censoring.", nullable=True)
    engaged_months_lower: float = Field(LOWER, nullable=True)
    engaged_months_upper: float = Field(UPPER, nullable=True)
    member_usd: float = Field("Cost per member to the horizon, adjusted for censoring: F + v × months.", nullable=True)
    member_usd_lower: float = Field(LOWER, nullable=True)
    member_usd_upper: float = Field(UPPER, nullable=True)
    month_usd: float = Field("Cost per engaged month, as adjusted: v + F / months.", nullable=True)
    month_usd_lower: float = Field(LOWER, nullable=True)
    month_usd_upper: float = Field(UPPER, nullable=True)
    fixed_usd: float = Field("F: dollars per member that do not depend on months.", nullable=True)
    fixed_usd_lower: float = Field("Lower limit, 95%, providers drawn.", nullable=True)
    fixed_usd_upper: float = Field(UPPER, nullable=True)
    further_month_usd: float = Field("v: dollars that an engaged month more adds.", nullable=True)
    further_month_usd_lower: float = Field("Lower limit, 95%, providers drawn.", nullable=True)
    further_month_usd_upper: float = Field(UPPER, nullable=True)
    persons: int = Field("Members of the arm.", persons=True)
    reason: str = Field("Why an amount or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("numerator", "arm")
        hides = tuple(
            f"{name}{end}"
            for name in ("engaged_months", "member_usd", "month_usd", "fixed_usd", "further_month_usd")
            for end in ("", "_lower", "_upper")
        )
