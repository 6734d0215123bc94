"""Figures of the models of cost, each drawn from a written table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from ratebook.contracts.cost import COSTS
from ratebook.figures import ARM_COLORS, empty_figure, subplots

NO_MODEL = "No model of cost could be fitted."
COST_NAMES = {
    "program": "Navigator program",
    "other_sud": "Other SUD care",
    "total_sud": "All SUD care",
    "tcoc": "Total cost of care",
}
METHOD_NAMES = {
    "unadjusted": "Unadjusted",
    "one_part": "One-part model",
    "two_part": "Two-part model",
    "overlap_weighted": "Overlap weighted model",
    "ols_log_smearing": "Log OLS, smeared by arm",
    "winsorised": "Costs cut at a quantile",
    "capped": "Costs cut at the payer's cap",
}


def plot_adjusted(cost_models: pd.DataFrame):
    """Difference in cost per member, RSN less CSP, by cost: unadjusted beside every model, the primary one filled."""
    rows = cost_models[(cost_models.arm == "difference") & cost_models.estimate_usd.notna()]
    shown = [name for name in COSTS if (rows.estimand == name).any()]
    if not shown:
        return empty_figure(NO_MODEL)
    methods = [name for name in METHOD_NAMES if (rows.method == name).any()][::-1]
    fig, axes = subplots(1, len(shown), figsize=(2.4 + 1.75 * len(shown), 0.36 * len(methods) + 1.5), sharey=True)
    for ax, name in zip(np.atleast_1d(axes), shown):
        for row in rows[rows.estimand == name].itertuples():
            y = methods.index(row.method)
            color = ARM_COLORS["RSN"] if row.is_primary else ARM_COLORS["all"]
            if np.isfinite(row.lower):
                ax.plot([row.lower, row.upper], [y, y], color=color, lw=1.8 if row.is_primary else 1.1)
            ax.plot(row.estimate_usd, y, "o", color=color, ms=5, mfc=color if row.is_primary else "white")
        ax.axvline(0, color="#999999", lw=0.8)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter("${x:,.0f}")
        ax.set_title(COST_NAMES[name])
        ax.set_yticks(range(len(methods)), [METHOD_NAMES[method] for method in methods])
        ax.set_ylim(-0.6, len(methods) - 0.4)
    fig.supxlabel(
        "Dollars per member to the horizon, RSN less CSP, with 95% limits (filled: primary model)", fontsize=8
    )
    return fig


def plot_model_fit(cost_model_fit: pd.DataFrame):
    """Mean residual in every tenth of the primary model's predictions: nil throughout where the link is right."""
    rows = cost_model_fit[cost_model_fit.residual_usd.notna()]
    shown = [name for name in COSTS if (rows.estimand == name).any()]
    if not shown:
        return empty_figure(NO_MODEL)
    fig, axes = subplots(1, len(shown), figsize=(1.2 + 1.95 * len(shown), 2.7))
    for ax, name in zip(np.atleast_1d(axes), shown):
        mine = rows[rows.estimand == name].sort_values("predicted_usd")
        reach = np.array([mine.residual_usd - mine.lower, mine.upper - mine.residual_usd])
        style = {"fmt": "o", "ms": 3.5, "lw": 1, "color": ARM_COLORS["all"]}
        ax.errorbar(mine.predicted_usd, mine.residual_usd, yerr=np.nan_to_num(np.clip(reach, 0, None)), **style)
        ax.axhline(0, color="#999999", lw=0.8)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter("${x:,.0f}")
        ax.yaxis.set_major_formatter("${x:,.0f}")
        ax.tick_params(labelsize=7)
        ax.set_title(COST_NAMES[name])
    np.atleast_1d(axes)[0].set_ylabel("Cost less prediction, mean")
    fig.supxlabel("Mean prediction of the tenth, with 95% limits of the residual", fontsize=8)
    return fig


FIGURES = {
    "cost_models": (plot_adjusted, ("cost_models",)),
    "cost_model_fit": (plot_model_fit, ("cost_model_fit",)),
}
"""Figure to the function that draws it and the tables it is drawn from."""
