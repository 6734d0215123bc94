"""Designs as pictures: how plans of several sizes end, what pays a plan, the weight of a blend, published amounts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.figures import PALETTE, empty_figure, subplots
from ratebook.programs.figures import KEYS, NOTHING, design_names, dots

NO_BLEND = "No design blends comparison groups on these data."
INCENTIVES = {
    "nf_day_avoided": ("A facility day avoided", "USD a day"),
    "member_moved": ("A resident moved home", "USD a month"),
    "low_cost_half": ("Enrolling the half of low cost", "USD a member month"),
    "medicare_shift": ("Services left to Medicare, at most", "USD a member month"),
}


def plot_plan_risk(risk: pd.DataFrame, suppress_below: int):
    """Draw the chance of loss by design and size of plan, were all rates levelled, and the safety margin plans need."""
    shown = risk[(risk.scenario == "levelled") & risk.loss_probability.notna() & (risk.persons >= suppress_below)]
    if shown.empty:
        return empty_figure(NOTHING)
    shown = shown.assign(design=design_names(shown))
    chance = shown.pivot(index="design", columns="plan_members", values="loss_probability")
    chance = chance.loc[chance.mean(axis=1).sort_values(kind="stable").index]
    fig, (left, right) = subplots(1, 2, figsize=(10.0, 0.24 * len(chance) + 1.6), width_ratios=(1.35, 1))
    left.imshow(chance, aspect="auto", cmap="RdYlBu_r", vmin=0, vmax=0.5, alpha=0.75)
    for (row, column), value in np.ndenumerate(chance.to_numpy()):
        left.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=6.5)
    left.set_yticks(range(len(chance)), chance.index.tolist(), fontsize=7)
    left.set_xticks(range(len(chance.columns)), [f"{size:,}" for size in chance.columns], fontsize=7)
    left.set_xlabel("members")
    left.set_title("Chance that a plan's year ends with a loss,\nall designs keeping the same share of cost")
    for color, (program, rows) in zip(PALETTE, shown.groupby("program", sort=True)):
        ends = rows.groupby("plan_members").safety_margin_pmpm_usd.agg(["min", "max"])
        right.fill_between(ends.index, ends["min"], ends["max"], color=color, alpha=0.25, lw=0)
        right.plot(ends.index, ends.mean(axis=1), "o-", ms=3, color=color, label=program)
    right.set_xscale("log")
    right.set_ylim(bottom=0)
    right.set_xlabel("members; bands: designs of one program")
    right.set_ylabel("USD per member per month")
    right.set_title("Paid above expected cost to lose\none year in twenty")
    right.legend(fontsize=7)
    return fig


def plot_incentives(incentives: pd.DataFrame, suppress_below: int):
    """Draw what each design pays a plan for, a panel an incentive, with intervals."""
    shown = incentives[incentives.estimate_usd.notna() & (incentives.persons >= suppress_below)]
    shown = shown.assign(design=design_names(shown))
    if shown.empty:
        return empty_figure(NOTHING)
    names = shown.sort_values(KEYS).design.drop_duplicates().tolist()
    place = {name: number for number, name in enumerate(names)}
    fig, axes = subplots(1, len(INCENTIVES), figsize=(12.0, 0.24 * len(names) + 1.4), sharey=True)
    for ax, color, (incentive, (title, unit)) in zip(axes, PALETTE, INCENTIVES.items()):
        rows = shown[shown.incentive == incentive]
        dots(ax, rows.design.map(place), rows.estimate_usd, rows.lower, rows.upper, color)
        ax.set_title(title, fontsize=8.5)
        ax.set_xlabel(unit)
    axes[0].set_yticks(range(len(names)), names, fontsize=7)
    axes[0].invert_yaxis()
    return fig


def plot_mix(mix: pd.DataFrame, suppress_below: int):
    """Draw each blended rate by the weight of its first comparison group; the weight in use is a dot."""
    shown = mix[mix.rate_pmpm_usd.notna() & (mix.persons >= suppress_below)]
    if shown.empty:
        return empty_figure(NO_BLEND)
    shown = shown.assign(design=design_names(shown))
    fig, ax = subplots(figsize=(8.0, 4.4))
    for number, (design, rows) in enumerate(shown.groupby("design", sort=True)):
        color, line = PALETTE[number % len(PALETTE)], "-" if number < len(PALETTE) else "--"
        grid, now = rows[~rows.is_current].sort_values("group_share"), rows[rows.is_current]
        group = rows.comparison_group.iloc[0].replace("_", " ")
        ax.plot(grid.group_share, grid.rate_pmpm_usd, line, color=color, lw=1.3, label=f"{design}: {group}")
        ax.plot(now.group_share, now.rate_pmpm_usd, "o", color=color, ms=5)
    ax.set_xlabel("weight of the first comparison group; dot: the weight in use")
    ax.set_ylabel("USD per month")
    ax.set_title("How far a blended rate depends on the mix")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
    return fig


def plot_scales(scales: pd.DataFrame, suppress_below: int):
    """Draw our rates as multiples of the published ones: 1 is within the published range, of other people and years."""
    shown = scales[scales.ratio_to_published.notna() & (scales.persons >= suppress_below)]
    if shown.empty:
        return empty_figure(NOTHING)
    shown = shown.sort_values([*KEYS, "item"]).reset_index(drop=True)
    names = design_names(shown) + " · " + shown["item"].str.replace("_", " ")
    fig, ax = subplots(figsize=(8.0, 0.22 * len(shown) + 1.4))
    ax.axvspan(0.1, 10, color="#f0f0f0", lw=0, zorder=0)
    dots(ax, np.arange(len(shown)), shown.ratio_to_published, shown.lower, shown.upper, PALETTE[0])
    ax.set_xscale("log")
    ax.set_xlim(0.08, 12)
    ax.axvline(1, color="#888888", lw=0.8)
    ax.set_yticks(range(len(shown)), names.tolist(), fontsize=7)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "0.5", "1", "2", "5", "10"])
    ax.minorticks_off()
    ax.set_xlabel("our rate over the nearer end of the published range")
    ax.set_title("Our rates beside the published ones")
    return fig
