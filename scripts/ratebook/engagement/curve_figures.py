"""Figures of engagement, each drawn from a written table alone, with no group below the limit of disclosure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import CONTRAST
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.trial_figures import name_of, order_of
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, subplots

ENDS = {
    "disengaged": "fell silent",
    "lost": "lost, says the program",
    "graduated": "completed the program",
    "death": "died",
    "readmitted": "another detox admission",
    "disenrolled": "lost coverage",
    "end_of_data": "end of data",
}
FIRST_SPELL = {
    ("contact", "kaplan_meier"): "First spell, from first contact",
    ("contact", "overlap_weighted"): "… overlap weighted",
    ("contact", "inverse_weighted"): "… weighted to everybody",
    ("contact", "treated_weighted"): "… weighted to RSN's clients",
    ("contact", "pseudo_values"): "… regression of pseudo-values",
    ("contact", "ipcw"): "… weighted for lost coverage",
    ("contact", "competing_censored"): "… competing ends censored",
    ("floor", "kaplan_meier"): "… months with a contact",
    ("admin", "kaplan_meier"): "… enrolment to disenrolment",
}
"""Clock and method of the first spell's estimates, and what each is called."""
NOTHING = "Nobody in the cohort has a spell with a navigator."


def plot_survival(survival: pd.DataFrame, suppress_below: int):
    """Share still engaged by day since the first contact, by arm, with the numbers at risk below.

    A curve stops where fewer than `suppress_below` are at risk.
    """
    known = survival[survival.survival.notna() & (survival.at_risk >= suppress_below)]
    if known.empty:
        return empty_figure(NOTHING)
    fig, (ax, below) = subplots(2, 1, figsize=(6.4, 4.6), height_ratios=[5, 1], sharex=True)
    horizon = int(known.day.max())
    ticks = [day for day in range(0, horizon + 1, 60)]
    for row, arm in enumerate(ARMS):
        mine = known[known.arm == arm]
        ax.step(mine.day, mine.survival, where="post", color=ARM_COLORS[arm], label=arm)
        ax.fill_between(mine.day, mine.lower, mine.upper, step="post", color=ARM_COLORS[arm], alpha=0.15, lw=0)
        if len(mine):
            ax.annotate(
                arm, (mine.day.iloc[-1], mine.survival.iloc[-1]), (5, 3), textcoords="offset points",
                color=ARM_COLORS[arm], annotation_clip=False,
            )  # fmt: skip
        for tick in ticks:
            count = _nearest(mine, tick)
            below.text(tick, -row, count, ha="center", va="center", fontsize=8, color=ARM_COLORS[arm])
        below.text(-0.02, -row, arm, transform=below.get_yaxis_transform(), ha="right", va="center", fontsize=8)
    ax.set(ylabel="Share still engaged", ylim=(0, 1.02), title="Engagement with a navigator")
    below.set(ylim=(-len(ARMS) + 0.4, 0.6), xticks=ticks, xlabel="Days since the first contact")
    below.set_title(f"Persons at risk (curves stop below {suppress_below})", fontsize=8, fontweight="normal")
    below.set_yticks([])
    below.spines[["left", "bottom"]].set_visible(False)
    return fig


def _nearest(mine: pd.DataFrame, day: int) -> str:
    if mine.empty or day > mine.day.max():
        return ""
    return f"{int(mine.at_risk.iloc[(mine.day - day).abs().argmin()]):,}"


def plot_rmst_by_horizon(engagement: pd.DataFrame, suppress_below: int):
    """Mean days engaged within each horizon, by arm, with 95% intervals."""
    rows = engagement[
        (engagement.estimand == "rmst") & (engagement.clock == "contact") & (engagement.method == "kaplan_meier")
    ]
    rows = rows[rows.estimate.notna() & (rows.persons >= suppress_below)]
    if rows.empty:
        return empty_figure(NOTHING)
    fig, ax = subplots(figsize=(6.4, 3.6))
    horizons = sorted(rows.tau_days.unique())
    for place, arm in enumerate(ARMS):
        mine = rows[rows.arm == arm]
        at = np.array([horizons.index(tau) for tau in mine.tau_days]) + (place - 0.5) * 0.36
        ax.bar(at, mine.estimate, width=0.34, color=ARM_COLORS[arm], label=arm)
        ax.errorbar(at, mine.estimate, _arms_of(mine), fmt="none", ecolor="#333333", elinewidth=1, capsize=3)
        top = mine.upper.fillna(mine.estimate)
        for x, y, value in zip(at, top, mine.estimate):
            ax.text(x, y + 2, f"{value:.0f}", ha="center", va="bottom", fontsize=8)
    ax.set(
        xticks=range(len(horizons)), xticklabels=[f"{int(tau)} days" for tau in horizons],
        xlabel="Horizon after the first contact", ylabel="Mean days engaged", title="Restricted mean engagement",
    )  # fmt: skip
    ax.legend()
    return fig


def plot_rmst_difference(rmst_by_day: pd.DataFrame, suppress_below: int):
    """Days by which RSN clients stay longer within each horizon, with 95% limits; stops where few are at risk."""
    known = rmst_by_day[rmst_by_day.difference_days.notna() & (rmst_by_day.at_risk >= suppress_below)]
    if known.empty:
        return empty_figure("The arms could not be compared at any horizon.")
    fig, ax = subplots(figsize=(6.4, 3.6))
    ax.axhline(0, color="#888888", lw=0.8)
    ax.plot(known.tau_days, known.difference_days, color=PALETTE[0])
    ax.fill_between(known.tau_days, known.lower, known.upper, color=PALETTE[0], alpha=0.18, lw=0)
    last = known.iloc[-1]
    ax.annotate(
        f"{last.difference_days:.0f} days", (last.tau_days, last.difference_days), (4, 0),
        textcoords="offset points", va="center", color=PALETTE[0], annotation_clip=False,
    )  # fmt: skip
    ax.set(
        xlim=(0, None), xlabel="Horizon, days after the first contact", ylabel="Days engaged, RSN less CSP",
        title="How the difference grows with the horizon",
    )  # fmt: skip
    return fig


def _arms_of(rows: pd.DataFrame) -> np.ndarray:
    return np.array([rows.estimate - rows.lower, rows.upper - rows.estimate])


def plot_cumulative_incidence(incidence: pd.DataFrame, suppress_below: int):
    """What ended engagement by each day, stacked, one panel per arm; what is left over is still engaged.

    A panel stops where fewer than `suppress_below` are at risk; a cause that ended fewer spells than that is
    left out. Between the days on which a cause may be shown runs a straight line.
    """
    incidence = incidence[(incidence.at_risk >= suppress_below) & (incidence.cause_persons >= suppress_below)]
    if incidence.empty:
        return empty_figure(NOTHING)
    fig, axes = subplots(1, len(ARMS), figsize=(7.2, 3.6), sharey=True)
    causes = [cause for cause in ENDS if cause in set(incidence.end_reason)]
    for ax, arm in zip(axes, ARMS):
        wide = incidence[incidence.arm == arm].pivot(index="day", columns="end_reason", values="incidence")
        wide = wide.interpolate(method="index").fillna(0.0)
        wide = wide.loc[:, wide.max() > 0]
        if len(wide):
            shown = [cause for cause in causes if cause in wide]
            ax.stackplot(
                wide.index.to_numpy(int), *[wide[cause].to_numpy() for cause in shown],
                labels=[ENDS[cause] for cause in shown],
                colors=[PALETTE[causes.index(cause) + 2] for cause in shown],
            )  # fmt: skip
        ax.set(title=arm, xlabel="Days since the first contact", ylim=(0, 1))
    axes[0].set_ylabel("Share whose spell has ended")
    handles, labels = max((ax.get_legend_handles_labels() for ax in axes), key=lambda found: len(found[1]))
    fig.legend(handles, labels, loc="outside lower center", ncols=4)
    return fig


def plot_love(balance: pd.DataFrame, suppress_below: int):
    """Standardised differences of the arms before and after overlap weighting."""
    smaller = balance[["rsn_persons", "csp_persons"]].min(axis=1)
    known = balance[balance.smd_before.notna() & (smaller >= suppress_below)]
    if known.empty:
        return empty_figure("The arms could not be compared: an arm has nobody, or too few to be shown.")
    order = known.reindex(known.smd_before.abs().sort_values(kind="stable").index)
    labels = [_covariate_label(row.covariate, row.level) for row in order.itertuples()]
    fig, ax = subplots(figsize=(6.4, 1.2 + 0.2 * len(order)))
    for limit in (-0.1, 0.1):
        ax.axvline(limit, color="#bbbbbb", lw=0.8, ls="--")
    ax.axvline(0, color="#888888", lw=0.8)
    ax.scatter(order.smd_before, labels, color="#c8553d", s=22, facecolors="none", label="unweighted")
    ax.scatter(order.smd_after, labels, color="#0b6e99", s=22, label="overlap weighted")
    ax.set(xlabel="Standardised difference, RSN less CSP", title="Balance at discharge")
    ax.tick_params(axis="y", labelsize=7)
    ax.margins(y=0.02)
    ax.legend(loc="lower right")
    return fig


def _covariate_label(covariate: str, level: str) -> str:
    name = covariate.removeprefix("is_").removesuffix("_usd").replace("_", " ")
    return name if level in ("mean", "yes") else f"{name}: {level}"


def plot_forest(engagement: pd.DataFrame, suppress_below: int):
    """Differences in days engaged at the longest horizon: of the first spell, then of all days from discharge."""
    enough = engagement.persons >= suppress_below
    rows = engagement[(engagement.arm == CONTRAST) & engagement.estimate.notna() & enough]
    rows = rows[rows.tau_days == rows.tau_days.max()] if len(rows) else rows
    first = {(row.clock, row.method): row for row in rows[rows.estimand == "rmst_difference"].itertuples()}
    shown = [(label, first[key]) for key, label in FIRST_SPELL.items() if key in first]
    from_discharge = rows[rows.estimand == "engaged_days_difference"]
    in_order = sorted(from_discharge.itertuples(), key=lambda row: order_of(row.method))
    shown += [(name_of(row.method), row) for row in in_order]
    if not shown:
        return empty_figure("The arms could not be compared at the longest horizon.")
    fig, ax = subplots(figsize=(7.2, 1.2 + 0.36 * len(shown)))
    for place, (_, row) in enumerate(shown):
        ax.plot([row.lower, row.upper], [place, place], color="#0b6e99", lw=1.6)
        ax.plot(row.estimate, place, "o", color="#0b6e99", ms=5)
        ax.text(1.01, place, f"{row.estimate:.0f} ({row.lower:.0f} to {row.upper:.0f})", va="center", fontsize=8,
                transform=ax.get_yaxis_transform())  # fmt: skip
    ax.axvline(0, color="#888888", lw=0.8)
    tau = int(shown[0][1].tau_days)
    ax.set(
        yticks=range(len(shown)), yticklabels=[label for label, _ in shown], ylim=(len(shown) - 0.4, -0.6),
        xlabel="Days engaged, RSN less CSP (95% interval)", title=f"Difference in engagement over {tau} days",
    )  # fmt: skip
    return fig


FIGURES = {
    "survival": (plot_survival, "survival"),
    "rmst_by_horizon": (plot_rmst_by_horizon, "engagement"),
    "rmst_difference": (plot_rmst_difference, "rmst_by_day"),
    "cumulative_incidence": (plot_cumulative_incidence, "cumulative_incidence"),
    "love_plot": (plot_love, "balance"),
    "forest": (plot_forest, "engagement"),
}
"""Figure to the function that draws it and the table it is drawn from."""
