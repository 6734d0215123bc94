"""The checklist of the study: continuity, readmission, the flow, both programs, clocks and silences."""

from __future__ import annotations

import pandas as pd
import pytest

from review_data import ask

LIMIT = {"release": {"suppress_below": 11}}


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ({"coc_count_navigator": False, "coc_categories": ["OP_SUD", "RES35"]}, "pass"),
        ({"coc_count_navigator": True, "coc_categories": ["OP_SUD"]}, "fail"),
        ({"coc_count_navigator": False, "coc_categories": ["OP_SUD", "WM_RES"]}, "fail"),
        ({"coc_count_navigator": False, "coc_categories": ["NAVIGATOR"]}, "fail"),
    ],
)
def test_continuity_counts_neither_the_navigator_nor_detoxification(stated, status):
    assert ask("H18", settings={"episodes": stated}, facts={"continued_by_treatment_alone": 0}).status == status


@pytest.mark.parametrize(("members", "status"), [(0, "pass"), (1, "fail")])
def test_care_that_was_the_treatment_alone_fails_whatever_the_config_says(members, status):
    stated = {"episodes": {"coc_count_navigator": False, "coc_categories": ["OP_SUD"]}}
    assert ask("H18", settings=stated, facts={"continued_by_treatment_alone": members}).status == status


@pytest.mark.parametrize(
    ("days", "readmitted", "status"),
    [
        pytest.param([2, 20, None], 2, "pass", id="after the gap"),
        pytest.param([1, 20, None], 1, "fail", id="the day after: a transfer"),
        pytest.param([0, 20, None], 1, "fail", id="the same day"),
        pytest.param([2, 20, None], 3, "fail", id="more in the table than the cohort has"),
        pytest.param([2, 40, None], 2, "fail", id="one of them beyond the window"),
        pytest.param([2, 20, None], 1, "pass", id="fewer: not all were followed, or went home"),
    ],
)
def test_readmissions_in_the_results_come_after_the_gap(days, readmitted, status):
    discharge = pd.Timestamp("2016-01-01")
    cohort = pd.DataFrame({"discharge_date": discharge, "readmission_date": [discharge + pd.Timedelta(d, "D") for d in
                          [float("nan") if d is None else d for d in days]]})  # fmt: skip
    table = {"arm": "all", "method": "complete_window", "window_days": 30, "readmitted": readmitted}
    counted = {"episodes": 9, "readmissions_of_inpatients": 0, "readmissions_within_gap": 0}
    found = {"cohort": cohort, "readmission": pd.DataFrame([table]), "settings": {"episodes": {"episode_gap_days": 1}}}
    assert ask("H14", facts=counted, **found).status == status
    assert ask("H14", facts={**counted, "readmissions_within_gap": 1}, **found).status == "fail"


@pytest.mark.parametrize(("members", "status"), [(5, "pass"), (4, "fail")])
def test_the_flow_ends_with_the_cohort(members, status):
    flow = pd.DataFrame({"step": [1, 2], "persons_in": [9, 7], "persons_out": [7, 5]})
    assert ask("H19", cohort_flow=flow, cohort=pd.DataFrame({"person_id": range(members)})).status == status


@pytest.mark.parametrize(
    ("share", "status"), [(0.05, "pass"), (0.054, "warn"), (0.06, "warn"), (0.104, "fail"), (0.2, "fail")]
)
def test_contamination_is_a_share_of_the_engaged(share, status):
    both = round(share * 1000)
    cohort = pd.DataFrame({"arm": ["RSN"] * 1000, "is_both_programs": [True] * both + [False] * (1000 - both)})
    others = pd.DataFrame({"arm": ["none"] * 50, "is_both_programs": [False] * 50})
    assert ask("H20", cohort=pd.concat([cohort, others]), settings=LIMIT).status == status


@pytest.mark.parametrize(("both", "status", "value"), [(0, "pass", 0.0), (1, "na", None), (10, "na", None)])
def test_the_share_of_few_members_with_both_programs_is_not_given(both, status, value):
    cohort = pd.DataFrame({"arm": ["RSN"] * 900, "is_both_programs": [True] * both + [False] * (900 - both)})
    row = ask("H20", cohort=cohort, settings=LIMIT)
    assert row.status == status
    assert (row.value == value) if value is not None else pd.isna(row.value)


@pytest.mark.parametrize(("source", "status"), [("log / log", "warn"), ("log / claim", "fail")])
def test_arms_timed_from_different_sources_fail(source, status):
    effect = {"estimand": "rmst_difference", "clock": "contact", "method": "kaplan_meier", "tau_days": 90}
    engagement = pd.DataFrame([{**effect, "estimate": 30.0}])
    row = ask("H23", engagement=engagement, clocks=across_clocks(42.0, source), settings=LIMIT)
    assert row.status == status
    assert "would add 12 days to 30" in row.reason


def across_clocks(days, source="log / log"):
    across = {"comparison": "cross_clock", "other_clock": "contact", "tau_days": 90, "persons": 50, "source": source}
    return pd.DataFrame([{**across, "clock": clock, "estimate_days": days} for clock in ("admin", "floor")])


@pytest.mark.parametrize(
    ("days", "status"), [(36.0, "pass"), (37.0, "warn"), (24.0, "pass"), (23.0, "warn"), (300.0, "warn")]
)
def test_a_gap_between_clocks_over_a_fifth_of_the_effect_warns(days, status):
    effect = {"estimand": "rmst_difference", "clock": "contact", "method": "kaplan_meier", "tau_days": 90}
    engagement = pd.DataFrame([{**effect, "estimate": 30.0}])
    row = ask("H23", engagement=engagement, clocks=across_clocks(days), settings=LIMIT)
    assert (row.status, row.value) == (status, pytest.approx(min(abs(days - 30) / 30, 1)))


def test_workers_of_both_programs_are_counted_beside_the_share():
    cohort = pd.DataFrame({"arm": ["RSN"] * 900, "is_both_programs": [True] * 31 + [False] * 869})
    mixed = pd.DataFrame({"measure": ["mixed_workers"], "counted": [3], "looked_at": [40]})
    assert "3 of 40" in ask("H20", cohort=cohort, contamination=mixed, settings=LIMIT).reason


def test_the_share_with_both_programs_is_in_whole_percent_above():
    cohort = pd.DataFrame({"arm": ["RSN"] * 900, "is_both_programs": [True] * 31 + [False] * 869})
    assert ask("H20", cohort=cohort, settings=LIMIT).value == 0.04


@pytest.mark.parametrize(
    ("last_contact", "status"), [("2017-12-01", "pass"), ("2017-12-02", "pass"), ("2017-12-01x", "fail")]
)
def test_a_last_contact_within_the_gap_of_the_end_is_no_event(last_contact, status):
    day = pd.Timestamp(last_contact.rstrip("x"))
    reason = "disengaged" if last_contact.endswith("x") else "end_of_data"
    spells = pd.DataFrame({"last_date": [day, pd.Timestamp("2016-01-01")], "end_reason": [reason, "disengaged"]})
    spells = spells.assign(person_id=["A", "B"])
    assert ask("H25", spells=spells, cohort=seen_to("2017-12-31"), settings=SILENCE).status == status


SILENCE = {"episodes": {"spell_gap_days": 30}, "study": {"window_end": "2017-12-31"}}


def seen_to(last_day, *persons):
    return pd.DataFrame({"person_id": persons or ["A", "B"], "follow_end_date": pd.Timestamp(last_day)})


@pytest.mark.parametrize(
    ("cohort", "status"),
    [
        pytest.param(seen_to("2016-02-01"), "pass", id="seen for 31 days after the last contact"),
        pytest.param(seen_to("2016-01-31"), "fail", id="seen for 30: a contact could still have come"),
        pytest.param(seen_to("2016-12-31", "B"), "fail", id="the spell of somebody who is not in the cohort"),
    ],
)
def test_a_last_contact_within_the_gap_of_the_members_own_end_is_no_event(cohort, status):
    spells = pd.DataFrame({"person_id": ["A"], "last_date": pd.Timestamp("2016-01-01"), "end_reason": "disengaged"})
    assert ask("H25", spells=spells, cohort=cohort, settings=SILENCE).status == status


def test_the_bundle_is_always_remarked_on():
    row = ask("H22", cohort=pd.DataFrame({"arm": ["RSN"]}))
    assert row.status == "warn"
    assert "not separable" in row.reason
