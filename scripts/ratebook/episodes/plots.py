"""Figures of the cohort: whom every rule left, and how long detox lasts."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.episodes import CohortFlow, EpisodeLengths
from ratebook.disclosure import Flow, disclose
from ratebook.figures import PALETTE, empty_figure, plt


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
