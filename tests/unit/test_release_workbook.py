"""The rate book's formulas give the pipeline's own rates, and a changed input carries through."""

from __future__ import annotations

import re

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml

import check_workbook
from conftest import ROOT
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.rates import build_up
from ratebook.rates.case_rates import price_forms
from ratebook.rates.derive import derive_corridor
from ratebook.rates.trace import derive_rate_trace
from ratebook.release.workbook import release_workbook
from ratebook.tables import empty_frame

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())
ON_LEVEL = {"share": 0.3, "change": 0.1, "months_in_effect": 0}
SETTINGS["rates"]["base_changes"] = {"detox": {"value": ON_LEVEL, "unit": "share, share, months", "source": "worked"}}
"""Its factor is 1.03, live in its parts; of the other categories 1.03 is an input."""
SHEETS = [
    "Summary", "Build-up by cell", "Rates", "Completion", "Trend", "Changes", "Credibility", "Risk sharing", "Corridor",
    "Plan rates", "Settlement", "Uncertainty", "Tornado", "Case months", "Staffing", "Case rate", "Case terms", "Panels",
    "Programs", "Trace", "Assumptions", "Provenance",
]  # fmt: skip
LOADS = {"admin_share": 0.075, "margin_share": 0.015, "tax_share": 0.02}
TRENDS = {"detox": (0.01, 0.03), "medical": (0.04, 0.02), "residential": (0.03, 0.02)}
PAID = {("young", "detox"): 4_800_000.0, ("young", "residential"): 1_440_000.0,
        ("old", "detox"): 900_000.0, ("old", "residential"): 700_000.0,
        ("other", "detox"): 200_000.0, ("other", "medical"): 1_500_000.0}  # fmt: skip
MONTHS = {"young": 24_000.0, "old": 3_000.0, "other": 5_000.0}
COMPLETE = {"detox": (980.0, 1000.0), "medical": (900.0, 1000.0), "residential": (965.0, 1000.0)}
Z = {"young": 1.0, "old": 0.3, "other": 0.6}
POOLED = {"young": 0.98, "old": 1.05, "other": 1.0}
SMOOTHED = {"young": 0.997, "old": 1.02, "other": 1.0}
POOLS = {"young": "BHP", "old": "BHP", "other": "FFS"}
STAYS = np.array([1, 0.8, 0.65, 0.5, 0.4, 0.3])
COSTS = np.array([420.0, 300, 240, 200, 180, 160])


def complete_columns(name: str, rows) -> pd.DataFrame:
    return pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))


def small_book():
    """Two pools, three cells, three categories: the columns a rate needs, computed here by hand."""
    tables = {name: empty_frame(released.contract) for name, released in RELEASED.items()}
    build = []
    for (cell, category), paid in PAID.items():
        use, price = TRENDS[category]
        factor = COMPLETE[category][0] / COMPLETE[category][1]
        trend = ((1 + use) * (1 + price)) ** (36 / 12)
        row = {"cell": cell, "category": category, "member_months": MONTHS[cell], "base_usd": paid}
        row |= {"members": 500, "units": 1.0, "paid_pmpm_usd": paid / MONTHS[cell], "completion_factor": factor}
        row |= {"completed_pmpm_usd": paid / MONTHS[cell] / factor, "trend_utilisation": use, "trend_unit_cost": price}
        row |= {"trend_months": 36.0, "f_trend": trend, "f_program": 1.02, "f_managed_care": 0.97, "reason": "why"}
        row |= {"f_missing": 1.01, "f_pooling": POOLED[cell], "f_base_changes": 1.03}
        row["projected_pmpm_usd"] = row["completed_pmpm_usd"] * 1.01 * POOLED[cell] * 1.03 * trend * 1.02 * 0.97
        build.append(
            {
                **row,
                **{name: "why" for name in RELEASED["rate_build"].contract.types() if name.startswith("rationale_")},
            }
        )
    tables["rate_build"] = build = pd.DataFrame(build)
    rates = small_rates(build)
    tables["rates"] = complete_columns("rates", rates)
    tables["credibility"] = complete_columns("credibility", rates)
    tables["base_completion"] = complete_columns(
        "base_completion",
        [
            {"category": c, "paid_usd": p, "ultimate_usd": u, "completion_factor": p / u}
            for c, (p, u) in COMPLETE.items()
        ],
    )
    parts = [
        {"category": c, "component": name, "annual_trend": value, "source": "experience"}
        for c, (use, price) in TRENDS.items()
        for name, value in (("utilisation", use), ("unit_cost", price), ("pmpm", (1 + use) * (1 + price) - 1))
    ]
    tables["trend"] = complete_columns("trend", parts)
    lines = build.assign(service_month=pd.Timestamp("2017-01-01"), claim_lines=100)
    tables["rate_trace"] = derive_rate_trace(lines, build, tables["rates"], SETTINGS["rates"])
    tables["corridor"] = derive_corridor(SETTINGS["rates"])
    rate = rates.set_index("cell").rate_usd["young"]
    plans = pd.DataFrame(
        {"cell": "young", "plan": ["A", "B"], "member_months": [14e3, 10e3], "risk_score": [1.05, 0.97]}
    )
    score = build_up.normalise_scores(plans.member_months, plans.risk_score)
    tables["plan_rates"] = complete_columns(
        "plan_rates", plans.assign(normalised_score=score, plan_rate_usd=rate * score)
    )
    return tables | small_cases()


def small_rates(build: pd.DataFrame) -> pd.DataFrame:
    rates = build.groupby("cell", as_index=False, sort=False).projected_pmpm_usd.sum()
    rates["member_months"], rates["members"] = rates.cell.map(MONTHS), 500
    rates["f_tpl"], rates["tpl_pmpm_usd"] = 1.0, rates.projected_pmpm_usd
    rates["credibility_z"], rates["pool"], rates["manual_source"] = rates.cell.map(Z), rates.cell.map(POOLS), "pooled"
    total = (rates.tpl_pmpm_usd * rates.member_months).groupby(rates.pool).transform("sum")
    manual = total / rates.groupby("pool").member_months.transform("sum")
    raw = rates.credibility_z * rates.tpl_pmpm_usd + (1 - rates.credibility_z) * manual
    neutral = total / (raw * rates.member_months).groupby(rates.pool).transform("sum")
    rates = rates.assign(
        manual_pmpm_usd=manual, f_neutral=neutral, blended_pmpm_usd=raw * neutral, fixed_pmpm_usd=12.0
    )
    rates = rates.assign(f_smoothing=rates.cell.map(SMOOTHED), **LOADS)
    whole = (rates.blended_pmpm_usd + 12) / (1 - sum(LOADS.values())) * rates.f_smoothing
    rates["benefit_usd"] = whole * (1 - sum(LOADS.values())) - 12
    rates["rate_usd"] = whole.round(2)
    rates["lower"], rates["upper"] = rates.rate_usd - 9, rates.rate_usd + 9
    for part, share in LOADS.items():
        rates[part.replace("_share", "_usd")] = whole * share
    rates["projected_mlr"] = (rates.blended_pmpm_usd + 12) / (rates.rate_usd * (1 - LOADS["tax_share"]))
    rates["is_mlr_met"], rates["is_withhold_sound"] = rates.projected_mlr >= 0.85, True
    rates["range_upper_usd"], rates["band_low_usd"], rates["band_high_usd"] = (
        whole * 1.05,
        whole * 0.985,
        whole * 1.015,
    )
    rates["withhold_usd"] = rates.rate_usd * 0.02
    rates["rate_after_withhold_usd"] = build_up.rate_after_withhold(rates.rate_usd, 0.02, 0.70)
    return rates


def expected_stay() -> pd.DataFrame:
    """Give what a client of GT-22 is expected to cost, and how long to stay."""
    first = {"first_cost": [STAYS[0] * COSTS[0]], "first_months": [STAYS[0]]}
    return pd.DataFrame({"cost": [STAYS @ COSTS], "months": [STAYS.sum()], **first})


def small_cases() -> dict[str, pd.DataFrame]:
    """Give GT-22 as case rates of one program, with the months they rest on."""
    months = np.arange(1, 7)
    shared = {"arm": "RSN", "clients": 300, "load_share": 0.1, "expected_months": STAYS.sum(), "units_per_month": 20.0}
    monthly = {"actuarial": STAYS @ COSTS / STAYS.sum(), "staffing": 75000 / 270}
    rows = [
        {**shared, "basis": "actuarial", "form": form, "enrolment_usd": enrolment[0], "value_usd": value[0]}
        for form, (enrolment, value) in price_forms(expected_stay()).items()
    ]
    for form, times in (("per_month", 1.0), ("per_day", 12 / 365), ("per_episode", STAYS.sum())):
        rows.append(
            {**shared, "basis": "staffing", "form": form, "enrolment_usd": 0.0, "value_usd": 75000 / 270 * times}
        )
    rates = pd.DataFrame(rows)
    rates["loaded_usd"] = rates.value_usd / 0.9
    rates["implied_unit_price_usd"] = rates.basis.map(monthly) / 0.9 / 20
    risk = {"arm": "RSN", "form": "per_month", "stay_months": months, "cost_usd": COSTS.cumsum(), "clients": 50}
    return {
        "case_rates": complete_columns("case_rates", rates),
        "survival_by_month": complete_columns(
            "survival_by_month", {"arm": "RSN", "month": months, "survival_start": STAYS}
        ),
        "provider_risk": complete_columns("provider_risk", risk),
    }


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
        scope |= {
            "ABS": abs,
            "MIN": min,
            "MAX": max,
            "SIGN": np.sign,
            "IF": lambda test, yes, no: yes if test else no,
            "INDEX": lambda area, row: area[row - 1],
        }
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
        text = re.sub(r"--\((\x00\d+\x00)=(\x00\d+\x00|\"[^\"]*\"|\d+)\)", r"EQ(\1,\2)", text)
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
    return {calculator.value("Rates", f"A{row}"): calculator.value("Rates", f"{letter}{row}") for row in (6, 7, 8)}


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
