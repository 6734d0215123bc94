"""Rates: base experience, completion, trend, and the build-up of every cell."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Quantity, Usd

COMPLETION_METHODS = ("chainladder", "bornhuetter_ferguson", "flat", "none")
TREND_SOURCES = ("experience", "floor", "cap", "assumption")
REASON = "Why an estimate or its interval is missing or replaced; null where both stand."


class BaseExperience(Contract):
    """One row per rate cell, plan, category and month of the study: cost and use beside the exposure they belong to."""

    cell: str = Field("Rate cell: the values of rates.cell_columns; thin cells are their pool's 'all other'.")
    pool: str = Field("Cells that are drawn to each other: the values of rates.pool_columns.")
    plan: str = Field("Plan; 'ffs' where none.")
    category: str = Field("Service category, as rates.category_groups groups them.")
    service_month: dt.date = Field("First day of the month of service.")
    members: int = Field("Persons with a counted month.", persons=True)
    member_months: float = Field("Member months by exposure.mm_rule; the same for every category.", ge=0)
    paid_usd: Usd = Field("Cost of final-action lines by month of first service, not completed.")
    units: Quantity = Field("Units of those lines, each code's own kind.")
    claim_lines: int = Field("Those lines, counted.", ge=0)

    class Config(Contract.Config):
        unique = ("cell", "plan", "category", "service_month")
        hides = ("member_months", "paid_usd", "units", "claim_lines")


class CellMoments(Contract):
    """One row per rate cell: sums over its members of base months and dollars, their squares and product."""

    cell: str = Field("Rate cell.")
    members: int = Field("Persons with a counted base month.", persons=True)
    member_months: float = Field("Base member months.", ge=0)
    paid_usd: Usd = Field("Base cost.")
    months_squared: float = Field("Sum of members' squared months.")
    paid_squared: float = Field("Sum of members' squared dollars.")
    paid_months: float = Field("Sum of members' dollars times months.")

    class Config(Contract.Config):
        unique = ("cell",)


class BaseExclusions(Contract):
    """One row per reason a member month or dollar of the base period is in the base, or is not."""

    status: str = Field(
        "included, retroactive, excluded_dual, imd (a long stay in an institution for mental diseases), not_counted, "
        "not_covered or no_eligibility.",
        isin=("included", "retroactive", "excluded_dual", "imd", "not_counted", "not_covered", "no_eligibility"),
    )
    member_months: float = Field("Member months.", ge=0)
    imd_member_months: float = Field("Of these, with a longer stay in an IMD than capitation may cover.", ge=0)
    paid_usd: Usd = Field("Cost of final-action lines.")

    class Config(Contract.Config):
        unique = ("status",)


class Triangles(Contract):
    """One row per category, month of service and lag to payment: signed dollars of the cash ledger."""

    category: str = Field("Service category, as rates.category_groups groups them.")
    incurred_month: dt.date = Field("First day of the month of service.")
    lag_months: int = Field("Months from service to payment.", ge=0)
    paid_usd: Usd = Field("Dollars paid less dollars taken back, at this lag alone.")

    class Config(Contract.Config):
        unique = ("category", "incurred_month", "lag_months")


class Completion(Contract):
    """One row per category and lag: how complete a month is so many months after it (methods.md E2)."""

    category: str = Field("Service category, as rates.category_groups groups them.")
    lag_months: int = Field("Months from service to payment.", ge=0)
    link_factor: float = Field("Paid through the next lag / paid through this one; null at the last.", nullable=True)
    factor_to_ultimate: float = Field("Product of the links from here on.", nullable=True)
    completion_factor: float = Field("Share of the ultimate cost paid by this lag.", nullable=True)
    lower: float = Field("95% limit of the completion factor, by Mack's error of the links.", nullable=True)
    upper: float = Field("95% limit of the completion factor.", nullable=True)
    volume_factor: float = Field("The factor by volume-weighted links.", nullable=True)
    simple_factor: float = Field("The factor by simple means of the months' links.", nullable=True)
    middle_factor: float = Field("Alike, each lag's highest and lowest link left out.", nullable=True)
    method: str = Field("chainladder, flat or none.", isin=COMPLETION_METHODS)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("category", "lag_months")


class Ultimates(Contract):
    """One row per category and month of service: paid so far, and what it will be (methods.md E2)."""

    category: str = Field("Service category, as rates.category_groups groups them.")
    incurred_month: dt.date = Field("First day of the month of service.")
    lag_months: int = Field("Latest lag seen.", ge=0)
    paid_usd: float = Field("Paid so far.")
    completion_factor: float = Field("Share paid by this lag.")
    ultimate_usd: float = Field("Expected cost once all is paid.")
    ibnr_usd: float = Field("Ultimate less paid: incurred but not paid.")
    std_error_usd: float = Field("Mack's standard error of the ultimate.", ge=0)
    lower: float = Field("95% limit of the ultimate, dollars.")
    upper: float = Field("95% limit of the ultimate, dollars.")
    method: str = Field("chainladder or bornhuetter_ferguson.", isin=COMPLETION_METHODS)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("category", "incurred_month")


class BaseCompletion(Contract):
    """One row per category: how complete the whole base period is."""

    category: str = Field("Service category, as rates.category_groups groups them.")
    paid_usd: float = Field("Paid so far for the base period, by the ledger.", nullable=True)
    ultimate_usd: float = Field("Expected cost of the base period.", nullable=True)
    std_error_usd: float = Field("Standard error of the ultimate, months moving together.", nullable=True)
    completion_factor: float = Field("Paid / ultimate.", nullable=True)
    lower: float = Field("95% limit of the completion factor.", nullable=True)
    upper: float = Field("95% limit of the completion factor.", nullable=True)
    method: str = Field("chainladder, bornhuetter_ferguson or none.", isin=COMPLETION_METHODS)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("category",)


class Trend(Contract):
    """One row per category and component: the annual trend used, and what experience showed (methods.md E3)."""

    category: str = Field("Service category, as rates.category_groups groups them.")
    component: str = Field(
        "utilisation, unit_cost, or pmpm: their compound.", isin=("utilisation", "unit_cost", "pmpm")
    )
    annual_trend: float = Field("Trend used, a share a year.")
    fitted_trend: float = Field("Trend of the fit, before limits; null where none could be fitted.", nullable=True)
    std_error: float = Field("Standard error of the logarithm of the annual trend used.", nullable=True, ge=0)
    lower: float = Field("95% limit of the trend used; of the fit, unheld, where floor or cap is used.", nullable=True)
    upper: float = Field("95% limit, alike.", nullable=True)
    months: int = Field("Completed months the fit used.", ge=0)
    fitted_lower: float = Field("95% limit of the fit; null where none could be fitted.", nullable=True)
    fitted_upper: float = Field("95% limit of the fit.", nullable=True)
    source: str = Field(
        "experience; floor or cap: what a fit beyond them is held to; assumption. Of pmpm the weakest of its parts.",
        isin=TREND_SOURCES,
    )
    benchmark_trend: float = Field("Of pmpm: rates.trend.benchmarks, a share a year.", nullable=True)
    from_benchmark: float = Field("Trend of the fit less the benchmark.", nullable=True)
    benchmark_source: str = Field("Where the benchmark comes from.", nullable=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("category", "component")


class RateBuild(Contract):
    """One row per rate cell and category: base dollars carried to the rating period, every factor a column.

    projected_pmpm_usd = base_usd / member_months / completion_factor * f_missing * f_pooling * f_base_changes * f_trend
    * f_program * f_managed_care, with f_trend = ((1 + trend_utilisation) * (1 + trend_unit_cost)) ^ (trend_months / 12).
    Nothing is rounded on the way.
    """

    cell: str = Field("Rate cell.")
    category: str = Field("Service category, as rates.category_groups groups them.")
    members: int = Field("Persons with a counted base month.", persons=True)
    member_months: float = Field("Base member months.")
    base_usd: Usd = Field("Base cost, net of other insurance, as paid so far.")
    units: Quantity = Field("Base units, each code's own kind.")
    paid_pmpm_usd: float = Field("Base cost per member month.")
    completion_factor: float = Field("Share of the base paid so far; 1 where it could not be measured.")
    completed_pmpm_usd: float = Field("Paid per member month / completion factor.")
    f_missing: float = Field("What claims do not hold: encounters not reported, settlements, rebates.", ge=0)
    f_pooling: float = Field("Large amounts shared by the pool: the cell's, the same for all of its categories.")
    f_base_changes: float = Field("Changes within the base, brought to the level of its last day.", ge=0)
    trend_utilisation: float = Field("Annual trend of units per member.")
    trend_unit_cost: float = Field("Annual trend of cost per unit.")
    trend_months: float = Field("Months from the middle of the base to the middle of the rating period.")
    f_trend: float = Field("Trend over those months.")
    f_program: float = Field("Program changes.")
    f_managed_care: float = Field("Managed-care adjustment.")
    projected_pmpm_usd: float = Field("Cost per member month in the rating period.")
    rationale_completion: str = Field("Where the completion factor comes from.")
    rationale_missing: str = Field("Why something is, or is not, missing.")
    rationale_pooling: str = Field("Whether the pool had anything to share.")
    rationale_base_changes: str = Field("Why the changes within the base are what they are.")
    rationale_trend: str = Field("Where the trends come from.")
    rationale_program: str = Field("Why the program changes are what they are.")
    rationale_managed_care: str = Field("Why the managed-care adjustment is what it is.")
    reason: str = Field("Why no factor has an interval here, and where its error is counted.")

    class Config(Contract.Config):
        unique = ("cell", "category")
        hides = (
            "member_months",
            "base_usd",
            "units",
            "paid_pmpm_usd",
            "completed_pmpm_usd",
            "projected_pmpm_usd",
        )


class Rates(Contract):
    """One row per rate cell: from projected cost to a rate; null where neither the cell nor its pool had any cost.

    tpl_pmpm = projected * f_tpl; blended = (z * tpl_pmpm + (1 - z) * manual) * f_neutral;
    rate = (blended + fixed) / (1 - admin - margin - tax) * f_smoothing, rounded to the cent at the end and only there.
    """

    cell: str = Field("Rate cell.")
    pool: str = Field("Cells that are drawn to each other: the values of rates.pool_columns.")
    plan: str = Field("Plan with most member months of the cell.")
    members: int = Field("Persons with a counted base month.", persons=True)
    member_months: float = Field("Base member months.")
    projected_pmpm_usd: float = Field("Sum of the categories' projected cost.")
    f_tpl: float = Field("Share left after other insurance; 1 where the base is net of it already.")
    tpl_pmpm_usd: float = Field("Projected cost after other insurance.")
    credibility_z: float = Field("Credibility of the cell's own experience.", ge=0, le=1)
    manual_pmpm_usd: float = Field("Manual rate per member month before loads.")
    manual_source: str = Field("external: from the settings; pooled: the pool's cells together.")
    f_neutral: float = Field("Keeps the pool's total when cells are drawn to their pool; 1 for external manual rates.")
    blended_pmpm_usd: float = Field("Credibility-weighted cost.")
    fixed_pmpm_usd: float = Field("Fixed care management.")
    admin_share: float = Field("Administration, share of the rate.")
    margin_share: float = Field("Margin, share of the rate.")
    tax_share: float = Field("Taxes and fees, share of the rate.")
    f_smoothing: float = Field("Smoothing along ages, neutral within the pool; the last factor.")
    rate_usd: Usd = Field("Rate per member month, rounded to the cent.", nullable=True)
    lower: float = Field("95% limit of the rate, dollars.", nullable=True)
    upper: float = Field("95% limit of the rate, dollars.", nullable=True)
    se_process_usd: float = Field("Standard error of the blended cost from chance among members.", nullable=True)
    se_completion_usd: float = Field("Standard error of the blended cost from completion.")
    se_trend_usd: float = Field("Standard error of the blended cost from trend.")
    benefit_usd: float = Field("Rate's part for services: blended cost, smoothed with the rate.")
    admin_usd: float = Field("Rate's part for administration.")
    margin_usd: float = Field("Rate's part for margin.")
    tax_usd: float = Field("Rate's part for taxes and fees.")
    projected_mlr: float = Field("(Blended cost + care management) / (rate less taxes).", nullable=True)
    is_mlr_met: bool = Field("Projected loss ratio is at least rates.min_mlr.", nullable=True)
    range_upper_usd: float = Field("Highest rate of a certified range whose lower end is this rate (5% above).")
    band_low_usd: float = Field("Lowest rate without a new certification (1.5% below).")
    band_high_usd: float = Field("Highest rate without a new certification (1.5% above).")
    withhold_usd: float = Field("Withheld per member month.", nullable=True)
    rate_after_withhold_usd: float = Field(
        "Rate net of the withheld part a plan cannot expect to earn.", nullable=True
    )
    is_withhold_sound: bool = Field(
        "That rate still covers services, care management, administration and taxes, or there is no rate."
    )
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("cell",)
        hides = (
            "member_months",
            "projected_pmpm_usd",
            "tpl_pmpm_usd",
            "blended_pmpm_usd",
            "benefit_usd",
            "rate_usd",
            "lower",
            "upper",
            "se_process_usd",
            "se_completion_usd",
            "se_trend_usd",
            "admin_usd",
            "margin_usd",
            "tax_usd",
            "projected_mlr",
            "range_upper_usd",
            "band_low_usd",
            "band_high_usd",
            "withhold_usd",
            "rate_after_withhold_usd",
        )
        groups = (("pool",), ("plan",))


class Relativities(Contract):
    """One row per rate cell: its rate beside its pool's, smoothed along the age bands of its otherwise equal cells.

    f_smoothing = neutral_factor * smoothed_relativity / relativity. Member months times rates add up to the same over
    the smoothed cells of a pool. A cell without a neighbour keeps its relativity (methods.md E8).
    """

    cell: str = Field("Rate cell.")
    pool: str = Field("Cells whose total stays.")
    members: int = Field("Persons with a counted base month.", persons=True)
    member_months: float = Field("Base member months: the weight of the cell.")
    loaded_usd: float = Field("Rate after credibility and loads, before smoothing and rounding.")
    relativity: float = Field("That over the pool's mean by member months; null without cost.", nullable=True)
    neighbours: int = Field("Cells of the next younger and the next older band, all else equal.", ge=0, le=2)
    penalty_member_months: float = Field(
        "Weight of the difference of neighbours; null without a neighbour.", nullable=True
    )
    smoothed_relativity: float = Field("Relativity smoothed; its own without a neighbour.", nullable=True, ge=0)
    neutral_factor: float = Field("Keeps the total of the pool's smoothed cells.")
    f_smoothing: float = Field("The factor of the rate.")
    reason: str = Field("Why no relativity has an interval here, and where its error is counted.")

    class Config(Contract.Config):
        unique = ("cell",)
        hides = ("member_months", "loaded_usd", "relativity", "smoothed_relativity")


class Credibility(Contract):
    """One row per rate cell: how far its experience may be believed, by two methods (methods.md E6)."""

    cell: str = Field("Rate cell.")
    members: int = Field("Persons with a counted base month.", persons=True)
    member_months: float = Field("Base member months.")
    paid_pmpm_usd: float = Field("Base cost per member month.")
    lower: float = Field("95% limit of the base cost per member month.", nullable=True)
    upper: float = Field("95% limit of the base cost per member month.", nullable=True)
    std_error_usd: float = Field("Standard error of that, members taken as clusters of months.", nullable=True)
    cv_member_month: float = Field("Coefficient of variation of one member month, clustering included.", nullable=True)
    full_standard_member_months: float = Field("Member months at which the cell is fully credible.", nullable=True)
    limited_fluctuation_z: float = Field("Square-root rule.", ge=0, le=1)
    buhlmann_straub_z: float = Field("Bühlmann-Straub among the pool's cells, months as periods.", ge=0, le=1)
    credibility_z: float = Field("The one in force, by rates.credibility.method.", ge=0, le=1)
    reason: str = Field("Why the weights have no interval, and why a cell's cost has none where it has none.")

    class Config(Contract.Config):
        unique = ("cell",)
        hides = (
            "member_months",
            "paid_pmpm_usd",
            "lower",
            "upper",
            "std_error_usd",
            "cv_member_month",
            "full_standard_member_months",
        )


class PlanRates(Contract):
    """One row per rate cell and plan: the cell's rate, adjusted for the plan's risk, and neutral in total."""

    cell: str = Field("Rate cell.")
    plan: str = Field("Plan.")
    member_months: float = Field("Base member months.")
    risk_score: float = Field("Mean score of the plan's members; 1 where none is given.")
    normalised_score: float = Field("Score over the cell's exposure-weighted mean.")
    plan_rate_usd: float = Field("Cell's rate times the normalised score, unrounded.", nullable=True)
    lower: float = Field(
        "95% limit of the cell's rate times the normalised score; scores are taken as known.", nullable=True
    )
    upper: float = Field("95% limit, alike.", nullable=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("cell", "plan")


class Corridor(Contract):
    """One row per ratio of actual cost to target: who carries the deviation (methods.md E9)."""

    actual_to_target: float = Field("Actual cost / target.")
    state_share_of_target: float = Field("Paid by the state to the plan, share of the target; negative: paid back.")
    plan_share_of_target: float = Field("Carried by the plan, share of the target; negative: kept.")

    class Config(Contract.Config):
        unique = ("actual_to_target",)


class Assumptions(Contract):
    """One row per number of this stage that is not counted from the data."""

    key: str = Field("Where it stands in config.yaml.")
    value: str = Field("Value, as written.")
    unit: str = Field("Unit.")
    assumption_source: str = Field("Where it comes from.")
    is_placeholder: bool = Field("A stand-in for demonstration: to be replaced before a rate is used.")

    class Config(Contract.Config):
        unique = ("key",)
