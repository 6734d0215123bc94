"""One look for every figure, and the only way to save one."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ARM_COLORS = {"RSN": "#0b6e99", "CSP": "#c8553d", "none": "#8a8a8a", "all": "#444444"}
PALETTE = ("#0b6e99", "#c8553d", "#5b8c5a", "#8c6bb1", "#d9a441", "#4d4d4d", "#7fb8ca", "#e39b8b")

plt.rcParams.update(
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
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "legend.frameon": False,
    }
)


def save_figure(fig, svg: str | Path, png: str | Path, note: str = "") -> None:
    """Save a figure as SVG and PNG, the same bytes on every run, with a note on the data in its corner."""
    if note:
        fig.text(0.995, 0.002, note, ha="right", va="bottom", fontsize=6.5, color="#777777")
    for path in (Path(svg), Path(png)):
        path.parent.mkdir(parents=True, exist_ok=True)
    _lay_out_once(fig)
    fig.savefig(svg, metadata={"Date": None})
    fig.savefig(png, dpi=150, metadata={"Software": None})
    plt.close(fig)


def _lay_out_once(fig) -> None:
    """Find the places of everything, and keep them: saving would look for them again, twice for every format."""
    fig.get_layout_engine().execute(fig)
    with plt.rc_context({"figure.constrained_layout.use": False}):
        fig.set_layout_engine(None)


def empty_figure(reason: str):
    """A figure that says in words why there is nothing to draw."""
    fig, ax = plt.subplots(figsize=(6.4, 2.0))
    ax.axis("off")
    ax.text(0.5, 0.5, reason, ha="center", va="center", wrap=True, color="#555555")
    return fig
