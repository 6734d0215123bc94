"""Designs compared: every program's method on the same people, its risk, its incentives, and published amounts beside it."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.programs import Estimate


class Design(Estimate):
    """One way to pay: a program's method in one state, area and era."""

    program: str = Field("Program.")
    state: str = Field("State.")
    area: str = Field("Service area; 'all' where the state is one.")
    era: str = Field("Years the method held; 'all' where there is one method.")


class ProgramComparison(Design):
    """One row per design and scenario, all on the same people (`programs.common_population`).

    The estimate is `state_saving_pmpm_usd`: fee-for-service cost less capitation less what the State still pays.
    """

    scenario: str = Field("as_is: care as under fee-for-service; response: some facility days become days at home.")
    name: str = Field("Its name in full.")
    persons: int = Field("Persons of the common population the program would enrol.", ge=0, persons=True)
    member_months: int = Field("Their member months in cells with a rate: what every amount is of.", ge=0)
    unpriced_share: float = Field("Share of their months in cells without a rate.", nullable=True, ge=0, le=1)
    avoided_share: float = Field("Share of facility days avoided under the scenario.")
    rate_pmpm_usd: float = Field("Capitation: cell rates, weighted by their member months.", nullable=True)
    plan_cost_pmpm_usd: float = Field("Expected cost of what the plan must pay.", nullable=True)
    plan_margin_pmpm_usd: float = Field("Rate less the plan's expected cost.", nullable=True)
    margin_lower: float = Field("Lower 95 percent limit of the plan's margin.", nullable=True)
    margin_upper: float = Field("Upper 95 percent limit of the plan's margin.", nullable=True)
    state_ffs_pmpm_usd: float = Field("What the State pays today for the same services.", nullable=True)
    state_remainder_pmpm_usd: float = Field("Facility days the State still pays beside the rate.", nullable=True)
    state_saving_pmpm_usd: float = Field("Fee-for-service less rate less remainder.", nullable=True)
    plan_nf_day_share: float = Field("Share of facility days the plan pays.", nullable=True, ge=0, le=1)
    nf_risk: str = Field("Who bears the risk of facility care, in words.")
    medicare: str = Field("inside: the plan is paid for Medicare's services too; outside: for Medicaid's alone.")

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "scenario")
        hides = (
            "rate_pmpm_usd",
            "plan_cost_pmpm_usd",
            "plan_margin_pmpm_usd",
            "margin_lower",
            "margin_upper",
            "state_ffs_pmpm_usd",
            "state_remainder_pmpm_usd",
            "state_saving_pmpm_usd",
            "plan_nf_day_share",
            "unpriced_share",
            "member_months",
            "lower",
            "upper",
        )


class PlanRisk(Design):
    """One row per design, scenario and size of plan: how its year ends. The estimate is `loss_probability`."""

    scenario: str = Field(
        "as_is or response, as in `program_comparison`; levelled: all rates moved so that every design keeps the share of "
        "cost `programs.levelled_margin_share`."
    )
    plan_members: int = Field("Members enrolled all year.", ge=1)
    persons: int = Field("Persons of the common population behind the spread.", ge=0, persons=True)
    margin_pmpm_usd: float = Field("Expected margin.", nullable=True)
    sd_pmpm_usd: float = Field(
        "Standard deviation of the plan's margin per member month over one year.", nullable=True
    )
    safety_margin_pmpm_usd: float = Field(
        "What must be paid above the expected cost for the plan to lose in one year of twenty.", nullable=True
    )
    loss_probability: float = Field("Chance that the year ends with a loss.", nullable=True, ge=0, le=1)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "scenario", "plan_members")
        hides = ("margin_pmpm_usd", "sd_pmpm_usd", "safety_margin_pmpm_usd", "loss_probability", "lower", "upper")


class ProgramIncentives(Design):
    """One row per design and incentive: what it pays a plan for. The estimate is `estimate_usd`."""

    incentive: str = Field(
        "nf_day_avoided, member_moved, low_cost_half, medicare_shift or mix_point; see docs/method.md."
    )
    unit: str = Field("Unit of the estimate.")
    persons: int = Field("Persons of the common population.", ge=0, persons=True)
    estimate_usd: float = Field("What the plan gains.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "incentive")
        hides = ("estimate_usd", "lower", "upper")


class MixSensitivity(Design):
    """One row per blended design and weight of its first comparison group. The estimate is `rate_pmpm_usd`."""

    comparison_group: str = Field("The group whose weight is varied; the others keep their proportions.")
    group_share: float = Field("Its weight.", nullable=True)
    is_current: bool = Field(
        "The design's own rate, at the mean of its cells' weights; else every cell has the weight."
    )
    persons: int = Field("Persons of the common population.", ge=0, persons=True)
    rate_pmpm_usd: float = Field("Rate at that weight.", nullable=True)

    class Config(Contract.Config):
        hides = ("group_share", "rate_pmpm_usd", "lower", "upper")


class BuyIn(Design):
    """One row per design that sells its rate, and cost of buyers. The estimate is `break_even_share`."""

    cost_ratio: float = Field("What a buyer costs, as a multiple of a member.")
    persons: int = Field("Persons of the cells whose rate is sold.", ge=0, persons=True)
    rate_pmpm_usd: float = Field("The rate they pay.", nullable=True)
    member_cost_pmpm_usd: float = Field("What a member of these cells costs the plan.", nullable=True)
    buyer_cost_pmpm_usd: float = Field("What a buyer would cost.", nullable=True)
    break_even_share: float = Field("Share of buyers at which the plan's margin is gone.", nullable=True, ge=0, le=1)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "cost_ratio")
        hides = (
            "rate_pmpm_usd", "member_cost_pmpm_usd", "buyer_cost_pmpm_usd", "break_even_share", "lower", "upper",
        )  # fmt: skip


class CappedBenefits(Estimate):
    """One row per capped benefit and year of enrolment. The estimate is `premium_pmpm_usd`."""

    program: str = Field("Program.")
    benefit_year: int = Field("Year of enrolment, from 1; the waiting period lies in the first.", ge=1)
    persons: int = Field("Persons the benefit is for.", ge=0, persons=True)
    member_months: int = Field("Their member months.", ge=0)
    use_pmpm_usd: float = Field("Use of the benefit's services.", nullable=True)
    paid_pmpm_usd: float = Field("Paid, after the wait and below both caps.", nullable=True)
    at_year_cap_share: float = Field("Share of persons who reach the year's cap.", nullable=True, ge=0, le=1)
    at_lifetime_cap_share: float = Field(
        "Share of persons who have reached the cap for life.", nullable=True, ge=0, le=1
    )
    premium_pmpm_usd: float = Field("Loaded premium that pays for the year.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "benefit_year")
        groups = ("program",)
        overlaps = True
        hides = (
            "use_pmpm_usd", "paid_pmpm_usd", "at_year_cap_share", "at_lifetime_cap_share", "premium_pmpm_usd", "lower",
            "upper", "member_months", "reason",
        )  # fmt: skip


class RateScales(Design):
    """One row per published amount: our rate for the same cells beside it. The estimate is `ratio_to_published`."""

    item: str = Field("Cells the amount is of; 'rate' where there is one, 'average' of all.")
    persons: int = Field("Persons of these cells.", ge=0, persons=True)
    rate_usd: float = Field("Our rate, cells weighted by their member months.", nullable=True)
    published_low_usd: float = Field("Published, lowest; not from these data.")
    published_high_usd: float = Field("Published, highest; not from these data.")
    ratio_to_published: float = Field(
        "Our rate over the nearer end of the published range; 1 within it.", nullable=True
    )
    is_same_order: bool = Field("Between a tenth and ten times the published range.", nullable=True)
    left_out_pmpm_usd: float = Field(
        "What these people use that the rate does not pay for, in whole dollars.", nullable=True
    )
    leaves_out: str = Field("The services that are most of it.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "item")
        hides = (
            "rate_usd",
            "ratio_to_published",
            "is_same_order",
            "left_out_pmpm_usd",
            "leaves_out",
            "lower",
            "upper",
        )


class RateOrders(Design):
    """One row per two published amounts of one design: do ours lie in the same order? The estimate is `difference_usd`."""

    dearer: str = Field("Cells of the higher published amount.")
    cheaper: str = Field("Cells of the lower one.")
    persons: int = Field("Persons of the smaller of both.", ge=0, persons=True)
    published_difference_usd: float = Field("Difference of the middles of the published ranges.")
    difference_usd: float = Field("Difference of our rates.", nullable=True)
    verdict: str = Field("kept, reversed, not told (the interval holds 0) or unknown.")
    why: str = Field("Where the order is not kept: what the rates leave out.", nullable=True)

    class Config(Contract.Config):
        unique = ("program", "state", "area", "era", "dearer", "cheaper")
        hides = ("difference_usd", "verdict", "why", "lower", "upper")
