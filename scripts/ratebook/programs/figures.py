"""Programs as pictures: rates beside published ranges, the comparison, and who pays which facility day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.figures import PALETTE, empty_figure, subplots

KEYS = ["program", "state", "area", "era"]
NOTHING = "No program could be priced on these data: no member month of long-term care in a comparison group."


def plot_program_rates(rates: pd.DataFrame):
    """Draw each state's rate with its interval; the published range is a grey bar, of other data."""
    shown = rates[rates.rate_usd.notna()]
    cuts = shown.cell.str.contains("/")
    shown = shown[~cuts]
    if shown.empty:
        return empty_figure(NOTHING)
    shown = shown.sort_values(["program", "state", "area", "era", "cell"]).reset_index(drop=True)
    fig, ax = subplots(figsize=(8.0, 0.22 * len(shown) + 1.4))
    colors = dict(zip(shown.program.unique(), PALETTE))
    for place, row in shown.iterrows():
        if not np.isnan(row.published_low_usd):
            low, high = row.published_low_usd, row.published_high_usd
            ax.plot([low - 8, high + 8], [place, place], color="#cccccc", lw=7, solid_capstyle="butt", zorder=1)
        ax.plot([row.lower, row.upper], [place, place], color=colors[row.program], lw=1.2, zorder=2)
        ax.plot(row.rate_usd, place, "o", color=colors[row.program], ms=4, zorder=3)
    cells = shown.cell.str.replace("_", " ")
    ax.set_yticks(range(len(shown)), (design_names(shown) + " · " + cells).tolist(), fontsize=7)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlabel("USD per month; grey: published, of other people and years", fontsize=8)
    ax.set_title("Every program's rate, by its own formula, on the same data")
    return fig


def plot_comparison(comparison: pd.DataFrame):
    """Draw for each design what the State pays today, the rate, and what it still pays beside it; what it saves; and the
    plan's margin, as care is and were facility days avoided."""
    known = comparison[comparison.state_saving_pmpm_usd.notna()]
    shown = known[known.scenario == "as_is"].sort_values("state_saving_pmpm_usd").reset_index(drop=True)
    if shown.empty:
        return empty_figure(NOTHING)
    other = shown[KEYS].merge(known[known.scenario == "response"], on=KEYS, how="left")
    places = np.arange(len(shown))
    fig, (left, middle, right) = subplots(1, 3, figsize=(11.0, 0.26 * len(shown) + 1.6), sharey=True)
    left.barh(places, shown.rate_pmpm_usd, color=PALETTE[0], label="capitation")
    left.barh(
        places,
        shown.state_remainder_pmpm_usd,
        left=shown.rate_pmpm_usd,
        color=PALETTE[6],
        label="State's facility days",
    )
    left.plot(shown.state_ffs_pmpm_usd, places, "|", color="#222222", ms=11, mew=1.6, label="fee-for-service today")
    left.set_yticks(places, design_names(shown).tolist(), fontsize=7)
    left.set_title("What the State pays")
    dots(middle, places, shown.state_saving_pmpm_usd, shown.lower, shown.upper, PALETTE[1])
    middle.set_title("What it saves, 95% interval")
    dots(
        right,
        places - 0.15,
        shown.plan_margin_pmpm_usd,
        shown.margin_lower,
        shown.margin_upper,
        PALETTE[2],
        "as care is",
    )
    share = f"{other.avoided_share.iloc[0]:.0%} of facility days avoided"
    dots(right, places + 0.15, other.plan_margin_pmpm_usd, other.margin_lower, other.margin_upper, PALETTE[4], share)
    right.set_title("What the plan keeps, 95% interval")
    for ax in (left, middle, right):
        ax.set_xlabel("USD per member per month")
    for ax in (left, right):
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.09), ncol=3, fontsize=7)
    return fig


def design_names(rows: pd.DataFrame) -> pd.Series:
    """Name designs for people: program, state, area and era where there are several."""
    names = rows.program + " · " + rows.state
    names = names.where(rows.area == "all", names + ", " + rows.area)
    return names.where(rows.era == "all", names + ", " + rows.era)


def dots(
    ax, places, values: pd.Series, lower: pd.Series, upper: pd.Series, color: str, label: str | None = None
) -> None:
    """Draw estimates as dots with their intervals, and a line at nothing."""
    half = np.nan_to_num(np.vstack([values - lower, upper - values]).astype(float))
    ax.errorbar(values, places, xerr=np.maximum(half, 0), fmt="o", ms=4, color=color, lw=1, label=label)
    ax.axvline(0, color="#888888", lw=0.8)


def plot_liability_timeline(days: pd.DataFrame):
    """Draw, day by day of facility care, the share of days in the plan's window."""
    shown = days[days.window_day_share.notna()]
    if shown.empty:
        return empty_figure(NOTHING)
    fig, ax = subplots(figsize=(7.0, 3.4))
    lines = list(zip(PALETTE, shown.groupby("program", sort=True)))
    for place, (color, (program, rows)) in enumerate(lines):
        # The first drawn is the widest, so that programs that pay the same days are both seen.
        width = 1.2 + 0.6 * (len(lines) - 1 - place)
        ax.step(rows.nf_day, rows.window_day_share, where="mid", color=color, label=program, lw=width)
    ax.set_ylim(-0.03, 1.06)
    ax.set_xlabel("day of facility care, as the windows count them; shares in whole percent")
    ax.set_ylabel("share of days in the plan's window")
    ax.set_title("Who pays which facility day")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig
