"""Member months at their limits: days, attributes and age of a month, each rule of counting, and what no rule may pass."""

from __future__ import annotations

import datetime as dt

import ibis
import pytest

from exposure_data import EXTRACT, days, draw_people
from ratebook.contracts.clean import Persons
from ratebook.contracts.exposure import Spans
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.months import age_on, build_member_months
from ratebook.exposure.spans import build_spans, join_gaps

people = pytest.fixture(draw_people)


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
