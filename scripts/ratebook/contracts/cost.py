"""Who cost what in which window, and what the two payment forms cost per month, per member and in all."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Quantity, Usd
from ratebook.contracts.clean import CATEGORIES, SUD_CATEGORIES
from ratebook.contracts.episodes import ARMS

WINDOWS = ("pre", "index", "post", "unobserved")
END_REASONS = ("horizon", "death", "disenrolled", "end_of_data")
COSTS = ("program", "other_sud", "total_sud", "tcoc")
"""Program: navigator lines. Other SUD: the other ten SUD categories. Total SUD: both. TCOC: all 18 categories."""
MONTH_RULES = ("exact", "calendar", "ceil30")
METHODS = ("partitioned", "lin", "simple", "zhao_tian", "available_case", "complete_case")
ROWS = (*ARMS, "difference")
ESTIMATED = ("estimate_usd", "std_error", "lower", "upper", "ratio", "ratio_lower", "ratio_upper")
BOOT = ("std_error", "lower", "upper", "ratio_lower", "ratio_upper")
QUADRANTS = ("NE", "NW", "SE", "SW")
OTHER_SUD = tuple(name for name in SUD_CATEGORIES if name != "NAVIGATOR")


class PersonCosts(Contract):
    """One row per cohort member, window, interval since discharge and category with any cost or unit.

    Windows never overlap: `pre` the days before index admission, `index` the index stay and every other service
    until the day before discharge, `post` from the day of discharge while observed, `unobserved` the days
    between the end of observation and the horizon (those dollars are in no estimate).
    """

    person_id: str = Field("Person key.")
    window: str = Field("pre, index, post or unobserved.", isin=WINDOWS)
    interval: int = Field(
        "Since discharge, from 1, in `post`; before admission, from -1 back, in `pre`; 0 in the other windows."
    )
    category: str = Field("Service category.", isin=CATEGORIES)
    cost_usd: Usd = Field("Cost of the days in the interval; a line of several days is spread over them.")
    real_cost_usd: Usd = Field("The same at the base year's prices (`cost.prices`), discounted beyond a year.")
    engaged_cost_usd: Usd = Field("The part of the cost on days engaged with a navigator.")
    units: Quantity = Field("Units of the lines, spread as the cost; a line without units counts one.")

    class Config(Contract.Config):
        unique = ("person_id", "window", "interval", "category")


class ClientIntervals(Contract):
    """One row per cohort member and interval since discharge with an engaged day or an entry in the service log."""

    person_id: str = Field("Person key.")
    interval: int = Field("Interval since discharge, from 1.", ge=1)
    engaged_days: int = Field("Days within a spell with either program.", ge=0)
    spells: int = Field("Spells that begin in the interval.", ge=0)
    contacts: int = Field("Valid contacts.", ge=0)
    billable_units: Quantity = Field("15-minute units of the service log, whatever the payment form.", ge=0)

    class Config(Contract.Config):
        unique = ("person_id", "interval")


class FollowUp(Contract):
    """One row per cohort member: how long cost was observed, and the months behind every PMPM.

    Observation ends with death (nothing more can be spent: complete), the horizon (complete), disenrolment or
    the end of the data (censored). The end of engagement does not end it.
    """

    person_id: str = Field("Person key.")
    arm: str = Field("RSN, CSP or none.", isin=(*ARMS, "none"))
    provider_id: str = Field("Cluster: organisation of the first contact; 'unknown' where none.")
    discharge_date: dt.date = Field("Discharge of the index episode.")
    followed_days: int = Field("Days observed from discharge, the day of discharge included.", ge=0)
    end_reason: str = Field("What ended observation.", isin=END_REASONS)
    is_complete: bool = Field("Observation ended with death or the horizon: the cost to the horizon is known.")
    eligible_months: float = Field("Eligible member months in follow-up by `exposure.mm_rule`.", ge=0)
    engaged_calendar_months: int = Field("Calendar months with an engaged day.", ge=0)
    engaged_ceil30_months: int = Field("Each spell's days / 30, rounded up, summed.", ge=0)
    contact_months: int = Field("Calendar months with at least `cost.min_contacts` valid contacts.", ge=0)

    class Config(Contract.Config):
        unique = ("person_id",)


class PopulationCosts(Contract):
    """One row per plan, service month and category: cost of everyone, cohort or not."""

    plan: str = Field("Plan of the covered month; 'none' where the person was not covered.")
    service_month: dt.date = Field("First day of the month.")
    category: str = Field("Service category.", isin=CATEGORIES)
    is_covered: bool = Field("The month counts as a member month by `exposure.mm_rule`.")
    cost_usd: Usd = Field("Cost of the month; a line of several months is spread by day.")
    units: Quantity = Field("Units, spread as the cost.")
    users: int = Field("Persons with a line in the month.", persons=True)

    class Config(Contract.Config):
        unique = ("plan", "service_month", "category", "is_covered")


class PopulationMonths(Contract):
    """One row per plan and service month: the member months of everyone."""

    plan: str = Field("Plan.")
    service_month: dt.date = Field("First day of the month.")
    member_months: float = Field("Member months by `exposure.mm_rule`.", ge=0)
    persons: int = Field("Persons with a member month.", persons=True)

    class Config(Contract.Config):
        unique = ("plan", "service_month")


class OutsideCosts(Contract):
    """One row per program, item and bearer: cost that is in no claim, and so in no PMPM of this stage."""

    program: str = Field("RSN or CSP.")
    item: str = Field("training, coaching, incentive or outreach.")
    perspective: str = Field("Who bore it: payer or provider.", isin=("payer", "provider"))
    amount_usd: Usd = Field("Dollars in the study window.")
    persons: int = Field("Clients with a valid contact in the study window, cohort or not.", persons=True)
    client_usd: float = Field("Dollars per client.", nullable=True)
    reason: str = Field("Why there is no amount per client.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "item", "perspective")
        hides = ("client_usd",)


class Pmpm(Contract):
    """One row per variant, numerator, arm, plan and rule for months: what a month costs, with both halves named.

    P1 program cost per engaged month. P2 program cost per eligible month. P3 SUD cost while engaged per engaged
    month. P4 SUD cost per eligible month. P5 cost per member to the horizon, adjusted for censoring. P6 the mean
    of members' own ratios, shown only for its difference from P1. TCOC total cost per eligible month: of an
    arm's follow-up, and of the whole population by category. Rows of two variants are not comparable.
    """

    variant: str = Field("P1 to P6 or TCOC.", isin=("P1", "P2", "P3", "P4", "P5", "P6", "TCOC"))
    numerator: str = Field("program, total_sud, tcoc or a service category.")
    arm: str = Field("RSN, CSP, difference (RSN less CSP), or all (the population).", isin=(*ROWS, "all"))
    plan: str = Field("Plan of the population's rows; 'all' elsewhere.")
    month_rule: str = Field("How the months are counted: exact, calendar or ceil30; a member-month rule; none.")
    denominator: str = Field("The denominator in words.")
    numerator_usd: float = Field("Dollars above the line; null on a difference and where adjusted.", nullable=True)
    denominator_months: float = Field("Months below the line.", nullable=True)
    estimate_usd: float = Field("Dollars per month (P5: per member).", nullable=True)
    std_error: float = Field("Standard error, linearised, clustered by provider (P5: providers drawn).", nullable=True)
    lower: float = Field("Lower limit, 95%.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    ratio: float = Field("RSN / CSP, on the difference rows.", nullable=True)
    ratio_lower: float = Field("Lower limit of the ratio.", nullable=True)
    ratio_upper: float = Field("Upper limit of the ratio.", nullable=True)
    boot_std_error: float = Field("Standard error, providers drawn (P5: the same one).", nullable=True)
    boot_lower: float = Field("Lower limit by it.", nullable=True)
    boot_upper: float = Field("Upper limit by it.", nullable=True)
    boot_ratio_lower: float = Field("Lower limit of the ratio, providers drawn.", nullable=True)
    boot_ratio_upper: float = Field("Upper limit of the ratio, providers drawn.", nullable=True)
    excluded_usd: float = Field(
        "Dollars left out: days not covered (population) or not observed (arms).", nullable=True
    )
    persons: int = Field("Persons behind the denominator.", persons=True, nullable=True)
    users: int = Field(
        "Of the population, persons with such a cost: the most of any month.", persons=True, nullable=True
    )
    part_of: str = Field("Of the population, whose printed total a category adds to; 'all' elsewhere.")
    clusters: int = Field("Providers.", nullable=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("variant", "numerator", "arm", "plan", "month_rule")
        # A category's plans add up to all plans, a plan's categories to its totals.
        groups = (("variant", "arm", "plan", "month_rule", "part_of"), ("variant", "arm", "numerator", "month_rule"))
        hides = ("numerator_usd", "denominator_months", *ESTIMATED, *(f"boot_{name}" for name in BOOT), "excluded_usd")


class PaymentForms(Contract):
    """One row per payment form, arm and denominator: every client's service log priced by the same form."""

    form: str = Field("Payment form, a key of `cost.payment_forms`.")
    arm: str = Field("Whose logs: RSN, CSP, or difference.", isin=ROWS)
    per: str = Field("client or engaged_month.", isin=("client", "engaged_month"))
    formula: str = Field("The form in words.")
    estimate_usd: float = Field("Dollars per client or per engaged month.", nullable=True)
    std_error: float = Field("Standard error, clustered by provider.", nullable=True)
    lower: float = Field("Lower limit, 95%.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    ratio: float = Field("RSN / CSP, on the difference rows.", nullable=True)
    ratio_lower: float = Field("Lower limit of the ratio.", nullable=True)
    ratio_upper: float = Field("Upper limit of the ratio.", nullable=True)
    persons: int = Field("Clients with an engaged day.", persons=True, nullable=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("form", "arm", "per")
        hides = ESTIMATED


class TotalCost(Contract):
    """One row per cost, arm and method: mean cost per member from discharge to the horizon.

    `partitioned` (Bang-Tsiatis by interval) is the estimate to quote. Available case is too low and complete
    case leans to those with short follow-up; both are shown to be compared.
    """

    estimand: str = Field("program, other_sud, total_sud or tcoc.", isin=COSTS)
    arm: str = Field("RSN, CSP or difference (RSN less CSP).", isin=ROWS)
    method: str = Field("Estimator (methods.md D4).", isin=METHODS)
    horizon_days: int = Field("Days from discharge, the day of discharge included.")
    estimate_usd: float = Field("Dollars per member.", nullable=True)
    std_error: float = Field("Standard error, bootstrap of providers within arm.", nullable=True)
    lower: float = Field("Lower limit, 95%, of that error; on the logarithm for a mean.", nullable=True)
    upper: float = Field("Upper limit, 95%.", nullable=True)
    member_std_error: float = Field("Standard error, members drawn instead; partitioned only.", nullable=True)
    formula_std_error: float = Field("Standard error by formula, members as independent; simple only.", nullable=True)
    ratio: float = Field("RSN / CSP, on the difference rows.", nullable=True)
    ratio_lower: float = Field("Lower limit of the ratio.", nullable=True)
    ratio_upper: float = Field("Upper limit of the ratio.", nullable=True)
    persons: int = Field("Members.", persons=True)
    clusters: int = Field("Providers.")
    censored_share: float = Field("Members whose cost to the horizon was not fully seen.", nullable=True)
    observed_share: float = Field("Chance of being observed to the horizon: K just before it.", nullable=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "arm", "method")
        hides = (*ESTIMATED, "member_std_error", "formula_std_error", "censored_share", "observed_share")


class CostCurve(Contract):
    """One row per cost, arm and interval's end: mean cost per member accrued since discharge (partitioned)."""

    estimand: str = Field("program, other_sud, total_sud or tcoc.", isin=COSTS)
    arm: str = Field("RSN or CSP.", isin=ARMS)
    day: int = Field("Days since discharge at the end of the interval.", ge=0)
    estimate_usd: float = Field("Dollars per member so far.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members still observed at the day.", persons=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "arm", "day")
        hides = ("estimate_usd", "lower", "upper")


class CostByCategory(Contract):
    """One row per window, category and arm: mean cost per member, and what it is made of."""

    window: str = Field("pre, index or post.", isin=WINDOWS)
    category: str = Field("Service category.", isin=CATEGORIES)
    arm: str = Field("RSN, CSP or difference.", isin=ROWS)
    part_of: str = Field("Whose printed total the category adds to: program, other_sud or other_care.")
    users: int = Field("Members with a cost in the category.", persons=True)
    estimate_usd: float = Field("Dollars per member; in `post` adjusted for censoring (partitioned).", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    units_per_member: float = Field("Units per member, adjusted as the cost; of an arm only.", nullable=True)
    units_lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    units_upper: float = Field("Upper limit.", nullable=True)
    unit_price_usd: float = Field("Dollars per unit; null without units.", nullable=True)
    unit_price_lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    unit_price_upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members.", persons=True)
    reason: str = Field("Why an estimate or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("window", "category", "arm")
        groups = ("window", "arm", "part_of")
        hides = (
            "estimate_usd",
            "lower",
            "upper",
            "units_per_member",
            "units_lower",
            "units_upper",
            "unit_price_usd",
            "unit_price_lower",
            "unit_price_upper",
        )


class Decomposition(Contract):
    """One row per category and factor: its part of the difference in total SUD cost per member, RSN less CSP.

    The navigator's cost is split into duration (engaged months), intensity (units a month) and price (paid per
    unit of the service log); every other SUD category into volume and price. The parts leave no residual.
    """

    category: str = Field("Service category.", isin=SUD_CATEGORIES)
    factor: str = Field(
        "duration, intensity or price; volume or price.", isin=("duration", "intensity", "price", "volume")
    )
    csp_value: float = Field("The factor in CSP.", nullable=True)
    rsn_value: float = Field("The factor in RSN.", nullable=True)
    unit: str = Field("Unit of the factor.")
    effect_usd: float = Field("Dollars per member of the difference that the factor explains.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    member_std_error: float = Field("Standard error, members drawn instead.", nullable=True)
    is_price_borrowed: bool = Field("One arm used no unit, so the other's price stands in.")
    persons: int = Field("Members of both arms.", persons=True)
    reason: str = Field("Why an effect or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("category", "factor")
        hides = ("csp_value", "rsn_value", "effect_usd", "lower", "upper", "member_std_error")


class BreakEven(Contract):
    """One row per question: the case rate, or the engagement, at which RSN costs what CSP costs."""

    quantity: str = Field("Which rate or duration.")
    perspective: str = Field("program: navigator cost only; payer: all SUD cost.", isin=("program", "payer"))
    unit: str = Field("Unit of the value.")
    value: float = Field("The break-even; null where there is none.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members of both arms.", persons=True)
    reason: str = Field("Why there is no break-even, or no limits.", nullable=True)

    class Config(Contract.Config):
        unique = ("quantity", "perspective")
        hides = ("value", "lower", "upper")


class Increments(Contract):
    """One row per cost: the extra dollars and the extra engagement of RSN over CSP, and dollars per extra month."""

    estimand: str = Field("program, other_sud, total_sud or tcoc.", isin=COSTS)
    difference_usd: float = Field("Dollars per member, RSN less CSP.", nullable=True)
    difference_lower: float = Field("Lower limit of the dollars, 95%, bootstrap of providers.", nullable=True)
    difference_upper: float = Field("Upper limit.", nullable=True)
    difference_months: float = Field(
        "Engaged months per member over all spells from discharge to the horizon, RSN less CSP: not the restricted "
        "mean of the first spell.",
        nullable=True,
    )
    months_lower: float = Field("Lower limit of the months, 95%, bootstrap of providers.", nullable=True)
    months_upper: float = Field("Upper limit.", nullable=True)
    quadrant: str = Field(
        "NE costs more and engages longer, NW costs more and shorter, SE, SW: a ratio is read only with it.",
        isin=QUADRANTS,
        nullable=True,
    )
    icer_usd: float = Field("Dollars per extra engaged month, all spells to the horizon.", nullable=True)
    lower: float = Field("Lower limit, 95%, Fieller.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members of both arms.", persons=True)
    reason: str = Field("Why a ratio or its limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand",)
        hides = (
            "difference_usd",
            "difference_lower",
            "difference_upper",
            "difference_months",
            "months_lower",
            "months_upper",
            "icer_usd",
            "lower",
            "upper",
        )


class NetBenefit(Contract):
    """One row per cost and value of an engaged month: that value times the extra months, less the extra dollars."""

    estimand: str = Field("program, other_sud, total_sud or tcoc.", isin=COSTS)
    month_value_usd: float = Field("What the payer would give for one more engaged month.")
    net_benefit_usd: float = Field("Dollars per member.", nullable=True)
    lower: float = Field("Lower limit, 95%, bootstrap of providers.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    positive_share: float = Field("Replicates with a positive net benefit: the acceptability curve.", nullable=True)
    persons: int = Field("Members of both arms.", persons=True)
    reason: str = Field("Why it is missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "month_value_usd")
        hides = ("net_benefit_usd", "lower", "upper", "positive_share")


WINDOW_TABLES = {
    "person_costs": PersonCosts,
    "client_intervals": ClientIntervals,
    "follow_up": FollowUp,
    "population_costs": PopulationCosts,
    "population_months": PopulationMonths,
    "outside_costs": OutsideCosts,
}
