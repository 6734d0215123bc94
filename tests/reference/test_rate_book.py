"""The worked rate of methods.md E10 (GT-23), computed by LibreOffice from the rate book's formulas alone.

Every number the book derives is written into it as 1, so that what is read back can only come from its formulas.
"""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

import check_workbook
from conftest import ROOT
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.release.workbook import release_workbook
from ratebook.tables import empty_frame

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())
BUILD = [
    # category, paid, completion, utilisation, unit cost, program, managed care
    ("wm", 4_800_000, 0.980, 0.010, 0.030, 1.020, 0.970),
    ("residential", 2_640_000, 0.975, 0.020, 0.025, 1.000, 1.000),
    ("outpatient", 1_440_000, 0.965, 0.030, 0.020, 1.010, 1.020),
    ("medication", 1_920_000, 0.998, 0.040, 0.035, 1.000, 1.000),
    ("recovery_support", 480_000, 0.950, 0.060, 0.015, 1.250, 1.050),
    ("ed_other", 1_200_000, 0.970, 0.015, 0.030, 1.000, 0.950),
]
LOADS = {"admin_share": 0.075, "margin_share": 0.015, "tax_share": 0.02}
"""Those of E10; the corridor and the withhold of the shipped config are the worked ones too, and are checked to be."""


def rows_of(name: str, rows, **neutral) -> pd.DataFrame:
    """Complete rows into a released table's columns, whatever is derived being 1."""
    contract = RELEASED[name].contract
    frame = pd.DataFrame(rows).reindex(columns=list(contract.types()))
    for column, field in contract.fields().items():
        if frame[column].isna().all() and field.type in ("float64", "int64", "decimal(14, 2)"):
            frame[column] = neutral.get(column, 1.0)
    return frame


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    if not check_workbook.find_office():
        pytest.skip(check_workbook.NO_OFFICE)
    loads = {name: SETTINGS["rates"]["loads"][name]["value"] for name in LOADS}
    assert loads == LOADS
    assert [SETTINGS["rates"]["withhold"][name]["value"] for name in ("withheld_share", "earned_share")] == [
        0.02,
        0.70,
    ]
    tables = {name: empty_frame(released.contract) for name, released in RELEASED.items()}
    tables["rate_build"] = rows_of(
        "rate_build",
        [
            {"cell": "adult", "category": row[0], "member_months": 24_000, "base_usd": row[1], "f_program": row[5],
             "f_managed_care": row[6], "trend_months": 36.0}
            for row in BUILD
        ],
    )  # fmt: skip
    tables["base_completion"] = rows_of(
        "base_completion", [{"category": row[0], "paid_usd": row[1], "ultimate_usd": row[1] / row[2]} for row in BUILD]
    )
    trends = [
        {"category": row[0], "component": name, "annual_trend": value, "source": "worked"}
        for row in BUILD
        for name, value in (("utilisation", row[3]), ("unit_cost", row[4]), ("pmpm", 1.0))
    ]
    tables["trend"] = rows_of("trend", trends)
    rate = {"cell": "adult", "pool": "A", "plan": "A", "member_months": 24_000, "f_tpl": 0.99, "fixed_pmpm_usd": 12.0}
    rate |= {
        "manual_source": "external",
        "manual_pmpm_usd": 640.0,
        "is_mlr_met": False,
        "is_withhold_sound": False,
        **LOADS,
    }
    tables["rates"] = rows_of("rates", [rate])
    tables["credibility"] = rows_of("credibility", [{"cell": "adult", "credibility_z": (24_000 / 36_000) ** 0.5}])
    plans = [{"cell": "adult", "plan": "A", "member_months": 14_000, "risk_score": 1.05},
             {"cell": "adult", "plan": "B", "member_months": 10_000, "risk_score": 0.97}]  # fmt: skip
    tables["plan_rates"] = rows_of("plan_rates", plans)
    ratios = [0.92, 0.955, 0.97, 1.0, 1.03, 1.045, 1.08]
    tables["corridor"] = rows_of("corridor", [{"actual_to_target": ratio} for ratio in ratios])
    folder = tmp_path_factory.mktemp("book")
    release_workbook(str(folder / "worked.xlsx"), tables, SETTINGS, empty_frame(SourceManifest))
    return check_workbook.read_values(check_workbook.recalculate([folder / "worked.xlsx"], folder / "new")[0])


def test_the_build_up_is_computed_to_the_worked_projection(book):
    found = book["Build-up by cell"].set_index("Category")["Projected per member month"]
    worked = {"wm": 227.3273, "residential": 128.9318, "outpatient": 74.2776, "medication": 99.9725,
              "recovery_support": 34.4129, "ed_other": 55.9541}  # fmt: skip
    assert found.to_dict() == pytest.approx(worked, abs=5e-5)
    assert found.sum() == pytest.approx(620.8762, abs=5e-5)


def test_the_rate_its_ranges_its_loss_ratio_and_its_withhold(book):
    rate, risk = book["Rates"].iloc[0], book["Risk sharing"].iloc[0]
    assert rate["Blended cost"] == pytest.approx(619.3160, abs=5e-5)
    assert rate["Rate per member month"] == 709.34
    assert rate["Loss ratio"] == risk["Loss ratio"] == pytest.approx(0.908168, abs=5e-6)
    assert bool(risk["Loss ratio met"]) and bool(risk["Still covers cost, administration and taxes"])
    assert risk["Upper end of a certified range"] == pytest.approx(744.81, abs=0.005)
    assert risk["Lowest rate without a new certification"] == pytest.approx(698.70, abs=0.005)
    assert risk["Highest without a new certification"] == pytest.approx(719.98, abs=0.005)
    assert (risk["Administration"], risk["Margin"]) == pytest.approx((53.2008, 10.6402), abs=5e-5)
    assert risk["Withheld"] == pytest.approx(14.1868, abs=5e-5)
    assert risk["Rate after what of it is not earned"] == pytest.approx(705.08, abs=0.005)


def test_plans_adjusted_for_risk_are_paid_what_the_cell_is_paid(book):
    plans = book["Plan rates"].set_index("Plan")
    assert plans["Score over the cell's mean"].to_dict() == pytest.approx({"A": 1.032787, "B": 0.954098}, abs=5e-7)
    assert plans["Plan's rate"].to_dict() == pytest.approx({"A": 732.5970, "B": 676.7801}, abs=5e-5)
    assert (plans["Plan's rate"] * plans["Member months"]).sum() == pytest.approx(24_000 * 709.34, abs=1e-6)


def test_the_corridor_pays_nothing_near_the_target_and_mirrors_itself(book):
    found = book["Corridor"].set_index("Cost over target")["State pays the plan (negative: is paid)"]
    assert found[0.92] == pytest.approx(-0.033)
    assert [found[ratio] for ratio in (0.97, 1.0, 1.03)] == pytest.approx([0, 0, 0], abs=1e-12)
    assert (found[1.08], found[1.045]) == pytest.approx((-found[0.92], -found[0.955]))
