"""Curves of engagement: who is at risk on a day, medians and means and their limits, and expected days."""

from __future__ import annotations

import numpy as np
import pytest

from engagement_data import CAUSES, END_REASONS, estimate, study
from ratebook.engagement.curves import curves_by_arm, incidence_rows, month_rows
from ratebook.engagement.days import expected_days
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import resample
from ratebook.engagement.survival import (
    cumulative_incidence,
    log_log_interval,
    median_of,
    risk_table,
    rmst,
    survival_of,
)


@pytest.fixture(scope="module")
def persons():
    return engaged_persons(*study(120, providers=4), END_REASONS, 30)


def test_a_censoring_on_the_day_of_an_end_was_still_at_risk():
    table = risk_table([5, 5], [1, 0]).total()
    assert table.at_risk.tolist() == [2.0] and survival_of(table).tolist() == [0.5]


def test_who_enters_on_the_day_of_an_end_is_not_at_risk_for_it():
    table = risk_table([5, 9], [1, 1], entry=[0, 5]).total()
    assert table.at_risk.tolist() == [1.0, 1.0]
    table = risk_table([5, 9], [1, 1], entry=[0, 4.9]).total()
    assert table.at_risk.tolist() == [2.0, 1.0]


def test_a_weight_of_two_is_the_person_twice():
    days, cause, weight = np.array([3.0, 5, 5, 8, 9]), np.array([1, 2, 0, 1, 0]), np.array([1, 2, 3, 1, 2])
    once = risk_table(days, cause, causes=2, weight=weight).total()
    twice = risk_table(np.repeat(days, weight), np.repeat(cause, weight), causes=2).total()
    assert survival_of(once) == pytest.approx(survival_of(twice))
    assert cumulative_incidence(once) == pytest.approx(cumulative_incidence(twice))


def test_without_censoring_the_restricted_mean_is_the_mean():
    days = np.random.default_rng(3).integers(1, 100, 50)
    table = risk_table(days, np.ones(50, int)).total()
    assert rmst(table.time, survival_of(table), 60) == pytest.approx(np.minimum(days, 60).mean())


def test_units_summed_by_counts_of_one_are_the_whole():
    rng = np.random.default_rng(4)
    days, cause, unit = rng.integers(1, 50, 80), rng.integers(0, 3, 80), rng.integers(0, 7, 80)
    table = risk_table(days, cause, causes=2, unit=unit, units=7)
    whole = risk_table(days, cause, causes=2).total()
    assert survival_of(table.total(np.ones((1, 7))))[0] == pytest.approx(survival_of(whole))


def test_the_limits_of_a_median_are_where_the_limits_of_the_curve_pass_one_half():
    tables = estimate(*study())
    rows = tables.engagement.query("estimand == 'median'").set_index("arm")
    for arm, curve in tables.survival.groupby("arm"):
        row = rows.loc[arm]
        below, above = curve[curve.day < row.lower], curve[curve.day >= row.lower]
        assert row.lower <= row.estimate <= row.upper
        assert (below.lower.dropna() > 0.5).all() and (above.lower.dropna() <= 0.5).all()
        assert (curve.upper[curve.day < row.upper].dropna() > 0.5).all()
        assert (curve.upper[curve.day >= row.upper].dropna() <= 0.5).all()


def test_the_median_is_reached_at_half_and_missing_above():
    assert median_of(np.array([4.0, 8.0]), np.array([0.5, 0.1])) == 4
    assert np.isnan(median_of(np.array([4.0]), np.array([0.51])))
    assert np.isnan(median_of(np.array([]), np.array([])))


def test_expected_days_by_hand():
    """Two observed for three days, one engaged on all of them and one on none; then one of them is lost."""
    observed, engaged, died = np.array([2.0, 2, 1, 0]), np.array([1.0, 1, 1, 0]), np.array([0.0, 0, 0, 0])
    assert expected_days(observed, engaged, died)[:3] == pytest.approx([0.5, 1.0, 2.0])
    assert np.isnan(expected_days(observed, engaged, died)[3])


def test_the_dead_are_engaged_no_more():
    observed, engaged, died = np.array([2.0, 1, 1]), np.array([2.0, 1, 1]), np.array([1.0, 0, 0])
    assert expected_days(observed, engaged, died) == pytest.approx([1.0, 1.5, 2.0])


def test_months_have_the_limits_that_the_curve_has_on_their_first_day(persons):
    draws = resample(persons.arm, persons.provider_id, 40, 1)
    curves = curves_by_arm(persons, persons.days, draws, CAUSES)
    third = [row for row in month_rows(curves, draws, 3) if row["month"] == 3]
    for found in third:
        quantile = draws.quantile((found["arm"],))
        assert quantile > 2.3, "few providers"
        expected = log_log_interval(found["survival_start"], found["std_error"], quantile)
        assert (found["lower"], found["upper"]) == pytest.approx(tuple(float(limit) for limit in expected))


def test_an_incidence_without_limits_says_why(persons):
    at_once = persons.assign(days=5.0, end_reason="disengaged", role="event")
    draws = resample(at_once.arm, at_once.provider_id, 40, 1)
    rows = incidence_rows(curves_by_arm(at_once, at_once.days, draws, CAUSES), draws, CAUSES, 14)
    after = {row["end_reason"]: row["reason"] for row in rows if row["day"] == 14}
    assert after == {
        "disengaged": "everybody has ended for this reason",
        "readmitted": "nobody has ended for this reason",
    }
