"""What spells come to in sum, and who crossed from one program to the other."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.episodes import ARMS, END_REASONS

NO_LIMITS = "Why the estimate or its limits are missing; null where both stand."


class SpellEnds(Contract):
    """One row per arm and reason a first spell ends: what was seen as an end, and what hid one (methods.md B7, C)."""

    arm: str = Field("Arm.", isin=ARMS)
    end_reason: str = Field("What ended the spell, or why its end was not seen.", isin=END_REASONS)
    role: str = Field("What the reason counts as.", isin=("event", "competing", "censor"))
    persons: int = Field("Persons whose first spell ended so.", ge=0, persons=True)
    share: float = Field("Of the arm's persons with a spell.", nullable=True, ge=0, le=1)
    lower: float = Field("Lower 95% limit of the share, clustered by provider, logit scale.", nullable=True)
    upper: float = Field("Upper 95% limit, alike.", nullable=True)
    median_days: float = Field("Median days from first to last contact of these spells.", nullable=True, ge=0)
    reason: str = Field(NO_LIMITS, nullable=True)

    class Config(Contract.Config):
        unique = ("arm", "end_reason")
        # Models give those who ended for a reason, over both arms.
        groups = (("arm",), ("end_reason",))
        hides = ("share", "lower", "upper", "median_days")


class GapSensitivity(Contract):
    """One row per longest silence tried, arm and measure: what the gap rule does to spells (methods.md B7, H24).

    Lengths are as observed, whether or not the end was seen: a description, not an estimate of engagement.
    """

    spell_gap_days: int = Field("Longest silence, in days, within one spell.", ge=0)
    arm: str = Field("Arm; spells with its own program.", isin=ARMS)
    measure: str = Field(
        "spells_per_person; of first spells single_contact_share, censored_share, mean_days, median_days.",
        isin=("spells_per_person", "single_contact_share", "censored_share", "mean_days", "median_days"),
    )
    persons: int = Field("Persons with a spell.", ge=0, persons=True)
    counted: int = Field("Persons the share counts; all of them for a mean or median.", ge=0, persons=True)
    estimate: float = Field("Spells, a share, or days, as the measure says.", nullable=True, ge=0)
    lower: float = Field("Lower 95% limit, clustered by provider.", nullable=True)
    upper: float = Field("Upper 95% limit, alike.", nullable=True)
    reason: str = Field(NO_LIMITS, nullable=True)

    class Config(Contract.Config):
        unique = ("spell_gap_days", "arm", "measure")
        hides = ("estimate", "lower", "upper")


class Crossing(Contract):
    """One row per cohort member: when each program first reached the member, and what may have mixed them (B8)."""

    person_id: str = Field("Person key.")
    arm: str = Field("Program of the first contact; 'none' where neither came in time.", isin=(*ARMS, "none"))
    rsn_days: int = Field("Days from discharge to the first RSN contact in follow-up.", nullable=True, ge=1)
    csp_days: int = Field("Days from discharge to the first CSP contact in follow-up.", nullable=True, ge=1)
    cross_days: int = Field("Days to the first contact with the program other than the arm.", nullable=True, ge=1)
    is_prior_program: bool = Field("Contact with either program before admission, as the cohort says.")
    is_provider_mixed: bool = Field("An organisation that reached the member delivers both programs.")
    is_worker_mixed: bool = Field("A worker who reached the member delivers both programs.")

    class Config(Contract.Config):
        unique = ("person_id",)


class Navigators(Contract):
    """One row per organisation and per worker: contacts in each program."""

    unit: str = Field("provider or worker.", isin=("provider", "worker"))
    unit_id: str = Field("Organisation or worker.")
    rsn_contacts: int = Field("Valid contacts in RSN.", ge=0)
    csp_contacts: int = Field("Valid contacts in CSP.", ge=0)
    first_rsn_date: dt.date = Field("First valid RSN contact.", nullable=True)

    class Config(Contract.Config):
        unique = ("unit", "unit_id")


class Crossover(Contract):
    """One row per first program and programs ever contacted in follow-up: the crossover matrix (methods.md B8)."""

    first_program: str = Field("Arm: program of the first contact; 'none' without one in time.", isin=(*ARMS, "none"))
    programs: str = Field("Programs contacted in follow-up.", isin=("RSN only", "CSP only", "both", "neither"))
    persons: int = Field("Persons.", ge=0, persons=True)
    share: float = Field("Of the persons of the first program.", nullable=True, ge=0, le=1)
    lower: float = Field("Lower 95% limit, clustered by provider, logit scale.", nullable=True)
    upper: float = Field("Upper 95% limit, alike.", nullable=True)
    median_cross_days: float = Field("Median days from discharge to the first contact with the other.", nullable=True)
    reason: str = Field(NO_LIMITS, nullable=True)

    class Config(Contract.Config):
        unique = ("first_program", "programs")
        # Table 1 gives those who met both programs, over all first programs.
        groups = (("first_program",), ("programs",))
        hides = ("share", "lower", "upper", "median_cross_days")


class Contamination(Contract):
    """One row per way in which one program may have reached the other's clients, and arm (methods.md B8, H20)."""

    measure: str = Field(
        "both_programs, other_site, prior_program, mixed_provider, mixed_worker: persons of the arm. mixed_providers, "
        "mixed_workers: those who deliver both. csp_days: mean days of first CSP spells at sites that refer to RSN."
    )
    period: str = Field(
        "all; of csp_days before or after, as members were discharged before or after the first RSN contact, or change.",
        isin=("all", "before", "after", "change"),
    )
    arm: str = Field("Arm, or all.", isin=(*ARMS, "all"))
    unit: str = Field("What is counted: persons, providers or workers.", isin=("persons", "providers", "workers"))
    looked_at: int = Field(
        "Persons, providers or workers looked at; of a change those of the smaller period.", ge=0, persons=True
    )
    counted: int = Field("Of them, those of whom it is true; all of them for a mean.", ge=0, persons=True)
    estimate: float = Field("Share, or days.", nullable=True)
    lower: float = Field("Lower 95% limit, clustered by provider.", nullable=True)
    upper: float = Field("Upper 95% limit, alike.", nullable=True)
    reason: str = Field(NO_LIMITS, nullable=True)

    class Config(Contract.Config):
        unique = ("measure", "period", "arm")
        # The members before and after add up to those of the other kind of site.
        groups = ("measure", "arm")
        hides = ("estimate", "lower", "upper")
