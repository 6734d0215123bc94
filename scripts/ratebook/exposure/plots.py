"""Figures of enrolment and of what is served under it: an unexplained step in one is a fault in every rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ratebook.contracts.exposure import EligibilityMatch, Enrolment, MonthlyServices
from ratebook.disclosure import disclose
from ratebook.figures import PALETTE, empty_figure, equal_panels, subplots

COLUMNS = 3
SHADE = "#f3e9d8"
WINDOW = "#eef3f5"


def plot_exposure(enrolment: pd.DataFrame, window_start: str, window_end: str, suppress_below: int):
    """Draw member months by calendar month, one line a plan, with the study window shaded.

    Parameters
    ----------
    enrolment : Enrolment
        Member months by plan and month.
    window_start, window_end : str
        First and last day of the study.
    suppress_below : int
        Months in which a plan covers fewer persons are not drawn.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, A13.
    """
    if enrolment.empty:
        return empty_figure("Nobody is enrolled in the data: no member month to draw.")
    enrolment = disclose(enrolment, Enrolment, suppress_below)
    plans = enrolment.groupby("plan").member_months.sum().sort_values(ascending=False, kind="stable").index
    fig, ax = subplots(figsize=(7.2, 3.4))
    ax.axvspan(pd.Timestamp(window_start), pd.Timestamp(window_end), color=WINDOW, zorder=0)
    for plan, color in zip(plans[: len(PALETTE)], PALETTE):
        months = enrolment[enrolment.plan == plan].sort_values("service_month")
        ax.plot(months.service_month, months.member_months.astype(float), color=color, label=plan)
    ax.set_ylim(bottom=0)
    ax.set_title("Member months by plan (study window shaded)")
    ax.set_ylabel("fractional member months")
    ax.set_xlabel("calendar month")
    ax.legend(loc="lower left", ncols=4)
    return fig


def plot_monthly_claims(services: pd.DataFrame, window_end: str, reportable_completion: float, suppress_below: int):
    """Draw claims per 1,000 member months by month, one panel a category, as observed and as completed.

    Parameters
    ----------
    services : MonthlyServices
        One row per month and category.
    window_end : str
        Last day of the study; the table goes on to the extract, the figure does not.
    reportable_completion : float
        Months completed to less are shaded.
    suppress_below : int
        Months with fewer persons, and what would give them away, are not drawn; a month with none is.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, A11 and A13.
    """
    title = "Claims per 1,000 member months by category"
    return _panels(services, "claims_per_1000", title, window_end, reportable_completion, suppress_below)


def plot_monthly_pmpm(services: pd.DataFrame, window_end: str, reportable_completion: float, suppress_below: int):
    """Draw dollars per member month by month, as `plot_monthly_claims` draws claims."""
    title = "Dollars per member per month by category"
    return _panels(services, "pmpm_usd", title, window_end, reportable_completion, suppress_below)


def plot_eligibility_match(match: pd.DataFrame, suppress_below: int):
    """Draw the share of each month's paid dollars that was served to covered members, beside the limit.

    Parameters
    ----------
    match : EligibilityMatch
        Its rows of scope `month` are drawn.
    suppress_below : int
        Months in which fewer persons were served outside coverage are not drawn; a month with none is.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    methods.md, A12.7 and A13 T5.
    """
    months = match[match.scope == "month"].sort_values("service_month")
    months = disclose(months, EligibilityMatch, suppress_below)
    shown = months[months.match_share.notna()]
    if shown.empty:
        return empty_figure("No month has so many dollars and persons that its match with coverage can be drawn.")
    share, limit = shown.match_share.astype(float) * 100, shown.limit_share.iloc[0] * 100
    fig, ax = subplots(figsize=(7.2, 3.2))
    ax.scatter(shown.service_month, share, s=14, color=np.where(share < limit, PALETTE[1], PALETTE[0]), zorder=3)
    ax.axhline(limit, color=PALETTE[1], linewidth=1, linestyle="--")
    ax.annotate(
        f"limit {limit:g}%", (1, limit), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7
    )
    low = min(share.min(), limit)
    ax.set_ylim(max(0.0, low - 0.25 * (100 - low)), 100 + 0.05 * (100 - low))
    ax.set_ylabel("% of paid dollars")
    ax.set_title("Paid for services to covered members, by month of service")
    hidden = len(months) - len(shown)
    if hidden:
        ax.set_xlabel(
            f"{hidden} months are not drawn: few persons served outside coverage, or nothing paid", fontsize=7
        )
    return fig


def _panels(services: pd.DataFrame, column: str, title: str, window_end: str, least_share: float, suppress_below: int):
    services = disclose(services[services.service_month <= window_end], MonthlyServices, suppress_below)
    drawn = services[services[column].notna()]
    if drawn.empty:
        return empty_figure("No month has so many members and claims that its services can be drawn.")
    order = drawn.groupby("category").pmpm_usd.sum().astype(float).sort_values(ascending=False, kind="stable").index
    fig, axes = equal_panels(len(order), COLUMNS, 8.4, 1.45, sharex=True)
    inches = fig.get_figheight()
    for ax, category in zip(axes, order):
        _panel(ax, services[services.category == category].sort_values("service_month"), column, least_share)
        ax.set_title(category, fontsize=8, fontweight="normal", pad=5)
    key = [
        Line2D([], [], color=PALETTE[0], label="arrived so far"),
        Line2D([], [], color=PALETTE[0], linestyle=":", label="completed"),
        Line2D([], [], color="#999999", linewidth=0.8, label="share paid (height of the panel: 100%)"),
        Rectangle((0, 0), 1, 1, color=SHADE, label=f"less than {least_share:.0%} paid"),
    ]
    fig.text(0.01, 1 - 0.1 / inches, title, ha="left", va="top", fontsize=10, fontweight="bold")
    fig.legend(handles=key, loc="lower left", bbox_to_anchor=(0.0, 0.12 / inches), ncols=4, fontsize=7.5)
    fig.text(
        0.012, 0.06 / inches, "Months in which few persons were served are not drawn.", fontsize=6.5, color="#777777"
    )
    return fig


def _panel(ax, months: pd.DataFrame, column: str, least_share: float) -> None:
    # Years as plain numbers: eighteen axes of dates take seconds to draw.
    when = months.service_month.dt.year + (months.service_month.dt.month - 1) / 12
    share, of_height = months.completion_share.astype(float), ax.get_xaxis_transform()
    ax.bar(when[share < least_share], 1, width=1 / 12, transform=of_height, color=SHADE, zorder=0)
    ax.plot(when, share, transform=of_height, color="#999999", linewidth=0.8, clip_on=False)
    figures = months[[column, f"completed_{column}"]].astype(float)
    ax.plot(when, figures[f"completed_{column}"], color=PALETTE[0], linestyle=":", linewidth=1.2)
    ax.plot(when, figures[column], color=PALETTE[0], linewidth=1.2, marker=".", markersize=2.5)
    most = figures.max().max()
    ax.set_ylim(0, 1.12 * (most if most > 0 else 1.0))
    ax.locator_params(axis="y", nbins=4)
    ax.set_xticks(range(int(when.min()), int(when.max()) + 2))
    ax.tick_params(labelsize=7)
