"""Elderly and disabled people: where they live from day to day, and the long-term care billed for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.block import NO_WORD, NULL, Block, block, month_number, month_start, monthly
from ratebook.simulate.people import NEVER
from ratebook.simulate.setup import Setup, cents, choose, noise
from ratebook.simulate.world import CATEGORIES, PROVIDERS, SETTINGS, word, words

MOST_MOVES = 10
DUALS = ("02", "08", "00", "medicare_only")
LTSS = CATEGORIES.index("LTSS")


@dataclass
class Residents:
    """Arrays with one entry a member of the long-term-care population."""

    number: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    sex: np.ndarray
    race: np.ndarray
    county: np.ndarray
    start: np.ndarray
    end: np.ndarray
    dual: np.ndarray
    medicaid_class: np.ndarray
    need: np.ndarray
    """Need for help, 0 to 100; decides certifiability, DMS-1 level, settings and cost."""
    liability: np.ndarray
    """Cents a month owed to a nursing home."""
    certifiable: np.ndarray

    def __len__(self) -> int:
        return len(self.number)


@dataclass
class Moves:
    """Arrays with one entry a period in one setting, by person and date."""

    person: np.ndarray
    setting: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_last: np.ndarray
    facility: np.ndarray


def draw_residents(rng, setup: Setup, numbers: np.ndarray) -> Residents:
    """Draw members: 65 and older or disabled from 21; most are eligible for Medicare as well."""
    n = len(numbers)
    disabled = rng.random(n) < 0.18
    age = np.where(disabled, rng.uniform(22, 63, n), 65 + rng.gamma(3.2, 4.6, n))
    start = np.where(rng.random(n) < 0.62, setup.start, rng.integers(setup.start, setup.end - 120, n))
    need = np.clip(rng.normal(57, 23, n) + 0.25 * (age - 75), 1, 99)
    death = start + (rng.exponential(1, n) / (0.03 + 0.0016 * need) * 365.25).astype(np.int64)
    leaves = np.where(rng.random(n) < 0.85, NEVER, start + 150 + rng.exponential(800, n).astype(np.int64))
    end = np.minimum(death, leaves)
    dual = choose(rng, (0.52, 0.16, 0.26, 0.06), n)
    medicaid_class = choose(rng, (0.42, 0.48, 0.10), n)
    liability = np.where(medicaid_class == 1, rng.gamma(6, 115, n), np.where(medicaid_class == 0, 30, 120))
    return Residents(
        number=numbers,
        birth=setup.start - (np.minimum(age, 101) * 365.25).astype(np.int64),
        death=np.where((death <= setup.end) & (death <= end), death, NULL),
        sex=choose(rng, (0.66, 0.335, 0.005), n),
        race=choose(rng, (0.6, 0.18, 0.1, 0.12), n),
        county=choose(rng, world.COUNTY_SHARES, n),
        start=start,
        end=np.minimum(end, setup.end),
        dual=dual,
        medicaid_class=medicaid_class,
        need=need,
        liability=cents(np.minimum(liability, 1400)),
        certifiable=need >= 40,
    )


def draw_moves(rng, setup: Setup, residents: Residents) -> Moves:
    """Follow each person from setting to setting: exponential stays, then a move by the table MOVES.

    People who are not certifiable live in the community without a waiver.
    """
    n = len(residents)
    shares = np.array(world.START_SHARES)
    setting = np.where(residents.certifiable, choose(rng, shares, n), SETTINGS.index("COMM_other"))
    start, found = residents.start.copy(), []
    moves = np.array(list(world.MOVES.values()))
    days = np.array(list(world.SETTING_DAYS.values()))
    alive = np.arange(n)
    for step in range(MOST_MOVES):
        stay = 2 + (rng.exponential(1, len(alive)) * days[setting[alive]]).astype(np.int64)
        stay = np.where(residents.certifiable[alive], stay, NEVER)
        # Half of the stays in a nursing home are short: recovery after a hospital stay.
        short = (setting[alive] == 0) & (rng.random(len(alive)) < 0.3)
        stay = np.where(short, 5 + stay // 12, stay)
        if step == MOST_MOVES - 1:
            stay = np.full(len(alive), NEVER)
        end = np.minimum(start[alive] + stay - 1, residents.end[alive])
        over = end >= residents.end[alive]
        found.append((alive, setting[alive].copy(), start[alive].copy(), end, over))
        start[alive] = end + 1
        going = alive[~over]
        drawn = rng.random((len(going), 1))
        setting[going] = (drawn > np.cumsum(moves[setting[going]], axis=1)).sum(axis=1).clip(0, len(SETTINGS) - 1)
        alive = going
    person, place, first, last, over = (np.concatenate(parts) for parts in zip(*found))
    order = np.lexsort((first, person))
    kinds = ("nursing_home", "", "", "assisted_living", "adult_day_care")
    many = np.array([world.PROVIDER_KINDS.get(kind, 1) for kind in kinds])[place]
    return Moves(
        *(values[order] for values in (person, place, first, last, over)),
        facility=(rng.random(len(person)) * many).astype(np.int64)[order],
    )


def bill_nursing_homes(rng, setup: Setup, residents: Residents, moves: Moves) -> Block:
    """Bill each month in a nursing home: days times the per diem, and ancillary care; the resident's share is netted.

    The day of discharge is not billed, that of death is.
    """
    kept = np.flatnonzero((moves.setting == 0) & (residents.dual[moves.person] != 3))
    stay, first, last = monthly(moves.start[kept], moves.end[kept])
    stay = kept[stay]
    person, facility = moves.person[stay], moves.facility[stay]
    nights = last - first + 1
    year = (month_number(first) // 12) - (month_number(setup.start) // 12)
    rate = cents(setup.network.per_diem["nursing_home"][facility] * (1 + setup.settings["unit_cost_trend"]) ** year)
    allowed = rate * nights
    whole = month_start(month_number(first) + 1) - month_start(month_number(first))
    liability = np.minimum(residents.liability[person] * nights // whole, allowed)
    extra = cents(setup.network.ancillary[facility] * nights / whole * noise(rng, 0.5, len(stay)))
    skilled = facility % 3 != 2
    home = words(PROVIDERS["nursing_home"])[facility]
    leaves = (last == moves.end[stay]) & (moves.end[stay] < setup.end)
    died = leaves & (residents.death[person] == last)
    status = np.where(died, word("20"), np.where(leaves, word("01"), word("30")))
    n, has_extra = len(stay), np.flatnonzero(rng.random(len(stay)) < 0.45)
    rows, second = np.concatenate([np.arange(n), has_extra]), np.arange(n + len(has_extra)) >= n
    return block(
        len(rows),
        claim=rows,
        line=1 + second,
        person=person[rows],
        claim_type=word("institutional"),
        claim_start=first[rows],
        claim_end=last[rows],
        line_start=first[rows],
        line_end=last[rows],
        admission=moves.start[stay][rows],
        discharge=np.where(leaves, np.where(died, last, last + 1), NULL)[rows],
        status=status[rows],
        bill=np.where(skilled, word("211"), word("651"))[rows],
        revenue=np.where(second, word("0420"), np.where(skilled, word("0192"), word("0191"))[rows]),
        units=np.where(second, 1, nights[rows]) * 10000,
        dx1=words(world.DIAGNOSES["frail"])[person % 8][rows],
        billing=home[rows],
        rendering=home[rows],
        facility=home[rows],
        allowed=np.where(second, extra[rows], allowed[rows]),
        paid=np.where(second, extra[rows], (allowed - liability)[rows]),
        liability=np.where(second, 0, liability[rows]),
        category=LTSS,
    )


def bill_community(rng, setup: Setup, residents: Residents, moves: Moves) -> list[Block]:
    """Bill each month of home, day and assisted-living care: more units for those with more need."""
    found = []
    for service in world.LONG_TERM_SERVICES:
        here = (moves.setting == SETTINGS.index(service.setting)) & (residents.dual[moves.person] != 3)
        kept = np.flatnonzero(here & (rng.random(len(here)) < service.chance))
        stay, first, last = monthly(moves.start[kept], moves.end[kept])
        person = moves.person[kept[stay]]
        nights = last - first + 1
        share = nights / 30.4375
        factor = 1 + service.by_need * (residents.need[person] - 55) / 25
        per_day = service.units_per_month == 30.4
        amount = service.units_per_month * share * np.maximum(factor, 0.2) * noise(rng, 0.25, len(stay))
        units = (
            nights if per_day else np.ones(len(stay), np.int64) if service.units_per_month == 1 else np.rint(amount)
        )
        units = units.astype(np.int64)
        if service.hcpcs == "S5102":
            units = np.minimum(units, nights)
        billed = units > 0
        stay, first, last, person, units, factor = (v[billed] for v in (stay, first, last, person, units, factor))
        price = np.full(len(stay), service.price_usd)
        providers = words(PROVIDERS[service.provider])
        at = person % len(providers)
        if service.provider in setup.network.per_diem and service.setting != "HCBS_waiver":
            at = moves.facility[kept[stay]]
            price = setup.network.per_diem[service.provider][at]
        if per_day:
            price = price * np.maximum(factor, 0.7)
        paid = cents(units * price * setup.price(first))
        found.append(
            block(
                len(stay),
                claim=np.arange(len(stay)),
                person=person,
                claim_type=word("professional"),
                claim_start=first,
                claim_end=last,
                line_start=first,
                line_end=last,
                place=word({"ALF": "13", "ADC": "99"}.get(service.setting, "12")),
                hcpcs=word(service.hcpcs),
                units=units * 10000,
                dx1=words(world.DIAGNOSES["frail"])[person % 8],
                billing=providers[at],
                rendering=providers[at],
                facility=providers[at] if service.provider in setup.network.per_diem else NO_WORD,
                allowed=paid,
                paid=paid,
                category=LTSS,
            )
        )
    return found


def cross_over(rng, rows: Block, is_dual: np.ndarray) -> Block:
    """Let Medicare pay first for duals' acute care: Medicaid pays the coinsurance only."""
    dual = is_dual[rows["person"]]
    share = world.ACUTE_USD["coinsurance_share"]
    coinsurance = np.rint(rows["allowed"] * share).astype(np.int64)
    return {
        **rows,
        "paid": np.where(dual, coinsurance, rows["paid"]),
        "coinsurance": np.where(dual, coinsurance, NULL),
        "deductible": np.where(dual, 0, NULL),
        "medicare_paid": np.where(dual, rows["allowed"] - coinsurance, NULL),
        "crossover": np.where(dual, 1, 0).astype(np.int8),
    }
