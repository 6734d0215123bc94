"""Figures of spells: groups of like members as swimmers, and what another gap rule would make of engagement."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from ratebook.contracts.episodes import ARMS
from ratebook.contracts.spells import GapSensitivity
from ratebook.disclosure import disclose
from ratebook.figures import ARM_COLORS, empty_figure, subplots

LANES = 20
"""Lanes of the swimmer plot for an arm; each stands for a group of members, so that none shows a person."""
ENDS = {
    "disengaged": ("fell silent", "s", "#4d4d4d"),
    "lost": ("lost, says the program", "D", "#8c6bb1"),
    "graduated": ("completed the program", "^", "#5b8c5a"),
    "death": ("died", "X", "#111111"),
    "readmitted": ("another detox", "P", "#d9a441"),
    "disenrolled": ("lost coverage", "v", "#7fb8ca"),
    "end_of_data": ("still engaged at the end of data", ">", "#d9a441"),
}
"""End reason to what the legend says, and the mark at the end of a lane."""
MEASURES = {
    "mean_days": "Mean days, as observed",
    "median_days": "Median days, as observed",
    "spells_per_person": "Spells per person",
    "single_contact_share": "Share of one contact",
    "censored_share": "Share, end not seen",
}


def plot_swimmers(cohort: pd.DataFrame, spells: pd.DataFrame, suppress_below: int):
    """Draw members as swimmers, in days since discharge: the first spell, how it ended, and the next detox.

    Within an arm, engaged members are ordered by the length of their first spell and cut into equal groups. A lane
    runs from the group's median first contact to its median last one; the mark at its end is the group's most
    common end; a cross is the median day of the next detox admission of those who had one. A group has at least
    `suppress_below` members, and so has what a cross stands for, so that nothing drawn is a person.

    Parameters
    ----------
    cohort : Cohort
    spells : Spells
    suppress_below : int
        Fewest members behind one lane, and behind one cross.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, B7; days count from the index, so that no date is shown.
    """
    members = _first_spells(cohort, spells)
    lanes = {arm: _lanes(members[members.arm == arm], suppress_below) for arm in ARMS}
    lanes = {arm: groups for arm, groups in lanes.items() if len(groups)}
    if not lanes:
        return empty_figure("Too few members of the cohort have a navigator to draw groups of them.")
    fig, axes = subplots(1, len(lanes), figsize=(4.4 * len(lanes), 4.4), sharex=True, squeeze=False)
    for ax, (arm, groups) in zip(axes[0], lanes.items()):
        places = np.arange(len(groups))
        ax.barh(places, groups.end - groups.start, left=groups.start, color=ARM_COLORS[arm], height=0.5)
        ax.scatter(groups.start, places, marker="|", s=60, color="#333333", zorder=3)
        for end_reason, (_, marker, color) in ENDS.items():
            mine = groups[groups.end_reason == end_reason]
            ax.scatter(mine.end, mine.index, marker=marker, color=color, edgecolor="white", s=46, zorder=4)
        ax.scatter(groups.readmission, places, marker="x", color="#b2182b", s=26, zorder=3)
        ax.set_xlim(left=0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("days since discharge")
        ax.set_title(f"{arm}: {int(groups.members.sum()):,} members in {len(groups)} lanes of like length")
    shown = set().union(*[groups.end_reason for groups in lanes.values()])
    fig.legend(handles=_marks(shown, suppress_below), loc="outside lower center", ncols=3, fontsize=8)
    fig.suptitle("First spell with a navigator: each lane the medians of a group of members", x=0.01, ha="left")
    return fig


def _marks(shown: set[str], suppress_below: int) -> list[Line2D]:
    """Give the legend: the start, the ends that are drawn, and the cross."""
    plain = {"linestyle": "none", "markersize": 7}
    ends = [
        Line2D([], [], marker=marker, color=color, label=f"most common end: {words}", **plain)
        for end_reason, (words, marker, color) in ENDS.items()
        if end_reason in shown
    ]
    return [
        Line2D([], [], marker="|", color="#333333", label="first contact", **plain),
        *ends,
        Line2D(
            [], [], marker="x", color="#b2182b", label=f"next detox admission, of {suppress_below} or more", **plain
        ),
    ]


def _first_spells(cohort: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    first = spells[spells.spell == 1]
    members = cohort[["person_id", "arm", "discharge_date", "readmission_date"]].merge(
        first, left_on=["person_id", "arm"], right_on=["person_id", "program"]
    )
    start = (members.first_date - members.discharge_date).dt.days
    readmission = (members.readmission_date - members.discharge_date).dt.days
    return members.assign(start=start, end=start + members.length_days, readmission=readmission)


def _lanes(members: pd.DataFrame, suppress_below: int) -> pd.DataFrame:
    count = min(LANES, len(members) // suppress_below)
    if count == 0:
        return pd.DataFrame()
    ordered = members.sort_values(["length_days", "start", "person_id"], kind="stable").reset_index(drop=True)
    groups = ordered.groupby(ordered.index * count // len(ordered))
    lanes = groups.agg(
        start=("start", "median"),
        end=("end", "median"),
        end_reason=("end_reason", lambda reasons: reasons.mode().iloc[0]),
        readmission=("readmission", "median"),
        readmitted=("readmission", "count"),
        members=("person_id", "size"),
    )
    return lanes.assign(readmission=lanes.readmission.where(lanes.readmitted >= suppress_below))


def plot_gap_sensitivity(sensitivity: pd.DataFrame, spell_gap_days: int, suppress_below: int):
    """Draw every measure of spells against the longest silence within one, by arm, with 95% intervals.

    Parameters
    ----------
    sensitivity : GapSensitivity
    spell_gap_days : int
        The gap in force, marked by a line.
    suppress_below : int
        Points of fewer persons are not drawn.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, B7 and C9; H24.
    """
    shown = disclose(sensitivity, GapSensitivity, suppress_below)
    shown = shown[shown.estimate.notna()]
    if shown.empty:
        return empty_figure("Nobody in the cohort has a spell with a navigator, or too few to be shown.")
    fig, axes = subplots(1, len(MEASURES), figsize=(2.2 * len(MEASURES), 2.9))
    gaps = sorted(shown.spell_gap_days.unique())
    for ax, (measure, words) in zip(axes, MEASURES.items()):
        ax.axvline(spell_gap_days, color="#bbbbbb", lw=0.8, ls="--")
        for place, arm in enumerate(ARMS):
            mine = shown[(shown.measure == measure) & (shown.arm == arm)].sort_values("spell_gap_days")
            at = mine.spell_gap_days.astype(float) + 1.6 * (place - 0.5)
            value, low, high = (mine[name].astype(float) for name in ("estimate", "lower", "upper"))
            limits = np.array([(value - low).fillna(0), (high - value).fillna(0)])
            ax.errorbar(
                at, value, limits, color=ARM_COLORS[arm], marker="o", ms=3.5, lw=1.1, elinewidth=0.9, label=arm
            )
        ax.set(xticks=gaps, ylim=(0, None))
        ax.set_xlabel("longest silence (days)", fontsize=7)
        ax.set_title(words, fontsize=8)
        ax.tick_params(labelsize=7)
    axes[0].legend(fontsize=8)
    fig.suptitle("Spells under other gap rules (dashed: the rule in force)", x=0.01, ha="left", weight="bold")
    return fig
