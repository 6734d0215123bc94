"""Who was covered when: spans without overlap, and member months."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Share, Usd

MM_RULES = ("any_day", "first_day", "day_15", "full_month", "fractional")
DUAL_GROUPS = ("none", "full", "partial", "other")


class CoverageColumns(Contract):
    """What a rate cell may need to know of a covered person."""

    plan: str = Field("Plan; 'ffs' where none.")
    payer: str = Field("Payer; 'unknown' where missing.")
    aid_category: str = Field("Aid category; 'unknown' where missing.")
    medicaid_class: str = Field("SSI, MAO or other; 'none' for people without Medicaid.")
    dual_group: str = Field("none, full, partial or other (methods.md A12.5).", isin=DUAL_GROUPS)
    waiver: str = Field("Home and community-based waiver; null where none.", nullable=True)
    patient_liability_usd: Usd = Field("Monthly share of cost.", nullable=True)


class Spans(CoverageColumns):
    """One row per person and period of coverage with equal attributes; closed, and never overlapping."""

    person_id: str = Field("Person key.")
    start_date: dt.date = Field("First day.")
    end_date: dt.date = Field("Last day.")
    retro_through_date: dt.date = Field("Last day covered only retroactively; null where none.", nullable=True)
    conflict_days: int = Field("Days of the span on which enrolment records disagreed.", ge=0)
    plan_conflict_days: int = Field("Of these, days on which they named different plans.", ge=0)

    class Config(Contract.Config):
        unique = ("person_id", "start_date")
        claims_scale = True


class MemberMonths(CoverageColumns):
    """One row per person and calendar month with a covered day, with the attributes of its last covered day."""

    person_id: str = Field("Person key.")
    service_month: dt.date = Field("First day of the month.")
    eligible_days: int = Field("Covered days.", ge=1, le=31)
    days_in_month: int = Field("Days of the month.", ge=28, le=31)
    mm_any_day: int = Field("1: covered on any day.", isin=(0, 1))
    mm_first_day: int = Field("1 where covered on the first day.", isin=(0, 1))
    mm_day_15: int = Field("1 where covered on the 15th.", isin=(0, 1))
    mm_full_month: int = Field("1 where covered on every day.", isin=(0, 1))
    mm_fractional: Share = Field("Covered days / days of the month.", ge=0, le=1)
    age_years: int = Field("Age on the first of the month; null where the birth date is missing.", nullable=True)
    sex: str = Field("female, male or unknown.")
    county: str = Field("County of residence.")
    region: str = Field("Payer's region.")
    retro_days: int = Field("Covered days that were entered only after they had passed.", ge=0, le=31)
    is_retro: bool = Field("Any covered day was added retroactively.")
    imd_days: int = Field(
        "Days in an institution for mental diseases at the ages its payment is limited for.", ge=0, le=31
    )
    is_imd_excluded: bool = Field("More such days than `exposure.imd_days_limit`: the month may not be capitated.")

    class Config(Contract.Config):
        unique = ("person_id", "service_month")
        claims_scale = True
        any_order = True


class ExposureQa(Contract):
    """One row per check of enrolment and level found: a part of the check's whole."""

    check_id: str = Field("spans, conflict, plan_conflict, retro, imd, double_count, claims_cost, …")
    level: str = Field("What was found: kept, unknown_person, disputed, retro, outside, …")
    unit: str = Field("Unit of `value`: records, days, member_months, person_years, usd or lines.")
    value: float = Field("Amount found at this level; a small one may be one person's.", persons=True)
    persons: int = Field(
        "Known persons behind it; of claims the most of any month and file, so never too many.", ge=0, persons=True
    )
    share: float = Field("Value over the sum of the check's levels; null where that is zero.", nullable=True)

    class Config(Contract.Config):
        unique = ("check_id", "level")
        groups = ("check_id",)
        hides = ("share",)


class Enrolment(Contract):
    """One row per calendar month and plan: how many were covered, and for how long."""

    service_month: dt.date = Field("First day of the month.")
    plan: str = Field("Plan; 'ffs' where none.")
    persons: int = Field("Persons covered on any day.", ge=0, persons=True)
    member_months: float = Field("Fractional member months.", ge=0)

    class Config(Contract.Config):
        unique = ("service_month", "plan")
        hides = ("member_months",)


class EligibilityMatch(Contract):
    """One row per scope, source file and month of service: lines and paid dollars beside the coverage of whom they served.

    Rows of one scope add up to the row of scope `all`; rows of different scopes must not be added.
    """

    scope: str = Field("What the row speaks of.", isin=("all", "month", "file", "file_month"))
    source_file: str = Field("File; 'all' where the scope is not a file.")
    service_month: dt.date = Field(
        "First day of the month of service; null where the scope is no month.", nullable=True
    )
    lines: int = Field("Final lines.", ge=0)
    retro_lines: int = Field("Lines on a day covered only retroactively.", ge=0)
    outside_lines: int = Field("Lines on a day not covered.", ge=0)
    outside_persons: int = Field(
        "Persons of these; of several files or months the most of any one, so never too many.", ge=0, persons=True
    )
    paid_usd: Usd = Field("Paid for the lines.")
    retro_usd: Usd = Field("Paid on days covered only retroactively.")
    outside_usd: Usd = Field("Paid on days not covered.")
    match_share: float = Field("Share of `paid_usd` on covered days; null where nothing was paid.", nullable=True)
    limit_share: float = Field("Share that passes, `exposure.match_share`.")
    status: str = Field("pass, warn or na.", isin=("pass", "warn", "na"))

    class Config(Contract.Config):
        unique = ("scope", "source_file", "service_month")
        hides = ("outside_lines", "outside_usd", "match_share", "status")


class MonthlyServices(Contract):
    """One row per month of service and service category: what arrived so far, per member, and how much is to come."""

    service_month: dt.date = Field("First day of the month of service.")
    category: str = Field("Service category (methods.md D1).")
    claims: int = Field("Final claims with a line of the category that serves something.", ge=0)
    lines: int = Field("Such lines.", ge=0)
    persons: int = Field("Persons served.", ge=0, persons=True)
    cost_usd: Usd = Field("Cost of the lines.")
    member_months: float = Field("Member months of all plans in force, by `exposure.mm_rule`.", ge=0)
    claims_per_1000: float = Field("Claims per 1,000 member months; null without any.", nullable=True)
    pmpm_usd: float = Field("Cost per member month; null without any.", nullable=True)
    completion_share: float = Field(
        "Share of the month's final dollars paid so far; above 1 where more will be taken back.", nullable=True, ge=0
    )
    completed_claims_per_1000: float = Field("Claims per 1,000 member months over that share.", nullable=True)
    completed_pmpm_usd: float = Field("Cost per member month over that share.", nullable=True)
    is_reportable: bool = Field(
        "The share is `exposure.reportable_completion` or more; null where unknown.", nullable=True
    )
    reason: str = Field("Why the share cannot be said; null where it can.", nullable=True)

    class Config(Contract.Config):
        unique = ("service_month", "category")
        groups = (("service_month",), ("category",))
        hides = (
            "claims",
            "lines",
            "cost_usd",
            "claims_per_1000",
            "pmpm_usd",
            "completed_claims_per_1000",
            "completed_pmpm_usd",
        )
