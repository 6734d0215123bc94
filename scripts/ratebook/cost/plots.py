"""Every figure of the stage, by name."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.cost import did_figures, exhibit_figures, figures, model_figures
from ratebook.disclosure import disclose_tables

FIGURES = {**figures.FIGURES, **exhibit_figures.FIGURES, **model_figures.FIGURES, **did_figures.FIGURES}
"""Figure to the function that draws it and the tables it is drawn from, each a released one."""
NEEDS = sorted({table for _, tables in FIGURES.values() for table in tables} | {"total_cost"})
"""The tables drawn from, and the one that says which arm is too small to be shown."""


def plot_cost(tables: dict[str, pd.DataFrame], suppress_below: int) -> dict:
    """Draw every figure of the stage from what may be shown of its tables; an empty table gives a figure that says so.

    References
    ----------
    methods.md, H67 and H68.
    """
    shown = disclose_tables({name: tables[name] for name in NEEDS}, RELEASED, suppress_below)
    return {name: draw(*[shown[table] for table in needed]) for name, (draw, needed) in FIGURES.items()}
