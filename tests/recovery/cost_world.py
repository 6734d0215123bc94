"""A program whose costs are known: who lives and stays how long, what a day costs, and what was seen of it.

Times are whole days from discharge. A member's world holds the day of death, the spells with a navigator, the dollars
of every day alive, engaged or dying, and the day from which nothing more is seen. Only then are costs written as the
pipeline's windows would hold them: by interval, up to the last day seen. Nothing here uses the code that is under
study but the edges of its intervals, and the same lives seen for ever give the truth.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.cost.intervals import interval_days

HORIZON_DAYS, INTERVALS = 365, 12
EDGES = interval_days(HORIZON_DAYS, INTERVALS)
MONTH_DAYS = 30.4375
NEVER = 10**6
TRUE_LIVES, BATCH = 400_000, 50_000
VISIT_USD, DYING_DAYS = 60.0, 30


@dataclass(frozen=True)
class CostWorld:
    """What is planted; pairs are (RSN, CSP).

    Of other SUD cost `stay_usd` falls in the first days (front-loaded), `daily_usd` on every day alive,
    `engaged_usd` on every engaged day, and `dying_usd` in the last days before death. `spread` and `frailty` are the
    standard deviations of the providers' effects on the logarithm of other cost and of length.
    """

    persons: int = 900
    providers: tuple[int, int] = (24, 24)
    size_shape: float = 2.0
    spread: float = 0.2
    frailty: float = 0.2
    mean_stay_days: tuple[float, float] = (290.0, 58.0)
    return_share: float = 0.15
    death_rate: float = 1 / 1000
    stay_usd: tuple[float, float] = (1000.0, 1000.0)
    daily_usd: tuple[float, float] = (2.8, 2.8)
    engaged_usd: tuple[float, float] = (12.5, 12.5)
    dying_usd: float = 1500.0
    other_care_usd: float = 3.0
    episode_usd: tuple[float, float] = (300.0, 0.0)
    month_usd: tuple[float, float] = (150.0, 0.0)
    unit_usd: tuple[float, float] = (0.0, 12.0)
    units_a_month: tuple[float, float] = (10.0, 30.0)
    leaving_rate: tuple[float, float] = (1 / 1600, 1 / 1600)
    closing_share: tuple[float, float] = (0.18, 0.18)

    @property
    def rates(self) -> tuple[float, float]:
        """Amount per episode and per month of the case rate."""
        return self.episode_usd[0], self.month_usd[0]


class Lives(NamedTuple):
    """Members (n,): arm and provider, their effects, spells as first day and day after the last, death, last day seen."""

    is_rsn: np.ndarray
    provider: np.ndarray
    effect: np.ndarray
    spells: tuple[tuple[np.ndarray, np.ndarray], ...]
    death: np.ndarray
    unseen: np.ndarray
    is_leaving: np.ndarray


def live(
    world: CostWorld, rng, persons: int | None = None, rsn: bool | None = None, is_watched: bool = False
) -> Lives:
    """Draw members. `rsn` sends everybody to one arm, each with a provider of their own; `is_watched` hides nothing."""
    persons = persons or world.persons
    is_rsn = np.arange(persons) % 2 == 0 if rsn is None else np.full(persons, rsn)
    provider = _providers(world, rng, is_rsn) if rsn is None else np.arange(persons)
    effects = rng.standard_normal((2, provider.max() + 1))[:, provider]
    effect = np.exp(world.spread * effects[0] - world.spread**2 / 2)
    stay = np.ceil(rng.exponential(np.where(is_rsn, *world.mean_stay_days)) * np.exp(world.frailty * effects[1]))
    begins = rng.geometric(1 / 6, persons)
    pause, again = 31 + rng.geometric(1 / 60, persons), rng.geometric(1 / 30, persons)
    pause = np.where(rng.random(persons) < world.return_share, pause, NEVER)
    back = begins + stay + pause
    death = rng.geometric(world.death_rate, persons)
    leaves = rng.geometric(np.where(is_rsn, *world.leaving_rate))
    closes = rng.integers(30, HORIZON_DAYS, persons)
    closes = np.where(rng.random(persons) < np.where(is_rsn, *world.closing_share), closes, NEVER)
    unseen = np.full(persons, NEVER) if is_watched else np.minimum(leaves, closes)
    spells = tuple(
        (first.astype(int), last.astype(int)) for first, last in ((begins, begins + stay), (back, back + again))
    )
    return Lives(is_rsn, provider, effect, spells, death, unseen, leaves < closes)


def _providers(world: CostWorld, rng, is_rsn: np.ndarray) -> np.ndarray:
    provider, start = np.zeros(len(is_rsn), int), 0
    for mine, number in zip((is_rsn, ~is_rsn), world.providers):
        size = rng.gamma(world.size_shape, size=number)
        provider[mine] = start + rng.choice(number, mine.sum(), p=size / size.sum())
        start += number
    return provider


class Seen(NamedTuple):
    """Members by intervals: dollars and units by category, engaged days, units of the log, spells begun; days seen."""

    usd: dict[str, np.ndarray]
    units: dict[str, np.ndarray]
    engaged_days: np.ndarray
    log_units: np.ndarray
    spells: np.ndarray
    followed: np.ndarray
    is_complete: np.ndarray


def watch(world: CostWorld, lives: Lives, rng) -> Seen:
    """Count what falls into each interval while a member is alive and seen; amounts vary about what a day costs."""
    alive = np.minimum(lives.death, HORIZON_DAYS)
    followed = np.minimum(alive, lives.unseen)

    def pair(values: tuple[float, float]) -> np.ndarray:
        return np.where(lives.is_rsn, *values)[:, None]

    def days(first, after) -> np.ndarray:
        first, after = (np.broadcast_to(np.asarray(day), followed.shape)[:, None] for day in (first, after))
        after = np.minimum(after, followed[:, None])
        return np.clip(np.minimum(after, EDGES[1:]) - np.maximum(first, EDGES[:-1]), 0, None)

    def begins(first) -> np.ndarray:
        return days(first, first + 1)

    def luck() -> np.ndarray:
        return rng.gamma(2.0, 0.5, (len(followed), INTERVALS)) * rng.gamma(2.0, 0.5, (len(followed), 1))

    engaged = sum(days(*spell) for spell in lives.spells)
    spells = sum(begins(first) for first, _ in lives.spells)
    log_units = rng.poisson(engaged * pair(world.units_a_month) / MONTH_DAYS).astype(float)
    effect = lives.effect[:, None]
    dying = days(np.maximum(lives.death - DYING_DAYS, 0), np.where(lives.death < HORIZON_DAYS, lives.death, 0))
    visits = rng.poisson(effect * engaged * pair(world.engaged_usd) / VISIT_USD).astype(float)
    usd = {
        "NAVIGATOR": spells * pair(world.episode_usd)
        + engaged * pair(world.month_usd) / MONTH_DAYS
        + log_units * pair(world.unit_usd),
        "RES35": effect * (days(0, 10) / 10 * pair(world.stay_usd) * luck() + dying * world.dying_usd / DYING_DAYS),
        "WM_RES": effect * days(0, NEVER) * pair(world.daily_usd) * luck(),
        "OP_SUD": visits * VISIT_USD,
        "IP_MEDICAL": days(0, NEVER) * world.other_care_usd * luck(),
    }
    usd = {name: np.round(values, 2) for name, values in usd.items()}
    units = {"NAVIGATOR": log_units, "OP_SUD": visits}
    units |= {name: np.round(usd[name] / price, 4) for name, price in (("RES35", 90.0), ("WM_RES", 110.0))}
    units["IP_MEDICAL"] = (usd["IP_MEDICAL"] > 0).astype(float)
    return Seen(usd, units, engaged, log_units, spells.astype(int), followed, alive <= lives.unseen)


def tables(world: CostWorld, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw one program and write it as the pipeline would: follow-up, costs and the service log by interval."""
    rng = np.random.default_rng(seed)
    lives = live(world, rng)
    seen = watch(world, lives, rng)
    person_id = np.array([f"P{number:06d}" for number in range(len(seen.followed))], object)
    reason = np.select(
        [seen.is_complete & (seen.followed < HORIZON_DAYS), seen.is_complete, lives.is_leaving],
        ["death", "horizon", "disenrolled"],
        "end_of_data",
    )
    follow_up = pd.DataFrame(
        {
            "person_id": person_id,
            "arm": np.where(lives.is_rsn, *ARMS),
            "provider_id": np.char.add("O", lives.provider.astype(str)).astype(object),
            "discharge_date": dt.date(2016, 1, 1),
            "followed_days": seen.followed,
            "end_reason": reason,
            "is_complete": seen.is_complete,
            "eligible_months": seen.followed / MONTH_DAYS,
            "engaged_calendar_months": np.ceil(seen.engaged_days.sum(axis=1) / MONTH_DAYS).astype(int),
            "engaged_ceil30_months": np.ceil(seen.engaged_days.sum(axis=1) / 30).astype(int),
            "contact_months": 1,
        }
    )
    costs = [
        _rows(person_id, seen.usd[name] > 0, category=name, cost_usd=seen.usd[name], units=seen.units[name])
        for name in seen.usd
    ]
    costs = pd.concat(costs, ignore_index=True).assign(window="post", engaged_cost_usd=0.0)
    logged = {"engaged_days": seen.engaged_days, "billable_units": seen.log_units, "spells": seen.spells}
    clients = _rows(person_id, seen.engaged_days > 0, **logged, contacts=1)
    return follow_up, costs.assign(real_cost_usd=costs.cost_usd), clients


def _rows(person_id: np.ndarray, chosen: np.ndarray, **columns) -> pd.DataFrame:
    member, interval = np.nonzero(chosen)
    values = {
        name: value[member, interval] if isinstance(value, np.ndarray) else value for name, value in columns.items()
    }
    return pd.DataFrame({"person_id": person_id[member], "interval": interval + 1, **values})


class Truth(NamedTuple):
    """By arm: means per member of dollars and units by category, engaged months, log units, spells; eligible months."""

    usd: dict[str, float]
    units: dict[str, float]
    months: float
    log_units: float
    spells: float
    eligible_months: float

    def cost(self, name: str) -> float:
        """Mean dollars of a cost of the contract."""
        if name == "program":
            return self.usd["NAVIGATOR"]
        total = sum(self.usd.values())
        sud = total - self.usd["IP_MEDICAL"]
        return {"tcoc": total, "total_sud": sud, "other_sud": sud - self.usd["NAVIGATOR"]}[name]


@cache
def truth_of(world: CostWorld, is_watched: bool = True) -> dict[str, Truth]:
    """Average a large sample of each arm, every member with a provider of their own; hidden as in the data if not watched."""
    found = {}
    for number, arm in enumerate(ARMS):
        rng, parts = np.random.default_rng([7, number]), []
        for size in [BATCH] * (TRUE_LIVES // BATCH):
            drawn = live(world, rng, size, rsn=arm == "RSN", is_watched=is_watched)
            seen = watch(world, drawn, rng)
            parts.append([*(_mean(part) for part in seen[:5]), seen.followed.mean() / MONTH_DAYS])
        usd, units = ({name: np.mean([part[at][name] for part in parts]) for name in parts[0][at]} for at in (0, 1))
        days, log_units, spells, eligible = (float(np.mean([part[at] for part in parts])) for at in (2, 3, 4, 5))
        found[arm] = Truth(usd, units, days / MONTH_DAYS, log_units, spells, eligible)
    return found


def _mean(values):
    if isinstance(values, dict):
        return {name: _mean(one) for name, one in values.items()}
    return float(values.sum(axis=1).mean())
