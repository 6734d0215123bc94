"""The report: it says what it could not do, takes its words from the tables, and prints numbers in their unit."""

from __future__ import annotations

import re
from decimal import Decimal

import pandas as pd
import pytest

from conftest import ROOT
from ratebook.contracts.cost import Pmpm
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.release.report import interval_text as interval
from ratebook.release.report import public_settings, release_report, sentences, side_by_side
from ratebook.release.sentences import say_summary
from ratebook.release.wording import direction, phrase, spell
from ratebook.tables import empty_frame
from release_data import CONTENTS, SETTINGS, no_rows, small_figures

nothing = pytest.fixture(no_rows)
drawn = pytest.fixture(small_figures)
TEMPLATE = (ROOT / "workflow/report/report.html.j2").read_text()


def report(tables, drawn, settings=SETTINGS):
    return release_report(TEMPLATE, CONTENTS, tables, drawn, empty_frame(SourceManifest), settings)


def test_the_report_of_data_without_a_cohort_says_so_and_prints_no_number(nothing, drawn):
    page = report(nothing, drawn)
    text = re.sub(r"<[^>]+>|data:[^\"]+", " ", page)
    assert "No member met the rules of the study cohort" in page
    assert "none could be priced" in page
    assert "there is no rate" in page
    assert not re.search(r"\bnan\b|\binf\b|None\b|NaT", text)


def test_every_section_of_synthetic_data_says_that_it_is_synthetic(nothing, drawn):
    page = report(nothing, drawn)
    assert page.count("<h2>") == page.count("<small>synthetic data</small>")
    assert all("synthetic data" in caption for caption in re.findall(r"<figcaption>.*?</figcaption>", page, re.DOTALL))


def test_data_about_real_services_carry_no_such_note(nothing, drawn):
    settings = {**SETTINGS, "study": {**SETTINGS["study"], "data_note": ""}}
    assert "synthetic data" not in report(nothing, drawn, settings).split("Choice")[0].split('id="assumptions"')[0]


def test_the_report_needs_no_other_file_to_be_read(nothing, drawn):
    page = report(nothing, drawn)
    assert not re.search(r"<script|<link|src=\"(?!data:)", page)


def test_the_contents_name_released_tables_and_columns_that_exist():
    for section in CONTENTS["sections"]:
        for spec in section.get("tables", []):
            columns = RELEASED[spec["name"]].contract.types()
            named = [*spec.get("columns", []), *spec.get("index", []), *([spec["beside"]] if "beside" in spec else [])]
            assert not set(named) - set(columns), spec["name"]
        assert set(section.get("figures", [])) <= set(CONTENTS["figures"])
    assert {figure["table"] for figure in CONTENTS["figures"].values()} <= set(RELEASED)
    assert {s["id"] for s in CONTENTS["sections"]} >= set(sentences.SENTENCES)


def contrast(**values):
    row = {"variant": "P1", "numerator": "program", "arm": "difference", "month_rule": "exact", "reason": None}
    frame = pd.DataFrame([{**row, **values}]).reindex(columns=list(Pmpm.types()))
    return frame


@pytest.mark.parametrize(
    ("estimate", "lower", "upper", "word"),
    [
        pytest.param(-160.0, -200.0, -120.0, "cost less under RSN", id="below zero: less"),
        pytest.param(160.0, 120.0, 200.0, "cost more under RSN", id="above zero: more"),
        pytest.param(-160.0, -400.0, 80.0, "do not exclude no difference", id="zero inside: open"),
        pytest.param(-160.0, -320.0, 0.0, "do not exclude no difference", id="zero at the limit: open"),
    ],
)
def test_a_direction_is_read_from_the_table(nothing, estimate, lower, upper, word):
    tables = {**nothing, "pmpm": contrast(estimate_usd=estimate, lower=lower, upper=upper)}
    assert any(word in said for said in say_summary(tables, SETTINGS))


def test_an_estimate_that_is_missing_says_why(nothing):
    tables = {**nothing, "pmpm": contrast(reason="no engaged month in CSP")}
    said = " ".join(say_summary(tables, SETTINGS))
    assert "could not be estimated (no engaged month in CSP)" in said
    assert not re.search(r"\b(more|less|longer|higher|lower|the same)\b", said)


def test_numbers_are_printed_in_their_unit():
    assert spell(1234.5, "usd") == "$1,234.50"
    assert spell(-1234567.0, "usd") == "−$1,234,567"
    assert spell(0.1234, "share") == "12.3%"
    assert spell(Decimal("7.00"), "usd") == "$7.00"
    assert spell(None) == spell(float("nan")) == "–"
    assert spell(-0.0, "usd") == "$0.00"
    assert spell(123456) == "123,456"
    assert spell(0.012345) == "0.01235" or spell(0.012345) == "0.01234"


def test_an_interval_without_its_limits_gives_the_reason():
    row = {"estimate": 2.0, "lower": None, "upper": None, "reason": "one provider"}
    assert phrase(row) == "2 (no interval: one provider)"
    assert direction(row, "more", "less", "same").startswith("more, though")


def test_side_by_side_keeps_a_hidden_cell_hidden():
    frame = pd.DataFrame(
        {
            "form": ["per_month"] * 2,
            "arm": ["RSN", "CSP"],
            "estimate_usd": [150.0, None],
            "lower": [140.0, None],
            "upper": [160.0, None],
            "reason": [None, None],
        }
    )
    shown = side_by_side(frame, ["form"], "arm", interval)
    assert [cell["text"] for cell in shown["rows"][0]] == ["per_month", "$150.00 ($140.00 to $160.00)", "hidden"]


def test_settings_that_are_printed_leave_the_engine_out():
    assert "engine" not in public_settings(SETTINGS)
