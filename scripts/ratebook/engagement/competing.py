"""Several ways for a spell to end: the hazard of each, and what the arms do to the share that each one takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from ratebook.engagement.model_rows import TOO_FEW, Study, arm_row, model_row
from ratebook.engagement.survival import cumulative_incidence, risk_table, survival_of, value_at

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


class Gray(NamedTuple):
    """The score of Gray's test, RSN's ends less those expected, its test with persons of a cluster together."""

    score: float
    chi2: float
    p_value: float


def gray_test(days, cause, treated, cluster) -> Gray:
    """Compare the share of two arms that ends for cause 1, other ends competing (Gray 1988, ρ = 0).

    The score is Σ w (dΓ₁ - dΓ₂), dΓ = d₁ / R the subdistribution's hazard, R = Y (1 - F₁(t-)) / S(t-) who has not
    ended for cause 1, w = R₁ R₂ / (R₁ + R₂): the log-rank's where nothing competes. Its variance is Σ (m - 1) / m of
    the squared changes, from their mean, as each of an arm's m clusters in turn is left out, w kept. A cluster with
    clients in both arms counts once in each. p is by Student's t: a degree of freedom for every cluster, less two.

    Parameters
    ----------
    days : array (n,)
    cause : array (n,) of int
        0 censored, 1 the cause studied, 2 any other.
    treated : array (n,) of bool
    cluster : array (n,)

    Returns
    -------
    Gray
        NaN for test and p where an arm has fewer than two clusters, or nothing varies.

    References
    ----------
    methods.md, C7; Gray 1988.
    """
    treated = np.asarray(treated, bool)
    pairs, unit = np.unique(np.column_stack([treated, cluster]), axis=0, return_inverse=True)
    table = risk_table(days, cause, causes=2, unit=unit.ravel(), units=len(pairs))
    hazards, at_risk = [], []
    for arm in (1, 0):
        mine = (pairs[:, 0] == arm).astype(float)
        left_out = table.total(np.vstack([mine, mine - np.eye(len(pairs))[mine > 0]]))
        survival, ended = survival_of(left_out), cumulative_incidence(left_out)[0]
        survival, ended = np.pad(survival, ((0, 0), (1, 0)), constant_values=1.0), np.pad(ended, ((0, 0), (1, 0)))
        known = (survival[:, :-1] > 0) & (left_out.at_risk > 0)
        kept = np.where(known, left_out.at_risk * (1 - ended[:, :-1]) / np.where(known, survival[:, :-1], 1.0), 0.0)
        hazards.append(np.divide(left_out.ends[0], kept, out=np.zeros_like(kept), where=kept > 0))
        at_risk.append(kept[0])
    both = at_risk[0] + at_risk[1]
    weight = np.divide(at_risk[0] * at_risk[1], both, out=np.zeros_like(both), where=both > 0)
    sums = [hazard @ weight for hazard in hazards]
    score = float(sums[0][0] - sums[1][0])
    sizes = [len(found) - 1 for found in sums]
    variance = sum((m - 1) / m * ((found[1:] - found[1:].mean()) ** 2).sum() for found, m in zip(sums, sizes) if m)
    if min(sizes) < 2 or not variance > 0:
        return Gray(score, float("nan"), float("nan"))
    statistic = score**2 / variance
    return Gray(score, float(statistic), float(2 * stdtr(max(sum(sizes) - 2, 1), -(statistic**0.5))))


def _gray_row(study: Study, term: str, own: np.ndarray, ended: np.ndarray) -> dict:
    counted = {"events": int(own.sum())}
    if not (study.treated.any() and (~study.treated).any()):
        return model_row("gray", term, study.persons, **counted, reason="one arm only")
    found = gray_test(study.days, np.where(own, 1, np.where(ended, 2, 0)), study.treated, study.cluster)
    if not np.isfinite(found.chi2):
        return model_row("gray", term, study.persons, **counted, reason=TOO_FEW)
    return model_row("gray", term, study.persons, **counted, statistic=found.chi2, degrees=1, p_value=found.p_value)


def competing_rows(study: Study) -> list[dict]:
    """Compare the arms for each way a spell ends: its hazard, and its share in the presence of the others.

    `cause_specific` censors other ends: what the arm does to the rate of this end among those still engaged.
    `fine_gray` is what it does to the share that ends so, which other ends can lower without touching that rate;
    its error takes the chance of being observed as known. `any event` is all that the config calls event, also
    adjusted for the covariates. `gray` tests that the shares are alike, whatever the shape of their difference.

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
        rows.append(_gray_row(study, reason, own, ended))
    for name in study.designs:
        rows.append(_fine_gray_row(study, f"fine_gray{name}", ANY, study.event, ended, name))
    return rows


def _fine_gray_row(study: Study, model: str, term: str, own: np.ndarray, ended: np.ndarray, design: str = "") -> dict:
    wide = expand_subdistribution(study.days, np.where(own, 1, np.where(ended, 2, 0)), 1)
    matrix = study.designs[design].iloc[wide.row]
    process = {"entry": wide.start, "weight": wide.weight}
    return arm_row(model, term, study.persons, wide.stop, wide.event, matrix, study.cluster[wide.row], **process)
