"""Arms made alike: refits of the propensity, weighted means, pseudo-values, and few providers."""

from __future__ import annotations

import numpy as np
import pytest

from engagement_data import COVARIATES, END_REASONS, study
from ratebook.engagement.design import design_matrix
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import resample
from ratebook.engagement.survival import risk_table, survival_of, weighted_table
from ratebook.engagement.weights import propensity, refit


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
