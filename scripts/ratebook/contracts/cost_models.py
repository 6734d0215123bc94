"""Models of cost per member: both arms' means in dollars, adjusted for what was known at discharge, and their fit."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.cost import COSTS, ROWS

MODEL_METHODS = (
    "unadjusted",
    "one_part",
    "two_part",
    "overlap_weighted",
    "ols_log_smearing",
    "winsorised",
    "capped",
)
"""Unadjusted: simple Bang-Tsiatis means. One part: a regression of cost with a log link. Two part: the chance of any
cost by logit, times the size of it. Overlap weighted: the primary of the two, fitted with overlap weights, for persons
whom either arm might have had. OLS log smearing: regression of the logarithm, brought back by Duan's smearing in each
arm. Winsorised, capped: the primary, costs cut at a quantile or at the payer's yearly cap; sensitivity, never primary."""
CUTS = ("winsorised", "capped")
CHECKS = (
    "park",
    "log_kurtosis",
    "log_spread",
    "box_cox",
    "pregibon",
    "hosmer_lemeshow",
    "copas",
)
COST = "program, other_sud, total_sud or tcoc."
WHY_MISSING = "Why an estimate or its limits are missing."


class CostModels(Contract):
    """One row per cost, method and arm or their difference: dollars per member to the horizon, as if all were observed.

    Both arms' means are averages of what the model predicts for the same members (recycled predictions); no amount
    is an exponentiated coefficient. Those censored are stood for by those observed longer, weighed by the chance of
    observation in their arm; no model has an offset of months too. Providers are drawn with their members, within
    arm; propensity, censoring and both parts are fitted again in each replicate, the family is not chosen again.
    """

    estimand: str = Field(COST, isin=COSTS)
    method: str = Field(
        "unadjusted, one_part, two_part, overlap_weighted, ols_log_smearing, winsorised or capped.",
        isin=MODEL_METHODS,
    )
    arm: str = Field("RSN, CSP or difference (RSN less CSP).", isin=ROWS)
    is_primary: bool = Field("The cost's primary model.")
    chosen_because: str = Field("Which model is the primary one of this cost, and why.")
    parts: int = Field("Parts of the model; null without one.", nullable=True, ge=1, le=2)
    family: str = Field("Family of the size of cost; normal on the log scale; null without a model.", nullable=True)
    horizon_days: int = Field("Days from discharge, the day of discharge included.")
    exposure: str = Field("How censoring is met: always weights to the horizon, never an offset of months beside.")
    estimate_usd: float = Field("Dollars per member; of the difference, the average marginal effect.", nullable=True)
    std_error: float = Field("Standard error, bootstrap of providers.", nullable=True)
    lower: float = Field("Lower limit, 95%, by that error and Student's t, as in `total_cost`.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    percentile_lower: float = Field("Lower limit, 95%: percentile of the same replicates.", nullable=True)
    percentile_upper: float = Field("Upper limit, likewise.", nullable=True)
    bca_lower: float = Field("Lower limit, corrected for bias and acceleration (BCa).", nullable=True)
    bca_upper: float = Field("Upper limit, likewise.", nullable=True)
    member_std_error: float = Field(
        "Standard error, bootstrap of members; given where an arm has fewer than 20 providers.", nullable=True
    )
    member_lower: float = Field("Lower limit, 95%, bootstrap of members, percentiles.", nullable=True)
    member_upper: float = Field("Upper limit.", nullable=True)
    ratio: float = Field("RSN / CSP, of the two means; on the difference's row.", nullable=True)
    ratio_lower: float = Field("Lower limit of the ratio, 95%, bootstrap of providers.", nullable=True)
    ratio_upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members.", ge=0, persons=True)
    clusters: int = Field("Providers.", ge=0)
    reason: str = Field(WHY_MISSING, nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "method", "arm")
        hides = (
            "estimate_usd",
            "std_error",
            "lower",
            "upper",
            "percentile_lower",
            "percentile_upper",
            "bca_lower",
            "bca_upper",
            "member_std_error",
            "member_lower",
            "member_upper",
            "ratio",
            "ratio_lower",
            "ratio_upper",
            "chosen_because",
        )


class CostModelChecks(Contract):
    """One row per cost and check of its primary model: does the family hold, and is the logarithm the right link."""

    estimand: str = Field(COST, isin=COSTS)
    check: str = Field(
        "park (power of the mean the variance goes with), log_kurtosis and log_spread (residuals of the logarithm), "
        "box_cox (power of cost), pregibon (square of the linear predictor), hosmer_lemeshow (F of the mean residuals "
        "by tenth), copas (slope of cost on what the other half of the members predicts).",
        isin=CHECKS,
    )
    value: float = Field("The slope, kurtosis, power, coefficient or F.", nullable=True)
    lower: float = Field(
        "Lower limit, 95%, by provider (box_cox: by member); null where there is none.", nullable=True
    )
    upper: float = Field("Upper limit.", nullable=True)
    p_value: float = Field("P value; null where there is none.", nullable=True, ge=0, le=1)
    status: str = Field(
        "pass, warn, info (says how precise, not whether right) or na.", isin=("pass", "warn", "info", "na")
    )
    finding: str = Field("What it says, in words.")
    persons: int = Field("Members of both arms.", ge=0, persons=True)
    reason: str = Field("Why it could not be told.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "check")
        hides = ("value", "lower", "upper", "p_value", "finding")


class CostModelFit(Contract):
    """One row per cost and tenth of its primary model's predictions: is the mean residual nil there."""

    estimand: str = Field(COST, isin=COSTS)
    tenth: int = Field("1 the members of the lowest predictions; fewer than ten where predictions are alike.", ge=1)
    predicted_usd: float = Field("Mean prediction.", nullable=True)
    residual_usd: float = Field("Mean of cost less prediction.", nullable=True)
    std_error: float = Field("Its standard error, over members.", nullable=True)
    lower: float = Field("Lower limit, 95%.", nullable=True)
    upper: float = Field("Upper limit.", nullable=True)
    persons: int = Field("Members observed to the horizon.", ge=1, persons=True)
    reason: str = Field("Why limits are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "tenth")
        hides = ("predicted_usd", "residual_usd", "std_error", "lower", "upper")


class CostCoefficients(Contract):
    """One row per cost, part and column of its primary model: coefficients on the link's scale, which are not dollars.

    A coefficient is a log odds ratio (chance) or the logarithm of a ratio of means (size); what it makes in dollars
    depends on everything else, and stands in `cost_models` only.
    """

    estimand: str = Field(COST, isin=COSTS)
    part: str = Field("chance (of any cost) or size (of it).", isin=("chance", "size"))
    term: str = Field("Column of the model: constant, arm RSN, a covariate or its level.")
    scale: str = Field("Scale of the coefficient.", isin=("log odds", "log of the mean"))
    coefficient: float = Field("On the scale; numbers are per standard deviation. Not dollars.", nullable=True)
    std_error: float = Field("Standard error, bootstrap of providers.", nullable=True)
    persons: int = Field("Members of both arms; of a level, those who have it.", ge=0, persons=True)
    reason: str = Field("Why it or its standard error is missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "part", "term")
        hides = ("coefficient", "std_error")


class CostCuts(Contract):
    """One row per cost and sensitivity method that cuts costs: what the cut removed. The primary model cuts nothing."""

    estimand: str = Field(COST, isin=COSTS)
    method: str = Field("winsorised or capped.", isin=CUTS)
    cap_usd: float = Field(
        "Amount above which a member's cost to the horizon is cut; of a quantile rounded up to hundreds, so that it "
        "is nobody's cost.",
        nullable=True,
    )
    removed_usd: float = Field("Dollars the cut took from members observed to the horizon.", nullable=True)
    removed_share: float = Field("Share of their dollars.", nullable=True, ge=0, le=1)
    persons: int = Field("Members whose cost was cut.", ge=0, persons=True)
    reason: str = Field("Why nothing was cut.", nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "method")
        hides = ("removed_usd", "removed_share")


MODEL_TABLES = {
    "cost_models": CostModels,
    "cost_model_checks": CostModelChecks,
    "cost_model_fit": CostModelFit,
    "cost_coefficients": CostCoefficients,
    "cost_cuts": CostCuts,
}
