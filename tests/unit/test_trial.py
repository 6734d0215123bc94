"""The target trial: who is kept and dropped, clones and their weights, and recovery of a planted difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from engagement_data import nobody, study
from ratebook.contracts.engagement import Engagement
from ratebook.contracts.trial import ELEMENTS, FirstContactWait, Protocol, TrialFlow, TrialWeights
from ratebook.engagement.clones import Course, course_of, fate_of, follow_clones
from ratebook.engagement.design import design_matrix
from ratebook.engagement.frame import daily_engagement
from ratebook.engagement.logit import by_row, by_unit, logit, newton_step
from ratebook.engagement.resampling import resample
from ratebook.engagement.trial import estimate_trial
from ratebook.engagement.trial_figures import FIGURES
from ratebook.errors import RatebookError
from ratebook.review.on_data import UNANSWERED_DAYS, immortal_time
from ratebook.review.seen import CannotSay, Seen
from ratebook.tables import read_table, write_table
from trial_world import FLOW, SETTINGS, World, observed, truth

CONTRACTS = (Protocol, Engagement, TrialFlow, TrialWeights, FirstContactWait)
IMMORTAL = World(
    wait_days=(40, 4), stay_days=(80, 80), stay_if_severe=0.25, death_days=2000, death_if_severe=0.015,
    is_referred_once=True,
)  # fmt: skip
CONFOUNDED = World(
    wait_days=(20, 12), wait_if_severe=(3.0, 0.6), stay_days=(90, 60), death_days=600, death_if_severe=0.1
)


def emulate(cohort, spells, **changes):
    return estimate_trial(cohort, FLOW, spells, **{**SETTINGS, **changes})


def differences(found, tau=180):
    rows = found.trial[(found.trial.estimand == "engaged_days_difference") & (found.trial.tau_days == tau)]
    return rows.set_index("method").estimate.astype(float)


def clones(cohort, spells, arm="RSN", grace=14, covariates=(), reps=2):
    """Follow one arm's clones, and give with them everybody's days."""
    cohort = cohort.sort_values("person_id", ignore_index=True)
    draws = resample(cohort.arm, cohort.provider_id, reps, 1)
    days = daily_engagement(cohort, spells, cohort.discharge_date, 180, 30)
    seen, engaged, died = days
    matrix = design_matrix(cohort, list(covariates)).to_numpy()
    found = follow_clones(course_of(cohort), arm, grace, matrix, seen, died, [engaged], draws.unit, draws.counts)
    return found, days, draws


@pytest.fixture(scope="module")
def base():
    return observed(World(), persons=900)


@pytest.fixture(scope="module")
def found(base):
    return emulate(*base)


# Who is kept


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
    ("first", "readmitted", "ends", "reason", "fate"),
    [
        pytest.param(30, None, 400, "end_of_data", "kept", id="a contact on the landmark counts"),
        pytest.param(31, None, 400, "end_of_data", "met_later", id="a contact the day after comes too late"),
        pytest.param(5, 30, 400, "end_of_data", "readmitted", id="a readmission on the landmark drops"),
        pytest.param(5, 31, 400, "end_of_data", "kept", id="a readmission the day after does not"),
        pytest.param(5, None, 29, "death", "died", id="who died the day before is not there"),
        pytest.param(5, None, 29, "disenrolled", "unobserved", id="nor who left"),
        pytest.param(5, None, 30, "disenrolled", "kept", id="who leaves on the landmark is still there"),
    ],
)
def test_who_is_there_at_a_landmark(base, first, readmitted, ends, reason, fate):
    cohort, spells = study(40)
    day = pd.Timedelta(days=1)
    at = cohort.discharge_date.iloc[0]
    cohort = cohort.astype({"first_contact_date": "datetime64[s]"})
    cohort.loc[0, ["arm", "first_contact_date", "follow_end_date", "follow_end_reason"]] = [
        "RSN", at + first * day, at + ends * day, reason,
    ]  # fmt: skip
    cohort.loc[0, "readmission_date"] = at + readmitted * day if readmitted else pd.NaT

    def counts(cohort):
        flow = emulate(cohort, spells, landmark_days=[30], boot_reps=2).trial_flow
        flow = flow[flow.method == "landmark_30"]
        return flow.groupby("fate").persons.sum().astype(int)

    more = counts(cohort).sub(counts(cohort.iloc[1:]), fill_value=0)
    assert more[more != 0].to_dict() == {fate: 1}


def test_every_method_accounts_for_every_member(base, found):
    flow = found.trial_flow
    whole = flow[~flow.method.str.startswith("clone")].groupby("method").persons.sum()
    assert (whole == len(base[0])).all()
    both = flow[flow.method.str.startswith("clone")].groupby(["method", "arm"]).persons.sum()
    assert (both == len(base[0])).all()


def test_the_other_arms_starters_are_this_arms_censored(found):
    flow = found.trial_flow.set_index(["method", "arm", "fate"]).persons
    assert flow["clone_censor_weight_14", "RSN", "started"] == flow["clone_censor_weight_14", "CSP", "other_program"]


def test_a_landmark_beyond_the_days_of_assignment_is_refused(base):
    with pytest.raises(RatebookError, match="assignment_days"):
        emulate(*base, landmark_days=[91])


# Identities


def test_without_deviation_the_weighted_days_are_the_plain_ones():
    cohort, spells = study(200)
    start = cohort.discharge_date + pd.Timedelta(days=9)
    shift = start - cohort.first_contact_date
    spells = spells.assign(program="RSN", first_date=spells.first_date + shift, last_date=spells.last_date + shift)
    found, (seen, engaged, _), _ = clones(cohort.assign(arm="RSN", first_contact_date=start), spells)
    plain = (engaged.sum(0) / seen.sum(0))[:30].cumsum()
    assert found.days[0][:30] == pytest.approx(plain, abs=1e-9)
    assert {row["mean_weight"] for row in found.weights} == {1.0}


def test_without_covariates_and_time_all_starters_weigh_the_same():
    cohort, spells = observed(World(death_days=1e6), persons=900)
    followed = cohort[cohort.arm != "CSP"]
    found, (seen, engaged, _), _ = clones(followed, spells)
    course = course_of(followed.sort_values("person_id", ignore_index=True))
    starters = fate_of(course, "RSN", 14) == "started"
    assert found.days[0][:20] == pytest.approx((engaged[starters].sum(0) / seen[starters].sum(0))[:20].cumsum())


def test_stabilised_weights_have_a_mean_of_one(found):
    weights = found.trial_weights
    assert weights.mean_weight.astype(float).between(0.9, 1.1).all()
    assert (weights.effective_persons.astype(float) <= weights.persons.astype(float) + 1e-9).all()
    assert set(weights.day[weights.method == "clone_censor_weight_14"]) == set(range(16))


def test_the_order_of_members_does_not_matter(base, found):
    cohort, spells = (table.sample(frac=1, random_state=3) for table in base)
    for one, other in zip(found, emulate(cohort, spells)):
        pd.testing.assert_frame_equal(one, other)


def test_renamed_arms_turn_the_sign(base, found):
    names = {"RSN": "CSP", "CSP": "RSN", "none": "none"}
    cohort, spells = base
    turned = emulate(
        cohort.assign(arm=cohort.arm.map(names), site_arm=cohort.site_arm.map(names)),
        spells.assign(program=spells.program.map(names)),
    )
    for tau in (90, 180):
        assert differences(turned, tau).to_numpy() == pytest.approx(-differences(found, tau).to_numpy(), abs=1e-6)


def test_a_member_counted_twice_is_the_member_twice(base):
    cohort, spells = base
    twice = pd.concat([cohort, cohort.assign(person_id=cohort.person_id + "b")])
    both = pd.concat([spells, spells.assign(person_id=spells.person_id + "b")])
    one, other = clones(cohort, spells)[0].days[0], clones(twice, both)[0].days[0]
    assert one == pytest.approx(other, rel=2e-3)


def test_days_with_the_own_program_are_part_of_all_days(found):
    rows = (
        found.trial[found.trial.method == "clone_censor_weight_14"].set_index(["estimand", "arm", "tau_days"]).estimate
    )
    for arm in ("RSN", "CSP"):
        assert rows["own_engaged_days", arm, 180] <= rows["engaged_days", arm, 180] + 1e-9


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
    rows = by_row(matrix, event, beta, 1)
    times = counts[:, unit].astype(float)
    assert newton_step(rows, times @ rows.score, times @ rows.information) == pytest.approx(stepped)


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


# Limits


def test_an_empty_cohort_gives_rows_with_a_reason(tmp_path):
    found = emulate(*nobody())
    rows = found.trial
    assert rows.estimate.isna().all() and rows.reason.notna().all() and (rows.persons == 0).all()
    for name, contract in zip(found._fields, CONTRACTS):
        write_table(getattr(found, name), tmp_path / f"{name}.parquet", contract)
        assert len(read_table(tmp_path / f"{name}.parquet", contract)) == len(getattr(found, name))


def test_nobody_in_time_is_a_null_with_its_reason(base):
    cohort, spells = base
    late = cohort.assign(first_contact_date=cohort.first_contact_date + pd.Timedelta(days=30))
    late = late.assign(
        arm=late.arm.where(late.first_contact_date <= late.discharge_date + pd.Timedelta(days=90), "none")
    )
    rows = emulate(late, spells).trial
    rows = rows[rows.method == "clone_censor_weight_14"]
    assert rows.estimate.isna().all() and (rows.reason == "nobody starts the program within the grace period").all()


def test_an_arm_alone_is_estimated_and_its_contrast_is_not():
    cohort, spells = study(80)
    cohort, spells = cohort[cohort.arm == "RSN"], spells[spells.program == "RSN"]
    rows = emulate(cohort, spells).trial
    rows = rows[(rows.method == "clone_censor_weight_30") & (rows.tau_days == 180)].set_index(["estimand", "arm"])
    assert rows.loc[("engaged_days", "RSN"), "estimate"] > 0
    assert pd.isna(rows.loc[("engaged_days_difference", "RSN vs CSP"), "estimate"])


def test_one_member_makes_no_interval_and_no_crash():
    cohort, spells = study(60)
    chosen = cohort.head(1)
    rows = emulate(chosen, spells[spells.person_id.isin(chosen.person_id)]).trial
    assert rows.lower.isna().all() and rows.reason.notna().all()


def test_the_same_input_gives_the_same_bytes(base, tmp_path):
    for n in (0, 1):
        found = emulate(*base)
        for name, contract in zip(found._fields, CONTRACTS):
            write_table(getattr(found, name), tmp_path / f"{name}{n}.parquet", contract)
    for name in found._fields:
        assert (tmp_path / f"{name}0.parquet").read_bytes() == (tmp_path / f"{name}1.parquet").read_bytes()


# Protocol and diagnostics


def test_the_protocol_has_every_element_with_the_settings_in_force(found):
    protocol = found.protocol.set_index("element")
    assert tuple(protocol.index) == ELEMENTS
    assert (
        "Aged 18 to 64" in protocol.emulation["eligibility"] and "enrolled (1 d)" in protocol.emulation["eligibility"]
    )
    assert "within 14 days" in protocol.target_trial["strategies"]
    assert "90, 180" in protocol.emulation["follow_up"]


def test_the_wait_to_first_contact_is_told_by_arm():
    found = emulate(*observed(World(wait_days=(30, 5)), persons=1500), boot_reps=100)
    wait = found.first_contact_wait.set_index("arm").astype({"median_days": float, "lower": float, "upper": float})
    assert wait.median_days["RSN vs CSP"] == wait.median_days["RSN"] - wait.median_days["CSP"]
    # Who reaches a program first reached it before the other: both arms' waits are the shorter of the two.
    assert (wait.lower <= wait.median_days).all() and (wait.median_days <= wait.upper).all()


def test_immortal_time_is_answered_only_by_landmarks_or_clones_with_an_estimate(base, found):
    cohort, rows = base[0], found.trial
    days, words = immortal_time(Seen({"cohort": cohort, "engagement": rows}))
    assert days < 30 and words == "weighted clones and landmarks stand beside the estimate as treated"
    naive = rows[rows.method == "naive"]
    assert immortal_time(Seen({"cohort": cohort, "engagement": naive}))[0] == UNANSWERED_DAYS
    empty = rows.assign(estimate=rows.estimate.where(rows.method == "naive"))
    assert immortal_time(Seen({"cohort": cohort, "engagement": empty}))[0] == UNANSWERED_DAYS
    with pytest.raises(CannotSay):
        immortal_time(Seen({"cohort": cohort[cohort.arm == "RSN"], "engagement": rows}))


@pytest.mark.parametrize("name", list(FIGURES))
def test_a_figure_shows_what_is_there_and_says_so_where_nothing_is(name, found):
    draw, table = FIGURES[name]
    table = {"engagement": "trial"}.get(table, table)  # its rows of the target trial
    assert len(draw(getattr(found, table), 11).axes) > 1
    assert len(draw(getattr(found, table), 10**6).axes) == 1
    assert len(draw(getattr(emulate(*nobody()), table), 11).axes) == 1


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
