"""Spans of coverage at their limits."""

from __future__ import annotations

import pytest

from exposure_data import EXTRACT, days, draw_people
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.spans import build_spans, clean_eligibility

people = pytest.fixture(draw_people)


@pytest.fixture
def spans_of(table, people, run):
    def make(text, plan_priority=(), bridge_gap_days=0):
        spans = build_spans(table(text, Eligibility), *people, EXTRACT, list(plan_priority), bridge_gap_days)
        return run(spans.order_by("person_id", "start_date"))

    return make


def test_an_open_record_ends_with_the_extract_or_the_person(spans_of):
    rows = spans_of("person_id | enrollment_start_date\nA | 2023-03-01\nB | 2022-01-01")
    assert days(rows, "person_id", "end_date") == [("A", "2023-03-31"), ("B", "2022-02-10")]


def test_records_that_cannot_count_are_named(table, people, run):
    records = clean_eligibility(
        table(
            """\
            person_id | enrollment_start_date | enrollment_end_date | cells_unparsed
            A         | 2022-01-01            | 2022-01-01          | 0
            A         | 2022-01-02            | 2022-01-01          | 0
            A         |                       | 2022-01-01          | 0
            A         | 2022-01-01            |                     | 1
            B         | 2022-02-10            |                     | 0
            B         | 2022-02-11            |                     | 0
            A         | 2023-03-31            |                     | 0
            A         | 2023-04-01            |                     | 0
            Z         | 2022-01-01            | 2022-12-31          | 0
            """,
            Eligibility,
        ),
        *people,
        EXTRACT,
    )
    found = run(records.group_by("drop_reason").agg(n=records.count()))
    assert {row["drop_reason"]: row["n"] for row in found} == {
        None: 3,
        "unparsed": 1,
        "ends_before_start": 3,
        "no_start_date": 1,
        "unknown_person": 1,
    }


def test_two_ids_of_one_person_make_one_span(spans_of):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date
        A         | 2022-01-01            | 2022-06-30
        A2        | 2022-03-01            | 2022-09-30
        """
    )
    assert days(rows, "start_date", "end_date", "conflict_days") == [("2022-01-01", "2022-09-30", 0)]


def test_a_long_record_survives_a_short_one_within_it(spans_of):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date
        A         | 2022-01-01            | 2022-12-31
        A         | 2022-02-01            | 2022-02-28
        A         | 2022-12-31            | 2023-01-31
        """
    )
    assert days(rows, "start_date", "end_date") == [("2022-01-01", "2023-01-31")]


def test_the_record_entered_last_wins_and_the_disputed_days_are_counted(spans_of):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date | plan | record_added_date
        A         | 2022-01-01            | 2022-06-30          | X    | 2021-12-01
        A         | 2022-03-01            | 2022-03-31          | Y    | 2021-12-15
        """
    )
    assert days(rows, "plan", "start_date", "end_date", "conflict_days") == [
        ("X", "2022-01-01", "2022-02-28", 0),
        ("Y", "2022-03-01", "2022-03-31", 31),
        ("X", "2022-04-01", "2022-06-30", 0),
    ]


@pytest.mark.parametrize(
    ("priority", "winner"),
    [([], "X"), (["Y"], "Y"), (["Y", "X"], "Y"), (["X", "Y"], "X")],
)
def test_of_two_records_entered_on_one_day_the_trusted_plan_wins(spans_of, priority, winner):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date | plan
        A         | 2022-01-01            | 2022-06-30          | Y
        A         | 2022-01-01            | 2022-06-30          | X
        """,
        priority,
    )
    assert days(rows, "plan", "conflict_days") == [(winner, 181)]


@pytest.mark.parametrize(
    ("priority", "plan"),
    [
        pytest.param([], "Y", id="without a list the record entered last wins"),
        pytest.param(["Z"], "Y", id="a list that names neither decides nothing"),
        pytest.param(["Y", "X"], "Y", id="first in the list and entered last"),
        pytest.param(["X", "Y"], "X", id="first in the list though entered first"),
        pytest.param(["X"], "X", id="a named plan before one that is not"),
    ],
)
def test_a_trusted_plan_wins_over_a_later_record(spans_of, priority, plan):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date | plan | record_added_date
        A         | 2022-01-01            | 2022-01-31          | X    | 2021-12-01
        A         | 2022-01-01            | 2022-01-31          | Y    | 2021-12-15
        """,
        priority,
    )
    assert days(rows, "plan", "conflict_days", "plan_conflict_days") == [(plan, 31, 31)]


def test_a_dispute_about_other_than_the_plan_is_no_conflict_of_plans(spans_of):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date | plan | aid_category | record_added_date
        A         | 2022-01-01            | 2022-01-31          | X    | SSI          | 2021-12-01
        A         | 2022-01-11            | 2022-01-31          | X    | TANF         | 2021-12-15
        """
    )
    assert days(rows, "aid_category", "conflict_days", "plan_conflict_days") == [("SSI", 0, 0), ("TANF", 21, 0)]


@pytest.mark.parametrize(
    ("bridge_gap_days", "spans"),
    [pytest.param(0, 2, id="gap of 2, none bridged"), pytest.param(1, 2, id="above"), pytest.param(2, 1, id="at")],
)
def test_a_short_gap_is_bridged_only_if_asked(spans_of, bridge_gap_days, spans):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date
        A         | 2022-01-01            | 2022-01-31
        A         | 2022-02-03            | 2022-02-28
        """,
        bridge_gap_days=bridge_gap_days,
    )
    assert len(rows) == spans


@pytest.mark.parametrize(
    ("added", "retro_through"),
    [
        pytest.param("2021-12-31", None, id="entered the day before"),
        pytest.param("2022-01-01", None, id="entered on the first day: known in time"),
        pytest.param("2022-01-02", "2022-01-01", id="entered a day late: one day is retroactive"),
        pytest.param("2022-02-20", "2022-01-31", id="entered after the end: all of it is"),
    ],
)
def test_days_before_a_record_was_entered_are_retroactive(spans_of, added, retro_through):
    rows = spans_of(
        f"""\
        person_id | enrollment_start_date | enrollment_end_date | record_added_date
        A         | 2022-01-01            | 2022-01-31          | {added}
        """
    )
    assert days(rows, "start_date", "end_date", "retro_through_date") == [("2022-01-01", "2022-01-31", retro_through)]


def test_a_correction_entered_late_does_not_make_known_coverage_retroactive(spans_of):
    rows = spans_of(
        """\
        person_id | enrollment_start_date | enrollment_end_date | plan | record_added_date
        A         | 2022-01-01            | 2022-01-31          | X    | 2021-12-01
        A         | 2022-01-01            | 2022-02-10          | Y    | 2022-02-06
        """
    )
    assert days(rows, "plan", "start_date", "end_date", "retro_through_date") == [
        ("Y", "2022-01-01", "2022-01-31", None),
        ("Y", "2022-02-01", "2022-02-10", "2022-02-05"),
    ]


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("full", ["02", "04", "08", "2", "4", "8"]),
        ("partial", ["01", "03", "05", "06", "1", "6"]),
        ("other", ["09", "10", "99", "9", "77", "002", "0002"]),
        ("none", ["00", "07", "0", "7", ""]),
    ],
)
def test_dual_codes_padded_or_not(table, people, run, codes, group):
    rows = [f"A | 2022-01-01 | {code}" for code in codes]
    drawn = table("\n".join(["person_id | enrollment_start_date | dual_status_code", *rows]), Eligibility)
    found = run(clean_eligibility(drawn, *people, EXTRACT).dual_group)
    assert found == [group] * len(codes)


def test_the_order_of_records_changes_nothing(spans_of):
    header = "person_id | enrollment_start_date | enrollment_end_date | plan | aid_category | record_added_date"
    records = [
        "A | 2022-01-01 | 2022-06-30 | X | SSI  | 2021-12-01",
        "A | 2022-03-01 | 2022-08-31 | Y | SSI  | 2022-04-15",
        "A2| 2022-05-01 | 2022-05-31 | X | TANF | 2022-04-15",
        "B | 2022-01-01 |            | X |      |           ",
    ]
    straight = spans_of("\n".join([header, *records]))
    assert straight == spans_of("\n".join([header, *reversed(records)]))
    pieces = [row for row in straight if row["person_id"] == "A"]
    ends = [row["end_date"] for row in pieces]
    assert all(later["start_date"] > end for end, later in zip(ends[:-1], pieces[1:], strict=True)), "spans overlap"
