"""Figures of the target trial, each drawn from a written table, with no group below the limit of disclosure."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.figures import ARM_COLORS, empty_figure, subplots

NAMES = {
    "naive": "As treated, from discharge",
    "landmark": "From the landmark at day {}",
    "clone_censor_weight": "Weighted clones, {} days of grace",
    "by_site": "By site of discharge",
}
"""What a method is called; a number at its end stands for the braces."""
COLORS = {"naive": "#c8553d", "landmark": "#d9a441", "clone_censor_weight": "#0b6e99", "by_site": "#5b8c5a"}
ALIKE = (0.9, 1.1)
"""Where the mean of stabilised weights should lie (methods.md, B9)."""


def plot_trial(trial: pd.DataFrame, suppress_below: int):
    """Differences in days engaged by everything done against immortal time and confounding, a panel per horizon."""
    rows = trial[(trial.estimand == "engaged_days_difference") & trial.estimate.notna()]
    rows = rows[rows.persons >= suppress_below]
    if rows.empty:
        return empty_figure(
            "The arms could not be compared from discharge: an arm has nobody, or too few to be shown."
        )
    methods = sorted(rows.method.unique(), key=order_of)
    horizons = sorted(rows.tau_days.unique())
    fig, axes = subplots(
        1, len(horizons), figsize=(8.4, 1.3 + 0.36 * len(methods)), sharey=True, sharex=True, squeeze=False
    )
    for ax, tau in zip(axes[0], horizons):
        for row in rows[rows.tau_days == tau].itertuples():
            place, color = methods.index(row.method), COLORS[_kind(row.method)]
            ax.plot([row.lower, row.upper], [place, place], color=color, lw=1.8)
            ax.plot(row.estimate, place, "o", color=color, ms=5)
            ax.annotate(f"{row.estimate:.0f}", (row.estimate, place), (0, 5), textcoords="offset points", fontsize=7,
                        ha="center", color=color)  # fmt: skip
        ax.axvline(0, color="#888888", lw=0.8)
        ax.set_title(f"Within {int(tau)} days", fontsize=9, fontweight="normal")
    axes[0][0].set(
        yticks=range(len(methods)),
        yticklabels=[name_of(method) for method in methods],
        ylim=(len(methods) - 0.4, -0.8),
    )
    fig.suptitle("Difference in days engaged, by what is done about time before the first contact", fontsize=10)
    fig.supxlabel("Days engaged, RSN less CSP (95% interval)", fontsize=9)
    return fig


def _kind(method: str) -> str:
    return method.rstrip("0123456789").rstrip("_")


def order_of(method: str) -> tuple[int, int]:
    """Place a method among the others: its kind in the order of `NAMES`, then its number."""
    number = method.removeprefix(_kind(method)).strip("_")
    return list(NAMES).index(_kind(method)), int(number or 0)


def name_of(method: str) -> str:
    """Say in words what a method of the target trial is."""
    return NAMES[_kind(method)].format(order_of(method)[1])


def plot_trial_weights(trial_weights: pd.DataFrame, suppress_below: int):
    """Stabilised weights by day of grace: their mean and the middle 98 percent, one panel per strategy and grace.

    The last point stands for all days after grace, when only those who started are left.
    """
    rows = trial_weights[trial_weights.mean_weight.notna() & (trial_weights.persons >= suppress_below)]
    if rows.empty:
        return empty_figure("No strategy has enough clones whose weights could be shown.")
    methods = sorted(rows.method.unique(), key=order_of)
    fig, axes = subplots(
        len(methods), len(ARMS), figsize=(7.2, 0.9 + 2.1 * len(methods)), sharey=True, sharex="row", squeeze=False
    )
    for line, method in zip(axes, methods):
        for ax, arm in zip(line, ARMS):
            mine = rows[(rows.method == method) & (rows.arm == arm)].sort_values("day")
            ax.axhspan(*ALIKE, color="#eeeeee", lw=0)
            ax.vlines(mine.day, mine.low_weight, mine.high_weight, color=ARM_COLORS[arm], lw=2.2, alpha=0.35)
            ax.plot(mine.day, mine.mean_weight, "o", color=ARM_COLORS[arm], ms=3)
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.set_title(f"{arm}: {name_of(method).lower()}", fontsize=8, fontweight="normal")
            # A released table shows neither.
            if len(mine) and pd.notna(mine.effective_persons.iloc[-1]):
                last = mine.iloc[-1]
                ax.annotate(
                    f"{int(last.persons):,} left\nworth {last.effective_persons:,.0f}",
                    (last.day, last.high_weight), (-6, -2), textcoords="offset points", fontsize=7, ha="right", va="top",
                )  # fmt: skip
    for ax in axes[:, 0]:
        ax.set_ylabel("Stabilised weight")
    fig.supxlabel("Days since discharge; the last point is every day after grace", fontsize=9)
    fig.suptitle("Weights of clones that keep to their strategy: mean, and 1st to 99th percentile", fontsize=10)
    return fig


FIGURES = {"trial": (plot_trial, "engagement"), "trial_weights": (plot_trial_weights, "trial_weights")}
"""Figure to the function that draws it and the table it is drawn from."""
