"""Figure of completion by month of payment: where paid and expected part."""

from __future__ import annotations

import pandas as pd

from ratebook.figures import PALETTE, empty_figure, subplots


def draw_diagonals(diagonals: pd.DataFrame):
    """Draw, by category, what each month of payment paid over what was expected; months that break stand out."""
    known = diagonals[diagonals.paid_to_expected.notna() & diagonals.z.notna()]
    if known.empty:
        return empty_figure("No month of payment can be held against what was expected of it.")
    categories = sorted(known.category.unique())
    columns = min(4, len(categories))
    fig, axes = subplots(
        -(-len(categories) // columns), columns, figsize=(2.7 * columns, 4.6), squeeze=False, sharex=True
    )
    for ax, category in zip(axes.flat, categories):
        rows = known[known.category == category]
        ax.axhline(1, color="#999999", lw=0.8, ls="--")
        ax.plot(rows.payment_month, rows.paid_to_expected, color=PALETTE[0], lw=1)
        broken = rows[rows.is_break]
        ax.plot(broken.payment_month, broken.paid_to_expected, "o", color=PALETTE[1], ms=4)
        p_value = rows.calendar_p_value.iloc[0]
        ax.set_title(
            f"{category.replace('_', ' ')}\ncalendar effect: p {f'{p_value:.2f}' if p_value >= 0.01 else '< 0.01'}",
            fontsize=8,
        )
        ax.tick_params(axis="x", labelrotation=90, labelsize=7)
    for ax in axes.flat[len(categories) :]:
        ax.axis("off")
    fig.supylabel("Paid in the month over expected", fontsize=9)
    return fig
