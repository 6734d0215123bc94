"""Figures of what navigators do and of the clocks they are timed by, drawn from released tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from ratebook.contracts.engagement import CLOCKS
from ratebook.contracts.episodes import ARMS
from ratebook.figures import ARM_COLORS, empty_figure, subplots

ACTIVITIES = {
    "face": ("face to face", "#0b6e99"),
    "phone": ("phone", "#3f93b5"),
    "text": ("text", "#7fb8ca"),
    "video": ("video", "#aed3df"),
    "collateral": ("with others, on the client's behalf", "#5b8c5a"),
    "attempt": ("attempts that reached nobody", "#d9a441"),
    "coaching": ("coaching", "#c8553d"),
    "training": ("training", "#e39b8b"),
    "admin": ("office work", "#8a8a8a"),
}
"""Activity of the log to its words and colour, what the unit form pays first: cold colours are paid, warm are not."""
OTHER = ("other", "#dddddd")
CLOCK_NAMES = {"contact": "contacts", "floor": "the floor", "admin": "enrolment"}
NO_LOG = "No log of navigators' time was supplied, or of too few clients to be shown."
NO_CLOCK = "Nobody in the cohort has a spell with a navigator, or the arms cannot be timed to a horizon."


def plot_service_mix(service_mix: pd.DataFrame, suppress_below: int):
    """Share of navigators' minutes by activity, one bar a program; a line divides what the unit form pays from the rest.

    Only programs with at least `suppress_below` clients are shown.
    """
    whole = service_mix[(service_mix.activity == "all") & (service_mix.clients >= suppress_below)]
    parts = service_mix[(service_mix.activity != "all") & service_mix.program.isin(whole.program)]
    if parts.empty:
        return empty_figure(NO_LOG)
    known = [activity for activity in ACTIVITIES if activity in set(parts.activity)]
    order = known + sorted(set(parts.activity) - set(known))
    fig, ax = subplots(figsize=(7.2, 3.0))
    shares = parts.pivot(index="program", columns="activity", values="minutes_share").astype(float).fillna(0.0)
    programs = [arm for arm in ARMS if arm in shares.index]
    left = np.zeros(len(programs))
    for activity in order:
        words, color = ACTIVITIES.get(activity, OTHER)
        widths = shares.loc[programs, activity].to_numpy()
        ax.barh(programs, widths, left=left, label=words, color=color, edgecolor="white", linewidth=0.6)
        for at, start, width in zip(programs, left, widths):
            if width >= 0.04:
                ax.text(start + width / 2, at, f"{100 * width:.0f}%", ha="center", va="center", fontsize=8)
        left = left + widths
    paid = whole.set_index("program").billable_minutes_share.astype(float)
    for place, program in enumerate(programs):
        ax.plot([paid[program]] * 2, [place - 0.48, place + 0.48], color="black", lw=1.6)
    ax.set_yticks(programs, [f"{program}\n{100 * paid[program]:.0f}% billable\nby the unit" for program in programs])
    ax.set(xlabel="Share of minutes logged", xlim=(0, 1), title="What navigators' time goes into")
    ax.invert_yaxis()
    fig.legend(loc="outside lower center", ncols=3, fontsize=7.5)
    return fig


def plot_service_earnings(service_summary: pd.DataFrame, suppress_below: int):
    """What each program's log earns a worker-month under either form of payment, with limits that resample workers.

    The bars of one program differ by the payment alone: the work is the same.
    """
    rows = service_summary[service_summary.measure.isin(["unit_form_usd", "case_form_usd"])]
    rows = rows[rows.estimate.notna() & (rows.persons >= suppress_below)]
    if rows.empty:
        return empty_figure("No log of navigators' time, or no claim to take a price from.")
    fig, ax = subplots(figsize=(6.4, 3.2))
    for place, measure in enumerate(("unit_form_usd", "case_form_usd")):
        mine = rows[rows.measure == measure].set_index("arm")
        for at, arm in enumerate(ARMS):
            if arm not in mine.index:
                continue
            row, x = mine.loc[arm], at + 0.38 * (place - 0.5)
            ax.bar(
                x, row.estimate, width=0.34, color=ARM_COLORS[arm], hatch="//" if place else None, edgecolor="white"
            )
            if pd.notna(row.lower):
                ax.plot([x, x], [row.lower, row.upper], color="#333333", lw=1)
            ax.annotate(
                f"${row.estimate:,.0f}", (x + 0.02, row.estimate), (3, 2), textcoords="offset points", fontsize=8
            )
    ax.set_xticks(range(len(ARMS)), [f"the {arm} log" for arm in ARMS])
    ax.set(ylabel="Earned a worker-month ($)", title="The same work under either form of payment")
    ax.legend(
        handles=[
            Patch(fc="#999999", label="15-minute units"),
            Patch(fc="#999999", ec="white", hatch="//", label="case rate"),
        ]
    )
    return fig


def plot_clocks(clocks: pd.DataFrame, suppress_below: int):
    """Mean days by arm on each clock, and RSN less CSP on one clock and across two, at the longest known horizon.

    Left, the same persons on every clock; the distance between two points of an arm is its measurement gap. Right,
    full points compare like with like; hollow ones time RSN by its enrolment, or its floor, and CSP by contacts,
    as data that hold no more than each arm's own billing would.
    """
    known = clocks[clocks.estimate_days.notna() & (clocks.persons >= suppress_below)]
    if known.empty:
        return empty_figure(NO_CLOCK)
    is_contrast = known.comparison.isin(["same_clock", "cross_clock"])
    horizon = int(known.tau_days[is_contrast if is_contrast.any() else slice(None)].max())
    known = known[known.tau_days == horizon]
    names = [clock for clock in CLOCK_NAMES if clock in CLOCKS]
    fig, (left, right) = subplots(1, 2, figsize=(8.2, 3.4), width_ratios=[1.2, 1])
    for place, arm in enumerate(ARMS):
        mine = known[(known.comparison == "mean") & (known.arm == arm)].set_index("clock").reindex(names)
        at = np.arange(len(names)) + 0.16 * (place - 0.5)
        limits = np.array([mine.estimate_days - mine.lower, mine.upper - mine.estimate_days], float)
        source = f"{arm} (contacts read in the {mine.source.dropna().iloc[0]})" if mine.source.notna().any() else arm
        left.errorbar(at, mine.estimate_days.astype(float), np.nan_to_num(limits), color=ARM_COLORS[arm], marker="o",
                      ms=5, lw=1, elinewidth=1.2, label=source)  # fmt: skip
    left.set_xticks(range(len(names)), [CLOCK_NAMES[clock] for clock in names])
    left.set(ylabel="Mean days engaged", ylim=(0, None), xlim=(-0.5, len(names) - 0.5), title="Each arm on each clock")
    left.set_xlabel("the floor: of the enrolment, months in a row with a contact in each", fontsize=7.5)
    left.legend(fontsize=7.5)
    pairs = [(clock, clock) for clock in names] + [(clock, "contact") for clock in names if clock != "contact"]
    contrasts = known[known.comparison.isin(["same_clock", "cross_clock"])]
    rows = {(row.clock, row.other_clock): row for row in contrasts.itertuples()}
    shown = [pair for pair in pairs if pair in rows]
    for place, (clock, other) in enumerate(shown):
        row = rows[clock, other]
        fill = "#0b6e99" if clock == other else "white"
        if pd.notna(row.lower):
            right.plot([row.lower, row.upper], [place, place], color="#0b6e99", lw=1.4)
            text = f"{row.estimate_days:.0f} ({row.lower:.0f} to {row.upper:.0f})"
        else:
            text = f"{row.estimate_days:.0f}"
        right.plot(row.estimate_days, place, "o", color="#0b6e99", markerfacecolor=fill, ms=6)
        right.text(1.01, place, text, va="center", fontsize=7.5, transform=right.get_yaxis_transform())
    words = [
        f"both by {CLOCK_NAMES[clock]}" if clock == other else f"RSN by {CLOCK_NAMES[clock]},\nCSP by contacts"
        for clock, other in shown
    ]
    right.set_yticks(range(len(shown)), words, fontsize=7.5)
    right.set(ylim=(len(shown) - 0.5, -0.5), title=f"RSN less CSP over {horizon} days")
    right.set_xlabel("Days (95% interval)")
    right.axvline(0, color="#888888", lw=0.8)
    return fig


FIGURES = {
    "service_mix": (plot_service_mix, "service_mix"),
    "service_earnings": (plot_service_earnings, "service_summary"),
    "clocks": (plot_clocks, "clocks"),
}
"""Figure to the function that draws it and the table it is drawn from."""
