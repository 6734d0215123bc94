"""Several ways for a spell to end: the hazard of each, and what the arms do to the share that each one takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ratebook.engagement.model_rows import Study, arm_row
from ratebook.engagement.survival import risk_table, survival_of, value_at

ANY = "any event"


class Expanded(NamedTuple):
    """Rows of the weighted risk set: whose they are, from when to when, whether the end studied, with what weight."""

    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    event: np.ndarray
    weight: np.ndarray


def expand_subdistribution(days, cause, studied: int) -> Expanded:
    """Keep who ended otherwise at risk, with the chance of being still observed: Fine and Gray's risk set.

    Who ended at T for another cause counts at t > T with weight G(t-) / G(T-), G the Kaplan-Meier of censoring,
    censorings after ends on the same day. Such a person has a row for every stretch of ends of the studied cause
    between which G does not change; everybody else has one row.

    Parameters
    ----------
    days : array (n,)
        All above 0.
    cause : array (n,) of int
        0 censored, else 1, 2, …
    studied : int
        The cause whose share is modelled.

    References
    ----------
    methods.md, C7; Fine & Gray 1999; Geskus 2011.
    """
    days, cause = np.asarray(days, float), np.asarray(cause, int)
    before = np.nextafter(days, 0)
    table = risk_table(np.where(cause > 0, before, days), cause == 0).total()
    observed = survival_of(table)
    at = np.unique(days[cause == studied])
    level = value_at(table.time, observed, np.nextafter(at, 0))
    # The last studied end of each stretch over which the chance of being observed stays as it is.
    closes = np.append(level[1:] != level[:-1], True)[: len(at)]
    stretch_end, stretch_level = at[closes], level[closes]
    own_level = value_at(table.time, observed, before)
    others = np.flatnonzero((cause > 0) & (cause != studied))
    later = np.searchsorted(stretch_end, days[others], side="right")
    counts = len(stretch_end) - later
    person = np.repeat(others, counts)
    place = np.arange(len(person)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(later, counts)
    opens = np.where(place > 0, stretch_end[np.maximum(place - 1, 0)], 0.0) if len(person) else np.zeros(0)
    weight = stretch_level[place] / own_level[person]
    # A stretch that began before the end itself continues the person's own row.
    whole = opens < days[person]
    start = np.where(whole, days[person], opens)
    row = np.concatenate([np.arange(len(days)), person])
    parts = {
        "start": np.concatenate([np.zeros(len(days)), start]),
        "stop": np.concatenate([days, stretch_end[place]]),
        "event": np.concatenate([cause == studied, np.zeros(len(person), bool)]),
        "weight": np.concatenate([np.ones(len(days)), weight]),
    }
    order = np.lexsort([parts["stop"], row])
    return Expanded(row[order], *(parts[name][order] for name in Expanded._fields[1:]))


def competing_rows(study: Study) -> list[dict]:
    """Compare the arms for each way a spell ends: its hazard, and its share in the presence of the others.

    `cause_specific` censors other ends: what the arm does to the rate of this end among those still engaged.
    `fine_gray` is what it does to the share that ends so, which other ends can lower without touching that rate;
    its error takes the chance of being observed as known. `any event` is all that the config calls event, also
    adjusted for the covariates.

    References
    ----------
    methods.md, C7.
    """
    persons = study.persons
    ended = (persons.role != "censor").to_numpy()
    reasons = sorted(persons.end_reason[ended].unique())
    rows = []
    for reason in reasons:
        own = ended & (persons.end_reason == reason).to_numpy()
        rows.append(arm_row("cause_specific", reason, persons, study.days, own, study.arm, study.cluster))
        rows.append(_fine_gray_row(study, "fine_gray", reason, own, ended))
    for name in study.designs:
        rows.append(_fine_gray_row(study, f"fine_gray{name}", ANY, study.event, ended, name))
    return rows


def _fine_gray_row(study: Study, model: str, term: str, own: np.ndarray, ended: np.ndarray, design: str = "") -> dict:
    wide = expand_subdistribution(study.days, np.where(own, 1, np.where(ended, 2, 0)), 1)
    matrix = study.designs[design].iloc[wide.row]
    process = {"entry": wide.start, "weight": wide.weight}
    return arm_row(model, term, study.persons, wide.stop, wide.event, matrix, study.cluster[wide.row], **process)
