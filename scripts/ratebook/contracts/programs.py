"""Long-term care: member months that know settings and days, comparison groups, and what each program pays."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Share, Usd

SETTINGS = ("NF", "ALF", "ADC", "HCBS_waiver", "COMM_other")
AGE_BANDS = ("under_55", "55_64", "65_74", "75_84", "85_up", "unknown")
PERIODS = ("base", "contract")
TOTALS = ("average", "all")
"""Cells that are a whole population."""
LIABILITY_SUMS = (
    "member_months", "nf_days", "plan_nf_days", "funded_nf_days", "state_nf_days", "plan_nf_days_per_spell",
    "plan_nf_usd", "funded_nf_usd", "state_nf_usd",
)  # fmt: skip


class ServiceDollars(Contract):
    """What Medicaid paid for each service of `benefit_scope.csv`; the nursing facility stands apart, gross and net."""

    home_health_usd: Usd = Field("Home health services.")
    mental_disease_usd: Usd = Field("Institutions for mental disease.")
    hospice_usd: Usd = Field("Hospice.")
    rehabilitation_usd: Usd = Field("Rehabilitation services.")
    personal_care_usd: Usd = Field("Personal care.")
    therapy_usd: Usd = Field("Therapy.")
    case_management_usd: Usd = Field("Case management.")
    homemaker_usd: Usd = Field("Homemaker services.")
    home_health_aide_usd: Usd = Field("Home health aide.")
    adult_day_health_usd: Usd = Field("Adult day health.")
    habilitation_usd: Usd = Field("Habilitation.")
    respite_usd: Usd = Field("Respite care.")
    transportation_usd: Usd = Field("Transportation.")
    in_home_support_usd: Usd = Field("In-home support.")
    meals_usd: Usd = Field("Meals.")
    adult_day_care_usd: Usd = Field("Adult day care.")
    prescribed_drugs_usd: Usd = Field("Prescribed drugs.")
    adaptive_aids_usd: Usd = Field("Adaptive aids and non-covered durable equipment.")
    dental_usd: Usd = Field("Dental.")
    optometry_usd: Usd = Field("Optometry.")
    home_modifications_usd: Usd = Field("Minor home modifications.")
    assisted_living_usd: Usd = Field("Assisted living facility.")
    acute_usd: Usd = Field("Hospital, emergency and physician services.")
    behavioral_health_usd: Usd = Field("Mental health and substance use services.")
    other_usd: Usd = Field("Every other service.")


SERVICES = tuple(ServiceDollars.types())


class LtcMemberMonths(ServiceDollars):
    """One row per covered month of a person who is aged, disabled, assessed for, or served by long-term care.

    Days in a nursing facility are days of care: the day of discharge is not one. Enrolment is unbroken
    coverage; where the data begin inside it, it begins with the data.
    """

    person_id: str = Field("Person key.")
    service_month: dt.date = Field("First day of the month.")
    period: str = Field("base, or contract from `programs.contract_start` on.", isin=PERIODS)
    plan: str = Field("Plan; 'ffs' where none.")
    county: str = Field("County of residence.")
    region: str = Field("Payer's region.")
    facility_id: str = Field("Nursing facility of the current or latest stay; 'none' before any.")
    age_years: int = Field("Age on the first of the month.", nullable=True)
    age_band: str = Field("Age band.", isin=AGE_BANDS)
    sex: str = Field("female, male or unknown.")
    dual_group: str = Field("none, full, partial or other.")
    medicaid_class: str = Field("SSI, MAO, other or none.")
    aid_category: str = Field("Aid category.")
    is_aged_or_disabled: bool = Field("Of `programs.aged_from_years`, or in a disabled aid category.")
    is_retro: bool = Field("Any covered day was added retroactively.")
    is_waiver: bool = Field("A home and community-based waiver is in force.")
    is_nhc: bool = Field("Nursing-home certifiable: by the last assessment, else a resident or a waiver client.")
    dms1_level: int = Field("Functional level 1 to 3 of the last assessment; null where none.", nullable=True)
    setting: str = Field(
        "NF where half or more of the covered days are in a facility; else ALF with any assisted living; ADC where "
        "day care is half or more of the cost of care at home; else HCBS_waiver with a waiver; else COMM_other.",
        isin=SETTINGS,
    )
    nf_level: str = Field("SNF or ICF of the facility; 'unrated' where not known; null outside.", nullable=True)
    nf_days: int = Field("Nursing-facility days of care in the month.", ge=0, le=31)
    nf_days_cumulative: int = Field("Nursing-facility days so far in the enrolment year the stay began in.", ge=0)
    nf_days_spell: int = Field("Days of the current stay so far; 0 outside.", ge=0)
    nf_days_lifetime: int = Field("Nursing-facility days so far in this enrolment.", ge=0)
    nf_months_in_year: int = Field("Nursing-facility months of the calendar year.", ge=0, le=12)
    institutional_days_before_move: int = Field("Days of the latest ended stay; 0 where none.", ge=0)
    months_since_conversion: int = Field("Community months since the latest stay ended, from 1; 0 where none.", ge=0)
    enrollment_month: dt.date = Field("First month of the unbroken coverage.")
    enrollment_month_number: int = Field(
        "1 for the first month of coverage, then 2, 3, …; 13 is an anniversary.", ge=1
    )
    is_enrolled_in_nf: bool = Field("In a stay that began on or before the first day of coverage.")
    is_past_anniversary: bool = Field("In a stay that began in an earlier enrolment year.")
    applied_income_usd: Usd = Field("The resident's own share of the facility's cost.")
    nf_gross_usd: Usd = Field("Nursing facility, before the resident's share: net plus applied income.")
    nf_net_usd: Usd = Field("Nursing facility, as Medicaid paid it.")
    medicare_paid_usd: Usd = Field("What Medicare paid on the month's lines, as the source states it.")
    tpl_usd: Usd = Field("What other insurance paid on the month's lines, as the source states it.")
    per_diem_usd: Usd = Field("Per diem of the facility in a resident's month.", nullable=True)
    ancillary_usd: Usd = Field("Ancillary cost per resident month of the facility.", nullable=True)

    class Config(Contract.Config):
        unique = ("person_id", "service_month")
        claims_scale = True


class ComparisonGroups(ServiceDollars):
    """One row per program, frame, comparison group, cell, period and replicate: sums over member months.

    A frame is one population with one way to cut it into cells. A replicate is one of `programs.replicates`
    random groups of persons: leaving out each in turn gives every rate its interval.
    """

    program: str = Field("Program.")
    frame: str = Field("Population and cells: 'all', or the state that has its own.")
    comparison_group: str = Field("Comparison group; 'enrolled' is the population by cell, 'population' all of it.")
    cell: str = Field("Rate cell, or the plan; 'all' where the group is pooled over cells.")
    period: str = Field("base or contract.", isin=PERIODS)
    replicate: int = Field("Random group of persons.", ge=0)
    member_months: int = Field("Member months.", ge=1)
    persons: int = Field("Persons in the period.", ge=1, persons=True)
    new_persons: int = Field("Persons not in an earlier period: these add up over periods.", ge=0, persons=True)
    nf_days: int = Field("Nursing-facility days.", ge=0)
    plan_nf_days: int = Field("Days the plan pays under its liability window.", ge=0)
    plan_nf_days_per_spell: int = Field("The same, had days been counted anew for each stay.", ge=0)
    conversion_months_max: int = Field("Longest time since a move back to the community, months.", ge=0)
    medicare_nf_usd: Usd = Field(
        "Of these dollars, those of the first 100 days of a stay of skilled care: Medicare's, had the stay begun in a hospital."
    )
    applied_income_usd: Usd = Field("Residents' share.")
    nf_gross_usd: Usd = Field("Nursing facility before the residents' share.")
    nf_net_usd: Usd = Field("Nursing facility, as Medicaid paid.")
    nf_liable_usd: Usd = Field("Net nursing-facility cost of the days the plan pays.")
    medicare_paid_usd: Usd = Field("What Medicare paid on these lines.")
    tpl_usd: Usd = Field("What other insurance paid on these lines.")
    per_diem_usd: Usd = Field("Sum of per diems over the months that have one.")
    ancillary_usd: Usd = Field("Sum of facility ancillaries over the months that have a per diem.")
    per_diem_months: int = Field("Months with a per diem.", ge=0)
    capped_benefit_usd: Usd = Field("Paid under the program's capped benefit.")

    class Config(Contract.Config):
        unique = ("program", "frame", "comparison_group", "cell", "period", "replicate")


class MemberYears(Contract):
    """One row per program, frame, person, calendar year and cell of the common population."""

    program: str = Field("Program.")
    frame: str = Field("Population and cells.")
    person_id: str = Field("Person key.")
    replicate: int = Field("Random group of persons.", ge=0)
    year: int = Field("Calendar year.")
    cell: str = Field("Rate cell.")
    member_months: int = Field("Member months in the cell.", ge=1)
    plan_usd: Usd = Field("What the plan would pay: covered services and its facility days.")
    was_low_cost: bool = Field(
        "The year before, the plan paid no more a month than for half of those who have a year before; null without one.",
        nullable=True,
    )

    class Config(Contract.Config):
        unique = ("program", "frame", "person_id", "year", "cell")
        claims_scale = True
        any_order = True


class Estimate(Contract):
    """What every estimate says of itself."""

    lower: float = Field("Lower 95 percent limit of the row's main estimate.", nullable=True)
    upper: float = Field("Upper 95 percent limit.", nullable=True)
    reason: str = Field("Why an estimate or its interval is missing; null where both stand.", nullable=True)


class ProgramRates(Estimate):
    """One row per program, state, area, era and rate cell: the rate by the program's own formula, on our data.

    Published amounts stand beside it as they were printed; the inputs behind them were never published, so no
    row reproduces one. The estimate is `rate_usd`.
    """

    program: str = Field("Program.")
    state: str = Field("State.")
    area: str = Field("Service area; 'all' where the state is one.")
    era: str = Field("Years the formula was in force; 'all' where the source names none.")
    cell: str = Field("Rate cell; 'average' weighs the cells by their member months.")
    formula: str = Field("The formula in words.")
    base_usd: float = Field("Per member per month before discounts.", nullable=True)
    discount: float = Field("Effective discount: 1 - discounted / base.", nullable=True)
    rate_usd: float = Field("Monthly capitation rate.", nullable=True)
    payment_usd: float = Field(
        "What the State pays of it: less the cell's share of cost where a scheme pays net of that.", nullable=True
    )
    member_months: int = Field("Member months of the population in the cell.", ge=0)
    credibility: float = Field(
        "Limited fluctuation: the cell's own member months against `programs.full_credibility_member_months`.",
        ge=0,
        le=1,
    )
    persons: int = Field("Persons of the population in the cell.", ge=0, persons=True)
    upl_usd: float = Field("Cost of the comparable population: the rate may not pass it.", nullable=True)
    upl_ok: bool = Field("The rate is at most the cost of the comparable population.", nullable=True)
    published_low_usd: float = Field("Published rate, lowest; not from these data.", nullable=True)
    published_high_usd: float = Field("Published rate, highest; not from these data.", nullable=True)
    note: str = Field("What to know: conflicts of the source, assumptions.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "cell")
        groups = ("program", "state", "area", "era")
        overlaps = True
        hides = (
            "base_usd", "discount", "rate_usd", "payment_usd", "upl_usd", "member_months", "credibility", "lower", "upper",
            "reason",
        )  # fmt: skip


class PublishedAmounts(Contract):
    """One row per published amount: as printed, with what it would imply before the stated discount."""

    program: str = Field("Program.")
    state: str = Field("State.")
    area: str = Field("Service area.")
    era: str = Field("Years the formula was in force; 'all' where the source names none.")
    item: str = Field("Cell or rate as the source names it.")
    published_low_usd: float = Field("Lowest published amount per month.")
    published_high_usd: float = Field("Highest published amount per month.")
    stated_discount: float = Field("Discount the source states; null where it states none.", nullable=True)
    implied_gross_low_usd: float = Field("Lowest amount / (1 - discount).", nullable=True)
    implied_gross_high_usd: float = Field("Highest amount / (1 - discount).", nullable=True)
    source: str = Field("Where it is printed.")

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "item", "source")


class ProgramNotes(Contract):
    """One row per program and conflict of its source: where it says two things, and what was done about it."""

    program: str = Field("Program.")
    conflict: int = Field("Number of the conflict.", ge=1)
    note: str = Field("What the source says twice, and what is done.")

    class Config(Contract.Config):
        unique = ("program", "conflict")


class PlanLiability(Estimate):
    """One row per program and rate cell: who pays which nursing-facility days. The estimate is `plan_cost_pmpm_usd`."""

    program: str = Field("Program.")
    cell: str = Field("Rate cell; 'all' for the whole population.")
    window: str = Field("The liability window in words.")
    persons: int = Field("Persons.", ge=0, persons=True)
    member_months: int = Field("Member months.", ge=0)
    nf_days: int = Field("Nursing-facility days.", ge=0)
    plan_nf_days: int = Field("Days of the liability window: at the plan's risk.", ge=0)
    funded_nf_days: int = Field("Further days in cells whose rate pays for the facility: the plan pays them.", ge=0)
    state_nf_days: int = Field("Days the State pays.", ge=0)
    plan_nf_days_per_spell: int = Field("Days the plan would pay, counted anew for each stay.", ge=0)
    plan_nf_usd: float = Field("Net nursing-facility cost of the window's days.")
    funded_nf_usd: float = Field("Net nursing-facility cost of the funded days.")
    state_nf_usd: float = Field("Net nursing-facility cost of the State's days.")
    plan_nf_day_share: float = Field("Share of the facility days that the plan pays.", nullable=True, ge=0, le=1)
    plan_cost_pmpm_usd: float = Field("Covered services and the plan's facility days, per month.", nullable=True)
    state_cost_pmpm_usd: float = Field("The State's facility days, per month.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "cell")
        groups = ("program",)
        overlaps = True
        hides = (
            *LIABILITY_SUMS, "plan_nf_day_share", "plan_cost_pmpm_usd", "state_cost_pmpm_usd", "lower", "upper", "reason",
        )  # fmt: skip


class LiabilityDays(Contract):
    """One row per program and ordinal day of facility care in an enrolment year: how many such days the plan pays."""

    program: str = Field("Program.")
    nf_day: int = Field("Day of facility care, by the configured counter, from 1.", ge=1)
    nf_days: int = Field("Days of that ordinal in the data.", ge=0)
    plan_nf_days: int = Field("Of these, days the plan pays.", ge=0)
    window_day_share: float = Field("Share of these days in the plan's window.", nullable=True, ge=0, le=1)
    persons: int = Field("Persons who reach that day at least once.", ge=0, persons=True)

    class Config(Contract.Config):
        unique = ("program", "nf_day")
        hides = ("nf_days", "plan_nf_days", "window_day_share")


class ProgramReconciliation(Estimate):
    """One row per program, item and plan settled after the year. The estimate is `settlement_usd`.

    Settlements by plan add up to nothing: a hidden plan's would be what the others leave.
    """

    program: str = Field("Program.")
    state: str = Field("State.")
    area: str = Field("Service area; 'all' where the state is one.")
    era: str = Field("Years the method held; 'all' where there is one method.")
    item: str = Field("What is settled.")
    plan: str = Field("Plan; 'all' where the settlement is not by plan.")
    unit: str = Field("Unit of `assumed` and `actual`.")
    assumed: float = Field("As the rate assumed: the base period.", nullable=True)
    actual: float = Field("As it came: the contract period.", nullable=True)
    member_months: int = Field("Member months of the contract period.", ge=0)
    persons: int = Field("Persons of the contract period.", ge=0, persons=True)
    share: Share = Field("Share of the difference that is settled.")
    settlement_usd: float = Field("Positive: the State pays the plan.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "item", "plan")
        groups = ("program", "state", "area", "era", "item")
        overlaps = True
        hides = ("assumed", "actual", "settlement_usd", "lower", "upper", "member_months", "reason")
