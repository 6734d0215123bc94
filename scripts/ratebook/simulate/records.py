"""The payer's other records: members, coverage, capitation, assessments, facilities, costs outside claims."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ratebook.simulate import world
from ratebook.simulate.block import NULL, expand, month_number, month_start, monthly
from ratebook.simulate.longterm import DUALS, Moves, Residents
from ratebook.simulate.navigator import CONTACT_TYPES, REASONS
from ratebook.simulate.network import ARMS
from ratebook.simulate.people import NEVER, People
from ratebook.simulate.setup import Setup, cents
from ratebook.simulate.write import (
    ALIAS,
    BEFORE,
    FORMER,
    REUSED,
    SPLIT,
    dates,
    decimals,
    member_ids,
    numbered,
    persons,
    texts,
)

USD = pa.decimal128(14, 2)
SEX = ("female", "male", "unknown")
RACE = ("white", "black", "hispanic", "unknown")
ETHNICITY = ("not hispanic", "not hispanic", "hispanic", "unknown")
AID = ("expansion", "family", "disabled")
CLASSES = ("SSI", "MAO", "other")
WAIVERS = ("", "elderly_disabled", "", "assisted_living", "adult_day")
"""Waiver by setting, in the order of world.SETTINGS; empty where none."""


def member_columns(who: People | Residents, conflicting: np.ndarray) -> dict[str, pa.Array]:
    """Give the columns of `members`; those with conflicting records have three, of which one is wrong."""
    at = np.concatenate([np.arange(len(who)), conflicting, conflicting])
    wrong = np.arange(len(at)) >= len(who) + len(conflicting)
    regions = [world.REGIONS[county] for county in world.COUNTIES]
    return {
        "person_id": persons(who.number[at]),
        "birth_date": dates(who.birth[at] + 800 * wrong),
        "death_date": dates(who.death[at]),
        "sex": texts(who.sex[at], SEX),
        "race": texts(who.race[at], RACE),
        "ethnicity": texts(who.race[at], ETHNICITY),
        "county": texts(who.county[at], world.COUNTIES),
        "region": texts(who.county[at], regions),
        "state": texts(np.zeros(len(at), np.int64), ("MA",)),
    }


def crosswalk_columns(setup: Setup, person: np.ndarray, people: np.ndarray) -> dict[str, pa.Array]:
    """Give the columns of `identity_crosswalk`: the former ids that claims bear, each with the id it became.

    A split id became two persons at once; a reused one was one person's until the middle of the study, and the next
    person's since.
    """
    used = np.unique(person[person >= FORMER * ALIAS])
    kind, first = used // ALIAS, used % ALIAS
    second = (first + 1) % max(len(people), 1)
    before, split, reused = (kind == one for one in (BEFORE, SPLIT, REUSED))
    former = np.unique(np.append(used[kind == FORMER], first[before] + FORMER * ALIAS))
    whole = np.concatenate([former, used[before], np.repeat(used[split | reused], 2)])
    pairs = np.stack([first, second], axis=1)[split | reused].reshape(-1)
    became = np.concatenate([former % ALIAS, first[before] + FORMER * ALIAS, pairs])
    has_dates = whole // ALIAS == REUSED
    is_second = np.append(np.zeros(len(whole) - len(pairs), bool), np.arange(len(pairs)) % 2 == 1)
    return {
        "source_person_id": persons(member_ids(whole, people)),
        "person_id": persons(member_ids(became, people)),
        "valid_from": dates(np.where(has_dates & is_second, setup.middle + 1, NULL)),
        "valid_to": dates(np.where(has_dates & ~is_second, setup.middle, NULL)),
    }


def eligibility_columns(rows: dict[str, np.ndarray], people: np.ndarray) -> dict[str, pa.Array]:
    """Give the columns of `eligibility` from numbers: see `behavioural_spans` and `long_term_spans`."""
    waiver = np.where(np.isin(rows["waiver"], (0, 2)), -1, rows["waiver"])
    return {
        "person_id": persons(member_ids(rows["person"], people)),
        "enrollment_start_date": dates(rows["start"]),
        "enrollment_end_date": dates(rows["end"]),
        "payer": texts(rows["payer"], ("medicaid", "medicare")),
        "plan": texts(rows["plan"], ("BHP", "FFS", "OTH")),
        "dual_status_code": texts(np.where(rows["dual"] == 3, -1, rows["dual"]), DUALS),
        "aid_category": texts(rows["aid"], (*AID, "aged", "blind_disabled")),
        "medicaid_class": texts(rows["medicaid_class"], CLASSES),
        "waiver": texts(waiver, WAIVERS),
        "tpl_flag": pa.array(rows["tpl"] == 1),
        "monthly_patient_liability": decimals(rows["liability"], USD),
        "record_added_date": dates(rows["added"]),
    }


def _added(rng, setup: Setup, start: np.ndarray) -> np.ndarray:
    """Draw the day a span was entered: a share of spans, never those at the window's start, is retroactive."""
    late = (rng.random(len(start)) < setup.settings["retroactive_share"]) & (start > setup.start)
    return np.where(late, start + rng.integers(20, 110, len(start)), start - rng.integers(3, 30, len(start)))


def behavioural_spans(rng, setup: Setup, people: People) -> dict[str, np.ndarray]:
    """Give the coverage of the carve-out's members as they should be recorded; open spans have no end."""
    person, column = np.nonzero((people.span_end >= people.span_start) & (people.span_start <= setup.end))
    start, end = people.span_start[person, column], people.span_end[person, column]
    n = len(person)
    return {
        "person": person,
        "start": start,
        "end": np.where(end > setup.extract, NULL, end),
        "payer": np.zeros(n, np.int64),
        "plan": np.zeros(n, np.int64),
        "dual": np.where(person % 60 == 7, 0, 2),
        "aid": people.aid[person],
        "medicaid_class": np.full(n, 2),
        "waiver": np.zeros(n, np.int64),
        "tpl": (person % 17 == 0).astype(np.int64),
        "liability": np.full(n, NULL),
        "added": _added(rng, setup, start),
    }


def long_term_spans(rng, setup: Setup, residents: Residents, moves: Moves) -> dict[str, np.ndarray]:
    """Give the coverage of long-term-care members: a span for each setting, with its waiver and share of cost."""
    person = moves.person
    real = moves.end >= moves.start
    open_ended = moves.is_last & (moves.end >= setup.end)
    in_home = moves.setting == 0
    medicare = residents.dual[person] == 3
    rows = {
        "person": person,
        "start": moves.start,
        "end": np.where(open_ended, NULL, moves.end),
        "payer": medicare.astype(np.int64),
        "plan": np.ones(len(person), np.int64),
        "dual": residents.dual[person],
        "aid": np.where(setup.start - residents.birth[person] > 65 * 365.25, 3, 4),
        "medicaid_class": np.where(medicare, -1, residents.medicaid_class[person]),
        "waiver": moves.setting,
        "tpl": (person % 23 == 0).astype(np.int64),
        "liability": np.where(in_home & ~medicare, residents.liability[person], NULL),
        "added": _added(rng, setup, moves.start),
    }
    # A move inside one coverage is entered when it happens.
    first = np.append(True, person[1:] != person[:-1])
    rows["added"] = np.where(first, rows["added"], moves.start)
    return {name: values[real] for name, values in rows.items()}


def capitation_columns(setup: Setup, spans: dict, people: np.ndarray, ages: np.ndarray) -> dict[str, pa.Array]:
    """Give what the state pays the carve-out: an amount a month by age band and aid category, in the month after."""
    last = np.where(spans["end"] == NULL, setup.end, np.minimum(spans["end"], setup.end))
    span, first, _ = monthly(spans["start"], last)
    month = month_start(month_number(first))
    person = spans["person"][span]
    once = np.unique(person * NEVER + month, return_index=True)[1]
    span, month, person = span[once], month[once], person[once]
    band = np.searchsorted((26, 45), ages[person] + (month - setup.start) / 365.25, side="right")
    aid = spans["aid"][span]
    names = [f"{aid_name}_{band_name}" for aid_name in AID for band_name in ("18_25", "26_44", "45_64")]
    cell = aid * 3 + band
    year = (month - setup.start) / 365.25
    amount = cents((52 + 14 * aid + 9 * band) * 1.03 ** np.floor(year))
    n = len(person)
    return {
        "person_id": persons(people[person]),
        "coverage_month": dates(month),
        "plan": texts(np.zeros(n, np.int64), ("BHP",)),
        "rate_cell": texts(cell, names),
        "amount": decimals(amount, USD),
        "adjustment_code": texts(np.zeros(n, np.int64), ("original",)),
        "paid_date": dates(month + 9),
    }


def assessment_columns(rng, setup: Setup, residents: Residents) -> dict[str, pa.Array]:
    """Give level-of-care assessments: at entry and about once a year, need rising slowly."""
    years = np.maximum(residents.end - residents.start, 0) // 365
    person, number = expand(years + 1)
    when = residents.start[person] - 8 + number * 365 + np.where(number > 0, rng.integers(-25, 25, len(person)), 0)
    score = np.clip(residents.need[person] + 1.5 * number + rng.normal(0, 2.5, len(person)), 0, 100)
    certifiable = residents.certifiable[person]
    level = 1 + np.searchsorted((58.0, 74.0), score)
    return {
        "person_id": persons(residents.number[person]),
        "assessment_date": dates(when),
        "nursing_home_certifiable": pa.array(certifiable),
        "dms1_level": pa.array(level, mask=~certifiable),
        "functional_score": pa.array(np.round(score, 1)),
    }


def facility_table(setup: Setup) -> pa.Table:
    """Give every facility's per diem, a row a calendar year; some detoxification units are large enough for an IMD."""
    kinds = (("nursing_home", "NF"), ("assisted_living", "ALF"), ("adult_day_care", "ADC"))
    first = month_number(setup.start) // 12
    rows = []
    for provider, kind in kinds:
        for at, name in enumerate(world.PROVIDERS[provider]):
            for year in range(4):
                factor = (1 + setup.settings["unit_cost_trend"]) ** year
                home = kind == "NF"
                rows.append(
                    (
                        name,
                        kind,
                        ("ICF" if at % 3 == 2 else "SNF") if home else None,
                        int(cents(setup.network.per_diem[provider][at] * factor)),
                        int(cents(setup.network.ancillary[at] * factor)) if home else 0,
                        int(month_start((first + year) * 12)),
                        int(month_start((first + year + 1) * 12)) - 1 if year < 3 else NULL,
                        world.COUNTIES[at % len(world.COUNTIES)],
                    )
                )
    first_day, last_day = int(month_start(first * 12)), NULL
    rows += [
        (name, "IMD", None, NULL, 0, first_day, last_day, world.COUNTIES[at % len(world.COUNTIES)])
        for at, name in enumerate(world.PROVIDERS["detox_unit"])
        if at % world.IMD_EVERY == 0
    ]
    npi, kind, level, per_diem, ancillary, valid_from, valid_to, county = (list(column) for column in zip(*rows))
    return pa.table(
        {
            "facility_npi": npi,
            "kind": kind,
            "nf_level": level,
            "per_diem": decimals(np.array(per_diem), USD),
            "ancillary_amount": decimals(np.array(ancillary), USD),
            "valid_from": dates(np.array(valid_from)),
            "valid_to": dates(np.array(valid_to)),
            "county": county,
        }
    )


def program_cost_table(setup: Setup) -> pa.Table:
    """Give what the programs cost outside claims: for RSN training, coaching and client incentives."""
    months = np.arange(month_number(setup.start), month_number(setup.end) + 1)
    items = setup.settings["program_costs"]
    rows = [
        (program, int(month_start(month)), item, int(cents(usd * len(world.PROVIDERS[program]))), perspective)
        for program in ARMS
        for item, usd, perspective in (
            (name, entry["month_usd"], entry["perspective"]) for name, entry in items[program].items()
        )
        for month in months
    ]
    program, month, item, amount, perspective = (list(column) for column in zip(*rows))
    return pa.table(
        {
            "program": program,
            "month": dates(np.array(month)),
            "item": item,
            "amount": decimals(np.array(amount), USD),
            "perspective": perspective,
        }
    )


def log_columns(log: dict[str, np.ndarray], people: np.ndarray, batch: int) -> dict[str, pa.Array]:
    """Give the columns of `navigator_log`."""
    n = len(log["day"])
    partners = [name for arm in ARMS for name in world.PROVIDERS[arm]]
    each = len(world.PROVIDERS["RSN"])
    return {
        "log_id": numbered(f"N{batch:05d}", log.get("log", np.arange(n)), 8),
        "person_id": persons(member_ids(log["person"], people)),
        "program": texts(log["arm"], ARMS),
        "provider_id": texts(log["arm"] * each + log["partner"], partners),
        "worker_id": numbered("W", log["arm"] * 10000 + log["worker"], 6),
        "contact_date": dates(log["day"]),
        "contact_type": texts(log["kind"], CONTACT_TYPES),
        "successful": pa.array(log["successful"] == 1),
        "minutes": pa.array(log["minutes"]),
        "billable_units": decimals(log["units"], pa.decimal128(18, 4)),
        "referral_date": dates(log["referral"]),
        "enrollment_date": dates(log["enrollment"]),
        "disenrollment_date": dates(log["disenrollment"]),
        "disenrollment_reason": texts(log["reason"], REASONS),
    }


def staff_log(rng, setup: Setup) -> dict[str, np.ndarray]:
    """Give workers' time for no one client: training and coaching, which only the case rate leaves room for."""
    settings = setup.settings["engagement"]
    months = np.arange(month_number(setup.start), month_number(setup.end) + 1)
    parts = []
    for a, arm in enumerate(ARMS):
        workers = np.repeat(np.arange(len(world.PROVIDERS[arm]) * 4), len(months))
        when = np.tile(months, len(world.PROVIDERS[arm]) * 4)
        for kind, per_month in ((7, settings[arm]["training_per_month"]), (8, settings[arm]["coaching_per_month"])):
            source, _ = expand(rng.poisson(per_month, len(workers)))
            parts.append((np.full(len(source), a), workers[source], when[source], np.full(len(source), kind)))
    arm, worker, month, kind = (np.concatenate(column) for column in zip(*parts))
    n = len(arm)
    empty = np.full(n, NULL)
    return {
        "person": empty,
        "arm": arm,
        "partner": worker // 4,
        "worker": worker,
        "day": month_start(month) + rng.integers(0, 28, n),
        "kind": kind,
        "successful": np.zeros(n, np.int64),
        "minutes": rng.integers(4, 12, n) * 15,
        "units": np.zeros(n, np.int64),
        "referral": empty,
        "enrollment": empty,
        "disenrollment": empty,
        "reason": np.full(n, -1),
    }
