"""Enrolment by month in columns side by side: each month enrolled becomes a row with the days of it."""

import pytest

from layout_data import drawn_feed

feed = pytest.fixture(drawn_feed)


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
