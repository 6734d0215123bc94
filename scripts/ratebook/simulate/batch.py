"""The last steps of every batch: payment, the extract, faults, files, and Arrow columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ratebook.simulate.block import NO_WORD, NULL, Block
from ratebook.simulate.delivery import pharmacy_kind, source_files, tally_control
from ratebook.simulate.fault_kinds import FORMER_IDS, KINDS
from ratebook.simulate.fault_records import move_outside, spoil_drugs, spoil_log, spoil_spans
from ratebook.simulate.faults import CODED, plant_faults
from ratebook.simulate.longterm import Residents
from ratebook.simulate.payment import draw_lags, keep_extract, pay, tally_paid
from ratebook.simulate.people import People
from ratebook.simulate.records import (
    capitation_columns,
    crosswalk_columns,
    eligibility_columns,
    log_columns,
    member_columns,
)
from ratebook.simulate.setup import Setup
from ratebook.simulate.world import CATEGORIES, word
from ratebook.simulate.write import claim_ids, medical_columns, numbered, persons, pharmacy_columns


@dataclass
class Draft:
    """A batch as the model made it: everything true, everything paid in the end, nothing spoilt."""

    who: People | Residents
    rows: Block
    drugs: dict[str, np.ndarray]
    spans: dict[str, np.ndarray]
    plan: str
    tally: Counter
    log: dict[str, np.ndarray] | None = None
    tables: dict[str, dict] = field(default_factory=dict)


def finish_batch(rng, setup: Setup, batch, draft: Draft):
    """Pay the claims, drop what the extract does not yet hold, plant the faults, and give Arrow columns.

    Returns
    -------
    tuple
        Tables as Arrow columns, sums for the truth, and ids by kind of fault: of what is wrong, and of what stands;
        and the person of each claim under a former id.
    """
    who, spans, plan, tally, log = draft.who, draft.spans, draft.plan, draft.tally, draft.log
    rates = setup.settings["faults"]
    rows = pay(rng, setup, draft.rows, plan)
    drugs = _pay_drugs(rng, draft.drugs, plan)
    tally.update(tally_paid(plan, rows, rows["line_start"]))
    tally.update(tally_paid(plan, drugs, drugs["day"]))
    rows, drugs = keep_extract(setup, rows), keep_extract(setup, drugs)
    sent = np.bincount(rows["category"], rows["paid"], minlength=len(CATEGORIES))
    rows, listed = plant_faults(rng, setup, who, rows, KINDS, rates)
    lost = sum((found.lost for found in listed.values()), np.zeros(len(CATEGORIES)))
    if plan != CODED:
        rows["adjustment"][:] = NO_WORD
    used = np.concatenate([ids for found in listed.values() for ids in (found.claims, found.stands)])
    tally.update({("due", kind): found.due for kind, found in listed.items()})
    tally.update({("sent", plan, name): float(cents) for name, cents in zip(CATEGORIES, sent)})
    tally.update({("lost", plan, name): float(cents) for name, cents in zip(CATEGORIES, lost)})
    first_day = np.full(len(who), -1)
    first_day[spans["person"][::-1]] = spans["start"][::-1]
    step_down = np.unique(rows["claim"][(rows["hcpcs"] == word("H0010")) & ~np.isin(rows["claim"], used)])
    gone = np.concatenate([found.claims for kind, found in listed.items() if KINDS[kind].outcome == "gone"])
    after_medicare = np.setdiff1d(rows["claim"][rows["crossover"] == 1], np.append(gone, listed["crossover"].claims))
    retroactive = np.unique(spans["person"][spans["added"] > spans["start"]])
    outside = move_outside(rng, setup, rows, first_day, used, rates["outside_coverage"])
    spans, persons_of = spoil_spans(rng, setup, spans, rates)
    drugs, drug_resent, drug_listed = spoil_drugs(rng, setup, drugs, rates)
    tally["due", "drug_duplicate"] += int(drugs["paid"][drug_resent == 1].sum())

    number, people = batch.number, who.number
    persons_of["retroactive_span"] = retroactive
    persons_of["member_conflict"] = np.sort(
        rng.permutation(len(who))[: int(np.ceil(rates["member_conflict"] * len(who)))]
    )
    faults = {kind: claim_ids(number, found.claims).to_pylist() for kind, found in listed.items()}
    faults["outside_coverage"] = claim_ids(number, outside).to_pylist()
    faults["step_down"] = claim_ids(number, step_down).to_pylist()
    faults["dual_crossover"] = claim_ids(number, after_medicare).to_pylist()
    faults |= {kind: persons(people[at]).to_pylist() for kind, at in persons_of.items()}
    faults |= {kind: numbered(f"D{number:05d}", at, 8).to_pylist() for kind, at in drug_listed.items()}
    stands = {kind: claim_ids(number, found.stands).to_pylist() for kind, found in listed.items()}
    owners = {
        claim: person
        for kind in FORMER_IDS
        for claim, person in zip(faults[kind], persons(people[listed[kind].owners]).to_pylist())
    }
    if log is not None:
        log, entries = spoil_log(rng, log, rates)
        faults |= {kind: numbered(f"N{number:05d}", at, 8).to_pylist() for kind, at in entries.items()}

    arrives = np.where(rows["paid_date"] == NULL, setup.extract, rows["paid_date"])
    files, names = source_files(plan.lower(), rows["claim_type"], arrives, rows["resent"] == 2, rows["feed"])
    kind = pharmacy_kind(len(drugs["day"]))
    drug_files, drug_names = source_files(plan.lower(), kind, drugs["paid_date"])
    tally.update(tally_control(files, names, rows, rows["resent"], rows["claim_type"]))
    tally.update(tally_control(drug_files, drug_names, drugs, drug_resent, kind))
    tally.update({("rows", "medical"): len(rows["claim"]), ("rows", "pharmacy"): len(kind)})
    tables = {
        "members": member_columns(who, persons_of["member_conflict"]),
        "identity_crosswalk": crosswalk_columns(setup, rows["person"], people),
        "eligibility": eligibility_columns(spans, people),
        "medical_claims": medical_columns(rows, people, number, files, names),
        "pharmacy_claims": pharmacy_columns(drugs, people, number, drug_files, drug_names),
    } | draft.tables
    if log is not None:
        tables["navigator_log"] = log_columns(log, people, number)
    if isinstance(who, People):
        ages = (setup.start - who.birth) / 365.25
        tables["capitation_payments"] = capitation_columns(setup, spans, people, ages)
    return tables, tally, (faults, stands, owners)


def _pay_drugs(rng, drugs: dict, plan: str) -> dict:
    n = len(drugs["day"])
    return {
        **drugs,
        "claim": np.arange(n),
        "plan": np.full(n, word(plan)),
        "allowed": drugs["paid"],
        "adjustment": np.full(n, NO_WORD),
        "target": np.full(n, NULL),
        "paid_date": drugs["day"] + draw_lags(rng, "pharmacy", n),
    }
