"""Figures of the stage rates, each drawn from a table of the stage, so that every point can be looked up."""

from __future__ import annotations

import itertools
from operator import mul

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter

from ratebook.contracts.released import RELEASED
from ratebook.disclosure import disclose_tables
from ratebook.figures import PALETTE, empty_figure, save_figure, subplots
from ratebook.rates import case_rate_figures
from ratebook.rates.build_up import FACTORS
from ratebook.rates.diagonal_figures import draw_diagonals

CENT = 0.01
PARTS = {
    "care\nmanagement": "fixed_pmpm_usd",
    "administration": "admin_usd",
    "margin": "margin_usd",
    "taxes": "tax_usd",
}
"""Parts of a rate that are no cost of care, by their label."""
LAG_LABEL = "Months since the month of service"
RELEASED_AS = {
    "uncertainty": "rate_uncertainty",
    "tornado": "rate_tornado",
    "diagonals": "completion_diagonals",
}
"""Tables the rule names otherwise than their released copies."""
PLAIN_TICKS = [step * 10**power for power in range(6) for step in (1, 2, 5)]


def plot_rates(tables: dict[str, pd.DataFrame], output, note: str, suppress_below: int) -> None:
    """Draw every figure of the stage and save it as SVG and PNG under the names of the rule's outputs.

    A figure of a released table shows what the released copy shows.
    """
    released = {RELEASED_AS.get(name, name): table for name, table in tables.items()}
    copies = disclose_tables({n: t for n, t in released.items() if n in RELEASED}, RELEASED, suppress_below)
    shown = {**released, **copies}
    figures = {
        "completion": draw_completion(shown["completion"]),
        "lag_triangle": draw_lag_triangle(shown["triangles"], shown["ultimates"]),
        "trend": draw_trend(shown["experience"], shown["ultimates"], shown["trend"]),
        "rate_build_waterfall": draw_waterfall(shown["rate_build"], shown["rates"]),
        "case_rate": case_rate_figures.draw_case_rates(shown["case_rates"]),
        "staffing_build": case_rate_figures.draw_staffing(shown["staffing_build"]),
        "provider_risk": case_rate_figures.draw_provider_risk(shown["provider_risk"], shown["panel_loss"]),
        "corridor": draw_corridor(shown["corridor"]),
        "completion_diagonals": draw_diagonals(shown["completion_diagonals"]),
        "rate_uncertainty": draw_uncertainty(shown["rate_uncertainty"], shown["rate_tornado"]),
    }
    for name, figure in figures.items():
        save_figure(figure, getattr(output, f"{name}_svg"), getattr(output, f"{name}_png"), note)


def label(name: str) -> str:
    """Write a category's name as a reader would."""
    return name.replace("_", " ")


def draw_completion(completion: pd.DataFrame):
    """Draw, by category, the share of a month's cost paid by each lag, with its limits."""
    known = completion[completion.completion_factor.notna() & (completion.lag_months <= 12)]
    if known.empty:
        return empty_figure("No paid dates: completion cannot be measured.")
    fig, ax = subplots(figsize=(7.2, 4.2))
    for color, (category, rows) in zip(PALETTE, known.groupby("category")):
        ax.plot(rows.lag_months, rows.completion_factor, marker="o", ms=3, color=color, label=label(category))
        ax.fill_between(rows.lag_months, rows.lower, rows.upper, color=color, alpha=0.15, lw=0)
    ax.axhline(0.9, color="#999999", lw=0.8, ls="--")
    ax.set(xlabel=LAG_LABEL, ylabel="Share of ultimate cost paid", title="How complete is a month, and when?")
    ax.set_ylim(0, 1.08)
    ax.legend(loc="lower right", ncols=2, fontsize=8)
    return fig


def draw_lag_triangle(triangles: pd.DataFrame, ultimates: pd.DataFrame):
    """Draw the paid-lag triangle, all categories together: share of a month's ultimate paid at each lag."""
    if triangles.empty or ultimates.empty:
        return empty_figure("No paid dates: there is no triangle to show.")
    paid = triangles[triangles.lag_months <= 12].pivot_table(
        index="incurred_month", columns="lag_months", values="paid_usd", aggfunc="sum"
    )
    whole = ultimates.groupby("incurred_month").ultimate_usd.sum().reindex(paid.index)
    share = paid.div(whole.where(whole > 0), axis=0).reindex(columns=range(13))
    fig, ax = subplots(figsize=(6.4, 6.4))
    image = ax.imshow(share, aspect="auto", cmap="Blues", vmin=0, vmax=float(np.nanmax(share.to_numpy())))
    rows = np.arange(0, len(share), max(1, len(share) // 12))
    ax.set_yticks(rows, [f"{share.index[row]:%Y-%m}" for row in rows])
    ax.set(xlabel=LAG_LABEL, ylabel="Month of service", title="When each month's cost was paid")
    fig.colorbar(image, ax=ax, label="Share of ultimate cost paid at this lag")
    return fig


def draw_trend(experience: pd.DataFrame, ultimates: pd.DataFrame, trend: pd.DataFrame):
    """Draw, by category, completed cost per member month, and the trend used over the months it was fitted to."""
    if experience.empty:
        return empty_figure("No member month is in the base experience.")
    sums = experience.groupby(["category", "service_month"], as_index=False)[["paid_usd", "member_months"]].sum()
    known = ultimates.rename(columns={"incurred_month": "service_month"})
    sums = sums.merge(known[["category", "service_month", "completion_factor"]], how="left")
    sums["pmpm_usd"] = sums.paid_usd / sums.completion_factor.fillna(1.0) / sums.member_months
    categories = [name for name, rows in sums.groupby("category") if rows.paid_usd.sum() > 0]
    if not categories:
        return empty_figure("No cost is in the base experience.")
    columns = min(4, len(categories))
    fig, axes = subplots(-(-len(categories) // columns), columns, figsize=(2.7 * columns, 4.6), squeeze=False)
    used = trend[trend.component == "pmpm"].set_index("category")
    for ax, category in zip(axes.flat, categories):
        rows = sums[sums.category == category]
        ax.plot(rows.service_month, rows.pmpm_usd, color=PALETTE[0], lw=0.9)
        rate, style = used.annual_trend[category], "--" if used.source[category] == "assumption" else "-"
        fitted = rows.tail(int(used.months[category]))
        years = (fitted.service_month - fitted.service_month.mean()).dt.days / 365.25
        ax.plot(fitted.service_month, fitted.pmpm_usd.mean() * (1 + rate) ** years, color=PALETTE[1], lw=1.3, ls=style)
        ax.set_title(f"{label(category)}\n{rate:+.1%} a year, {used.source[category]}", fontsize=8)
        ax.set_ylim(bottom=0)
        ax.xaxis.set_major_locator(mdates.YearLocator())
        ax.xaxis.set_major_formatter(mdates.DateFormatter("%Y"))
    for ax in axes.flat[len(categories) :]:
        ax.axis("off")
    fig.supylabel("Completed cost per member month, USD", fontsize=9)
    return fig


def waterfall_steps(build: pd.DataFrame, rates: pd.DataFrame) -> list[tuple[str, float]]:
    """Give the steps from paid cost to the rate, weighted by member months, each as what it adds to the mean."""
    total = rates.member_months.sum()
    carried = itertools.accumulate((build[name] for name in FACTORS), mul, initial=build.completed_pmpm_usd)
    levels = [(column * build.member_months).sum() / total for column in (build.paid_pmpm_usd, *carried)]
    mean = {
        name: (rates[name] * rates.member_months).sum() / total
        for name in ("tpl_pmpm_usd", "blended_pmpm_usd", "benefit_usd", *PARTS.values())
    }
    named = [
        "paid",
        "completion",
        "missing",
        "pooling",
        "changes\nin base",
        "trend",
        "program\nchanges",
        "managed\ncare",
    ]
    steps = list(zip(named, np.diff([0.0, *levels])))
    steps.append(("other\ninsurance", mean["tpl_pmpm_usd"] - levels[-1]))
    steps.append(("credibility", mean["blended_pmpm_usd"] - mean["tpl_pmpm_usd"]))
    steps.append(("smoothing", mean["benefit_usd"] - mean["blended_pmpm_usd"]))
    return [*steps, *((name, mean[column]) for name, column in PARTS.items())]


def draw_waterfall(build: pd.DataFrame, rates: pd.DataFrame):
    """Draw the build-up from paid cost to the rate, the mean of all cells by member months; steps of no cent are left out."""
    build = build.dropna(subset=["paid_pmpm_usd", "projected_pmpm_usd"])
    rates = rates.dropna(subset=["projected_pmpm_usd"]).merge(build[["cell"]].drop_duplicates(), on="cell")
    if rates.empty:
        return empty_figure("No cell has a base whose cost may be shown: no build-up can be drawn.")
    steps = [(name, step) for name, step in waterfall_steps(build, rates) if abs(step) >= CENT / 2]
    fig, ax = subplots(figsize=(9.0, 4.2))
    top = 0.0
    for place, (_, step) in enumerate(steps):
        color = PALETTE[0] if place == 0 else PALETTE[2] if step >= 0 else PALETTE[1]
        ax.bar(place, step, bottom=top, color=color, width=0.65)
        top += step
        ax.annotate(f"{step:+,.2f}" if place else f"{step:,.2f}", (place, max(top, top - step)), xytext=(0, 2),
                    textcoords="offset points", ha="center", fontsize=7)  # fmt: skip
    ax.bar(len(steps), top, color=PALETTE[5], width=0.65)
    ax.annotate(f"{top:,.2f}", (len(steps), top), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7)
    ax.set_xticks(range(len(steps) + 1), [*(name for name, _ in steps), "rate"], fontsize=7.5)
    ax.set(ylabel="USD per member month", title="From paid cost to the rate, mean of all cells")
    ax.margins(y=0.1)
    return fig


def draw_corridor(corridor: pd.DataFrame):
    """Draw who carries the deviation of cost from its target."""
    if corridor.empty:
        return empty_figure("No risk corridor is set.")
    fig, ax = subplots(figsize=(6.4, 3.8))
    ratio = corridor.actual_to_target
    ax.plot(ratio, corridor.plan_share_of_target, color=PALETTE[0], label="plan")
    ax.plot(ratio, corridor.state_share_of_target, color=PALETTE[1], label="state")
    ax.axhline(0, color="#999999", lw=0.8)
    ax.axvline(1, color="#999999", lw=0.8)
    ax.set(
        xlabel="Actual cost / target",
        ylabel="Carried, share of target",
        title="Risk corridor: losses above, gains below",
    )
    ax.legend()
    return fig


def draw_uncertainty(uncertainty: pd.DataFrame, tornado: pd.DataFrame):
    """Draw each cell's rate with its limits, and how far each factor moves the mean rate, in percent."""
    shown = uncertainty[uncertainty.rate_usd.notna() & uncertainty.lower.notna()]
    if shown.empty:
        return empty_figure("No rate has limits to show.")
    fig, (left, right) = subplots(1, 2, figsize=(10.5, 0.24 * max(len(shown), 12) + 1.8))
    rows = shown.sort_values("cell", ascending=False).reset_index(drop=True)
    rate = rows.rate_usd.astype(float)
    left.hlines(rows.index, rows.lower, rows.upper, color=PALETTE[0], lw=2)
    left.plot(rate, rows.index, "o", color=PALETTE[0], ms=4)
    left.set_yticks(rows.index, [label(cell) for cell in rows.cell], fontsize=7)
    left.set(xlabel="USD per member month, with 95% limits", xscale="log", title="How sure is each rate?")
    ends = (float(rows.lower.min()), float(rows.upper.max()))
    left.set_xticks([tick for tick in PLAIN_TICKS if ends[0] <= tick <= ends[1]])
    left.xaxis.set_major_formatter("{x:,.0f}")
    left.xaxis.set_minor_formatter(NullFormatter())
    moved = tornado.merge(rows[["cell"]].assign(rate=rate), on="cell")
    moved["low"], moved["high"] = 100 * (moved.low_usd / moved.rate - 1), 100 * (moved.high_usd / moved.rate - 1)
    means = moved.groupby(["factor", "is_sampled"], as_index=False)[["low", "high"]].mean()
    means = means.assign(swing=means.high - means.low).sort_values(["swing", "factor"]).reset_index(drop=True)
    colors = [PALETTE[0] if sampled else PALETTE[5] for sampled in means.is_sampled]
    right.barh(means.index, means.swing, left=means.low, color=colors)
    right.set_yticks(means.index, [label(name) for name in means.factor], fontsize=7)
    right.axvline(0, color="#444444", lw=0.8)
    right.use_sticky_edges = False
    right.margins(x=0.05)
    right.set(
        xlabel="Rate moved, %, mean of cells", title="Which factor moves it?\nDark: a load a tenth off, not sampled"
    )
    return fig
