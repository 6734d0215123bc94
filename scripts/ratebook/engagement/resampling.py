"""Standard errors that know clients of one provider are alike: resample providers, not clients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ratebook.contracts.episodes import ARMS


class Resampling(NamedTuple):
    """Which unit each person belongs to, how often each counts in each replicate, and by arm how many there are.

    `equals` is the number of equally large units that would tell as much: (Σ persons)² / Σ persons².
    """

    unit: np.ndarray
    counts: np.ndarray
    error_unit: str
    sizes: dict[str, int]
    equals: dict[str, float]

    def among(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the chosen persons' units, numbered 0, 1, …, and the counts (reps, those units)."""
        units, unit = np.unique(self.unit[chosen], return_inverse=True)
        return unit, self.counts[:, units]

    def size(self, arms: tuple[str, ...]) -> int:
        """Units of the arms together."""
        return sum(self.sizes.get(arm, 0) for arm in arms)

    def quantile(self, arms: tuple[str, ...]) -> float:
        """97.5% quantile of Student's t; its degrees of freedom are the arms' `equals`, less one for each arm.

        Where a few providers have most of the clients, the error rests on those few: with as many degrees as there
        are providers a true null of two arms of six unequal ones was rejected in 7.6% of programs, not in 5%.
        """
        return float(stdtrit(max(sum(self.equals.get(arm, 0) for arm in arms) - len(arms), 1), 0.975))


def resample(arm: pd.Series, cluster: pd.Series, reps: int, seed: int, named_for: str = "provider") -> Resampling:
    """Draw providers with their clients inside, arm by arm; persons where an arm has fewer than two providers.

    Of an arm's m units m - m / `equals` are drawn with replacement and count the more for it (m - 1 of equal ones, each
    m / (m - 1)): that makes the replicates' variance unbiased even for a handful of unequal providers, where that of
    m - 1 draws was 8% too small with six an arm. A provider that serves both arms is drawn
    with the arm of most of its clients, and takes all its clients along. How many providers there are is asked of
    the arms compared: members of neither arm have no provider, however few they are.

    Parameters
    ----------
    arm, cluster : Series (n,)
        Arm and provider of each person; a missing provider makes the person a unit of its own.
    named_for : str
        What a cluster is called, where it is another than the provider.

    Returns
    -------
    Resampling
        `counts` of shape (reps, units).

    References
    ----------
    methods.md, C4 and D5; Rao & Wu 1988, the rescaled bootstrap; Carter, Schnepel & Steigerwald 2017, the
    effective number of clusters.
    """
    arm = arm.reset_index(drop=True)
    named = pd.Series(cluster_codes(cluster), index=arm.index)
    home = pd.crosstab(named, arm).idxmax(axis=1) if len(arm) else pd.Series(dtype=object)
    by_provider = _has_providers(home, named[cluster.notna().to_numpy()], arm)
    if not by_provider:
        named, home = arm.index, arm
    codes = pd.Index(home.index)
    generator = np.random.default_rng(seed)
    counts = np.zeros((reps, len(codes)))
    place = codes.get_indexer(named)
    persons = np.bincount(place, minlength=len(codes))
    sizes, equals = {}, {}
    for name in sorted(home.unique()):
        mine = np.flatnonzero((home == name).to_numpy())
        sizes[name] = len(mine)
        equals[name] = float(persons[mine].sum() ** 2 / (persons[mine] ** 2).sum())
        share = persons[mine] / persons[mine].sum()
        counts[:, mine] = _counts(share, reps, generator)
    return Resampling(place, counts, named_for if by_provider else "person", sizes, equals)


def _counts(share: np.ndarray, reps: int, generator) -> np.ndarray:
    """Draw how often units with these shares of an arm's persons count: k of m with replacement, about 1 on average.

    A unit's distance from its arm's mean is short by the unit's own part in that mean, of large units most. Of the
    variance 1 - Σ share² is left, so that k is as large a part of m: m - 1 where all are equal. What is lost in
    rounding k down is made up by less distance from 1.
    """
    units = len(share)
    wanted = max(round(units * (1 - (share**2).sum()), 6), 1.0)
    draws = int(wanted)
    # A sole unit cannot be drawn otherwise than it is.
    drawn = generator.multinomial(draws, np.full(units, 1 / units), size=reps) * (units / draws)
    return 1 + (draws / wanted) ** 0.5 * (drawn - 1)


def _has_providers(home: pd.Series, named: pd.Series, arm: pd.Series) -> bool:
    """Say whether each arm compared has at least two providers with a name."""
    compared = [name for name in ARMS if (arm == name).any()]
    return bool(compared) and home[named.unique()].value_counts().reindex(compared).fillna(0).min() >= 2


def cluster_codes(cluster: pd.Series):
    """Number the providers 0, 1, …; a person without one is a provider of its own."""
    named = cluster.reset_index(drop=True).astype("object")
    own = pd.Series("person " + named.index.astype(str), index=named.index)
    return pd.factorize(named.where(named.notna(), own))[0]
