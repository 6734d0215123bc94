"""Withdrawal management: admissions that come back, the stays they are made of, and the claims for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.block import NO_WORD, Block, block, expand
from ratebook.simulate.people import NEVER, People
from ratebook.simulate.setup import Setup, cents, choose, noise
from ratebook.simulate.world import CATEGORIES, DETOX, word, words

MOST = 90
"""Most admissions of one person in the study."""


@dataclass
class Admissions:
    """Arrays with one entry an episode, by person and admission."""

    person: np.ndarray
    admit: np.ndarray
    discharge: np.ndarray
    facility: np.ndarray
    transfer_day: np.ndarray
    second_facility: np.ndarray
    against_advice: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    def last_facility(self) -> np.ndarray:
        """Give the facility of discharge, as a number within the network."""
        return np.where(self.transfer_day > 0, self.second_facility, self.facility)


def draw_admissions(rng, setup: Setup, people: People) -> Admissions:
    """Draw each user's admissions as a renewal process: a stay, then a pause of random length.

    A heavy user's mean pause follows from `detox.heavy_per_year` and a gamma factor of his own; pauses are long now
    and then, so that admissions come in runs. Use begins at a random day for heavy users, so that first eligible
    admissions fall on every year of the study.
    """
    settings, network = setup.settings["detox"], setup.network
    users = np.flatnonzero(people.kind > 0)
    n, heavy = len(users), people.kind[users] == 2
    shape = settings["heterogeneity_shape"]
    own = np.where(heavy, rng.gamma(shape, 1 / shape, n), 1.0) * np.exp(0.15 * people.severity[users])
    per_year = np.where(heavy, settings["heavy_per_year"], settings["light_per_year"]) * own
    nights = 1 + rng.poisson(DETOX["nights"] - 1, (n, MOST))
    pause = rng.exponential(1, (n, MOST)) * (365.25 / per_year - DETOX["nights"] - 2).clip(3)[:, None]
    run = rng.random((n, MOST)) < 0.08
    pause = np.where(run, pause * 4.0, pause * (1 - 0.08 * 4.0) / 0.92)
    onset = np.where(
        heavy & (rng.random(n) < 0.35), rng.integers(setup.start, setup.start + 900, n), setup.start - 400
    )
    step = 2 + pause.astype(np.int64) + nights
    admit = onset[:, None] + np.cumsum(step, axis=1) - nights
    inside = (admit >= setup.start) & (admit + nights <= setup.end)
    row, column = np.nonzero(inside)
    person, admit = users[row], admit[row, column]
    discharge = admit + nights[row, column]
    alive = (discharge < np.where(people.death[person] < 0, NEVER, people.death[person])) & people.covered(
        person, admit
    )
    alive &= people.covered(person, discharge)
    person, admit, discharge = person[alive], admit[alive], discharge[alive]
    n = len(person)
    facility = _facility(rng, setup, people.severity[person])
    nights = discharge - admit
    moves = (rng.random(n) < DETOX["transfer_share"]) & (nights >= 3)
    return Admissions(
        person=person,
        admit=admit,
        discharge=discharge,
        facility=facility,
        transfer_day=np.where(moves, 1 + (rng.random(n) * (nights - 1)).astype(np.int64), 0),
        second_facility=np.where(moves, (facility + 2 * rng.integers(1, 12, n)) % len(network.detox), facility),
        against_advice=rng.random(n) < DETOX["against_advice_share"],
    )


def _facility(rng, setup: Setup, severity: np.ndarray) -> np.ndarray:
    """Choose a facility: sicker people go a little more often to those that refer to RSN (confounding)."""
    network, n = setup.network, len(severity)
    tilt = setup.settings["confounding"] * severity
    arm = (rng.random(n) > 1 / (1 + np.exp(-tilt))).astype(np.int64)
    hospital = rng.random(n) < DETOX["hospital_share"]
    found = np.zeros(n, np.int64)
    for a in (0, 1):
        for h in (False, True):
            pool = np.flatnonzero((network.site_arm == a) & (network.detox_is_hospital == h))
            here = (arm == a) & (hospital == h)
            found[here] = pool[rng.integers(0, len(pool), here.sum())]
    return found


def bill_detox(rng, setup: Setup, people: People, admissions: Admissions) -> Block:
    """Bill each stay: residential units a line a night on a professional claim, hospitals one inpatient claim."""
    source, part = expand(1 + (admissions.transfer_day > 0))
    moved = admissions.transfer_day[source]
    admit = admissions.admit[source] + np.where(part == 1, moved, 0)
    discharge = np.where((part == 0) & (moved > 0), admissions.admit[source] + moved, admissions.discharge[source])
    facility = np.where(part == 1, admissions.second_facility[source], admissions.facility[source])
    last = (part == 1) | (moved == 0)
    status = np.where(last, np.where(admissions.against_advice[source], word("07"), word("01")), word("02"))
    hospital = setup.network.detox_is_hospital[facility]
    person = admissions.person[source]
    nights = discharge - admit
    stay, night = expand(np.where(hospital, 3, nights))
    ward = hospital[stay]
    unit_usd = np.where(ward, DETOX["hospital_night_usd"] * nights[stay] / 3, DETOX["night_usd"])
    factor = setup.price(admit) * noise(rng, DETOX["price_spread"], len(admit))
    drug = people.drug[person]
    dx = np.array([words(world.DIAGNOSES[c]) for c in world.SUD_CLASSES])
    room = np.where(admit % 2 == 0, word("0126"), word("0116"))
    revenue = np.where(night == 0, room[stay], words(["0250", "0300"])[(night - 1).clip(0, 1)])
    split = np.where(night == 0, 2.4, 0.3)
    paid = cents(np.where(ward, unit_usd * split, unit_usd) * factor[stay])
    first = admit[stay] + np.where(ward, 0, night)
    until = np.where(ward, discharge[stay] - 1, first)
    bill_day = np.where(hospital, discharge, discharge - 1)
    provider = setup.network.detox[facility]
    return block(
        len(stay),
        claim=stay,
        line=night + 1,
        person=person[stay],
        claim_type=np.where(ward, word("institutional"), word("professional")),
        claim_start=admit[stay],
        claim_end=bill_day[stay],
        line_start=first,
        line_end=until,
        admission=admit[stay],
        discharge=discharge[stay],
        status=status[stay],
        place=np.where(ward, NO_WORD, word("55")),
        bill=np.where(ward, word("111"), NO_WORD),
        drg=np.where(ward, words(world.SUD_DRGS)[choose(rng, (0.2, 0.8), len(admit))][stay], NO_WORD),
        revenue=np.where(ward, revenue, NO_WORD),
        hcpcs=np.where(ward, NO_WORD, word("H0011")),
        units=np.where(ward & (night == 0), nights[stay], 1) * 10000,
        dx1=dx[drug, np.arange(len(admit)) % 2][stay],
        procedure=np.where(ward, word("HZ2ZZZZ"), NO_WORD),
        billing=provider[stay],
        rendering=provider[stay],
        facility=provider[stay],
        allowed=paid,
        paid=paid,
        category=np.where(ward, CATEGORIES.index("WM_HOSP"), CATEGORIES.index("WM_RES")),
    )


def bill_step_down(rng, setup: Setup, people: People, admissions: Admissions) -> tuple[Block, ...]:
    """Bill stabilisation and residential care that follow a share of discharges, a line for each week."""
    found = []
    for category, care in world.RESIDENTIAL.items():
        chosen = np.flatnonzero(rng.random(len(admissions)) < care["share"])
        admit = admissions.discharge[chosen]
        until = admit + rng.poisson(care["nights"] - 2, len(chosen)) + 2
        # The next admission, the end of coverage or of the study ends the stay.
        same = np.append(admissions.person[1:], -1) == admissions.person
        following = np.where(same, np.append(admissions.admit[1:], NEVER), NEVER)[chosen]
        person = admissions.person[chosen]
        until = np.minimum.reduce([until, following, people.last_day()[person], np.full(len(chosen), setup.end)])
        keep = (until > admit) & people.covered(person, until)
        admit, until, person = admit[keep], until[keep], person[keep]
        stay, week = expand((until - admit + 6) // 7)
        first = admit[stay] + 7 * week
        last = np.minimum(first + 6, until[stay] - 1)
        nights = last - first + 1
        code = words(care["hcpcs"])[rng.integers(0, len(care["hcpcs"]), len(admit))]
        provider = words(world.PROVIDERS["detox_unit"])[rng.integers(0, 28, len(admit))]
        paid = cents(care["price_usd"] * nights * setup.price(admit)[stay])
        drug = np.array([words(world.DIAGNOSES[c])[0] for c in world.SUD_CLASSES])[people.drug[person]]
        found.append(
            block(
                len(stay),
                claim=stay,
                line=week + 1,
                person=person[stay],
                claim_type=word("professional"),
                claim_start=admit[stay],
                claim_end=(until - 1)[stay],
                line_start=first,
                line_end=last,
                admission=admit[stay],
                discharge=until[stay],
                place=word("55"),
                hcpcs=code[stay],
                units=nights * 10000,
                dx1=drug[stay],
                billing=provider[stay],
                rendering=provider[stay],
                facility=provider[stay],
                allowed=paid,
                paid=paid,
                category=CATEGORIES.index(category),
            )
        )
    return tuple(found)
