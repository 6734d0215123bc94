"""Figures of cleaning: dollars lost and won by rule, by month, how late payments come, and the exhibits of quality."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.clean import exhibit_plots as e
from ratebook.contracts import clean as to
from ratebook.contracts import quality as exhibit
from ratebook.figures import PALETTE, empty_figure, subplots

DRAWN_FROM = {
    "attrition": to.Attrition,
    "paid_lags": to.PaidLags,
    "reconciliation": to.Reconciliation,
    "adjustment_rates": exhibit.AdjustmentRates,
    "header_cases": exhibit.HeaderCases,
    "lag_distribution": exhibit.LagDistribution,
    "lag_completion": exhibit.LagCompletion,
    "missingness": exhibit.Missingness,
    "duplicates": exhibit.Duplicates,
    "denials": exhibit.Denials,
    "unit_prices": exhibit.UnitPrices,
}
LONGEST_LAG = 12
"""Months of lag shown each on its own; later payments are one column."""
SHOWN = 7
"""Categories shown each on their own, by dollars; the others are one band."""


def plot_clean(tables: dict[str, pd.DataFrame], window_start: str, window_end: str) -> dict:
    """Draw every figure of cleaning, by the name of its file."""
    window = tables["paid_lags"], window_start, window_end
    return {
        "waterfall": plot_waterfall(tables["attrition"]),
        "monthly_paid": plot_monthly_paid(*window),
        "paid_lag": plot_paid_lag(*window),
        "lag_completion": e.plot_lag_completion(tables["lag_completion"], tables["lag_distribution"]),
        "control_totals": e.plot_reconciliation(tables["reconciliation"]),
        "adjustment_rates": e.plot_adjustment_rates(tables["adjustment_rates"]),
        "header_cases": e.plot_header_cases(tables["header_cases"]),
        "missingness": e.plot_missingness(tables["missingness"]),
        "duplicates": e.plot_duplicates(tables["duplicates"]),
        "denials": e.plot_denials(tables["denials"]),
        "unit_prices": e.plot_unit_prices(tables["unit_prices"]),
    }


def plot_waterfall(attrition: pd.DataFrame):
    """Draw raw dollars, what each rule adds or takes, and final dollars; rules without effect are left out."""
    claims = attrition[attrition.source_table != "navigator_log"]
    if claims.empty:
        return empty_figure("No claims were read.")
    delta = claims.groupby(["step", "rule_id", "description"], as_index=False).delta_usd.sum()
    delta = delta[delta.delta_usd != 0].sort_values("step")
    raw = claims.groupby("source_table").paid_in_usd.first().sum()
    labels = ["Raw", *(delta.rule_id + "  " + delta.description), "Final"]
    heights = np.array([raw, *delta.delta_usd, raw + delta.delta_usd.sum()]) / 1e6
    starts = np.array([0, *(raw + delta.delta_usd.cumsum().shift(fill_value=0)), 0]) / 1e6
    colors = [PALETTE[5], *np.where(delta.delta_usd > 0, PALETTE[2], PALETTE[1]), PALETTE[0]]
    fig, ax = subplots(figsize=(8, 1.4 + 0.3 * len(labels)))
    places = np.arange(len(labels))[::-1]
    ax.barh(places, heights, left=starts, color=colors, height=0.65)
    for place, height, start in zip(places, heights, starts):
        ax.annotate(
            f"{height * 1e6:,.0f}",
            (max(start, start + height), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    ax.set_yticks(places, labels, fontsize=7.5)
    low, high = (heights + starts).min(), (heights + starts).max()
    ax.margins(x=0.12)
    # Small steps below a tall total are seen only where the axis begins near it; it says so.
    cut = max(0.0, low - (high - low)) if low > 3 * (high - low) > 0 else 0.0
    ax.set_xlim(left=cut, right=high + 0.3 * (high - cut))
    ax.set_xlabel("Paid, million dollars" + (f" (axis from {cut:,.1f})" if cut else ""))
    ax.set_title("From raw to final-action dollars")
    return fig


def plot_monthly_paid(lags: pd.DataFrame, window_start: str, window_end: str):
    """Draw dollars by month of service, the largest categories as bands."""
    inside = lags[lags.service_month.between(window_start, window_end)]
    if inside.empty:
        return empty_figure("No dollars fall into the study window.")
    total = inside.groupby("category").signed_usd.sum().sort_values(ascending=False, kind="stable")
    band = inside.category.where(inside.category.isin(total.index[:SHOWN]), "all others")
    wide = inside.assign(band=band).pivot_table(
        index="service_month", columns="band", values="signed_usd", aggfunc="sum", fill_value=0
    )
    order = [name for name in [*total.index[:SHOWN], "all others"] if name in wide.columns]
    fig, ax = subplots(figsize=(8, 3.6))
    ax.stackplot(wide.index, *(wide[name].clip(lower=0) / 1e6 for name in order), labels=order, colors=PALETTE)
    ax.set_ylabel("Paid, million dollars")
    ax.set_title("Paid by month of service and category")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
    return fig


def plot_paid_lag(lags: pd.DataFrame, window_start: str, window_end: str):
    """Draw which share of a service month's dollars was paid how many months later."""
    inside = lags[lags.service_month.between(window_start, window_end) & lags.lag_months.notna()]
    if inside.empty:
        return empty_figure("The source has no paid dates: how late payments come cannot be said.")
    lag = inside.lag_months.clip(0, LONGEST_LAG)
    wide = inside.assign(lag=lag).pivot_table(
        index="service_month", columns="lag", values="signed_usd", aggfunc="sum", fill_value=0
    )
    wide = wide.reindex(columns=range(LONGEST_LAG + 1), fill_value=0)
    sums = wide.sum(axis=1)
    share = wide.div(sums.where(sums > 0), axis=0)
    fig, ax = subplots(figsize=(6.4, 5))
    image = ax.imshow(share, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xticks(range(LONGEST_LAG + 1), [*map(str, range(LONGEST_LAG)), f"{LONGEST_LAG}+"])
    every = max(1, len(share) // 12)
    ax.set_yticks(range(0, len(share), every), [f"{month:%Y-%m}" for month in share.index[::every]])
    ax.set_xlabel("Months from service to payment")
    ax.set_ylabel("Month of service")
    ax.set_title("How late payments come")
    fig.colorbar(image, label="Share of the month's dollars", shrink=0.8)
    return fig
