"""Headers and lines in files of their own: joined by a layout's word, and neither is lost."""

import pandas as pd
import pytest

from layout_data import NUMBERED, drawn_feed
from ratebook.contracts.intake import TABLES
from ratebook.errors import RatebookError
from ratebook.intake.sources import build_manifest, count_source, read_raw
from ratebook.tables import open_table, read_row, write_table

feed = pytest.fixture(drawn_feed)
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


def test_the_manifest_lists_headers_lines_and_every_part(feed, tmp_path):
    feed.write("h1.csv", "icn,adj,who,total\nA,,p,30\n")
    feed.write("l1.csv", "icn,adj,line,who,paid\nA,,1,n1,10\nB,,1,n1,5\n")
    parts = feed.parts("medical_claims", HEADED)
    write_table(read_raw(feed.folder, "medical_claims", parts), tmp_path / "out", TABLES["medical_claims"])
    counted = read_row(count_source(open_table(tmp_path / "out", TABLES["medical_claims"])))
    row = build_manifest(feed.folder, parts, {"medical_claims": counted}).iloc[0]
    assert (row.source, row.rows, float(row.paid_usd), row.cells_unparsed) == ("h1.csv, l1.csv", 2, 15.0, 1)
