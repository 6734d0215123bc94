"""The figure of enrolment: an unexplained step in it is a fault in every rate."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.exposure import Enrolment
from ratebook.disclosure import disclose
from ratebook.figures import PALETTE, empty_figure, plt


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
    fig, ax = plt.subplots(figsize=(7.2, 3.4))
    ax.axvspan(pd.Timestamp(window_start), pd.Timestamp(window_end), color="#eef3f5", zorder=0)
    for plan, color in zip(plans[: len(PALETTE)], PALETTE):
        months = enrolment[enrolment.plan == plan].sort_values("service_month")
        ax.plot(months.service_month, months.member_months.astype(float), color=color, label=plan)
    ax.set_ylim(bottom=0)
    ax.set_title("Member months by plan (study window shaded)")
    ax.set_ylabel("fractional member months")
    ax.legend(loc="lower left", ncols=4)
    return fig
