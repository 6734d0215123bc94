"""The rate book's formulas give the pipeline's own rates, and a changed input carries through."""

from __future__ import annotations

import re

import openpyxl
import pytest

import check_workbook
from ratebook.contracts.released import RELEASED
from ratebook.tables import empty_frame
from workbook_data import COMPLETE, SETTINGS, Calculator, book_writer, column_of, small_book

SHEETS = [
    "Summary", "Build-up by cell", "Rates", "Completion", "Trend", "Changes", "Credibility", "Risk sharing", "Corridor",
    "Plan rates", "Settlement", "Uncertainty", "Tornado", "Case months", "Staffing", "Case rate", "Case terms", "Panels",
    "Programs", "Trace", "Assumptions", "Provenance",
]  # fmt: skip

book = pytest.fixture(book_writer)


def rates_of(calculator):
    letter = column_of(calculator.book, "Rates", "Rate per member month")
    return {calculator.value("Rates", f"A{row}"): calculator.value("Rates", f"{letter}{row}") for row in (6, 7, 8)}


def test_the_sheets_stand_in_the_order_in_which_a_rate_is_read(book):
    assert openpyxl.load_workbook(book()).sheetnames == SHEETS


def test_every_formula_recomputes_to_the_value_the_pipeline_put_there(book):
    calculator = Calculator(book())
    assert calculator.off() == []
    values = (str(cell.value) for sheet in calculator.book.worksheets for row in sheet.iter_rows() for cell in row)
    assert sum(value.startswith("=") for value in values) > 50


def test_the_rates_of_the_book_are_the_rates_of_the_pipeline(book):
    expected = small_book()["rates"].set_index("cell").rate_usd
    assert rates_of(Calculator(book())) == pytest.approx(expected.to_dict(), abs=1e-9)


@pytest.mark.parametrize("name", ["admin_share", "trend_use_detox", "trend_price_residential", "credibility_old"])
def test_a_changed_input_moves_the_rate(book, name):
    calculator = Calculator(book())
    before = rates_of(calculator)
    calculator.set_name(name, 0.2)
    assert rates_of(calculator) != before


def test_half_as_complete_a_category_costs_twice_as_much(book):
    calculator = Calculator(book())
    letter = column_of(calculator.book, "Build-up by cell", "Completed")
    before = calculator.value("Build-up by cell", f"{letter}6")
    calculator.set_name("completion_detox", COMPLETE["detox"][0] / COMPLETE["detox"][1] / 2)
    assert calculator.value("Build-up by cell", f"{letter}6") == pytest.approx(2 * before)


def test_the_book_repeats_its_bytes(book):
    assert book(name="one.xlsx").read_bytes() == book(name="two.xlsx").read_bytes()


def test_heads_are_frozen_units_stand_below_them_and_pages_are_set(book):
    for sheet in openpyxl.load_workbook(book()).worksheets:
        assert sheet.freeze_panes == "B6"
        assert sheet.print_area
        assert sheet["A3"].value == SETTINGS["study"]["data_note"].upper()
    build = openpyxl.load_workbook(book())["Build-up by cell"]
    assert build[f"{column_of(build.parent, build.title, 'Base cost, paid')}5"].value == "usd"


def test_a_hidden_cell_leaves_no_formula_to_work_it_out(book):
    tables = small_book()
    tables["rate_build"].loc[
        0, ["base_usd", "member_months", "paid_pmpm_usd", "completed_pmpm_usd", "projected_pmpm_usd"]
    ] = None
    hidden = ["member_months", "projected_pmpm_usd", "tpl_pmpm_usd", "blended_pmpm_usd", "rate_usd"]
    tables["rates"].loc[0, hidden] = None
    found = openpyxl.load_workbook(book(tables))
    for sheet, label in (("Build-up by cell", "Projected per member month"), ("Rates", "Rate per member month")):
        assert found[sheet][f"{column_of(found, sheet, label)}6"].value is None
    assert not str(found["Rates"][f"{column_of(found, 'Rates', 'Manual rate')}7"].value).startswith("=")


def test_a_book_without_rates_is_still_a_book(book):
    tables = {name: empty_frame(released.contract) for name, released in RELEASED.items()}
    assert openpyxl.load_workbook(book(tables)).sheetnames == SHEETS


def test_a_pool_that_cost_nothing_divides_by_nothing(book):
    tables = small_book()
    none = tables["rates"].cell == "other"
    zero = ["projected_pmpm_usd", "tpl_pmpm_usd", "manual_pmpm_usd", "blended_pmpm_usd", "benefit_usd"]
    tables["rates"].loc[none, zero] = 0.0
    tables["rates"].loc[none, "f_neutral"] = 1.0
    sheet = openpyxl.load_workbook(book(tables))["Rates"]
    cell = sheet[f"{column_of(sheet.parent, 'Rates', 'Keeps the pool' + chr(39) + 's total')}8"]
    assert re.fullmatch(r"=IF\(.*>0,.*,1\)", cell.value)


def test_every_named_input_has_a_unit_and_a_source_and_one_colour(book):
    sheet = openpyxl.load_workbook(book())["Summary"]
    rows = [row for row in sheet.iter_rows(min_row=6, max_row=40) if row[0].value in SETTINGS["rates"]["loads"]]
    assert len(rows) == 3
    colours = {row[1].fill.start_color.rgb for row in rows}
    assert colours == {"FFFFF6D6"}
    assert all(row[2].value and row[3].value for row in rows)


@pytest.mark.skipif(not check_workbook.find_office(), reason=check_workbook.NO_OFFICE)
def test_libreoffice_recalculates_every_formula_to_what_was_written_and_changes_move_what_rests_on_them(
    book, tmp_path
):
    assert check_workbook.disagreements(book(), small_book(), tmp_path / "office") == []


@pytest.mark.skipif(not check_workbook.find_office(), reason=check_workbook.NO_OFFICE)
def test_the_check_sees_a_number_its_formula_does_not_give(book, tmp_path):
    tables = small_book()
    tables["rates"].loc[0, "rate_usd"] += 0.01
    found = check_workbook.disagreements(book(tables), tables, tmp_path / "office")
    assert any(place.startswith("young: ") for place in found)
    assert any(place.startswith("Rates!") for place in found)


def test_a_start_hidden_for_few_lines_leaves_the_rest_of_its_part_live(book):
    tables = small_book()
    start = (tables["rate_trace"].factor == "base_usd").idxmax()
    tables["rate_trace"].loc[start, ["value", "running_usd", "claim_lines", "members"]] = None
    path = book(tables)
    sheet = openpyxl.load_workbook(path)["Trace"]
    letter = column_of(sheet.parent, "Trace", "Result so far")
    assert sheet[f"{letter}{start + 6}"].value is None
    assert sheet[f"{letter}{start + 7}"].value.startswith("=INDEX(")
    found = Calculator(path).value("Trace", f"{letter}{start + 7}")
    assert found == pytest.approx(tables["rate_trace"].running_usd[start + 1])
