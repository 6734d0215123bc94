"""Figures of data quality: files against months, fields and cases; how complete, how priced."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import ListedColormap, SymLogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ratebook.clean.missing import FIELDS
from ratebook.contracts.quality import DUPLICATES, HEADER_CASES
from ratebook.figures import PALETTE, empty_figure, equal_panels, subplots

MOST_FILES = 40
"""Files shown: those with the most lines; the title says how many there are."""
STATUS_COLORS = {"na": "#d9d9d9", "pass": PALETTE[2], "warn": PALETTE[4], "fail": PALETTE[1]}
SHOWN = 7
"""Categories shown each as a line of its own, by dollars."""
COLUMNS = 6
"""Panels of prices in a row."""


def plot_reconciliation(reconciliation: pd.DataFrame):
    """Draw, for every file and category by month paid, whether our dollars are the supplier's."""
    dated = reconciliation[reconciliation.paid_month.notna()]
    if dated.empty:
        return empty_figure("The supplier sent no control totals by month.")
    order = list(STATUS_COLORS)
    dated = dated.assign(label=dated.source_file + " · " + dated.category, level=dated.status.map(order.index))
    months = pd.date_range(dated.paid_month.min(), dated.paid_month.max(), freq="MS")
    wide = dated.pivot_table(index="label", columns="paid_month", values="level", aggfunc="max").reindex(
        columns=months
    )
    shown = wide.head(MOST_FILES)
    fig, ax = subplots(figsize=(8.4, 1.6 + 0.17 * len(shown)))
    colors = ListedColormap(list(STATUS_COLORS.values()))
    ax.pcolormesh(shown.to_numpy(dtype=float), cmap=colors, vmin=-0.5, vmax=3.5, edgecolor="white", linewidth=0.4)
    ax.invert_yaxis()
    _label_months(ax, months)
    ax.set_yticks(np.arange(len(shown)) + 0.5, shown.index, fontsize=6.5)
    ax.set_xlabel("Month paid")
    ax.set_title(_of_files("Our dollars against the supplier's control totals", len(shown), len(wide), "rows"))
    handles = [Rectangle((0, 0), 1, 1, color=color) for color in STATUS_COLORS.values()]
    words = ["nothing to compare", "agree", "beyond the warning", "beyond the limit, or on one side only"]
    fig.legend(handles, words, loc="outside lower center", ncol=4, fontsize=7)
    return fig


def plot_adjustment_rates(rates: pd.DataFrame):
    """Draw voids and replacements per hundred originals by month paid, and the dollars of those without a target."""
    dated = rates[rates.paid_month.notna()]
    if dated.empty:
        return empty_figure("No line has a paid date: adjustments by month cannot be shown.")
    fig, axes = subplots(3, 1, figsize=(8, 6.6), sharex=True)
    panels = (
        ("void_rate", 100, "Voids per 100 originals"),
        ("replacement_rate", 100, "Replacements per\n100 originals"),
        (None, 1e-3, "Of nothing in the extract,\nthousand dollars"),
    )
    orphan = dated.assign(orphan=dated.orphan_void_usd.abs() + dated.orphan_replacement_usd.abs())
    for ax, (column, scale, label) in zip(axes, panels):
        for color, (table, part) in zip(PALETTE, orphan.groupby("source_table")):
            # A rate of few originals says nothing: their months are left out of the line.
            enough = part.original_rows >= 0.05 * part.original_rows.max()
            part = part[enough]
            values = (part[column] if column else part.orphan) * scale
            ax.plot(part.paid_month, values, color=color, lw=1.3, label=table.replace("_", " "))
        ax.set_ylabel(label, fontsize=8)
        ax.set_ylim(bottom=-0.03 * ax.get_ylim()[1])
    axes[0].set_title("Adjustments by month paid")
    axes[0].legend(loc="upper left", fontsize=7, ncol=2)
    axes[-1].set_xlabel("Month paid (months with less than a twentieth of the busiest month's originals are left out)")
    return fig


def plot_header_cases(cases: pd.DataFrame):
    """Draw, by file, the share of dollars by how header and lines stand to each other, where they do not agree."""
    if cases.empty:
        return empty_figure("There are no medical claims.")
    wide = cases.assign(source_file=cases.source_file.fillna("no file named"))
    wide = wide.pivot_table(
        index="source_file", columns="case", values=["records", "paid_usd"], aggfunc="sum", fill_value=0
    )
    wide = wide.loc[_busiest(wide["records"].sum(axis=1))]
    apart = [name for name in HEADER_CASES if name not in ("agree", "no_header")]
    fig, axes = subplots(1, 2, figsize=(9, 2.0 + 0.19 * len(wide)), sharey=True)
    for ax, (measure, words) in zip(axes, (("records", "records"), ("paid_usd", "dollars"))):
        of = wide[measure].clip(lower=0)
        share = 100 * of.div(of.sum(axis=1).where(lambda total: total > 0), axis=0).reindex(columns=apart).fillna(0)
        left = np.zeros(len(share))
        for color, name in zip(PALETTE[1:], apart):
            ax.barh(np.arange(len(share)), share[name], left=left, color=color, height=0.75, label=HEADER_CASES[name])
            left = left + share[name].to_numpy()
        ax.set_xlabel(f"Percent of the file's {words}")
        ax.set_xlim(0, max(1.05 * left.max(), 0.1))
    axes[0].set_yticks(np.arange(len(wide)), wide.index, fontsize=6.5)
    axes[0].invert_yaxis()
    total = cases.source_file.nunique(dropna=False)
    fig.suptitle(
        _of_files("Where header and lines do not simply agree", len(wide), total),
        fontsize=10,
        weight="bold",
        x=0.01,
        ha="left",
    )
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=2, fontsize=7)
    return fig


def plot_missingness(missing: pd.DataFrame):
    """Draw the share missing of every key field by file; a field that is not expected in a file is blank."""
    if missing.empty:
        return empty_figure("No claims were read.")
    named = missing.assign(source_file=missing.source_file.fillna("no file named"))
    sums = named.groupby(["field", "source_file"])[["rows", "missing_rows"]].sum()
    wide = (sums.missing_rows / sums.rows).unstack("source_file")
    wide = wide.reindex([name for name in FIELDS if name in wide.index])
    total = wide.shape[1]
    wide = wide[_busiest(named[named.field == "person"].groupby("source_file").rows.sum())]
    fig, ax = subplots(figsize=(3.2 + 0.2 * wide.shape[1], 2.2 + 0.22 * len(wide)))
    colors = colormaps["Reds"].with_extremes(bad="white")
    # A tenth of a percent and all of it must both be seen: the scale is logarithmic, and nothing is not red.
    percent = 100 * wide.to_numpy()
    norm = SymLogNorm(0.1, vmin=0, vmax=100)
    mesh = ax.pcolormesh(np.ma.masked_invalid(percent), cmap=colors, norm=norm, edgecolor="#e8e8e8", linewidth=0.4)
    ax.invert_yaxis()
    ax.set_xticks(np.arange(wide.shape[1]) + 0.5, wide.columns, rotation=90, fontsize=6.5)
    ax.set_yticks(np.arange(len(wide)) + 0.5, wide.index, fontsize=7)
    for place in np.argwhere(np.isnan(percent)):
        ax.annotate("·", (place[1] + 0.5, place[0] + 0.5), ha="center", va="center", fontsize=6, color="#bbbbbb")
    ax.set_title(_of_files("Key fields missing, by file", wide.shape[1], total))
    bar = fig.colorbar(mesh, label="Percent of rows missing (· not expected)", shrink=0.8)
    bar.set_ticks([0, 0.1, 1, 10, 100], labels=["0", "0.1", "1", "10", "100"])
    return fig


def plot_duplicates(duplicates: pd.DataFrame):
    """Draw duplicates by file and kind: how many in a thousand rows, and their dollars."""
    found = duplicates.assign(source_file=duplicates.source_file.fillna("no file named"))
    if not found.rows.sum():
        return empty_figure("No line is a copy of another.")
    sums = found.pivot_table(
        index="source_file", columns="kind", values=["rows", "raw_usd", "rows_share"], aggfunc="sum"
    )
    sums = sums.loc[_busiest(sums["rows"].sum(axis=1))]
    fig, axes = subplots(1, 2, figsize=(9, 1.8 + 0.19 * len(sums)), sharey=True)
    for ax, (measure, scale, words) in zip(
        axes, (("rows_share", 1000, "Of 1,000 rows of the file"), ("raw_usd", 1e-3, "Thousand dollars"))
    ):
        left = np.zeros(len(sums))
        for color, kind in zip(PALETTE, DUPLICATES):
            values = sums[measure][kind].clip(lower=0) * scale
            ax.barh(np.arange(len(sums)), values, left=left, color=color, height=0.75, label=DUPLICATES[kind])
            left = left + values.to_numpy()
        ax.set_xlabel(words)
        ax.set_xlim(0, 1.05 * left.max())
    axes[0].set_yticks(np.arange(len(sums)), sums.index, fontsize=6.5)
    axes[0].invert_yaxis()
    title = _of_files("Duplicates by source file", len(sums), found.source_file.nunique())
    fig.suptitle(title, fontsize=10, weight="bold", x=0.01, ha="left")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=2, fontsize=7)
    return fig


def plot_denials(denials: pd.DataFrame):
    """Draw the share denied by month paid, a panel per feed, with the months in which it jumps."""
    judged = denials[denials.usual_share.notna() & (denials.denied_rows.groupby(denials.feed).transform("sum") > 0)]
    if judged.empty:
        return empty_figure("No feed has a denial and months enough to say what is usual.")
    feeds = judged.groupby("feed").rows.sum().sort_values(ascending=False, kind="stable").index[:8]
    fig, axes = subplots(len(feeds), 1, figsize=(8, 0.8 + 1.25 * len(feeds)), sharex=True, squeeze=False)
    for ax, feed in zip(axes[:, 0], feeds):
        part = judged[judged.feed == feed]
        months = part.groupby("paid_month").agg(
            rows=("rows", "sum"),
            denied=("denied_rows", "sum"),
            usual=("usual_share", "first"),
            jump=("is_jump", "max"),
        )
        share = 100 * months.denied / months.rows
        ax.axhline(100 * months.usual.iloc[0], color="#999999", lw=0.8, ls="--")
        ax.plot(months.index, share, color=PALETTE[0], lw=1.2)
        jumps = months.jump.astype(bool)
        ax.plot(months.index[jumps], share[jumps], "o", color=PALETTE[1], ms=4)
        ax.set_title(f"{feed} (usually {100 * months.usual.iloc[0]:.1f}%)", fontsize=8, weight="normal")
        ax.set_ylim(bottom=-0.02 * max(share.max(), 1))
    fig.suptitle(
        "Rows denied, by feed and month; full points are jumps", fontsize=10, weight="bold", x=0.01, ha="left"
    )
    fig.supylabel("Percent of rows denied", fontsize=8)
    axes[-1, 0].set_xlabel("Month paid")
    return fig


def plot_lag_completion(completion: pd.DataFrame, distribution: pd.DataFrame):
    """Draw how complete the dollars of a month of service are by its age, the largest categories each on its own."""
    known = completion[completion.completion.notna()]
    if known.empty:
        return empty_figure("The source has no paid dates: how complete a month is cannot be said.")
    dollars = distribution[(distribution.weight == "dollars") & (distribution.category != "all")]
    order = dollars.sort_values("signed_usd", ascending=False, kind="stable").category[:SHOWN]
    fig, ax = subplots(figsize=(8, 4))
    for color, category in zip(PALETTE, order):
        part = known[known.category == category]
        ax.plot(part.age_months, 100 * part.completion, color=color, lw=1.2, label=category)
    whole = known[known.category == "all"]
    ax.plot(whole.age_months, 100 * whole.completion, color="black", lw=2, label="all categories")
    ax.axhline(90, color="#999999", lw=0.8, ls="--")
    ax.set_xlim(0, 15)
    ax.set_xticks(range(0, 16))
    ax.set_ylim(0, 105)
    ax.set_xlabel("Months since the month of service")
    ax.set_ylabel("Percent of the final dollars paid")
    ax.set_title("Completion by age of the month of service")
    ax.legend(loc="lower right", fontsize=7)
    return fig


def plot_unit_prices(prices: pd.DataFrame):
    """Draw boxes of what a unit was paid, a panel per procedure and a box per year; whiskers end at 5 and 95 in 100."""
    if prices.empty:
        return empty_figure("No procedure has lines enough to show what a unit is paid.")
    prices = prices.assign(procedure=prices.hcpcs_code + ("-" + prices.hcpcs_modifier_1).fillna(""))
    order = prices.groupby("procedure").paid_usd.sum().sort_values(ascending=False, kind="stable").index
    fig, axes = equal_panels(len(order), COLUMNS, 9.6, 1.5)
    for ax, procedure in zip(axes, order):
        part = prices[prices.procedure == procedure].sort_values("service_year")
        boxes = [
            {"whislo": row.p5_usd, "q1": row.p25_usd, "med": row.p50_usd, "q3": row.p75_usd, "whishi": row.p95_usd}
            for row in part.itertuples()
        ]
        drawn = ax.bxp(boxes, positions=part.service_year, widths=0.6, showfliers=False, patch_artist=True)
        for box in drawn["boxes"]:
            box.set(facecolor=PALETTE[6], edgecolor=PALETTE[0], linewidth=0.8)
        for line in [*drawn["whiskers"], *drawn["caps"], *drawn["medians"]]:
            line.set(color=PALETTE[0], linewidth=0.8)
        ax.set_title(procedure, fontsize=8)
        ax.set_ylim(0, 1.08 * part.p95_usd.max())
        ax.set_xticks(part.service_year, [f"'{year % 100:02d}" for year in part.service_year])
        ax.tick_params(labelsize=6.5)
        ax.yaxis.set_major_locator(MaxNLocator(4))
    fig.suptitle(
        "Paid per unit of the costliest procedures, by year of service", fontsize=10, weight="bold", x=0.01, ha="left"
    )
    fig.supylabel("Dollars a unit", fontsize=8)
    fig.supxlabel("Year of service. Boxes from lower to upper quartile, whiskers from 5% to 95% of lines", fontsize=8)
    return fig


def _busiest(rows: pd.Series) -> list[str]:
    """Name the files with the most lines, in the order of their names."""
    return sorted(rows.sort_values(ascending=False, kind="stable").index[:MOST_FILES])


def _of_files(title: str, shown: int, total: int, things: str = "files") -> str:
    return title if shown == total else f"{title} ({shown} of {total} {things})"


def _label_months(ax, months: pd.DatetimeIndex) -> None:
    every = max(1, round(len(months) / 12))
    places = np.arange(0, len(months), every)
    ax.set_xticks(places + 0.5, [f"{months[place]:%Y-%m}" for place in places], rotation=45, ha="right", fontsize=7)
