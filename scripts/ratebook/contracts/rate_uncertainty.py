"""How sure a rate is: sums by groups of persons, services at work in a trend, payment by diagonal, and limits."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Quantity, Usd

CATEGORY = "Service category, as rates.category_groups groups them."
GROUP = "First two digits of the digest of the person key: persons whose months and cost are redrawn together."


class ServiceMonths(Contract):
    """One row per category, service and month: cost and units a rate must pay, for use at constant prices."""

    category: str = Field(CATEGORY)
    service: str = Field("Service category, and the code of procedure or else of revenue where there is one.")
    service_month: dt.date = Field("First day of the month of service.")
    paid_usd: Usd = Field("Cost of final-action lines, not completed.")
    units: Quantity = Field("Units of those lines.")

    class Config(Contract.Config):
        unique = ("category", "service", "service_month")


class CellGroups(Contract):
    """One row per rate cell, category and group of persons: what the base is made of, in parts that err apart."""

    cell: str = Field("Rate cell.")
    category: str = Field(CATEGORY)
    person_group: str = Field(GROUP)
    members: int = Field("Persons with a counted base month.", persons=True)
    member_months: float = Field("Base member months; the same for every category.", ge=0)
    paid_usd: Usd = Field("Base cost.")

    class Config(Contract.Config):
        unique = ("cell", "category", "person_group")
        hides = ("member_months", "paid_usd")


class GroupMonths(Contract):
    """One row per category, group of persons and month: what a trend is made of, in parts that err apart."""

    category: str = Field(CATEGORY)
    person_group: str = Field(GROUP)
    service_month: dt.date = Field("First day of the month of service.")
    members: int = Field("Persons with a counted month.", persons=True)
    member_months: float = Field("Member months of all cells; the same for every category.", ge=0)
    paid_usd: Usd = Field("Cost, not completed.")

    class Config(Contract.Config):
        unique = ("category", "person_group", "service_month")
        hides = ("member_months", "paid_usd")


class CompletionDiagonals(Contract):
    """One row per category and month of payment: did it pay what the factors expect of a month (methods.md E2)?"""

    category: str = Field(CATEGORY)
    payment_month: dt.date = Field("First day of the month of payment.")
    links: int = Field("Months of service that had been paid something before.", ge=0)
    paid_usd: float = Field("Paid in the month for services of the twelve months before it.")
    expected_usd: float = Field("What was paid before times link less 1.")
    paid_to_expected: float = Field("Paid over expected.", nullable=True)
    z: float = Field("Paid less expected, in standard errors by Mack's variances.", nullable=True)
    early_share: float = Field(
        "Share of its ultimate that the month of service two months before has been paid by now.", nullable=True
    )
    is_break: bool = Field("So far off by chance in less than one run of twenty over all of the category's months.")
    calendar_p_value: float = Field(
        "How often chance alone spreads the category's months of payment so far; the same in each row.", nullable=True
    )
    reason: str = Field("Why a month cannot be judged; null where it is.", nullable=True)

    class Config(Contract.Config):
        unique = ("category", "payment_month")


class RateUncertainty(Contract):
    """One row per rate cell: where the limits of rates come from, by redrawing persons, completion and trend together.

    The limits hold the expected cost of the rating period, loaded; loads and the factors of program changes and of
    managed care are taken as known. std_error_share is not the root of its parts' squares to the last digit: the same
    months make the base and the trend.
    """

    cell: str = Field("Rate cell.")
    members: int = Field("Persons with a counted base month.", persons=True)
    rate_usd: Usd = Field("Rate per member month.", nullable=True)
    lower: float = Field("95% limit of the rate, dollars.", nullable=True)
    upper: float = Field("95% limit of the rate, dollars.", nullable=True)
    std_error_share: float = Field("Standard error of the rate's logarithm.", nullable=True)
    members_error_share: float = Field("Alike, of chance among members alone.", nullable=True)
    completion_error_share: float = Field("Alike, of completion alone.", nullable=True)
    trend_error_share: float = Field("Alike, of trend and what moves all members in a month alone.", nullable=True)
    credibility_error_share: float = Field("Alike, of drawing the cell towards its pool alone.", nullable=True)
    sum_lower: float = Field("The limits that a plain sum of the variances of rates would give.", nullable=True)
    sum_upper: float = Field("Alike.", nullable=True)
    person_groups: int = Field("Groups of persons with a month in the cell.", ge=0)
    replicates: int = Field("Times everything was redrawn.", ge=0)
    reason: str = Field("Why the limits are missing; null where they stand.", nullable=True)

    class Config(Contract.Config):
        unique = ("cell",)
        hides = (
            "rate_usd",
            "lower",
            "upper",
            "std_error_share",
            "members_error_share",
            "completion_error_share",
            "trend_error_share",
            "credibility_error_share",
            "sum_lower",
            "sum_upper",
            "person_groups",
        )


class RateTornado(Contract):
    """One row per rate cell and factor: how far the rate moves when that factor alone does."""

    cell: str = Field("Rate cell.")
    factor: str = Field("members, completion, trend of a category, credibility, or a load.")
    members: int = Field("Persons with a counted base month.", persons=True)
    rank: int = Field("1 for the factor that moves the cell's rate most.", ge=1)
    low_usd: float = Field("Rate at the factor's lower end.")
    high_usd: float = Field("Rate at the factor's upper end.")
    swing_usd: float = Field("Upper less lower.", ge=0)
    is_sampled: bool = Field("Ends are 95% limits of what was estimated; else 10% less and more of what is assumed.")
    reason: str = Field("What the ends are, in words.")

    class Config(Contract.Config):
        unique = ("cell", "factor")
        hides = ("low_usd", "high_usd", "swing_usd")
