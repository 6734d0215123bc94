"""Figures of cost, each drawn from a written table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.clean import SUD_CATEGORIES
from ratebook.contracts.cost import OTHER_SUD
from ratebook.contracts.episodes import ARMS
from ratebook.figures import ARM_COLORS, empty_figure, subplots

NO_ARMS = "No cohort member in both arms: there is nothing to compare."
VARIANTS = [
    ("P1", "program", "Program cost per engaged month"),
    ("P2", "program", "Program cost per eligible month"),
    ("P3", "total_sud_engaged", "SUD cost while engaged, per engaged month"),
    ("P3", "total_sud", "All SUD cost per engaged month"),
    ("P4", "total_sud", "SUD cost per eligible month"),
    ("TCOC", "tcoc", "Total cost of care per eligible month"),
]


def plot_pmpm(pmpm: pd.DataFrame, mm_rule: str):
    """Ratio RSN / CSP of every PMPM side by side: the same program is cheaper or dearer by its denominator."""
    wanted = pmpm[(pmpm.arm == "difference") & pmpm.month_rule.isin(["exact", mm_rule, "none"])]
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
            rows = curve[(curve.estimand == estimand) & (curve.arm == arm)].sort_values("day")
            ax.fill_between(rows.day, rows.lower, rows.upper, color=ARM_COLORS[arm], alpha=0.15, lw=0)
            ax.plot(rows.day, rows.estimate_usd, color=ARM_COLORS[arm], label=arm)
        ax.set_title(title)
        ax.set_xlabel("Days since discharge")
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_formatter("${x:,.0f}")
    axes[0].set_ylabel("Mean cost per member so far")
    axes[0].legend()
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
    ax.set_yticks(range(len(shown)), shown)
    ax.xaxis.set_major_formatter("${x:,.0f}")
    ax.set_xlabel("Mean cost per member to the horizon, adjusted for censoring, with 95% limits")
    ax.set_title("SUD cost after discharge by category")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


def plot_decomposition(parts: pd.DataFrame):
    """Waterfall from CSP's to RSN's SUD cost per member: each bar one factor, the last the whole difference."""
    rows = parts[parts.effect_usd.notna() & (parts.effect_usd.abs() >= 0.5)]
    if rows.empty:
        return empty_figure(NO_ARMS)
    whole = parts.effect_usd.sum()
    order = {category: n for n, category in enumerate(("NAVIGATOR", *OTHER_SUD))}
    rows = rows.assign(order=rows.category.map(order)).sort_values(["order", "factor"], kind="stable")
    labels = [f"{row.category}, {row.factor}" for row in rows.itertuples()] + ["Difference, RSN less CSP"]
    ends = np.append(rows.effect_usd.cumsum().to_numpy(), whole)
    starts = np.append(np.concatenate([[0.0], ends[:-2]]), 0.0)
    at = np.arange(len(labels))[::-1]
    fig, ax = subplots(figsize=(7.6, 0.32 * len(labels) + 1.3))
    colors = [ARM_COLORS["CSP"] if end >= start else ARM_COLORS["RSN"] for start, end in zip(starts, ends)]
    ax.barh(at, ends - starts, left=starts, color=[*colors[:-1], ARM_COLORS["all"]], height=0.7)
    for y, start, end in zip(at, starts, ends):
        ax.annotate(
            f"{end - start:+,.0f}",
            (max(start, end), y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    ax.axvline(0, color="#999999", lw=0.8)
    ax.margins(x=0.12)
    ax.set_yticks(at, labels)
    ax.set_xlabel("Dollars per member")
    ax.set_title("What the difference in SUD cost is made of")
    return fig


def plot_break_even(forms: pd.DataFrame, break_even: pd.DataFrame):
    """What each payment form pays per client and per engaged month on the same logs; break-even rates below."""
    rows = forms[forms.arm.isin(ARMS) & forms.estimate_usd.notna()]
    if rows.empty:
        return empty_figure(NO_ARMS)
    titles = {"client": "Per client", "engaged_month": "Per engaged month"}
    names = list(dict.fromkeys(forms.form))[::-1]
    fig, axes = subplots(1, 2, figsize=(8.6, 0.5 * len(names) + 1.8), sharey=True)
    for ax, (per, title) in zip(axes, titles.items()):
        for shift, arm in zip((0.2, -0.2), ARMS):
            mine = rows[(rows.per == per) & (rows.arm == arm)].set_index("form").reindex(names)
            ax.barh(np.arange(len(names)) + shift, mine.estimate_usd, height=0.38, color=ARM_COLORS[arm], label=arm)
        ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        ax.xaxis.set_major_formatter("${x:,.0f}")
        ax.set_title(title)
    axes[0].legend(loc="best")
    rates = break_even[(break_even.perspective == "program") & break_even.value.notna()]
    rates = rates[rates.quantity.isin(["rate_per_month", "rate_hybrid"])]
    words = "; ".join(
        f"{row.quantity.removeprefix('rate_').replace('_', ' ')} \\${row.value:,.0f}" for row in rates.itertuples()
    )
    fig.supxlabel(f"Program break-even per engaged month: {words}" if words else "No program break-even", fontsize=8)
    return fig


def _row(rows: pd.DataFrame, variant: str, numerator: str):
    found = rows[(rows.variant == variant) & (rows.numerator == numerator)]
    return found.iloc[0] if len(found) else None
