"""Figures of cost before and after: around the index stay, before-after beside the difference, sites, and prices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, subplots

NO_ARMS = "No cohort member in both arms: there is nothing to compare."
NO_SITES = "No site started within the study with others to compare it with."
NO_PRICES = "No price in two years: there is no index."
TITLES = {"total_sud": "SUD cost", "other_sud": "SUD cost without the program", "tcoc": "Total cost of care"}
PUBLISHED = {"slower_growth_share": 0.016, "gross_savings_pmpm_usd": 68.0}
"""Hodgkin et al. 2019, of the companion program: growth 1.6 percentage points slower, gross savings of $68 a member
month, so about $4,250 without it. Another population and total cost: for scale only."""


def plot_event_study(events: pd.DataFrame, did: pd.DataFrame, estimand: str = "total_sud", dollars: str = "nominal"):
    """Cost per member month by month around the index stay, and the arms' difference with the test of a pre-trend."""
    rows = events[(events.estimand == estimand) & (events.dollars == dollars) & events.estimate_usd.notna()]
    gap = rows[rows.contrast == "RSN-CSP"].sort_values("event_month")
    if gap.empty:
        return empty_figure(NO_ARMS)
    fig, (left, right) = subplots(1, 2, figsize=(9.2, 3.6))
    for arm in ("none", "CSP", "RSN"):
        mine = rows[rows.contrast == arm].sort_values("event_month")
        label = {"none": "no navigator"}.get(arm, arm)
        _line(left, mine, ARM_COLORS[arm], label)
    left.set_title(f"{TITLES[estimand]} per member month")
    left.legend()
    _limits(right, gap.event_month, gap, ARM_COLORS["all"])
    right.plot(gap.event_month[gap.is_reference], gap.estimate_usd[gap.is_reference], "o", mfc="white", mec="#444444")
    right.axhline(0, color="#999999", lw=0.8)
    right.set_title(f"RSN less CSP, {_pre_trend(did, estimand, dollars)}")
    for ax in (left, right):
        ax.axvline(-0.5, color="#999999", lw=0.8, ls=":")
        ax.yaxis.set_major_formatter(_usd)
    fig.supxlabel("Months before admission (below 0) and since discharge; the stay itself is in no month", fontsize=8)
    return fig


def plot_before_after(did: pd.DataFrame, dollars: str = "nominal"):
    """Each arm's own change beside the difference of the changes: what a before-after of RSN alone would have claimed."""
    rows = did[(did.dollars == dollars) & (did.months == "all") & did.estimate.notna()]
    shown = [name for name in TITLES if ((rows.estimand == name) & (rows.contrast == "RSN-CSP")).any()]
    if not shown:
        return empty_figure(NO_ARMS)
    bars = [
        ("RSN", "change", "RSN, before to after", ARM_COLORS["RSN"]),
        ("CSP", "change", "CSP, before to after", ARM_COLORS["CSP"]),
        ("none", "change", "no navigator, before to after", ARM_COLORS["none"]),
        ("RSN-CSP", "difference_in_differences", "RSN less CSP", ARM_COLORS["all"]),
        ("RSN-CSP", "att_log", "RSN less CSP, in proportion", PALETTE[2]),
    ]
    fig, axes = subplots(1, len(shown), figsize=(3.0 * len(shown) + 2.0, 2.6), sharey=True, squeeze=False)
    at = np.arange(len(bars))[::-1]
    for ax, estimand in zip(axes[0], shown):
        for y, (contrast, quantity, _, color) in zip(at, bars):
            row = rows[(rows.estimand == estimand) & (rows.contrast == contrast) & (rows.quantity == quantity)]
            for found in row.itertuples():
                ax.plot([found.lower, found.upper], [y, y], color=color, lw=1.6)
                ax.plot(found.estimate, y, "o", color=color)
                text = f"{found.estimate:+,.0f}"
                ax.annotate(
                    text, (found.estimate, y), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=7
                )
        ax.axvline(0, color="#999999", lw=0.8)
        ax.axhline(1.5, color="#cccccc", lw=0.8)
        ax.set_yticks(at, [label for _, _, label, _ in bars])
        ax.set_ylim(-0.6, len(bars) - 0.3)
        ax.xaxis.set_major_formatter(_usd)
        ax.set_title(TITLES[estimand])
    fig.supxlabel(
        "Change per member month, with 95% limits. One arm's own change (above the line) is no effect: what brings\n"
        "people in, and what every member goes through after, is in it. Below the line it is taken off.",
        fontsize=7.5,
    )
    return fig


def plot_group_time(sites: pd.DataFrame, dollars: str = "nominal"):
    """Effect of a site's start by quarters since it, beside sites without one; the plain regression to compare with."""
    rows = sites[(sites.dollars == dollars) & sites.estimate_usd.notna()]
    events = rows[rows.level == "event_time"].sort_values("event_quarter")
    if events.empty:
        return empty_figure(NO_SITES)
    fig, ax = subplots(figsize=(7.4, 3.4))
    for is_after, color in ((False, ARM_COLORS["none"]), (True, ARM_COLORS["RSN"])):
        mine = events[(events.event_quarter >= 0) == is_after]
        _limits(ax, mine.event_quarter, mine, color)
    ax.plot(-1, 0, "o", mfc="white", mec="#444444")
    styles = {
        "overall": ("-", "all quarters since the start"),
        "two_way_fixed_effects": (":", "two-way fixed effects"),
    }
    for level, (style, label) in styles.items():
        for row in rows[rows.level == level].itertuples():
            end = events.event_quarter.max() + 0.4
            ax.plot(
                [-0.4, end],
                [row.estimate_usd] * 2,
                style,
                color=PALETTE[2],
                label=f"{label}: {row.estimate_usd:+,.0f}",
            )
    ax.axhline(0, color="#999999", lw=0.8)
    ax.yaxis.set_major_formatter(_usd)
    ax.set_xlabel("Quarters since the site's first with RSN; grey: before it, where there should be nothing")
    starts = rows[rows.level == "group_time"].start_quarter.nunique()
    ax.set_title(
        f"SUD cost after a discharge, by start of the site's program ({starts} starting quarter{'s' * (starts != 1)})"
    )
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.2 * (high - low))
    ax.legend(loc="upper right", ncols=2)
    return fig


def plot_price_index(prices: pd.DataFrame):
    """Prices by category and year beside those of the base year, without categories that have none."""
    rows = prices[prices.fisher.notna()]
    if rows.empty or rows.service_year.nunique() < 2:
        return empty_figure(NO_PRICES)
    fig, ax = subplots(figsize=(7.4, 3.6))
    for category, mine in rows.groupby("category"):
        mine = mine.sort_values("service_year")
        is_all = category == "all"
        style = {"color": ARM_COLORS["RSN"], "lw": 2.2, "zorder": 3} if is_all else {"color": "#bbbbbb", "lw": 0.9}
        ax.plot(mine.service_year, mine.fisher, **style)
        for end, side, shift in ((mine.iloc[0], "right", -4), (mine.iloc[-1], "left", 4)):
            # Only what stands apart is named: most categories lie on each other.
            if is_all or _stands_apart(end, rows):
                text = {"fontsize": 7, "va": "center", "ha": side, "color": style["color"] if is_all else "#777777"}
                at = (end.service_year, end.fisher)
                ax.annotate(category, at, xytext=(shift, 0), textcoords="offset points", **text)
    years = sorted(rows.service_year.unique())
    ax.set_xticks(years, [str(year) for year in years])
    ax.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    ax.axhline(1, color="#999999", lw=0.8)
    ax.set_ylabel(f"Price, {rows.base_year.iloc[0]} = 1 (Fisher)")
    ax.set_title("Prices of the same codes by year")
    return fig


def _stands_apart(end: pd.Series, rows: pd.DataFrame) -> bool:
    others = rows.fisher[(rows.service_year == end.service_year) & (rows.category != end.category)]
    return bool(((others - end.fisher).abs() > 0.04 * (rows.fisher.max() - rows.fisher.min())).all())


def _usd(amount: float, _=None) -> str:
    return f"{'−' if amount < 0 else ''}${abs(amount):,.0f}"


def _line(ax, rows: pd.DataFrame, color: str, label: str) -> None:
    """Draw an arm's months as one line before and one after: the stay between them is in neither."""
    for is_after in (False, True):
        mine = rows[(rows.event_month >= 0) == is_after]
        ax.fill_between(mine.event_month, mine.lower, mine.upper, color=color, alpha=0.12, lw=0)
        ax.plot(
            mine.event_month, mine.estimate_usd, "o-", ms=2.5, lw=1.2, color=color, label=label if is_after else None
        )


def _limits(ax, at: pd.Series, rows: pd.DataFrame, color: str) -> None:
    ax.vlines(at, rows.lower, rows.upper, color=color, lw=1.3)
    ax.plot(at, rows.estimate_usd, "o", ms=4, color=color)


def _pre_trend(did: pd.DataFrame, estimand: str, dollars: str) -> str:
    wanted = (did.estimand == estimand) & (did.dollars == dollars) & (did.months == "without_run_up")
    row = did[wanted & (did.contrast == "RSN-CSP") & (did.quantity == "pre_trend_test")]
    p_value = row.p_value.iloc[0] if len(row) else np.nan
    return f"pre-trend p = {p_value:.2f}" if np.isfinite(p_value) else "no test of a pre-trend"


FIGURES = {
    "event_study": (plot_event_study, ("event_study", "did")),
    "before_after": (plot_before_after, ("did",)),
    "group_time": (plot_group_time, ("group_time",)),
    "price_index": (plot_price_index, ("price_index",)),
}
"""Figure to the function that draws it and the tables it is drawn from."""
