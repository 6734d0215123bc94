"""Figures of the cohort: whom every rule left, how long detox lasts, when members are with a navigator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, plt

LANES = 20
"""Lanes of the swimmer plot for an arm; each stands for a group of members, so that none shows a person."""


def plot_flow(flow: pd.DataFrame):
    """Draw who is left after every inclusion rule, top to bottom, with the number each rule takes.

    Parameters
    ----------
    flow : CohortFlow

    Returns
    -------
    matplotlib.figure.Figure
    """
    flow = flow.sort_values("step")
    if flow.empty or flow.persons_in.iloc[0] == 0:
        return empty_figure("Nobody has an episode of withdrawal management: there is no flow to draw.")
    labels = ["Any episode of withdrawal management", *flow.description]
    left = [flow.persons_in.iloc[0], *flow.persons_out]
    places = np.arange(len(left))
    fig, ax = plt.subplots(figsize=(7.6, 0.42 * len(left) + 0.8))
    ax.barh(places, left, color=PALETTE[0], height=0.62)
    for place, persons in zip(places, left):
        taken = f"  (−{left[place - 1] - persons:,})" if place else ""
        ax.annotate(f"{persons:,}{taken}", (persons, place), (4, 0), textcoords="offset points", va="center")
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.set_xlim(0, left[0] * 1.25)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_title("From episodes to the cohort: persons left by every rule")
    return fig


def plot_lengths(lengths: pd.DataFrame):
    """Draw how many days episodes last, those with a transfer on top of those without.

    Parameters
    ----------
    lengths : EpisodeLengths

    Returns
    -------
    matplotlib.figure.Figure
    """
    if lengths.empty:
        return empty_figure("There is no episode of withdrawal management: no length to draw.")
    by_transfer = lengths.pivot(index="los_days", columns="is_transfer", values="episodes").fillna(0)
    by_transfer = by_transfer.reindex(columns=[False, True], fill_value=0)
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.bar(by_transfer.index, by_transfer[False], color=PALETTE[0], label="one facility")
    ax.bar(by_transfer.index, by_transfer[True], bottom=by_transfer[False], color=PALETTE[1], label="with a transfer")
    ax.set_xlabel("days from first admission to last discharge (the longest together)")
    ax.set_ylabel("episodes")
    ax.set_title("Length of episodes of withdrawal management")
    ax.legend()
    return fig


def plot_swimmers(cohort: pd.DataFrame, spells: pd.DataFrame, smallest_group: int):
    """Draw when members are with their navigator, in days since discharge, by groups of like members.

    Within an arm, engaged members are ordered by the length of their first spell and cut into equal groups;
    a lane shows the group's median start and median end, and its dot the share whose end was seen. A group
    has at least `smallest_group` members, so that no lane is a person.

    Parameters
    ----------
    cohort : Cohort
    spells : Spells
    smallest_group : int
        Fewest members behind one lane.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, B7; days count from the index, so that no date is shown.
    """
    members = _first_spells(cohort, spells)
    lanes = {arm: _lanes(members[members.arm == arm], smallest_group) for arm in ARMS}
    lanes = {arm: groups for arm, groups in lanes.items() if len(groups)}
    if not lanes:
        return empty_figure("Too few members of the cohort have a navigator to draw groups of them.")
    fig, axes = plt.subplots(1, len(lanes), figsize=(4.4 * len(lanes), 3.8), sharex=True, squeeze=False)
    for ax, (arm, groups) in zip(axes[0], lanes.items()):
        places = np.arange(len(groups))
        ax.barh(places, groups.end - groups.start, left=groups.start, color=ARM_COLORS[arm], height=0.7)
        ax.scatter(
            groups.end, places, c=groups.seen, cmap="Greys", vmin=0, vmax=1, edgecolor="#333333", s=22, zorder=3
        )
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("days since discharge")
        ax.set_title(f"{arm}: {int(groups.members.sum()):,} members in {len(groups)} lanes")
    fig.suptitle("First spell with the navigator, median of each group; dot: dark where the end was seen", fontsize=9)
    return fig


def _first_spells(cohort: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    first = spells[spells.spell == 1]
    members = cohort[["person_id", "arm", "discharge_date"]].merge(
        first, left_on=["person_id", "arm"], right_on=["person_id", "program"]
    )
    start = (members.first_date - members.discharge_date).dt.days
    return members.assign(start=start, end=start + members.length_days)


def _lanes(members: pd.DataFrame, smallest_group: int) -> pd.DataFrame:
    count = min(LANES, len(members) // smallest_group)
    if count == 0:
        return pd.DataFrame()
    ordered = members.sort_values(["length_days", "start", "person_id"], kind="stable").reset_index(drop=True)
    lane = ordered.index * count // len(ordered)
    return ordered.groupby(lane).agg(
        start=("start", "median"), end=("end", "median"), seen=("is_event", "mean"), members=("person_id", "size")
    )
