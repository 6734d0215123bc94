"""Figures of the exhibits: four denominators, payment forms, break-even, and dollars against engaged months."""

from __future__ import annotations

import re
import textwrap

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ratebook.contracts.cost_exhibits import EXHIBITED
from ratebook.contracts.episodes import ARMS
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, subplots

NO_ARMS = "No cohort member in both arms: there is nothing to compare."
COST_COLORS = {"program": PALETTE[2], "total_sud": PALETTE[3]}
COST_WORDS = {"total_sud": "All SUD cost", "program": "Navigator alone"}
UNITS = {"P1": "a month", "P2": "a month", "P4": "a month", "P5": "a member"}
NOTE_SIZE = 7.5
MINUS = "\u2212"


def plot_exhibit(exhibit: pd.DataFrame):
    """Each variant on a line of its own: both halves in words, both arms in dollars, and their ratio with limits."""
    rows = exhibit[exhibit.estimate_usd.notna()].set_index(["variant", "arm"])
    shown = [variant for variant in EXHIBITED if (variant, "difference") in rows.index]
    if not shown:
        return empty_figure(NO_ARMS)
    fig, (words, ax) = subplots(1, 2, figsize=(9.2, 0.62 * len(shown) + 1.2), sharey=True, width_ratios=(1.35, 1))
    words.axis("off")
    words.set_xlim(0, 1)
    for x, text, place in ((0, "Above the line / below it", "left"), (0.74, "RSN", "center"), (0.92, "CSP", "center")):
        words.text(x, len(shown) - 0.45, text, ha=place, weight="bold", fontsize=8)
    for y, variant in zip(np.arange(len(shown))[::-1], shown):
        row = rows.loc[(variant, "difference")]
        words.text(
            0, y, f"{variant}  {row.numerator_words}\n       / {_short(row.denominator)}", va="center", fontsize=8
        )
        for x, arm in zip((0.74, 0.92), ARMS):
            if (variant, arm) in rows.index:
                text = f"\\${rows.estimate_usd[variant, arm]:,.0f}\n{UNITS[variant]}"
                words.text(x, y, text, ha="center", va="center", fontsize=8, color=ARM_COLORS[arm])
        if np.isfinite(row.ratio):
            _ratio(ax, y, row)
    ax.axvline(1, color="#999999", lw=0.8, zorder=0)
    _log_ratios(ax)
    ax.tick_params(axis="y", left=False, labelleft=False)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.6, len(shown) - 0.1)
    ax.set_xlabel("RSN / CSP, with 95% limits (log scale)")
    return fig


def plot_forms(forms: pd.DataFrame):
    """What each payment form pays on the same logs, per client and per engaged month, both arms with limits."""
    rows = forms[forms.arm.isin(ARMS) & forms.estimate_usd.notna()]
    if rows.empty:
        return empty_figure(NO_ARMS)
    titles = {"client": "Per client", "engaged_month": "Per engaged month"}
    formulas = dict(zip(forms.form, forms.formula))
    names = list(formulas)[::-1]
    fig, axes = subplots(1, 2, figsize=(9.2, 0.55 * len(names) + 1.1), sharey=True)
    for ax, (per, title) in zip(axes, titles.items()):
        for shift, arm in zip((0.16, -0.16), ARMS):
            mine = rows[(rows.per == per) & (rows.arm == arm)].set_index("form").reindex(names)
            y = np.arange(len(names)) + shift
            ax.hlines(y, mine.lower, mine.upper, color=ARM_COLORS[arm], lw=1.6)
            ax.plot(mine.estimate_usd, y, "o", ms=5, color=ARM_COLORS[arm], label=arm)
        for line in np.arange(len(names) - 1) + 0.5:
            ax.axhline(line, color="#e4e4e4", lw=0.6, zorder=0)
        ax.set_yticks(range(len(names)), [_formula(formulas[name]) for name in names])
        ax.tick_params(axis="y", length=0, labelsize=8)
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set_xlim(left=0)
        in_dollars(ax.xaxis)
        ax.set_title(title)
    axes[0].legend(loc="lower right")
    fig.supxlabel("The same service logs of both programs priced by each form, with 95% limits", fontsize=8.5)
    return fig


def plot_break_even(line: pd.DataFrame, break_even: pd.DataFrame):
    """RSN's program cost per member against the monthly rate, CSP's cost as a band, and where the two cross."""
    rows = line[line.estimate_usd.notna()]
    if set(rows.arm) != set(ARMS):
        return empty_figure(NO_ARMS)
    fig, ax = subplots(figsize=(6.4, 3.9))
    words = {"RSN": "RSN, paid the rate for each engaged month", "CSP": "CSP, as it was paid"}
    for arm in ARMS:
        mine = rows[rows.arm == arm].sort_values("rate_usd")
        ax.fill_between(mine.rate_usd, mine.lower, mine.upper, color=ARM_COLORS[arm], alpha=0.15, lw=0)
        ax.plot(mine.rate_usd, mine.estimate_usd, color=ARM_COLORS[arm], label=words[arm])
    found = break_even[(break_even.quantity == "rate_per_month") & break_even.value.notna()]
    found = found[found.perspective == "program"]
    if len(found):
        rate, budget = found.iloc[0], rows.estimate_usd[rows.arm == "CSP"].iloc[0]
        ax.plot([rate.value, rate.value], [0, budget], color="#444444", lw=0.9, ls="--")
        if np.isfinite(rate.lower):
            ax.axvspan(rate.lower, rate.upper, color="#444444", alpha=0.08, lw=0)
        limits = f"\n(95% CI \\${rate.lower:,.0f} to \\${rate.upper:,.0f})" if np.isfinite(rate.lower) else ""
        text = f"break-even \\${rate.value:,.0f} a month{limits}"
        ax.annotate(text, (rate.upper if limits else rate.value, 0), (6, 10), textcoords="offset points", fontsize=8)
    ax.set_xlim(0, rows.rate_usd.max())
    ax.set_ylim(bottom=0)
    in_dollars(ax.xaxis)
    in_dollars(ax.yaxis, 8)
    ax.set_xlabel("Rate per engaged month of RSN")
    ax.set_ylabel("Navigator cost per member to the horizon")
    ax.legend(loc="upper left")
    return fig


def plot_plane(plane: pd.DataFrame):
    """The cost-effectiveness plane: extra dollars against extra engaged months, a point for every draw of providers."""
    rows = plane.dropna(subset=["difference_months", "total_sud_usd"])
    if rows.empty or rows.replicate.iloc[0] != 0:
        return empty_figure(NO_ARMS)
    fig, ax = subplots(figsize=(6.4, 4.4))
    estimate, draws = rows.iloc[0], rows.iloc[1:]
    for cost in COST_WORDS:
        dollars = draws[f"{cost}_usd"]
        style = {"s": 5, "alpha": 0.25, "lw": 0, "rasterized": True}
        ax.scatter(draws.difference_months, dollars, color=COST_COLORS[cost], **style)
        at = (estimate.difference_months, estimate[f"{cost}_usd"])
        ax.plot(*at, "D", ms=6, color=COST_COLORS[cost], mec="white", mew=0.8, label=COST_WORDS[cost])
    ax.axhline(0, color="#777777", lw=0.8, zorder=0)
    ax.axvline(0, color="#777777", lw=0.8, zorder=0)
    costs = rows[[f"{cost}_usd" for cost in COST_WORDS]].to_numpy()
    x, y = rows.difference_months.abs().max(), np.abs(costs).max()
    # Both signs stay in sight: a plane cut to its cloud hides in which quadrant the cloud lies.
    ax.set_xlim(
        min(-0.25 * x, 1.12 * rows.difference_months.min()), max(0.25 * x, 1.12 * rows.difference_months.max())
    )
    ax.set_ylim(min(-0.25 * y, 1.12 * costs.min()), max(0.25 * y, 1.12 * costs.max()))
    corners = {(1, 1): "costs more,\nengages longer", (1, 0): "costs less,\nengages longer"}
    corners |= {(0, 1): "costs more,\nengages shorter", (0, 0): "costs less,\nengages shorter"}
    for (right, top), text in corners.items():
        side, base = ("right" if right else "left"), ("top" if top else "bottom")
        at = (0.01 + 0.98 * right, 0.01 + 0.98 * top)
        ax.text(*at, text, transform=ax.transAxes, ha=side, va=base, color="#888888", fontsize=NOTE_SIZE)
    in_dollars(ax.yaxis, 8)
    ax.set_xlabel("Extra engaged months per member, RSN less CSP")
    ax.set_ylabel("Extra dollars per member, RSN less CSP")
    ax.legend(loc="center left", bbox_to_anchor=(0.25, 0.5))
    return fig


def plot_net_benefit(net_benefit: pd.DataFrame):
    """Net benefit with its limits, and the acceptability curve, by what one more engaged month is worth."""
    rows = net_benefit[net_benefit.net_benefit_usd.notna()]
    if rows.empty:
        return empty_figure(NO_ARMS)
    fig, (left, right) = subplots(1, 2, figsize=(9.2, 3.5))
    for cost in COST_WORDS:
        color = COST_COLORS[cost]
        mine = rows[rows.estimand == cost].sort_values("month_value_usd")
        left.fill_between(mine.month_value_usd, mine.lower, mine.upper, color=color, alpha=0.15, lw=0)
        left.plot(mine.month_value_usd, mine.net_benefit_usd, color=color, label=COST_WORDS[cost])
        right.plot(mine.month_value_usd, 100 * mine.positive_share, color=color, label=COST_WORDS[cost])
    left.axhline(0, color="#777777", lw=0.8)
    left.set_ylabel("Net benefit per member, with 95% limits")
    in_dollars(left.yaxis, 8)
    left.set_title("Value of the extra months less their cost")
    left.legend(loc="upper left")
    right.axhline(50, color="#cccccc", lw=0.8, zorder=0)
    right.set_ylim(-2, 102)
    right.yaxis.set_major_formatter("{x:.0f}%")
    right.set_ylabel("Replicates in which something is left")
    right.set_title("Acceptability")
    for ax in (left, right):
        ax.set_xlim(rows.month_value_usd.min(), rows.month_value_usd.max())
        in_dollars(ax.xaxis)
        ax.set_xlabel("What one more engaged month is worth")
    return fig


FIGURES = {
    "pmpm_exhibit": (plot_exhibit, ("pmpm_exhibit",)),
    "payment_forms": (plot_forms, ("payment_forms",)),
    "break_even": (plot_break_even, ("break_even_line", "break_even")),
    "ce_plane": (plot_plane, ("plane",)),
    "net_benefit": (plot_net_benefit, ("net_benefit",)),
}
"""Figure to the function that draws it and the tables it is drawn from."""


def _ratio(ax, y: float, row: pd.Series) -> None:
    color = ARM_COLORS["RSN"] if row.ratio < 1 else ARM_COLORS["CSP"]
    text = f"{row.ratio:.2f}"
    if np.isfinite(row.ratio_lower):
        ax.plot([row.ratio_lower, row.ratio_upper], [y, y], color=color, lw=1.8)
        text += f" ({row.ratio_lower:.2f} to {row.ratio_upper:.2f})"
    ax.plot(row.ratio, y, "o", color=color)
    ax.annotate(text, (row.ratio, y), (0, 6), textcoords="offset points", ha="center", fontsize=NOTE_SIZE)


def _log_ratios(ax) -> None:
    """Scale an axis of ratios: even steps up and down, and 1 always in sight."""
    low, high = (np.log(limit) for limit in ax.get_xlim()) if ax.get_xlim()[0] > 0 else (np.log(0.4), np.log(2.5))
    low, high = min(low, np.log(0.8)), max(high, np.log(1.25))
    reach = 0.12 * (high - low)
    ax.set_xscale("log")
    ax.set_xlim(np.exp(low - reach), np.exp(high + reach))
    ticks = [t for t in (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 8) if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def _short(denominator: str) -> str:
    """Leave out what the table says in full: how the months were counted."""
    return denominator.split(":")[0].split(" (")[0].removesuffix(", adjusted for censoring")


def _formula(text: str) -> str:
    """Print a payment form's formula as a label of few lines."""
    return textwrap.fill(re.sub(r"([\d.]+) USD", r"\\$\1", text), 36)


def in_dollars(axis, steps: int = 5) -> None:
    """Label an axis in dollars, its sign before the currency, with few enough labels that none touch."""
    axis.set_major_locator(MaxNLocator(steps))
    axis.set_major_formatter(FuncFormatter(lambda usd, _: f"{MINUS if usd < 0 else ''}${abs(usd):,.0f}"))
