"""Figures of cost, each drawn from a written table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import SUD_CATEGORIES
from ratebook.contracts.cost import OTHER_SUD
from ratebook.contracts.cost_exhibits import CATEGORY_WORDS
from ratebook.contracts.episodes import ARMS
from ratebook.cost.exhibit_figures import NO_ARMS, in_dollars
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, subplots

SMALL_PART = 0.01
"""Parts below this share of all parts' sizes are drawn together."""
VARIANTS = [
    ("P1", "program", "Program cost per engaged month"),
    ("P2", "program", "Program cost per eligible month"),
    ("P3", "total_sud_engaged", "SUD cost while engaged, per engaged month"),
    ("P3", "total_sud", "All SUD cost per engaged month"),
    ("P4", "total_sud", "SUD cost per eligible month"),
    ("TCOC", "tcoc", "Total cost of care per eligible month"),
]


def plot_pmpm(pmpm: pd.DataFrame):
    """Ratio RSN / CSP of every PMPM side by side: the same program is cheaper or dearer by its denominator."""
    wanted = pmpm[(pmpm.arm == "difference") & ~pmpm.month_rule.isin(["calendar", "ceil30"])]
    picked = [(label, _row(wanted, variant, numerator)) for variant, numerator, label in VARIANTS]
    picked.append(("SUD cost per member to the horizon (P5)", _row(wanted, "P5", "total_sud")))
    picked = [(label, row) for label, row in picked if row is not None and np.isfinite(row.ratio)]
    if not picked:
        return empty_figure(NO_ARMS)
    fig, ax = subplots(figsize=(7.2, 0.42 * len(picked) + 1.4))
    at = np.arange(len(picked))[::-1]
    for y, (_, row) in zip(at, picked):
        color = ARM_COLORS["RSN"] if row.ratio < 1 else ARM_COLORS["CSP"]
        if np.isfinite(row.ratio_lower):
            ax.plot([row.ratio_lower, row.ratio_upper], [y, y], color=color, lw=1.6)
        ax.plot(row.ratio, y, "o", color=color)
        ax.annotate(
            f"{row.ratio:.2f}", (row.ratio, y), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=7.5
        )
    ax.axvline(1, color="#999999", lw=0.8)
    ax.set_xscale("log")
    ticks = [t for t in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4) if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_yticks(at, [label for label, _ in picked])
    ax.set_ylim(-0.7, len(picked) - 0.3)
    ax.set_xlabel("RSN / CSP, with 95% limits (log scale)")
    ax.set_title("The answer depends on the denominator")
    return fig


def plot_curve(curve: pd.DataFrame):
    """Mean cost per member accrued since discharge, for SUD care and for the program, by arm."""
    if curve.empty:
        return empty_figure(NO_ARMS)
    titles = {"total_sud": "Total SUD cost", "program": "Navigator program cost"}
    fig, axes = subplots(1, 2, figsize=(8.4, 3.4))
    for ax, (estimand, title) in zip(axes, titles.items()):
        for arm in ARMS:
            rows = (
                curve[(curve.estimand == estimand) & (curve.arm == arm)]
                .sort_values("day")
                .dropna(subset="estimate_usd")
            )
            ax.fill_between(rows.day, rows.lower, rows.upper, color=ARM_COLORS[arm], alpha=0.15, lw=0)
            ax.plot(rows.day, rows.estimate_usd, color=ARM_COLORS[arm], label=arm)
        ax.set_title(title)
        ax.set_xlabel("Days since discharge")
        ax.set_ylim(bottom=0)
        in_dollars(ax.yaxis, 8)
    axes[0].set_ylabel("Mean cost per member so far")
    axes[0].legend(loc="upper left")
    return fig


def plot_categories(by_category: pd.DataFrame):
    """Mean cost per member after discharge by SUD category, RSN beside CSP."""
    rows = by_category[(by_category.window == "post") & by_category.category.isin(SUD_CATEGORIES)]
    rows = rows[rows.arm.isin(ARMS) & rows.estimate_usd.notna()]
    shown = [c for c in SUD_CATEGORIES if (rows.estimate_usd[rows.category == c] > 0).any()][::-1]
    if not shown:
        return empty_figure(NO_ARMS)
    fig, ax = subplots(figsize=(7.2, 0.45 * len(shown) + 1.2))
    for shift, arm in zip((0.2, -0.2), ARMS):
        mine = rows[rows.arm == arm].set_index("category").reindex(shown)
        reach = [
            mine.estimate_usd - mine.lower.fillna(mine.estimate_usd),
            mine.upper.fillna(mine.estimate_usd) - mine.estimate_usd,
        ]
        style = {"height": 0.38, "color": ARM_COLORS[arm], "label": arm, "error_kw": {"lw": 0.8}}
        ax.barh(np.arange(len(shown)) + shift, mine.estimate_usd, xerr=np.clip(reach, 0, None), **style)
        for y in np.flatnonzero(mine.estimate_usd.isna()):
            ax.text(0, y + shift, " not shown", va="center", fontsize=7, color=ARM_COLORS[arm])
    ax.set_yticks(range(len(shown)), [CATEGORY_WORDS[name] for name in shown])
    in_dollars(ax.xaxis, 8)
    ax.set_xlabel("Mean cost per member to the horizon, with 95% limits")
    ax.legend(loc="best")
    return fig


def plot_decomposition(parts: pd.DataFrame, total_cost: pd.DataFrame):
    """Waterfall from CSP's to RSN's SUD cost per member: each bar one factor, the last the whole difference.

    Parts too small to be seen are one bar; what is hidden is another, so that the bars end where the difference does.
    """
    rows = parts[parts.effect_usd.notna()]
    whole = total_cost[(total_cost.arm == "difference") & (total_cost.method == "partitioned")]
    whole = whole.set_index("estimand").estimate_usd.get("total_sud", np.nan)
    if rows.empty or not np.isfinite(whole):
        return empty_figure(NO_ARMS)
    order = {category: n for n, category in enumerate(("NAVIGATOR", *OTHER_SUD))}
    rows = rows.assign(order=rows.category.map(order)).sort_values(["order", "factor"], kind="stable")
    is_small = rows.effect_usd.abs() < SMALL_PART * rows.effect_usd.abs().sum()
    bars = [(f"{CATEGORY_WORDS[row.category]}: {row.factor}", row.effect_usd) for row in rows[~is_small].itertuples()]
    bars += [(f"{is_small.sum()} smaller parts", rows.effect_usd[is_small].sum())] if is_small.any() else []
    bars += [("Categories not shown", whole - rows.effect_usd.sum())] if parts.effect_usd.isna().any() else []
    labels = [label for label, _ in bars] + ["Difference, RSN less CSP"]
    ends = np.append(np.cumsum([effect for _, effect in bars]), whole)
    starts = np.append(np.concatenate([[0.0], ends[:-2]]), 0.0)
    at = np.arange(len(labels))[::-1]
    fig, ax = subplots(figsize=(7.6, 0.36 * len(labels) + 1.0))
    # Not the arms' colours: a bar is a difference, and belongs to neither.
    colors = [PALETTE[4] if end >= start else PALETTE[2] for start, end in zip(starts, ends)]
    ax.barh(at, ends - starts, left=starts, color=[*colors[:-1], ARM_COLORS["all"]], height=0.66)
    for y, start, end in zip(at, starts, ends):
        text = f"{end - start:+,.0f}".replace("-", "\u2212")
        ax.annotate(text, (max(start, end), y), (4, 0), textcoords="offset points", va="center", fontsize=7.5)
    for y, end in zip(at[:-1], ends[:-1]):
        ax.plot([end, end], [y - 1, y], color="#bbbbbb", lw=0.6, zorder=0)
    ax.axvline(0, color="#999999", lw=0.8, zorder=0)
    low, high = min(0.0, *starts, *ends), max(0.0, *starts, *ends)
    ax.set_xlim(low - 0.03 * (high - low), high + 0.14 * (high - low))
    ax.set_yticks(at, labels)
    ax.tick_params(axis="y", length=0)
    in_dollars(ax.xaxis, 8)
    ax.set_xlabel("SUD cost per member to the horizon, RSN less CSP")
    return fig


FIGURES = {
    "pmpm_variants": (plot_pmpm, ("pmpm",)),
    "cumulative_cost": (plot_curve, ("cost_curve",)),
    "cost_by_category": (plot_categories, ("cost_by_category",)),
    "decomposition": (plot_decomposition, ("decomposition", "total_cost")),
}
"""Figure to the function that draws it and the tables it is drawn from."""


def _row(rows: pd.DataFrame, variant: str, numerator: str):
    found = rows[(rows.variant == variant) & (rows.numerator == numerator)]
    return found.iloc[0] if len(found) else None
