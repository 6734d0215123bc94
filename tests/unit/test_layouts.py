"""The words of a layout: each does what it says on files written here, counts what it cannot read, and names its errors."""

import gzip

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.intake import TABLES
from ratebook.errors import RatebookError
from ratebook.intake.layouts import find_files, read_layout
from ratebook.intake.sources import build_manifest, count_source, read_raw
from ratebook.tables import open_table, read_row, write_table

SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"
NUMBERED = {"load_sequence": {"expression": "row_number"}, "source_file": {"expression": "file_name"}}


class Feed:
    """A folder of files and a layout with one entry under test; the other tables it needs are empty parts of it."""

    def __init__(self, folder, run):
        self.folder, self.run = folder / "feed", run
        self.folder.mkdir()
        self.path = folder / "drawn.yaml"

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".gz":
            with gzip.open(path, "wt") as file:
                file.write(text)
        else:
            path.write_text(text)

    def parts(self, table, entry):
        places = [entry, *entry.get("parts", [])]
        said = {name for place in places for name in [*place.get("columns", {}), *place.get("absent", [])]}
        rest = [name for name in TABLES[table].types() if name not in {*said, "cells_unparsed"}]
        entry = {**entry, "absent": [*entry.get("absent", []), *rest]}
        others = {
            name: {"files": "none.csv", "same_names": True} for name in ("members", "eligibility", "medical_claims")
        }
        layout = {"name": "drawn", "description": "drawn here", "tables": {**others, table: entry}}
        self.path.write_text(yaml.safe_dump(layout, sort_keys=False))
        return [part for part in read_layout(self.path, SCHEMA) if part.table == table]

    def rows(self, table, entry, *columns):
        """Give columns of a table as tuples, in the order of the rows' numbers where there is one."""
        parts = self.parts(table, entry)
        found = self.run(read_raw(self.folder, table, parts))
        key = "load_sequence" if "load_sequence" in TABLES[table].types() else None
        found = sorted(found, key=lambda row: row[key]) if key else found
        return [tuple(str(row[c]) if row[c] is not None else None for c in columns) for row in found]


@pytest.fixture
def feed(tmp_path, run):
    return Feed(tmp_path, run)


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


HEADED = {
    "files": "h*.csv",
    "lines": {"files": "l*.csv", "by": ["icn", "adj"]},
    "columns": {
        "claim_id": "icn",
        "claim_line_number": "line",
        "person_id": "header.who",
        "rendering_npi": "line.who",
        "header_paid_amount": "total",
        "paid_amount": "paid",
        **NUMBERED,
    },
}


def test_lines_are_joined_to_headers_and_neither_is_lost(feed):
    feed.write("h1.csv", "icn,adj,who,total\nA,,p,30\nB,,q,5\nA,1,p,20\nC,,r,x\nC,,r,7\n,,s,1\n")
    feed.write(
        "l1.csv", "icn,adj,line,who,paid\nA,,1,n1,10\nA,,2,n2,20\nA,1,1,n1,20\nZ,,1,n3,99\nC,,1,n4,7\n,,1,n5,1\n"
    )
    found = feed.rows("medical_claims", HEADED, "claim_id", "claim_line_number", "person_id", "rendering_npi",
                      "header_paid_amount", "paid_amount", "cells_unparsed", "source_file")  # fmt: skip
    assert found == [
        ("A", "1", "p", "n1", "30.00", "10.00", "0", "l1.csv"),
        ("A", "2", "p", "n2", "30.00", "20.00", "0", "l1.csv"),
        ("A", "1", "p", "n1", "20.00", "20.00", "0", "l1.csv"),
        ("Z", "1", None, "n3", None, "99.00", "1", "l1.csv"),  # no header
        ("C", "1", "r", "n4", None, "7.00", "1", "l1.csv"),  # the first header of two, its amount not a number
        (None, "1", None, "n5", None, "1.00", "1", "l1.csv"),  # an empty key matches no empty key
        ("B", None, "q", None, "5.00", None, "0", "h1.csv"),  # no line
        ("C", None, "r", None, "7.00", None, "0", "h1.csv"),  # the second header of two
        (None, None, "s", None, "1.00", None, "0", "h1.csv"),
    ]


def test_headers_and_lines_may_call_their_key_differently_and_be_of_any_kind(feed, tmp_path):
    pd.DataFrame({"icn": [7], "who": ["p"], "total": [3.0]}).to_parquet(feed.folder / "h.parquet")
    feed.write("l.txt", "claim|line|paid\n7|1|3\n")
    entry = {
        "files": "h.parquet",
        "lines": {"files": "l.txt", "delimiter": "|", "by": {"icn": "claim"}},
        "columns": {"claim_id": "icn", "person_id": "who", "paid_amount": "paid", **NUMBERED},
    }
    assert feed.rows("medical_claims", entry, "claim_id", "person_id", "paid_amount") == [("7", "p", "3.00")]


def spans(feed, months, text, names=None):
    feed.write("e.csv", text)
    entry = {
        "files": "e.csv",
        "months": {"year": "year", **months, **({"names": names} if names else {})},
        "columns": {
            "person_id": "id",
            "enrollment_start_date": {"expression": "month_start"},
            "enrollment_end_date": {"expression": "month_end"},
            "dual_status_code": "dual_{month}",
        },
    }
    found = feed.rows("eligibility", entry, "person_id", "enrollment_start_date", "enrollment_end_date",
                      "dual_status_code", "cells_unparsed")  # fmt: skip
    return sorted(found, key=lambda row: [(cell is None, cell or "") for cell in row])


def annual(rows, marker="in", suffixes=tuple(f"{n:02d}" for n in range(1, 13))):
    """Write one line a person and year; cells not given are empty."""
    names = [f"{kind}_{at}" for kind in (marker, "dual") for at in suffixes]
    lines = [",".join(["id", "year", *names])]
    lines += [",".join([who, year, *[cells.get(name, "") for name in names]]) for who, year, cells in rows]
    return "\n".join(lines) + "\n"


def test_each_month_enrolled_becomes_a_row_with_the_cells_of_its_month(feed):
    marked = {"in_02": "3", "dual_02": "02", "in_03": "0", "dual_03": "08", "in_12": "C"}
    how = {"from": "in_{month}", "values": {"0": False, "3": True, "C": True}}
    assert spans(feed, {"enrolled": how}, annual([("p", "2016", marked)])) == [
        ("p", "2016-02-01", "2016-02-29", "02", "0"),
        ("p", "2016-12-01", "2016-12-31", None, "0"),
    ]


def test_a_marker_or_year_nobody_can_read_gives_a_row_without_dates_and_is_counted(feed):
    how = {"from": "in_{month}", "values": {"0": False, "1": True}}
    text = annual([("p", "2016", {"in_01": "?", "in_02": "1"}), ("q", "MMXVI", {"in_05": "1", "in_06": "0"})])
    assert spans(feed, {"enrolled": how}, text) == [
        ("p", "2016-02-01", "2016-02-29", None, "0"),
        ("p", None, None, None, "1"),
        ("q", None, None, None, "1"),
    ]


@pytest.mark.parametrize(
    ("days", "found"),
    [
        pytest.param({"d_04": "30"}, [("2015-04-01", "2015-04-30", "0")], id="the whole month"),
        pytest.param({"d_04": "1"}, [("2015-04-01", "2015-04-01", "0")], id="one day alone is the first"),
        pytest.param({"d_04": "0"}, [], id="no day, no row"),
        pytest.param(
            {"d_03": "31", "d_04": "10"},
            [("2015-03-01", "2015-03-31", "0"), ("2015-04-01", "2015-04-10", "0")],
            id="after an enrolled month, its first days",
        ),
        pytest.param(
            {"d_04": "10", "d_05": "31"},
            [("2015-04-21", "2015-04-30", "0"), ("2015-05-01", "2015-05-31", "0")],
            id="before an enrolled month, its last days",
        ),
        pytest.param({"d_04": "31"}, [(None, None, "1")], id="more days than the month has"),
        pytest.param({"d_04": "ten"}, [(None, None, "1")], id="no number"),
    ],
)
def test_days_of_a_month_are_put_beside_the_months_enrolled(feed, days, found):
    rows = spans(feed, {"days": "d_{month}"}, annual([("p", "2015", days)], marker="d"))
    assert [(start, end, broken) for _, start, end, _, broken in rows] == found


def test_a_month_marked_enrolled_with_no_days_is_counted_and_not_lost(feed):
    how = {"enrolled": {"from": "in_{month}", "values": {"0": False, "1": True}}, "days": "dual_{month}"}
    marked = {"in_01": "1", "dual_01": "31", "in_02": "1", "in_03": "0", "in_04": "1", "dual_04": "0"}
    rows = spans(feed, how, annual([("p", "2015", marked)]))
    assert [(start, end, broken) for _, start, end, _, broken in rows] == [
        ("2015-01-01", "2015-01-31", "0"),
        (None, None, "1"),
    ]


def test_months_may_be_written_in_any_way(feed):
    names = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEPT", "OCT", "NOV", "DEC"]
    text = annual([("p", "2015", {"in_SEPT": "Y", "dual_SEPT": "02"})], suffixes=names)
    found = spans(feed, {"enrolled": "in_{month}"}, text, names)
    assert found == [("p", "2015-09-01", "2015-09-30", "02", "0")]


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


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        ("icn,adj,total\n", "icn,adj,line,who,paid\n", r"h1\.csv: no column 'who' .*columns\.person_id"),
        ("icn,adj,who,total,paid\n", "icn,adj,line,who,paid\n", r"'paid' is in its header file too; say header\.paid"),
        ("icn,who,total\n", "icn,adj,line,who,paid\n", r"h1\.csv: no column 'adj' .*lines\.by"),
        ("icn,adj,who,total\n", "icn,adj,who,paid\n", r"h\*\.csv and l\*\.csv: no column 'line'"),
    ],
)
def test_a_column_of_two_files_is_named_with_its_file(feed, header, lines, message):
    feed.write("h1.csv", header)
    feed.write("l1.csv", lines)
    with pytest.raises(RatebookError, match=message):
        feed.rows("medical_claims", HEADED, "claim_id")


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


def test_the_manifest_lists_headers_lines_and_every_part(feed, tmp_path):
    feed.write("h1.csv", "icn,adj,who,total\nA,,p,30\n")
    feed.write("l1.csv", "icn,adj,line,who,paid\nA,,1,n1,10\nB,,1,n1,5\n")
    parts = feed.parts("medical_claims", HEADED)
    write_table(read_raw(feed.folder, "medical_claims", parts), tmp_path / "out", TABLES["medical_claims"])
    counted = read_row(count_source(open_table(tmp_path / "out", TABLES["medical_claims"])))
    row = build_manifest(feed.folder, parts, {"medical_claims": counted}).iloc[0]
    assert (row.source, row.rows, float(row.paid_usd), row.cells_unparsed) == ("h1.csv, l1.csv", 2, 15.0, 1)
