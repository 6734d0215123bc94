"""Every figure of the stage, by name."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts import engagement, episodes, navigation, robustness, trial
from ratebook.contracts.released import RELEASED
from ratebook.disclosure import disclose_tables
from ratebook.engagement import curve_figures, trial_figures, weight_figures, work_figures
from ratebook.engagement.hidden_levels import follow_table_1

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
    "trial_weights": trial.TrialWeights,
    "propensity": engagement.Propensity,
    "engagement_sensitivity": robustness.EngagementSensitivity,
    "cohort": episodes.CohortTable,
}
"""Table to its contract; what Table 1 of the cohort hides is hidden of the balance too."""


COUNTED = ("propensity", "weights", "service_mix")
"""Figures of which the counts themselves are drawn: a row without one is left out, not taken for large enough."""


def plot_engagement(tables: dict[str, pd.DataFrame], suppress_below: int) -> dict:
    """Draw every figure of the stage from what its table may show; an empty table gives a figure that says so.

    A figure of a released table shows what the released copy shows: it may leave the building as it stands.

    References
    ----------
    methods.md, H67 and H68.
    """
    released = {name: table for name, table in tables.items() if name in RELEASED}
    copies = disclose_tables(released, RELEASED, suppress_below)
    copies["balance"] = follow_table_1(copies["balance"], RELEASED["balance"].contract, copies["cohort"])
    shown = {
        figure: _known(figure, copies[name], suppress_below) if name in copies else tables[name]
        for figure, (_, name) in FIGURES.items()
    }
    return {figure: draw(shown[figure], suppress_below) for figure, (draw, _) in FIGURES.items()}


def _known(figure: str, shown: pd.DataFrame, suppress_below: int) -> pd.DataFrame:
    """Leave out rows that show nothing, and let those that show an estimate pass for as many persons as that takes.

    Where few stand behind an estimate the released copy shows none, and where it shows one they are enough, also if it
    does not say how many.
    """
    contract = RELEASED[FIGURES[figure][1]].contract
    counts = [column for column, field in contract.fields().items() if field.persons]
    if figure in COUNTED:
        return shown.dropna(subset=counts)
    shown = shown.dropna(subset=list(contract.Config.hides), how="all")
    return shown.assign(**{column: shown[column].fillna(suppress_below) for column in counts})
