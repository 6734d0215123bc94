"""Cost per month and per member: identities, limits, and a planted truth seen through censoring."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cost.compare_arms import main as compare_arms_door
from cost.estimate_total_cost import main as estimate_total_cost_door
from cost.plot_cost import main as plot_cost_door
from cost.price_pmpm import main as price_pmpm_door
from cost_data import EDGES, STUDY, random_tables
from ratebook.contracts import cost as contracts
from ratebook.contracts.cost import WINDOW_TABLES
from ratebook.contracts.cost_exhibits import EXHIBIT_TABLES, PmpmExhibit
from ratebook.contracts.cost_panels import PriceComparison
from ratebook.contracts.released import RELEASED
from ratebook.cost.arms import ARM_TABLES, compare_arms
from ratebook.cost.break_even import icer
from ratebook.cost.censored import Panel, Sample, accrued_cost, mean_cost
from ratebook.cost.drawn import draw_arms
from ratebook.cost.panels import build_panels
from ratebook.cost.payment_forms import price_clients
from ratebook.cost.plots import FIGURES, NEEDS
from ratebook.cost.pmpm import compare_ratios, price_pmpm, ratio_of_sums
from ratebook.cost.resample import contrast, summary
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.tables import empty_frame, read_table, write_table

SETTINGS = STUDY | {
    "boot_reps": 60,
    "seed": 3,
    "hybrid": {"per_episode_usd": 100, "per_month_usd": 50},
    "month_values_usd": [0, 1000],
}
NOBODY = tuple(empty_frame(WINDOW_TABLES[name]) for name in ("follow_up", "person_costs", "client_intervals"))


@pytest.fixture(scope="module")
def people():
    return random_tables()


@pytest.fixture(scope="module")
def tables(people):
    return all_tables(people)


def all_tables(people) -> dict[str, pd.DataFrame]:
    months = pd.DataFrame(
        {
            "plan": ["BHP", "FFS"],
            "service_month": pd.Timestamp("2016-01-01"),
            "member_months": [90.0, 10.0],
            "persons": 95,
        }
    )
    costs = pd.DataFrame(
        {
            "plan": ["BHP", "BHP", "FFS", "none"],
            "service_month": pd.Timestamp("2016-01-01"),
            "category": ["OP_SUD", "LTSS", "LTSS", "OTHER"],
            "is_covered": [True, True, True, False],
            "cost_usd": [900.0, 90.0, 500.0, 7.0],
            "units": 1.0,
            "users": 12,
        }
    )
    made = estimate_total_cost(*people, SETTINGS) | compare_arms(draw_arms(*people, SETTINGS), SETTINGS)
    return made | {
        "pmpm": price_pmpm(
            *people, made["total_cost"], costs, months, "fractional", SETTINGS["boot_reps"], SETTINGS["seed"]
        )
    }


def test_pmpm_times_months_is_the_cost(tables, people):
    rows = tables["pmpm"]
    rows = rows[rows.numerator_usd.notna() & rows.estimate_usd.notna()]
    assert len(rows) > 20
    np.testing.assert_allclose(rows.estimate_usd * rows.denominator_months, rows.numerator_usd, atol=1e-6)
    navigator = people[1][(people[1].window == "post") & (people[1].category == "NAVIGATOR")]
    program = rows[(rows.variant == "P2") & (rows.numerator == "program")]
    assert program.numerator_usd.sum() == pytest.approx(navigator.cost_usd.sum())


def test_every_arms_row_names_its_variant_months_and_denominator(tables):
    rows = tables["pmpm"]
    assert rows.denominator.str.len().gt(5).all()
    assert set(rows.variant) == {"P1", "P2", "P3", "P4", "P5", "P6", "TCOC"}
    assert set(rows.month_rule[rows.numerator == "total_sud_engaged"]) == {"exact"}
    rows = rows[rows.arm != "all"]
    assert rows.groupby(["variant", "numerator", "month_rule"]).denominator.nunique().eq(1).all()


def test_categories_sum_to_the_total(tables):
    total = tables["total_cost"].query("method == 'partitioned'").set_index(["estimand", "arm"]).estimate_usd
    post = tables["cost_by_category"].query("window == 'post'").groupby("arm").estimate_usd.sum()
    for arm in ("RSN", "CSP", "difference"):
        assert post[arm] == pytest.approx(total["tcoc", arm], abs=1e-8)
        assert total["program", arm] + total["other_sud", arm] == pytest.approx(total["total_sud", arm], abs=1e-8)


def test_the_parts_of_the_difference_leave_no_residual(tables):
    total = tables["total_cost"].query("method == 'partitioned'").set_index(["estimand", "arm"]).estimate_usd
    assert tables["decomposition"].effect_usd.sum() == pytest.approx(total["total_sud", "difference"], abs=1e-8)
    navigator = tables["decomposition"].query("category == 'NAVIGATOR'").effect_usd.sum()
    assert navigator == pytest.approx(total["program", "difference"], abs=1e-8)


def test_the_curve_ends_in_the_total(tables):
    total = tables["total_cost"].query("method == 'partitioned'").set_index(["estimand", "arm"])
    ends = tables["cost_curve"].query("day == 365").set_index(["estimand", "arm"])
    for key in ends.index:
        assert ends.estimate_usd[key] == pytest.approx(total.estimate_usd[key])
        assert ends.lower[key] == pytest.approx(total.lower[key])


def test_doubling_every_payment_doubles_every_dollar(tables, people):
    follow_up, costs, clients = people
    twice = costs.assign(cost_usd=costs.cost_usd * 2, engaged_cost_usd=costs.engaged_cost_usd * 2)
    doubled = all_tables((follow_up, twice, clients))
    for name, columns in {
        "total_cost": ["estimate_usd", "std_error", "lower", "upper", "member_std_error"],
        "cost_by_category": ["estimate_usd", "lower", "upper", "unit_price_usd"],
        "decomposition": ["effect_usd", "lower", "upper"],
    }.items():
        np.testing.assert_allclose(doubled[name][columns], tables[name][columns] * 2, rtol=1e-9)
    rows = tables["pmpm"].arm != "all"
    assert doubled["pmpm"].estimate_usd[rows].to_numpy() == pytest.approx(tables["pmpm"].estimate_usd[rows] * 2)
    assert doubled["pmpm"].ratio[rows].to_numpy() == pytest.approx(tables["pmpm"].ratio[rows].to_numpy(), nan_ok=True)


def test_the_order_of_rows_changes_nothing(tables, people):
    shuffled = [table.sample(frac=1, random_state=1) for table in people]
    pd.testing.assert_frame_equal(estimate_total_cost(*shuffled, SETTINGS)["total_cost"], tables["total_cost"])


def test_swapping_the_arms_flips_the_sign(tables, people):
    swapped = people[0].assign(arm=people[0].arm.map({"RSN": "CSP", "CSP": "RSN"}))
    key = ["variant", "numerator", "plan", "month_rule"]
    made = all_tables((swapped, *people[1:]))["pmpm"].query("arm == 'difference'").set_index(key)
    was = tables["pmpm"].query("arm == 'difference'").set_index(key)
    np.testing.assert_allclose(made.estimate_usd, -was.estimate_usd)
    np.testing.assert_allclose(made.ratio, 1 / was.ratio)


def test_without_censoring_every_estimator_is_the_plain_mean():
    rng = np.random.default_rng(0)
    followed = np.minimum(rng.geometric(1 / 300, 200), 365)
    amount = rng.gamma(1, 50, (200, 12)) * (followed[:, None] > EDGES[:-1])
    panel = Panel(followed, np.ones(200, dtype=bool), np.arange(200) % 10, EDGES, {"cost": amount})
    for method in contracts.METHODS:
        assert mean_cost(Sample(panel), "cost", method)[0] == pytest.approx(amount.sum(axis=1).mean()), method


@pytest.mark.parametrize(
    ("method", "bias"), [("partitioned", 0), ("simple", 0), ("zhao_tian", 0), ("available_case", 1)]
)
def test_the_planted_mean_is_found_through_censoring(method, bias):
    # $10 a day while alive, and $2,000 at death: deaths every 500 days, censoring every 400.
    rng = np.random.default_rng(11)
    n = 40_000
    death, leaves = rng.geometric(1 / 500, n), rng.geometric(1 / 400, n)
    alive = np.minimum(death, 365)
    followed = np.minimum(alive, leaves)
    is_complete = alive <= leaves
    days = np.clip(followed[:, None] - EDGES[:-1], 0, EDGES[1:] - EDGES[:-1])
    died = is_complete & (death <= 365)
    at_death = (died[:, None] & (followed[:, None] > EDGES[:-1]) & (followed[:, None] <= EDGES[1:])) * 2000.0
    panel = Panel(followed, is_complete, np.arange(n) % 10, EDGES, {"cost": days * 10.0 + at_death})
    chance = 1 - (1 - 1 / 500) ** 365
    truth = 10 * 500 * chance + 2000 * chance
    found = mean_cost(Sample(panel), "cost", method)[0]
    assert found < 0.8 * truth if bias else found == pytest.approx(truth, rel=0.02)


def test_a_weight_of_two_is_the_cluster_twice(people):
    panel = build_panels(*people, EDGES)["RSN"]
    first = panel.cluster == 0
    number = np.concatenate([np.arange(panel.persons), np.flatnonzero(first)])
    doubled = Panel(
        panel.followed_days[number],
        panel.is_complete[number],
        panel.cluster[number],
        EDGES,
        {"total_sud": panel.amounts["total_sud"][number]},
    )
    weights = np.ones((1, panel.clusters))
    weights[0, 0] = 2
    for method in contracts.METHODS:
        twice = mean_cost(Sample(doubled), "total_sud", method)
        assert mean_cost(Sample(panel, weights), "total_sud", method) == pytest.approx(twice), method


def test_accrued_cost_never_falls(people):
    panel = build_panels(*people, EDGES)["CSP"]
    assert (np.diff(accrued_cost(Sample(panel), "tcoc")[0]) >= 0).all()


def test_one_provider_gives_an_estimate_and_no_limits(people):
    follow_up = people[0].assign(provider_id="only")
    rows = estimate_total_cost(follow_up, *people[1:], SETTINGS)["total_cost"]
    assert rows.estimate_usd.notna().all()
    assert rows.lower.isna().all() and rows.reason.notna().all()


def test_an_arm_without_a_member_has_a_reason(people):
    follow_up = people[0][people[0].arm == "CSP"]
    made = all_tables((follow_up, *people[1:]))
    rows = made["total_cost"].set_index("arm")
    assert rows.estimate_usd["RSN"].isna().all() and rows.reason["RSN"].eq("no member in the arm").all()
    assert rows.estimate_usd["CSP"].notna().all()
    assert rows.reason["difference"].eq("one arm has no member").all()
    assert made["decomposition"].empty and made["break_even"].empty
    pmpm = made["pmpm"].query("arm == 'RSN' and variant != 'P5'")
    assert pmpm.estimate_usd.isna().all() and pmpm.reason.notna().all()


def test_too_few_observed_to_the_horizon_is_said_and_not_estimated(people):
    follow_up = people[0].assign(
        followed_days=people[0].followed_days.clip(upper=200), is_complete=False, end_reason="end_of_data"
    )
    rows = estimate_total_cost(follow_up, *people[1:], SETTINGS)["total_cost"].set_index("method")
    assert rows.estimate_usd["partitioned"].isna().all()
    assert rows.reason["partitioned"].str.contains("horizon_days").all()
    assert rows.estimate_usd["available_case"].notna().all()


def test_no_month_behind_a_rate_is_no_rate():
    found = ratio_of_sums(np.array([5.0]), np.array([0.0]), np.array(["P"]))
    assert np.isnan(found["estimate_usd"]) and found["reason"] == "no month stands behind the rate"


def test_the_linearised_error_is_that_of_a_mean_when_every_denominator_is_one():
    values = np.array([1.0, 4.0, 7.0, 8.0])
    found = ratio_of_sums(values, np.ones(4), np.arange(4))
    assert found["std_error"] == pytest.approx(values.std(ddof=1) / 2)


def test_a_ratio_of_two_arms_has_limits_around_it():
    first = ratio_of_sums(np.array([1.0, 3.0, 2.0]), np.ones(3), np.arange(3))
    second = ratio_of_sums(np.array([4.0, 5.0, 3.0]), np.ones(3), np.arange(3))
    found = compare_ratios(first, second)
    assert found["ratio"] == pytest.approx(0.5)
    assert found["ratio_lower"] * found["ratio_upper"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("parts", "paid"),
    [
        ({"per_episode_usd": 100}, 200.0),
        ({"per_month_usd": 10}, 25.0),
        ({"per_month_usd": 10, "max_months": 2}, 20.0),
        ({"per_month_usd": 10, "needs_contacts": True}, 40.0),
        ({"per_month_usd": 10, "needs_contacts": True, "max_months": 3}, 30.0),
        ({"per_day_usd": 2}, 60.0),
        ({"per_unit_usd": 12, "per_episode_usd": 1}, 62.0),
        ({}, 0.0),
    ],
)
def test_a_form_pays_the_sum_of_its_parts(parts, paid):
    client = pd.DataFrame([{"spells": 2, "e": 2.5, "contact_months": 4, "engaged_days": 30, "billable_units": 5}])
    assert price_clients(client, parts, "e").tolist() == [paid]


@pytest.mark.parametrize(
    ("dollars", "months", "quadrant"), [(5, 2, "NE"), (5, -2, "NW"), (-5, 2, "SE"), (-5, -2, "SW")]
)
def test_a_cost_ratio_comes_with_its_quadrant(dollars, months, quadrant):
    rng = np.random.default_rng(0)
    found = icer(dollars + np.r_[0, rng.normal(0, 0.1, 99)], months + np.r_[0, rng.normal(0, 0.1, 99)], 2.0)
    assert found["quadrant"] == quadrant
    assert found["lower"] < dollars / months < found["upper"]


def test_extra_months_that_may_be_none_give_no_limits():
    rng = np.random.default_rng(0)
    found = icer(5 + np.r_[0, rng.normal(0, 1, 99)], 0.1 + np.r_[0, rng.normal(0, 1, 99)], 2.0)
    assert np.isnan(found["lower"]) and "no finite limits" in found["reason"]


def test_a_contrast_with_a_lone_cluster_has_no_replicates():
    difference, _ = contrast(np.array([3.0]), np.array([1.0, 2.0, 3.0]))
    assert summary(difference)["estimate"] == 2.0 and summary(difference)["reason"]


def test_the_population_is_priced_by_plan_and_says_what_it_leaves_out(tables):
    rows = tables["pmpm"].query("arm == 'all'").set_index(["plan", "numerator"])
    assert rows.estimate_usd["all", "tcoc"] == pytest.approx(14.9)
    assert rows.estimate_usd["BHP", "LTSS"] == pytest.approx(1.0)
    assert rows.estimate_usd["FFS", "LTSS"] == pytest.approx(50.0)
    assert rows.excluded_usd["all", "tcoc"] == 7.0


class Files(dict):
    """Named files, as a rule hands them on: by attribute and by key."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("which", ["random", "nobody"])
def test_the_doors_write_every_table_and_figure(people, tmp_path, which):
    given = dict(zip(("follow_up", "person_costs", "client_intervals"), people if which == "random" else NOBODY))
    given |= {
        name: empty_frame(WINDOW_TABLES[name]) for name in ("population_costs", "population_months", "outside_costs")
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in given}
    for name, frame in given.items():
        write_table(frame, paths[name], WINDOW_TABLES[name])
    made = {"total_cost": contracts.TotalCost, "cost_curve": contracts.CostCurve, "price_comparison": PriceComparison}
    made |= {"cost_by_category": contracts.CostByCategory, "pmpm": contracts.Pmpm}
    made |= {"payment_forms": contracts.PaymentForms}
    made |= {"pmpm_exhibit": PmpmExhibit, **ARM_TABLES, **EXHIBIT_TABLES}
    paths |= {name: tmp_path / f"{name}.parquet" for name in made}
    # What other doors make of models and of before and after is drawn too: here of nobody.
    for name in set(NEEDS) - set(paths):
        paths[name] = tmp_path / f"{name}.parquet"
        write_table(empty_frame(RELEASED[name].contract), paths[name], RELEASED[name].contract)
    drawn = {f"{name}_{kind}": tmp_path / f"{name}.{kind}" for name in FIGURES for kind in ("svg", "png")}
    forms = {"hybrid": SETTINGS["hybrid"], "per_day": {"per_day_usd": 6.5}}
    params = SimpleNamespace(
        settings=SETTINGS,
        mm_rule="fractional",
        resampled={name: SETTINGS[name] for name in ("boot_reps", "seed")},
        payment={"forms": forms, "month_rule": "exact", "min_contacts": 2},
        suppress_below=11,
        note="synthetic data",
    )
    files = Files(paths)
    for door in (estimate_total_cost_door, price_pmpm_door, compare_arms_door):
        door(SimpleNamespace(input=files, output=files, params=params))
    plot_cost_door(SimpleNamespace(input=files, output=SimpleNamespace(**drawn), params=params))
    assert all(path.stat().st_size for path in drawn.values())
    for name, contract in made.items():
        table = read_table(paths[name], contract)
        if "lower" in table and len(table):
            limits = [column for column in table if column.endswith(("lower", "upper")) and "ratio" not in column]
            lacks = table[limits].isna().any(axis=1)
            assert (table.reason.notna() == lacks).all(), name
        if which == "random":
            assert len(table), name
