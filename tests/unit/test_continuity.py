"""Continuity of care and readmission: what counts, what comes first, and what is estimated of it."""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pandas as pd
import pytest

from cohort_data import draw_member
from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import Cohort, Continuity, ContinuityByArm, Readmission
from ratebook.episodes.continuity import build_continuity
from ratebook.episodes.incidence import estimate_continuity, estimate_readmission, incidence_at, wilson
from ratebook.tables import empty_frame, write_table

WINDOWS = [7, 14, 30]
TREATMENT = ["RES35", "RES31", "IOP_PHP", "OP_SUD", "MOUD_DRUG", "OTP"]


@pytest.fixture
def member(table):
    return partial(draw_member, table)


@pytest.fixture
def care(table, member, run):
    """Continuity of one member discharged on 2022-02-24, by window."""

    def make(text, count_navigator=False, count_day0=True, **changes):
        cohort = member(**{"discharge_date": "2022-02-24", "follow_end_date": "2022-12-31", **changes})
        claims = table(text, Claims, person_id="A")
        found = build_continuity(cohort, claims, WINDOWS, TREATMENT, count_navigator, count_day0)
        return {row["window_days"]: row for row in run(found)}

    return make


@pytest.mark.parametrize(
    ("served", "days", "continued"),
    [
        pytest.param("2022-03-08", 12, True, id="12 days"),
        pytest.param("2022-03-10", 14, True, id="14 days, the limit"),
        pytest.param("2022-03-11", 15, False, id="15 days"),
    ],
)
def test_care_within_14_days(care, served, days, continued):
    found = care(f"service_start_date | category\n{served} | OP_SUD")
    assert found[14]["is_continued"] == continued
    assert found[14]["days_to_service"] == (days if continued else None)
    assert found[14]["end_reason"] == ("service" if continued else "window")
    assert not found[7]["is_continued"] and found[30]["is_continued"]


@pytest.mark.parametrize(
    ("category", "level", "continued"),
    [
        ("WM_RES", "WM_RES", False),
        ("OP_SUD", "WM_OP", False),
        ("NAVIGATOR", "", False),
        ("ED_SUD", "", False),
        ("IP_SUD_MEDICAL", "", False),
        ("OP_PROFESSIONAL", "", False),
        ("MOUD_DRUG", "", True),
        ("RES35", "RES35", True),
    ],
)
def test_what_is_treatment(care, category, level, continued):
    found = care(f"service_start_date | category | level\n2022-02-26 | {category} | {level}")
    assert found[14]["is_continued"] == continued


def test_the_navigator_counts_only_if_asked(care):
    assert care("service_start_date | category\n2022-02-26 | NAVIGATOR", count_navigator=True)[14]["is_continued"]


def test_lines_of_a_navigator_change_nothing(care):
    treatment = "service_start_date | category | program\n2022-03-08 | OP_SUD |"
    navigator = "\n2022-02-24 | NAVIGATOR | RSN\n2022-02-25 | NAVIGATOR | CSP\n2022-03-01 | NAVIGATOR | RSN"
    assert care(treatment + navigator) == care(treatment)
    assert care("service_start_date | category | program" + navigator) == care(
        "service_start_date | category | program"
    )


@pytest.mark.parametrize(
    ("category", "facility", "count_day0", "continued"),
    [
        pytest.param("RES35", "F1", True, True, id="step-down in the same facility"),
        pytest.param("OP_SUD", "F1", True, False, id="outpatient line of the discharging facility"),
        pytest.param("OP_SUD", "F2", True, True, id="outpatient elsewhere"),
        pytest.param("RES35", "F2", False, False, id="the day is not counted"),
    ],
)
def test_care_on_the_day_of_discharge(care, category, facility, count_day0, continued):
    text = f"service_start_date | category | facility_npi\n2022-02-24 | {category} | {facility}"
    found = care(text, count_day0=count_day0)[14]
    assert (found["is_continued"], found["days_to_service"]) == (continued, 0 if continued else None)


@pytest.mark.parametrize(
    ("changes", "continued", "reason"),
    [
        pytest.param({"readmission_date": "2022-03-03"}, False, "readmitted", id="detox the day before"),
        pytest.param({"readmission_date": "2022-03-04"}, True, "service", id="detox on the day"),
        pytest.param({"follow_end_date": "2022-03-03", "follow_end_reason": "death"}, False, "death", id="died before"),
        pytest.param({"follow_end_date": "2022-03-03", "follow_end_reason": "disenrolled"}, False, "disenrolled", id="left before"),
        pytest.param({"follow_end_date": "2022-03-04", "follow_end_reason": "disenrolled"}, True, "service", id="last day"),
    ],
)  # fmt: skip
def test_what_comes_first_ends_the_wait(care, changes, continued, reason):
    found = care("service_start_date | category\n2022-03-04 | OP_SUD", **changes)[14]
    assert (found["is_continued"], found["end_reason"]) == (continued, reason)


@pytest.mark.parametrize(
    ("end", "cause", "reason"),
    [
        pytest.param("2022-03-09", "disenrolled", "disenrolled", id="13 days observed"),
        pytest.param("2022-03-10", "disenrolled", "window", id="14 days observed, the whole window"),
        pytest.param("2022-03-09", "end_of_data", "end_of_data", id="data end within the window"),
        pytest.param("2022-03-10", "death", "death", id="died on the last day"),
        pytest.param("2022-03-11", "death", "window", id="died after the window"),
    ],
)
def test_how_long_a_window_must_be_seen(care, end, cause, reason):
    found = care("service_start_date | category", follow_end_date=end, follow_end_reason=cause)[14]
    assert found["end_reason"] == reason


def drawn_waits(reasons, days=14, arm="RSN", facility=None):
    """One member a reason, one window of 14 days; each has a facility of their own unless said otherwise."""
    people = [str(n) for n in range(len(reasons))]
    cohort = pd.DataFrame({"person_id": people, "arm": arm, "facility_id": facility or people})
    waits = {"window_days": 14, "wait_days": days, "end_reason": reasons}
    return cohort, pd.DataFrame({"person_id": people, **waits})


@pytest.fixture
def continued():
    """What is estimated for an arm, by method, of one member a reason."""

    def estimate(reasons, arm="RSN", **waits):
        found = estimate_continuity(*drawn_waits(reasons, **waits))
        return found[found.arm == arm].set_index("method")

    return estimate


def test_competing_events_are_failures_and_only_the_end_of_data_leaves_the_denominator(continued):
    reasons = ["service", "service", "readmitted", "death", "disenrolled", "window", "end_of_data"]
    days = [3, 9, 5, 6, 7, 14, 4]
    found = continued(reasons, days=days)
    assert tuple(found.loc["complete_window", ["persons", "continued"]]) == (6, 2)
    assert found.loc["complete_window", "estimate"] == pytest.approx(2 / 6, abs=1e-12)
    # By hand: 1/7 on day 3; then one of the six left is censored, and of five at risk on day 5 and after
    # 1/5, 1/4 and 1/3 compete; of two left one is treated on day 9.
    by_hand = 1 / 7 + (6 / 7) * (4 / 5) * (3 / 4) * (2 / 3) * (1 / 2)
    assert found.loc["aalen_johansen", "estimate"] == pytest.approx(by_hand, abs=1e-12)
    assert found.loc["aalen_johansen", "persons"] == 7
    assert tuple(continued(reasons, days=days, arm="all").persons) == (6, 7)


def test_where_the_whole_wait_of_everybody_was_seen_both_methods_say_the_same(continued):
    found = continued(["service"] * 5 + ["window"] * 9 + ["death"], days=[0, 1, 7, 14, 14] + [14] * 9 + [3])
    columns = ["persons", "continued", "estimate", "lower", "upper"]
    first, second = (found.loc[method, columns].astype(float) for method in ("complete_window", "aalen_johansen"))
    assert first.tolist() == pytest.approx(second.tolist(), abs=1e-12)


def test_wilsons_interval_against_a_published_value_and_at_its_limits(continued):
    """81 of 263: 0.2553 to 0.3662 (Newcombe, Statistics in Medicine 1998;17:857, table I, score method)."""
    lower, upper = wilson(81 / 263, 263, 1.959963984540054)
    assert (round(lower, 4), round(upper, 4)) == (0.2553, 0.3662)
    none, every = (continued([reason] * 3).loc["complete_window"] for reason in ("window", "service"))
    assert none.lower == pytest.approx(0, abs=1e-12) and 0 < none.upper < 1
    assert every.upper == pytest.approx(1, abs=1e-12) and 0 < every.lower < 1


def test_limits_follow_how_facilities_differ_and_one_facility_has_none(continued):
    reasons = ["service"] * 40 + ["window"] * 40
    mixed = continued(reasons, facility=[f"F{n % 8}" for n in range(80)]).loc["complete_window"]
    apart = continued(reasons, facility=[f"F{n // 10}" for n in range(80)]).loc["complete_window"]
    assert mixed.estimate == apart.estimate == 0.5
    assert apart.upper - apart.lower > 2 * (mixed.upper - mixed.lower)
    alone = continued(reasons, facility=["F1"] * 80).loc["complete_window"]
    assert alone.estimate == 0.5 and pd.isna(alone.lower) and pd.isna(alone.upper) and alone.reason


def test_an_arm_without_members_or_with_nobody_seen_has_no_estimate_and_a_reason(continued, tmp_path):
    cohort, waits = drawn_waits(["end_of_data", "end_of_data"], days=3)
    found = estimate_continuity(cohort, waits)
    write_table(found, tmp_path / "by_arm.parquet", ContinuityByArm)
    found = found.set_index(["arm", "method"])
    for arm, method in (("CSP", "complete_window"), ("CSP", "aalen_johansen"), ("RSN", "complete_window")):
        assert found.loc[(arm, method), "reason"] and pd.isna(found.loc[(arm, method), "estimate"])
    assert found.loc[("RSN", "complete_window"), "reason"] != found.loc[("CSP", "complete_window"), "reason"]


def test_the_variance_of_an_incidence_is_what_leaving_out_one_unit_at_a_time_gives():
    rng = np.random.default_rng(3)
    days, cause, unit = (
        rng.integers(0, 20, 400),
        rng.choice([0, 1, 2], 400, p=[0.3, 0.4, 0.3]),
        rng.integers(0, 40, 400),
    )
    _, variance = incidence_at(days, cause, unit, 14)
    left_out = [incidence_at(days[unit != u], cause[unit != u], unit[unit != u], 14)[0] for u in range(40)]
    assert variance == pytest.approx(39 / 40 * ((np.array(left_out) - np.mean(left_out)) ** 2).sum(), rel=0.05)
    share, variance = incidence_at(np.zeros(50, int), [1] * 20 + [0] * 30, np.arange(50), 14)
    assert share == pytest.approx(0.4) and variance == pytest.approx(0.4 * 0.6 / 49)


def test_incidence_is_that_of_the_published_example_of_competing_risks():
    """methods.md, GT-10: the small example of R's `finegray`, cumulative incidence of cause 1 at days 1, 4, 5 and 10."""
    days = [1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12]
    status = [1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0]
    found = [incidence_at(days, status, np.arange(14), day)[0] for day in (1, 4, 5, 10)]
    assert found == pytest.approx([0.071429, 0.149351, 0.246753, 0.480519], abs=5e-7)


def readmission_of(seen, **columns):
    discharge = pd.Timestamp("2022-03-01")
    cohort = pd.DataFrame(seen, columns=["again", "followed", "follow_end_reason"])
    cohort = cohort.assign(arm="RSN", is_acute_transfer=False, facility_id=[f"F{n}" for n in range(len(seen))])
    cohort["discharge_date"] = discharge
    cohort["readmission_date"] = discharge + pd.to_timedelta(cohort.again, unit="D")
    cohort["follow_end_date"] = discharge + pd.to_timedelta(cohort.followed, unit="D")
    return estimate_readmission(cohort.assign(**columns))


SEEN = [  # days to readmission, days followed, how follow-up ended
    (30, 200, "end_of_data"),
    (31, 200, "end_of_data"),
    (10, 12, "disenrolled"),
    (None, 30, "disenrolled"),
    (None, 29, "disenrolled"),
    (None, 5, "death"),
    (None, 29, "end_of_data"),
]


def test_readmission_counts_who_was_seen_for_the_window_readmitted_or_dead(tmp_path):
    found = readmission_of(SEEN)
    write_table(found, tmp_path / "readmission.parquet", Readmission)
    whole = found[(found.arm == "RSN") & (found.method == "complete_window")].set_index("window_days")
    counts = whole[["persons", "readmitted"]]
    assert counts.T.to_dict("list") == {7: [7, 0], 14: [7, 1], 30: [5, 2], 90: [4, 3]}
    at_30 = found[found.window_days == 30].set_index(["arm", "method"])
    row = at_30.loc[("all", "complete_window")]
    assert row.lower < row.estimate == 2 / 5 < row.upper
    assert at_30.loc[("CSP", "complete_window"), "reason"] and pd.isna(
        at_30.loc[("CSP", "complete_window"), "estimate"]
    )
    # Death on day 5 competes, 1/7; of six left one is readmitted on day 10; of five, two are lost on day 29.
    by_hand = (6 / 7) * (1 / 6) + (6 / 7) * (5 / 6) * (1 / 3)
    assert at_30.loc[("RSN", "aalen_johansen"), "estimate"] == pytest.approx(by_hand, abs=1e-12)


def test_who_left_for_a_hospital_is_not_at_risk_of_readmission():
    moved = [n == 2 for n in range(len(SEEN))]
    without = [row for row, is_moved in zip(SEEN, moved) if not is_moved]
    columns = ["arm", "window_days", "method", "persons", "readmitted", "estimate"]
    first, second = readmission_of(SEEN, is_acute_transfer=moved), readmission_of(without)
    pd.testing.assert_frame_equal(first[columns], second[columns])


def test_nobody_gives_empty_tables(tmp_path):
    empty = {c: ibis.memtable(empty_frame(c), schema=c.types()) for c in (Cohort, Claims)}
    care = build_continuity(empty[Cohort], empty[Claims], WINDOWS, TREATMENT, False, True)
    write_table(care, tmp_path / "continuity.parquet", Continuity)
    again = estimate_readmission(empty_frame(Cohort))
    write_table(again, tmp_path / "readmission.parquet", Readmission)
    nothing = estimate_continuity(empty_frame(Cohort), empty_frame(Continuity))
    write_table(nothing, tmp_path / "by_arm.parquet", ContinuityByArm)
