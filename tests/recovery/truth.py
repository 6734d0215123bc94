"""What is true of a world: very many persons, each with a provider of their own, sent to either arm and never lost.

Only death and another detox can end these lives' engagement before its time, so no curve, weight or censoring rule
is needed: every truth is a mean over persons. It is drawn from the world at hand, never written down.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ratebook.contracts.episodes import ARMS
from recovery.world import ENDS, LEVELS, World, live, watch

PERSONS = 3_000_000
BATCH = 500_000
SEED = 20_240_229
Key = tuple[str, str, int | None, str]
"""Estimand, method, horizon (or day) and arm."""


@cache
def truth_of(
    world: World,
    horizons_days: tuple[int, ...],
    incidence_days: tuple[int, ...],
    landmark_days: int,
    grace_days: int,
) -> dict[Key, float]:
    """Give every estimand's true value in both arms, and the difference of the arms.

    - `kaplan_meier`: of the first spell, among those who would reach a navigator of their own accord.
    - `overlap_weighted`, `inverse_weighted`, `treated_weighted`: the same spells, both arms with the severity of the
      persons whom the weights describe: those who could have gone either way, everybody, those of the first arm.
    - `clone_censor_weight`: days engaged from discharge were everybody sent to the arm and, unless readmitted or
      dead before, met within `grace_days`.
    - `landmark`: days engaged from day `landmark_days`, among those met by then and neither readmitted nor dead.
    """
    found: dict[Key, float] = {}
    share = _share_met(world)
    for arm, rsn in zip(ARMS, (True, False)):
        total: dict[Key, list[float]] = {}
        for batch in range(PERSONS // BATCH):
            seed = [SEED, batch, int(rsn)]
            _first_spells(
                total, world, arm, rsn, share, horizons_days, incidence_days, np.random.default_rng([*seed, 0])
            )
            _days(total, world, arm, rsn, horizons_days, landmark_days, grace_days, np.random.default_rng([*seed, 1]))
        found |= {key: sums[0] / sums[1] for key, sums in total.items()}
    for estimand, method, tau, _ in [key for key in found if key[3] == ARMS[0]]:
        one, other = (found[estimand, method, tau, arm] for arm in ARMS)
        found[f"{estimand}_difference", method, tau, "RSN vs CSP"] = one - other
    return found


def _share_met(world: World) -> np.ndarray:
    """Share of the persons of each level who are sent to each arm and met, (RSN, CSP) × levels."""
    lives = live(world, np.random.default_rng([SEED, 2]), PERSONS)
    met = watch(lives)[0].exists
    place = np.where(lives.is_rsn, 0, LEVELS) + lives.severity
    return np.bincount(place[met], minlength=2 * LEVELS).reshape(2, LEVELS) / PERSONS


def _add(total, key: Key, value, weight) -> None:
    sums = total.setdefault(key, [0.0, 0.0])
    sums[0] += float((value * weight).sum())
    sums[1] += float(np.broadcast_to(weight, np.shape(value)).sum())


def _first_spells(total, world, arm, rsn, share, horizons_days, incidence_days, rng) -> None:
    lives = live(world, rng, BATCH, rsn=rsn)
    first, _, _ = watch(lives)
    met = first.exists
    own = share[0 if rsn else 1]
    level = np.bincount(lives.severity[met], minlength=LEVELS)
    both = share.sum(0)
    weights = {"kaplan_meier": own, "overlap_weighted": share[0] * share[1] / both}
    weights |= {"inverse_weighted": both, "treated_weighted": share[0]}
    weights = {method: (weight / level)[lives.severity[met]] for method, weight in weights.items()}
    natural = weights["kaplan_meier"]
    days = first.days[met]
    for tau in horizons_days:
        for method, weight in weights.items():
            _add(total, ("rmst", method, tau, arm), np.minimum(days, tau), weight)
        _add(total, ("survival", "kaplan_meier", tau, arm), days > tau, natural)
    for day in incidence_days:
        for cause in (0, 1, 2):
            ended = (days <= day) & (first.end[met] == cause)
            _add(total, (f"incidence of {ENDS[cause]}", "aalen_johansen", day, arm), ended, natural)


def _days(total, world, arm, rsn, horizons_days, landmark_days, grace_days, rng) -> None:
    for method, within, start in (("clone_censor_weight", grace_days, 0), ("landmark", landmark_days, landmark_days)):
        lives = live(world, rng, BATCH, rsn=rsn, wait_within=within)
        first, second, last_day = watch(lives)
        there = (last_day > start) & (first.exists | (start == 0))
        for tau in horizons_days:
            engaged = sum(_overlap(spell, start, start + tau) for spell in (first, second))
            _add(total, ("engaged_days", method, tau, arm), engaged[there], np.ones(1))


def _overlap(spell, start: int, end: int) -> np.ndarray:
    days = np.minimum(spell.last + 1, end) - np.maximum(spell.first, start)
    return np.where(spell.exists, np.maximum(days, 0), 0)
