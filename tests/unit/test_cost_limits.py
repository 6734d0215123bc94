"""Limits of cost: who is drawn, how far limits reach, and the identity behind the paradox."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cost_data import EDGES, STUDY, panels_of, paradox_tables, random_tables
from ratebook.contracts.cost import PopulationCosts, PopulationMonths
from ratebook.cost.censored import Panel, Sample, mean_cost, simple_std_error
from ratebook.cost.decomposition import decompose
from ratebook.cost.drawn import draw_panels
from ratebook.cost.panels import build_panels
from ratebook.cost.paradox import derive_paradox
from ratebook.cost.pmpm import price_pmpm
from ratebook.cost.resample import draw_members, draw_providers, draw_weights, quantile, replicate, summary
from ratebook.cost.total_cost import estimate_total_cost, too_few_observed
from ratebook.tables import empty_frame

SETTINGS = STUDY | {"boot_reps": 300, "seed": 3}
people = pytest.fixture(random_tables, scope="module")
panels = pytest.fixture(panels_of, scope="module")


def alike(sizes: list[int], cost: float = 1.0) -> Panel:
    """Members of clusters of these sizes, all complete, each costing the number of their cluster."""
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    days = np.full(len(cluster), 365)
    return Panel(days, days > 0, cluster, np.array([0, 365]), {"cost": cost * (cluster[:, None] + 1.0)})


def test_the_first_weights_are_the_arm_itself_and_the_others_average_to_it(panels):
    drawn = draw_providers(panels, 4000, 1)
    for arm, weights in drawn.items():
        assert weights.shape == (4001, panels[arm].clusters) and (weights[0] == 1).all()
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights[1:].mean(axis=0), 1, atol=0.06)


def test_equal_providers_have_the_standard_error_of_their_mean():
    panel = alike([20] * 12)
    draws = replicate(panel, lambda sample: {"": mean_cost(sample, "cost", "partitioned")}, _weights(panel, 8000))[""]
    assert draws[1:].std() == pytest.approx(np.arange(12).std(ddof=1) / np.sqrt(12), rel=0.03)


def _weights(panel: Panel, reps: int) -> list[np.ndarray]:
    return [draw_providers({"RSN": panel, "CSP": panel}, reps, 1)["RSN"]]


def test_limits_reach_further_where_a_few_providers_have_most_members():
    assert quantile(alike([10] * 12)) == pytest.approx(2.201, abs=1e-3)
    assert quantile(alike([100, *[1] * 11])) > 6
    assert quantile(alike([10] * 12), alike([10] * 12)) == pytest.approx(2.0739, abs=1e-4)


def test_a_provider_of_both_arms_counts_as_often_in_each(panels):
    shared = {
        arm: replace(panel, provider=np.char.add("P", panel.cluster.astype(str))) for arm, panel in panels.items()
    }
    rsn, csp = draw_providers(shared, 50, 1).values()
    np.testing.assert_array_equal(rsn, csp)
    rsn, csp = draw_providers(panels, 50, 1).values()
    assert (rsn != csp).any()


def test_an_arm_of_one_provider_is_not_drawn_and_the_other_is(panels):
    lone = replace(panels["CSP"], cluster=np.zeros(panels["CSP"].persons, dtype=int), provider=None)
    drawn = draw_providers({"RSN": panels["RSN"], "CSP": lone}, 20, 1)
    assert drawn["RSN"].shape[0] == 21 and drawn["CSP"].shape == (1, 1)


def test_members_are_drawn_in_blocks_that_change_nothing(panels, monkeypatch):
    blocks = list(draw_weights(4, 7, [1, 0]))
    assert (blocks[0] == 1).all()
    drawn = np.concatenate(blocks[1:])
    assert drawn.shape == (7, 4) and np.allclose(drawn.sum(axis=1), 4)

    def mean(sample):
        return {"": mean_cost(sample, "tcoc", "partitioned")}

    whole = draw_members(panels["RSN"], mean, 20, [1])[""]
    monkeypatch.setattr("ratebook.cost.resample.BLOCK_CELLS", panels["RSN"].persons * 7)
    np.testing.assert_allclose(draw_members(panels["RSN"], mean, 20, [1])[""], whole)


@pytest.mark.parametrize(
    ("draws", "lower", "upper"),
    [
        pytest.param([10.0, 5.0, 20.0], 10 / np.exp(2 * np.log(4) / np.sqrt(2)), None, id="on the logarithm"),
        pytest.param([10.0, 0.0, 20.0], 0.0, 10 + 2 * 200**0.5, id="a replicate of zero: cut at zero"),
    ],
)
def test_a_cost_has_no_negative_limit(draws, lower, upper):
    found = summary(np.array(draws), "", 2.0, is_positive=True)
    assert found["lower"] == pytest.approx(lower)
    assert found["upper"] == pytest.approx(upper if upper else 100 / lower)


def test_the_formula_without_censoring_is_that_of_a_mean():
    panel = alike([5, 7, 9])
    total = panel.amounts["cost"][:, 0]
    assert simple_std_error(Sample(panel), "cost") == pytest.approx(total.std() / np.sqrt(21))


def test_the_formula_by_hand():
    # GT-15: A and D complete at the horizon (300, 150), B dies at 15 (150), C censored at 20; K after it is 2/3.
    amount = np.array([[100, 100, 100], [100, 50, 0], [200, 200, 0], [50, 50, 50]], dtype=float)
    panel = Panel(
        np.array([30, 15, 20, 30]),
        np.array([True, True, False, True]),
        np.arange(4),
        np.array([0, 10, 20, 30]),
        {"c": amount},
    )
    mean, chance = 206.25, 2 / 3
    own = (300 - mean) ** 2 / chance + (150 - mean) ** 2 + (150 - mean) ** 2 / chance
    # Alive past day 20: 3/4. Of those A and D are complete.
    squares = (300**2 + 150**2) / chance / (4 * 0.75)
    plain = (300 + 150) / chance / (4 * 0.75)
    unseen = (squares - plain**2) / chance**2
    assert simple_std_error(Sample(panel), "c") == pytest.approx(np.sqrt((own + unseen) / 16))


def test_the_formula_is_the_spread_of_many_programs():
    rng, found, errors = np.random.default_rng(1), [], []
    for _ in range(300):
        death, leaves, rate = rng.geometric(1 / 900, 300), rng.geometric(1 / 400, 300), rng.gamma(2, 5, (300, 1))
        alive = np.minimum(death, 365)
        followed = np.minimum(alive, leaves)
        days = np.clip(followed[:, None] - EDGES[:-1], 0, np.diff(EDGES))
        panel = Panel(followed, alive <= leaves, np.arange(300), EDGES, {"c": days * rate})
        found.append(mean_cost(Sample(panel), "c", "simple")[0])
        errors.append(simple_std_error(Sample(panel), "c"))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.1)


def test_members_as_independent_have_the_formulas_error(people):
    rows = estimate_total_cost(*people, SETTINGS)["total_cost"].query("estimand == 'tcoc' and arm == 'RSN'")
    rows = rows.set_index("method")
    assert rows.formula_std_error.notna().tolist() == [method == "simple" for method in rows.index]
    assert rows.formula_std_error["simple"] == pytest.approx(rows.std_error["simple"], rel=0.5)


@pytest.mark.parametrize(
    ("share", "longest"),
    [
        pytest.param(0.5, "", id="half are observed to the horizon, the least asked for"),
        pytest.param(0.51, "100", id="one in a hundred less: up to the day half were lost"),
    ],
)
def test_a_horizon_too_far_names_the_longest_that_would_do(share, longest):
    followed = np.repeat([100, 365], 10)
    panel = Panel(followed, followed == 365, np.arange(20), EDGES, {})
    said = too_few_observed(panel, share)
    assert said.rpartition(" ")[2] == longest


def test_nobody_observed_to_the_horizon_leaves_the_last_day_seen():
    panel = Panel(np.full(5, 200), np.zeros(5, dtype=bool), np.arange(5), EDGES, {})
    assert too_few_observed(panel, 0.05).endswith("would do is 200")


def test_the_ratio_per_month_times_that_of_months_is_the_ratio_of_totals(people, panels):
    made = derive_paradox(draw_panels(panels, 200, 3))
    rows = made["paradox"].set_index("numerator")
    np.testing.assert_allclose(rows.month_ratio * rows.duration_ratio, rows.total_ratio, rtol=1e-12)
    assert (rows.residual.abs() < 1e-12).all()
    total = estimate_total_cost(*people, SETTINGS)["total_cost"]
    ratio = total.query("method == 'partitioned' and arm == 'difference'").set_index("estimand")
    np.testing.assert_allclose(ratio.ratio[rows.index], rows.total_ratio)
    nobody = empty_frame(PopulationCosts), empty_frame(PopulationMonths)
    pmpm = price_pmpm(*people, total, *nobody, "fractional", 50, 3).query(
        "arm == 'difference' and month_rule == 'exact'"
    )
    pmpm = pmpm.set_index(["variant", "numerator"]).ratio
    assert rows.observed_month_ratio["program"] == pytest.approx(pmpm["P1", "program"])
    assert rows.observed_month_ratio["total_sud"] == pytest.approx(pmpm["P3", "total_sud"])


def test_fixed_and_monthly_make_up_both_costs(panels):
    rows = derive_paradox(draw_panels(panels, 200, 3))["fixed_and_monthly"]
    np.testing.assert_allclose(rows.fixed_usd + rows.further_month_usd * rows.engaged_months, rows.member_usd)
    np.testing.assert_allclose(rows.further_month_usd + rows.fixed_usd / rows.engaged_months, rows.month_usd)
    assert rows.reason.isna().all()


def test_the_worked_paradox_is_found_in_sign_and_size():
    """GT-13: total ratio 1.5 = 0.5 a month × 3 times as long; of the navigator 5/3 = 5/9 × 3."""
    rows = derive_paradox(draw_panels(build_panels(*paradox_tables(), EDGES), 100, 1))["paradox"].set_index(
        "numerator"
    )
    assert rows.loc["total_sud", ["month_ratio", "duration_ratio", "total_ratio"]].tolist() == pytest.approx(
        [0.5, 3, 1.5]
    )
    assert rows.loc["program", ["month_ratio", "total_ratio"]].tolist() == pytest.approx([5 / 9, 5 / 3])
    assert rows.is_paradox.all()


def test_a_case_rate_is_taken_apart_into_its_parts():
    follow_up, costs, clients = paradox_tables()
    share = clients.person_id.str[-1].astype(int) + 1
    months = share * 1.5
    clients = clients.assign(engaged_days=months * 30.4375)
    own = costs.category == "NAVIGATOR"
    paid = 300 + 150 * costs.person_id.map(dict(zip(clients.person_id, months)))
    costs = costs.assign(cost_usd=costs.cost_usd.where(~own, paid))
    rows = derive_paradox(draw_panels(build_panels(follow_up, costs, clients, EDGES), 50, 1))["fixed_and_monthly"]
    rows = rows[rows.numerator == "program"]
    assert rows.fixed_usd.tolist() == pytest.approx([300, 300])
    assert rows.further_month_usd.tolist() == pytest.approx([150, 150])


def test_without_an_engaged_month_there_is_no_cost_per_month(people):
    follow_up, costs, clients = people
    nobody = follow_up.person_id[follow_up.arm == "CSP"]
    panels = build_panels(follow_up, costs, clients[~clients.person_id.isin(nobody)], EDGES)
    made = derive_paradox(draw_panels(panels, 50, 1))
    rows = made["paradox"].set_index("numerator")
    assert rows.month_ratio.isna().all() and rows.duration_ratio.isna().all() and rows.total_ratio.notna().all()
    assert rows.reason.notna().all() and rows.is_paradox.isna().all()
    parts = made["fixed_and_monthly"].set_index(["arm", "numerator"])
    assert parts.month_usd["CSP"].isna().all() and parts.month_usd["RSN"].notna().all()
    assert not np.isinf(parts.select_dtypes(float).to_numpy()).any()


def test_swapping_the_arms_turns_every_ratio_round(people, panels):
    swapped = people[0].assign(arm=people[0].arm.map({"RSN": "CSP", "CSP": "RSN"}))
    was = derive_paradox(draw_panels(panels, 50, 1))["paradox"]
    now = derive_paradox(draw_panels(build_panels(swapped, *people[1:], EDGES), 50, 1))["paradox"]
    for name in ("month_ratio", "duration_ratio", "total_ratio"):
        np.testing.assert_allclose(now[name], 1 / was[name])


def test_drawn_errors_of_a_price_are_near_the_linearised_ones(people):
    total = estimate_total_cost(*people, SETTINGS)["total_cost"]
    nobody = empty_frame(PopulationCosts), empty_frame(PopulationMonths)
    rows = price_pmpm(*people, total, *nobody, "fractional", 2000, 3)
    rows = rows[(rows.arm != "all") & (rows.variant != "P5")]
    np.testing.assert_allclose(rows.boot_std_error, rows.std_error, rtol=0.12)
    np.testing.assert_allclose(rows.boot_lower, rows.lower, rtol=0.15, atol=3)
    ratios = rows[rows.arm == "difference"]
    np.testing.assert_allclose(ratios.boot_ratio_lower, ratios.ratio_lower, rtol=0.05)
    assert rows.boot_ratio_lower[rows.arm != "difference"].isna().all()


def test_a_part_of_the_difference_has_both_errors(panels):
    parts = decompose(draw_panels(panels, 200, 1))
    assert (parts.member_std_error > 0).sum() == 5
    assert ((parts.lower <= parts.effect_usd) & (parts.effect_usd <= parts.upper)).all()


def test_the_order_of_members_changes_no_limit(people):
    shuffled = [table.sample(frac=1, random_state=1) for table in people]
    made = [estimate_total_cost(*tables, SETTINGS)["total_cost"] for tables in (people, shuffled)]
    pd.testing.assert_frame_equal(*made)
