"""The rate book's formulas give the pipeline's own rates, and a changed input carries through."""

from __future__ import annotations

import re

import openpyxl
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.release.workbook import release_workbook
from ratebook.tables import empty_frame

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())
SHEETS = [
    "Summary", "Build-up by cell", "Rates", "Completion", "Trend", "Credibility", "Case rate", "Programs",
    "Assumptions", "Provenance",
]  # fmt: skip
LOADS = {"admin_share": 0.075, "margin_share": 0.015, "tax_share": 0.02}
TRENDS = {"detox": (0.01, 0.03), "outpatient": (0.03, 0.02)}
PAID = {("young", "detox"): 4_800_000.0, ("young", "outpatient"): 1_440_000.0,
        ("old", "detox"): 900_000.0, ("old", "outpatient"): 700_000.0}  # fmt: skip
MONTHS = {"young": 24_000.0, "old": 3_000.0}
COMPLETE = {"detox": (980.0, 1000.0), "outpatient": (965.0, 1000.0)}
Z = {"young": 1.0, "old": 0.3}


def small_book():
    """Two cells of one plan, two categories: the columns a rate needs, computed here by hand."""
    tables = {name: empty_frame(released.contract) for name, released in RELEASED.items()}
    build = []
    for (cell, category), paid in PAID.items():
        use, price = TRENDS[category]
        factor = COMPLETE[category][0] / COMPLETE[category][1]
        trend = ((1 + use) * (1 + price)) ** (36 / 12)
        row = {"cell": cell, "category": category, "member_months": MONTHS[cell], "base_usd": paid}
        row |= {"members": 500, "units": 1.0, "paid_pmpm_usd": paid / MONTHS[cell], "completion_factor": factor}
        row |= {"completed_pmpm_usd": paid / MONTHS[cell] / factor, "trend_utilisation": use, "trend_unit_cost": price}
        row |= {"trend_months": 36.0, "f_trend": trend, "f_program": 1.02, "f_managed_care": 0.97}
        row["projected_pmpm_usd"] = row["completed_pmpm_usd"] * trend * 1.02 * 0.97
        build.append(
            {**row, **{f"rationale_{part}": "why" for part in ("completion", "trend", "program", "managed_care")}}
        )
    tables["rate_build"] = pd.DataFrame(build)
    rates = tables["rate_build"].groupby("cell", as_index=False, sort=False).projected_pmpm_usd.sum()
    rates["member_months"] = rates.cell.map(MONTHS)
    rates["f_tpl"], rates["tpl_pmpm_usd"] = 1.0, rates.projected_pmpm_usd
    rates["credibility_z"] = rates.cell.map(Z)
    rates["manual_source"], rates["pool"] = "pooled", "BHP"
    pool = (rates.tpl_pmpm_usd * rates.member_months).sum() / rates.member_months.sum()
    raw = rates.credibility_z * rates.tpl_pmpm_usd + (1 - rates.credibility_z) * pool
    neutral = (rates.tpl_pmpm_usd * rates.member_months).sum() / (raw * rates.member_months).sum()
    rates = rates.assign(manual_pmpm_usd=pool, f_neutral=neutral, blended_pmpm_usd=raw * neutral, fixed_pmpm_usd=12.0)
    rates = rates.assign(**LOADS)
    rates["rate_usd"] = ((rates.blended_pmpm_usd + 12) / (1 - sum(LOADS.values()))).round(2)
    rates["projected_mlr"] = (rates.blended_pmpm_usd + 12) / (rates.rate_usd * (1 - LOADS["tax_share"]))
    tables["rates"] = rates.reindex(columns=list(RELEASED["rates"].contract.types()))
    tables["credibility"] = rates.reindex(columns=list(RELEASED["credibility"].contract.types()))
    complete = [
        {"category": c, "paid_usd": p, "ultimate_usd": u, "completion_factor": p / u} for c, (p, u) in COMPLETE.items()
    ]
    tables["base_completion"] = pd.DataFrame(complete).reindex(
        columns=list(RELEASED["base_completion"].contract.types())
    )
    parts = [
        {"category": c, "component": name, "annual_trend": value, "source": "experience"}
        for c, (use, price) in TRENDS.items()
        for name, value in (("utilisation", use), ("unit_cost", price), ("pmpm", (1 + use) * (1 + price) - 1))
    ]
    tables["trend"] = pd.DataFrame(parts).reindex(columns=list(RELEASED["trend"].contract.types()))
    tables["case_rates"] = pd.DataFrame(
        [{"arm": "RSN", "basis": "actuarial", "form": "per_month", "clients": 300, "value_usd": 150.0,
          "load_share": 0.1, "loaded_usd": 150.0 / 0.9}]
    ).reindex(columns=list(RELEASED["case_rates"].contract.types()))  # fmt: skip
    return tables


@pytest.fixture
def book(tmp_path):
    def write(tables=None, name="book.xlsx"):
        path = tmp_path / name
        release_workbook(str(path), small_book() if tables is None else tables, SETTINGS, empty_frame(SourceManifest))
        return path

    return write


class Calculator:
    """As much of a spreadsheet as the rate book uses, so that its formulas are run and not only read."""

    def __init__(self, path):
        self.book = openpyxl.load_workbook(path)
        self.changed: dict[tuple[str, str], float] = {}
        self.known: dict[tuple[str, str], object] = {}

    def set_name(self, name, value):
        sheet, cell = self.book.defined_names[name].attr_text.replace("'", "").replace("$", "").split("!")
        self.changed[(sheet, cell)] = value
        self.known.clear()

    def value(self, sheet, cell):
        key = (sheet, cell)
        if key in self.changed:
            return self.changed[key]
        if key not in self.known:
            content = self.book[sheet][cell].value
            is_formula = isinstance(content, str) and content.startswith("=")
            self.known[key] = self.compute(content[1:], sheet) if is_formula else content
        return self.known[key]

    def area(self, sheet, first, last):
        return [self.value(sheet, cell.coordinate) for row in self.book[sheet][f"{first}:{last}"] for cell in row]

    def compute(self, formula, sheet):
        scope = {"ROUND": round, "SUMPRODUCT": self.sumproduct, "V": self.value, "A": self.area, "EQ": self.equal}
        text = formula.replace("$", "").replace("^", "**")
        ref = r"(?:'([^']+)'!)?([A-Z]{1,2}\d+)(?::([A-Z]{1,2}\d+))?(?![\w(])"
        held = []

        def hold(match):
            where, first, last = match[1] or sheet, match[2], match[3]
            held.append(f"A({where!r},{first!r},{last!r})" if last else f"V({where!r},{first!r})")
            return f"\x00{len(held) - 1}\x00"

        text = re.sub(ref, hold, text)
        for name, defined in self.book.defined_names.items():
            where, cell = defined.attr_text.replace("'", "").replace("$", "").split("!")
            held.append(f"V({where!r},{cell!r})")
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w(])", f"\x00{len(held) - 1}\x00", text)
        text = re.sub(r"--\((\x00\d+\x00)=(\x00\d+\x00|\"[^\"]*\")\)", r"EQ(\1,\2)", text)
        text = re.sub(r"\x00(\d+)\x00", lambda m: held[int(m[1])], text)
        return eval(text, {"__builtins__": {}}, scope)

    @staticmethod
    def equal(area, value):
        return [float(cell == value) for cell in area]

    @staticmethod
    def sumproduct(*areas):
        total = 0.0
        for cells in zip(*areas):
            part = 1.0
            for cell in cells:
                part *= cell if isinstance(cell, int | float) else 0.0
            total += part
        return total


def column_of(book, sheet, label):
    return next(cell.column_letter for cell in book[sheet][4] if cell.value == label)


def rates_of(calculator):
    letter = column_of(calculator.book, "Rates", "Rate per member month")
    return {calculator.value("Rates", f"A{row}"): calculator.value("Rates", f"{letter}{row}") for row in (6, 7)}


def test_the_sheets_stand_in_the_order_in_which_a_rate_is_read(book):
    assert openpyxl.load_workbook(book()).sheetnames == SHEETS


def test_every_formula_recomputes_to_the_value_the_pipeline_put_there(book):
    path = book()
    calculator, cached = Calculator(path), openpyxl.load_workbook(path, data_only=True)
    formulas = 0
    for sheet in calculator.book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    formulas += 1
                    found = calculator.value(sheet.title, cell.coordinate)
                    assert found == pytest.approx(cached[sheet.title][cell.coordinate].value, rel=1e-9), cell.value
    assert formulas > 50


def test_the_rates_of_the_book_are_the_rates_of_the_pipeline(book):
    expected = small_book()["rates"].set_index("cell").rate_usd
    assert rates_of(Calculator(book())) == pytest.approx(expected.to_dict(), abs=1e-9)


@pytest.mark.parametrize("name", ["admin_share", "trend_use_detox", "trend_price_outpatient", "credibility_old"])
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
