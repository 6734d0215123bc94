"""Days in institutions for mental diseases, and the months they keep out of capitation, at their limits."""

from __future__ import annotations

import pytest

from ratebook.contracts.clean import Claims, Persons
from ratebook.contracts.exposure import Spans
from ratebook.contracts.intake import Facilities
from ratebook.exposure.institutions import add_imd_days, count_imd_days
from ratebook.exposure.months import build_member_months

FACILITIES = """\
facility_npi | kind | valid_from | valid_to
I            | IMD  |            |
J            | IMD  | 2022-03-05 | 2022-03-10
J            | IMD  | 2022-03-08 | 2022-03-31
N            | NF   |            |
"""


@pytest.fixture
def days_of(table, run):
    def make(text, birth_date="1980-06-15", stay_levels=("WM_RES",)):
        persons = table(f"person_id | birth_date\nA | {birth_date}", Persons)
        claims = table(text, Claims, person_id="A")
        days = count_imd_days(claims, table(FACILITIES, Facilities), persons, list(stay_levels), [21, 64])
        return {f"{row['service_month']:%Y-%m}": row["imd_days"] for row in run(days)}

    return make


def stay(admission, discharge, npi="I", **more):
    columns = {"admission_date": admission, "discharge_date": discharge, "facility_npi": npi, **more}
    return " | ".join(columns) + "\n" + " | ".join(columns.values())


@pytest.mark.parametrize(
    ("discharge", "days"),
    [
        pytest.param("2022-03-01", {"2022-03": 1}, id="out on the day of admission: one day"),
        pytest.param("2022-03-02", {"2022-03": 1}, id="the day of discharge is no day of care"),
        pytest.param("2022-03-16", {"2022-03": 15}, id="fifteen nights"),
        pytest.param("2022-04-01", {"2022-03": 31}, id="out on the first of the next month"),
        pytest.param("2022-04-02", {"2022-03": 31, "2022-04": 1}, id="a day into the next month"),
    ],
)
def test_days_of_care_by_month(days_of, discharge, days):
    assert days_of(stay("2022-03-01", discharge)) == days


def test_a_patient_who_stays_on_is_there_on_the_last_day_of_the_bill(days_of):
    assert days_of(stay("2022-03-01", "2022-03-31", discharge_status="30")) == {"2022-03": 31}
    assert days_of(stay("2022-03-01", "2022-03-31", discharge_status="01")) == {"2022-03": 30}


def test_a_day_counts_once_however_many_claims_and_facilities_bill_it(days_of):
    text = """\
    facility_npi | billing_npi | admission_date | discharge_date
    I            |             | 2022-03-01     | 2022-03-11
    I            |             | 2022-03-01     | 2022-03-06
    I            |             | 2022-03-04     | 2022-03-09
                 | I           | 2022-03-10     | 2022-03-14
    J            |             | 2022-03-12     | 2022-03-16
    """
    assert days_of(text) == {"2022-03": 15}


def test_the_facility_counts_before_the_one_who_bills(days_of):
    assert days_of(stay("2022-03-01", "2022-03-05", npi="N", billing_npi="I")) == {}
    assert days_of(stay("2022-03-01", "2022-03-05", npi="", billing_npi="I")) == {"2022-03": 4}


def test_a_facility_counts_while_it_is_an_institution_for_mental_diseases(days_of):
    assert days_of(stay("2022-03-01", "2022-04-10", npi="J")) == {"2022-03": 27}
    assert days_of(stay("2022-03-01", "2022-03-05", npi="J")) == {}
    assert days_of(stay("2022-03-01", "2022-03-06", npi="J")) == {"2022-03": 1}


@pytest.mark.parametrize(
    ("birth_date", "days"),
    [
        pytest.param("2001-03-11", 0, id="20 on all days"),
        pytest.param("2001-03-10", 1, id="21 on the last day"),
        pytest.param("2001-03-01", 10, id="21 from the first day"),
        pytest.param("1957-03-11", 10, id="64 to the last day"),
        pytest.param("1957-03-10", 9, id="65 on the last day"),
        pytest.param("1957-03-01", 0, id="65 from the first day"),
        pytest.param("", 0, id="of no known age"),
    ],
)
def test_only_the_ages_of_the_limit_count(days_of, birth_date, days):
    assert days_of(stay("2022-03-01", "2022-03-11"), birth_date).get("2022-03", 0) == days


def test_care_billed_by_the_day_counts_by_its_days_if_it_is_24_hour_care(days_of):
    text = """\
    billing_npi | level  | service_start_date | service_end_date
    I           | WM_RES | 2022-03-01         | 2022-03-01
    I           | WM_RES | 2022-03-02         | 2022-03-03
    I           | OP     | 2022-03-20         | 2022-03-20
    I           |        | 2022-03-21         | 2022-03-21
    """
    assert days_of(text) == {"2022-03": 3}
    assert days_of(text, stay_levels=["OP"]) == {"2022-03": 1}


@pytest.mark.parametrize(("discharge", "days", "excluded"), [("2022-03-16", 15, False), ("2022-03-17", 16, True)])
def test_a_month_above_the_limit_may_not_be_capitated(table, run, discharge, days, excluded):
    persons = table("person_id | birth_date\nA | 1980-06-15", Persons)
    spans = table("person_id | start_date | end_date\nA | 2022-02-01 | 2022-03-05", Spans)
    claims = table(stay("2022-03-01", discharge), Claims, person_id="A")
    months = build_member_months(spans, persons)
    found = add_imd_days(months, claims, table(FACILITIES, Facilities), persons, [], [21, 64], 15)
    rows = run(found.order_by("service_month"))
    assert [(row["eligible_days"], row["imd_days"], row["is_imd_excluded"]) for row in rows] == [
        (28, 0, False),
        (5, days, excluded),
    ]
