"""GT-2 of methods.md (A12.6): three spans of one person in 2022, counted by hand and by an independent program."""

from __future__ import annotations

import datetime as dt

import pytest

from ratebook.contracts.clean import Identity, Persons
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.months import build_member_months
from ratebook.exposure.spans import build_spans, join_gaps


@pytest.fixture
def spans(table):
    eligibility = table(
        """\
        person_id | enrollment_start_date | enrollment_end_date
        A         | 2022-01-01            | 2022-03-31
        A         | 2022-04-01            | 2022-06-15
        A         | 2022-08-10            | 2022-12-31
        """,
        Eligibility,
    )
    identity = table("source_person_id | person_id\nA | A", Identity, valid_from="1900-01-01", valid_to="9999-12-31")
    persons = table("person_id | sex | county | region\nA | female | x | y", Persons)
    return build_spans(eligibility, identity, persons, "2023-03-31", [], 0)


@pytest.fixture
def counted(spans, table):
    persons = table("person_id | sex | county | region\nA | female | x | y", Persons)
    return build_member_months(spans, persons)


def test_adjacent_spans_are_one_and_a_gap_of_55_days_parts_them(spans, run):
    expected = [
        (dt.date(2022, 1, 1), dt.date(2022, 6, 15)),
        (dt.date(2022, 8, 10), dt.date(2022, 12, 31)),
    ]
    for found in (spans, join_gaps(spans, 54)):
        assert [(row["start_date"], row["end_date"]) for row in run(found.order_by("start_date"))] == expected
    assert run(join_gaps(spans, 55).count()) == 1


@pytest.mark.parametrize(
    ("rule", "months"),
    [("any_day", 11), ("first_day", 10), ("day_15", 11), ("full_month", 9), ("fractional", 5 + 15 / 30 + 22 / 31 + 4)],
)
def test_member_months_by_every_rule(counted, run, rule, months):
    assert float(run(counted[f"mm_{rule}"].sum())) == pytest.approx(months, abs=1e-9)


def test_the_total_of_fractional_months_an_independent_program_gave(counted, run):
    assert float(run(counted.mm_fractional.sum())) == pytest.approx(10.209677, abs=5e-7)
