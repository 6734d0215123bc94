"""Layouts: files of any shape become raw tables, and what does not parse is counted."""

import gzip

import ibis
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import TABLES, Eligibility, SourceManifest
from ratebook.errors import RatebookError
from ratebook.intake.cells import parse
from ratebook.intake.layouts import find_files, read_layout
from ratebook.intake.sources import build_manifest, check_parsed, count_source, read_source, read_sources
from ratebook.tables import empty_frame, open_table, read_row, write_table

SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"
LAYOUTS = sorted((ROOT / "workflow/layouts").glob("*.yaml"))
ELIGIBILITY = """\
id|from|to|plan|tpl|share
1|20140101|20141231|A|Y|10.005
2|20140131||B|N|1,000
3|20140231|20141231|Z||~
"""
COLUMNS = {
    "person_id": "id",
    "enrollment_start_date": {"from": "from", "format": "yyyymmdd"},
    "enrollment_end_date": {"from": "to", "format": "yyyymmdd"},
    "payer": {"constant": "medicaid"},
    "plan": {"from": "plan", "values": {"A": "BHP", "B": "FFS"}},
    "tpl_flag": "tpl",
    "monthly_patient_liability": "share",
}
ABSENT = ["dual_status_code", "aid_category", "medicaid_class", "waiver", "record_added_date"]


def small_layout(**changes):
    part = {"files": "elig*.txt.gz", "delimiter": "|", "nulls": ["~"], "columns": COLUMNS, "absent": ABSENT, **changes}
    others = {name: {"files": f"{name}.parquet", "same_names": True} for name in ("members", "medical_claims")}
    return {"name": "small", "description": "drawn here", "tables": {"eligibility": part, **others}}


@pytest.fixture
def layout(tmp_path):
    def write(**changes):
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(small_layout(**changes), sort_keys=False))
        return path

    return write


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "feed"
    folder.mkdir()
    with gzip.open(folder / "elig_2014.txt.gz", "wt") as file:
        file.write(ELIGIBILITY)
    for name in ("members", "medical_claims"):
        empty_frame(TABLES[name]).to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_every_layout_says_of_every_column_where_it_comes_from(path):
    parts = read_layout(path, SCHEMA)
    assert {"members", "eligibility", "medical_claims"} <= {part.table for part in parts}
    assert all({*part.columns, COUNTED} == set(TABLES[part.table].types()) for part in parts)


def test_cells_are_cast_and_those_that_do_not_parse_are_null_and_counted(layout, source, tmp_path, run):
    part = read_layout(layout(), SCHEMA)[0]
    raw = read_source(source, part)
    write_table(raw, tmp_path / "out", Eligibility)
    written = open_table(tmp_path / "out", Eligibility)
    rows = {row["person_id"]: row for row in run(written)}
    assert [str(rows[n]["enrollment_start_date"]) for n in "123"] == ["2014-01-01", "2014-01-31", "None"]
    assert [rows[n]["plan"] for n in "123"] == ["BHP", "FFS", None]
    assert [rows[n]["tpl_flag"] for n in "123"] == [True, False, None]
    assert [str(rows[n]["monthly_patient_liability"]) for n in "123"] == ["10.01", "None", "None"]
    # 31 February, a plan the map does not list, and a thousands separator; empty cells and `~` are not counted.
    assert read_row(count_source(written))["cells_unparsed"] == 3


def test_tables_the_source_lacks_are_empty_and_the_manifest_says_so(layout, source, tmp_path):
    parts = read_layout(layout(), SCHEMA)
    counts = {}
    for name, table in read_sources(source, parts).items():
        write_table(table, tmp_path / "out" / name, TABLES[name])
        counts[name] = read_row(count_source(open_table(tmp_path / "out" / name, TABLES[name])))
    manifest = build_manifest(source, parts, counts).set_index("table")
    write_table(manifest.reset_index(), tmp_path / "manifest", SourceManifest)
    assert manifest.status["navigator_log"] == "absent"
    assert (manifest.status["eligibility"], manifest.rows["eligibility"]) == ("read", 3)
    assert manifest.source["eligibility"] == "elig_2014.txt.gz"
    assert len(manifest) == len(TABLES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"files": "none.csv"}, "none.csv", id="no such file"),
        pytest.param({"columns": {**COLUMNS, "waivr": "x"}}, "no column waivr", id="a column we do not have"),
        pytest.param({"absent": []}, "column dual_status_code is neither", id="a column left unsaid"),
        pytest.param({"delimeter": ";"}, "delimeter", id="a key misspelt"),
        pytest.param({"files": "elig", "format": None}, "format", id="a file of no known kind"),
    ],
)
def test_a_wrong_layout_stops_with_the_place_to_change(layout, source, changes, message):
    with pytest.raises(RatebookError, match=message):
        find_files(layout(**changes), SCHEMA, source)


def test_a_missing_source_column_names_file_column_and_layout_key(layout, source):
    part = read_layout(layout(columns={**COLUMNS, "person_id": "member"}), SCHEMA)[0]
    with pytest.raises(RatebookError, match=r"'member'.*tables\.eligibility\.columns\.person_id"):
        read_source(source, part)


def test_a_missing_folder_names_the_setting(layout, tmp_path):
    with pytest.raises(RatebookError, match=r"intake\.source"):
        find_files(layout(), SCHEMA, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("form", "text", "parses"),
    [
        pytest.param("iso", "2000-01-05", True, id="a day"),
        pytest.param("iso", "2000-01-05 10:30:00", True, id="a day with its time"),
        pytest.param("iso", "2000-01-05xyz", False, id="a day with something behind it"),
        pytest.param("yyyymmdd", "20000105", True, id="eight digits"),
        pytest.param("yyyymmdd", "20000105junk", False, id="eight digits and more"),
        pytest.param("mm/dd/yyyy", "01/05/2000", True, id="slashes"),
        pytest.param("mm/dd/yyyy", "1/5/2000", False, id="slashes without zeros are another format"),
        pytest.param("ddmonyyyy", "05JAN2000", True, id="a month's name"),
        pytest.param("iso", "2000-02-30", False, id="a day that is none"),
    ],
)
def test_a_date_is_read_whole_or_not_at_all(run, form, text, parses):
    found = run(parse(ibis.literal(text), "date", form))
    assert (found is not None) == parses


@pytest.mark.parametrize(("cells", "stops"), [(5, False), (6, True)])
def test_too_many_cells_that_do_not_parse_stop_the_run(cells, stops):
    manifest = pd.DataFrame({"table": ["members"], "rows": [100], "cells_unparsed": [cells]})
    if not stops:
        check_parsed(manifest, 0.05)
        return
    with pytest.raises(RatebookError, match=r"members: 6 cells in 100 rows.*layout"):
        check_parsed(manifest, 0.05)
