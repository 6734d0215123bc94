"""The checks of curves, means, hazards and clusters find what they are for (H26 to H29)."""

from __future__ import annotations

import pandas as pd
import pytest

from engagement_data import END_REASONS, MODEL_SETTINGS, SETTINGS, study
from ratebook.engagement.estimate import estimate_survival
from ratebook.engagement.models import fit_models
from ratebook.engagement.survival import risk_table, survival_of
from ratebook.review import on_engagement
from ratebook.review.checklist import check_review
from ratebook.review.seen import Seen
from review_data import QUESTIONS, ask

CHOICES = {"engagement": {"end_reasons": END_REASONS}, "episodes": {"spell_gap_days": 30}}


@pytest.fixture(scope="module")
def world():
    cohort, spells = study(providers=25)
    tables = estimate_survival(cohort, spells, **{**SETTINGS, "boot_reps": 40})
    return {
        "cohort": cohort,
        "spells": spells,
        "engagement": tables.engagement,
        "cumulative_incidence": tables.cumulative_incidence,
        "engagement_models": fit_models(cohort, spells, **MODEL_SETTINGS),
    }


def status(check_id, tables):
    return ask(check_id, settings=CHOICES, **tables).status


def without(frame, where):
    return frame.drop(frame.query(where).index)


def with_proportional(models, p_value):
    of = models.model.str.startswith("ph_test") & (models.term == "GLOBAL")
    return models.assign(p_value=models.p_value.mask(of, p_value))


@pytest.mark.parametrize("check_id", ["H26", "H27", "H28"])
def test_a_sound_estimate_passes(world, check_id):
    assert status(check_id, world) == "pass"


def test_incidences_that_add_up_to_more_than_one_fail(world):
    curves = world["cumulative_incidence"]
    assert status("H26", {**world, "cumulative_incidence": curves.assign(incidence=curves.incidence * 1.5)}) == "fail"


def test_competing_ends_without_their_incidence_fail(world):
    assert status("H26", {**world, "cumulative_incidence": world["cumulative_incidence"].iloc[:0]}) == "fail"
    some = without(world["cumulative_incidence"], "end_reason == 'readmitted'")
    assert status("H26", {**world, "cumulative_incidence": some}) == "fail"


@pytest.mark.parametrize(
    ("p_value", "drop", "answer"),
    [
        pytest.param(0.04, "model == ''", "pass", id="not proportional, but means and pieces stand"),
        pytest.param(0.04, "model == 'piecewise_exponential'", "fail", id="not proportional and no pieces"),
        pytest.param(0.06, "model == 'piecewise_exponential'", "pass", id="proportional needs none"),
    ],
)
def test_hazards_that_are_not_proportional_need_more_than_one_ratio(world, p_value, drop, answer):
    models = without(with_proportional(world["engagement_models"], p_value), drop)
    assert status("H27", {**world, "engagement_models": models}) == answer


def test_hazards_that_are_not_proportional_without_a_restricted_mean_fail(world):
    models = with_proportional(world["engagement_models"], 0.01)
    rows = world["engagement"]
    rows = rows.assign(estimate=rows.estimate.mask(rows.estimand == "rmst_difference"))
    assert status("H27", {**world, "engagement_models": models, "engagement": rows}) == "fail"


def test_curves_that_cross_count_as_not_proportional(world):
    models = with_proportional(world["engagement_models"], 0.5)
    models = without(
        models.assign(estimate=models.estimate.mask(models.model == "crossing", 90.0)),
        "model == 'piecewise_exponential'",
    )
    assert status("H27", {**world, "engagement_models": models}) == "fail"


def test_the_spread_of_the_days_in_place_of_the_error_fails(world):
    """The trap of a library: AML-M to 45 gives 170.488 (it integrates by steps), the squared error is 16.93."""
    days = [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161]
    event = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]
    table = risk_table(days, event).total()
    spread = on_engagement.spread_of_restricted(table.time, survival_of(table), 45)
    assert spread == pytest.approx(170.488, abs=5e-3)
    persons = on_engagement.engaged_persons(world["cohort"], world["spells"], END_REASONS, 30)
    mine = persons[persons.arm == "RSN"]
    table = risk_table(mine.days, mine.role != "censor").total()
    error = on_engagement.spread_of_restricted(table.time, survival_of(table), 180) ** 0.5
    rows = world["engagement"]
    trap = (rows.estimand == "rmst") & (rows.arm == "RSN") & (rows.tau_days == 180) & (rows.method == "kaplan_meier")
    for factor, answer in ((1.0, "fail"), (1.02, "pass")):
        wrong = rows.assign(std_error=rows.std_error.mask(trap, error * factor))
        assert status("H28", {**world, "engagement": wrong}) == answer


def test_a_mean_beyond_follow_up_fails(world):
    spells = world["spells"]
    short = spells.assign(length_days=spells.length_days.clip(upper=100))
    short = short.assign(end_reason=short.end_reason.where(short.length_days < 100, "end_of_data"))
    assert status("H28", {**world, "spells": short}) == "fail"


def test_a_mean_without_error_or_reason_fails(world):
    rows = world["engagement"].assign(std_error=None, reason=None)
    assert status("H28", {**world, "engagement": rows}) == "fail"


def errors(rows, unit="provider", naive_share=0.9):
    return rows.assign(error_unit=unit, naive_std_error=rows.std_error * naive_share)


@pytest.mark.parametrize(
    ("providers", "unit", "naive_share", "tests", "answer"),
    [
        pytest.param(25, "provider", 0.8, True, "pass", id="many providers, errors alike"),
        pytest.param(25, "provider", 0.79, True, "warn", id="errors of independent persons would mislead"),
        pytest.param(20, "provider", 0.9, False, "pass", id="twenty providers an arm are enough"),
        pytest.param(19, "provider", 0.9, True, "warn", id="few providers, moved between the arms"),
        pytest.param(19, "provider", 0.9, False, "fail", id="few providers and nothing for it"),
        pytest.param(25, "person", 0.9, True, "fail", id="persons resampled though arms come with providers"),
    ],
)
def test_errors_must_know_the_providers(world, providers, unit, naive_share, tests, answer):
    number = pd.Series(range(len(world["cohort"])), index=world["cohort"].index) % providers
    cohort = world["cohort"].assign(provider_id=world["cohort"].arm + number.astype(str))
    models = world["engagement_models"]
    models = models if tests else without(models, "model in ('permutation', 'wild_bootstrap')")
    rows = errors(world["engagement"], unit, naive_share + 1e-9)
    assert status("H29", {**world, "cohort": cohort, "engagement": rows, "engagement_models": models}) == answer


# Clocks, gaps, covariates and weights (H23, H24, H30, H31)


def test_clocks_are_compared_where_the_effect_is_known(world):
    rows = world["engagement"]
    longest = (rows.estimand == "rmst_difference") & (rows.tau_days == 365)
    unknown = rows.assign(estimate=rows.estimate.mask(longest))
    cross = {"comparison": "cross_clock", "other_clock": "contact", "clock": "admin", "persons": 50}
    clocks = pd.DataFrame(
        [{**cross, "source": "log / log", "estimate_days": 42.0, "tau_days": tau} for tau in (180, 365)]
    )
    choices = {**CHOICES, "release": {"suppress_below": 11}}
    seen = Seen({"engagement": unknown, "clocks": clocks}, {}, choices)
    row = check_review(QUESTIONS[QUESTIONS.id == "H23"], seen).iloc[0]
    effect = rows.estimate[(rows.estimand == "rmst_difference") & (rows.tau_days == 180) & rows.estimate.notna()]
    assert row.value == pytest.approx(min(abs(42 / effect[rows.method == "kaplan_meier"].iloc[0] - 1), 1))


@pytest.mark.parametrize(("known", "answer"), [(3, "pass"), (2, "warn")])
def test_a_gap_rule_counts_where_the_difference_stands_under_it(known, answer):
    rows = gap_rules(5.0, 5.0, 5.0)
    assert status("H24", {"sensitivity": rows.assign(estimate=rows.estimate.where(rows.index < known))}) == answer


def gap_rules(*estimates):
    """Draw differences under gap rules; the second is the one in force."""
    settings = [f"{days} days" for days in (14, 30, 60)]
    rows = pd.DataFrame({"factor": "gap rule", "setting": settings, "estimate": estimates})
    return rows.assign(is_base=rows.index == 1)


@pytest.mark.parametrize(
    ("other", "answer"), [(80.0, "pass"), (120.0, "pass"), (79.0, "warn"), (121.0, "warn"), (-100.0, "warn")]
)
def test_a_gap_rule_that_moves_the_difference_by_over_a_fifth_warns(other, answer):
    seen = Seen({"sensitivity": gap_rules(100.0, 100.0, other)}, {}, CHOICES)
    row = check_review(QUESTIONS[QUESTIONS.id == "H24"], seen).iloc[0]
    assert (row.status, row.value) == (answer, pytest.approx(abs(other - 100) / 100))
    assert f"{other:.0f} at 60 days" in row.reason


@pytest.mark.parametrize(
    ("covariate", "answer"),
    [
        ("los_days", "pass"),
        ("los_days × n12", "pass"),
        ("death_date", "fail"),
        ("n12 × is_acute_transfer", "fail"),
        ("site_arm", "fail"),
    ],
)
def test_a_covariate_not_known_at_discharge_fails(covariate, answer):
    assert status("H30", {"balance": pd.DataFrame({"covariate": ["age_years", covariate]})}) == answer


@pytest.mark.parametrize(
    ("smd", "inverse", "answer"),
    [
        pytest.param(0.1, [1.0] * 100, "pass", id="alike"),
        pytest.param(0.11, [1.0] * 100, "warn", id="an arm differs"),
        pytest.param(0.01, [1.0] * 99 + [40.0], "warn", id="one weight is extreme"),
        pytest.param(0.01, [1.0] * 70 + [6.0] * 30, "pass", id="under half, but barely not"),
        pytest.param(0.01, [1.0] * 80 + [12.0] * 20, "warn", id="an arm tells as much as under half of it"),
    ],
)
def test_weights_are_judged_beside_the_balance(smd, inverse, answer):
    weights = pd.DataFrame({"arm": "RSN", "overlap": 0.5, "inverse": inverse, "treated": 1.0})
    assert status("H31", {"balance": pd.DataFrame({"smd_after": [smd]}), "weights": weights}) == answer


CLONES = {
    "arm": ["RSN", "CSP"], "persons": 400, "mean_weight": 1.0, "largest_weight": 5.0, "effective_persons": 300.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "answer", "value"),
    [
        pytest.param({}, "pass", 0.01, id="sound"),
        pytest.param({"mean_weight": [1.0, 1.1]}, "pass", 0.1, id="a mean of 1.1 is the limit"),
        pytest.param({"mean_weight": [1.0, 1.134]}, "warn", 0.134, id="a mean above 1.1"),
        pytest.param({"mean_weight": [0.85, 1.0]}, "warn", 0.15, id="a mean below 0.9"),
        pytest.param({"largest_weight": [60.0, 2.0]}, "warn", 1.0, id="one weight of sixty"),
        pytest.param({"effective_persons": [199.0, 300.0]}, "warn", 1.0, id="under half of the clones"),
        pytest.param({"mean_weight": [float("nan")] * 2}, "pass", 0.01, id="nobody was weighed"),
    ],
)
def test_weights_of_the_clones_are_judged_too(damage, answer, value):
    weights = pd.DataFrame({"arm": ["RSN"] * 9, "overlap": 0.5, "inverse": 1.0, "treated": 1.0})
    tables = {"balance": pd.DataFrame({"smd_after": [0.01]}), "weights": weights}
    seen = Seen({**tables, "trial_weights": pd.DataFrame({**CLONES, **damage})}, {}, CHOICES)
    row = check_review(QUESTIONS[QUESTIONS.id == "H31"], seen).iloc[0]
    assert (row.status, row.value) == (answer, pytest.approx(value))


@pytest.mark.parametrize(
    ("causes", "weighed", "answer"),
    [(None, False, "pass"), (0.2, False, "pass"), (0.003, False, "warn"), (0.003, True, "pass")],
)
def test_causes_of_censoring_that_differ_by_arm_need_weights(causes, weighed, answer):
    cohort = pd.DataFrame(
        {"arm": ["RSN", "CSP"] * 50, "follow_end_reason": ["disenrolled"] * 40 + ["end_of_data"] * 60}
    )
    models = pd.DataFrame({"model": ["censoring"], "p_value": [causes]}).astype({"p_value": float})
    rows = pd.DataFrame({"method": ["ipcw"], "estimate": [5.0 if weighed else None]}).astype({"estimate": float})
    assert status("H33", {"cohort": cohort, "engagement_models": models, "engagement": rows}) == answer
