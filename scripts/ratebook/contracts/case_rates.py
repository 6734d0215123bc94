"""Case rates for navigators: what clients were delivered, what a flat payment must be, and who bears its risk."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field, Quantity, Usd
from ratebook.contracts.episodes import ARMS

FORMS = ("per_episode", "per_month", "per_day", "hybrid")
BASES = ("actuarial", "staffing", "staffing_observed")
TERMS = ("tier_month", "tier_severity", "minimum_contact", "maximum_months", "stop_loss_usd", "stop_loss_units", "withhold")  # fmt: skip
BEYOND = "recovery, each client beyond"
"""The part of a stop-loss that is paid for those who pass it."""
REASON = "Why an estimate or an interval is missing; null where both stand."


class EngagedMonths(Contract):
    """One row per client and month since the first contact, while engaged at its start: what was delivered in it."""

    person_id: str = Field("Person key.")
    arm: str = Field("RSN or CSP.", isin=ARMS)
    engaged_month: int = Field("1 for the first 30.4375 days since the first contact, then 2, 3, …", ge=1)
    provider_id: str = Field("Organisation of the spell's first contact: the unit of chance.")
    n12: int = Field("Detox episodes in the 12 months that made the client one of the cohort.", ge=0)
    is_event: bool = Field("Engagement was seen to end in this month.")
    is_last: bool = Field("Last month engaged, its end seen or not.")
    contacts: int = Field("Contacts in which the client was reached.", ge=0)
    minutes: int = Field("Minutes of logged work for the client.", ge=0)
    units: Quantity = Field("15-minute units the unit form may bill.", ge=0)
    paid_usd: Usd = Field("Paid to the program on claims of the month.")

    class Config(Contract.Config):
        unique = ("person_id", "arm", "engaged_month")


class Staffing(Contract):
    """One row per program: what navigators' logs show of caseload and time, for the build-up of `staffing_build`."""

    program: str = Field("RSN or CSP.", isin=ARMS)
    workers: int = Field("Workers in the log.", persons=True)
    worker_months: int = Field("Months in which a worker logged anything.")
    clients_per_worker: float = Field("Clients reached per worker and month, by heads.", nullable=True)
    minutes_per_worker_month: float = Field("Minutes logged per worker and month.", nullable=True)
    client_time_share: float = Field("Share of logged minutes in which a client was reached.", nullable=True)
    non_billable_share: float = Field("Share of logged minutes in entries without a billable unit.", nullable=True)
    time_per_client_time: float = Field("All minutes logged / minutes of entries that name a client.", nullable=True)
    contact_minutes_per_client_month: float = Field(
        "Minutes in which the client was reached per client and calendar month.", nullable=True
    )
    other_client_minutes_per_client_month: float = Field(
        "Minutes of attempts and paperwork for the client, per client and calendar month.", nullable=True
    )
    training_minutes_per_client_month: float = Field("Minutes of training, shared out over them.", nullable=True)
    coaching_minutes_per_client_month: float = Field("Minutes of coaching, shared out over them.", nullable=True)

    class Config(Contract.Config):
        unique = ("program",)


class StaffingBuild(Contract):
    """One row per arm, caseload (assumed or observed) and step: from a worker's year to the rate of a client month.

    The steps of an arm and basis add up to its loaded monthly rate.
    """

    arm: str = Field("RSN or CSP.", isin=ARMS)
    basis: str = Field("staffing: the caseload assumed; staffing_observed: what the log leaves room for.", isin=BASES)
    step: int = Field("Place of the step in the build-up.", ge=1)
    part: str = Field("salary, fringe, overhead, supervision, travel, empty places, load.")
    clients: int = Field("Clients the observed minutes rest on.", persons=True)
    caseload: float = Field("Clients a full worker carries.")
    worker_year_usd: float = Field("Dollars a year of a worker; null for empty places and load.", nullable=True)
    client_month_usd: float = Field("What the step adds to the rate of a client month.")
    lower: float = Field("95% limit of what it adds: of the minutes observed.", nullable=True)
    upper: float = Field("95% limit, alike.", nullable=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "basis", "step")
        hides = ("caseload", "client_month_usd", "lower", "upper")


class CaseRates(Contract):
    """One row per arm, basis and form of payment: the flat amount that pays a client's expected cost (methods.md E7)."""

    arm: str = Field("RSN or CSP.", isin=ARMS)
    basis: str = Field(
        "actuarial: who stays times what they use; staffing: what a worker costs over the clients assumed; "
        "staffing_observed: over the clients the service log leaves room for.",
        isin=BASES,
    )
    form: str = Field("per_episode, per_month, per_day, or hybrid: at enrolment and per month.", isin=FORMS)
    clients: int = Field("Clients the estimate rests on.", persons=True)
    enrolment_usd: float = Field("Paid once at enrolment, before load; 0 but in the hybrid.", nullable=True)
    enrolment_lower: float = Field("95% limit of what is paid at enrolment, dollars.", nullable=True)
    enrolment_upper: float = Field("95% limit of what is paid at enrolment, dollars.", nullable=True)
    value_usd: float = Field("Paid per episode, month or day, before load.", nullable=True)
    lower: float = Field("95% limit of the value before load, dollars; providers resampled.", nullable=True)
    upper: float = Field("95% limit of the value before load, dollars; providers resampled.", nullable=True)
    client_lower: float = Field("The limit were clients of one provider not alike: clients resampled.", nullable=True)
    client_upper: float = Field("The limit were clients of one provider not alike.", nullable=True)
    error_unit: str = Field("What was resampled for the limits: provider or person.", nullable=True)
    error_units: int = Field("How many of them the arm has.", nullable=True)
    load_share: float = Field("Provider's overhead and margin, share of the loaded rate; taken as known.")
    loaded_usd: float = Field("Value with load: value / (1 - load).", nullable=True)
    loaded_lower: float = Field("95% limit of the value with load: lower / (1 - load).", nullable=True)
    loaded_upper: float = Field("95% limit of the value with load: upper / (1 - load).", nullable=True)
    expected_months: float = Field("Months a client is expected to stay, to the horizon.", nullable=True)
    units_per_month: float = Field("Units delivered per engaged month.", nullable=True)
    unit_price_usd: float = Field("Price of a unit in the unit form.")
    implied_unit_price_usd: float = Field("Loaded rate per engaged month / units delivered in it.", nullable=True)
    paid_per_month_usd: float = Field("What the program was paid per engaged month.", nullable=True)
    is_unit_equivalent: bool = Field("Implied price is within half and double the unit price.", nullable=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "basis", "form")
        hides = (
            "enrolment_usd",
            "enrolment_lower",
            "enrolment_upper",
            "value_usd",
            "loaded_usd",
            "loaded_lower",
            "loaded_upper",
            "lower",
            "upper",
            "client_lower",
            "client_upper",
            "expected_months",
            "units_per_month",
            "implied_unit_price_usd",
            "paid_per_month_usd",
        )


class CaseTerms(Contract):
    """One row per arm, term of the contract and part of the payment: what each part must be to pay the same episode.

    times_per_client * value_usd, summed over the parts of a term, is the expected cost of an episode: every term is
    budget neutral before load.
    """

    arm: str = Field("RSN or CSP.", isin=ARMS)
    term: str = Field(
        "tier_month: month 1 and later; tier_severity: by earlier detoxifications; minimum_contact: months without "
        "so many contacts are not paid; maximum_months: none is paid after; stop_loss_usd and stop_loss_units: a charge "
        "for all pays what clients cost beyond; withhold: part is paid when earned.",
        isin=TERMS,
    )
    part: str = Field("Part of the payment, in words.")
    clients: int = Field(
        "Clients of the arm; of a tier its own, of a recovery those seen beyond the limit.", persons=True
    )
    times_per_client: float = Field("How often it is paid per client, expected.", nullable=True)
    value_usd: float = Field("Payment each time, before load; negative: a charge.", nullable=True)
    lower: float = Field("95% limit of the payment; providers resampled.", nullable=True)
    upper: float = Field("95% limit of the payment; providers resampled.", nullable=True)
    expected_usd: float = Field("Paid per client, expected: times * value.", nullable=True)
    at_level_usd: float = Field(
        "The same were each month paid the level monthly rate: what the term takes away or adds without a new price.",
        nullable=True,
    )
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "term", "part")
        hides = ("times_per_client", "value_usd", "lower", "upper", "expected_usd", "at_level_usd")
        groups = ("arm", "term")


class ProviderRisk(Contract):
    """One row per arm, form and length of stay: what a provider gains or loses on a client paid a flat amount.

    Revenue includes the load; cost is the service delivered, without overhead. So the margin is before overhead.
    """

    arm: str = Field("RSN or CSP.", isin=ARMS)
    form: str = Field("Form of payment, at its loaded actuarial value.", isin=FORMS)
    stay_months: int = Field("Months engaged.", ge=1)
    clients: int = Field("Clients who stayed so long or longer.", persons=True)
    revenue_usd: float = Field("Paid for such a stay, the load included.")
    cost_usd: float = Field("Expected cost of what is delivered in such a stay, without overhead.")
    margin_usd: float = Field("Revenue less cost, before overhead: the load has to pay it.")
    lower: float = Field("95% limit of the margin at this rate: of the cost; providers resampled.", nullable=True)
    upper: float = Field("95% limit of the margin, alike.", nullable=True)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "form", "stay_months")
        hides = ("cost_usd", "margin_usd", "lower", "upper")


class PanelLoss(Contract):
    """One row per arm, form, size of a provider's panel, before and after overhead: how a panel of clients ends."""

    arm: str = Field("RSN or CSP.", isin=ARMS)
    form: str = Field("Form of payment, at its loaded actuarial value.", isin=FORMS)
    panel_clients: int = Field("Clients of the panel: drawn, none of them a person.", ge=1)
    is_after_overhead: bool = Field("The load is spent on overhead; else the provider still has it.")
    clients: int = Field("Clients of the arm; those not seen out are stood for by those who were.", persons=True)
    margin_usd: float = Field("Margin per client, expected.", nullable=True)
    lower: float = Field("95% limit of the expected margin at this rate; providers resampled.", nullable=True)
    upper: float = Field("95% limit of the expected margin, alike.", nullable=True)
    margin_p05_usd: float = Field("Margin per client one panel in twenty falls short of.", nullable=True)
    margin_p95_usd: float = Field("Margin per client one panel in twenty exceeds.", nullable=True)
    probability_of_loss: float = Field("Share of panels that lose money.", nullable=True, ge=0, le=1)
    probability_lower: float = Field("95% limit of the probability; providers resampled.", nullable=True, ge=0, le=1)
    probability_upper: float = Field("95% limit of the probability, alike.", nullable=True, ge=0, le=1)
    reason: str = Field(REASON, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "form", "panel_clients", "is_after_overhead")
        hides = (
            "margin_usd",
            "lower",
            "upper",
            "margin_p05_usd",
            "margin_p95_usd",
            "probability_of_loss",
            "probability_lower",
            "probability_upper",
        )
