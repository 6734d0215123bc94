"""Recovery support: which discharge leads to which program, how long it lasts, the log and the claims."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.block import NULL, Block, append, block, expand
from ratebook.simulate.detox import Admissions
from ratebook.simulate.network import ARMS
from ratebook.simulate.people import NEVER, People
from ratebook.simulate.setup import Setup, choose
from ratebook.simulate.world import CATEGORIES, PROGRAM_CATEGORY, word, words

CONTACT_TYPES = ("face", "phone", "text", "video", "collateral", "attempt", "admin", "training", "coaching")
REASONS = ("completed", "lost", "moved", "declined", "died")
MONTH = 30.4375


@dataclass
class Engagements:
    """Arrays with one entry an engagement. `latent_days` is what would be seen if nothing else intervened."""

    person: np.ndarray
    episode: np.ndarray
    arm: np.ndarray
    partner: np.ndarray
    first: np.ndarray
    latent_days: np.ndarray
    stop: np.ndarray
    """First day on which contact is impossible: an ending readmission, death, disenrolment or the end of data."""
    is_index: np.ndarray
    is_second: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    def last(self) -> np.ndarray:
        """Give the last day with service."""
        return np.minimum(self.first + self.latent_days, self.stop - 1)


def index_episodes(people: People, admissions: Admissions) -> tuple[np.ndarray, np.ndarray]:
    """Find each person's first admission that is at least the second in 365 days, after a year of coverage.

    Admissions outside coverage are in no claim: they neither count nor become an index.

    Returns
    -------
    tuple of numpy.ndarray
        Admissions in the 365 days up to each one (`n12`; 0 outside coverage), and whether each is its person's index.

    References
    ----------
    methods.md, B5.
    """
    person, admit = admissions.person, admissions.admit
    seen = np.flatnonzero(people.covered(person, admit) & people.covered(person, admissions.discharge))
    key = person[seen] * NEVER + admit[seen]
    n12 = np.zeros(len(admissions), np.int64)
    n12[seen] = np.arange(len(key)) - np.searchsorted(key, key - 365) + 1
    eligible = np.flatnonzero((n12 >= 2) & (admit - people.covered_since(person, admit) >= 365))
    _, first = np.unique(person[eligible], return_index=True)
    is_index = np.zeros(len(admissions), bool)
    is_index[eligible[first]] = True
    return n12, is_index


def draw_engagements(
    rng, setup: Setup, people: People, admissions: Admissions, uncensored: bool = False, arm: int | None = None
) -> Engagements:
    """Decide which discharges lead to a navigator, in which program, and for how long.

    The site of discharge refers to its own program, and to the other one at the rate `crossover_share`. The latent
    length is Weibull, times the organisation's factor, times the client's. `arm` forces a program on everybody.
    """
    settings = setup.settings["engagement"]
    _, is_index = index_episodes(people, admissions)
    same = np.append(admissions.person[1:], -1) == admissions.person
    next_admit = np.where(same, np.append(admissions.admit[1:], NEVER), NEVER)
    chance = np.where(is_index, settings["index_share"], settings["other_share"])
    chosen = np.flatnonzero(rng.random(len(admissions)) < chance)
    # One plan a person: the index discharge where it engages, else the first other one that does.
    order = np.lexsort((~is_index[chosen], admissions.person[chosen]))
    chosen = chosen[order]
    chosen = np.sort(chosen[np.unique(admissions.person[chosen], return_index=True)[1]])
    person, n = admissions.person[chosen], len(chosen)
    site_arm = setup.network.site_arm[admissions.last_facility()[chosen]]
    crosses = rng.random(n) < settings["crossover_share"]
    arms = np.where(crosses, 1 - site_arm, site_arm) if arm is None else np.full(n, arm)
    partner = setup.network.partners[admissions.last_facility()[chosen], arms, rng.integers(0, 4, n)]
    days = np.zeros(n, np.int64)
    draw, wait = rng.weibull(1.0, n), rng.exponential(1.0, n)
    first = admissions.discharge[chosen] + 1
    for a, name in enumerate(ARMS):
        at, own = arms == a, settings[name]
        person_factor = (
            np.exp(settings["severity_effect"] * people.severity[person])
            * np.where(people.drug[person] == 0, 1 + settings["opioid_effect"], 1.0)
            * np.exp(setup.network.frailty[name][partner])
        )
        length = own["scale_days"] * person_factor * draw ** (1 / own["shape"])
        days[at] = length[at].astype(np.int64)
        first[at] += np.minimum(wait * own["wait_days"], 55).astype(np.int64)[at]
    ends_here = rng.random(len(admissions)) < settings["readmission_ends_share"]
    ending = first_admission_after(admissions, person, first, ends_here)
    death = np.where(people.death[person] == NULL, NEVER, people.death[person])
    stop = np.minimum.reduce([ending, death + 1])
    if not uncensored:
        cover = np.where(first >= people.span_start[person, 1], people.span_end[person, 1], people.span_end[person, 0])
        stop = np.minimum.reduce([stop, cover + 1, np.full(n, setup.end + 1)])
    keep = (first < stop) & (first <= next_admit[chosen]) & people.covered(person, first)
    found = Engagements(person, chosen, arms, partner, first, days, stop, is_index[chosen], np.zeros(n, bool))
    return Engagements(*[values[keep] for values in vars(found).values()])


def first_admission_after(
    admissions: Admissions, person: np.ndarray, days: np.ndarray, among=slice(None)
) -> np.ndarray:
    """Give each person's first admission after a day, of those in `among`; NEVER where none comes."""
    owner = np.append(admissions.person[among], -1)
    admit = np.append(admissions.admit[among], NEVER)
    at = np.searchsorted(owner[:-1] * NEVER + admit[:-1], person * NEVER + days, side="right")
    return np.where(owner[at] == person, admit[at], NEVER)


def second_engagements(rng, setup: Setup, people: People, engagements: Engagements) -> Engagements:
    """Add returns to the program after a long silence, and clients served by both programs (contamination)."""
    settings = setup.settings["engagement"]
    last = engagements.last()
    returns = (rng.random(len(engagements)) < settings["return_share"]) & (last + 50 < engagements.stop)
    mixed = ~returns & (rng.random(len(engagements)) < settings["contamination_share"])
    found = []
    for chosen, first in (
        (np.flatnonzero(returns), last + rng.integers(45, 150, len(last))),
        (np.flatnonzero(mixed), engagements.first + rng.integers(10, 40, len(last))),
    ):
        parts = {name: values[chosen] for name, values in vars(engagements).items()}
        parts["first"] = first[chosen]
        parts["latent_days"] = rng.integers(7, 60, len(chosen))
        parts["is_second"] = np.ones(len(chosen), bool)
        if len(found):
            parts["arm"] = 1 - parts["arm"]
        later = Engagements(**parts)
        keep = (later.first < later.stop) & people.covered(later.person, later.first)
        found.append({name: values[keep] for name, values in vars(later).items()})
    return Engagements(**{name: np.concatenate([part[name] for part in found]) for name in found[0]})


def draw_contacts(rng, setup: Setup, engagements: Engagements) -> dict[str, np.ndarray]:
    """Draw each engagement's contacts, about `contact_every_days` apart, the last one on its last day.

    Gaps are gamma with shape 4, scaled to fill the length exactly, so a silence of over 30 days within an
    engagement is rare. First and last contacts are face to face; those after `stop` do not happen.
    """
    every = setup.settings["engagement"]["contact_every_days"]
    gaps = np.maximum(np.rint(engagements.latent_days / every), np.where(engagements.latent_days > 0, 1, 0))
    source, number = expand(gaps.astype(np.int64) + 1)
    size = np.where(number == 0, 0.0, rng.gamma(4.0, 1.0, len(source)))
    so_far = np.cumsum(size)
    before = so_far[number == 0][source]
    whole = np.bincount(source, size, minlength=len(engagements))
    share = np.divide(so_far - before, whole[source], out=np.zeros(len(source)), where=whole[source] > 0)
    is_last = number == gaps[source]
    days = engagements.first[source] + np.where(
        is_last, engagements.latent_days[source], np.floor(share * engagements.latent_days[source])
    ).astype(np.int64)
    kind = choose(rng, (0.52, 0.24, 0.10, 0.06, 0.08), len(source))
    kind = np.where((number == 0) | is_last, 0, kind)
    units = _units(rng, setup, engagements.arm[source])
    happens = days < engagements.stop[source]
    return {"engagement": source[happens], "day": days[happens], "kind": kind[happens], "units": units[happens]}


def _units(rng, setup: Setup, arm: np.ndarray) -> np.ndarray:
    settings = setup.settings["engagement"]
    mean = np.array([settings[name]["units_per_contact"] for name in ARMS])[arm]
    return np.minimum(1 + rng.poisson(mean - 1), 30)


def write_log(rng, setup: Setup, people: People, engagements: Engagements, contacts: dict) -> dict[str, np.ndarray]:
    """Give the log: every contact, and the attempts and paperwork around it that the unit form does not pay."""
    settings = setup.settings["engagement"]
    extra = np.array([[settings[arm]["attempts_per_contact"], settings[arm]["admin_per_contact"]] for arm in ARMS])
    source, kind, days, units = (contacts[name] for name in ("engagement", "kind", "day", "units"))
    rows = [(source, kind, days, units, np.ones(len(source), bool))]
    for column, activity in enumerate(("attempt", "admin")):
        near, _ = expand(rng.poisson(extra[engagements.arm[source], column]))
        when = np.maximum(days[near] - rng.integers(0, 5, len(near)), engagements.first[source[near]])
        code = np.full(len(near), CONTACT_TYPES.index(activity))
        rows.append((source[near], code, when, np.zeros(len(near), np.int64), np.zeros(len(near), bool)))
    engagement, kind, days, units, reached = (np.concatenate(parts) for parts in zip(*rows))
    order = np.lexsort((kind, days, engagement))
    engagement, kind, days, units, reached = (v[order] for v in (engagement, kind, days, units, reached))
    last = engagements.last()
    over = last == engagements.first + engagements.latent_days
    lag = rng.integers(10, 45, len(last))
    closed = last + np.where(engagements.arm == 0, lag, lag // 3)
    reason = np.where(
        over, np.where(rng.random(len(last)) < np.clip(last - engagements.first, 20, 250) / 420, 0, 1), 1
    )
    reason = np.where(people.death[engagements.person] == engagements.stop - 1, 4, reason)
    ongoing = (closed > setup.end) | (engagements.stop == setup.end + 1) & ~over
    worker = engagements.partner * 4 + engagements.person % 4
    referral = engagements.first - 1 - rng.integers(0, 3, len(last))
    minutes = np.where(units > 0, units * 15 - rng.integers(0, 7, len(units)), rng.integers(5, 20, len(units)))
    return {
        "person": engagements.person[engagement],
        "arm": engagements.arm[engagement],
        "partner": engagements.partner[engagement],
        "worker": worker[engagement],
        "day": days,
        "kind": kind,
        "successful": reached.astype(np.int64),
        "minutes": minutes,
        "units": units * 10000,
        "referral": referral[engagement],
        "enrollment": engagements.first[engagement],
        "disenrollment": np.where(ongoing, NULL, closed)[engagement],
        "reason": np.where(ongoing, -1, reason)[engagement],
    }


def bill_program(rng, setup: Setup, people: People, engagements: Engagements, contacts: dict) -> Block:
    """Bill CSP by 15-minute units for each contact, RSN by an enrolment fee and a rate for each month served.

    A month of the case rate is billed when service reaches its middle; the first always is.
    """
    settings = setup.settings["engagement"]
    source = contacts["engagement"]
    by_unit = engagements.arm[source] == 1
    source, days, units = source[by_unit], contacts["day"][by_unit], contacts["units"][by_unit]
    by_units = (units * settings["CSP"]["unit_usd"], days, units, source, "H2015", False)
    flat = np.flatnonzero(engagements.arm == 0)
    length = engagements.last()[flat] - engagements.first[flat] + 1
    member, month = expand(np.maximum(1, np.rint(length / MONTH)).astype(np.int64))
    start = engagements.first[flat][member] + np.rint(month * MONTH).astype(np.int64)
    one = np.ones(len(flat), np.int64)
    monthly_usd = np.full(len(member), settings["RSN"]["month_usd"])
    enrolment_usd = np.full(len(flat), settings["RSN"]["enrolment_usd"])
    lines = [
        by_units,
        (monthly_usd, start, one[member], flat[member], "H2015", True),
        (enrolment_usd, engagements.first[flat], one, flat, "T1023", True),
    ]
    dx = np.array([words(world.DIAGNOSES[c])[0] for c in world.SUD_CLASSES])
    found, offset = [], 0
    for usd, when, quantity, of, code, case_rate in lines:
        person = engagements.person[of]
        provider = np.where(
            engagements.arm[of] == 0,
            setup.network.organisation["RSN"][engagements.partner[of]],
            setup.network.organisation["CSP"][engagements.partner[of]],
        )
        paid = np.rint(np.asarray(usd) * 100).astype(np.int64)
        found.append(
            block(
                len(of),
                claim=offset + np.arange(len(of)),
                person=person,
                claim_type=word("professional"),
                claim_start=when,
                claim_end=when,
                line_start=when,
                line_end=when,
                place=word("12"),
                hcpcs=word(code),
                modifier=word("HF") if case_rate else -1,
                units=np.asarray(quantity) * 10000,
                dx1=dx[people.drug[person]],
                billing=provider,
                rendering=provider,
                allowed=paid,
                paid=paid,
                category=CATEGORIES.index(PROGRAM_CATEGORY),
            )
        )
        offset += len(of)
    return append(found)
