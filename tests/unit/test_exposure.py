"""Spans of coverage and member months at their limits."""

from __future__ import annotations

import datetime as dt

import ibis
import pytest

from ratebook.contracts.clean import Claims, Identity, Persons
from ratebook.contracts.exposure import Enrolment, ExposureQa, MemberMonths, Spans
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.checks import build_enrolment, check_exposure, tag_coverage
from ratebook.exposure.months import age_on, build_member_months
from ratebook.exposure.spans import build_spans, clean_eligibility
from ratebook.tables import empty_frame, write_table

EXTRACT = "2023-03-31"


@pytest.fixture
def people(table):
    identity = table("source_person_id | person_id\nA | A\nA2 | A\nB | B", Identity)
    persons = table(
        """\
        person_id | birth_date | death_date | sex    | county | region
        A         | 1980-06-15 |            | female | Essex  | east
        B         |            | 2022-02-10 | male   | Essex  | east
        """,
        Persons,
    )
    return identity, persons


@pytest.fixture
def spans_of(table, people, run):
    def make(text, plan_priority=(), bridge_gap_days=0):
        spans = build_spans(table(text, Eligibility), *people, EXTRACT, list(plan_priority), bridge_gap_days)
        return run(spans.order_by("person_id", "start_date"))

    return make


def days(rows, *names):
    return [
        tuple(row[name].isoformat() if isinstance(row[name], dt.date) else row[name] for name in names) for row in rows
    ]


def test_an_open_record_ends_with_the_extract_or_the_person(spans_of):
    rows = spans_of("person_id | enrollment_start_date\nA | 2023-03-01\nB | 2022-01-01")
    assert days(rows, "person_id", "end_date") == [("A", "2023-03-31"), ("B", "2022-02-10")]


def test_records_that_cannot_count_are_named(table, people, run):
    records = clean_eligibility(
        table(
            """\
            person_id | enrollment_start_date | enrollment_end_date
            A         | 2022-01-01            | 2022-01-01
            A         | 2022-01-02            | 2022-01-01
            A         |                       | 2022-01-01
            B         | 2022-02-11            |
            Z         | 2022-01-01            | 2022-12-31
            """,
            Eligibility,
        ),
        *people,
        EXTRACT,
    )
    found = run(records.group_by("drop_reason").agg(n=records.count()))
    assert {row["drop_reason"]: row["n"] for row in found} == {
        None: 1,
        "ends_before_start": 2,
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
    ("code", "group"),
    [("02", "full"), ("8", "full"), ("01", "partial"), ("10", "other"), ("77", "other"), ("00", "none"), ("", "none")],
)
def test_dual_codes(spans_of, code, group):
    rows = spans_of(f"person_id | enrollment_start_date | dual_status_code\nA | 2022-01-01 | {code}")
    assert rows[0]["dual_group"] == group


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


@pytest.fixture
def spans(table):
    return table(
        """\
        person_id | start_date | end_date   | plan | waiver | retro_through_date | conflict_days
        A         | 2022-01-16 | 2022-01-20 | X    | HCBS   | 2022-01-17         | 2
        A         | 2022-01-25 | 2022-02-28 | Y    |        |                    | 0
        B         | 2022-01-31 | 2022-02-01 | X    |        |                    | 0
        """,
        Spans,
        payer="medicaid",
        aid_category="unknown",
        medicaid_class="other",
        dual_group="none",
    )


def test_a_month_carries_the_attributes_of_its_last_covered_day_even_a_missing_one(spans, people, run):
    months = run(build_member_months(spans, people[1]).order_by("person_id", "service_month"))
    found = days(months, "person_id", "service_month", "eligible_days", "plan", "waiver", "is_retro", "age_years")
    assert found == [
        ("A", "2022-01-01", 12, "Y", None, True, 41),
        ("A", "2022-02-01", 28, "Y", None, False, 41),
        ("B", "2022-01-01", 1, "X", None, False, None),
        ("B", "2022-02-01", 1, "X", None, False, None),
    ]
    rules = ["mm_any_day", "mm_first_day", "mm_day_15", "mm_full_month"]
    assert [tuple(row[rule] for rule in rules) for row in months] == [
        (1, 0, 0, 0),
        (1, 1, 1, 1),
        (1, 0, 0, 0),
        (1, 1, 0, 0),
    ]


def test_days_of_the_months_sum_to_days_of_the_spans(spans, people, run):
    months = build_member_months(spans, people[1])
    total = (spans.end_date.delta(spans.start_date, unit="day") + 1).sum()
    assert run(months.eligible_days.sum()) == run(total) == 42


@pytest.mark.parametrize(("day", "age"), [("2022-06-14", 41), ("2022-06-15", 42), ("2022-06-16", 42)])
def test_age_turns_on_the_birthday(run, day, age):
    assert run(age_on(ibis.date(day), ibis.date("1980-06-15"))) == age


@pytest.mark.parametrize(
    ("served", "coverage"),
    [
        ("2022-01-15", "outside"),
        ("2022-01-16", "retro"),
        ("2022-01-17", "retro"),
        ("2022-01-18", "eligible"),
        ("2022-01-20", "eligible"),
        ("2022-01-21", "outside"),
    ],
)
def test_lines_are_tagged_by_coverage(table, spans, run, served, coverage):
    claims = table(f"person_id | service_start_date\nA | {served}", Claims)
    tagged = tag_coverage(claims, spans)
    assert [row["coverage"] for row in run(tagged)] == [coverage]
    assert tagged.columns == (*claims.columns, "coverage")


def test_checks_split_every_whole_and_lose_nothing(table, people, spans, run):
    eligibility = table("person_id | enrollment_start_date\nA | 2022-01-01\nZ | 2022-01-01", Eligibility)
    claims = table(
        """\
        person_id | service_start_date | cost_usd
        A         | 2022-01-16         | 10.00
        A         | 2022-02-01         | 30.00
        A         | 2021-01-01         | 60.00
        """,
        Claims,
    )
    months = build_member_months(spans, people[1])
    found = run(check_exposure(eligibility, *people, spans, months, claims, EXTRACT))
    value = {(row["check_id"], row["level"]): row["value"] for row in found}
    share = {(row["check_id"], row["level"]): row["share"] for row in found}
    assert value["spans", "unknown_person"] == value["spans", "kept"] == 1
    assert (value["conflict", "disputed"], value["conflict", "agreed"]) == (2, 40)
    assert value["retro", "retro"] == pytest.approx(12 / 31)
    assert share["claims_cost", "eligible"] == 0.3
    assert share["claims_cost", "outside"] == 0.6
    assert ("double_count", "over_12_months_a_year") not in value


def test_no_record_gives_empty_tables(people, tmp_path, run):
    empty = {c: ibis.memtable(empty_frame(c), schema=c.types()) for c in (Eligibility, Claims)}
    spans = build_spans(empty[Eligibility], *people, EXTRACT, [], 0)
    months = build_member_months(spans, people[1])
    write_table(spans, tmp_path / "spans.parquet", Spans)
    write_table(months, tmp_path / "member_months.parquet", MemberMonths)
    write_table(build_enrolment(months), tmp_path / "enrolment.parquet", Enrolment)
    checks = check_exposure(empty[Eligibility], *people, spans, months, empty[Claims], EXTRACT)
    write_table(checks, tmp_path / "qa.parquet", ExposureQa)
    assert run(months.count()) == 0
