"""Programs as pictures: rates beside published ranges, the comparison, and who pays which facility day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.figures import PALETTE, empty_figure, subplots

NOTHING = "No program could be priced on these data: no member month of long-term care in a comparison group."


def plot_program_rates(rates: pd.DataFrame, suppress_below: int):
    """Draw each state's rate with its interval; the published range is a grey bar, of other data."""
    shown = rates[rates.rate_usd.notna() & (rates.persons >= suppress_below)]
    cuts = shown.cell.str.contains("/")
    shown = shown[~cuts]
    if shown.empty:
        return empty_figure(NOTHING)
    shown = shown.sort_values(["program", "state", "area", "cell"]).reset_index(drop=True)
    fig, ax = subplots(figsize=(8.0, 0.22 * len(shown) + 1.4))
    colors = dict(zip(shown.program.unique(), PALETTE))
    for place, row in shown.iterrows():
        if not np.isnan(row.published_low_usd):
            low, high = row.published_low_usd, row.published_high_usd
            ax.plot([low - 8, high + 8], [place, place], color="#cccccc", lw=7, solid_capstyle="butt", zorder=1)
        ax.plot([row.lower, row.upper], [place, place], color=colors[row.program], lw=1.2, zorder=2)
        ax.plot(row.rate_usd, place, "o", color=colors[row.program], ms=4, zorder=3)
    names = shown.program + " · " + shown.state.where(shown.area == "all", shown.state + ", " + shown.area)
    ax.set_yticks(range(len(shown)), (names + " · " + shown.cell.str.replace("_", " ")).tolist(), fontsize=7)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlabel("USD per month; grey: published, of other people and years", fontsize=8)
    ax.set_title("Every program's rate, by its own formula, on the same data")
    return fig


def plot_comparison(comparison: pd.DataFrame, suppress_below: int):
    """Draw for each program what the State pays today, the rate, and what the State still pays beside it."""
    shown = comparison[comparison.state_saving_pmpm_usd.notna() & (comparison.persons >= suppress_below)]
    if shown.empty:
        return empty_figure(NOTHING)
    shown = shown.sort_values("state_saving_pmpm_usd").reset_index(drop=True)
    places = np.arange(len(shown))
    fig, (left, right) = subplots(1, 2, figsize=(9.0, 0.26 * len(shown) + 1.6), sharey=True)
    left.barh(places, shown.rate_pmpm_usd, color=PALETTE[0], label="capitation")
    left.barh(
        places,
        shown.state_remainder_pmpm_usd,
        left=shown.rate_pmpm_usd,
        color=PALETTE[6],
        label="State's facility days",
    )
    left.plot(shown.state_ffs_pmpm_usd, places, "|", color="#222222", ms=11, mew=1.6, label="fee-for-service today")
    names = shown.program + " · " + shown.state.where(shown.area == "all", shown.state + ", " + shown.area)
    left.set_yticks(places, names.tolist(), fontsize=7)
    left.set_xlabel("USD per member per month")
    left.set_title("What the State pays")
    left.legend(loc="upper center", bbox_to_anchor=(0.45, -0.09), ncol=3, fontsize=7)
    half = np.vstack([shown.state_saving_pmpm_usd - shown.lower, shown.upper - shown.state_saving_pmpm_usd])
    right.errorbar(
        shown.state_saving_pmpm_usd, places, xerr=np.nan_to_num(half), fmt="o", ms=4, color=PALETTE[1], lw=1
    )
    right.axvline(0, color="#888888", lw=0.8)
    right.set_xlabel("USD per member per month")
    right.set_title("What it saves, 95% interval")
    return fig


def plot_liability_timeline(days: pd.DataFrame, suppress_below: int):
    """Draw, day by day of facility care, the share of days the plan pays."""
    shown = days[(days.nf_days > 0) & (days.persons >= suppress_below)]
    if shown.empty:
        return empty_figure(NOTHING)
    fig, ax = subplots(figsize=(7.0, 3.4))
    lines = list(zip(PALETTE, shown.groupby("program", sort=True)))
    for place, (color, (program, rows)) in enumerate(lines):
        # The first drawn is the widest, so that programs that pay the same days are both seen.
        width = 1.4 + 1.2 * (len(lines) - 1 - place)
        ax.step(rows.nf_day, rows.plan_nf_days / rows.nf_days, where="mid", color=color, label=program, lw=width)
    ax.set_ylim(-0.03, 1.06)
    ax.set_xlabel("day of facility care in the enrolment year the stay began in")
    ax.set_ylabel("share of days in the plan's window")
    ax.set_title("Who pays which facility day")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig
