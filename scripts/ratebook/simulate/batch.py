"""The last steps of every batch: payment, the extract, faults, files, and Arrow columns."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ratebook.simulate.block import NULL
from ratebook.simulate.delivery import pharmacy_kind, source_files, tally_control
from ratebook.simulate.payment import draw_lags, keep_extract, pay, ultimate
from ratebook.simulate.people import People
from ratebook.simulate.records import capitation_columns, eligibility_columns, log_columns, member_columns
from ratebook.simulate.setup import Setup
from ratebook.simulate.world import word
from ratebook.simulate.write import medical_columns, pharmacy_columns


def finish_batch(rng, setup: Setup, batch, who, rows, drugs, spans, plan: str, tally: Counter, log, extra=None):
    """Pay the claims, drop what the extract does not yet hold, plant the faults, and give Arrow columns."""
    rows = pay(rng, setup, rows, plan)
    drugs = _pay_drugs(rng, drugs, plan)
    for sums in (ultimate(rows, rows["line_start"]), ultimate(drugs, drugs["day"])):
        tally.update({("ultimate", plan, *key): cents for key, cents in sums.items()})
    rows, drugs = keep_extract(setup, rows), keep_extract(setup, drugs)
    faults: dict[str, list[str]] = {}
    people = who.number
    files, names = source_files(plan.lower(), rows["claim_type"], rows["paid_date"])
    drug_files, drug_names = source_files(plan.lower(), pharmacy_kind(len(drugs["day"])), drugs["paid_date"])
    tally.update(tally_control(files, names, rows, rows["resent"], rows["claim_type"]))
    none = np.zeros(len(drugs["day"]), np.int64)
    tally.update(tally_control(drug_files, drug_names, drugs, none, pharmacy_kind(len(none))))
    tables = {
        "members": member_columns(who),
        "eligibility": eligibility_columns(spans, people),
        "medical_claims": medical_columns(rows, people, batch.number, files, names),
        "pharmacy_claims": pharmacy_columns(drugs, people, batch.number, drug_files, drug_names),
    } | (extra or {})
    if log is not None:
        tables["navigator_log"] = log_columns(log, people, batch.number)
    if isinstance(who, People):
        tables["capitation_payments"] = capitation_columns(setup, spans, people, (setup.start - who.birth) / 365.25)
    tally[("rows", "medical")] += len(rows["claim"])
    return tables, tally, faults


def _pay_drugs(rng, drugs: dict, plan: str) -> dict:
    n = len(drugs["day"])
    return {
        **drugs,
        "claim": np.arange(n),
        "plan": np.full(n, word(plan)),
        "allowed": drugs["paid"],
        "adjustment": np.full(n, word("original")),
        "target": np.full(n, NULL),
        "paid_date": drugs["day"] + draw_lags(rng, "pharmacy", n),
    }
