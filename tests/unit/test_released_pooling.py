"""What few cost beyond the attachment point: no released table shows it, nor the two sides it is between."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.contracts.released import RELEASED
from ratebook.rates.figures import draw_waterfall
from ratebook.rates.pooling import derive_pooling
from ratebook.release.tables import release_tables
from release_data import no_rows

CELLS = ["a", "b", "c"]
nothing = pytest.fixture(no_rows)


def typed(name: str, rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))
    return frame.astype({column: float for column in frame.columns[frame.isna().all()]})


def released(nothing, beyond: list[int]) -> dict[str, pd.DataFrame]:
    """Release a pool of three large cells with so many member years beyond the attachment point in each."""
    excess = pd.DataFrame({"cell": CELLS, "pool": "p", "member_years": 500, "members_beyond": beyond})
    excess = excess.assign(member_months=6000.0, paid_usd=9e5, excess_usd=[1e4 * n for n in beyond])
    each = {"cell": CELLS, "members": 500}
    build = typed("rate_build", {**each, "category": "x", "member_months": 6000.0, "base_usd": 9e5})
    build = build.assign(paid_pmpm_usd=150.0, completed_pmpm_usd=160.0, f_pooling=1.01, projected_pmpm_usd=170.0)
    tables = {
        "pooling": derive_pooling(excess, 1e5, 0.9),
        "rate_build": build,
        "rates": typed("rates", {**each, "pool": "p", "plan": "p", "projected_pmpm_usd": 170.0, "rate_usd": 190.0}),
        "credibility": typed("credibility", {**each, "paid_pmpm_usd": 150.0, "lower": 140.0, "credibility_z": 0.9}),
        "rate_trace": typed("rate_trace", {**each, "category": "x", "step": 1, "value": 9e5, "running_usd": 9e5}),
    }
    return release_tables({**nothing, **tables}, 11)


BEFORE = {
    "pooling": ("charge_pmpm_usd", "excess_usd", "f_pooling", "members_beyond", "pool_members_beyond"),
    "rate_build": ("base_usd", "paid_pmpm_usd", "completed_pmpm_usd", "f_pooling"),
    "credibility": ("paid_pmpm_usd", "lower"),
    "rate_trace": ("value", "running_usd"),
}


@pytest.mark.parametrize(
    ("beyond", "hidden"),
    [
        pytest.param([0, 0, 0], [], id="nobody is beyond: nothing to hide"),
        pytest.param([20, 30, 40], [], id="many are, everywhere"),
        pytest.param([4, 5, 0], ["a", "b", "c"], id="few in the pool: its charge would tell of them in every cell"),
        pytest.param([4, 30, 40], ["a", "b"], id="few in one cell, and one to hide behind"),
        pytest.param([4, 30, 0], ["a", "b"], id="a cell with nobody beyond hides nothing"),
        pytest.param([11, 30, 40], [], id="at the limit nothing is hidden"),
    ],
)
def test_what_few_cost_is_hidden_from_every_side(nothing, beyond, hidden):
    shown = released(nothing, beyond)
    for name, columns in BEFORE.items():
        frame = shown[name].set_index("cell")
        for column in columns:
            assert list(frame.index[frame[column].isna()]) == hidden, (name, column)
    assert shown["rate_build"].projected_pmpm_usd.notna().all(), "what a cell costs after pooling stays"
    assert shown["rates"].rate_usd.notna().all()


def test_the_figure_is_drawn_of_the_cells_that_show_what_they_paid(nothing):
    shown = released(nothing, [4, 5, 0])
    assert "may be shown" in draw_waterfall(shown["rate_build"], shown["rates"]).axes[0].texts[0].get_text()
