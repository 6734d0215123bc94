"""Figures of the cohort: whom every rule left, how long detox lasts, when members are with a navigator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS, CohortFlow, EpisodeLengths
from ratebook.disclosure import Flow, disclose
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, plt

LANES = 20
"""Lanes of the swimmer plot for an arm; each stands for a group of members, so that none shows a person."""


def plot_flow(flow: pd.DataFrame, suppress_below: int):
    """Draw who is left after every inclusion rule, top to bottom, with the number each rule takes.

    Counts that would show how a small number of persons left are not drawn.

    Parameters
    ----------
    flow : CohortFlow
    suppress_below : int
        The smallest count of persons that is shown.

    Returns
    -------
    matplotlib.figure.Figure
    """
    flow = flow.sort_values("step").reset_index(drop=True)
    if flow.empty or flow.persons_in.iloc[0] == 0:
        return empty_figure("Nobody has an episode of withdrawal management: there is no flow to draw.")
    shown = disclose(flow, CohortFlow, suppress_below, (Flow("persons"),))
    labels = ["Any episode of withdrawal management", *flow.description]
    left = pd.Series([shown.persons_in.iloc[0], *shown.persons_out]).astype("Float64")
    fig, ax = plt.subplots(figsize=(8.4, 0.36 * len(left) + 0.8))
    ax.barh(left.index, left.fillna(0).astype(float), color=PALETTE[0], height=0.62)
    last = None
    for place, persons in left.items():
        text = "not shown: the next count is too near" if pd.isna(persons) else f"{persons:,.0f}"
        taken = f"  (−{last - persons:,.0f})" if last is not None and not pd.isna(persons) and persons < last else ""
        at = (0 if pd.isna(persons) else float(persons), place)
        ax.annotate(text + taken, at, (4, 0), textcoords="offset points", va="center", color="#333333")
        last = last if pd.isna(persons) else persons
    ax.set_yticks(left.index, labels)
    ax.invert_yaxis()
    ax.set_xlim(0, float(left.max()) * 1.3)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    fig.suptitle("From episodes to the cohort: persons left by every rule", x=0.01, ha="left", weight="bold")
    return fig


def plot_lengths(lengths: pd.DataFrame, suppress_below: int):
    """Draw how many days episodes last, those with a transfer on top of those without.

    Parameters
    ----------
    lengths : EpisodeLengths
    suppress_below : int
        Bars of fewer episodes or persons are not drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if lengths.empty:
        return empty_figure("There is no episode of withdrawal management: no length to draw.")
    shown = disclose(lengths, EpisodeLengths, suppress_below)
    by_transfer = shown.pivot(index="los_days", columns="is_transfer", values="episodes")
    by_transfer = by_transfer.reindex(columns=[False, True]).astype("Float64").fillna(0).astype(float)
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.bar(by_transfer.index, by_transfer[False], color=PALETTE[0], label="one facility")
    ax.bar(by_transfer.index, by_transfer[True], bottom=by_transfer[False], color=PALETTE[1], label="with a transfer")
    ax.set_xlabel(f"days from first admission to last discharge (bars of fewer than {suppress_below} not drawn)")
    ax.set_ylabel("episodes")
    ax.set_title("Length of episodes of withdrawal management")
    ax.legend()
    return fig


def plot_swimmers(cohort: pd.DataFrame, spells: pd.DataFrame, suppress_below: int):
    """Draw when members are with their navigator, in days since discharge, by groups of like members.

    Within an arm, engaged members are ordered by the length of their first spell and cut into equal groups;
    a lane shows the group's median start and median end, and its dot the share whose end was seen. A group
    has at least `suppress_below` members, so that no lane is a person.

    Parameters
    ----------
    cohort : Cohort
    spells : Spells
    suppress_below : int
        Fewest members behind one lane.

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
    fig, axes = plt.subplots(1, len(lanes), figsize=(4.4 * len(lanes), 3.8), sharex=True, squeeze=False)
    for ax, (arm, groups) in zip(axes[0], lanes.items()):
        places = np.arange(len(groups))
        ax.barh(places, groups.end - groups.start, left=groups.start, color=ARM_COLORS[arm], height=0.7)
        ax.scatter(
            groups.end, places, c=groups.seen, cmap="Greys", vmin=0, vmax=1, edgecolor="#333333", s=22, zorder=3
        )
        ax.set_xlim(left=0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("days since discharge")
        ax.set_title(f"{arm}: {int(groups.members.sum()):,} members in {len(groups)} lanes")
    fig.suptitle(
        "First spell with the navigator: medians of like members; the darker the dot, the more ends were seen"
    )
    return fig


def _first_spells(cohort: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    first = spells[spells.spell == 1]
    members = cohort[["person_id", "arm", "discharge_date"]].merge(
        first, left_on=["person_id", "arm"], right_on=["person_id", "program"]
    )
    start = (members.first_date - members.discharge_date).dt.days
    return members.assign(start=start, end=start + members.length_days)


def _lanes(members: pd.DataFrame, suppress_below: int) -> pd.DataFrame:
    count = min(LANES, len(members) // suppress_below)
    if count == 0:
        return pd.DataFrame()
    ordered = members.sort_values(["length_days", "start", "person_id"], kind="stable").reset_index(drop=True)
    lane = ordered.index * count // len(ordered)
    return ordered.groupby(lane).agg(
        start=("start", "median"), end=("end", "median"), seen=("is_event", "mean"), members=("person_id", "size")
    )
