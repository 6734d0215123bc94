"""The wild cluster bootstrap: a test that few providers do not fool."""

from __future__ import annotations

import numpy as np
import pytest

from engagement_data import COVARIATES, END_REASONS, study
from ratebook.engagement.curves import curves_by_arm
from ratebook.engagement.few_clusters import wild_cluster_test, wild_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.model_rows import study_of
from ratebook.engagement.pseudo import pseudo_value_rows
from ratebook.engagement.resampling import resample


def clustered(clusters, effect, seed):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), 20)
    arm = (cluster % 2).astype(float)
    outcome = effect * arm + rng.standard_normal(clusters)[cluster] + rng.standard_normal(len(cluster))
    return outcome, arm, np.ones((len(cluster), 1)), cluster


def test_the_wild_test_holds_its_level_with_few_providers_where_the_clustered_z_does_not():
    found = [wild_cluster_test(*clustered(10, 0.0, seed), reps=199, seed=seed) for seed in range(300)]
    wild = np.mean([one.p_value < 0.05 for one in found])
    z = np.mean([abs(one.statistic) > 1.96 for one in found])
    covered = np.mean([one.lower <= 0 <= one.upper for one in found])
    assert 0.02 <= wild <= 0.08 < z
    assert 0.92 <= covered <= 0.98


def test_the_wild_interval_holds_what_its_test_does_not_reject():
    found = wild_cluster_test(*clustered(16, 3.0, 1), reps=999, seed=2)
    assert found.p_value < 0.05
    assert 0 < found.lower < found.estimate < found.upper


def test_two_providers_have_no_wild_test():
    assert "fewer than three" in wild_cluster_test(*clustered(2, 0.0, 1), reps=9, seed=1)


def test_the_wild_rows_agree_with_the_regression_they_test():
    persons = engaged_persons(*study(persons=1500, providers=15, seed=3), END_REASONS, 30)
    draws = resample(persons.arm, persons.provider_id, 80, 1)
    rows = wild_rows(study_of(persons, COVARIATES), [90, 180], 199, 1)
    curves = curves_by_arm(persons, persons.days, draws, ["disengaged", "readmitted"])
    adjusted = pseudo_value_rows(persons, draws, curves, COVARIATES, [180], 0.1)[2]
    assert [row["term"] for row in rows] == ["rmst difference, 90 days", "rmst difference, 180 days", "hazard ratio"]
    assert rows[1]["estimate"] == pytest.approx(adjusted["estimate"], abs=1e-6)
    assert rows[1]["std_error"] == pytest.approx(adjusted["std_error"], rel=0.25)
    assert all(row["p_value"] < 0.05 for row in rows)
