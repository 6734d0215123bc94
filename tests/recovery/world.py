"""A program of which everything is known: who would have stayed how long, in either arm, and what was seen of it.

Times are whole days. A person's world holds the program they are sent to, the wait for its first contact, how long
they would stay with it, the days of another detox, death, disenrolment and the end of the data, whichever comes. Only
then is it looked at as the pipeline does: contacts before the end of observation, an end where a silence is longer
than the rule allows, an arm for those who reached a navigator. Nothing here uses the code that is under study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS, Cohort, Spells

GAP_DAYS = 30
"""The silence that ends a spell."""
ASSIGNMENT_DAYS = 90
"""A first contact after more days gives no arm."""
TURN_DAYS = 30
"""Day of engagement at which the hazard of its end changes."""
LEVELS = 5
"""Levels of severity, 0 to 4: measured without error as the detox episodes of the year."""
REGULAR_DAYS = 7
"""Contacts come at least so often while a person is engaged."""
NEVER = 10**6
ENDS = np.array(["disengaged", "readmitted", "death", "disenrolled", "end_of_data"])
COVARIATES = ["n12", "age_years", "sex", "sud_cost_before_usd"]
OPENING = pd.Timestamp("2015-01-01")


@dataclass(frozen=True)
class World:
    """What is planted; rates per day at the mean severity, pairs are (RSN, CSP)."""

    persons: int = 1800
    providers: tuple[int, int] = (24, 24)
    size_shape: float = 2.0
    frailty: float = 0.3
    early_rate: tuple[float, float] = (1 / 180, 1 / 110)
    late_rate: tuple[float, float] = (1 / 180, 1 / 110)
    mean_wait_days: tuple[float, float] = (8.0, 8.0)
    reached_share: float = 0.85
    severity_on_arm: float = 0.0
    severity_on_end: float = 0.0
    severity_on_readmission: float = 0.0
    readmission_rate: float = 1 / 400
    death_rate: float = 1 / 2500
    disenrolment_rate: float = 1 / 400
    intake_days: int = 545
    follow_up_days: int = 365
    return_share: float = 0.25


class Lives(NamedTuple):
    """Persons (n,), days counted from discharge; what would happen were nothing cut short by observation."""

    severity: np.ndarray
    is_rsn: np.ndarray
    provider: np.ndarray
    wait: np.ndarray
    stay: np.ndarray
    silence: np.ndarray
    return_wait: np.ndarray
    return_stay: np.ndarray
    readmitted: np.ndarray
    death: np.ndarray
    unseen: np.ndarray
    is_disenrolled: np.ndarray
    entry: np.ndarray


class Spell(NamedTuple):
    """One spell a person (n,): first and last day from discharge, end (place in ENDS), and whether there is one."""

    first: np.ndarray
    last: np.ndarray
    end: np.ndarray
    exists: np.ndarray

    @property
    def days(self) -> np.ndarray:
        return np.where(self.exists, self.last - self.first + 1, 0)


def live(world: World, rng, persons: int | None = None, *, rsn: bool | None = None, wait_within: int | None = None):
    """Draw persons. `rsn` sends everybody to one arm; `wait_within` makes every wait end within so many days.

    Forced persons have a provider of their own each, as a population has, and are watched for ever.
    """
    forced = persons is not None
    persons = persons or world.persons
    severity = rng.binomial(LEVELS - 1, 0.4, persons)
    centred = severity - 0.4 * (LEVELS - 1)
    is_rsn = rng.random(persons) < 1 / (1 + np.exp(world.severity_on_arm * centred))
    if rsn is not None:
        is_rsn = np.full(persons, rsn)
    provider, effect = _providers(world, rng, is_rsn, forced)
    wait = _waits(world, rng, is_rsn, wait_within)
    burden = np.exp(effect + world.severity_on_end * centred)
    stay = np.ceil(_stay(world, rng.exponential(size=persons) / burden, is_rsn))
    returns = rng.random(persons) < world.return_share
    return_wait = np.where(returns, 1 + rng.geometric(1 / 60, persons), NEVER)
    return_stay = rng.geometric(1 / 40, persons)
    again = np.exp(world.severity_on_readmission * centred) * world.readmission_rate
    readmitted = np.ceil(rng.exponential(size=persons) / again)
    death = np.ceil(rng.exponential(1 / world.death_rate, persons))
    leaves = np.ceil(rng.exponential(1 / world.disenrolment_rate, persons))
    entry = rng.integers(0, world.intake_days, persons)
    closes = world.intake_days + world.follow_up_days - entry
    unseen = np.full(persons, NEVER) if forced else np.minimum(leaves, closes)
    silence = rng.integers(0, REGULAR_DAYS, persons)
    whole = [array.astype(int) for array in (stay, readmitted, death, unseen)]
    return Lives(
        severity,
        is_rsn,
        provider,
        wait,
        whole[0],
        silence,
        return_wait,
        return_stay,
        *whole[1:],
        leaves < closes,
        entry,
    )


def _providers(world: World, rng, is_rsn, forced: bool) -> tuple[np.ndarray, np.ndarray]:
    """Each arm's providers, unequal in size, and the effect of each on the logarithm of the hazard."""
    if forced:
        return np.zeros(len(is_rsn), int), world.frailty * rng.standard_normal(len(is_rsn))
    provider = np.zeros(len(is_rsn), int)
    start = 0
    for mine, number in zip((is_rsn, ~is_rsn), world.providers):
        size = rng.gamma(world.size_shape, size=number)
        provider[mine] = start + rng.choice(number, mine.sum(), p=size / size.sum())
        start += number
    return provider, (world.frailty * rng.standard_normal(start))[provider]


def _waits(world: World, rng, is_rsn, wait_within) -> np.ndarray:
    """Days to the first contact, at least one; some are never reached, unless all waits end in time."""
    rate = 1 / np.where(is_rsn, *world.mean_wait_days)
    luck = rng.random(len(is_rsn))
    if wait_within is not None:
        return np.ceil(-np.log1p(-luck * -np.expm1(-rate * wait_within)) / rate).astype(int).clip(1, wait_within)
    wait = np.ceil(-np.log1p(-luck) / rate).clip(1).astype(int)
    return np.where(rng.random(len(is_rsn)) < world.reached_share, wait, NEVER)


def _stay(world: World, hazard: np.ndarray, is_rsn) -> np.ndarray:
    """Days until the cumulated hazard of the arm, constant before and after TURN_DAYS, reaches `hazard`."""
    early, late = np.where(is_rsn, *world.early_rate), np.where(is_rsn, *world.late_rate)
    turn = early * TURN_DAYS
    return np.where(hazard < turn, hazard / early, TURN_DAYS + (hazard - turn) / late)


def watch(lives: Lives) -> tuple[Spell, Spell, np.ndarray]:
    """See each person's first spell and the return; who waits too long, or for ever, has none.

    Returns
    -------
    tuple
        First spell, second spell, and the last day on which spells are seen.
    """
    last_day = np.minimum(np.minimum(lives.readmitted, lives.death), lives.unseen)
    why = np.select(
        [lives.readmitted == last_day, lives.death == last_day, lives.is_disenrolled],
        [1, 2, 3],
        4,
    )
    is_met = (lives.wait <= ASSIGNMENT_DAYS) & (lives.wait < last_day)
    first = _spell(lives.wait, lives.stay, lives.silence, last_day, why, is_met)
    comes_back = lives.wait + lives.stay - 1 + GAP_DAYS + lives.return_wait
    second = _spell(comes_back, lives.return_stay, lives.silence, last_day, why, is_met & (comes_back < last_day))
    return first, second, last_day


def _spell(begins, stay, silence, last_day, why, exists) -> Spell:
    would_end = begins + stay - 1
    last = np.where(would_end <= last_day, would_end, np.maximum(begins, last_day - silence))
    return Spell(begins, last, np.where(last_day - last > GAP_DAYS, 0, why), exists)


def tables(world: World, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw one program and write it as the pipeline would: its cohort and its spells."""
    rng = np.random.default_rng(seed)
    lives = live(world, rng)
    first, second, _ = watch(lives)
    persons = len(lives.wait)
    person_id = np.array([f"P{number:06d}" for number in range(persons)])
    discharge = OPENING + pd.to_timedelta(lives.entry, unit="D")
    follow_end = np.minimum(lives.death, lives.unseen)
    dies = lives.death == follow_end
    has_again = lives.readmitted <= follow_end
    arm = np.where(lives.is_rsn, *ARMS)
    provider = np.array([f"O{number:03d}" for number in range(sum(world.providers))], object)[lives.provider]
    cohort = pd.DataFrame(
        {
            "person_id": person_id,
            "episode": 1,
            "index_admission_date": discharge - pd.Timedelta(days=5),
            "discharge_date": discharge,
            "facility_id": np.char.add("F", np.char.add(arm.astype(str), (lives.provider % 5).astype(str))),
            "arm": np.where(first.exists, arm, "none"),
            "site_arm": arm,
            "provider_id": np.where(first.exists, provider, None),
            "first_contact_date": _dates(discharge, first.first, first.exists),
            "age_years": rng.integers(20, 64, persons),
            "sex": rng.choice(["female", "male"], persons),
            "race": "unknown",
            "region": "all",
            "dx_class": "alcohol",
            "los_days": 5,
            "is_ama": False,
            "n12": 2 + lives.severity,
            "enrolled_days_before": 365,
            "sud_cost_before_usd": np.round(rng.gamma(2.0, 1500.0, persons) * np.exp(0.3 * lives.severity), 2),
            "total_cost_before_usd": 5000.0,
            "is_moud_before": False,
            "is_mental_before": False,
            "is_prior_program": False,
            "is_both_programs": False,
            "is_acute_transfer": False,
            "follow_end_date": _dates(discharge, follow_end, True),
            "follow_end_reason": np.where(dies, "death", np.where(lives.is_disenrolled, "disenrolled", "end_of_data")),
            "death_date": _dates(discharge, lives.death, dies),
            "readmission_date": _dates(discharge, lives.readmitted, has_again),
        }
    )
    spells = [
        _spell_rows(spell, number, cohort, arm, provider) for number, spell in enumerate((first, second), start=1)
    ]
    spells = pd.concat(spells).sort_values(["person_id", "spell"], ignore_index=True)
    return cohort.reindex(columns=list(Cohort.types())), spells.reindex(columns=list(Spells.types()))


def _spell_rows(spell: Spell, number: int, cohort, arm, provider) -> pd.DataFrame:
    seen = spell.exists
    discharge = pd.DatetimeIndex(cohort.discharge_date)
    rows = pd.DataFrame(
        {
            "person_id": cohort.person_id,
            "program": arm,
            "spell": number,
            "provider_id": provider,
            "first_date": _dates(discharge, spell.first, seen),
            "last_date": _dates(discharge, spell.last, seen),
            "contacts": spell.days // REGULAR_DAYS + 1,
            "contact_days": spell.days // REGULAR_DAYS + 1,
            "minutes": 45,
            "billable_units": 3.0,
            "length_days": spell.days,
            "admin_length_days": pd.array([pd.NA] * len(seen), "Int64"),
            "end_reason": ENDS[spell.end],
            "is_event": spell.end == 0,
        }
    )
    return rows[seen]


def _dates(discharge, days, known) -> pd.DatetimeIndex:
    days = np.where(known, days, 0)
    return (
        (discharge + pd.to_timedelta(days, unit="D")).where(np.broadcast_to(known, days.shape)).astype("datetime64[s]")
    )
