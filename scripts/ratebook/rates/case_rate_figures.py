"""Figures of case rates: the payment by form, the worker's year behind it, and who bears its risk."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.case_rates import FORMS
from ratebook.figures import ARM_COLORS, PALETTE, empty_figure, subplots

FORM_UNITS = {
    "per_episode": "USD per episode",
    "per_month": "USD per month",
    "per_day": "USD per day",
    "hybrid": "USD",
}
FORM_STYLES = {"per_episode": "-", "per_month": "--", "hybrid": ":"}
"""A daily payment is a monthly one in other steps: it would lie on its line."""
BASIS_NAMES = {"actuarial": "use", "staffing": "staff,\nset", "staffing_observed": "staff,\nlog"}
TOO_FEW = "Too few clients were engaged with a navigator to show {}."


def draw_case_rates(rates: pd.DataFrame):
    """Draw the case rate by form of payment, arm and basis, before load, with its limits."""
    known = rates[rates.value_usd.notna()]
    if known.empty:
        return empty_figure(TOO_FEW.format("a case rate"))
    fig, axes = subplots(1, len(FORMS), figsize=(11.0, 3.9))
    for ax, form in zip(axes, FORMS):
        rows = known[known.form == form]
        if form == "hybrid":
            _hybrid_bars(ax, rows)
        else:
            names = [f"{row.arm}\n{BASIS_NAMES[row.basis]}" for row in rows.itertuples()]
            _bars(ax, rows.value_usd, rows.lower, rows.upper, rows.arm, names)
        ax.set_title(form.replace("_", " "))
        ax.set_ylabel(FORM_UNITS[form] + ", before load")
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    return fig


def _hybrid_bars(ax, rows: pd.DataFrame) -> None:
    """Draw both payments of the hybrid, at enrolment and monthly."""
    names = [f"{row.arm}\nat start" for row in rows.itertuples()] + [
        f"{row.arm}\nmonthly" for row in rows.itertuples()
    ]
    pairs = (("enrolment_usd", "value_usd"), ("enrolment_lower", "lower"), ("enrolment_upper", "upper"))
    value, lower, upper = (pd.concat([rows[first], rows[second]]) for first, second in pairs)
    _bars(ax, value, lower, upper, pd.concat([rows.arm, rows.arm]), names)


def _bars(ax, value: pd.Series, lower: pd.Series, upper: pd.Series, arms: pd.Series, names: list[str]) -> None:
    for place, (height, low, high, arm) in enumerate(zip(value, lower, upper, arms)):
        ax.bar(place, height, color=ARM_COLORS[arm], alpha=1.0 if pd.notna(low) else 0.45)
        if pd.notna(low):
            ax.plot([place, place], [low, high], color="#333333", lw=1.2)
    ax.set_xticks(range(len(names)), names, fontsize=6.5)


def draw_staffing(build: pd.DataFrame):
    """Draw the staffing rate of a client month step by step, under the caseload assumed and the one observed."""
    known = build[build.client_month_usd.notna()]
    panels = [rows.sort_values("step") for _, rows in known.groupby(["arm", "basis"])]
    if not panels:
        return empty_figure(TOO_FEW.format("a staffing rate"))
    fig, axes = subplots(1, len(panels), figsize=(2.9 * len(panels) + 1.0, 3.8), sharey=True, squeeze=False)
    for ax, rows in zip(axes.flat, panels):
        top = rows.client_month_usd.cumsum().to_numpy()
        bottom = top - rows.client_month_usd.to_numpy()
        colors = [PALETTE[0] if known else PALETTE[1] for known in rows.worker_year_usd.notna()]
        ax.bar(range(len(rows)), top - bottom, bottom=bottom, color=colors, width=0.7)
        ax.bar(len(rows), top[-1], color=PALETTE[5], width=0.7)
        for place, (step, end) in enumerate([*zip(rows.client_month_usd, top), (top[-1], top[-1])]):
            ax.annotate(
                f"{step:,.0f}", (place, end), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7
            )
        ax.set_xticks(range(len(rows) + 1), [*rows.part, "rate"], fontsize=7.5, rotation=60)
        first = rows.iloc[0]
        kind = "assumed" if first.basis == "staffing" else "by the log"
        ax.set_title(f"{first.arm}: caseload {first.caseload:.1f}, {kind}", fontsize=8.5)
        ax.margins(y=0.1)
    axes.flat[0].set_ylabel("USD per client month")
    return fig


def draw_provider_risk(risk: pd.DataFrame, panels: pd.DataFrame):
    """Draw a provider's margin by length of stay, and how often a panel of clients loses money by its size."""
    risk, panels = risk[risk.margin_usd.notna()], panels[panels.probability_of_loss.notna()]
    if risk.empty:
        return empty_figure(TOO_FEW.format("a provider's risk"))
    fig, (left, right) = subplots(1, 2, figsize=(9.4, 4.0))
    for (arm, form), rows in risk.groupby(["arm", "form"]):
        if form in FORM_STYLES:
            name, look = f"{arm} {form.replace('_', ' ')}", {"color": ARM_COLORS[arm], "ls": FORM_STYLES[form]}
            left.plot(rows.stay_months, rows.margin_usd, label=name, **look)
            left.fill_between(
                rows.stay_months, *(rows[end].astype(float) for end in ("lower", "upper")),
                color=ARM_COLORS[arm], alpha=0.15, lw=0,
            )  # fmt: skip
    left.axhline(0, color="#999999", lw=0.8)
    left.set(xlabel="Months engaged", ylabel="Margin before overhead, USD", title="Who carries a long stay?")
    left.legend(fontsize=7.5)
    drawn = panels[~panels.is_after_overhead & panels.form.isin(list(FORM_STYLES))]
    for shift, ((arm, form), rows) in zip(np.linspace(-0.1, 0.1, 6), drawn.groupby(["arm", "form"])):
        places = np.arange(len(rows)) + shift
        right.plot(places, rows.probability_of_loss, color=ARM_COLORS[arm], ls=FORM_STYLES[form], marker="o", ms=3)
        ends = (rows[end].astype(float) for end in ("probability_lower", "probability_upper"))
        right.vlines(places, *ends, color=ARM_COLORS[arm], lw=0.9)
    sizes = sorted(drawn.panel_clients.unique())
    right.set_xticks(range(len(sizes)), sizes)
    right.set(xlabel="Clients of the panel", ylabel="Share of panels that lose", title="How often does a panel lose?")
    right.set_ylim(bottom=0)
    return fig
