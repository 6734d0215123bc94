"""Faults of the payer's other records: coverage, services outside it, dispensings, logs, former ids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ratebook.simulate.block import NULL
from ratebook.simulate.setup import Setup
from ratebook.simulate.write import ALIAS


class RecordKind(NamedTuple):
    """One kind: the rule of methods.md that answers it, what should become of what is listed, and what it is."""

    rule: str | None
    outcome: str
    description: str


RECORD_KINDS = {
    "overlapping_span": RecordKind(
        "A12.2 merged", "corrected", "Coverage spans that overlap another one of the same plan."
    ),
    "conflicting_span": RecordKind(
        "A12.2 disputed", "corrected", "Coverage of another plan, entered earlier, on covered days."
    ),
    "reversed_span": RecordKind("A12.1", "gone", "Coverage spans that end before they start."),
    "member_conflict": RecordKind("A2.5", "corrected", "Members of whose three records one has another birth date."),
    "outside_coverage": RecordKind("A12.7", "flagged", "Services before the member was covered."),
    "drug_duplicate": RecordKind("A3.1", "once", "Dispensings loaded twice, byte for byte."),
    "drug_void": RecordKind("A5.6", "gone", "Dispensings taken back by a line of the negative amount."),
    "log_duplicate": RecordKind("A3.1", "once", "Log entries sent twice."),
    "log_unknown_person": RecordKind("A2.3", "gone", "Log entries whose client is nobody's id."),
}
"""Kinds with a rate in `simulate.faults`; what is listed is persons, claims, dispensings or log entries."""
DRUG_KINDS = ("drug_duplicate", "drug_void")
NATURAL_KINDS = {
    "retroactive_span": RecordKind("A12.4", "flagged", "Persons with coverage entered after it began."),
    "contamination": RecordKind("B8", "flagged", "Persons served by both programs."),
    "near_data_end": RecordKind(None, "kept", "Persons still served within 30 days of the end: no end was seen."),
    "dual_crossover": RecordKind("A1.3", "flagged", "Acute care of dual members: Medicare paid first."),
    "step_down": RecordKind(None, "kept", "H0010 that follows H0011: stabilisation, not another detox."),
}
"""Traps that arise from the model itself and have no rate of their own."""


def some(rng, among: np.ndarray, rate: float, whole: int) -> np.ndarray:
    """Choose `rate` of `whole` among some numbers, at least one where there is one and the rate is not 0."""
    wanted = min(len(among), int(np.ceil(rate * whole)))
    return np.sort(rng.permutation(among)[:wanted])


def spoil_spans(rng, setup: Setup, spans: dict[str, np.ndarray], rates: dict[str, float]):
    """Add spans that overlap, contradict or run backwards, each for persons of their own.

    Returns
    -------
    tuple
        The spans, and by kind the persons.
    """
    n = len(spans["person"])
    last = np.where(spans["end"] == NULL, setup.extract, spans["end"])
    long = np.flatnonzero(last - spans["start"] > 200)
    luck = rng.permutation(long[np.unique(spans["person"][long], return_index=True)[1]])
    found, parts, taken = {}, [spans], 0
    for kind in ("overlapping_span", "conflicting_span", "reversed_span"):
        at = luck[taken : taken + int(np.ceil(rates[kind] * n))]
        taken += len(at)
        extra = {name: values[at].copy() for name, values in spans.items()}
        extra["start"] = spans["start"][at] + rng.integers(30, 90, len(at))
        extra["end"] = extra["start"] + rng.integers(30, 90, len(at))
        if kind == "conflicting_span":
            extra["plan"] = np.full(len(at), 2)
            extra["added"] = spans["added"][at] - 40
        if kind == "reversed_span":
            extra["end"] = extra["start"] - rng.integers(1, 60, len(at))
        parts.append(extra)
        found[kind] = np.unique(spans["person"][at])
    return {name: np.concatenate([part[name] for part in parts]) for name in spans}, found


def move_outside(rng, setup: Setup, rows: dict, first_day: np.ndarray, used: np.ndarray, rate: float) -> np.ndarray:
    """Date some one-line, one-day claims to before the member's first covered day; give the claim numbers."""
    number, first, count = np.unique(rows["claim"], return_index=True, return_counts=True)
    plain = rows["person"][first] < ALIAS
    start = first_day[np.where(plain, rows["person"][first], 0)]
    may = (
        plain
        & (count == 1)
        & (rows["claim_start"][first] == rows["claim_end"][first])
        & (start > setup.start + 60)
        & ~np.isin(number, used)
    )
    at = some(rng, np.flatnonzero(may), rate, len(number))
    day = start[at] - rng.integers(5, 50, len(at))
    for name in ("claim_start", "claim_end", "line_start", "line_end"):
        rows[name][first[at]] = day
    return number[at]


def spoil_drugs(rng, setup: Setup, drugs: dict, rates: dict[str, float]):
    """Take some dispensings back and load others twice; give the rows, which are copies of a load, and the claims.

    The feed has no codes: a reversal is a dispensing of its own, equal but for its number, its later payment and the
    sign of its amounts.
    """
    n = len(drugs["day"])
    early = np.flatnonzero(drugs["paid_date"] <= setup.extract - 60)
    twice = some(rng, early, rates["drug_duplicate"], n)
    void = some(rng, np.setdiff1d(early, twice), rates["drug_void"], n)
    copies = {name: values[twice] for name, values in drugs.items()}
    voids = {name: values[void].copy() for name, values in drugs.items()}

    first = int(drugs["claim"].max()) + 1 if n else 0
    voids |= {
        "claim": first + np.arange(len(void)),
        "paid": -drugs["paid"][void],
        "allowed": -drugs["allowed"][void],
        "paid_date": drugs["paid_date"][void] + rng.integers(5, 50, len(void)),
    }
    whole = {name: np.concatenate([drugs[name], voids[name], copies[name]]) for name in drugs}
    resent = np.arange(len(whole["day"])) >= n + len(void)
    listed = {"drug_duplicate": drugs["claim"][twice], "drug_void": np.append(drugs["claim"][void], voids["claim"])}
    return whole, resent.astype(np.int64), listed


def spoil_log(rng, log: dict[str, np.ndarray], rates: dict[str, float]):
    """Send some entries twice and others under an unknown id; give the log and the entries' numbers."""
    n = len(log["day"])
    log = {**log, "log": np.arange(n), "person": log["person"].copy()}
    # The middle of an engagement: its first and last contact stay as they are.
    inner = np.flatnonzero((log["day"] > log["enrollment"]) & (log["kind"] >= 5))
    twice = some(rng, inner, rates["log_duplicate"], n)
    unknown = some(rng, np.setdiff1d(inner, twice), rates["log_unknown_person"], n)
    log["person"][unknown] += ALIAS
    whole = {name: np.concatenate([values, values[twice]]) for name, values in log.items()}
    return whole, {"log_duplicate": twice, "log_unknown_person": unknown}
