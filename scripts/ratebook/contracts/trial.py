"""The target trial emulated here: its protocol, who was dropped or censored and why, weights, and the wait to contact."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.engagement import CONTRAST, REASON
from ratebook.contracts.episodes import ARMS

ELEMENTS = (
    "eligibility",
    "strategies",
    "assignment",
    "time_zero",
    "outcomes",
    "follow_up",
    "contrasts",
    "analysis",
    "sensitivity",
)
FATES = {
    "kept": "in the analysis",
    "mixed_site": "in the analysis; the site refers to both programs",
    "never_met": "no contact within the days of assignment",
    "unknown_site": "the site referred nobody to either program",
    "died": "died before the landmark",
    "unobserved": "coverage or data ended before the landmark",
    "readmitted": "in detoxification again by the landmark",
    "met_later": "first contact after the landmark",
    "started": "clone kept: its own program came first, within grace",
    "other_program": "clone censored: the other program came first",
    "readmitted_first": "clone kept: in detoxification again within grace, before any start",
    "not_started": "clone censored: grace ended without a start",
    "ended": "clone kept: life or observation ended within grace, no deviation seen",
}
"""What becomes of a cohort member in an analysis."""


class Protocol(Contract):
    """One row per element of the target trial: as it would be run, and as it is emulated (methods.md B9)."""

    place: int = Field("Order of the element.", ge=1)
    element: str = Field("Element of the protocol.", isin=ELEMENTS)
    target_trial: str = Field("The element in the trial one would run.")
    emulation: str = Field("How the data stand in for it, with the settings in force.")
    settings: str = Field("Settings of config.yaml, or tables, that decide it.")

    class Config(Contract.Config):
        unique = ("place",)


class TrialFlow(Contract):
    """One row per method, arm and fate: the cohort's members an analysis keeps, drops or censors, and why."""

    method: str = Field("As in `trial`: naive, landmark_… (days), by_site, clone_censor_weight_… (days of grace).")
    arm: str = Field(
        "Program first met, or none; of by_site the site's. Of clones the strategy: every member is in both.",
        isin=(*ARMS, "none"),
    )
    fate: str = Field("What becomes of them.", isin=tuple(FATES))
    description: str = Field("The fate in words.")
    is_kept: bool = Field("In the analysis to its end.")
    persons: int = Field("Persons.", ge=1, persons=True)

    class Config(Contract.Config):
        unique = ("method", "arm", "fate")


class TrialWeights(Contract):
    """One row per method, arm and day of grace, and one for the days after: the weights of uncensored clones."""

    method: str = Field("clone_censor_weight_… (days of grace).")
    arm: str = Field("Strategy.", isin=ARMS)
    day: int = Field("Days since discharge; the last stands for all days after grace.", ge=0)
    persons: int = Field("Clones uncensored, alive and covered on the day.", ge=0, persons=True)
    uncensored_share: float = Field(
        "Share not yet censored for deviating, whatever the covariates: the numerator that stabilises the weights.",
        nullable=True,
        ge=0,
        le=1,
    )
    mean_weight: float = Field("Mean stabilised weight: about 1.", nullable=True, ge=0)
    low_weight: float = Field("1st percentile of the stabilised weights.", nullable=True, ge=0)
    high_weight: float = Field("99th percentile of the stabilised weights.", nullable=True, ge=0)
    largest_weight: float = Field("Largest stabilised weight.", nullable=True, ge=0)
    effective_persons: float = Field("(Σw)² / Σw² of the weights.", nullable=True, ge=0)
    reason: str = Field("Why the weights are missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("method", "arm", "day")
        hides = (
            "uncensored_share", "mean_weight", "low_weight", "high_weight", "largest_weight", "effective_persons",
        )  # fmt: skip


class FirstContactWait(Contract):
    """One row per arm and the arms' difference: the days in which nothing may happen to those who reach a contact."""

    arm: str = Field("RSN, CSP or 'RSN vs CSP'.", isin=(*ARMS, CONTRAST))
    persons: int = Field("Persons with a first contact; of the smaller arm for the difference.", ge=0, persons=True)
    median_days: float = Field("Median days from discharge to the first contact; their difference.", nullable=True)
    std_error: float = Field("Standard error, `error_unit` resampled.", nullable=True, ge=0)
    lower: float = Field("Lower 95% limit.", nullable=True)
    upper: float = Field("Upper 95% limit.", nullable=True)
    error_units: int = Field("Providers or persons resampled.", ge=0)
    error_unit: str = Field("provider, or person where an arm has fewer than two providers.")
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm",)
        hides = ("median_days", "std_error", "lower", "upper")
