"""Sheets of what a plan is settled and of how sure its rates are: live in rates, withhold, corridor and loss ratio."""

from __future__ import annotations

import pytest

from workbook_data import Calculator, book_writer, small_book

book = pytest.fixture(book_writer)


def test_what_the_plan_and_the_state_pay_adds_up_under_any_terms(book):
    calculator = Calculator(book())
    for name, value in (("withheld_share", 0.05), ("corridor_state_2", 0.8), ("min_mlr", 0.95)):
        calculator.set_name(name, value)
        column = {
            label: calculator.column("Settlement", label)
            for label in ("State pays", "Plan is left with", "Actual claims", "Care management", "Administration")
        }
        column["Taxes"] = calculator.column("Settlement", "Taxes and fees")
        for row in zip(*column.values()):
            state, left, *spent = row
            assert left == pytest.approx(state - sum(spent), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("withheld_share", "Withheld and not earned"),
        ("corridor_state_2", "Corridor: state pays"),
        ("min_mlr", "Paid back"),
        ("admin_share", "Member months × rates"),
    ],
)
def test_each_term_moves_its_own_amount(book, name, label):
    calculator = Calculator(book())
    before = calculator.column("Settlement", label)
    calculator.set_name(name, 0.97)
    assert calculator.column("Settlement", label) != pytest.approx(before)


def test_the_sheet_settles_as_the_pipeline_does(book):
    table = small_book()["risk_sharing"]
    calculator = Calculator(book())
    assert calculator.off("Settlement") == []
    assert calculator.column("Settlement", "Plan is left with") == pytest.approx(table.plan_result_usd.tolist())


def test_sums_that_hold_a_hidden_cell_stand_as_they_were_computed(book):
    tables = small_book()
    hidden = ["member_months", "plan_rate_usd", "lower", "upper"]
    tables["plan_rates"].loc[0, hidden] = None
    sheet = Calculator(book(tables)).book["Settlement"]
    live = {str(row[0].value): str(row[3].value).startswith("=") for row in sheet.iter_rows(min_row=6)}
    assert live == {"A": False, "B": True}


def test_limits_follow_the_rate_and_keep_their_width(book):
    calculator = Calculator(book())
    before = calculator.column("Uncertainty", "Upper 95%")
    rate = calculator.column("Uncertainty", "Rate per member month")
    calculator.set_name("admin_share", 0.2)
    now = calculator.column("Uncertainty", "Rate per member month")
    upper = calculator.column("Uncertainty", "Upper 95%")
    assert [u / r for u, r in zip(upper, now)] == pytest.approx([u / r for u, r in zip(before, rate)])
    assert now != pytest.approx(rate)
