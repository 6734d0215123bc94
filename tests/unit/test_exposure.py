"""Spans of coverage and member months at their limits."""

from __future__ import annotations

import datetime as dt

import ibis
import pytest

from ratebook.contracts.clean import Identity, Persons
from ratebook.contracts.exposure import Spans
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.months import age_on, build_member_months
from ratebook.exposure.spans import build_spans, clean_eligibility, join_gaps

EXTRACT = "2023-03-31"


@pytest.fixture
def people(table):
    identity = table(
        "source_person_id | person_id\nA | A\nA2 | A\nB | B", Identity, valid_from="1900-01-01", valid_to="9999-12-31"
    )
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
    ("rule", "months"),
    [("any_day", 3), ("first_day", 1), ("day_15", 1), ("full_month", 1), ("fractional", 12 / 31 + 1 + 1 / 31)],
)
def test_a_month_by_every_rule_at_its_limit(table, people, run, rule, months):
    one = table(
        """\
        person_id | start_date | end_date
        A         | 2022-01-20 | 2022-02-28
        A         | 2022-03-31 | 2022-03-31
        """,
        Spans,
    )
    counted = build_member_months(one, people[1])
    assert float(run(counted[f"mm_{rule}"].sum())) == pytest.approx(months, abs=1e-9)


RECORDS = [
    "A | 2022-01-10 | 2022-06-30 | X | SSI  | 02 | 2021-12-01",
    "A | 2022-03-05 | 2022-08-31 | Y | SSI  |    | 2022-04-15",
    "A2| 2022-05-01 | 2022-05-31 | X | TANF | 01 | 2022-04-15",
    "A | 2022-10-16 | 2023-02-27 | X | SSI  |    |           ",
    "B | 2022-01-01 |            | X |      |    | 2022-01-20",
]
COLUMNS = "person_id|enrollment_start_date|enrollment_end_date|plan|aid_category|dual_status_code|record_added_date"


@pytest.fixture
def months_of(table, people, run):
    def make(records, persons=people[1], extract=EXTRACT):
        eligibility = table("\n".join([COLUMNS, *records]), Eligibility)
        spans = build_spans(eligibility, people[0], persons, extract, [], 0)
        return run(build_member_months(spans, persons).order_by("person_id", "service_month"))

    return make


def test_whatever_the_records_the_rules_keep_their_order(months_of):
    months = months_of(RECORDS)
    assert len(months) == 15
    for month in months:
        assert 1 == month["mm_any_day"] >= month["mm_first_day"] >= month["mm_full_month"]
        assert month["mm_day_15"] >= month["mm_full_month"]
        assert month["mm_full_month"] <= month["mm_fractional"] <= month["mm_any_day"]
        assert round(month["mm_fractional"] * month["days_in_month"], 6) == month["eligible_days"]
        assert month["is_retro"] == (month["retro_days"] > 0) and month["retro_days"] <= month["eligible_days"]


def test_no_person_year_holds_more_than_twelve_months_nor_more_months_than_days_can_make(months_of):
    twice = [record.replace("A |", "A2|") for record in RECORDS]
    months = months_of(RECORDS + twice)
    assert months == months_of(RECORDS)
    per_year = {}
    for month in months:
        year = (month["person_id"], month["service_month"].year)
        per_year[year] = per_year.get(year, 0) + 1
    assert max(per_year.values()) <= 12
    assert sum(month["mm_fractional"] for month in months) <= sum(month["eligible_days"] for month in months) / 28


def test_a_record_cut_in_two_equal_neighbours_changes_nothing(months_of):
    halves = ["B | 2022-01-01 | 2022-01-25 | X | | | 2022-01-20", "B | 2022-01-26 | | X | | | 2022-01-20"]
    assert months_of(RECORDS[:-1] + halves) == months_of(RECORDS)


def test_28_years_later_every_month_counts_the_same(months_of, table):
    def later(text):
        return text.replace("2021-", "2049-").replace("2022-", "2050-").replace("2023-", "2051-")

    persons = table("person_id | birth_date | death_date | sex\nA | 2008-06-15 | |\nB | | 2050-02-10 |", Persons)
    shifted = months_of([later(record) for record in RECORDS], persons, later(EXTRACT))
    counts = (
        "person_id",
        "eligible_days",
        "retro_days",
        "mm_first_day",
        "mm_day_15",
        "mm_fractional",
        "plan",
        "age_years",
    )
    assert days(shifted, *counts) == days(months_of(RECORDS), *counts)


@pytest.mark.parametrize(
    ("gap", "longest", "periods"),
    [(0, 0, 1), (1, 0, 2), (1, 1, 1), (45, 45, 1), (46, 45, 2), (45, 0, 2)],
)
def test_a_test_of_continuous_enrolment_may_bridge_up_to_its_gap(table, run, gap, longest, periods):
    second = dt.date(2022, 2, 1) + dt.timedelta(days=gap)
    two = f"person_id | start_date | end_date\nA | 2022-01-01 | 2022-01-31\nA | {second} | 2022-12-31"
    assert run(join_gaps(table(two, Spans), longest).count()) == periods
