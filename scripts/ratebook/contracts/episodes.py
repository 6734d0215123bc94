"""Detoxification stays and episodes, the study cohort, continuity of care, and spells with a navigator."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.base import Contract, Field, Usd

ARMS = ("RSN", "CSP")
UNITS = ("episode", "stay")
INDEX_RULES = ("first", "last", "random", "all")
METHODS = ("complete_window", "aalen_johansen")
END_REASONS = ("disengaged", "lost", "graduated", "death", "disenrolled", "readmitted", "end_of_data")
ENROLMENT_ENDS = ("ended", "death", "disenrolled", "readmitted", "end_of_data")


class Stays(Contract):
    """One row per person, facility and unbroken period in one level of care, as one kind of record (methods.md B3)."""

    person_id: str = Field("Person key.")
    stay: int = Field("1 for a person's first stay, then 2, 3, …", ge=1)
    level: str = Field("Level of care: WM_HOSP, WM_RES, RES35, RES31.")
    facility_id: str = Field("Facility, or the billing provider where none is named; 'unknown' without either.")
    record_type: str = Field("ffs or encounter.", isin=("ffs", "encounter"))
    is_crossover: bool = Field("Medicare paid first.")
    admission_date: dt.date = Field("Admission.")
    discharge_date: dt.date = Field("Discharge.")
    los_days: int = Field("Days of care: discharge less admission, at least 1.", ge=1)
    discharge_status: str = Field("Patient status of the last record.", nullable=True)
    dx_class: str = Field("alcohol, opioid, poly or other, of the first record.", nullable=True)
    claims: int = Field("Claims in the stay.", ge=1)
    cost_usd: Usd = Field("Cost of the stay's lines.")

    class Config(Contract.Config):
        unique = ("person_id", "stay")
        claims_scale = True


class Episodes(Contract):
    """One row per person and period of withdrawal management, across facilities (methods.md B3)."""

    person_id: str = Field("Person key.")
    episode: int = Field("1 for a person's first episode, then 2, 3, …", ge=1)
    admission_date: dt.date = Field("First admission.")
    discharge_date: dt.date = Field("Last discharge.")
    los_days: int = Field("Last discharge less first admission, at least 1.", ge=1)
    stays: int = Field("Stays.", ge=1)
    facilities: int = Field("Facilities.", ge=1)
    is_transfer: bool = Field("More than one facility.")
    first_facility_id: str = Field("Facility of the first stay.")
    last_facility_id: str = Field("Facility of the last stay.")
    max_level: str = Field("Highest level: WM_HOSP above WM_RES.")
    is_ama: bool = Field("Left against medical advice (status 07).")
    is_died: bool = Field("Died in the stay (status 20, 40, 41, 42).")
    dx_class: str = Field("alcohol, opioid, poly or other, of the first stay.", nullable=True)
    discharge_status: str = Field("Patient status of the stay discharged last.", nullable=True)
    n12: int = Field("Episodes admitted in the 365 days up to this admission, this one included.", ge=1)
    days_to_next: int = Field(
        "Days from discharge to the next episode; null where none follows. With a stay as the unit 0 for a transfer.",
        nullable=True,
        ge=0,
    )

    class Config(Contract.Config):
        unique = ("person_id", "episode")
        claims_scale = True


class EpisodesByGap(Contract):
    """One row per longest gap tried between stays of one episode: what it makes of transfers and readmissions."""

    episode_gap_days: int = Field("Longest time in days between discharge and admission within an episode.", ge=0)
    persons: int = Field("Persons with an episode.", ge=0, persons=True)
    episodes: int = Field("Episodes.", ge=0, persons=True)
    transfers: int = Field("Episodes with more than one facility.", ge=0, persons=True)
    readmissions: int = Field("Episodes followed by the next within 30 days of discharge.", ge=0, persons=True)
    is_chosen: bool = Field("The gap in force.")

    class Config(Contract.Config):
        unique = ("episode_gap_days",)


class DetoxCodes(Contract):
    """One row per sub-acute code and level it is read as: how often its stays follow an acute one (methods.md B1)."""

    code: str = Field("HCPCS code of sub-acute detoxification.")
    level: str = Field("Level of care it is read as.")
    persons: int = Field("Persons with such a stay.", ge=1, persons=True)
    stays: int = Field("Stays of the code.", ge=1, persons=True)
    stays_after_acute: int = Field(
        "Of them, admitted on the day of a discharge from the acute code or the day after.", ge=0, persons=True
    )
    share: float = Field("Stays after acute over stays.", ge=0, le=1, nullable=True)
    is_step_down: bool = Field("More than 30 percent: the code is a step down, not detoxification.")

    class Config(Contract.Config):
        unique = ("code", "level")
        hides = ("share",)


class EpisodeLengths(Contract):
    """One row per length of episodes and whether a transfer was in them."""

    los_days: int = Field("Days of care; the longest lengths stand together.", ge=1)
    is_transfer: bool = Field("More than one facility.")
    episodes: int = Field("Episodes.", ge=1, persons=True)
    persons: int = Field("Persons with such an episode.", ge=1, persons=True)

    class Config(Contract.Config):
        unique = ("los_days", "is_transfer")


class Cohort(Contract):
    """One row per eligible person: the index episode, the arm, the covariates before time zero, and follow-up's end."""

    person_id: str = Field("Person key.")
    episode: int = Field("Index episode.")
    index_admission_date: dt.date = Field("Admission of the index episode.")
    discharge_date: dt.date = Field("Discharge of the index episode: time zero.")
    facility_id: str = Field("Facility of discharge.")
    arm: str = Field(
        "RSN or CSP: program of the first valid contact after discharge; 'none' where neither came.",
        isin=("RSN", "CSP", "none"),
    )
    site_arm: str = Field(
        "Arm by site: RSN where the facility refers to RSN sites, else CSP; null where unknown.", nullable=True
    )
    provider_id: str = Field("Organisation of the first contact: the cluster; null without contact.", nullable=True)
    first_contact_date: dt.date = Field("First valid contact after discharge.", nullable=True)
    age_years: int = Field("Age at index admission.", nullable=True)
    sex: str = Field("female, male or unknown.")
    race: str = Field("Race as recorded.")
    region: str = Field("Region.")
    dx_class: str = Field("alcohol, opioid, poly or other.", nullable=True)
    los_days: int = Field("Days of the index episode.")
    is_ama: bool = Field("Index ended against medical advice.")
    is_acute_transfer: bool = Field(
        "Left for a hospital's medical care: status 02, or a medical stay that begins by the day after and goes on."
    )
    n12: int = Field("Detox episodes in the year up to the index.")
    enrolled_days_before: int = Field("Covered days in the 365 before admission.")
    sud_cost_before_usd: Usd = Field("SUD cost in the 365 days before admission.")
    total_cost_before_usd: Usd = Field("Total cost in the 365 days before admission.")
    is_moud_before: bool = Field("Medication for opioid use disorder in the 90 days before admission.")
    is_mental_before: bool = Field("Another mental-health diagnosis or service in the 365 days before admission.")
    is_prior_program: bool = Field("Contact with either program in the 180 days before admission.")
    is_both_programs: bool = Field("Contacts with both programs in follow-up.")
    follow_end_date: dt.date = Field("Last day observed: the earliest of disenrolment, death, end of study.")
    follow_end_reason: str = Field("disenrolled, death or end_of_data.", isin=("disenrolled", "death", "end_of_data"))
    death_date: dt.date = Field("Date of death.", nullable=True)
    readmission_date: dt.date = Field("Next detox admission after discharge.", nullable=True)

    class Config(Contract.Config):
        unique = ("person_id",)


class CohortFlow(Contract):
    """One row per inclusion rule, in order: persons with an episode left."""

    step: int = Field("Order.")
    rule_id: str = Field("Rule.")
    description: str = Field("What the rule keeps.")
    days_ahead: int = Field("Days after discharge the rule looks at: who must be seen long is selected.", ge=0)
    persons_in: int = Field("Persons before.", persons=True)
    persons_out: int = Field("Persons after.", persons=True)

    class Config(Contract.Config):
        unique = ("step",)


class Continuity(Contract):
    """One row per cohort member and window: was there care within so many days of discharge (methods.md B6)."""

    person_id: str = Field("Person key.")
    window_days: int = Field("Length of the window after discharge.")
    is_continued: bool = Field("An SUD service other than detox or navigator in the window.")
    days_to_service: int = Field("Days to the first such service.", nullable=True)
    wait_days: int = Field("Days from discharge to what ended the wait.", ge=0)
    end_reason: str = Field(
        "What ended the wait: service, readmitted, death, disenrolled, end_of_data or the window's end.",
        isin=("service", "readmitted", "death", "disenrolled", "end_of_data", "window"),
    )

    class Config(Contract.Config):
        unique = ("person_id", "window_days")


class Spells(Contract):
    """One row per person, program and spell of engagement after discharge: contacts with no long silence between."""

    person_id: str = Field("Person key.")
    program: str = Field("RSN or CSP.", isin=ARMS)
    spell: int = Field("1 for the first spell after discharge, then 2, 3, …", ge=1)
    provider_id: str = Field("Organisation of the spell's first contact.")
    first_date: dt.date = Field("First contact.")
    last_date: dt.date = Field("Last contact.")
    contacts: int = Field("Valid contacts.", ge=1)
    contact_days: int = Field("Days with a valid contact.", ge=1)
    minutes: int = Field("Minutes of valid contacts.", ge=0)
    billable_units: float = Field("15-minute units of valid contacts.", ge=0)
    length_days: int = Field("Last less first contact plus 1: the contact clock.", ge=1)
    admin_length_days: int = Field(
        "Disenrolment less enrolment plus 1: the administrative clock; null without enrolment.", nullable=True
    )
    admin_end_reason: str = Field(
        "ended: the program closed the enrolment while observed; else what ended observation; null without enrolment.",
        nullable=True,
        isin=ENROLMENT_ENDS,
    )
    floor_length_days: int = Field(
        "Of the enrolment, the calendar months in a row from the spell's first on with a contact in each: the floor "
        "clock; null without enrolment.",
        nullable=True,
    )
    floor_end_reason: str = Field(
        "ended: the enrolment did, or a whole month without a contact followed; else what ended observation.",
        nullable=True,
        isin=ENROLMENT_ENDS,
    )
    source: str = Field("Where the spell's first contact was read: log, or a claim.", nullable=True)
    end_reason: str = Field("What ended the spell, or why its end was not seen.", isin=END_REASONS)
    is_event: bool = Field("Disengaged, lost or graduated: the end was seen.")

    class Config(Contract.Config):
        unique = ("person_id", "program", "spell")


class SpellsByGap(Spells):
    """One row per longest silence tried, person, program and spell: the spells under other gap rules."""

    spell_gap_days: int = Field("Longest silence, in days, within one spell.", ge=0)

    class Config(Contract.Config):
        unique = ("spell_gap_days", "person_id", "program", "spell")


class CohortTable(Contract):
    """One row per characteristic, level and arm: Table 1. A level's persons add up to the arm, the arms to 'all'."""

    place: int = Field("Order of the row in the printed table.", ge=1)
    characteristic: str = Field("What is described.")
    level: str = Field("Level of a characteristic with levels; 'mean' of a number; 'missing' where not known.")
    arm: str = Field("RSN, CSP, none or all.", isin=(*ARMS, "none", "all"))
    persons: int = Field("Persons at the level; persons with the number known.", ge=0, persons=True)
    share: float = Field("Persons over the persons of the arm; null in an empty arm.", nullable=True, ge=0, le=1)
    mean: float = Field("Mean, of a number; null for levels and where nobody is.", nullable=True)
    std_dev: float = Field("Standard deviation, of a number; null below two persons.", nullable=True, ge=0)
    reason: str = Field("Why share or mean is missing.", nullable=True)

    class Config(Contract.Config):
        unique = ("place", "arm")
        groups = (("characteristic", "arm"), ("characteristic", "level"))
        hides = ("share", "mean", "std_dev")


class WindowShare(Contract):
    """One row per arm, window and method: a share of discharges, estimated in two ways."""

    arm: str = Field("RSN, CSP, none or all.", isin=(*ARMS, "none", "all"))
    window_days: int = Field("Length of the window after discharge.")
    method: str = Field("How the share is estimated.", isin=METHODS)
    persons: int = Field("Persons counted.", ge=0, persons=True)
    estimate: float = Field("The share.", nullable=True, ge=0, le=1)
    lower: float = Field("Lower limit, 95 percent, Wilson, facilities as units.", nullable=True)
    upper: float = Field("Upper limit, 95 percent, Wilson, facilities as units.", nullable=True)
    facilities: int = Field("Discharging facilities of the persons counted.", ge=0)
    reason: str = Field("Why there is no estimate or no interval; null where there are both.", nullable=True)

    class Config(Contract.Config):
        unique = ("window_days", "arm", "method")
        groups = ("window_days", "method")
        hides = ("estimate", "lower", "upper", "facilities")


class ContinuityByArm(WindowShare):
    """One row per arm, window and method: the share of discharges after which care continued in the window."""

    method: str = Field(
        "complete_window, the share of those whose whole wait was seen; aalen_johansen, the cumulative incidence "
        "with readmission, death and disenrolment competing and the end of the data censoring.",
        isin=METHODS,
    )
    continued: int = Field("Of them, persons with care in the window.", ge=0, persons=True)
    estimate: float = Field("Probability that care continued in the window.", nullable=True, ge=0, le=1)


class Readmission(WindowShare):
    """One row per arm, window and method: how often an index discharge was followed by another detox admission."""

    method: str = Field(
        "complete_window, the share of those followed for the whole window, readmitted in it or dead before; "
        "aalen_johansen, the cumulative incidence with death competing and the end of coverage or data censoring.",
        isin=METHODS,
    )
    persons: int = Field(
        "Persons counted: discharged alive, and not to a hospital's medical care.", ge=0, persons=True
    )
    readmitted: int = Field("Of them, persons in detox again within the window.", ge=0, persons=True)
    estimate: float = Field("Probability of another detox admission in the window.", nullable=True, ge=0, le=1)


class CohortVariants(Contract):
    """One row per reading of the rule of repeated detox and arm: whom the cohort would hold under it."""

    unit: str = Field("What is one admission: an episode, transfers joined, or a stay.", isin=UNITS)
    min_detox_12m: int = Field("Fewest admissions in the 365 days up to the index admission.", ge=0)
    count_index: bool = Field("The index admission is one of those counted.")
    index_rule: str = Field("Which of a person's eligible discharges is the index.", isin=INDEX_RULES)
    arm: str = Field("RSN, CSP, none or all.", isin=(*ARMS, "none", "all"))
    persons: int = Field("Persons with an index discharge.", ge=0, persons=True)
    discharges: int = Field("Index discharges: one a person, but for the rule 'all'.", ge=0, persons=True)
    is_chosen: bool = Field("The reading in force.")

    class Config(Contract.Config):
        unique = ("unit", "min_detox_12m", "count_index", "index_rule", "arm")
        groups = ("unit", "min_detox_12m", "count_index", "index_rule")
