"""Facilities and organisations: who refers to whom, what each charges, how well each engages its clients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.world import PROVIDERS, words

ARMS = ("RSN", "CSP")


@dataclass(frozen=True)
class Network:
    """The same for every batch of members: it is drawn once, from the seed."""

    detox: np.ndarray
    """Word of each detoxification facility: residential units first, then hospitals."""
    detox_is_hospital: np.ndarray
    site_arm: np.ndarray
    """0 where the facility refers mainly to RSN organisations, 1 where to CSP."""
    partners: np.ndarray
    """Facility by arm by partner: organisations it refers to."""
    organisation: dict[str, np.ndarray]
    frailty: dict[str, np.ndarray]
    """Log of each organisation's factor on the length of engagement."""
    per_diem: dict[str, np.ndarray]
    """Dollars a day in the first year, by kind of facility."""
    ancillary: np.ndarray
    """Dollars of ancillary cost per nursing-home resident and month."""


def build_network(seed: int, provider_sd: float) -> Network:
    """Draw the network of a simulated program."""
    rng = np.random.default_rng([seed, 7])
    units, hospitals = PROVIDERS["detox_unit"], PROVIDERS["hospital"]
    n = len(units) + len(hospitals)
    homes = len(PROVIDERS["nursing_home"])
    level = np.arange(homes) % 3 == 2
    low = np.where(level, world.PER_DIEM_USD["ICF"][0], world.PER_DIEM_USD["SNF"][0])
    high = np.where(level, world.PER_DIEM_USD["ICF"][1], world.PER_DIEM_USD["SNF"][1])
    return Network(
        detox=words([*units, *hospitals]),
        detox_is_hospital=np.arange(n) >= len(units),
        site_arm=np.arange(n) % 2,
        partners=np.stack([rng.integers(0, len(PROVIDERS[arm]), (n, 4)) for arm in ARMS], axis=1),
        organisation={arm: words(PROVIDERS[arm]) for arm in ARMS},
        frailty={arm: rng.normal(0, provider_sd, len(PROVIDERS[arm])) for arm in ARMS},
        per_diem={
            "nursing_home": np.round(rng.uniform(low, high), 2),
            "assisted_living": np.round(rng.uniform(*world.PER_DIEM_USD["ALF"], len(PROVIDERS["assisted_living"])), 2),
            "adult_day_care": np.round(rng.uniform(*world.PER_DIEM_USD["ADC"], len(PROVIDERS["adult_day_care"])), 2),
        },
        ancillary=np.round(rng.uniform(40, 190, homes), 2),
    )
