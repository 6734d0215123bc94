"""Every figure of the stage, by name, drawn from what its table may show."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.disclosure import disclose_tables
from ratebook.programs import design_figures, figures

DRAWN = {
    "rates": ("program_rates", figures.plot_program_rates),
    "comparison": ("program_comparison", figures.plot_comparison),
    "days": ("liability_days", figures.plot_liability_timeline),
    "risk": ("plan_risk", design_figures.plot_plan_risk),
    "incentives": ("program_incentives", design_figures.plot_incentives),
    "mix": ("mix_sensitivity", design_figures.plot_mix),
    "scales": ("rate_scales", design_figures.plot_scales),
}
"""Figure to the released table it is drawn from, and the function that draws it."""
DRAWN_FROM = {figure: RELEASED[table].contract for figure, (table, _) in DRAWN.items()}
"""Figure to the contract of its table."""


def plot_programs(tables: dict[str, pd.DataFrame], suppress_below: int) -> dict:
    """Draw every figure of the stage; an empty table gives a figure that says so.

    A figure shows what the released copy of its table shows: it may leave the building as it stands.

    Parameters
    ----------
    tables : dict of DataFrame
        Tables by figure, in their contracts' columns.
    suppress_below : int
        Smallest count of persons that is shown.

    References
    ----------
    methods.md, H67 and H68.
    """
    shown = disclose_tables({DRAWN[figure][0]: table for figure, table in tables.items()}, RELEASED, suppress_below)
    return {figure: draw(shown[table]) for figure, (table, draw) in DRAWN.items()}
