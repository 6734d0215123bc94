"""Risk sharing around a capitation: pooling of large amounts, and what a plan keeps at each ratio of cost to target."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field, Usd


class MemberYearExcess(Contract):
    """One row per rate cell: what its members cost in a year of the base beyond the attachment point (methods.md E9)."""

    cell: str = Field("Rate cell.")
    pool: str = Field("Cells that share the excess: the values of rates.pool_columns.")
    member_years: int = Field("Persons and years of the base with a counted month in the cell.", persons=True)
    member_months: float = Field("Base member months.")
    paid_usd: Usd = Field("Base cost.")
    members_beyond: int = Field("Persons and years whose cost passed the attachment point.", persons=True)
    excess_usd: Usd = Field("Coinsurance share of what they cost beyond it; of a person in two cells, by cost.")

    class Config(Contract.Config):
        unique = ("cell",)
        hides = ("member_months", "paid_usd", "excess_usd")


class Pooling(Contract):
    """One row per rate cell: its excess taken out of the base and its pool's charge put in; a pool's total stays.

    What few cost beyond the attachment point is hidden, with the charge it makes and cells of the pool to hide behind.

    pooled_usd = paid_usd - excess_usd + charge_usd. The charges of a pool's cells add up to its excess, to the cent.
    """

    cell: str = Field("Rate cell.")
    pool: str = Field("Cells that share the excess.")
    member_years: int = Field("Persons and years of the base in the cell.", persons=True)
    members_beyond: int = Field("Persons and years whose cost passed the attachment point.", persons=True)
    pool_members_beyond: int = Field("Those of all cells of the pool.", persons=True)
    member_months: float = Field("Base member months.")
    attachment_usd: float = Field("Cost of a member year beyond which the pool pays.")
    coinsurance_share: float = Field("Share of the excess the pool pays.")
    paid_usd: float = Field("Base cost.")
    excess_usd: float = Field("Taken out.")
    charge_pmpm_usd: float = Field("Pool's excess per member month of the pool; null without exposure.", nullable=True)
    charge_usd: float = Field("Put in: the charge times the cell's member months, in whole cents.")
    pooled_usd: float = Field("Base cost after pooling.")
    f_pooling: float = Field("Pooled / paid: the factor of the build-up; 1 where nothing was paid.")
    reason: str = Field("Why no amount has an interval here, and where its error is counted.")

    class Config(Contract.Config):
        unique = ("cell",)
        groups = ("pool",)
        hides = (
            "member_months",
            "paid_usd",
            "excess_usd",
            "charge_pmpm_usd",
            "charge_usd",
            "pooled_usd",
            "f_pooling",
        )


class RiskSharing(Contract):
    """One row per plan and ratio of actual cost to target: what moves between state and plan in a year like the base.

    state_pays_usd = premium - unearned withhold + corridor - remittance; plan_result_usd = state_pays - claims - care
    management - administration - taxes. What one side gains by the corridor and the remittance, the other pays.
    """

    plan: str = Field("Plan.")
    actual_to_target: float = Field("Actual claims / claims the rate pays for.")
    member_months: float = Field("Base member months of rated cells.")
    premium_usd: float = Field("Member months times rates.")
    target_usd: float = Field("Claims the rates pay for: their benefit part.")
    claims_usd: float = Field("Actual claims: ratio times target.")
    care_management_usd: float = Field("Care management: counts in the loss ratio's numerator.")
    admin_usd: float = Field("Administration.")
    tax_usd: float = Field("Taxes and fees: leave the loss ratio's denominator.")
    unearned_usd: float = Field("Withheld and not earned back.")
    corridor_usd: float = Field("Risk corridor: paid by the state to the plan; negative: paid back.")
    mlr: float = Field("(Claims + care management) / (premium - unearned + corridor - taxes).", nullable=True)
    mlr_credibility: float = Field(
        "Added to the loss ratio for few member months; null below the table.", nullable=True
    )
    adjusted_mlr: float = Field(
        "Loss ratio with the adjustment; null where the plan is too small to say.", nullable=True
    )
    remittance_usd: float = Field("Paid back where the adjusted loss ratio falls short of rates.min_mlr.")
    state_pays_usd: float = Field("What the state pays in all.")
    plan_result_usd: float = Field("What the plan is left with.")
    reason: str = Field("Why the amounts have no interval, or the loss ratio is not judged.")

    class Config(Contract.Config):
        unique = ("plan", "actual_to_target")
