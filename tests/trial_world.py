"""A world in which clients wait for either program at their own pace, and which of them could have been, is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engagement_data import study
from ratebook.contracts.episodes import CohortFlow
from ratebook.engagement.trial import estimate_trial

COVARIATES = ["is_ama"]
FOLLOWED_DAYS = 460
SETTINGS = {
    "spell_gap_days": 30,
    "assignment_days": 90,
    "horizons_days": [90, 180],
    "landmark_days": [14, 30],
    "grace_days": [14, 30],
    "covariates": COVARIATES,
    "boot_reps": 20,
    "seed": 1,
}
FLOW = pd.DataFrame(
    [(1, "adult", "Aged 18 to 64", 0, 9, 8), (2, "enrolled", "Covered the day after", 1, 8, 7)],
    columns=list(CohortFlow.types()),
)


@dataclass(frozen=True)
class World:
    """Mean days by program (RSN, CSP) and, multiplied, for the severe; severity is known, as `is_ama`.

    `is_referred_once`: half are referred to either program, at random, and never reach the other of their own accord.
    """

    wait_days: tuple[float, float] = (20.0, 10.0)
    wait_if_severe: tuple[float, float] = (1.0, 1.0)
    stay_days: tuple[float, float] = (60.0, 60.0)
    stay_if_severe: float = 0.5
    death_days: float = 4000.0
    death_if_severe: float = 1.0
    is_referred_once: bool = False


CONFOUNDED = World(
    wait_days=(20, 12), wait_if_severe=(3.0, 0.6), stay_days=(90, 60), death_days=600, death_if_severe=0.1
)


def draw(world: World, persons: int, seed: int):
    """Draw severity, the days at which either program would be reached, the stays with it, and death."""
    rng = np.random.default_rng(seed)
    severe = rng.random(persons) < 0.5
    wait, stay = (
        np.ceil(rng.exponential(np.array(mean), (persons, 2)) * np.where(severe[:, None], factor, 1.0))
        for mean, factor in ((world.wait_days, world.wait_if_severe), (world.stay_days, world.stay_if_severe))
    )
    death = np.ceil(rng.exponential(world.death_days, persons) * np.where(severe, world.death_if_severe, 1.0))
    if world.is_referred_once:
        wait[np.arange(persons), rng.integers(0, 2, persons)] = np.inf
    return severe, wait, stay, death


def observed(world: World, persons: int = 6000, seed: int = 1, providers: int = 40):
    """Write what was seen of it: who reached a program first, before death, and how long they stayed."""
    severe, wait, stay, death = draw(world, persons, seed)
    cohort, spells = study(persons, seed=seed)
    first = wait.argmin(axis=1)
    day, length = wait.min(axis=1), stay[np.arange(persons), first]
    is_met = (day <= SETTINGS["assignment_days"]) & (day <= death)
    end = np.minimum(death, FOLLOWED_DAYS)
    arm = np.where(is_met, np.where(first == 0, "RSN", "CSP"), "none")
    number = np.random.default_rng(seed).integers(0, providers, persons)
    provider = pd.Series([f"{a}{n:02d}" for a, n in zip(arm, number)]).where(is_met, None)

    def date(days):
        return cohort.discharge_date + pd.to_timedelta(np.minimum(days, 9_999), unit="D")

    cohort = cohort.assign(
        is_ama=severe, arm=arm, site_arm=np.where(number % 2, "RSN", "CSP"), provider_id=provider,
        first_contact_date=date(day).where(is_met), follow_end_date=date(end), death_date=date(death).where(death <= end),
        follow_end_reason=np.where(death <= end, "death", "end_of_data"),
    )  # fmt: skip
    last = np.minimum(day + length - 1, end)
    spells = spells.assign(
        program=arm, provider_id=provider, first_date=date(day), last_date=date(last), length_days=last - day + 1
    )
    return cohort, spells[is_met].reset_index(drop=True)


def truth(world: World, grace_days: int, horizon_days: int, persons: int = 400_000) -> float:
    """Give the difference were all who outlive grace to start in it, when those of their kind who start then do."""
    severe, wait, stay, death = draw(world, persons, 99)
    mean = np.array(world.wait_days) * np.where(severe[:, None], np.array(world.wait_if_severe), 1.0)
    luck = np.random.default_rng(98).random((persons, 2))
    in_time = np.ceil(-np.log1p(luck * np.expm1(-grace_days / mean)) * mean)
    start = np.where((death > grace_days)[:, None], in_time, np.minimum(wait, horizon_days))
    end = np.minimum(np.minimum(start + stay, (death + 1)[:, None]), horizon_days)
    days = np.maximum(end - start, 0).mean(axis=0)
    return float(days[0] - days[1])


def emulate(cohort, spells, **changes):
    """Emulate the trial by the usual settings, any of them changed."""
    return estimate_trial(cohort, FLOW, spells, **{**SETTINGS, **changes})


def differences(found, tau=180):
    """Give the difference between the arms in engaged days, by method."""
    rows = found.trial[(found.trial.estimand == "engaged_days_difference") & (found.trial.tau_days == tau)]
    return rows.set_index("method").estimate.astype(float)
