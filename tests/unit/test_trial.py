"""The target trial: who is kept and dropped, identities, limits, protocol and diagnostics."""

from __future__ import annotations

import pandas as pd
import pytest

from engagement_data import nobody, study
from ratebook.contracts.engagement import Engagement
from ratebook.contracts.trial import ELEMENTS, FirstContactWait, Protocol, TrialFlow, TrialWeights
from ratebook.engagement.trial_figures import FIGURES
from ratebook.errors import RatebookError
from ratebook.review.on_data import UNANSWERED_DAYS, immortal_time
from ratebook.review.seen import CannotSay, Seen
from ratebook.tables import read_table, write_table
from trial_world import World, differences, emulate, observed

CONTRACTS = (Protocol, Engagement, TrialFlow, TrialWeights, FirstContactWait)


@pytest.fixture(scope="module")
def base():
    return observed(World(), persons=900)


@pytest.fixture(scope="module")
def found(base):
    return emulate(*base)


# Who is kept


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


def test_days_with_the_own_program_are_part_of_all_days(found):
    rows = (
        found.trial[found.trial.method == "clone_censor_weight_14"].set_index(["estimand", "arm", "tau_days"]).estimate
    )
    for arm in ("RSN", "CSP"):
        assert rows["own_engaged_days", arm, 180] <= rows["engaged_days", arm, 180] + 1e-9


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
