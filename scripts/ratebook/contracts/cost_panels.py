"""Cost against time: prices of the base year, months around the index stay, and sites before and after a program."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Usd
from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import COSTS, ROWS
from ratebook.contracts.episodes import ARMS

DOLLARS = ("nominal", "real")
MONTHS = ("all", "without_run_up")
CONTRASTS = (*ARMS, "none", "RSN-CSP", "RSN-none")
DID_QUANTITIES = (
    "before",
    "after",
    "change",
    "difference_in_differences",
    "ratio_of_ratios",
    "att_log",
    "pre_trend_slope",
    "pre_trend_test",
)
GROUP_TIME_LEVELS = ("group_time", "event_time", "overall", "two_way_fixed_effects")


class MemberIntervals(Contract):
    """One row per cohort member and interval before admission or since discharge with a covered day."""

    person_id: str = Field("Person key.")
    window: str = Field("pre or post.", isin=("pre", "post"))
    interval: int = Field("Since discharge, from 1; before admission, from -1 back.")
    eligible_days: int = Field("Covered days, in `post` while cost is observed.", ge=1)

    class Config(Contract.Config):
        unique = ("person_id", "window", "interval")


class PriceIndex(Contract):
    """One row per service category and calendar year: prices beside the base year's, and how dollars were repriced.

    Laspeyres weighs codes by their use in the base year, Paasche by their use in the year, Fisher is the root of
    the product. An index of the user's stands in all three.
    """

    category: str = Field("Service category, or all.", isin=(*CATEGORIES, "all"))
    service_year: int = Field("Calendar year of service.")
    base_year: int = Field("Year whose prices are 1.")
    laspeyres: float = Field("Index weighted by the base year's units.", nullable=True)
    paasche: float = Field("Index weighted by the year's own units.", nullable=True)
    fisher: float = Field("Root of their product.", nullable=True)
    codes: int = Field("Codes with a price in both years.", nullable=True)
    cost_usd: Usd = Field("Dollars as paid.")
    real_cost_usd: Usd = Field("The same services at the base year's prices.")
    units_share: float = Field("Of the dollars, repriced as units times their code's price.", nullable=True)
    code_share: float = Field("Repriced by their code's own price change.", nullable=True)
    category_share: float = Field("Repriced by a price change borrowed from the category or all.", nullable=True)
    nominal_share: float = Field("Left as paid: nothing to borrow.", nullable=True)
    lines: int = Field("Claim lines.", ge=0)
    persons: int = Field("Persons with a line.", persons=True)
    reason: str = Field("Why there is no index.", nullable=True)

    class Config(Contract.Config):
        unique = ("category", "service_year")
        # A year's categories add up to all of them.
        groups = ("service_year",)
        hides = (
            "laspeyres",
            "paasche",
            "fisher",
            "codes",
            "cost_usd",
            "real_cost_usd",
            "units_share",
            "code_share",
            "category_share",
            "nominal_share",
            "lines",
        )


class PriceComparison(Contract):
    """One row per cost, dollars and arm: mean cost per member to the horizon as paid and at the base year's prices."""

    estimand: str = Field("program, other_sud, total_sud or tcoc.", isin=COSTS)
    dollars: str = Field("nominal (as paid, the headline) or real (the base year's prices).", isin=DOLLARS)
    arm: str = Field("RSN, CSP or difference (RSN less CSP).", isin=ROWS)
    estimate_usd: float = Field("Dollars per member, adjusted for censoring (partitioned).", nullable=True)
    std_error: float = Field("Standard error, bootstrap of providers within arm.", nullable=True)
    lower: float = Field("Lower limit, 95%, Student's t; of an arm's mean on the logarithm.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    index_gap_days: float = Field("Median index discharge of RSN less that of CSP, in days.", nullable=True)
    needs_repricing: bool = Field("The medians are more than 90 days apart: read the real row.")
    persons: int = Field("Members.", persons=True)
    clusters: int = Field("Providers.")
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "dollars", "arm")
        hides = ("estimate_usd", "std_error", "lower", "upper", "index_gap_days")


class Did(Contract):
    """One row per cost, dollars, months, contrast and quantity: arms before and after the index stay.

    The index stay is in no month. `change` of one arm is an uncontrolled before-after: whoever is taken in at a
    crisis costs less later without any program (regression to the mean), and it is no effect. `none` are members
    without a navigator. The difference in differences takes one arm's change off the other's.
    """

    estimand: str = Field("other_sud, total_sud or tcoc.", isin=COSTS)
    dollars: str = Field("nominal or real (the base year's prices).", isin=DOLLARS)
    months: str = Field("all, or without_run_up: the months just before admission left out.", isin=MONTHS)
    contrast: str = Field("One arm, or the first less the second.", isin=CONTRASTS)
    quantity: str = Field("What is estimated.", isin=DID_QUANTITIES)
    estimate: float = Field("USD per member month; a ratio; USD a month per month (slope).", nullable=True)
    std_error: float = Field("Clustered by provider; of the log for a ratio.", nullable=True)
    lower: float = Field("Lower limit, 95%, Student's t on the providers' effective number.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    p_value: float = Field("Two-sided, of no effect; of no pre-trend.", nullable=True)
    wild_p_value: float = Field("The same by the wild cluster bootstrap.", nullable=True)
    wild_lower: float = Field("Lower limit, wild cluster bootstrap.", nullable=True)
    wild_upper: float = Field("Upper limit.", nullable=True)
    statistic: float = Field("t, or F of the joint test of the months before.", nullable=True)
    degrees_above: float = Field("Degrees of freedom of F, above the line.", nullable=True)
    degrees_below: float = Field("Degrees of freedom of t, or of F below the line.", nullable=True)
    member_months: float = Field("Months behind the estimate.")
    persons: int = Field("Members; of a contrast, those of its smaller arm.", persons=True)
    clusters: int = Field("Providers; persons in the arm without one.")
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "dollars", "months", "contrast", "quantity")
        hides = (
            "estimate",
            "std_error",
            "lower",
            "upper",
            "p_value",
            "wild_p_value",
            "wild_lower",
            "wild_upper",
            "statistic",
            "degrees_above",
            "degrees_below",
            "member_months",
        )


class EventStudy(Contract):
    """One row per cost, dollars, contrast and month around the index stay: what a member month cost.

    Of an arm, the mean; of two, their difference less their difference in the reference month.
    """

    estimand: str = Field("other_sud, total_sud or tcoc.", isin=COSTS)
    dollars: str = Field("nominal or real (the base year's prices).", isin=DOLLARS)
    contrast: str = Field("One arm, or the first less the second.", isin=CONTRASTS)
    event_month: int = Field("-1, -2, … before admission; 0, 1, … since discharge.")
    estimate_usd: float = Field("USD per member month.", nullable=True)
    std_error: float = Field("Standard error, clustered by provider.", nullable=True)
    lower: float = Field("Lower limit, 95%, Student's t on the providers' effective number.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    is_reference: bool = Field("The month against which the others are read.")
    member_months: float = Field("Months behind the estimate.")
    persons: int = Field(
        "Members with a covered day in the month; of a contrast, those of its smaller arm.", persons=True
    )
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "dollars", "contrast", "event_month")
        hides = ("estimate_usd", "std_error", "lower", "upper", "member_months")


class SiteQuarters(Contract):
    """One row per detox facility and quarter: discharges of people in detox again, and the SUD cost that followed."""

    facility_id: str = Field("Facility of discharge.")
    quarter_date: dt.date = Field("First day of the quarter.")
    discharges: int = Field("Discharges that count.", ge=1, persons=True)
    persons: int = Field("Persons discharged.", ge=1, persons=True)
    met_discharges: int = Field("Of the discharges, those after which RSN first met the person.", ge=0, persons=True)
    sud_cost_usd: Usd = Field("SUD cost of the days followed, from the day of discharge.")
    real_sud_cost_usd: Usd = Field("The same at the base year's prices.")

    class Config(Contract.Config):
        unique = ("facility_id", "quarter_date")
        hides = ("sud_cost_usd", "real_sud_cost_usd")


class GroupTime(Contract):
    """One row per dollars, level, starting quarter and quarter around the start: effect of a site's program start.

    Sites whose discharges begin to meet RSN navigators, beside sites that never do or do not yet, each against its
    last quarter before the start. The two-way fixed-effects regression stands beside it to be distrusted: where
    sites start at different times some of its weights are negative.
    """

    dollars: str = Field("nominal or real (the base year's prices).", isin=DOLLARS)
    level: str = Field("One group and quarter, all groups so far from the start, all, or the regression.")
    start_quarter: str = Field("First quarter of the group's program; all where groups are put together.")
    event_quarter: int = Field("Quarters since the start, negative before it; null over all.", nullable=True)
    estimate_usd: float = Field("USD per discharge.", nullable=True)
    std_error: float = Field("Standard error, sites resampled within group; clustered by site.", nullable=True)
    lower: float = Field("Lower limit, 95%, Student's t on the sites.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    negative_weight_share: float = Field("Regression: negative weights, where all add up to 1.", nullable=True)
    sites: int = Field("Sites that started.", ge=0)
    comparison_sites: int = Field("Sites compared with.", ge=0)
    discharges: int = Field("Discharges behind the estimate.", persons=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("dollars", "level", "start_quarter", "event_quarter")
        hides = ("estimate_usd", "std_error", "lower", "upper", "negative_weight_share")


BUILT_TABLES = {"member_intervals": MemberIntervals, "price_index": PriceIndex, "site_quarters": SiteQuarters}
DID_TABLES = {"did": Did, "event_study": EventStudy, "group_time": GroupTime}
