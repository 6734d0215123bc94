"""Figures of the cohort: whom every rule left, and how long detox lasts."""

from __future__ import annotations

import textwrap

import pandas as pd

from ratebook.contracts.episodes import CohortFlow, CohortVariants, EpisodeLengths
from ratebook.disclosure import Flow, disclose
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, subplots

LEFT, EXCLUDED = 0.24, 0.47
"""Where the boxes of those left have their middle, and those of the excluded their left edge."""


def plot_flow(flow: pd.DataFrame, suppress_below: int, variants: pd.DataFrame | None = None):
    """Draw the flow into the cohort: boxes of those left, beside each rule a box of those it excludes, then the arms.

    Rules that exclude nobody are named together, without a box of their own. Counts that would show how a small
    number of persons left are not drawn.

    Parameters
    ----------
    flow : CohortFlow
    suppress_below : int
        The smallest count of persons that is shown.
    variants : CohortVariants, optional
        For the arms: the counts of the reading in force.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, B5; the flow chart that STROBE and RECORD ask for.
    """
    flow = flow.sort_values("step").reset_index(drop=True)
    if flow.empty or flow.persons_in.iloc[0] == 0:
        return empty_figure("Nobody has an episode of withdrawal management: there is no flow to draw.")
    shown = disclose(flow, CohortFlow, suppress_below, (Flow("persons"),))
    rows = _flow_rows(shown)
    arms = _arm_counts(variants, suppress_below)
    fig, ax = subplots(figsize=(8.4, 0.5 * (len(rows) + 2 * bool(arms)) + 0.9))
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) + 2 * bool(arms) + 0.2, -0.7)
    ax.axis("off")
    _box(ax, LEFT, 0, f"With an episode of withdrawal management\n{_count(shown.persons_in.iloc[0])}")
    above = 0
    for row, (is_left, words) in enumerate(rows, start=1):
        if is_left:
            _arrow(ax, (LEFT, above), (LEFT, row))
            _box(ax, LEFT, row, words)
            above = row
        else:
            _arrow(ax, (LEFT, row), (EXCLUDED, row))
            _box(ax, EXCLUDED, row, textwrap.fill(words, 58), "left")
    for arm, (place, persons) in arms.items():
        _arrow(ax, (LEFT, above), (place, above + 1.9))
        label = {"none": "no contact in time"}.get(arm, f"first contact with {arm}")
        _box(ax, place, above + 1.9, f"{label}\n{_count(persons)}", color=ARM_COLORS[arm])
    fig.suptitle(
        "From episodes to the cohort: persons left, and excluded by every rule", x=0.01, ha="left", weight="bold"
    )
    return fig


def _flow_rows(shown: pd.DataFrame) -> list[tuple[bool, str]]:
    """List the boxes from top to bottom: whether it is of those left, and its words."""
    rows, nobody, waiting = [], [], []
    known = shown.persons_in.iloc[0]
    for step in shown.itertuples():
        is_last = step.Index == len(shown) - 1
        rule = step.description.replace("\n", " ")
        is_without_effect = pd.notna(known) and pd.notna(step.persons_out) and step.persons_out == known
        if is_without_effect and not waiting and not is_last:
            nobody.append(rule)
            continue
        waiting.append(rule)
        if pd.isna(step.persons_out) and not is_last:
            continue
        # Steps whose counts are not shown are drawn with the next that is.
        taken = None if pd.isna(step.persons_out) or pd.isna(known) else known - step.persons_out
        if taken != 0:
            excluded = "number not shown" if taken is None else f"{taken:,.0f} excluded"
            rows.append((False, f"{excluded}; the rule: {' + '.join(waiting)}"))
        rows.append((True, f"{rule}\n{_count(step.persons_out)}" if is_last else _count(step.persons_out)))
        known, waiting = step.persons_out, []
    if nobody:
        rows.insert(len(rows) - 1, (False, "0 excluded; the rules: " + "; ".join(nobody)))
    return rows


def _arm_counts(variants: pd.DataFrame | None, suppress_below: int) -> dict[str, tuple[float, int | None]]:
    """Give every arm's place and its persons under the reading in force; nothing where that is not known."""
    if variants is None or variants.empty:
        return {}
    shown = disclose(variants, CohortVariants, suppress_below)
    chosen = shown[shown.is_chosen & shown.arm.ne("all")].set_index("arm").persons
    return {arm: (place, chosen.get(arm)) for arm, place in (("RSN", 0.16), ("CSP", 0.5), ("none", 0.84))}


def _count(persons) -> str:
    return "number not shown" if persons is None or pd.isna(persons) else f"n = {persons:,.0f}"


def _box(ax, x: float, y: float, words: str, align: str = "center", color: str = "#555555") -> None:
    box = {"boxstyle": "square,pad=0.4", "facecolor": "white", "edgecolor": color}
    ax.text(x, y, words, ha=align, va="center", fontsize=8, color="#222222", bbox=box, zorder=3)


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": "#888888", "shrinkB": 9, "shrinkA": 0}, zorder=1
    )


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
    fig, ax = subplots(figsize=(6.4, 3.2))
    ax.bar(by_transfer.index, by_transfer[False], color=PALETTE[0], label="one facility")
    ax.bar(by_transfer.index, by_transfer[True], bottom=by_transfer[False], color=PALETTE[1], label="with a transfer")
    ax.set_xlabel(f"days from first admission to last discharge (bars of fewer than {suppress_below} not drawn)")
    ax.set_ylabel("episodes")
    ax.set_title("Length of episodes of withdrawal management")
    ax.legend()
    return fig
