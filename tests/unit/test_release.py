"""The release: bytes that repeat, a report that says what it could not do, a folder that holds nothing unknown."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.cost import Pmpm
from ratebook.contracts.episodes import CohortFlow
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.engagement.plots import DRAWN_FROM, FIGURES, plot_engagement
from ratebook.episodes.plots import plot_flow
from ratebook.errors import RatebookError
from ratebook.release.figures import release_figures
from ratebook.release.manifest import direct_dependencies, release_manifest
from ratebook.release.report import interval_text as interval
from ratebook.release.report import public_settings, release_report, sentences, side_by_side
from ratebook.release.sentences import say_summary
from ratebook.release.tables import csv_text, read_released, release_tables, write_released
from ratebook.release.wording import direction, phrase, spell
from ratebook.tables import empty_frame

CONTENTS = yaml.safe_load((ROOT / "workflow/report/contents.yaml").read_text())
TEMPLATE = (ROOT / "workflow/report/report.html.j2").read_text()
SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.fixture
def nothing():
    """Every released table without a row, as real data without detox or long-term care leave them."""
    return {name: empty_frame(released.contract) for name, released in RELEASED.items()}


@pytest.fixture
def drawn(tmp_path):
    """A figure of every name, as small as a file can be."""
    paths = [tmp_path / f"{name}.{kind}" for name in CONTENTS["figures"] for kind in ("svg", "png")]
    for path in paths:
        path.write_bytes(b"<svg/>")
    return [str(path) for path in paths]


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


def test_the_rule_reads_exactly_the_named_tables():
    text = (ROOT / "workflow/rules/release.smk").read_text()
    inputs = text.split("rule release_tables:")[1].split("output:")[0]
    assert set(re.findall(r"(\w+)=\"results/", inputs)) == set(RELEASED)


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


def flow(persons):
    steps = [(n, f"B5.{n}", f"rule {n}", 0, a, b) for n, (a, b) in enumerate(pairwise(persons), start=1)]
    return pd.DataFrame(steps, columns=list(CohortFlow.types()))


def test_a_flow_is_drawn_with_hidden_steps_joined(nothing):
    tables = {**nothing, "cohort_flow": flow([900, 500, 497, 440])}
    drawn = plot_flow(release_tables(tables, 11)["cohort_flow"], 11)
    words = [" ".join(text.get_text().split()) for text in drawn.axes[0].texts if text.get_text()]
    assert words == [
        "With an episode of withdrawal management n = 900",
        "403 excluded; the rule: rule 1 + rule 2",
        "n = 497",
        "57 excluded; the rule: rule 3",
        "rule 3 n = 440",
    ]


def test_a_released_table_reads_back_and_repeats_its_bytes(nothing, tmp_path):
    tables = {**nothing, "cohort_flow": flow([900, 500, 497, 440])}
    shown = release_tables(tables, 11)
    paths = [str(tmp_path / f"cohort_flow.{kind}") for kind in ("csv", "parquet")]
    write_released(shown, paths)
    first = [Path(path).read_bytes() for path in paths]
    write_released(shown, paths)
    assert [Path(path).read_bytes() for path in paths] == first
    assert first[0].decode().splitlines()[1] == "1,B5.1,rule 1,0,900,"
    back = read_released([paths[1]])["cohort_flow"]
    assert back.persons_out.isna().tolist() == [True, False, False]


def test_figures_of_nothing_are_drawn_and_say_so(nothing):
    tables = {name: nothing.get(name, empty_frame(contract)) for name, contract in DRAWN_FROM.items()}
    for name, figure in plot_engagement(tables, 11).items():
        assert len(figure.axes[0].texts[0].get_text()) > 20, name


def test_figures_are_released_as_they_stand(drawn, tmp_path):
    targets = [str(tmp_path / "release" / Path(path).name) for path in drawn]
    release_figures(drawn, targets)
    assert {Path(path).read_bytes() for path in targets} == {b"<svg/>"}


@pytest.mark.parametrize("figure", sorted(FIGURES))
def test_a_figure_of_engagement_draws_what_the_released_copy_shows(figure, nothing, monkeypatch):
    seen = {}
    monkeypatch.setitem(
        FIGURES, figure, (lambda table, limit: seen.update(table=table, limit=limit), FIGURES[figure][1])
    )
    rows = pd.DataFrame({"arm": ["RSN", "CSP"], "estimate": [0.4, 0.5], "clients": [3, 40], "persons": [3, 40]})
    name = FIGURES[figure][1]
    table = rows.reindex(columns=list(DRAWN_FROM[name].types()))
    plot_engagement({**{other: empty_frame(contract) for other, contract in DRAWN_FROM.items()}, name: table}, 11)
    assert seen["limit"] == 11
    if name in RELEASED:
        counts = [column for column, field in DRAWN_FROM[name].fields().items() if field.persons]
        assert not (seen["table"][counts] < 11).any(axis=None)
        others = {RELEASED[name].compares, *(RELEASED[name].follows or ())[:1]} - {""}
        assert others <= set(DRAWN_FROM), "what decides of it is at hand where it is drawn"


def test_what_follows_a_hidden_row_is_hidden_too(nothing):
    rates = pd.DataFrame({"cell": ["a", "b"], "members": [5, 50], "member_months": [60.0, 600.0]})
    rates = rates.reindex(columns=list(RELEASED["rates"].contract.types()))
    plans = pd.DataFrame(
        {"cell": ["a", "b"], "plan": "BHP", "member_months": [60.0, 600.0], "plan_rate_usd": [9.0, 8.0]}
    )
    shown = release_tables({**nothing, "rates": rates, "plan_rates": plans}, 11)["plan_rates"]
    assert shown.member_months.isna().tolist() == [True, False]
    assert shown.plan_rate_usd.isna().tolist() == [True, False]


def test_dollars_of_few_lines_outside_coverage_are_hidden(nothing):
    levels = {"eligible": (900_000.0, 5000.0), "retro": (3_000.0, 40.0), "outside": (412.5, 2.0)}
    parts = [
        {"check_id": check, "level": level, "unit": unit, "value": found[n], "persons": 100, "share": 0.5}
        for n, (check, unit) in enumerate([("claims_cost", "usd"), ("claims_lines", "lines")])
        for level, found in levels.items()
    ]
    shown = release_tables({**nothing, "exposure_qa": pd.DataFrame(parts)}, 11)["exposure_qa"]
    assert shown.value.isna().tolist() == [False, True, True] * 2
    assert shown.share.isna().tolist() == [False, True, True] * 2


@pytest.mark.parametrize(("findings", "is_shown"), [(0, True), (1, False), (10, False), (11, True)])
def test_a_check_of_few_lines_shows_its_verdict_only(nothing, findings, is_shown):
    row = {"check_id": "orphan_void_usd", "severity": "info", "value": -75.0, "findings": findings, "passed": True}
    qa = pd.DataFrame([row]).reindex(columns=list(RELEASED["qa"].contract.types()))
    shown = release_tables({**nothing, "qa": qa}, 11)["qa"].iloc[0]
    assert [pd.notna(shown.value), pd.notna(shown.findings), bool(shown.passed)] == [is_shown, is_shown, True]


def test_a_month_of_few_records_hides_its_dollars_and_the_next_smallest_month(nothing):
    totals = pd.DataFrame({"records": [4, 80, 300], "control_records": [4, 80, 300], "paid_usd": [9.5, 800.0, 3000.0]})
    totals["paid_month"] = pd.date_range("2017-01-01", periods=3, freq="MS")
    totals = totals.assign(source_file="a.txt", category="pharmacy", control_usd=totals.paid_usd, difference_share=0.0)
    totals = totals.reindex(columns=list(RELEASED["reconciliation"].contract.types()))
    shown = release_tables({**nothing, "reconciliation": totals}, 11)["reconciliation"]
    for column in ("records", "control_records", "paid_usd", "control_usd", "difference_share"):
        assert shown[column].isna().tolist() == [True, True, False], column


def test_a_file_of_one_small_month_does_not_come_back_from_the_sum_of_all_files(nothing):
    totals = pd.DataFrame(
        {"source_file": ["2013.txt", "2014.txt", "2014.txt", "2014.txt"], "records": [2, 90, 80, 85]}
    )
    totals["paid_month"] = pd.date_range("2013-12-01", periods=4, freq="MS")
    totals = totals.assign(category="professional", control_records=totals.records, paid_usd=10.0 * totals.records)
    totals = totals.reindex(columns=list(RELEASED["reconciliation"].contract.types()))
    shown = release_tables({**nothing, "reconciliation": totals}, 11)["reconciliation"]
    assert shown.paid_usd.isna().tolist() == [True, False, True, True]


def test_a_rare_reason_and_the_next_rarest_show_no_incidence(nothing):
    ended = {"disengaged": 400, "graduated": 60, "death": 3, "readmitted": 0}
    rows = [
        {"arm": "RSN", "end_reason": cause, "day": day, "at_risk": 600 - day, "cause_persons": count}
        for cause, count in ended.items()
        for day in (0, 100, 200)
    ]
    incidence = pd.DataFrame(rows).assign(incidence=0.1, lower=0.05, upper=0.15)
    incidence["ended"] = incidence.cause_persons
    incidence = incidence.reindex(columns=list(RELEASED["cumulative_incidence"].contract.types()))
    shown = release_tables({**nothing, "cumulative_incidence": incidence}, 11)["cumulative_incidence"]
    for column in ("cause_persons", "incidence", "lower", "upper"):
        hidden = shown[column].isna().groupby(shown.end_reason).agg(["all", "any"])
        assert hidden["all"].to_dict() == hidden["any"].to_dict()
        assert set(hidden.index[hidden["all"]]) == {"death", "graduated"}


def test_people_at_risk_are_counted_on_one_grid_only(nothing):
    months = pd.DataFrame({"arm": "RSN", "month": [1, 2], "at_risk": [700, 600], "events": [100, 90]})
    months = months.reindex(columns=list(RELEASED["survival_by_month"].contract.types()))
    shown = release_tables({**nothing, "survival_by_month": months}, 11)["survival_by_month"]
    assert shown.at_risk.isna().all() and shown.events.isna().all()


def released(nothing, name, rows):
    frame = pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))
    return release_tables({**nothing, name: frame}, 11)[name]


def test_who_met_both_programs_does_not_come_back_from_table_1(nothing):
    counts = {"CSP": (610, 13), "RSN": (619, 14), "none": (85, 6)}
    rows = [
        {"first_program": arm, "programs": programs, "persons": persons, "share": persons / sum(pair)}
        for arm, pair in counts.items()
        for programs, persons in zip(("CSP only", "both"), pair)
    ]
    shown = released(nothing, "crossover", rows)
    both = shown[shown.programs == "both"].set_index("first_program").share.isna()
    assert both.to_dict() == {"CSP": True, "RSN": False, "none": True}


def test_a_share_whose_count_is_hidden_has_no_digits_to_count_by(nothing):
    rows = [{"arm": "CSP", "window_days": 7, "method": "complete_window", "persons": 621, "readmitted": 43}]
    shown = released(nothing, "readmission", [{**rows[0], "estimate": 43 / 621, "lower": 0.0492, "upper": 0.0965}])
    assert shown[["estimate", "lower", "upper"]].iloc[0].tolist() == [0.07, 0.05, 0.1]
    assert shown[["persons", "readmitted"]].isna().all(axis=None)


@pytest.mark.parametrize(("fewest", "is_shown"), [(5, False), (11, True), (None, True)])
def test_a_share_of_few_is_hidden_though_its_arm_is_large(nothing, fewest, is_shown):
    share = {"persons": 623, "fewest_persons": fewest, "estimate": 0.0036, "lower": 0.001, "upper": 0.01}
    for name in ("engagement", "engagement_sensitivity"):
        shown = released(nothing, name, [share]).iloc[0]
        assert [pd.notna(shown[column]) for column in ("estimate", "lower", "upper")] == [is_shown] * 3
        assert pd.isna(shown.fewest_persons)


def test_a_step_of_the_curve_does_not_count_those_who_ended(nothing):
    rows = [
        {
            "arm": "RSN",
            "day": day,
            "at_risk": at_risk,
            "ended": ended,
            "survival": 1 - ended / 700,
            "is_horizon": False,
        }
        for day, at_risk, ended in [(0, 700, 0), (7, 640, 50), (14, 600, 58), (21, 500, 120), (28, 480, 135)]
    ]
    shown = released(nothing, "survival", rows)
    assert shown.day[shown.survival.notna()].tolist() == [0, 14, 21, 28]
    assert shown.ended.isna().all()


@pytest.mark.parametrize("figure", sorted(FIGURES))
def test_a_figure_of_engagement_is_released_if_its_table_is(figure):
    assert (FIGURES[figure][1] in RELEASED) == (figure in CONTENTS["figures"])


def test_a_level_cannot_be_worked_out_from_its_arm(nothing):
    balance = pd.DataFrame({"covariate": "sex", "level": ["female", "male", "unknown"], "rsn_persons": [428, 313, 5]})
    balance = balance.assign(csp_persons=[440, 331, 30]).reindex(columns=list(RELEASED["balance"].contract.types()))
    shown = release_tables({**nothing, "balance": balance}, 11)["balance"]
    assert shown.rsn_persons.isna().tolist() == [False, True, True]


def test_a_float_is_printed_without_the_machines_last_digits():
    assert csv_text(pd.DataFrame({"x": [0.1 + 0.2]})) == "x\n0.3\n"


def test_the_manifest_knows_every_file_and_no_path_of_the_machine(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/qa.csv").write_text("check_id\n")
    released = [str(tmp_path / "tables/qa.csv")]
    config = {**SETTINGS, "intake": {**SETTINGS["intake"], "source": str(tmp_path / "private" / "claims")}}
    manifest, readme = release_manifest(
        tmp_path, released, released, "pandas==2.3.3\n", empty_frame(SourceManifest), config, "README.md"
    )
    assert set(manifest["files"]) == {"README.md", "tables/qa.csv"}
    assert manifest["config"]["intake"]["source"] == "claims"
    assert str(tmp_path) not in str(manifest)
    assert "engine" not in manifest["config"]
    assert "synthetic data" in readme.lower()
    assert "| `check_id` | string |" in readme


def test_a_file_nobody_made_may_not_leave_the_building(tmp_path):
    (tmp_path / "rows_of_persons.csv").write_text("x")
    with pytest.raises(RatebookError, match="1 files that no rule made"):
        release_manifest(tmp_path, [], [], "", empty_frame(SourceManifest), SETTINGS, "README.md")


def test_dependencies_are_read_without_their_extras():
    assert direct_dependencies("b[x]==2\na==1\n") == ["a", "b"]


def test_settings_that_are_printed_leave_the_engine_out():
    assert "engine" not in public_settings(SETTINGS)
