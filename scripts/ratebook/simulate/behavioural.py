"""One batch of the behavioural-health carve-out, from people to the columns of its tables."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.batch import Draft, finish_batch
from ratebook.simulate.block import stack
from ratebook.simulate.detox import Admissions, bill_detox, bill_step_down, draw_admissions
from ratebook.simulate.navigator import (
    Engagements,
    bill_program,
    draw_contacts,
    draw_engagements,
    second_engagements,
    write_log,
)
from ratebook.simulate.people import People, draw_people
from ratebook.simulate.records import behavioural_spans
from ratebook.simulate.services import bill_behavioural, bill_emergency, bill_inpatient, coverage, dispense
from ratebook.simulate.setup import Setup
from ratebook.simulate.write import persons


def make_batch(setup: Setup, batch) -> tuple[dict, Counter, tuple[dict, dict, dict]]:
    """Make one batch: tables as Arrow columns, sums for the truth, and the ids of planted faults."""
    rng = np.random.default_rng(batch.seed)
    people = draw_people(rng, setup, batch.first + np.arange(batch.members))
    admissions = draw_admissions(rng, setup, people)
    firsts = draw_engagements(rng, setup, people, admissions)
    later = second_engagements(rng, setup, people, firsts)
    engagements = Engagements(*[np.concatenate(pair) for pair in zip(vars(firsts).values(), vars(later).values())])
    contacts = draw_contacts(rng, setup, engagements)
    log = write_log(rng, setup, people, engagements, contacts)
    program = bill_program(rng, setup, people, engagements, contacts)
    claims, drugs = bill_care(rng, setup, people, admissions, firsts)
    rows = stack([*claims, program])
    tally = count_admissions(setup, admissions)
    tally.update({("engaged", int(arm)): int((firsts.arm[firsts.is_index] == arm).sum()) for arm in (0, 1)})
    spans = behavioural_spans(rng, setup, people)
    draft = Draft(people, rows, drugs, spans, "BHP", tally, log)
    tables, tally, (faults, stands, owners) = finish_batch(rng, setup, batch, draft)
    both = np.intersect1d(engagements.person[engagements.arm == 0], engagements.person[engagements.arm == 1])
    late = np.unique(engagements.person[contacts["engagement"]][contacts["day"] > setup.end - 30])
    faults["contamination"] = persons(people.number[both]).to_pylist()
    faults["near_data_end"] = persons(people.number[late]).to_pylist()
    return tables, tally, (faults, stands, owners)


def bill_care(rng, setup: Setup, people: People, admissions: Admissions, engagements: Engagements):
    """Bill all care but the navigators': blocks of claim lines, and dispensings."""
    person, start, end = coverage(setup, people)
    user = people.kind[person] > 0
    acute = {
        name: np.where(user, world.ACUTE["user"][name], world.ACUTE["none"][name])
        for name in ("ed", "inpatient", "sud")
    }
    drug = people.drug
    client = (engagements.person, engagements.first, np.minimum(engagements.last(), setup.end))
    opioid = drug[engagements.person] == 0
    own_opioid = user & (drug[person] == 0)
    claims = [
        bill_detox(rng, setup, people, admissions),
        *bill_step_down(rng, setup, people, admissions),
        *bill_behavioural(rng, setup, people, client),
        bill_emergency(rng, setup, drug, person, start, end, acute["ed"], acute["sud"]),
        bill_inpatient(
            rng, setup, drug, person, start, end, acute["inpatient"], acute["sud"] * 0.4, world.ACUTE_USD["inpatient"]
        ),
    ]
    moud, other = world.DRUG_USD["moud"], world.DRUG_USD["other"]
    drugs = [
        dispense(rng, setup, person, start, end, 4.0, "other", other),
        dispense(rng, setup, *(v[own_opioid] for v in (person, start, end)), 0.8, "moud", moud),
        dispense(rng, setup, *(v[opioid] for v in client), 9.0, "moud", moud),
    ]
    return claims, {name: np.concatenate([part[name] for part in drugs]) for name in drugs[0]}


def count_admissions(setup: Setup, admissions: Admissions) -> Counter:
    """Count, over person-years with an admission, users, repeaters and whose admissions they are (methods.md B5)."""
    year = (admissions.admit - setup.start) // 365.25
    _, count = np.unique(admissions.person * 100 + year.astype(np.int64), return_counts=True)
    repeats = count >= 2
    return Counter(
        {
            ("detox", "users"): len(count),
            ("detox", "repeaters"): int(repeats.sum()),
            ("detox", "admissions"): int(count.sum()),
            ("detox", "repeaters_admissions"): int(count[repeats].sum()),
        }
    )
