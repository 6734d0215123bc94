"""One look for every figure, and the only way to begin and to save one."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

ARM_COLORS = {"RSN": "#0b6e99", "CSP": "#c8553d", "none": "#8a8a8a", "all": "#444444"}
PALETTE = ("#0b6e99", "#c8553d", "#5b8c5a", "#8c6bb1", "#d9a441", "#4d4d4d", "#7fb8ca", "#e39b8b")
NOTE_INCHES = 0.11
"""Room for the note below all else."""

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "ratebook",
        "svg.fonttype": "none",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
        # Of the PNG: places are found for text of this sharpness, which is wider than that of a coarser one.
        "figure.dpi": 150,
        "legend.frameon": False,
    }
)


def subplots(rows: int = 1, columns: int = 1, *, figsize: tuple[float, float], layout: str = "constrained", **grid):
    """Begin a figure and its axes, as pyplot does, but nothing keeps the figure once nobody uses it."""
    fig = Figure(figsize=figsize, layout=layout)
    FigureCanvasAgg(fig)
    return fig, fig.subplots(rows, columns, **grid)


def equal_panels(count: int, columns: int, width: float, height: float, **grid):
    """Begin a figure of many small panels, their places known beforehand: to solve for them would take seconds.

    Parameters
    ----------
    count : int
        Panels; places left over in the last row stay empty.
    columns : int
        Panels in a row.
    width, height : float
        Of the figure, and of one row of panels, in inches.

    Returns
    -------
    Figure, and a list of `count` axes in reading order
        Above them is room for a title, below for a line of words or a legend.
    """
    rows = -(-count // columns)
    inches = 1.0 + height * rows
    edges = {"left": 0.06, "right": 0.985, "bottom": 0.75 / inches, "top": 1 - 0.55 / inches}
    places = {**edges, "wspace": 0.22, "hspace": 0.42}
    fig, axes = subplots(
        rows, columns, figsize=(width, inches), layout="none", squeeze=False, gridspec_kw=places, **grid
    )
    for ax in axes.flat[count:]:
        ax.axis("off")
    return fig, list(axes.flat[:count])


def save_figure(fig, svg: str | Path, png: str | Path, note: str = "") -> None:
    """Save a figure as SVG and PNG, the same bytes on every run, with a note on the data in its corner.

    The places of everything are found once and kept: each format would look for them again.
    """
    if note:
        fig.text(0.995, 0.002, note, ha="right", va="bottom", fontsize=6.5, color="#777777")
    for path in (Path(svg), Path(png)):
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = fig.get_layout_engine()
    if engine:
        room = NOTE_INCHES / fig.get_figheight() if note else 0
        engine.set(rect=(0, room, 1, 1 - room))
        engine.execute(fig)
        fig.set_layout_engine(None)
        for ax in fig.axes:
            # The solver of the layout sums in no fixed order, and an SVG names a panel by its exact place.
            ax.set_position([round(edge, 6) for edge in ax.get_position(original=True).bounds])
    fig.savefig(svg, metadata={"Date": None})
    fig.savefig(png, metadata={"Software": None}, pil_kwargs={"compress_level": 3})


def empty_figure(reason: str):
    """A figure that says in words why there is nothing to draw."""
    fig, ax = subplots(figsize=(6.4, 2.0))
    ax.axis("off")
    ax.text(0.5, 0.5, reason, ha="center", va="center", wrap=True, color="#555555")
    return fig
