"""Sheets of case rates: live in months, units and staffing, and what few clients reached is one row."""

from __future__ import annotations

import openpyxl
import pytest

import check_workbook
from case_rate_data import released_cases
from workbook_data import COSTS, STAYS, Calculator, book_writer, column_of, small_book

book = pytest.fixture(book_writer)
SHEETS = ("Case months", "Staffing", "Case rate", "Case terms")


cases = pytest.fixture(released_cases, scope="module")


def live(path, sheet, label):
    """Say of every row of a column whether it holds a formula."""
    found = openpyxl.load_workbook(path)[sheet]
    letter = column_of(found.parent, sheet, label)
    return [str(found[f"{letter}{row}"].value).startswith("=") for row in range(6, found.max_row + 1)]


def test_of_two_arms_every_case_rate_is_live_and_computes_to_what_was_written(book, cases):
    path = book(cases)
    calculator = Calculator(path)
    assert all(live(path, "Case rate", "Before load")) and len(cases["case_rates"]) == 20
    assert all(live(path, "Staffing", "Adds to a client month"))
    assert "to" in " ".join(labelled(path, "Case months")["Months in the row"])
    for sheet in SHEETS:
        assert calculator.off(sheet) == []


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        pytest.param("worked_minutes", {"staffing_observed"}, id="minutes worked move the caseload the log allows"),
        pytest.param("caseload", {"staffing"}, id="the caseload assumed moves no other"),
        pytest.param("salary", {"staffing", "staffing_observed"}, id="a salary moves both"),
        pytest.param("unit_price", {"actuarial"}, id="a price moves what is delivered"),
    ],
)
def test_an_input_moves_the_bases_that_rest_on_it(book, cases, name, moved):
    calculator = Calculator(book(cases))
    basis, before = calculator.column("Case rate", "Basis"), calculator.column("Case rate", "Before load")
    place = calculator.book.defined_names[name].attr_text.replace("'", "").replace("$", "").split("!")
    calculator.set_name(name, 1.1 * calculator.value(*place))
    now = calculator.column("Case rate", "Before load")
    assert {b for b, was, is_ in zip(basis, before, now) if is_ != pytest.approx(was)} == moved


def test_every_term_still_pays_the_same_episode_once_a_price_or_a_withhold_changes(book, cases):
    calculator = Calculator(book(cases))
    for name, value in (("unit_price", 15.0), ("case_withhold_share", 0.2), ("case_earned_share", 0.5)):
        calculator.set_name(name, value)
        arm, term = calculator.column("Case terms", "Program"), calculator.column("Case terms", "Term")
        paid = calculator.column("Case terms", "Expected per client")
        rates = zip(*(calculator.column("Case rate", label) for label in ("Program", "Basis", "Form", "Before load")))
        episode = {a: usd for a, basis, form, usd in rates if (basis, form) == ("actuarial", "per_episode")}
        for one in ("minimum_contact", "maximum_months", "tier_month", "withhold"):
            for program in ("RSN", "CSP"):
                total = sum(usd for a, t, usd in zip(arm, term, paid) if (a, t) == (program, one))
                assert total == pytest.approx(episode[program], rel=1e-6), (name, one, program)


def labelled(path, sheet):
    return check_workbook.read_values(path)[sheet]


def test_case_rates_of_the_book_are_those_of_the_worked_example(book):
    found = labelled(book(), "Case rate").set_index(["Basis", "Form"])
    assert found["Before load"]["actuarial", "per_episode"] == pytest.approx(1036.00)
    assert found["With load"]["actuarial", "per_episode"] == pytest.approx(1151.11, abs=0.005)
    assert found["Before load"]["actuarial", "per_month"] == pytest.approx(283.8356, abs=5e-5)
    assert found["Before load"]["staffing", "per_month"] == pytest.approx(277.7778, abs=5e-5)
    assert found["Before load"]["staffing", "per_day"] == pytest.approx(9.1324, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "value", "moved"),
    [
        pytest.param("salary", 60000, {"staffing"}, id="a salary moves what staffing costs"),
        pytest.param("unit_price", 15, {"actuarial"}, id="the price of a unit moves what is delivered"),
    ],
)
def test_an_input_of_the_case_rates_moves_those_that_rest_on_it(book, name, value, moved):
    path = book()
    calculator, sheet = Calculator(path), openpyxl.load_workbook(path)["Case rate"]
    letter = column_of(sheet.parent, "Case rate", "Before load")
    places = {f"{letter}{row}": sheet[f"B{row}"].value for row in range(6, 13)}
    before = {place: calculator.value("Case rate", place) for place in places}
    calculator.set_name(name, value)
    now = {places[p] for p in places if calculator.value("Case rate", p) != pytest.approx(before[p])}
    assert now == moved


def test_months_that_rest_on_few_clients_are_one_row_and_the_case_rates_stay_live(book):
    tables = small_book()
    tables["provider_risk"].loc[3:, "cost_usd"] = None
    path = book(tables)
    months = labelled(path, "Case months").set_index("Months in the row")
    assert months.index.tolist() == ["1", "2", "3", "4 to 6"]
    assert months["Expected per client enrolled"]["4 to 6"] == pytest.approx(STAYS[3:] @ COSTS[3:])
    sheet = openpyxl.load_workbook(path)["Case rate"]
    letter = column_of(sheet.parent, "Case rate", "Before load")
    assert all(str(sheet[f"{letter}{row}"].value).startswith("=") for row in range(6, 13))


def test_an_arm_whose_first_month_is_hidden_keeps_its_case_rates_as_inputs(book):
    tables = small_book()
    tables["provider_risk"]["cost_usd"] = None
    sheet = openpyxl.load_workbook(book(tables))["Case rate"]
    letter = column_of(sheet.parent, "Case rate", "Before load")
    live = {sheet[f"B{row}"].value: str(sheet[f"{letter}{row}"].value).startswith("=") for row in range(6, 13)}
    assert live == {"actuarial": False, "staffing": True}
    assert sheet[f"{letter}6"].value is not None
