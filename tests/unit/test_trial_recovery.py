"""The planted difference of the target trial is found again, and what is confounded or immortal misleads without the clones."""

from __future__ import annotations

import pandas as pd
import pytest

from trial_world import CONFOUNDED, World, differences, emulate, observed, truth

IMMORTAL = World(
    wait_days=(40, 4), stay_days=(80, 80), stay_if_severe=0.25, death_days=2000, death_if_severe=0.015,
    is_referred_once=True,
)  # fmt: skip


# Recovery


def mean_differences(world, seeds=3, **changes):
    changes = {"boot_reps": 2, "landmark_days": [14], **changes}
    many = [differences(emulate(*observed(world, 5000, seed), **changes)) for seed in range(seeds)]
    return pd.concat(many, axis=1).mean(axis=1)


def test_severity_that_decides_who_starts_what_misleads_all_but_the_weighted_clones():
    planted = truth(CONFOUNDED, 14, 180)
    found = mean_differences(CONFOUNDED)
    assert found["naive"] > planted + 10 and found["landmark_14"] > planted + 10
    assert found["clone_censor_weight_14"] == pytest.approx(planted, abs=3)
    assert found["clone_censor_weight_30"] == pytest.approx(truth(CONFOUNDED, 30, 180), abs=3)


def test_clones_weighted_without_the_confounder_are_misled_too():
    found = mean_differences(CONFOUNDED, seeds=2, covariates=[])
    assert found["clone_censor_weight_14"] > truth(CONFOUNDED, 14, 180) + 8


def test_who_must_live_to_be_met_makes_the_slower_program_look_longer():
    planted = truth(IMMORTAL, 14, 180)
    found = mean_differences(IMMORTAL)
    assert found["naive"] > planted + 4
    assert found["clone_censor_weight_14"] == pytest.approx(planted, abs=3)
    assert abs(found["landmark_14"] - planted) < abs(found["naive"] - planted)
