"""Figures of the review: the tornado, the checklist as lights, planted beside found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.figures import empty_figure, subplots

LIGHTS = {"pass": "#5b8c5a", "warn": "#d9a441", "fail": "#c8553d", "na": "#d5d5d5"}


def plot_sensitivity(sensitivity: pd.DataFrame):
    """Draw every headline under every other choice, the choice in force as a full point, with its interval."""
    drawn = sensitivity[sensitivity.estimate.notna()]
    if drawn.empty:
        return empty_figure("No headline could be estimated, so no choice could be varied.")
    quantities = list(dict.fromkeys(drawn.quantity))
    heights = [len(drawn[drawn.quantity == name]) for name in quantities]
    fig, axes = subplots(
        len(quantities),
        1,
        figsize=(7.2, 0.24 * sum(heights) + 0.9 * len(quantities)),
        height_ratios=heights,
        squeeze=False,
    )
    for ax, name in zip(axes[:, 0], quantities):
        rows = drawn[drawn.quantity == name].iloc[::-1].reset_index(drop=True)
        for place, row in rows.iterrows():
            color = LIGHTS["fail"] if row.sign_change is True else "#0b6e99"
            if pd.notna(row.lower) and pd.notna(row.upper):
                ax.plot([row.lower, row.upper], [place, place], color=color, lw=1.4)
            ax.plot(row.estimate, place, "o", ms=5, mec=color, mfc=color if row.is_base else "white")
        ax.axvline(0, color="#999999", lw=0.8)
        base = rows[rows.is_base]
        if len(base):
            ax.axvline(base.estimate.iloc[0], color="#0b6e99", lw=0.6, ls=":")
        ax.set_yticks(range(len(rows)), rows.factor + ": " + rows.setting, fontsize=7.5)
        ax.set_ylim(-0.7, len(rows) - 0.3)
        ax.set_title(f"RSN less CSP: {name}")
        ax.set_xlabel("days" if rows.unit.iloc[0] == "days" else "dollars")
    return fig


def plot_checklist(checklist: pd.DataFrame):
    """Draw the checklist as lights, ten to a row, in its own order."""
    if checklist.empty:
        return empty_figure("The checklist is empty.")
    order = checklist.assign(number=checklist.id.str[1:].astype(int)).sort_values("number")
    fig, ax = subplots(figsize=(7.2, 3.3))
    for place, row in enumerate(order.itertuples()):
        x, y = place % 10, -(place // 10)
        ax.scatter(x, y, s=430, marker="s", color=LIGHTS[row.status], linewidths=0)
        ax.text(x, y, row.id, ha="center", va="center", fontsize=7, color="white" if row.status != "na" else "#555555")
    for status, color in LIGHTS.items():
        ax.scatter([], [], marker="s", color=color, label=f"{status}: {(order.status == status).sum()}")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=4)
    ax.set(xlim=(-0.7, 9.7), ylim=(-6.9, 0.5))
    ax.axis("off")
    return fig


def plot_recovery(recovery: pd.DataFrame):
    """Draw each estimate and its interval over the truth that was planted, the truth being 1."""
    known = recovery.planted.notna() & recovery.estimate.notna() & recovery.lower.notna()
    drawn = recovery[known & (recovery.planted != 0)]
    if drawn.empty:
        return empty_figure("Nothing was planted in these data, so nothing can be recovered.")
    drawn = drawn.iloc[::-1].reset_index(drop=True)
    planted = drawn.planted.to_numpy()
    fig, ax = subplots(figsize=(7.2, 0.24 * len(drawn) + 0.9))
    for place, row in drawn.iterrows():
        limits = np.array([row.lower, row.upper], dtype=float) / planted[place]
        color = LIGHTS["fail"] if row.covered is False else "#0b6e99"
        ax.plot(limits, [place, place], color=color, lw=1.4)
        ax.plot(row.estimate / planted[place], place, "o", ms=4.5, color=color)
    ax.axvline(1, color="#999999", lw=0.8)
    ax.set_yticks(range(len(drawn)), drawn.quantity, fontsize=7.5)
    ax.set_ylim(-0.7, len(drawn) - 0.3)
    ax.set_xlabel("estimate and 95% interval over the planted value", loc="left")
    ax.set_title("Found over planted (red: outside)")
    return fig
