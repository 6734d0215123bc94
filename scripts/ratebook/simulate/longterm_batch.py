"""One batch of the long-term-care population, from people to the columns of its tables."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.batch import Draft, finish_batch
from ratebook.simulate.block import monthly, stack
from ratebook.simulate.longterm import (
    Residents,
    bill_community,
    bill_nursing_homes,
    cross_over,
    draw_moves,
    draw_residents,
)
from ratebook.simulate.people import NEVER
from ratebook.simulate.records import assessment_columns, long_term_spans
from ratebook.simulate.services import bill_emergency, bill_inpatient, bill_visits, dispense
from ratebook.simulate.setup import Setup


def make_batch(setup: Setup, batch) -> tuple[dict, Counter, tuple[dict, dict, dict]]:
    """Make one batch: tables as Arrow columns, sums for the truth, and the ids of planted faults."""
    rng = np.random.default_rng(batch.seed)
    residents = draw_residents(rng, setup, batch.first + np.arange(batch.members))
    moves = draw_moves(rng, setup, residents)
    community = bill_community(rng, setup, residents, moves)
    acute, drugs = bill_acute(rng, setup, residents)
    rows = stack([bill_nursing_homes(rng, setup, residents, moves), *community, acute])
    tally = count_months(residents, moves, rows, drugs)
    spans = long_term_spans(rng, setup, residents, moves)
    extra = {"assessments": assessment_columns(rng, setup, residents)}
    return finish_batch(rng, setup, batch, Draft(residents, rows, drugs, spans, "FFS", tally, tables=extra))


def bill_acute(rng, setup: Setup, residents: Residents):
    """Bill hospital, doctors and drugs: Medicare pays first for duals, and all of it for people without Medicaid."""
    person = np.flatnonzero(residents.dual != 3)
    start, end = residents.start[person], residents.end[person]
    is_dual = residents.dual < 2
    drug = residents.number % len(world.SUD_CLASSES)
    own = {
        name: np.where(is_dual[person], world.ACUTE["dual"][name], world.ACUTE["medicaid_only"][name])
        for name in ("ed", "inpatient", "sud")
    }
    blocks = [
        bill_emergency(rng, setup, drug, person, start, end, own["ed"], own["sud"]),
        bill_inpatient(
            *(rng, setup, drug, person, start, end, own["inpatient"], own["sud"]),
            world.ACUTE_USD["long_term_inpatient"],
        ),
    ]
    dispensed = []
    for label, among in (("dual", is_dual[person]), ("medicaid_only", ~is_dual[person])):
        spans = tuple(v[among] for v in (person, start, end))
        for category, pool, share in (("OP_PROFESSIONAL", "frail", 0.9), ("OTHER_BH", "mental", 0.1)):
            visit = world.Service(
                *(category, "all", world.LONG_TERM_VISITS[label] * share, ("99213", "99214", "99309"), "11"),
                *((1,), 80, 0.3, pool, "clinic"),
            )
            blocks.append(bill_visits(rng, setup, drug, *spans, visit))
        per_year, price = world.LONG_TERM_DRUGS[label], world.DRUG_USD["long_term"]
        dispensed.append(dispense(rng, setup, *spans, per_year, "other", price))
    drugs = {name: np.concatenate([part[name] for part in dispensed]) for name in dispensed[0]}
    return cross_over(rng, stack(blocks), is_dual), drugs


def count_months(residents: Residents, moves, rows, drugs) -> Counter:
    """Count days and dollars by setting and coverage: the truth of long-term care per member and month."""
    span, first, last = monthly(moves.start, moves.end)
    group = np.array(["dual", "dual", "medicaid_only", "medicare_only"])[residents.dual]
    total: Counter = Counter()
    days = np.bincount(span, last - first + 1, minlength=len(moves.person))
    is_long_term = rows["category"] == world.CATEGORIES.index("LTSS")
    paid = (
        ("long_term", rows["person"][is_long_term], rows["line_start"][is_long_term], rows["paid"][is_long_term]),
        ("acute", rows["person"][~is_long_term], rows["line_start"][~is_long_term], rows["paid"][~is_long_term]),
        ("drugs", drugs["person"], drugs["day"], drugs["paid"]),
    )
    key = moves.person * NEVER + moves.start
    dollars = {}
    for kind, person, day, cents in paid:
        at = np.searchsorted(key, person * NEVER + day, side="right") - 1
        dollars[kind] = np.bincount(at, cents, minlength=len(key))
    for number, setting in enumerate(world.SETTINGS):
        for name in ("dual", "medicaid_only", "medicare_only"):
            here = (moves.setting == number) & (group[moves.person] == name)
            total[("ltc_days", setting, name)] += int(days[here].sum())
            for kind, cents in dollars.items():
                total[("ltc_paid", setting, name, kind)] += int(cents[here].sum())
    return total
