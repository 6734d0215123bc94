"""Relativities: smoothed along ages, neutral within the pool, and left alone where there is nothing to smooth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratebook.rates.relativities import derive_relativities, find_neighbours, smooth

CHAIN = np.array([(0, 1), (1, 2), (2, 3)])
SETTINGS = {"cell_columns": ["plan", "aid_category", "age_band"], "age_bands": [0, 21, 45, 65]}
CELLS = {
    # cell: pool, member months, blended cost
    "BHP | adult | 21-44": ("BHP", 9_000.0, 90.0),
    "BHP | adult | 45-64": ("BHP", 3_000.0, 130.0),
    "BHP | adult | 0-20": ("BHP", 6_000.0, 40.0),
    "BHP | disabled | 0-20": ("BHP", 2_000.0, 200.0),
    "BHP | disabled | 45-64": ("BHP", 2_500.0, 300.0),
    "BHP | other | unknown": ("BHP", 1_500.0, 70.0),
    "BHP | all other": ("BHP", 700.0, 55.0),
    "FFS | adult | 21-44": ("FFS", 1_300.0, 500.0),
    "FFS | adult | 45-64": ("FFS", 1_200.0, 600.0),
    "FFS | adult | 65+": ("FFS", 1_250.0, 0.0),
}


def rates(scale: float = 1.0, fixed: float = 12.0) -> pd.DataFrame:
    rows = [(cell, *rest) for cell, rest in CELLS.items()]
    frame = pd.DataFrame(rows, columns=["cell", "pool", "member_months", "blended_pmpm_usd"])
    frame["blended_pmpm_usd"] *= scale
    return frame.assign(members=100, fixed_pmpm_usd=fixed * scale, admin_share=0.08, margin_share=0.01, tax_share=0.02)


def found(frame=None, penalty=0.1, **changes) -> pd.DataFrame:
    chosen = {**SETTINGS, "smoothing": {"penalty_share": {"value": penalty}}, **changes}
    return derive_relativities(rates() if frame is None else frame, chosen).set_index("cell")


def test_two_equal_neighbours_meet_by_the_penalty_over_the_weight_and_twice_it():
    smoothed = smooth(np.array([1.0, 2.0]), np.array([10.0, 10.0]), np.array([(0, 1)]), 5.0)
    assert smoothed.tolist() == pytest.approx([1 + 5 / 20, 2 - 5 / 20])


def test_the_heavier_neighbour_moves_less():
    smoothed = smooth(np.array([1.0, 2.0]), np.array([90.0, 10.0]), np.array([(0, 1)]), 9.0)
    assert (smoothed[0] - 1) * 90 == pytest.approx((2 - smoothed[1]) * 10)


@pytest.mark.parametrize("seed", range(5))
def test_the_weighted_sum_stays_and_no_value_leaves_the_range(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.exponential(1.0, 4) * (rng.random(4) > 0.3), rng.uniform(1, 100, 4)
    for penalty in (0.0, 0.1, 10.0, 1e5):
        smoothed = smooth(values, weights, CHAIN, penalty)
        assert weights @ smoothed == pytest.approx(weights @ values)
        assert smoothed.min() >= values.min() - 1e-9 and smoothed.max() <= values.max() + 1e-9


def test_without_a_penalty_or_without_a_step_every_value_stays_exactly():
    values, weights = np.array([0.3, 1.7, 0.9, 2.2]), np.array([3.0, 1.0, 7.0, 2.0])
    assert (smooth(values, weights, CHAIN, 0.0) == values).all()
    assert (smooth(np.full(4, 1.1), weights, CHAIN, 5.0) == 1.1).all()


def test_a_large_penalty_leaves_the_weighted_mean():
    values, weights = np.array([0.3, 1.7, 0.9, 2.2]), np.array([3.0, 1.0, 7.0, 2.0])
    mean = weights @ values / weights.sum()
    assert smooth(values, weights, CHAIN, 1e9).tolist() == pytest.approx([mean] * 4, rel=1e-6)


def test_neighbours_are_equal_but_for_bands_that_follow_each_other():
    names = pd.Series(CELLS)
    pairs = find_neighbours(names.index.to_series(), SETTINGS["cell_columns"], SETTINGS["age_bands"])
    listed = {(names.index[younger], names.index[older]) for younger, older in pairs}
    assert listed == {
        ("BHP | adult | 0-20", "BHP | adult | 21-44"),
        ("BHP | adult | 21-44", "BHP | adult | 45-64"),
        ("FFS | adult | 21-44", "FFS | adult | 45-64"),
        ("FFS | adult | 45-64", "FFS | adult | 65+"),
    }
    assert not len(find_neighbours(names.index.to_series(), ["plan", "aid_category", "sex"], [21]))


def test_cells_without_a_neighbour_keep_their_relativity_and_so_does_a_gap_between_bands():
    rows = found()
    alone = ["BHP | disabled | 0-20", "BHP | disabled | 45-64", "BHP | other | unknown", "BHP | all other"]
    assert (rows.f_smoothing[alone] == 1).all() and (rows.neighbours[alone] == 0).all()
    assert rows.penalty_member_months[alone].isna().all()


def test_a_cell_without_a_rate_is_no_neighbour_and_has_no_relativity():
    rows = found()
    assert rows.neighbours["FFS | adult | 65+"] == 0 and rows.neighbours["FFS | adult | 45-64"] == 1
    assert np.isnan(rows.relativity["FFS | adult | 65+"]) and rows.f_smoothing["FFS | adult | 65+"] == 1


@pytest.mark.parametrize("penalty", [0.01, 0.1, 3.0])
def test_a_pool_pays_the_same_dollars_before_and_after(penalty):
    rows = found(penalty=penalty)
    moved = (rows.member_months * rows.loaded_usd * (rows.f_smoothing - 1)).groupby(rows.pool).sum()
    assert moved.abs().max() < 1e-6
    assert rows.f_smoothing["BHP | adult | 0-20"] > 1 > rows.f_smoothing["BHP | adult | 45-64"]
    means = (rows.member_months * rows.relativity).groupby(rows.pool).sum()
    assert means["BHP"] == pytest.approx(rows.member_months[rows.pool == "BHP"].sum())


def test_a_penalty_of_nothing_changes_no_rate_exactly():
    assert (found(penalty=0.0).f_smoothing == 1).all()


def test_the_penalty_is_a_share_of_the_mean_member_months_of_the_smoothed_cells():
    rows = found(penalty=0.1)
    assert rows.penalty_member_months["BHP | adult | 0-20"] == pytest.approx(0.1 * 6_000)


def test_twice_the_cost_or_twice_the_members_changes_no_factor():
    once = found().f_smoothing
    assert found(rates(scale=2)).f_smoothing.to_dict() == pytest.approx(once.to_dict(), rel=1e-12)
    more = rates().assign(member_months=lambda frame: frame.member_months * 2)
    assert found(more).f_smoothing.to_dict() == pytest.approx(once.to_dict(), rel=1e-12)


def test_the_order_of_cells_changes_nothing():
    mixed = found(rates().sample(frac=1, random_state=1)).f_smoothing
    assert mixed.to_dict() == pytest.approx(found().f_smoothing.to_dict(), rel=1e-12)


def test_another_pool_changes_nothing_here():
    alone = found(rates().query("pool == 'BHP'")).f_smoothing
    assert alone.to_dict() == pytest.approx(found().f_smoothing[alone.index].to_dict(), rel=1e-12)


def test_ages_that_part_pools_are_not_smoothed_across_them():
    frame = rates().assign(pool=lambda rows: rows.cell)
    assert (found(frame).f_smoothing == 1).all()


def test_no_cell_no_row():
    assert found(rates().head(0)).empty
