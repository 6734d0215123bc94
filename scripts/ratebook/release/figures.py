"""Released figures: those that show counts of people are drawn again, from the released tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ratebook.engagement.figures import plot_cumulative_incidence, plot_survival
from ratebook.episodes.plots import plot_flow, plot_lengths
from ratebook.figures import save_figure

REDRAWN: dict[str, Callable[[dict[str, pd.DataFrame]], object]] = {
    "cohort_flow": lambda tables: plot_flow(merge_hidden(tables["cohort_flow"])),
    "episode_lengths": lambda tables: plot_lengths(tables["episode_lengths"].dropna(subset="episodes")),
    "survival": lambda tables: plot_survival(tables["survival"]),
    "cumulative_incidence": lambda tables: plot_cumulative_incidence(
        tables["cumulative_incidence"].dropna(subset="incidence")
    ),
}
"""Figures in which a count of people could be read, and how they are drawn from what may be shown."""


def release_figures(tables: dict[str, pd.DataFrame], sources: list[str], targets: list[str], data_note: str) -> None:
    """Put every figure into the release: drawn again where it shows counts of people, else as it stands.

    Parameters
    ----------
    tables : dict of DataFrame
        Released tables.
    sources : list of str
        Figures of all stages, SVG and PNG, named by their file names.
    targets : list of str
        Where they go, by the same names.
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
            save_figure(REDRAWN[target.stem](tables), target, target.with_suffix(".png"), data_note)


def merge_hidden(flow: pd.DataFrame) -> pd.DataFrame:
    """Join the steps between two nodes that may be shown into one step that names them all.

    Steps before the first shown node are left out: nothing can be said of them.
    """
    rows, waiting, before = [], [], None
    for step in flow.sort_values("step").to_dict("records"):
        before = step["persons_in"] if before is None else before
        waiting.append(step["description"])
        if pd.isna(step["persons_out"]):
            continue
        if not pd.isna(before):
            known = {"persons_in": int(before), "persons_out": int(step["persons_out"])}
            rows.append({**step, "description": " + ".join(waiting), **known})
        before, waiting = step["persons_out"], []
    return pd.DataFrame(rows, columns=flow.columns)
