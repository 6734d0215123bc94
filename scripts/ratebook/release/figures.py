"""Released figures: those that show counts of people are drawn again, from the released tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ratebook.engagement.curve_figures import plot_cumulative_incidence, plot_survival
from ratebook.engagement.weight_figures import plot_propensity, plot_weights
from ratebook.episodes.plots import plot_flow, plot_lengths
from ratebook.figures import save_figure

REDRAWN: dict[str, Callable[[dict[str, pd.DataFrame], int], object]] = {
    "cohort_flow": lambda tables, limit: plot_flow(
        merge_hidden(tables["cohort_flow"], "persons"), limit, tables["cohort_variants"]
    ),
    "episode_lengths": lambda tables, limit: plot_lengths(tables["episode_lengths"].dropna(subset="episodes"), limit),
    "survival": lambda tables, limit: plot_survival(tables["survival"], limit),
    "cumulative_incidence": lambda tables, limit: plot_cumulative_incidence(
        tables["cumulative_incidence"].dropna(subset="incidence"), limit
    ),
    "propensity": lambda tables, limit: plot_propensity(tables["propensity"].dropna(subset="persons"), limit),
    "weights": lambda tables, limit: plot_weights(tables["propensity"].dropna(subset="persons"), limit),
}
"""Figures in which a count of people, or of their records, could be read, and how what may be shown is drawn."""


def release_figures(
    tables: dict[str, pd.DataFrame], sources: list[str], targets: list[str], suppress_below: int, data_note: str
) -> None:
    """Put every figure into the release: drawn again where it shows counts of people, else as it stands.

    Parameters
    ----------
    tables : dict of DataFrame
        Released tables.
    sources : list of str
        Figures of all stages, SVG and PNG, named by their file names.
    targets : list of str
        Where they go, by the same names.
    suppress_below : int
        Smallest count of persons that is shown.
    data_note : str
        Printed on the figures.

    References
    ----------
    methods.md, H67 and H68.
    """
    found = {Path(path).name: path for path in sources}
    for target in map(Path, targets):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.stem not in REDRAWN:
            shutil.copyfile(found[target.name], target)
        elif target.suffix == ".svg":
            save_figure(REDRAWN[target.stem](tables, suppress_below), target, target.with_suffix(".png"), data_note)


def merge_hidden(flow: pd.DataFrame, count: str) -> pd.DataFrame:
    """Join the steps between two nodes that may be shown into one step that names them all.

    Steps before the first shown node are left out: nothing can be said of them.
    """
    rows, waiting, before = [], [], None
    entering, leaving = f"{count}_in", f"{count}_out"
    for step in flow.sort_values("step").to_dict("records"):
        before = step if before is None else before
        waiting.append(step["description"])
        if pd.isna(step[leaving]):
            continue
        if not pd.isna(before[entering]):
            kept = {name: before[name] for name in flow if name.endswith(("_in", "_in_usd"))}
            rows.append({**step, "description": "\n+ ".join(waiting), **kept})
        before = {name: step[name.replace("_in", "_out")] for name in flow if name.endswith(("_in", "_in_usd"))}
        waiting = []
    return pd.DataFrame(rows, columns=flow.columns).astype({entering: int, leaving: int})
