"""Weights for those who lost coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import END_REASONS, study
from ratebook.engagement.curves import curves_by_arm, rmst_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.ipcw import ipcw_rows, observed_weights
from ratebook.engagement.resampling import resample

TAU = 180


def lose_the_frail(persons, seed):
    """Let frail persons of RSN leave engagement early and lose coverage early: what is observed looks too long."""
    rng = np.random.default_rng(seed)
    frail = rng.random(len(persons)) < 0.5
    ends = np.ceil(rng.exponential(np.where(frail, 50.0, 250.0)))
    leaves = np.where(persons.arm == "RSN", rng.exponential(np.where(frail, 60.0, 2000.0)), 1e6)
    lost = leaves < ends
    persons = persons.assign(
        frail=frail,
        days=np.where(lost, np.ceil(leaves), ends),
        end_reason=np.where(lost, "disenrolled", "disengaged"),
        role=np.where(lost, "censor", "event"),
    )
    return persons, np.minimum(ends, TAU)[(persons.arm == "RSN").to_numpy()].mean()


@pytest.fixture(scope="module")
def persons():
    return engaged_persons(*study(persons=6000, providers=20, seed=2), END_REASONS, 30)


def test_weights_remove_most_of_the_bias_of_informative_losses(persons):
    persons, truth = lose_the_frail(persons, 1)
    draws = resample(persons.arm, persons.provider_id, 60, 1)
    curves = curves_by_arm(persons, persons.days, draws, ["disengaged"])
    plain = rmst_rows(curves, draws, "contact", "kaplan_meier", [TAU], 0.1)[0]["estimate"]
    weighted = ipcw_rows(persons, draws, curves, ["frail"], END_REASONS, [TAU], 0.1)[0]
    assert plain - truth > 8
    assert abs(weighted["estimate"] - truth) < 0.2 * (plain - truth)
    assert weighted["lower"] < truth < weighted["upper"]


def test_losses_that_nothing_foretells_leave_the_estimate_where_it_was(persons):
    rng = np.random.default_rng(3)
    lost = rng.random(len(persons)) < 0.15
    persons = persons.assign(
        noise=rng.standard_normal(len(persons)),
        end_reason=persons.end_reason.where(~lost, "disenrolled"),
        role=persons.role.where(~lost, "censor"),
    )
    draws = resample(persons.arm, persons.provider_id, 20, 1)
    curves = curves_by_arm(persons, persons.days, draws, ["disengaged", "readmitted"])
    plain = rmst_rows(curves, draws, "contact", "kaplan_meier", [TAU], 0.1)[2]["estimate"]
    weighted = ipcw_rows(persons, draws, curves, ["noise"], END_REASONS, [TAU], 0.1)[2]["estimate"]
    assert weighted == pytest.approx(plain, abs=1.5)


def test_without_losses_there_is_nothing_to_weigh(persons):
    draws = resample(persons.arm, persons.provider_id, 20, 1)
    curves = curves_by_arm(persons, persons.days, draws, ["disengaged", "readmitted"])
    rows = ipcw_rows(persons, draws, curves, ["age_years"], END_REASONS, [TAU], 0.1)
    assert {row["reason"] for row in rows} == {"fewer than 10 lost in either arm: nothing to weigh"}
    assert np.isnan([row["estimate"] for row in rows]).all()


def test_an_arm_nobody_is_in_is_said(persons):
    alone = persons[persons.arm == "RSN"].reset_index(drop=True)
    draws = resample(alone.arm, alone.provider_id, 20, 1)
    curves = curves_by_arm(alone, alone.days, draws, ["disengaged", "readmitted"])
    rows = ipcw_rows(alone, draws, curves, ["age_years"], END_REASONS, [TAU], 0.1)
    assert rows[1]["reason"] == "no person in the arm"


def test_few_losses_weigh_nobody():
    days = np.arange(1.0, 31)
    weights = observed_weights(days, days <= 9, pd.DataFrame({"x": days % 3}), np.array([5.0, 20]))
    assert (weights == 1).all()
