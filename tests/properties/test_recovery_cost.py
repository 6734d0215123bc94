"""The recovery study of cost in small: few programs, limits widened by their noise, and what must not pass.

`make recovery` is the study itself. Programs come from tests/recovery/cost_world.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ratebook.contracts.cost import ClientIntervals, FollowUp, PersonCosts
from ratebook.cost.panels import build_panels
from ratebook.tables import read_table, write_table
from recovery import cost_study, cost_world
from recovery.command import draw
from recovery.cost_world import EDGES, CostWorld, live, tables, truth_of, watch

NOISE = 4.0
PROGRAMS = 6
PART = "paradox, 24 providers an arm"


@pytest.fixture(scope="module", autouse=True)
def small():
    """Fewer replicates and fewer lives behind a truth: their noise stays below that of so few programs."""
    replicates, lives = cost_study.REPLICATES, cost_world.TRUE_LIVES
    cost_study.REPLICATES, cost_world.TRUE_LIVES = 100, 2 * cost_world.BATCH
    members = cost_study.total_cost.draw_members, cost_study.decomposition.draw_members
    yield
    cost_study.REPLICATES, cost_world.TRUE_LIVES = replicates, lives
    cost_study.total_cost.draw_members, cost_study.decomposition.draw_members = members
    truth_of.cache_clear()


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return pd.concat(draw(cost_study.one_program, {PART: PROGRAMS}, 1, 1), ignore_index=True)


def test_cost_ratios_rates_and_parts_recover_what_was_planted(found):
    table = cost_study.judge(found, NOISE)
    broken = table[table.verdict.str.startswith("broken")]
    assert not len(broken), cost_study.printed(broken)
    kept = table[table.verdict == "kept"]
    assert {"total_cost", "pmpm", "break_even", "decomposition", "paradox", "increments"} == set(kept.table)
    assert kept.method.eq("is_paradox").sum() == 3


def test_a_mean_that_ignores_censoring_would_not_pass(found):
    naive = found[(found.method == "available_case")].assign(method="partitioned")
    others = found[found.method != "partitioned"]
    table = cost_study.judge(pd.concat([others, naive]), NOISE)
    table = table[(table.method == "partitioned") & (table.estimand == "tcoc") & table.arm.isin(["RSN", "CSP"])]
    assert table.verdict.str.startswith("broken").all()


def test_limits_far_too_narrow_would_not_pass(found):
    narrow = found.assign(**{end: found.estimate + 0.1 * (found[end] - found.estimate) for end in ("lower", "upper")})
    assert cost_study.judge(narrow, NOISE).verdict.str.contains("coverage").sum() > 20


def test_tables_drawn_keep_their_contracts(tmp_path):
    people = tables(CostWorld(persons=60), 1)
    for table, contract in zip(people, (FollowUp, PersonCosts, ClientIntervals)):
        write_table(table, tmp_path / "table.parquet", contract)
        assert len(read_table(tmp_path / "table.parquet", contract)) == len(table)
    panels = build_panels(*people, EDGES)
    total = sum(panel.amounts["tcoc"].sum() for panel in panels.values())
    assert total == pytest.approx(people[1].cost_usd.sum())


def test_the_same_seed_draws_the_same_program():
    for mine, theirs in zip(tables(CostWorld(persons=100), 5), tables(CostWorld(persons=100), 5)):
        pd.testing.assert_frame_equal(mine, theirs)


def test_a_life_of_nobody_who_dies_or_returns_costs_what_a_day_costs():
    """One check of the truth that needs no simulation: daily cost × 365, the first days, one spell."""
    plan = CostWorld(death_rate=1e-9, return_share=0.0, spread=0.0, frailty=0.0)
    truth = truth_of(plan)["CSP"]
    assert truth.usd["WM_RES"] == pytest.approx(365 * plan.daily_usd[1], rel=0.01)
    assert truth.usd["RES35"] == pytest.approx(plan.stay_usd[1], rel=0.01)
    assert truth.spells == pytest.approx(1, abs=0.001)
    assert truth.usd["NAVIGATOR"] == pytest.approx(truth.months * 360, rel=0.01)


def test_what_is_hidden_is_only_hidden():
    """The same lives watched for ever have the same cost until they are lost from sight."""
    plan = replace(CostWorld(), closing_share=(0.9, 0.9))
    lives = live(plan, np.random.default_rng(3), 2000)
    seen = watch(plan, lives, np.random.default_rng(4))
    assert 0.7 < 1 - seen.is_complete.mean() < 1
    whole = watch(plan, lives._replace(unseen=np.full(2000, cost_world.NEVER)), np.random.default_rng(4))
    assert (whole.engaged_days >= seen.engaged_days).all() and (whole.spells >= seen.spells).all()
    assert (seen.followed <= whole.followed).all()
