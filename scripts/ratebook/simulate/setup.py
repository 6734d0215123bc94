"""What every generator is handed: the study's days, the settings of `config.yaml`, and the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratebook.simulate.block import day, expand, month_number
from ratebook.simulate.network import Network, build_network
from ratebook.simulate.world import SEASON


@dataclass(frozen=True)
class Setup:
    """Days since 1970, the section `simulate` of the config, and the network of providers."""

    start: int
    end: int
    extract: int
    settings: dict
    network: Network

    @property
    def middle(self) -> int:
        """Give the day in the middle of the study: until then a reused id was one person's, since then another's."""
        return (self.start + self.end) // 2

    def season(self, days: np.ndarray) -> np.ndarray:
        """Use of services on a day beside that of the first year's mean: season times yearly growth."""
        years = (days - self.start) / 365.25
        return np.array(SEASON)[month_number(days) % 12] * (1 + self.settings["utilisation_trend"]) ** years

    def price(self, days: np.ndarray) -> np.ndarray:
        """Unit cost on a day beside that of the first day."""
        return (1 + self.settings["unit_cost_trend"]) ** ((days - self.start) / 365.25)


def read_setup(study: dict, settings: dict) -> Setup:
    """Turn the config's dates into days and draw the network."""
    return Setup(
        start=day(study["window_start"]),
        end=day(study["window_end"]),
        extract=day(study["extract_date"]),
        settings=settings,
        network=build_network(settings["seed"], settings["engagement"]["provider_sd"]),
    )


def arrivals(rng, setup: Setup, start, end, per_year) -> tuple[np.ndarray, np.ndarray]:
    """Draw events of a Poisson process with season and growth over each closed span.

    Returns
    -------
    tuple of numpy.ndarray
        The span each event belongs to, and its day; in the order of spans.
    """
    start, length = np.asarray(start), np.maximum(np.asarray(end) - np.asarray(start) + 1, 0)
    years = max((setup.end - setup.start) / 365.25, 0)
    most = max(SEASON) * max(1.0, (1 + setup.settings["utilisation_trend"]) ** years)
    source, _ = expand(rng.poisson(np.asarray(per_year) * length / 365.25 * most))
    days = start[source] + (rng.random(len(source)) * length[source]).astype(np.int64)
    kept = rng.random(len(source)) * most < setup.season(days)
    return source[kept], days[kept]


def choose(rng, shares, n: int) -> np.ndarray:
    """Draw `n` numbers of categories with the given shares."""
    return np.searchsorted(np.cumsum(shares)[:-1] / np.sum(shares), rng.random(n), side="right")


def noise(rng, spread: float, n: int) -> np.ndarray:
    """Draw log-normal factors with mean 1."""
    return np.exp(rng.normal(0, spread, n) - spread**2 / 2)


def cents(dollars: np.ndarray) -> np.ndarray:
    """Round dollars to whole cents."""
    return np.rint(np.asarray(dollars) * 100).astype(np.int64)
