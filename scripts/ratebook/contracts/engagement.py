"""How long clients stay engaged: curves, estimands, models, weights, and what navigators' time went into."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field, Usd
from ratebook.contracts.episodes import ARMS

CONTRAST = "RSN vs CSP"
CLOCKS = ("contact", "admin", "floor")
FEWEST = (
    "Of a share, those of whom it is true or those of whom it is not, whichever are fewer and somebody, in either arm; "
    "null where the estimate is no share."
)
REASON = "Why the estimate or its interval is missing; null where both stand."


class Survival(Contract):
    """One row per arm and day: share of first spells still running, counted from the first contact."""

    arm: str = Field("Arm.", isin=ARMS)
    day: int = Field("Days since the first contact.", ge=0)
    at_risk: int = Field("Persons whose spell is longer than this or ends on this day.", ge=0, persons=True)
    ended: int = Field("Persons whose spell was seen to end by this day.", ge=0, persons=True)
    is_horizon: bool = Field("One of the horizons to which estimates are given.")
    survival: float = Field("Kaplan-Meier share still engaged after this day.", nullable=True, ge=0, le=1)
    lower: float = Field("Lower 95% limit, log-log scale, providers resampled.", nullable=True, ge=0, le=1)
    upper: float = Field("Upper 95% limit.", nullable=True, ge=0, le=1)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "day")
        hides = ("survival", "lower", "upper")


class RmstByDay(Contract):
    """One row per week up to the longest horizon: mean days engaged up to it, RSN less CSP."""

    tau_days: int = Field("Horizon, days since the first contact.", ge=0)
    difference_days: float = Field("RSN less CSP.", nullable=True)
    lower: float = Field("Lower 95% limit of the difference, providers resampled.", nullable=True)
    upper: float = Field("Upper 95% limit.", nullable=True)
    at_risk: int = Field("Persons of the smaller arm whose time is at least the horizon.", ge=0, persons=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("tau_days",)
        hides = ("difference_days", "lower", "upper")


class SurvivalByMonth(Contract):
    """One row per arm and month of engagement: what a case rate is built on (methods.md C6, E7)."""

    arm: str = Field("Arm.", isin=ARMS)
    month: int = Field("1 from the first contact, each 30.4375 days.", ge=1)
    at_risk: int = Field("Persons still engaged, and observed, as the month starts.", ge=0, persons=True)
    events: int = Field("Spells that end in the month.", ge=0, persons=True)
    hazard: float = Field("Share of those engaged at its start whose spell ends in the month.", ge=0, le=1)
    survival_start: float = Field("Share still engaged as the month starts; 1 in month 1.", ge=0, le=1)
    lower: float = Field("95% limit of `survival_start`, by its standard error on the log-log scale.", nullable=True)
    upper: float = Field("95% limit, alike.", nullable=True)
    std_error: float = Field("Standard error of `survival_start`, providers resampled.", nullable=True, ge=0)
    reason: str = Field("Why the hazard has no interval, and the share none where it has none.")

    class Config(Contract.Config):
        unique = ("arm", "month")
        hides = ("hazard", "survival_start", "lower", "upper", "std_error")


class CumulativeIncidence(Contract):
    """One row per arm, reason a spell ends and day: Aalen-Johansen share ended for that reason (methods.md C7)."""

    arm: str = Field("Arm.", isin=ARMS)
    end_reason: str = Field("What ended the spell.")
    day: int = Field("Days since the first contact.", ge=0)
    cause_persons: int = Field(
        "Persons of the arm whose spell ended for this reason by the last day given; the same on every day.",
        ge=0,
        persons=True,
    )
    at_risk: int = Field("Persons at risk on this day.", ge=0, persons=True)
    ended: int = Field("Persons whose spell ended for this reason by this day.", ge=0, persons=True)
    incidence: float = Field("Share ended for this reason by this day.", ge=0, le=1)
    lower: float = Field("Lower 95% limit, providers resampled.", nullable=True, ge=0, le=1)
    upper: float = Field("Upper 95% limit.", nullable=True, ge=0, le=1)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "end_reason", "day")
        # With the survival the shares of a day add up to one: a hidden reason takes the next rarest with it.
        groups = ("arm", "day")
        hides = ("incidence", "lower", "upper")


class Engagement(Contract):
    """One row per estimand, arm or contrast, horizon, clock and method: how long, with its error."""

    estimand: str = Field(
        "rmst, survival, median: of the first spell. engaged_days: of all spells, from discharge; own_engaged_days: of the strategy's program alone. Suffix _difference "
        "or _ratio: RSN against CSP. measurement_gap: the row's clock less the contact clock."
    )
    arm: str = Field("RSN, CSP or 'RSN vs CSP'.", isin=(*ARMS, CONTRAST))
    tau_days: int = Field("Horizon; null where the estimand has none.", nullable=True)
    clock: str = Field(
        "contact (first to last contact), admin (enrolment to disenrolment) or floor (enrolled months in a row with a "
        "contact in each).",
        isin=CLOCKS,
    )
    method: str = Field(
        "How it was estimated: kaplan_meier, competing_censored, overlap_weighted, inverse_weighted, treated_weighted, "
        "pseudo_values, ipcw, observed; of days from discharge naive, landmark_… (days), clone_censor_weight… , by_site."
    )
    estimate: float = Field("Days, a share, a count or a ratio, as the estimand says.", nullable=True)
    std_error: float = Field(
        "Standard error, `error_unit` resampled; of the logarithm for a ratio.", nullable=True, ge=0
    )
    lower: float = Field("Lower 95% limit.", nullable=True)
    upper: float = Field("Upper 95% limit.", nullable=True)
    naive_std_error: float = Field(
        "Standard error were persons independent; null where it has no closed form.", nullable=True, ge=0
    )
    persons: int = Field("Persons behind it; those of the smaller arm for a contrast.", ge=0, persons=True)
    fewest_persons: int = Field(FEWEST, nullable=True, ge=0, persons=True)
    error_units: int = Field("Providers, facilities or persons resampled.", ge=0)
    error_unit: str = Field("provider (facility, of by_site), or person where an arm has fewer than two.")
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("estimand", "arm", "tau_days", "clock", "method")
        hides = ("estimate", "std_error", "lower", "upper", "naive_std_error")


class Clocks(Contract):
    """One row per mean, horizon, arm with its clock, and what it is compared with: what the choice of clock does.

    A mean stands alone; a measurement gap is one arm's mean less the same arm's on the contact clock; a contrast is
    RSN less CSP, on one clock or across two: what is published where each arm is timed by its own billing.
    """

    comparison: str = Field(
        "mean, measurement_gap, same_clock or cross_clock.",
        isin=("mean", "measurement_gap", "same_clock", "cross_clock"),
    )
    tau_days: int = Field("Horizon.")
    arm: str = Field("Arm.", isin=ARMS)
    clock: str = Field("Its clock: contact, admin or floor.", isin=CLOCKS)
    other_arm: str = Field("The arm taken from it; empty for a mean.", isin=(*ARMS, ""))
    other_clock: str = Field("That arm's clock; empty for a mean.", isin=(*CLOCKS, ""))
    estimate_days: float = Field("Restricted mean days of the first spell, or their difference.", nullable=True)
    std_error: float = Field("Standard error in days, `error_unit` resampled.", nullable=True, ge=0)
    lower: float = Field("Lower 95% limit.", nullable=True)
    upper: float = Field("Upper 95% limit.", nullable=True)
    arm_persons: int = Field("Engaged persons of the arm; of the smaller arm for a contrast.", ge=0, persons=True)
    persons: int = Field("Those of them timed by the clocks of the row.", ge=0, persons=True)
    error_units: int = Field("Providers or persons resampled.", ge=0)
    error_unit: str = Field("provider, or person where an arm has fewer than two providers.")
    source: str = Field(
        "Where the contacts of the arm, then of the other, were read: log; claim, where a program keeps none; none."
    )
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("comparison", "tau_days", "arm", "clock", "other_arm", "other_clock")
        hides = ("estimate_days", "std_error", "lower", "upper")


class EngagementModels(Contract):
    """One row per model and term: hazard ratios, tests, and how strong a confounder would have to be."""

    model: str = Field(
        "log_rank…, gehan, cox_…, ph_test_…, crossing, piecewise_exponential, discrete_time, aft_… (time ratios), "
        "cause_specific, fine_gray, gray, andersen_gill, pwp_gap_time, frailty, permutation, wild_bootstrap, censoring, e_value; "
        "…_adjusted with the covariates."
    )
    term: str = Field("Covariate, interval, end reason, what a number is, or GLOBAL.")
    estimate: float = Field("Coefficient on the scale of `scale`; null for a test.", nullable=True)
    std_error: float = Field("Standard error of the coefficient, clustered by provider.", nullable=True, ge=0)
    lower: float = Field("Lower 95% limit of the coefficient.", nullable=True)
    upper: float = Field("Upper 95% limit of the coefficient.", nullable=True)
    scale: str = Field("log (exponentiate for a ratio), identity, or test.", isin=("log", "identity", "test"))
    ratio: float = Field("exp(estimate) where the scale is log.", nullable=True, ge=0)
    ratio_lower: float = Field("Lower 95% limit of the ratio.", nullable=True, ge=0)
    ratio_upper: float = Field("Upper 95% limit of the ratio.", nullable=True, ge=0)
    statistic: float = Field("Chi-squared, or z of a coefficient.", nullable=True)
    degrees: int = Field("Degrees of freedom.", nullable=True, ge=0)
    p_value: float = Field("Two-sided.", nullable=True, ge=0, le=1)
    naive_std_error: float = Field("Standard error were persons independent.", nullable=True, ge=0)
    events: int = Field("Ends in the model, or in the interval.", ge=0, persons=True)
    persons: int = Field("Persons in the model.", ge=0, persons=True)
    clusters: int = Field("Providers.", ge=0)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("model", "term")
        # Intervals, and reasons a spell ends, add up: a hidden one takes the next rarest of its model with it
        # (`events` stand before `persons`, which are the same in every row).
        groups = ("model",)
        hides = ("estimate", "std_error", "lower", "upper", "ratio", "ratio_lower", "ratio_upper", "naive_std_error")


class AftCheck(Contract):
    """One row per arm, family of distributions and week: the model's curve over the Kaplan-Meier (methods.md C5)."""

    arm: str = Field("Arm.", isin=ARMS)
    model: str = Field("Family: weibull, lognormal, loglogistic or generalised_gamma.")
    day: int = Field("Days since the first contact.", ge=0)
    at_risk: int = Field("Persons whose time is at least this day.", ge=0, persons=True)
    survival: float = Field("Kaplan-Meier share without the event after this day, other ends censored.", ge=0, le=1)
    model_survival: float = Field("The same share by the model.", ge=0, le=1)

    class Config(Contract.Config):
        unique = ("arm", "model", "day")
        hides = ("survival", "model_survival")


class Balance(Contract):
    """One row per covariate and level: how alike the arms are before and after overlap weighting (methods.md C8)."""

    covariate: str = Field("Covariate known at discharge.")
    level: str = Field("Level of a category; of a number mean, squared or log; product of two numbers, centred.")
    rsn_mean: float = Field("Mean or share, RSN, unweighted.", nullable=True)
    csp_mean: float = Field("Mean or share, CSP, unweighted.", nullable=True)
    rsn_weighted_mean: float = Field("The same, overlap weighted.", nullable=True)
    csp_weighted_mean: float = Field("The same, overlap weighted.", nullable=True)
    smd_before: float = Field("Standardised difference, unweighted.", nullable=True)
    smd_after: float = Field("Standardised difference, overlap weighted, by the unweighted spread.", nullable=True)
    variance_ratio_after: float = Field(
        "Weighted variance, RSN / CSP; null for categories and where a variance is 0.", nullable=True
    )
    status: str = Field(
        "pass up to 0.10; warn up to 0.25, or a variance ratio outside 0.5 to 2; fail above.",
        isin=("pass", "warn", "fail", "na"),
    )
    rsn_persons: int = Field("Persons of the level, RSN; all for a number.", ge=0, persons=True)
    csp_persons: int = Field("Persons of the level, CSP; all for a number.", ge=0, persons=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("covariate", "level")
        groups = ("covariate",)
        hides = ("rsn_mean", "csp_mean", "rsn_weighted_mean", "csp_weighted_mean", "smd_before", "smd_after")


class Weights(Contract):
    """One row per engaged person: the probability of the arm RSN, and the weights made of it."""

    person_id: str = Field("Person key.")
    arm: str = Field("Arm.", isin=ARMS)
    propensity: float = Field("Probability of RSN given what was known at discharge.", ge=0, le=1)
    overlap: float = Field("Probability of the other arm: the overlap weight.", ge=0, le=1)
    inverse: float = Field("Share of the own arm / its probability (stabilised), the latter no less than 1%.", ge=0)
    treated: float = Field("1 for RSN, odds of RSN for CSP: weights to the RSN population.", ge=0)

    class Config(Contract.Config):
        unique = ("person_id",)


class WeightSummary(Contract):
    """One row per weighting and arm: how many persons the weights leave, and how extreme they are."""

    weighting: str = Field("overlap, inverse or treated.")
    arm: str = Field("Arm.", isin=ARMS)
    persons: int = Field("Persons.", ge=0, persons=True)
    effective_persons: float = Field("(Σw)² / Σw².", nullable=True, ge=0)
    largest_weight: float = Field("Largest weight, the arm's mean being 1.", nullable=True, ge=0)
    outside_share: float = Field("Share with a propensity below 0.05 or above 0.95.", nullable=True, ge=0, le=1)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("weighting", "arm")
        hides = ("effective_persons", "largest_weight", "outside_share")


class Propensity(Contract):
    """One row per quantity, arm and bin: how far the arms' propensities overlap, and how far the weights spread."""

    quantity: str = Field("propensity, or a weighting: its weights over their arm's mean.")
    arm: str = Field("Arm.", isin=ARMS)
    low: float = Field("Lower edge of the bin, which belongs to it.", ge=0)
    high: float = Field(
        "Upper edge, which does not but for a propensity of 1; null where there is none.", nullable=True
    )
    persons: int = Field("Persons in the bin.", ge=0, persons=True)

    class Config(Contract.Config):
        unique = ("quantity", "arm", "low")
        groups = ("quantity", "arm")


class Positivity(Contract):
    """One row per covariate and stratum: could its persons have got either arm (methods.md C8, H32)."""

    covariate: str = Field("Covariate known at discharge.")
    level: str = Field("Level; of a number the quarter, from the lowest.")
    rsn_share: float = Field("Share in RSN.", ge=0, le=1)
    is_one_sided: bool = Field("Fewer than 5% of the stratum are in one of the arms.")
    outside_share: float = Field("Share with a propensity below 0.05 or above 0.95.", ge=0, le=1)
    lowest_propensity: float = Field("5th percentile of the propensity.", ge=0, le=1)
    highest_propensity: float = Field("95th percentile.", ge=0, le=1)
    rsn_persons: int = Field("Persons, RSN.", ge=0, persons=True)
    csp_persons: int = Field("Persons, CSP.", ge=0, persons=True)

    class Config(Contract.Config):
        unique = ("covariate", "level")
        groups = ("covariate",)
        hides = ("rsn_share", "is_one_sided", "outside_share", "lowest_propensity", "highest_propensity")


class ServiceMix(Contract):
    """One row per program and activity, and one with activity 'all': what navigators' time went into, and its price."""

    program: str = Field("RSN or CSP.", isin=ARMS)
    activity: str = Field("Kind of contact or work; 'all' for the whole program.")
    entries: int = Field("Log entries.", ge=0)
    minutes: int = Field("Minutes.", ge=0)
    minutes_share: float = Field("Of the program's minutes.", nullable=True, ge=0, le=1)
    billable_minutes_share: float = Field(
        "Of the activity's minutes, those of entries with a billable unit.", nullable=True, ge=0, le=1
    )
    contacts: int = Field("Contacts that reached the client.", ge=0)
    billable_units: float = Field("15-minute units the unit form may bill.", ge=0)
    worker_months: int = Field("Workers × calendar months with an entry.", ge=0)
    contacts_per_worker_month: float = Field("Contacts / worker-months.", nullable=True, ge=0)
    caseload: float = Field("Clients per worker and month.", nullable=True, ge=0)
    clients: int = Field("Clients with an entry.", ge=0, persons=True)
    client_months: int = Field("Clients × calendar months with a contact.", ge=0)
    unit_form_usd: Usd = Field("What the log earns at the unit price: billable units × price.", nullable=True)
    case_form_usd: Usd = Field(
        "What it earns at the case rate: clients × enrolment + client-months × monthly + client-days × daily.",
        nullable=True,
    )
    unit_price_usd: float = Field("Paid per 15-minute unit in the claims of the unit form.", nullable=True, ge=0)
    reason: str = Field("Why an amount is missing, and why none has an interval.")

    class Config(Contract.Config):
        unique = ("program", "activity")
        hides = ("unit_form_usd", "case_form_usd", "contacts_per_worker_month", "caseload")
