"""Spells in sum: what ended them in each arm, and what another gap rule would make of them."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.episodes import ARMS, END_REASONS
from ratebook.contracts.spells import GapSensitivity, SpellEnds
from ratebook.episodes.clustered import clustered_median, clustered_ratio
from ratebook.tables import frame_of


def estimate_spell_ends(cohort: pd.DataFrame, spells: pd.DataFrame, end_reasons: dict[str, str]) -> pd.DataFrame:
    """Count what ended each member's first spell with the arm's program, or hid its end, by arm.

    Parameters
    ----------
    cohort : Cohort
    spells : Spells
    end_reasons : dict
        End reason to event, competing or censor.

    Returns
    -------
    SpellEnds
        A row for every arm and reason: zero where nobody, and a null share where the arm has no spell.

    References
    ----------
    methods.md, B7 and C; H33 asks whether the arms' censoring differs.
    """
    first = _own_spells(cohort, spells).query("spell == 1")
    rows = []
    for arm in ARMS:
        mine = first[first.arm == arm]
        for end_reason in END_REASONS:
            ended = mine.end_reason == end_reason
            found = clustered_ratio(ended, pd.Series(1, index=mine.index), mine.cluster, is_share=True)
            days = mine.length_days[ended]
            rows.append(
                {
                    "arm": arm,
                    "end_reason": end_reason,
                    "role": end_reasons[end_reason],
                    "persons": int(ended.sum()),
                    "share": found.pop("estimate"),
                    "median_days": float(days.median()) if len(days) else None,
                    **found,
                }
            )
    return frame_of(rows, SpellEnds)


def compare_gaps(cohort: pd.DataFrame, spells_by_gap: pd.DataFrame, gaps_days: list[int]) -> pd.DataFrame:
    """Say for each gap rule and arm how many spells there are, how long the first is, and how often it is one contact.

    Returns
    -------
    GapSensitivity

    References
    ----------
    methods.md, B7 and C9; H24, H34.
    """
    own = _own_spells(cohort, spells_by_gap)
    rows = []
    for gap in sorted(set(gaps_days)):
        for arm in ARMS:
            mine = own[(own.arm == arm) & (own.spell_gap_days == gap)]
            first = mine[mine.spell == 1]
            one = pd.Series(1, index=first.index)
            is_single, is_censored = first.contacts == 1, ~first.is_event.astype(bool)
            measures = {
                "spells_per_person": clustered_ratio(pd.Series(1, index=mine.index), mine.spell == 1, mine.cluster),
                "single_contact_share": clustered_ratio(is_single, one, first.cluster, is_share=True),
                "censored_share": clustered_ratio(is_censored, one, first.cluster, is_share=True),
                "mean_days": clustered_ratio(first.length_days, one, first.cluster),
                "median_days": clustered_median(first.length_days, first.cluster),
            }
            counts = {"single_contact_share": int(is_single.sum()), "censored_share": int(is_censored.sum())}
            rows += [
                {
                    "spell_gap_days": gap,
                    "arm": arm,
                    "measure": measure,
                    "persons": len(first),
                    "counted": counts.get(measure, len(first)),
                    **found,
                }
                for measure, found in measures.items()
            ]
    return frame_of(rows, GapSensitivity)


def _own_spells(cohort: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Give the spells of members with the program of their arm; the member's provider is the cluster of all of them."""
    members = cohort.loc[cohort.arm.isin(ARMS), ["person_id", "arm", "provider_id"]]
    members = members.rename(columns={"provider_id": "cluster"})
    return members.merge(spells, left_on=["person_id", "arm"], right_on=["person_id", "program"])
