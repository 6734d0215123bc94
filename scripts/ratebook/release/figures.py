"""Released figures: those of tables about people are drawn again, from the released tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.engagement.plots import FIGURES
from ratebook.episodes.plots import plot_flow, plot_lengths
from ratebook.figures import save_figure

COUNTED = ("propensity", "weights", "service_mix")
"""Figures of which the counts themselves are drawn: a row without one is left out, not taken for large enough."""
TABLE_OF = {"trial": "engagement"}
"""The released table that holds the rows of one that is not released."""


def draw_again(figure: str, tables: dict[str, pd.DataFrame], limit: int):
    """Draw a figure of engagement from the released table alone.

    Where few stand behind an estimate the table shows none, and where it shows one they are enough, also if it does not
    say how many.
    """
    draw, source = FIGURES[figure]
    name = TABLE_OF.get(source, source)
    fields, table = RELEASED[name].contract.fields(), tables[name]
    counts = [column for column, field in fields.items() if field.persons]
    if figure in COUNTED:
        return draw(table.dropna(subset=counts), limit)
    hides = [column for column in RELEASED[name].contract.Config.hides if column in table]
    shown = table.dropna(subset=hides, how="all")
    return draw(shown.assign(**{column: shown[column].fillna(limit) for column in counts}), limit)


REDRAWN: dict[str, Callable[[dict[str, pd.DataFrame], int], object]] = {
    "cohort_flow": lambda tables, limit: plot_flow(
        merge_hidden(tables["cohort_flow"], "persons"), limit, tables["cohort_variants"]
    ),
    "episode_lengths": lambda tables, limit: plot_lengths(tables["episode_lengths"].dropna(subset="episodes"), limit),
    **{
        figure: partial(draw_again, figure)
        for figure, (_, source) in FIGURES.items()
        if TABLE_OF.get(source, source) in RELEASED
    },
}
"""Figures of which the released table shows less than the table they are made of, and how that is drawn."""


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
