"""Adjusted costs: identities that need no authority, and limits at which nothing can be said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import one_row
from cost_data import random_tables
from cost_model_data import SETTINGS, members_of, simulated
from ratebook.contracts.cost_models import CHECKS, MODEL_METHODS, MODEL_TABLES
from ratebook.contracts.episodes import ARMS
from ratebook.cost.adjusted import bca_limits, draw_counts, fit_study, leave_one_out, replicate_means
from ratebook.cost.censored import Sample, mean_cost
from ratebook.cost.glm import LOG_LINK, Regression
from ratebook.cost.model_figures import plot_adjusted, plot_model_fit
from ratebook.cost.models import model_costs
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.tables import write_table

MODELS = [method for method in MODEL_METHODS if method != "unadjusted"]


def means_of(members, counts=None) -> dict[str, np.ndarray]:
    study = fit_study(members, "total_sud", SETTINGS)
    counts = np.ones((1, members.unit.max() + 1)) if counts is None else counts
    return {method: found for (_, method), found in replicate_means(members, {"cost": study}, counts)[0].items()}


def known_of(follow_up: pd.DataFrame) -> pd.DataFrame:
    """What was known at discharge, drawn by person: age, severity and sex."""
    rng = np.random.default_rng(5)
    people = pd.DataFrame({"person_id": sorted(follow_up.person_id)})
    people["n12"] = rng.poisson(2, len(people))
    people["sex"] = rng.choice(["female", "male"], len(people))
    return people


@pytest.fixture(scope="module")
def program():
    tables = random_tables(persons=240)
    settings = SETTINGS | {"covariates": ["n12", "sex"]}
    return tables, settings, model_costs(known_of(tables[0]), *tables, settings)


def test_every_table_keeps_its_contract(program, tmp_path):
    for name, table in program[2].items():
        assert len(table), name
        write_table(table, tmp_path / f"{name}.parquet", MODEL_TABLES[name])


def test_a_model_of_the_arm_alone_gives_the_means_of_simple_bang_tsiatis_in_every_replicate():
    members = simulated()
    members = members_of(
        *[members.costs["total_sud"][at] for at in (members.treated, ~members.treated)],
        followed={arm: members.panels[arm].followed_days for arm in ARMS},
        providers=12,
    )
    counts = draw_counts(members.panels, 50, 1)
    found = means_of(members, counts)
    for place, arm in enumerate(ARMS):
        mine = counts[:, :12] if place == 0 else counts[:, 12:]
        simple = mean_cost(Sample(members.panels[arm], mine), "total_sud", "simple")
        for method in ("unadjusted", "one_part", "two_part", "overlap_weighted", "ols_log_smearing"):
            # Replicates come to rest within a hundredth of their spread, which the squares make a ten-thousandth.
            assert found[method][0, place] == pytest.approx(simple[0], rel=1e-9), method
            assert found[method][:, place] == pytest.approx(simple, rel=2e-3), method


def test_unadjusted_rows_are_those_of_simple_bang_tsiatis_with_their_limits(program):
    tables, settings, found = program
    total = estimate_total_cost(*tables, settings)["total_cost"]
    columns = ["estimate_usd", "std_error", "lower", "upper"]
    for arm in (*ARMS, "difference"):
        mine = one_row(found["cost_models"], estimand="total_sud", method="unadjusted", arm=arm)
        simple = one_row(total, estimand="total_sud", method="simple", arm=arm)
        assert mine[columns].astype(float).tolist() == pytest.approx(simple[columns].astype(float).tolist())


def test_a_weight_of_two_is_the_row_twice():
    once = simulated()
    twice = np.concatenate([np.flatnonzero(once.treated).repeat(2), np.flatnonzero(~once.treated).repeat(2)])
    cost = once.costs["total_sud"]
    both = members_of(
        cost[once.treated].repeat(2),
        cost[~once.treated].repeat(2),
        once.covariates.iloc[twice].reset_index(drop=True),
        12,
        {arm: once.panels[arm].followed_days.repeat(2) for arm in ARMS},
    )
    weighed, repeated = means_of(once, np.full((1, 24), 2.0)), means_of(both)
    for method in MODEL_METHODS:
        assert weighed[method] == pytest.approx(repeated[method], rel=1e-7), method


def test_the_order_of_rows_changes_no_byte(program):
    tables, settings, _ = program
    shuffled = [table.sample(frac=1, random_state=3) for table in (known_of(tables[0]), *tables)]
    again = model_costs(*shuffled, settings | {"boot_reps": 100})
    first = model_costs(known_of(tables[0]), *tables, settings | {"boot_reps": 100})
    for name, table in first.items():
        pd.testing.assert_frame_equal(again[name], table)


def test_swapping_the_arms_flips_the_sign_of_every_difference(program):
    tables, settings, found = program
    follow_up = tables[0].assign(arm=tables[0].arm.map({"RSN": "CSP", "CSP": "RSN"}))
    swapped = model_costs(known_of(follow_up), follow_up, *tables[1:], settings)["cost_models"]
    rows = found["cost_models"]
    here = rows[rows.arm == "difference"].estimate_usd.to_numpy()
    there = swapped[swapped.arm == "difference"].estimate_usd.to_numpy()
    assert here == pytest.approx(-there, rel=1e-6, abs=1e-6, nan_ok=True)


def test_confounding_by_what_was_known_is_taken_out():
    rng = np.random.default_rng(8)
    x = np.concatenate([rng.normal(0.7, 1, 3000), rng.normal(-0.7, 1, 3000)])
    mean = np.exp(6 + 0.5 * x)
    cost = rng.gamma(2, mean / 2)
    found = means_of(members_of(cost[:3000], cost[3000:], pd.DataFrame({"x": x}), 100))
    assert found["unadjusted"][0, 0] / found["unadjusted"][0, 1] > 1.8
    for method in MODELS:
        if method in found:
            assert found[method][0, 0] / found[method][0, 1] == pytest.approx(1, abs=0.06), method


@pytest.mark.parametrize(
    ("zeros", "primary"),
    [(1, "one_part"), (2, "one_part"), (3, "two_part")],
    ids=["fewer than 5% have no cost", "5%, the limit, is one part", "more is two parts"],
)
def test_the_number_of_parts_follows_the_share_without_cost(zeros, primary):
    costs = np.arange(1.0, 41.0) * 100
    costs[:zeros] = 0
    study = fit_study(members_of(costs[0::2], costs[1::2]), "total_sud", SETTINGS)
    assert study.primary == primary
    assert ("about 10%" in study.why) == (primary == "two_part"), "told to the next twentieth, never to the person"
    assert ("two_part" in study.absent) == (primary == "one_part")


def test_where_every_member_has_a_cost_there_is_no_first_part_to_separate(program):
    rows = program[2]["cost_models"]
    two = rows[(rows.estimand == "total_sud") & (rows.method == "two_part")]
    assert two.estimate_usd.isna().all() and two.reason.str.contains("one part serves").all()
    one = rows[(rows.estimand == "total_sud") & (rows.method == "one_part")]
    assert one.is_primary.all() and one.parts.eq(1).all() and one.estimate_usd.gt(0).any()


def test_an_arm_in_which_all_have_a_cost_is_predicted_one():
    members = members_of([100, 200, 300, 400], [0, 0, 100, 200])
    assert means_of(members)["two_part"][0] == pytest.approx([250, 75], rel=1e-6)


def test_a_cut_lowers_the_mean_only_where_somebody_costs_more(program):
    tables = program[2]
    rows, cuts = tables["cost_models"], tables["cost_cuts"]
    for name in ("total_sud", "tcoc"):
        primary = one_row(rows, estimand=name, method="one_part", arm="RSN").estimate_usd
        assert one_row(rows, estimand=name, method="capped", arm="RSN").estimate_usd == primary
        assert one_row(cuts, estimand=name, method="capped").reason == "no member costs more"
        assert one_row(cuts, estimand=name, method="winsorised").cap_usd % 100 == 0
    assert not rows[rows.method.isin(["winsorised", "capped"])].is_primary.any()


def test_limits_by_replicates_hold_the_estimate_and_members_stand_beside_few_providers(program):
    rows = program[2]["cost_models"].dropna(subset=["estimate_usd"])
    for kind in ("lower", "percentile_lower", "bca_lower", "member_lower"):
        assert (rows[kind] < rows.estimate_usd).all(), kind
        assert (rows[kind.replace("lower", "upper")] > rows.estimate_usd).all(), kind
    ratios = rows[rows.arm == "difference"]
    assert ((ratios.ratio_lower < ratios.ratio) & (ratios.ratio < ratios.ratio_upper)).all()


def test_bca_is_the_percentile_of_a_symmetric_estimate_and_shifts_with_its_bias():
    rng = np.random.default_rng(1)
    draws = np.concatenate([[0.0], np.sort(rng.normal(size=2000))])
    draws[1:] -= np.median(draws[1:])
    arm = np.repeat([0, 1], 20)
    flat = np.tile([-1.0, 1.0], 20)
    assert bca_limits(draws, flat, arm) == pytest.approx(np.quantile(draws[1:], [0.025, 0.975]), abs=1e-3)
    low, high = bca_limits(np.concatenate([[0.3], draws[1:]]), flat, arm)
    assert low > -1.96 + 0.4 and high > 1.96 + 0.3
    assert np.isnan(bca_limits(np.array([0.0]), flat, arm)).all()


def test_bca_of_a_mean_is_near_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(4).gamma(1.0, 100.0, 30)
    counts = np.random.default_rng(6).multinomial(30, np.full(30, 1 / 30), size=20_000)
    draws = np.concatenate([[values.mean()], counts @ values / 30])
    left = (1 - np.eye(30)) @ values / 29
    found = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=2).confidence_interval
    assert bca_limits(draws, left, np.zeros(30)) == pytest.approx(tuple(found), rel=0.03)


def test_a_provider_of_both_arms_is_left_out_of_both_at_once():
    members = members_of([1, 2, 3, 4], [5, 6, 7, 8])
    named = {arm: np.array(["a", arm] * 2) for arm in ARMS}
    panels = {arm: replace(panel, provider=named[arm]) for arm, panel in members.panels.items()}
    counts, home = leave_one_out(panels)
    assert counts.tolist() == [[1, 1, 1, 0], [1, 0, 1, 1], [0, 1, 0, 1]]
    assert home.tolist() == ["CSP", "RSN", "RSN"]
    assert len(leave_one_out(members.panels)[0]) == 4


def test_a_level_without_cost_ends_no_fit():
    rng = np.random.default_rng(1)
    persons = 400
    level = np.zeros(persons)
    level[:5] = 1
    cost = rng.poisson(300, persons) * (1 - level)
    found = means_of(members_of(cost[::2], cost[1::2], pd.DataFrame({"level": level[np.r_[0:400:2, 1:400:2]]}), 20))
    assert found["one_part"][0] == pytest.approx(found["unadjusted"][0], rel=0.02)


def test_a_replicate_that_strays_is_fitted_alone():
    # Dollars with a constant spread, by a model that asks much of few members.
    rng = np.random.default_rng(3)
    rows = np.column_stack([np.ones(80), rng.integers(0, 2, (80, 5))])
    outcome = rng.gamma(1, np.exp(6 + rows[:, 1]))
    weight = rng.exponential(1.0, (300, 80))
    model = Regression.of(rows, outcome, np.ones(80), LOG_LINK[0], np.arange(80), 80)
    found = model.refit(weight, weight, at_rest=1e-8)
    has_fit = np.isfinite(found).all(axis=1)
    assert has_fit.mean() > 0.98
    mean = np.exp(found[has_fit] @ rows.T)
    score = (weight[has_fit] * (outcome - mean) * mean) @ rows
    assert np.abs(score / (weight[has_fit] * mean**2).sum(axis=1)[:, None]).max() < 1e-4


def test_arms_that_share_nobody_have_no_overlap():
    x = np.concatenate([np.arange(50.0), np.arange(200.0, 250.0)])
    members = members_of(np.full(50, 100.0) + x[:50], np.full(50, 90.0), pd.DataFrame({"x": x / 100}), 10)
    study = fit_study(members, "total_sud", SETTINGS)
    assert "tell the arms apart" in study.absent["overlap_weighted"]
    assert "overlap_weighted" not in means_of(members) and "one_part" in means_of(members)


def test_figures_draw_what_there_is_and_say_where_there_is_nothing(program):
    for draw, name in ((plot_adjusted, "cost_models"), (plot_model_fit, "cost_model_fit")):
        assert len(draw(program[2][name]).axes) == 4
        assert "No model" in draw(program[2][name][:0]).axes[0].texts[0].get_text()


def test_checks_of_fit_are_all_told(program):
    checks = program[2]["cost_model_checks"]
    for name, mine in checks.groupby("estimand"):
        assert set(mine.check) == set(CHECKS), name
        assert mine.status.ne("na").all()
    tenths = program[2]["cost_model_fit"]
    assert (tenths.groupby("estimand").tenth.max() <= 10).all()


def test_coefficients_say_that_they_are_not_dollars(program):
    rows = program[2]["cost_coefficients"]
    assert not [column for column in rows if column.endswith("_usd")]
    arm = one_row(rows, estimand="total_sud", part="size", term="arm RSN")
    means = program[2]["cost_models"]
    ratio = one_row(means, estimand="total_sud", method="one_part", arm="difference").ratio
    assert np.exp(arm.coefficient) == pytest.approx(ratio), "of a one-part model, and of it only"


def _cells(frame, settings=SETTINGS, known=None):
    return model_costs(known_of(frame[0]) if known is None else known, *frame, settings | {"boot_reps": 100})


def test_an_arm_without_a_member_gives_nulls_with_the_reason():
    follow_up, costs, clients = random_tables(persons=60)
    rows = _cells((follow_up[follow_up.arm == "RSN"], costs, clients))["cost_models"]
    assert rows.estimate_usd.isna().all() and rows.reason.eq("no member in CSP").all()
    assert rows[rows.arm == "CSP"].persons.eq(0).all()


def test_nobody_at_all_gives_empty_tables():
    follow_up, costs, clients = random_tables(persons=60)
    tables = _cells((follow_up[:0], costs, clients))
    assert all(table.empty for table in tables.values()) and set(tables) == set(MODEL_TABLES)


def test_nobody_observed_to_the_horizon_gives_nulls_with_the_reason():
    follow_up, costs, clients = random_tables(persons=60)
    follow_up = follow_up.assign(followed_days=40, is_complete=False, end_reason="disenrolled")
    rows = _cells((follow_up, costs, clients))["cost_models"]
    assert rows.estimate_usd.isna().all() and rows.reason.str.contains("too few members are observed").all()


def test_costs_of_zero_have_no_model_but_an_unadjusted_mean_of_zero(tmp_path):
    follow_up, costs, clients = random_tables(persons=60)
    tables = _cells((follow_up, costs.assign(cost_usd=0.0, engaged_cost_usd=0.0), clients))
    rows = tables["cost_models"]
    assert rows[rows.method == "unadjusted"].estimate_usd.eq(0).all()
    assert rows[rows.method != "unadjusted"].estimate_usd.isna().all()
    assert rows[rows.method != "unadjusted"].reason.str.contains("has a cost").all()
    assert tables["cost_model_checks"].status.eq("na").all()
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.parquet", MODEL_TABLES[name])


def test_one_provider_in_an_arm_gives_estimates_without_limits_and_members_beside():
    follow_up, costs, clients = random_tables(persons=120)
    follow_up = follow_up.assign(provider_id=follow_up.provider_id.where(follow_up.arm == "CSP", "only"))
    rows = _cells((follow_up, costs, clients))["cost_models"]
    mine = rows[(rows.method == "one_part") & (rows.arm == "difference")]
    assert mine.estimate_usd.notna().all() and mine.lower.isna().all() and mine.bca_lower.isna().all()
    assert mine.reason.str.contains("no limits").all() and mine.member_std_error.gt(0).all()


def test_few_members_and_many_covariates_give_no_model():
    follow_up, costs, clients = random_tables(persons=8)
    settings = SETTINGS | {"covariates": ["n12", "sex"]}
    rows = _cells((follow_up.assign(followed_days=365, is_complete=True), costs, clients), settings)["cost_models"]
    assert rows[rows.method == "one_part"].reason.str.contains("too few").all()
