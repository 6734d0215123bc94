"""Whom the cohort would hold under other readings of "more than one detox admission in the last year"."""

from __future__ import annotations

from dataclasses import replace

import ibis

from ratebook.contracts.episodes import ARMS, INDEX_RULES, UNITS
from ratebook.episodes.cohort import CohortRules, add_arm, random_order, rule_tests, select_candidates
from ratebook.episodes.stays import build_episodes

FEWEST = (1, 2, 3)
"""Numbers of admissions asked for, beside the one in force."""
READING = ["unit", "min_detox_12m", "count_index", "index_rule"]


def select_by_unit(
    stays: ibis.Table,
    detox_levels: list[str],
    episode_gap_days: int,
    spans: ibis.Table,
    persons: ibis.Table,
    claims: ibis.Table,
    rules: CohortRules,
) -> dict[str, ibis.Table]:
    """Ask the cohort's rules of every episode, and of every stay as if it were an admission of its own.

    Returns
    -------
    dict of str to ibis.Table
        Candidates, as `select_candidates` gives them, by unit.
    """
    return {
        unit: select_candidates(
            build_episodes(stays, detox_levels, episode_gap_days, unit),
            spans,
            persons,
            claims,
            replace(rules, unit=unit),
        )
        for unit in UNITS
    }


def select_eligible(by_unit: dict[str, ibis.Table], contacts: ibis.Table, rules: CohortRules) -> ibis.Table:
    """Keep the discharges that pass every rule but that of repeated detox, with their arm.

    Returns
    -------
    ibis.Table
        One row per unit and admission: `unit`, `person_id`, `episode`, `n12`, `arm`, and `place`, a random order.
    """
    parts = []
    for unit, candidates in by_unit.items():
        others = replace(rules, min_detox_12m=0, unit=unit)
        kept = add_arm(candidates.filter(rule_tests(candidates, others)), contacts, others)
        place = random_order(kept, rules.seed)
        parts.append(kept.select("person_id", "episode", "n12", "arm", unit=ibis.literal(unit), place=place))
    return ibis.union(*parts)


def count_variants(eligible: ibis.Table, rules: CohortRules) -> ibis.Table:
    """Count whom the cohort would hold, by arm, under every reading of the source's words.

    Is a transfer an admission (`unit`)? How many are asked for, and is the index one of them? Which of a
    person's eligible discharges is the index? Every other rule stays as it is. Where all of them are index
    discharges a person may be in several arms: the arms' persons then do not add up, their discharges do.

    Parameters
    ----------
    eligible : ibis.Table
        As `select_eligible` gives them: read often, so better held.
    rules : CohortRules
        The rules in force.

    Returns
    -------
    CohortVariants
        A row for every reading and arm, zeros where nobody is.

    References
    ----------
    methods.md, B5; H15.
    """
    chosen = (rules.unit, rules.min_detox_12m, rules.count_index, rules.index_rule)
    admissions = sorted({(fewest, counted) for fewest in FEWEST for counted in (True, False)} | {chosen[1:3]})
    readings = ibis.memtable(
        [(*reading, reading[0] + (not reading[1])) for reading in admissions],
        schema={"min_detox_12m": "int64", "count_index": "boolean", "needed": "int64"},
    )
    entered = readings.join(eligible, eligible.n12 >= readings.needed)
    picked = ibis.union(*[_pick(entered, rule) for rule in INDEX_RULES])
    picked = picked.mutate(in_arm=ibis.array([picked.arm, "all"]).unnest()).drop("arm")
    grid = ibis.memtable(
        [
            (unit, *reading, rule, arm, (unit, *reading, rule) == chosen)
            for unit in UNITS
            for reading in admissions
            for rule in INDEX_RULES
            for arm in (*ARMS, "none", "all")
        ],
        schema={
            "unit": "string",
            "min_detox_12m": "int64",
            "count_index": "boolean",
            "index_rule": "string",
            "arm": "string",
            "is_chosen": "boolean",
        },
    )
    counted = picked.rename(arm="in_arm")
    found = grid.left_join(counted, [*READING, "arm"])
    return found.group_by(*grid.columns).agg(persons=found.person_id.nunique(), discharges=found.person_id.count())


def _pick(entered: ibis.Table, index_rule: str) -> ibis.Table:
    """Keep each person's index discharge by a rule, under every reading; all of them by the rule `all`."""
    columns = [*READING, "arm", "person_id"]
    rule = ibis.literal(index_rule)
    if index_rule == "all":
        return entered.mutate(index_rule=rule).select(columns)
    of_person = entered.group_by("unit", "min_detox_12m", "count_index", "person_id")
    arm = {
        "first": entered.arm.argmin(entered.episode),
        "last": entered.arm.argmax(entered.episode),
        "random": entered.arm.argmin(entered.place),
    }[index_rule]
    return of_person.agg(arm=arm).mutate(index_rule=rule).select(columns)
