"""Members of the behavioural-health carve-out: who they are, how ill, and when they are covered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.block import NULL
from ratebook.simulate.setup import Setup, choose

KINDS = ("none", "light", "heavy")
NEVER = 10**8


@dataclass
class People:
    """Arrays with one entry a member; `span_start` and `span_end` hold two spans of coverage each.

    A span with its end before its start does not exist.
    """

    number: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    sex: np.ndarray
    race: np.ndarray
    county: np.ndarray
    kind: np.ndarray
    severity: np.ndarray
    drug: np.ndarray
    aid: np.ndarray
    span_start: np.ndarray
    span_end: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def covered(self, person: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Say whether a member is covered on a day."""
        inside = (days[:, None] >= self.span_start[person]) & (days[:, None] <= self.span_end[person])
        return inside.any(axis=1)

    def covered_since(self, person: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Give the first day of the coverage a day falls in, bridging gaps of up to 45 days."""
        second = days >= self.span_start[person, 1]
        gap = self.span_start[person, 1] - self.span_end[person, 0] - 1
        return np.where(second & (gap > 45), self.span_start[person, 1], self.span_start[person, 0])

    def always_covered(self, since: int) -> People:
        """Give the same people, covered from a day on until they die: nothing of them is hidden."""
        never = np.full(len(self), NEVER)
        until = np.where(self.death == NULL, NEVER, self.death)
        return replace(
            self,
            span_start=np.stack([np.full(len(self), since), never], axis=1),
            span_end=np.stack([until, never - 1], axis=1),
        )

    def only(self, chosen: np.ndarray) -> People:
        """Give some of the people."""
        return People(*[values[chosen] for values in vars(self).values()])

    def last_day(self) -> np.ndarray:
        """Give the last day of the last span of coverage."""
        return np.maximum(self.span_end[:, 0], self.span_end[:, 1])


def draw_people(rng, setup: Setup, numbers: np.ndarray, every_death: bool = False) -> People:
    """Draw members of the carve-out.

    Parameters
    ----------
    every_death : bool
        Keep deaths after the study, too: for computing the truth, which looks beyond its end.
    """
    n, detox = len(numbers), setup.settings["detox"]
    shares = (1 - detox["heavy_share"] - detox["light_share"], detox["light_share"], detox["heavy_share"])
    kind = choose(rng, shares, n)
    heavy = kind == 2
    # Users keep to working age through the window, so that few are lost to the age rule.
    age_years = np.where(kind > 0, rng.uniform(17.6, 61.5, n), rng.uniform(17.0, 62.5, n))
    start = np.where(rng.random(n) < 0.68 + 0.12 * heavy, setup.start, rng.integers(setup.start, setup.end - 200, n))
    open_ended = rng.random(n) < 0.52 + 0.13 * heavy
    end = np.where(open_ended, NEVER, start + 180 + rng.exponential(650, n).astype(np.int64))
    has_gap = rng.random(n) < 0.16
    gap_start = start + 150 + rng.integers(0, 700, n)
    gap_days = rng.integers(8, 130, n)
    death_rate = np.array([0.003, 0.011, 0.016])[kind]
    death = start + (rng.exponential(1, n) / death_rate * 365.25).astype(np.int64)
    last = np.minimum(end, death)
    split = has_gap & (gap_start + gap_days < last)
    span_start = np.stack([start, np.where(split, gap_start + gap_days, NEVER)], axis=1)
    span_end = np.stack([np.where(split, gap_start - 1, last), np.where(split, last, NEVER - 1)], axis=1)
    return People(
        number=numbers,
        birth=setup.start - (age_years * 365.25).astype(np.int64),
        death=np.where((death <= setup.end) | every_death, death, NULL),
        sex=choose(rng, (0.56, 0.435, 0.005), n),
        race=choose(rng, (0.52, 0.16, 0.14, 0.18), n),
        county=choose(rng, world.COUNTY_SHARES, n),
        kind=kind,
        severity=rng.normal(0, 1, n),
        drug=choose(rng, world.SUD_SHARES, n),
        aid=choose(rng, (0.55, 0.30, 0.15), n),
        span_start=span_start,
        span_end=span_end,
    )
