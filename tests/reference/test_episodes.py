"""GT-3 of methods.md (B3 to B5): six bills of one person in 2022 make five stays and three episodes."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cohort_data import cohort_rules
from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import inclusion_rules, select_candidates
from ratebook.episodes.incidence import is_readmitted
from ratebook.episodes.stays import build_episodes, build_stays, count_by_gap
from ratebook.episodes.variants import count_variants, select_by_unit, select_eligible
from ratebook.tables import hold

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
    ("window_days", "readmitted"),
    [(7, [False, False, False]), (14, [False, True, False]), (30, [False, True, False]), (90, [True, True, False])],
)
def test_readmission_within_the_window_33_and_14_days_after_discharge(stays, run, window_days, readmitted):
    rows = run(build_episodes(stays, ["WM_HOSP", "WM_RES"], 1).order_by("episode"))
    days_to_next = pd.Series([row["days_to_next"] for row in rows], dtype="float64")
    assert is_readmitted(days_to_next, window_days).tolist() == readmitted


@pytest.fixture
def enrolled(table):
    """Coverage and person of somebody who passes every other rule, and no claim."""
    spans = table("person_id | start_date | end_date | dual_group\nA | 2020-01-01 | 2022-12-31 | none", Spans)
    persons = table("person_id | birth_date\nA | 1980-01-01", Persons)
    return spans, persons, table("person_id", Claims)


@pytest.mark.parametrize(
    ("unit", "count_index", "index_rule", "index"),
    [
        pytest.param("episode", True, "first", "2022-02-20", id="the index counts: E2"),
        pytest.param("episode", False, "first", "2022-03-10", id="two before the index: E3"),
        pytest.param("stay", True, "first", "2022-01-05", id="every stay is an admission: the second F1 stay"),
        pytest.param("stay", False, "first", "2022-01-10", id="two stays before the index: the F2 stay"),
        pytest.param("episode", True, "last", "2022-03-10", id="the last eligible: E3"),
        pytest.param("stay", True, "last", "2022-03-10", id="the last eligible stay"),
    ],
)
def test_the_index_by_every_reading_of_more_than_one_detox_admission(
    stays, enrolled, run, unit, count_index, index_rule, index
):
    rules = cohort_rules(window_end="2022-12-31", unit=unit, count_index=count_index, index_rule=index_rule)
    episodes = build_episodes(hold(stays), ["WM_HOSP", "WM_RES"], 1, unit)
    candidates = hold(select_candidates(episodes, *enrolled, rules))
    [chosen] = run(candidates.filter(candidates.passed > len(inclusion_rules(candidates, rules))))
    assert chosen["admission_date"] == dt.date.fromisoformat(index)


def test_every_reading_stands_in_the_table_of_variants(stays, table, enrolled, run):
    rules = cohort_rules(window_end="2022-12-31")
    by_unit = select_by_unit(hold(stays), ["WM_HOSP", "WM_RES"], 1, *enrolled, rules)
    by_unit = {unit: hold(candidates) for unit, candidates in by_unit.items()}
    rows = run(count_variants(hold(select_eligible(by_unit, table("person_id", Contacts), rules)), rules))
    of_all = [row for row in rows if row["arm"] == "all" and row["index_rule"] == "all"]
    assert {(row["unit"], row["min_detox_12m"], row["count_index"]): row["discharges"] for row in of_all} == {
        ("episode", 1, True): 3,
        ("episode", 1, False): 2,
        ("episode", 2, True): 2,
        ("episode", 2, False): 1,
        ("episode", 3, True): 1,
        ("episode", 3, False): 0,
        ("stay", 1, True): 5,
        ("stay", 1, False): 4,
        ("stay", 2, True): 4,
        ("stay", 2, False): 3,
        ("stay", 3, True): 3,
        ("stay", 3, False): 2,
    }
    assert sum(row["is_chosen"] for row in rows) == 4, "the reading in force, once an arm and once in all"


@pytest.mark.parametrize(
    ("unit", "n12"),
    [("episode", [1, 2, 3]), ("stay", [1, 2, 3, 4, 5])],
)
def test_admissions_in_365_days_by_unit(stays, run, unit, n12):
    rows = run(build_episodes(stays, ["WM_HOSP", "WM_RES"], 1, unit).order_by("episode"))
    assert [row["n12"] for row in rows] == n12


def test_the_gap_between_stays_makes_episodes_transfers_and_readmissions(stays, run):
    """Gaps of 0, 1, 33 and 14 days part the five stays: what each longest gap joins follows from them."""
    found = run(count_by_gap(stays, ["WM_HOSP", "WM_RES"], 1, [0, 2, 3, 7, 14, 33]).order_by("episode_gap_days"))
    names = ("episode_gap_days", "episodes", "transfers", "readmissions")
    assert [tuple(row[name] for name in names) for row in found] == [
        (0, 4, 0, 2),
        (1, 3, 1, 1),
        (2, 3, 1, 1),
        (3, 3, 1, 1),
        (7, 3, 1, 1),
        (14, 2, 1, 0),
        (33, 1, 1, 0),
    ]
    assert [row["episode_gap_days"] for row in found if row["is_chosen"]] == [1]
