"""GT-3 of methods.md (B3 to B5): six bills of one person in 2022 make five stays and three episodes."""

from __future__ import annotations

import datetime as dt

import pytest

from ratebook.contracts.clean import Claims
from ratebook.episodes.stays import build_episodes, build_stays

BILLS = """\
    claim_id | facility_npi | admission_date | discharge_date | discharge_status
    c1       | F1           | 2022-01-01     | 2022-01-05     | 01
    c2       | F1           | 2022-01-05     | 2022-01-09     | 01
    c3       | F2           | 2022-01-10     | 2022-01-14     | 30
    c4       | F2           | 2022-01-15     | 2022-01-18     | 01
    c5       | F1           | 2022-02-20     | 2022-02-24     | 01
    c6       | F1           | 2022-03-10     | 2022-03-13     | 01
    """


@pytest.fixture
def stays(table):
    claims = table(
        BILLS,
        Claims,
        person_id="A",
        line_number=1,
        level="WM_RES",
        record_type="ffs",
        is_crossover="false",
        is_sud_diagnosis="true",
        cost_usd="100.00",
    )
    return build_stays(claims, ["WM_HOSP", "WM_RES"], True)


def test_five_stays_because_only_the_bill_that_says_still_a_patient_is_continued(stays, run):
    rows = run(stays.order_by("stay"))
    assert [
        (row["facility_id"], row["admission_date"].day, row["discharge_date"].day, row["claims"]) for row in rows
    ] == [
        ("F1", 1, 5, 1),
        ("F1", 5, 9, 1),
        ("F2", 10, 18, 2),
        ("F1", 20, 24, 1),
        ("F1", 10, 13, 1),
    ]
    assert rows[2]["discharge_status"] == "01"


def test_three_episodes_with_their_lengths_gaps_and_transfer(stays, run):
    rows = run(build_episodes(stays, ["WM_HOSP", "WM_RES"], 1).order_by("episode"))
    names = ("stays", "facilities", "is_transfer", "los_days", "days_to_next", "n12")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (3, 2, True, 17, 33, 1),
        (1, 1, False, 4, 14, 2),
        (1, 1, False, 3, None, 3),
    ]
    assert [row["first_facility_id"] + row["last_facility_id"] for row in rows] == ["F1F2", "F1F1", "F1F1"]
    assert rows[0]["discharge_date"] == dt.date(2022, 1, 18)


@pytest.mark.parametrize(
    ("count_index", "index"),
    [pytest.param(True, 2, id="the index counts: E2"), pytest.param(False, 3, id="two before the index: E3")],
)
def test_the_index_is_the_first_episode_with_enough_detox_in_its_year(stays, run, count_index, index):
    rows = run(build_episodes(stays, ["WM_HOSP", "WM_RES"], 1).order_by("episode"))
    enough = [row["episode"] for row in rows if row["n12"] - (not count_index) >= 2]
    assert enough[0] == index
