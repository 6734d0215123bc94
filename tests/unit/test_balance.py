"""Balance after weighting, overlap of the propensities, and their figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import COVARIATES, END_REASONS, nobody, study
from ratebook.contracts.engagement import Positivity, Propensity
from ratebook.engagement.balance import describe_overlap, estimate_balance
from ratebook.engagement.design import balance_columns, design_matrix, strata_of
from ratebook.engagement.weight_figures import FIGURES
from ratebook.engagement.weights import inverse_weight, treated_weight


@pytest.fixture(scope="module")
def data():
    return study(persons=600, providers=10)


@pytest.fixture(scope="module")
def overlap(data):
    _, weights, _ = estimate_balance(*data, END_REASONS, COVARIATES)
    return describe_overlap(*data, END_REASONS, COVARIATES, weights)


def test_every_person_is_in_one_bin_of_every_quantity(overlap, data):
    propensity, _ = overlap
    engaged = data[0].arm.value_counts()
    for (_, arm), rows in propensity.groupby(["quantity", "arm"]):
        assert rows.persons.sum() == engaged[arm]
    assert set(propensity.quantity) == {"propensity", "overlap", "inverse", "treated"}


def test_every_person_is_in_one_stratum_of_every_covariate(overlap, data):
    _, positivity = overlap
    whole = positivity.groupby("covariate")[["rsn_persons", "csp_persons"]].sum().sum(axis=1)
    assert (whole == len(data[0])).all()
    assert not positivity.is_one_sided.any()


def test_a_stratum_with_one_arm_only_is_found(data):
    cohort, spells = data
    cohort = cohort.assign(region=cohort.region.where(~cohort.arm.eq("RSN"), "west"))
    cohort.loc[cohort.arm.eq("CSP") & cohort.region.eq("west"), "region"] = "east"
    _, weights, _ = estimate_balance(cohort, spells, END_REASONS, COVARIATES)
    _, positivity = describe_overlap(cohort, spells, END_REASONS, COVARIATES, weights)
    region = positivity[positivity.covariate == "region"]
    assert region.is_one_sided.all()
    assert region.outside_share.min() == 1


def test_without_an_arm_there_is_no_overlap_to_describe():
    _, weights, _ = estimate_balance(*nobody(), END_REASONS, COVARIATES)
    for table, contract in zip(
        describe_overlap(*nobody(), END_REASONS, COVARIATES, weights), (Propensity, Positivity)
    ):
        assert table.empty
        assert list(table.columns) == list(contract.types())


def test_numbers_are_cut_into_quarters_and_missing_is_a_stratum():
    found = strata_of(pd.Series([1.0, 2, 3, 4, np.nan]))
    assert found.tolist() == ["part 1 of 4", "part 2 of 4", "part 3 of 4", "part 4 of 4", "unknown"]
    assert strata_of(pd.Series([5.0, 5, 5])).tolist() == ["part 1 of 2"] * 3


def test_products_of_numbers_are_compared_too(data):
    columns = balance_columns(data[0], ["age_years", "sud_cost_before_usd", "sex"])
    assert ("age_years × sud_cost_before_usd", "product") in columns


def test_arms_of_unlike_spread_are_a_warning_though_their_means_agree(data):
    cohort, spells = data
    spread = np.where(cohort.arm == "RSN", 4.0, 1.0)
    number = pd.Series(spread * np.tile([-1.0, 1.0], len(cohort))[: len(cohort)])
    number -= number.groupby(cohort.arm.to_numpy()).transform("mean")
    balance, _, _ = estimate_balance(cohort.assign(wide=number), spells, END_REASONS, ["wide"])
    row = balance[balance.level == "mean"].iloc[0]
    assert abs(row.smd_after) < 0.1
    assert row.variance_ratio_after > 2
    assert row.status == "warn"


def test_stabilised_weights_add_up_to_the_arms():
    rng = np.random.default_rng(1)
    chance = rng.uniform(0.2, 0.8, 50_000)
    treated = rng.random(50_000) < chance
    weight = inverse_weight(chance, treated)
    assert weight.mean() == pytest.approx(1, abs=0.01)
    rare = inverse_weight(np.array([0.001, 0.01, 0.02, 0.5]), np.array([True, True, True, False]))
    assert rare[:3] == pytest.approx([75, 75, 37.5]), "nobody stands for more than a hundred"
    assert treated_weight(chance, treated)[treated].max() == 1
    assert treated_weight(chance, treated)[~treated].sum() == pytest.approx(treated.sum(), rel=0.02)


def test_weights_of_all_replicates_are_those_of_each():
    rng = np.random.default_rng(2)
    chance, treated = rng.uniform(0.05, 0.95, (3, 200)), rng.random(200) < 0.5
    for weigh in (inverse_weight, treated_weight):
        assert weigh(chance, treated) == pytest.approx(np.stack([weigh(row, treated) for row in chance]))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_shows_no_small_group_and_an_empty_table_gives_words(name, overlap):
    draw, table = FIGURES[name]
    if table == "propensity":
        fig = draw(overlap[0], 11)
        drawn = overlap[0][overlap[0].quantity == "propensity"]
        if name == "propensity":
            heights = {abs(bar.get_height()) for bar in fig.axes[0].patches}
            assert heights == set(drawn.persons[drawn.persons >= 11])
        assert draw(overlap[0].iloc[:0], 11).axes[0].texts
    else:
        empty = pd.DataFrame(columns=["unit", "estimate", "persons", "is_base"])
        assert draw(empty, 11).axes[0].texts


def test_overlap_weights_balance_what_the_model_holds():
    balance, weights, _ = estimate_balance(*study(), END_REASONS, COVARIATES)
    linear = balance[balance.level.isin(["log", "yes", "male", "west"]) | (balance.covariate == "age_years")]
    assert linear[linear.level != "squared"].smd_after.abs().max() < 1e-6
    assert balance.smd_before.abs().max() > 0.15
    assert weights.overlap.to_numpy() == pytest.approx(
        np.where(weights.arm == "RSN", 1 - weights.propensity, weights.propensity)
    )


def test_a_missing_covariate_is_marked_and_a_constant_one_left_out():
    cohort, _ = study()
    cohort = cohort.assign(age_years=cohort.age_years.where(cohort.sex == "male"), los_days=5)
    matrix = design_matrix(cohort, ["age_years", "los_days", "dx_class"])
    assert "age_years: missing" in matrix and "los_days" not in matrix
    assert np.isfinite(matrix.to_numpy()).all()
