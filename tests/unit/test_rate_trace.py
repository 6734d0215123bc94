"""Every rate can be followed back, factor by factor, to lines, dollars and member months."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.errors import RatebookError
from ratebook.rates.trace import derive_rate_trace, print_trace

SETTINGS = {"base_start": "2017-01-01", "base_end": "2017-12-31"}
BEFORE = 1.01 * 0.94 * 1.03
CELLS = {"adult": (1.0, 100.0), "child": (0.25, 100.0), "empty": (0.0, 100.0)}
PAID = {("adult", "detox"): 1200.0, ("adult", "drugs"): 360.0, ("child", "detox"): 0.0, ("child", "drugs"): 99.0,
        ("empty", "detox"): 0.0, ("empty", "drugs"): 0.0}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    """Three cells of a pool with two categories: one believed whole, one in part, one without any cost."""
    experience, build = [], []
    for (cell, category), paid in PAID.items():
        for month, dollars in (("2016-12-01", 777.0), ("2017-06-01", paid)):
            experience.append(
                {"cell": cell, "category": category, "service_month": pd.Timestamp(month), "paid_usd": dollars,
                 "member_months": 12.0, "claim_lines": int(dollars > 0) * 4}
            )  # fmt: skip
        row = {"cell": cell, "category": category, "members": 20, "member_months": 12.0, "base_usd": paid}
        row |= {"completion_factor": 0.98, "f_trend": 1.07, "f_program": 1.02, "f_managed_care": 0.97, "reason": None}
        row |= {"f_missing": 1.01, "f_pooling": 0.94, "f_base_changes": 1.03}
        build.append(row | {"projected_pmpm_usd": paid / 12 / 0.98 * BEFORE * 1.07 * 1.02 * 0.97})
    build = pd.DataFrame(build)
    rates = build.groupby("cell", as_index=False).agg(
        members=("members", "first"),
        member_months=("member_months", "first"),
        projected=("projected_pmpm_usd", "sum"),
    )
    rates["f_tpl"], rates["f_neutral"], rates["fixed_pmpm_usd"], rates["reason"] = 0.99, 0.995, 12.0, None
    rates["credibility_z"], rates["manual_pmpm_usd"] = zip(*[CELLS[cell] for cell in rates.cell])
    rates = rates.assign(admin_share=0.075, margin_share=0.015, tax_share=0.02, f_smoothing=[1.02, 0.96, 1.0])
    own = rates.projected * 0.99
    blended = (rates.credibility_z * own + (1 - rates.credibility_z) * rates.manual_pmpm_usd) * 0.995
    rates["rate_usd"] = ((blended + 12) / 0.89 * rates.f_smoothing).round(2)
    return pd.DataFrame(experience), build, rates


@pytest.fixture(scope="module")
def trace(tables):
    return derive_rate_trace(*tables, SETTINGS)


def product(part: pd.DataFrame) -> float:
    """Multiply a part out again, by its operations alone."""
    total = 1.0
    for row in part.sort_values("step").itertuples():
        total = total / row.value if row.operation == "divide" else total * row.value
    return total


def test_the_products_of_the_parts_add_up_to_every_rate_to_the_cent(tables, trace):
    for row in tables[2].itertuples():
        parts = trace[(trace.cell == row.cell) & (trace.category != "rate")]
        total = sum(product(part) for _, part in parts.groupby("category"))
        assert round(total, 2) == row.rate_usd
        whole = trace[(trace.cell == row.cell) & (trace.category == "rate")]
        assert whole.running_usd.iloc[-2] == pytest.approx(total, rel=1e-12)
        assert whole.running_usd.iloc[-1] == row.rate_usd


def test_a_category_starts_from_the_lines_and_dollars_of_the_base_and_no_other_month(trace):
    start = trace[trace.operation == "start"].set_index(["cell", "category"])
    assert start.value["adult", "detox"] == 1200.0
    assert start.claim_lines["adult", "detox"] == 4
    assert start.claim_lines["empty", "drugs"] == 0
    assert trace[trace.factor != "base_usd"].claim_lines.isna().all()


def test_a_cell_without_a_rate_ends_in_null_and_not_in_zero(tables):
    experience, build, rates = tables
    trace = derive_rate_trace(experience, build, rates.assign(rate_usd=None), SETTINGS)
    assert trace[trace.operation == "round"].running_usd.isna().all()
    assert trace[trace.operation == "add"].running_usd.notna().all()


def test_no_cell_no_trace(tables):
    experience, build, rates = tables
    assert derive_rate_trace(experience, build.head(0), rates.head(0), SETTINGS).empty


def test_shuffled_rows_give_the_same_trace(tables, trace):
    shuffled = [table.sample(frac=1, random_state=2) for table in tables]
    pd.testing.assert_frame_equal(derive_rate_trace(*shuffled, SETTINGS), trace)


def test_printed_it_goes_from_the_rate_back_to_the_lines(trace):
    text = print_trace(trace, "adult")
    assert text.index("rate_usd") < text.index("loads") < text.index("base_experience.paid_usd, 4 lines")
    one = print_trace(trace, "ADU", "detox")
    assert "drugs" not in one and "1,200.00" in one


@pytest.mark.parametrize(
    ("cell", "category", "says"),
    [
        pytest.param("l", "", "2 cells; there are", id="two cells are meant"),
        pytest.param("plan Z", "", "0 cells; there are:\n  adult", id="no cell is meant"),
        pytest.param("adult", "dental", "no part of this rate; there are: rate, ", id="no such category"),
    ],
)
def test_what_cannot_be_traced_says_what_can(trace, cell, category, says):
    with pytest.raises(RatebookError, match=says):
        print_trace(trace, cell, category)


def test_what_is_hidden_is_printed_as_hidden(trace):
    hidden = trace.assign(value=None, running_usd=None, claim_lines=None)
    assert "1,200.00" not in print_trace(hidden, "adult")
    assert "hidden or none" in print_trace(hidden, "adult")
