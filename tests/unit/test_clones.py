"""Clones of the target trial: when one deviates, what it weighs, and its replicates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from engagement_data import study
from ratebook.engagement.clones import Course, _Clones, course_of, fate_of, follow_clones
from ratebook.engagement.design import design_matrix
from ratebook.engagement.frame import daily_engagement
from ratebook.engagement.logit import by_unit, logit, newton_step
from ratebook.engagement.resampling import resample
from trial_world import CONFOUNDED, World, observed


def clones(cohort, spells, arm="RSN", grace=14, covariates=(), reps=2):
    """Follow one arm's clones, and give with them everybody's days."""
    cohort = cohort.sort_values("person_id", ignore_index=True)
    draws = resample(cohort.arm, cohort.provider_id, reps, 1)
    days = daily_engagement(cohort, spells, cohort.discharge_date, 180, 30)
    seen, engaged, died = days
    matrix = design_matrix(cohort, list(covariates)).to_numpy()
    found = follow_clones(course_of(cohort), arm, grace, matrix, seen, died, [engaged], draws.unit, draws.counts)
    return found, days, draws


# When one deviates


@pytest.mark.parametrize(
    ("program", "start", "last", "fate"),
    [
        pytest.param("RSN", 14, 400, "started", id="a start on the last day of grace is in time"),
        pytest.param("RSN", 15, 400, "not_started", id="a start the day after is too late"),
        pytest.param("CSP", 14, 400, "other_program", id="the other program within grace deviates"),
        pytest.param("CSP", 15, 400, "not_started", id="the other program after grace: grace had ended before"),
        pytest.param("none", np.inf, 14, "ended", id="who dies on the last day of grace has not deviated"),
        pytest.param("none", np.inf, 15, "not_started", id="who is there the day after has"),
        pytest.param("RSN", 3, 9, "started", id="who starts and dies within grace has started"),
    ],
)
def test_when_a_clone_deviates(program, start, last, fate):
    course = Course(np.array([program]), np.array([float(start)]), np.array([float(last)]), np.array([np.inf]))
    assert fate_of(course, "RSN", 14) == [fate]


@pytest.mark.parametrize(
    ("start", "readmitted", "fate"),
    [
        pytest.param(np.inf, 14, "readmitted_first", id="readmitted on the last day of grace: no start was due"),
        pytest.param(np.inf, 15, "not_started", id="readmitted the day after: one was"),
        pytest.param(20, 10, "readmitted_first", id="a start after grace comes too late to matter"),
        pytest.param(12, 10, "started", id="who starts within grace has started, readmitted or not"),
    ],
)
def test_who_is_readmitted_before_a_start_has_not_deviated(start, readmitted, fate):
    course = Course(np.array(["RSN"]), np.array([float(start)]), np.array([400.0]), np.array([float(readmitted)]))
    assert fate_of(course, "RSN", 14) == [fate]


# Identities


def test_without_deviation_the_weighted_days_are_the_plain_ones():
    cohort, spells = study(200)
    start = cohort.discharge_date + pd.Timedelta(days=9)
    shift = start - cohort.first_contact_date
    spells = spells.assign(program="RSN", first_date=spells.first_date + shift, last_date=spells.last_date + shift)
    found, (seen, engaged, _), _ = clones(cohort.assign(arm="RSN", first_contact_date=start), spells)
    plain = (engaged.sum(0) / seen.sum(0))[:30].cumsum()
    assert found.days[0][:30] == pytest.approx(plain, abs=1e-9)
    assert [row["mean_weight"] for row in found.weights] == pytest.approx([1.0] * len(found.weights))


def test_without_covariates_and_time_all_starters_weigh_the_same():
    cohort, spells = observed(World(death_days=1e6), persons=900)
    followed = cohort[cohort.arm != "CSP"]
    found, (seen, engaged, _), _ = clones(followed, spells)
    course = course_of(followed.sort_values("person_id", ignore_index=True))
    starters = fate_of(course, "RSN", 14) == "started"
    assert found.days[0][:20] == pytest.approx((engaged[starters].sum(0) / seen[starters].sum(0))[:20].cumsum())


def test_a_member_counted_twice_is_the_member_twice():
    cohort, spells = observed(World(), persons=900)
    twice = pd.concat([cohort, cohort.assign(person_id=cohort.person_id + "b")])
    both = pd.concat([spells, spells.assign(person_id=spells.person_id + "b")])
    one, other = clones(cohort, spells)[0].days[0], clones(twice, both)[0].days[0]
    assert one == pytest.approx(other, rel=2e-3)


def test_those_who_kept_to_the_strategy_are_together_everybody_followed():
    cohort = observed(CONFOUNDED, persons=900)[0].sort_values("person_id", ignore_index=True)
    rare = cohort.index[::7]
    cohort.loc[rare, "readmission_date"] = cohort.discharge_date[rare] + pd.Timedelta(days=5)
    course, own = course_of(cohort), np.arange(len(cohort))
    matrix = design_matrix(cohort, ["is_ama"]).to_numpy()
    arm = _Clones(course, "RSN", 14, matrix, own, len(own))
    weight = arm.weigh(np.ones((1, len(own))))[0][: len(arm.starters) + len(arm.spared)]
    kept = arm.kept[: len(weight)]
    followed, again = course.last_day > 14, course.readmitted_day <= 14
    assert weight.sum() == pytest.approx(followed.sum())
    assert weight[again[kept]].sum() == pytest.approx((followed & again).sum())
    assert weight[~again[kept]] @ matrix[kept][~again[kept]] == pytest.approx(matrix[followed & ~again].sum(0))


# Replicates


def test_one_newton_step_is_as_good_as_a_refit():
    rng = np.random.default_rng(5)
    matrix = np.column_stack([np.ones(4000), rng.standard_normal((4000, 3))])
    event = rng.random(4000) < expit(matrix @ [-2.0, 0.5, -0.3, 0.0])
    unit = rng.integers(0, 40, 4000)
    counts = rng.multinomial(39, np.full(40, 1 / 40), 60) * 40 / 39
    beta = logit(matrix, event, 1)
    model = by_unit(matrix, event, beta, 1, unit, 40)
    stepped = newton_step(model, counts @ model.score, counts @ model.information)
    refitted = np.array([logit(matrix, event, 1, weight) for weight in counts[:, unit]])
    assert (np.sqrt(((stepped - refitted) ** 2).mean(0)) < 0.15 * refitted.std(0)).all()


def test_the_whole_sample_is_its_own_replicate():
    cohort, spells = observed(CONFOUNDED, persons=900)
    followed, *_ = clones(cohort, spells, covariates=["is_ama"], reps=3)
    cohort = cohort.sort_values("person_id", ignore_index=True)
    seen, engaged, died = daily_engagement(cohort, spells, cohort.discharge_date, 180, 30)
    matrix, own = design_matrix(cohort, ["is_ama"]).to_numpy(), np.arange(len(cohort))
    again = follow_clones(course_of(cohort), "RSN", 14, matrix, seen, died, [engaged], own, np.ones((2, len(cohort))))
    assert again.replicates[0] == pytest.approx(np.tile(again.days[0], (2, 1)))
    assert again.days == pytest.approx(followed.days)


def test_a_replicate_is_the_estimate_of_the_cohort_it_draws():
    cohort, spells = observed(CONFOUNDED, persons=3000)
    followed, _, draws = clones(cohort, spells, covariates=["is_ama"], reps=4)
    cohort = cohort.sort_values("person_id", ignore_index=True)
    seen, engaged, died = daily_engagement(cohort, spells, cohort.discharge_date, 180, 30)
    matrix = design_matrix(cohort, ["is_ama"]).to_numpy()
    spread = followed.replicates[0, :, -1].std()
    for counts, stepped in zip(draws.counts, followed.replicates[0]):
        # Rounded to whole copies the cohort can be written out and fitted from the start.
        copies = np.repeat(np.arange(len(cohort)), np.rint(counts[draws.unit]).astype(int))
        course = Course(*(part[copies] for part in course_of(cohort)))
        full = follow_clones(
            course, "RSN", 14, matrix[copies], seen[copies], died[copies], [engaged[copies]],
            np.arange(len(copies)), np.ones((1, len(copies))),
        )  # fmt: skip
        assert abs(full.days[0, -1] - stepped[-1]) < 0.35 * max(spread, 1.0)


def test_nobody_stands_for_more_than_a_hundred_alike():
    cohort, spells = observed(World(), persons=3000)
    rare = cohort.is_ama.to_numpy(bool).copy()
    soon = rare & (cohort.arm == "RSN") & (cohort.first_contact_date - cohort.discharge_date < pd.Timedelta(days=14))
    rare[soon.to_numpy().nonzero()[0][:2]] = False
    cohort.loc[rare, ["arm", "first_contact_date"]] = ["none", pd.NaT]
    followed, *_ = clones(cohort, spells, covariates=["is_ama"])
    last = followed.weights[-1]
    assert rare.sum() > 500 and last["largest_weight"] / last["uncensored_share"] == pytest.approx(100)
