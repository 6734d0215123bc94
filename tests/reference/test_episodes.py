"""GT-3 of methods.md (B3 to B5): six bills of one person in 2022 make five stays and three episodes."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from ratebook.contracts.clean import Claims, Persons
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import CohortRules, inclusion_rules, select_candidates
from ratebook.episodes.describe import is_readmitted
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
    ("window_days", "readmitted"),
    [(7, [False, False, False]), (14, [False, True, False]), (30, [False, True, False]), (90, [True, True, False])],
)
def test_readmission_within_the_window_33_and_14_days_after_discharge(stays, run, window_days, readmitted):
    rows = run(build_episodes(stays, ["WM_HOSP", "WM_RES"], 1).order_by("episode"))
    days_to_next = pd.Series([row["days_to_next"] for row in rows], dtype="float64")
    assert is_readmitted(days_to_next, window_days).tolist() == readmitted


@pytest.mark.parametrize(
    ("count_index", "index"),
    [pytest.param(True, 2, id="the index counts: E2"), pytest.param(False, 3, id="two before the index: E3")],
)
def test_the_index_is_the_first_episode_with_enough_detox_in_its_year(stays, table, run, count_index, index):
    rules = CohortRules(
        window_start="2022-01-01",
        window_end="2022-12-31",
        seed=1,
        min_detox_12m=2,
        count_index=count_index,
        index_rule="first",
        age_min_years=18,
        age_max_years=64,
        exclude_full_duals=True,
        enrolled_days_before=365,
        enrolled_gap_days=45,
        prior_contact_days=180,
        assignment_days=90,
        follow_up_days=0,
    )
    episodes = build_episodes(stays, ["WM_HOSP", "WM_RES"], 1)
    spans = table("person_id | start_date | end_date | dual_group\nA | 2020-01-01 | 2022-12-31 | none", Spans)
    persons = table("person_id | birth_date\nA | 1980-01-01", Persons)
    candidates = select_candidates(episodes, spans, persons, rules)
    chosen = candidates.filter(candidates.passed > len(inclusion_rules(candidates, rules)))
    assert [row["episode"] for row in run(chosen)] == [index]
