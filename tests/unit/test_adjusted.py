"""Arms made alike: refits of the propensity, weighted means and pseudo-values."""

from __future__ import annotations

import numpy as np
import pytest

from engagement_data import COVARIATES, END_REASONS, study
from ratebook.engagement.curves import curves_by_arm, rmst_rows
from ratebook.engagement.design import design_matrix
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.logit import propensity, refit
from ratebook.engagement.pseudo import pseudo_value_rows, pseudo_values, pseudo_values_by_arm
from ratebook.engagement.resampling import resample
from ratebook.engagement.survival import risk_table, rmst, survival_of, weighted_table


@pytest.fixture(scope="module")
def sample():
    persons = engaged_persons(*study(persons=1500, providers=15, seed=3), END_REASONS, 30)
    matrix = design_matrix(persons, COVARIATES).to_numpy()
    treated = (persons.arm == "RSN").to_numpy()
    return persons, matrix, treated, resample(persons.arm, persons.provider_id, 80, 1)


def test_a_refit_of_all_replicates_is_that_of_each(sample):
    _, matrix, treated, draws = sample
    found = refit(matrix, treated, draws.unit, draws.counts)
    each = np.array([propensity(matrix, treated, counts[draws.unit])[1] for counts in draws.counts])
    assert np.abs(found - each).max() < 1e-6
    assert found.std(0, ddof=1) == pytest.approx(each.std(0, ddof=1), rel=0.01)


def test_one_step_is_close_and_needs_no_pass_over_the_rows(sample):
    _, matrix, treated, draws = sample
    rough = refit(matrix, treated, draws.unit, draws.counts, steps=1)
    exact = refit(matrix, treated, draws.unit, draws.counts)
    assert rough.std(0, ddof=1) == pytest.approx(exact.std(0, ddof=1), rel=0.25)


def test_a_row_weight_of_two_is_the_row_twice(sample):
    _, matrix, treated, draws = sample
    twice = np.concatenate([np.arange(len(matrix)), np.arange(0, len(matrix), 3)])
    weight = 1.0 + (np.arange(len(matrix)) % 3 == 0)
    weighted = refit(matrix, treated, draws.unit, draws.counts, weight)
    repeated = refit(matrix[twice], treated[twice], draws.unit[twice], draws.counts)
    assert weighted == pytest.approx(repeated, abs=1e-6)


def test_a_level_a_replicate_lacks_does_not_break_the_refit():
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(10), 30)
    matrix = np.column_stack([rng.normal(size=300), unit == 9])
    treated = rng.random(300) < 0.5
    counts = np.ones((1, 10))
    counts[0, 9] = 0
    found = refit(matrix, treated, unit, counts)
    kept = propensity(matrix[unit < 9, :1], treated[unit < 9])[1]
    assert found[0, :2] == pytest.approx(kept, abs=1e-6)


def test_weighted_tables_of_all_replicates_are_those_of_each(sample):
    persons, _, _, draws = sample
    days, ended = persons.days.to_numpy(), (persons.role != "censor").to_numpy()
    weight = draws.counts[:5][:, draws.unit]
    found = survival_of(weighted_table(days, ended, weight))
    for row, own in zip(found, weight):
        assert row == pytest.approx(survival_of(risk_table(days, ended, weight=own).total()), abs=1e-12)


def test_the_mean_of_pseudo_values_is_the_restricted_mean_where_nobody_is_censored():
    days = np.array([5.0, 9, 9, 30, 100])
    values = pseudo_values(days, np.ones(5, bool), [20, 60])
    assert values == pytest.approx(np.minimum(days[:, None], [20, 60]))


def test_a_pseudo_value_is_what_leaving_the_person_out_says(sample):
    persons, *_ = sample
    days, ended = persons.days.to_numpy()[:60], (persons.role != "censor").to_numpy()[:60]

    def mean(chosen):
        table = risk_table(days[chosen], ended[chosen]).total()
        return rmst(table.time, survival_of(table), 180)

    everybody = np.ones(60, bool)
    expected = [60 * mean(everybody) - 59 * mean(np.arange(60) != n) for n in range(60)]
    assert pseudo_values(days, ended, [180])[:, 0] == pytest.approx(expected, abs=1e-9)


def test_without_covariates_the_regression_is_kaplan_meier(sample):
    persons, *_, draws = sample
    curves = curves_by_arm(persons, persons.days, draws, ["disengaged", "readmitted"])
    plain = {
        row["estimand"] + row["arm"]: row for row in rmst_rows(curves, draws, "contact", "kaplan_meier", [180], 0.1)
    }
    for row in pseudo_value_rows(persons, draws, curves, [], [180], 0.1):
        same = plain[row["estimand"] + row["arm"]]
        assert row["estimate"] == pytest.approx(same["estimate"], rel=2e-3)
        assert row["std_error"] == pytest.approx(same["std_error"], rel=0.05)
        assert row["naive_std_error"] == pytest.approx(same["naive_std_error"], rel=0.05)


def test_alike_persons_differ_by_what_was_planted_and_not_by_who_is_in_the_arm():
    rng = np.random.default_rng(4)
    persons = engaged_persons(*study(persons=4000, providers=30, mean_days=(60.0, 60.0), seed=5), END_REASONS, 30)
    older = persons.arm.eq("RSN").to_numpy() * 0.5 + rng.standard_normal(len(persons))
    persons = persons.assign(risk=older, days=np.ceil(rng.exponential(60 * np.exp(0.5 * older))), role="event")
    draws = resample(persons.arm, persons.provider_id, 100, 1)
    curves = curves_by_arm(persons.assign(end_reason="disengaged"), persons.days, draws, ["disengaged"])
    naive = rmst_rows(curves, draws, "contact", "kaplan_meier", [90], 0.1)[2]
    adjusted = pseudo_value_rows(persons, draws, curves, ["risk"], [90], 0.1)[2]
    assert naive["lower"] > 0
    assert adjusted["lower"] < 0 < adjusted["upper"]


def test_the_means_of_the_arms_differ_by_the_coefficient_of_least_squares(sample):
    """The coefficient of the arm in least squares of the same pseudo-values; the ridge that guards replicates is 1e-10."""
    persons, matrix, treated, draws = sample
    curves = curves_by_arm(persons, persons.days, draws, ["disengaged", "readmitted"])
    rows = {row["arm"]: row for row in pseudo_value_rows(persons, draws, curves, COVARIATES, [180], 0.1)[:3]}
    design = np.column_stack([np.ones(len(matrix)), treated, matrix])
    coefficient = np.linalg.lstsq(design, pseudo_values_by_arm(persons, [180])[:, 0], rcond=None)[0][1]
    assert rows["RSN vs CSP"]["estimate"] == pytest.approx(coefficient, abs=1e-6)
    assert rows["RSN"]["estimate"] - rows["CSP"]["estimate"] == pytest.approx(coefficient, abs=1e-6)


def test_the_arms_means_are_of_the_same_persons_whatever_the_arms_hold():
    """Days depend on a trait alone that RSN's clients have more of: both means are those of the persons in between."""
    rng = np.random.default_rng(6)
    persons = engaged_persons(*study(persons=4000, providers=30, seed=5), END_REASONS, 30)
    trait = persons.arm.eq("RSN").to_numpy() * 0.8 + rng.standard_normal(len(persons))
    persons = persons.assign(risk=trait, days=np.ceil(80 + 8 * np.clip(trait, -5, 5)), role="event")
    draws = resample(persons.arm, persons.provider_id, 20, 1)
    curves = curves_by_arm(persons.assign(end_reason="disengaged"), persons.days, draws, ["disengaged"])
    rsn, csp, gap = (row["estimate"] for row in pseudo_value_rows(persons, draws, curves, ["risk"], [365], 0.1)[:3])
    assert rsn == pytest.approx(csp, abs=0.1) and gap == pytest.approx(0, abs=0.1)
    assert rsn == pytest.approx(80.5 + 8 * 0.4, abs=0.3)
