"""Who enters the cohort, at the limit of every rule, and which discharge is the index."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cohort_data import EPISODES, PERSONS, SPANS, people, study_drawer
from ratebook.episodes.cohort import count_flow, inclusion_rules

study = pytest.fixture(study_drawer)


@pytest.fixture
def index_of(study, run):
    """The index episode of every person in the cohort, without what the cohort adds to it."""

    def make(**changes):
        candidates, _, rules = study(**changes)
        index = candidates.filter(candidates.passed > len(inclusion_rules(candidates, rules)))
        return {row["person_id"]: row["episode"] for row in run(index.select("person_id", "episode"))}

    return make


@pytest.mark.parametrize(
    ("follow_up_days", "index"),
    [
        pytest.param(574, {"A": 2, "B": 1}, id="the study ends on the last day asked for: both may enter"),
        pytest.param(575, {}, id="a day more than the calendar leaves: nobody may, whatever becomes of them"),
    ],
)
def test_the_calendar_leaves_room_for_follow_up(index_of, follow_up_days, index):
    assert index_of(follow_up_days=follow_up_days) == index


def test_the_index_is_the_first_episode_that_passes_every_rule(index_of):
    assert index_of() == {"A": 2, "B": 1}
    assert index_of(index_rule="last") == {"A": 3, "B": 1}
    assert index_of(count_index=False) == {"A": 3}


def test_a_random_index_is_drawn_for_each_person_and_is_the_same_on_every_run(index_of):
    people = [f"P{n}" for n in range(20)]
    header, *rows = EPISODES.splitlines()
    two = [row for row in rows if row.strip().startswith(("A         | 2", "A         | 3"))]
    episodes = "\n".join([header, *(row.replace("A ", person) for person in people for row in two)])
    spans = "\n".join([SPANS.splitlines()[0], *(SPANS.splitlines()[1].replace("A ", person) for person in people)])
    persons = "\n".join(
        [PERSONS.splitlines()[0], *(PERSONS.splitlines()[1].replace("A ", person) for person in people)]
    )
    changes = {"episodes": episodes, "spans": spans, "persons": persons, "index_rule": "random"}
    drawn = index_of(**changes)
    assert set(drawn) == set(people) and set(drawn.values()) == {2, 3}
    assert drawn == index_of(**changes)
    assert drawn != index_of(**changes, seed=2)


def test_who_enters_at_the_limit_of_every_rule_about_the_person(index_of):
    enters = {
        "18 on the day": {"born": "2004-06-01"},
        "65 tomorrow": {"born": "1957-06-02"},
        "partial dual": {"dual": "partial"},
        "45 of the 365 days before missing": {"from": "2021-07-16"},
        "covered on the day after discharge": {"to": "2022-06-06"},
        "died on the day after discharge": {"died": "2022-06-06"},
    }
    stays_out = {
        "18 tomorrow": {"born": "2004-06-02"},
        "65 on the day": {"born": "1957-06-01"},
        "age not known": {"born": ""},
        "full dual": {"dual": "full"},
        "46 of the 365 days before missing": {"from": "2021-07-17"},
        "covered to the day of discharge": {"to": "2022-06-05"},
        "died on the day of discharge": {"died": "2022-06-05"},
        "facility not known": {"facility": "unknown"},
    }
    drawn = people({**enters, **stays_out})
    assert set(index_of(**drawn)) == set(enters)
    assert set(index_of(**drawn, exclude_full_duals=False)) == {*enters, "full dual"}


def test_no_rule_looks_further_ahead_than_the_day_after_discharge(study):
    candidates, _, rules = study()
    assert max(ahead for _, _, ahead, _ in inclusion_rules(candidates, rules)) == 1


@pytest.mark.parametrize(
    ("change", "enters"),
    [
        pytest.param({"window_start": "2022-06-01"}, True, id="admitted on the first day of the window"),
        pytest.param({"window_start": "2022-06-02"}, False, id="admitted before the window"),
        pytest.param({"window_end": "2022-06-06"}, True, id="discharged on the day before the last"),
        pytest.param({"window_end": "2022-06-05"}, False, id="no day of follow-up in the window"),
        pytest.param({"min_detox_12m": 3}, False, id="one detox short"),
    ],
)
def test_rules_of_time_and_of_repeated_detox(index_of, change, enters):
    assert ("B" in index_of(**change)) == enters


def test_the_flow_starts_with_everyone_falls_and_ends_with_the_cohort(study, run):
    candidates, cohort, rules = study(spans=SPANS.replace("2022-12-31", "2022-06-05"))
    flow = run(count_flow(candidates, rules).order_by("step"))
    assert flow[0]["persons_in"] == 2
    assert all(row["persons_in"] >= row["persons_out"] for row in flow)
    assert all(before["persons_out"] == after["persons_in"] for before, after in pairwise(flow))
    assert flow[-1]["persons_out"] == run(cohort.count()) == 1
    assert [row["rule_id"] for row in flow if row["persons_in"] > row["persons_out"]] == ["enrolled_at_discharge"]


def test_hospice_care_in_the_year_up_to_discharge_keeps_out(index_of):
    cases = {
        "to after the discharge": ("2022-06-05", "2022-06-10", False),
        "365 days before, the limit": ("2021-05-01", "2021-06-05", False),
        "366 days before": ("2021-05-01", "2021-06-04", True),
        "after discharge: the future is not asked": ("2022-06-06", "2022-06-10", True),
    }
    header = "person_id | service_start_date | service_end_date | ltc_service | cost_usd"
    care = [f"{name} | {first} | {last} | hospice | 1.00" for name, (first, last, _) in cases.items()]
    drawn = {**people({key: {} for key in cases}), "claims": "\n".join([header, *care])}
    assert set(index_of(**drawn)) == {name for name, (*_, enters) in cases.items() if enters}
    assert set(index_of(**drawn, exclude_hospice=False)) == set(cases)


def test_only_listed_facilities_enter_where_a_list_is_given(study, index_of):
    drawn = people(
        {"participating": {"facility": "F1"}, "comparison": {"facility": "F2"}, "other": {"facility": "F3"}}
    )
    assert set(index_of(**drawn)) == {"participating", "comparison", "other"}
    assert set(index_of(**drawn, facilities=["F1", "F2"])) == {"participating", "comparison"}
    candidates, _, rules = study(facilities=["F1"])
    assert "listed_facility" in [rule_id for rule_id, *_ in inclusion_rules(candidates, rules)]
