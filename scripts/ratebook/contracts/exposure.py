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
    is_retro: bool = Field("Any covered day was added retroactively.")

    class Config(Contract.Config):
        unique = ("person_id", "service_month")
        claims_scale = True


class ExposureQa(Contract):
    """One row per check of enrolment and level found: a part of the check's whole."""

    check_id: str = Field("spans, conflict, retro, double_count, claims_cost or claims_lines.")
    level: str = Field("What was found: kept, unknown_person, disputed, retro, outside, …")
    unit: str = Field("Unit of `value`: records, days, member_months, person_years, usd or lines.")
    value: float = Field("Amount found at this level; a small one may be one person's.", persons=True)
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
