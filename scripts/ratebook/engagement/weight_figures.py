"""Figures of weighting and of robustness, each drawn from a written table, with no group below the limit shown."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.figures import ARM_COLORS, empty_figure, subplots

NOT_WEIGHED = "An arm has nobody: there is no propensity."
WEIGHTINGS = {"overlap": "overlap", "inverse": "inverse probability", "treated": "to the RSN population"}


def plot_propensity(propensity: pd.DataFrame, suppress_below: int):
    """Persons by propensity, RSN above the line and CSP below it; a bin of fewer than `suppress_below` is not drawn."""
    rows = propensity[propensity.quantity == "propensity"]
    if not (rows.persons >= suppress_below).any():
        return empty_figure(NOT_WEIGHED)
    fig, ax = subplots(figsize=(6.4, 3.4))
    for arm, side in zip(ARMS, (1, -1)):
        mine = rows[(rows.arm == arm) & (rows.persons >= suppress_below)]
        ax.bar(
            mine.low, side * mine.persons, mine.high - mine.low, align="edge", color=ARM_COLORS[arm],
            edgecolor="white", lw=0.5, label=arm,
        )  # fmt: skip
    ax.axhline(0, color="#444444", lw=0.8)
    reach = 1.1 * rows.persons.max()
    ax.set(xlim=(0, 1), ylim=(-reach, reach), xlabel="Probability of RSN given what was known at discharge")
    ax.set(ylabel="Persons", title="Could either arm have been?")
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    ax.legend(loc="upper left")
    _say_hidden(ax, suppress_below)
    return fig


def plot_weights(propensity: pd.DataFrame, suppress_below: int):
    """Each arm's persons by weight, the arm's mean being 1, as shares of those shown, for every weighting."""
    rows = propensity[propensity.quantity.isin(WEIGHTINGS)]
    shown = rows[rows.persons >= suppress_below]
    if shown.empty:
        return empty_figure(NOT_WEIGHED)
    fig, axes = subplots(1, len(WEIGHTINGS), figsize=(7.2, 2.9), sharey=True)
    for ax, (quantity, title) in zip(axes, WEIGHTINGS.items()):
        for arm in ARMS:
            mine = shown[(shown.quantity == quantity) & (shown.arm == arm)]
            wide = (mine.high.fillna(mine.low * 1.5) - mine.low).clip(upper=5)
            height = mine.persons / max(mine.persons.sum(), 1)
            ax.bar(mine.low, height, wide, align="edge", color=ARM_COLORS[arm], alpha=0.55, label=arm)
        ax.axvline(1, color="#888888", lw=0.8)
        ax.set_title(title, fontsize=9)
    axes[0].set_ylabel("Share of the arm's persons shown")
    axes[-1].legend(loc="upper right")
    fig.supxlabel(f"Weight over the arm's mean (bins below {suppress_below} persons are not drawn)", fontsize=9)
    return fig


def plot_robustness(engagement_sensitivity: pd.DataFrame, suppress_below: int):
    """Every other estimate of the difference in days, analysis by analysis; the choice in force is a full point.

    Negative controls in other units stay in the table.
    """
    rows = engagement_sensitivity
    rows = rows[(rows.unit == "days") & rows.estimate.notna() & (rows.persons >= suppress_below)]
    if rows.empty:
        return empty_figure("The difference in engagement could not be estimated, so no choice could be varied.")
    labels = [f"{row.analysis}: {row.variant}" + _factor(row) for row in rows.itertuples()]
    fig, ax = subplots(figsize=(7.2, 1.0 + 0.24 * len(rows)))
    base = rows[rows.is_base]
    for place, row in enumerate(rows.itertuples()):
        color = "#c8553d" if row.sign_change is True else "#0b6e99"
        if pd.notna(row.lower):
            ax.plot([row.lower, row.upper], [place, place], color=color, lw=1.4)
        ax.plot(row.estimate, place, "o", ms=4.5, mec=color, mfc=color if row.is_base else "white")
    if len(base):
        ax.axvline(base.estimate.iloc[0], color="#0b6e99", lw=0.6, ls=":")
    ax.axvline(0, color="#888888", lw=0.8)
    tau = rows.tau_days.dropna()
    within = f" over {int(tau.iloc[0])} days" if len(tau) else ""
    ax.set(yticks=range(len(rows)), ylim=(len(rows) - 0.4, -0.6), xlabel="Days engaged, RSN less CSP (95% interval)")
    ax.set_yticklabels(labels, fontsize=7)
    fig.suptitle(f"Does the difference in engagement{within} hold?")
    return fig


def _factor(row) -> str:
    """Say at which factor the point tips, or up to which it does not."""
    if row.analysis != "tipping point" or pd.isna(row.hazard_factor):
        return ""
    return f" {row.hazard_factor:.1f}" if pd.isna(row.reason) else f" not up to {row.hazard_factor:.0f}"


def _say_hidden(ax, suppress_below: int) -> None:
    ax.text(
        0.99, 0.01, f"bins below {suppress_below} persons not drawn", transform=ax.transAxes, ha="right", va="bottom",
        fontsize=6.5, color="#777777",
    )  # fmt: skip


FIGURES = {
    "propensity": (plot_propensity, "propensity"),
    "weights": (plot_weights, "propensity"),
    "robustness": (plot_robustness, "engagement_sensitivity"),
}
"""Figure to the function that draws it and the table it is drawn from."""
