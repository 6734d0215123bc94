"""Every figure of the stage, by name."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts import engagement, navigation, robustness, trial
from ratebook.engagement import curve_figures, trial_figures, weight_figures, work_figures

FIGURES = {**curve_figures.FIGURES, **trial_figures.FIGURES, **weight_figures.FIGURES, **work_figures.FIGURES}
"""Figure to the function that draws it and the table it is drawn from."""
DRAWN_FROM = {
    "survival": engagement.Survival,
    "rmst_by_day": engagement.RmstByDay,
    "engagement": engagement.Engagement,
    "cumulative_incidence": engagement.CumulativeIncidence,
    "balance": engagement.Balance,
    "service_mix": engagement.ServiceMix,
    "service_summary": navigation.ServiceSummary,
    "clocks": engagement.Clocks,
    "trial": engagement.Engagement,
    "trial_weights": trial.TrialWeights,
    "propensity": engagement.Propensity,
    "engagement_sensitivity": robustness.EngagementSensitivity,
}
"""Table to its contract."""


def plot_engagement(tables: dict[str, pd.DataFrame], suppress_below: int) -> dict:
    """Draw every figure of the stage; an empty table gives a figure that says so."""
    return {name: draw(tables[table], suppress_below) for name, (draw, table) in FIGURES.items()}
