"""The words of a layout: each does what it says on files written here, counts what it cannot read, and names its errors."""

import pandas as pd
import pytest

from layout_data import NUMBERED, SCHEMA, drawn_feed
from ratebook.errors import RatebookError
from ratebook.intake.layouts import find_files

feed = pytest.fixture(drawn_feed)


def one_cell(feed, cell, how, column="claim_id"):
    feed.write("a.csv", f'A,B,C\n"{cell}",b,\n')
    entry = {"files": "a.csv", "columns": {column: how, **NUMBERED}}
    return feed.rows("medical_claims", entry, column, "cells_unparsed")[0]


@pytest.mark.parametrize(
    ("cell", "how", "found"),
    [
        pytest.param("F10.20", {"from": "A", "remove": "."}, "F1020", id="a point is left out"),
        pytest.param("0111", {"from": "A", "unpad": "0"}, "111", id="the zero of a bill type"),
        pytest.param("000", {"from": "A", "unpad": "0"}, None, id="nothing but zeros is nothing"),
        pytest.param("45", {"from": "A", "pad": 4}, "0045", id="padded to four"),
        pytest.param("04501", {"from": "A", "pad": 4}, "04501", id="what is longer is not cut"),
        pytest.param("7", {"from": "A", "prefix": "OH-"}, "OH-7", id="a prefix"),
        pytest.param("", {"from": "A", "prefix": "OH-"}, None, id="an empty cell gets no prefix"),
        pytest.param("", {"from": ["A", "C", "B"]}, "b", id="the first that is not empty"),
        pytest.param(" x ", {"from": ["A", "B"]}, "x", id="blanks around a cell do not count"),
        pytest.param("1", {"together": ["A", "B"]}, "1b", id="side by side"),
        pytest.param("1", {"together": ["A", "C"]}, None, id="side by side with an empty cell is empty"),
        pytest.param("1", {"from": "A", "values": {"1": "one"}}, "one", id="a value map"),
        pytest.param("", {"from": "A", "values": {"": "none"}}, "none", id="what an empty cell means"),
        pytest.param("", {"from": "A", "values": {"1": "one"}, "else": "other"}, None, id="else is not for the empty"),
        pytest.param("2", {"from": "A", "values": {"1": "one"}, "else": "same"}, "2", id="else the same"),
        pytest.param("2", {"from": "A", "where": {"B": ["b", "c"]}}, "2", id="where it holds"),
        pytest.param("2", {"from": "A", "where": {"B": ["c"]}}, None, id="where it does not"),
        pytest.param("2", {"from": "A", "where": {"C": [None]}}, "2", id="where a cell is empty"),
        pytest.param("2", {"from": "A", "unless": {"B": ["b"]}}, None, id="unless it holds"),
        pytest.param("2", {"from": "A", "unless": {"C": ["b"]}}, "2", id="unless, of an empty cell, never holds"),
    ],
)
def test_each_word_of_a_column_does_what_it_says(feed, cell, how, found):
    assert one_cell(feed, cell, how) == (found, "0")


@pytest.mark.parametrize(
    ("cell", "form", "found"),
    [
        pytest.param("$1,234.50", "money", "1234.50", id="dollars"),
        pytest.param("(12.00)", "money", "-12.00", id="brackets are a minus"),
        pytest.param("12.00-", "money", "-12.00", id="a minus behind"),
        pytest.param("-$.5", "money", "-0.50", id="a minus before"),
        pytest.param("1,23", "money", None, id="two digits behind a comma are no thousands"),
        pytest.param("(12.00", "money", None, id="half a bracket"),
        pytest.param("1250", "cents", "12.50", id="whole cents"),
        pytest.param("5-", "cents", "-0.05", id="five cents back"),
        pytest.param("12.5", "cents", None, id="cents have no point"),
        pytest.param("1,234.50", None, None, id="a comma is no plain number"),
    ],
)
def test_an_amount_is_read_as_its_format_says_or_counted(feed, cell, form, found):
    how = {"from": "A"} | ({"format": form} if form else {})
    assert one_cell(feed, cell, how, "paid_amount") == (found, "0" if found else "1")


@pytest.mark.parametrize(
    ("cell", "form", "found"),
    [
        ("05-Jan-2015", "dd-mon-yyyy", "2015-01-05"),
        ("31-Feb-2015", "dd-mon-yyyy", None),
        ("1/5/2015", "m/d/yyyy", "2015-01-05"),
        ("12/31/2015", "m/d/yyyy", "2015-12-31"),
        ("13/1/2015", "m/d/yyyy", None),
    ],
)
def test_a_date_is_read_as_its_format_says_or_counted(feed, cell, form, found):
    assert one_cell(feed, cell, {"from": "A", "format": form}, "paid_date") == (found, "0" if found else "1")


def test_a_count_that_is_not_whole_does_not_parse(feed):
    assert one_cell(feed, "1.5", "A", "claim_line_number") == (None, "1")
    assert one_cell(feed, "2.0", "A", "claim_line_number") == ("2", "0")


def test_a_cell_that_does_not_count_is_not_counted_either(feed):
    how = {"from": "A", "where": {"B": ["c"]}}
    assert one_cell(feed, "not a number", how, "paid_amount") == (None, "0")


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks(feed):
    feed.write("a.txt.gz", 'id|note\n1|"a | b"\n2|"first\nsecond ""line"""\n')
    entry = {"files": "a.txt.gz", "delimiter": "|", "columns": {"claim_id": "id", "plan": "note", **NUMBERED}}
    assert feed.rows("medical_claims", entry, "claim_id", "plan") == [("1", "a | b"), ("2", 'first\nsecond "line"')]


def test_rows_are_numbered_by_part_then_file_then_row_whatever_their_columns(feed):
    feed.write("b_2.csv", "who,id\np,4\n")
    feed.write("b_1.csv", "id,who,more\n2,p,x\n3,p,x\n")
    feed.write("a/part-1.csv", "id,who\n1,p\n")
    feed.write("a/part-0.csv", "id,who\n0,p\n")
    feed.write("a/_SUCCESS", "")
    entry = {
        "columns": {"claim_id": "id", **NUMBERED},
        "optional": ["more"],
        "parts": [
            {"files": "a", "format": "csv", "columns": {"plan": {"constant": "A"}}},
            {"files": "b_*.csv", "columns": {"plan": "more"}},
        ],
    }
    found = feed.rows("medical_claims", entry, "claim_id", "plan", "source_file")
    assert found == [
        ("0", "A", "part-0.csv"),
        ("1", "A", "part-1.csv"),
        ("2", "x", "b_1.csv"),
        ("3", "x", "b_1.csv"),
        ("4", None, "b_2.csv"),
    ]


def test_a_table_of_one_file_is_numbered_from_one(feed):
    feed.write("a.csv", "id\n7\n8\n9\n")
    entry = {"files": "a.csv", "columns": {"claim_id": "id", **NUMBERED}}
    assert feed.rows("medical_claims", entry, "load_sequence") == [("1",), ("2",), ("3",)]


def test_folders_of_parquet_parts_are_read_and_typed_cells_taken_as_they_are(feed):
    (feed.folder / "clm").mkdir()
    for n, day in enumerate(("2015-01-05", "2015-02-05")):
        rows = {"id": [f"c{n}"], "day": pd.to_datetime([day]), "usd": [10.25], "line": [n + 1]}
        pd.DataFrame(rows).to_parquet(feed.folder / "clm" / f"part-{n}.parquet")
    columns = {"claim_id": "id", "paid_date": "day", "paid_amount": "usd", "claim_line_number": "line", **NUMBERED}
    entry = {"files": "clm", "format": "parquet", "columns": columns}
    found = feed.rows("medical_claims", entry, *list(columns)[:4], "cells_unparsed")
    assert found == [("c0", "2015-01-05", "10.25", "1", "0"), ("c1", "2015-02-05", "10.25", "2", "0")]


def test_rows_that_belong_to_another_table_are_left_to_it(feed):
    feed.write("a.csv", "id,kind\n1,2\n2,B\n3,1\n4,\n")
    columns = {"claim_id": "id", **NUMBERED}
    keep = feed.rows(
        "medical_claims", {"files": "a.csv", "keep": {"kind": ["2", "B"]}, "columns": columns}, "claim_id"
    )
    left = feed.rows(
        "medical_claims", {"files": "a.csv", "leave": {"kind": ["2", "B"]}, "columns": columns}, "claim_id"
    )
    assert (keep, left) == ([("1",), ("2",)], [("3",), ("4",)])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"columns": {"claim_id": {"from": "id", "constant": "x"}}}, r"columns\.claim_id: say exactly one of from"),
        ({"columns": {"claim_id": {"pad": 4}}}, r"columns\.claim_id: say exactly one of from"),
        ({"columns": {"paid_amount": {"from": "id", "format": "iso"}}}, r"paid_amount\.format: iso does not suit"),
        ({"columns": {"paid_date": {"from": "id", "format": "money"}}}, r"paid_date\.format: money does not suit"),
        ({"columns": {"claim_id": {"from": "id", "values": {1: "one"}}}}, r"claim_id\.values: put 1 in quotes"),
        ({"columns": {"claim_id": {"from": "id", "where": {"x": "1"}}}}, r"claim_id\.where\.x: '1' is not of type"),
        ({"columns": {"claim_id": "id"}, "absent": ["claim_id"]}, r"absent: claim_id is under columns too"),
        ({"months": {"year": "y"}}, r"months: say `enrolled` or `days`"),
        ({"lines": {"files": "l.csv"}}, r"lines: 'by' is a required property"),
        ({"lines": {"files": "l", "by": ["id"]}}, r"lines\.format: say csv or parquet"),
        ({"parts": [{"files": "b.csv"}]}, r"claims\.files: a table made of parts says this in each part"),
        ({"columns": {"claim_id": "nope"}}, r"a\.csv: no column 'nope' \(layout key tables\.medical_claims\.columns"),
        ({"keep": {"nope": ["1"]}}, r"no column 'nope' \(layout key tables\.medical_claims\.keep"),
    ],
)
def test_a_wrong_word_stops_with_the_place_to_change(feed, entry, message):
    feed.write("a.csv", "id\n1\n")
    entry = {"files": "a.csv", **entry}
    entry["columns"] = {**NUMBERED, **entry.get("columns", {})}
    with pytest.raises(RatebookError, match=message):
        feed.rows("medical_claims", entry, "claim_id")


def test_a_later_file_without_a_needed_column_is_named(feed):
    feed.write("a_1.csv", "id,who\n1,p\n")
    feed.write("a_2.csv", "id\n2\n")
    entry = {"files": "a_*.csv", "columns": {"claim_id": "id", "person_id": "who", **NUMBERED}}
    with pytest.raises(RatebookError, match=r"a_2\.csv: no column 'who' .*columns\.person_id"):
        feed.rows("medical_claims", entry, "claim_id")
    assert feed.rows("medical_claims", {**entry, "optional": ["who"]}, "person_id") == [("p",), (None,)]


@pytest.mark.parametrize(
    ("written", "words", "message"),
    [
        (["h.csv"], {}, r"no file matches 'l\*\.csv' .*tables\.medical_claims\.parts\.0\.lines\.files"),
        (["h.csv"], {"may_be_absent": True}, r"'l\*\.csv'"),
        (["l.csv"], {"may_be_absent": True}, r"'h\*\.csv'"),
        ([], {}, r"'h\*\.csv'"),
        ([], {"may_be_absent": True}, None),
    ],
)
def test_a_part_is_there_whole_or_said_to_be_absent(feed, written, words, message):
    for name in [*written, "none.csv"]:
        feed.write(name, "")
    part = {"files": "h*.csv", "lines": {"files": "l*.csv", "by": ["icn"]}, **words}
    feed.parts("medical_claims", {"columns": {**NUMBERED}, "parts": [part]})
    if message is None:
        assert [path.rpartition("/")[2] for path in find_files(feed.path, SCHEMA, feed.folder)] == ["none.csv"]
        return
    with pytest.raises(RatebookError, match=message):
        find_files(feed.path, SCHEMA, feed.folder)
