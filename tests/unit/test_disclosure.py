"""Small counts are hidden, and cannot be worked out from what is shown."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.clean import Attrition
from ratebook.contracts.episodes import CohortFlow
from ratebook.contracts.released import Flow, Series, Split
from ratebook.disclosure import apart, disclose, visible_nodes

LIMIT = 11


class Plain(Contract):
    """One row per arm."""

    arm: str = Field("Arm.")
    persons: int = Field("People.", nullable=True, persons=True)
    share: float = Field("Share of people.", nullable=True)

    class Config(Contract.Config):
        unique = ("arm",)
        hides = ("share",)


class Grouped(Contract):
    """One row per variable and level; levels add up to the variable's people."""

    variable: str = Field("Variable.")
    level: str = Field("Level.")
    persons: int = Field("People.", nullable=True, persons=True)

    class Config(Contract.Config):
        unique = ("variable", "level")
        groups = ("variable",)


class TwoWay(Contract):
    """One row per arm and level; levels add up within an arm, arms within a level."""

    arm: str = Field("Arm.")
    level: str = Field("Level.")
    persons: int = Field("People.", nullable=True, persons=True)

    class Config(Contract.Config):
        unique = ("arm", "level")
        groups = (("arm",), ("level",))


FLOW = Flow("persons")


@pytest.mark.parametrize(
    ("persons", "is_shown"),
    [
        pytest.param(0, True, id="nobody is shown"),
        pytest.param(1, False, id="one person is hidden"),
        pytest.param(10, False, id="ten, just below the limit, are hidden"),
        pytest.param(11, True, id="eleven, the limit, are shown"),
        pytest.param(12, True, id="twelve, above the limit, are shown"),
    ],
)
def test_a_count_is_hidden_only_between_zero_and_the_limit(persons, is_shown):
    frame = pd.DataFrame({"arm": ["RSN"], "persons": [persons], "share": [0.25]})
    shown = disclose(frame, Plain, LIMIT)
    assert shown.persons.notna().tolist() == [is_shown]
    assert shown.share.notna().tolist() == [is_shown]
    assert shown.arm.tolist() == ["RSN"]


def test_hidden_counts_leave_whole_numbers_whole():
    shown = disclose(pd.DataFrame({"arm": ["a", "b"], "persons": [3, 300], "share": [0.01, 0.99]}), Plain, LIMIT)
    assert str(shown.persons.dtype) == "Int64"
    assert shown.persons.tolist() == [pd.NA, 300]


def test_the_table_given_is_not_changed():
    frame = pd.DataFrame({"arm": ["a"], "persons": [3], "share": [1.0]})
    disclose(frame, Plain, LIMIT)
    assert frame.persons.tolist() == [3]


def test_a_second_cell_is_hidden_where_the_first_would_come_back_by_subtraction():
    frame = pd.DataFrame({"variable": "sex", "level": ["female", "male", "unknown"], "persons": [200, 90, 4]})
    assert disclose(frame, Grouped, LIMIT).persons.tolist() == [200, pd.NA, pd.NA]


def test_two_small_cells_whose_sum_stays_small_take_a_third():
    frame = pd.DataFrame({"variable": "race", "level": ["a", "b", "c", "d"], "persons": [3, 4, 50, 60]})
    assert disclose(frame, Grouped, LIMIT).persons.tolist() == [pd.NA, pd.NA, pd.NA, 60]


def test_groups_do_not_touch_each_other():
    frame = pd.DataFrame({"variable": ["x", "x", "y", "y"], "level": list("abab"), "persons": [5, 50, 40, 41]})
    assert disclose(frame, Grouped, LIMIT).persons.tolist() == [pd.NA, pd.NA, 40, 41]


def test_a_cell_hidden_for_its_column_is_protected_in_its_row_too():
    frame = pd.DataFrame(
        {"arm": ["CSP"] * 3 + ["RSN"] * 3, "level": ["a", "b", "c"] * 2, "persons": [5, 30, 90, 40, 50, 60]}
    )
    hidden = disclose(frame, TwoWay, LIMIT).persons.isna()
    assert hidden.groupby(frame.arm).sum().isin([0, 2, 3]).all()
    assert hidden.groupby(frame.level).sum().isin([0, 2]).all()
    assert hidden[0]


def test_a_step_that_took_three_people_does_not_show_both_its_sides():
    flow = pd.DataFrame(
        {
            "step": [1, 2, 3],
            "rule_id": ["B5.1", "B5.2", "B5.3"],
            "description": ["a", "b", "c"],
            "persons_in": [900, 500, 497],
            "persons_out": [500, 497, 440],
        }
    )
    shown = disclose(flow, CohortFlow, LIMIT, (FLOW,))
    assert shown.persons_in.tolist() == [900, pd.NA, 497]
    assert shown.persons_out.tolist() == [pd.NA, 497, 440]


def test_a_hidden_node_of_the_waterfall_hides_no_dollars():
    attrition = pd.DataFrame(
        {
            "source_table": "medical_claims",
            "step": [1, 2, 3],
            "rule_id": ["A3", "A4", "A5"],
            "description": "…",
            "rows_in": [1000, 900, 896],
            "rows_out": [900, 896, 800],
            "persons_in": [300, 300, 300],
            "persons_out": [300, 300, 300],
            "paid_in_usd": [100.0, 90.0, 89.0],
            "delta_usd": [-10.0, -1.0, -9.0],
            "paid_out_usd": [90.0, 89.0, 80.0],
        }
    )
    chains = (Flow("persons", ("source_table",)), Flow("rows", ("source_table",)))
    shown = disclose(attrition, Attrition, LIMIT, chains)
    assert shown.persons_out.tolist() == [300, 300, 300]
    assert shown.rows_out.tolist() == [pd.NA, 896, 800]
    assert shown.delta_usd.tolist() == [-10.0, -1.0, -9.0]


def test_people_at_risk_do_not_show_who_left_in_a_month():
    at_risk = pd.DataFrame({"arm": "RSN", "persons": [100, 95, 80, 80, 6], "share": [1, 0.95, 0.8, 0.8, 0.1]})
    shown = disclose(at_risk, Plain, LIMIT, (Series("persons", ("arm",), hides=("share",)),))
    assert shown.persons.tolist() == [100, pd.NA, 80, 80, pd.NA]
    assert shown.share.isna().tolist() == [False, True, False, False, True]


def test_a_table_with_no_rows_stays_a_table_with_no_rows():
    empty = pd.DataFrame({"variable": [], "level": [], "persons": pd.Series([], dtype="int64")})
    assert disclose(empty, Grouped, LIMIT).empty


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_no_hidden_cell_can_be_worked_out_from_the_total(persons):
    """The attacker knows the group's total, every shown cell, and that a hidden cell holds someone."""
    frame = pd.DataFrame({"variable": "v", "level": [str(n) for n in range(len(persons))], "persons": persons})
    shown = disclose(frame, Grouped, LIMIT).persons
    assert not shown.dropna().between(1, LIMIT - 1).any()
    hidden = [n for n, cell in zip(persons, shown) if pd.isna(cell)]
    if any(0 < n < LIMIT for n in persons) and sum(persons) >= LIMIT and len([n for n in persons if n]) > 1:
        assert len(hidden) >= 2
        assert sum(hidden) >= LIMIT
    if len(hidden) >= 2 and shown.fillna(0).gt(0).any():
        assert sum(hidden) not in (len(hidden), len(hidden) * (LIMIT - 1))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 400), st.lists(st.integers(0, 40), max_size=10))
def test_no_two_shown_counts_of_a_flow_differ_by_a_small_number(last, lost):
    counts = [last]
    for left in lost:
        counts.insert(0, counts[0] + left)
    shown = [count for count, is_shown in zip(counts, visible_nodes(counts, LIMIT)) if is_shown]
    assert not any(0 < count < LIMIT for count in shown)
    assert not any(0 < abs(a - b) < LIMIT for a in shown for b in shown)
    assert last in shown or 0 < last < LIMIT
    assert counts[0] in shown or 0 < counts[0] < LIMIT or 0 < counts[0] - shown[-1] < LIMIT


@pytest.mark.parametrize(
    ("counts", "is_shown"),
    [
        pytest.param(
            [902, 902, 897, 400], [True, True, False, True], id="five without a visit do not show beside all"
        ),
        pytest.param([897, 400, 902], [False, True, True], id="the largest comes first wherever it stands"),
        pytest.param([623, 612], [True, True], id="eleven apart, the limit, are shown"),
        pytest.param([623, 613], [True, False], id="ten apart are not"),
        pytest.param([0, 30, 35], [True, False, True], id="nobody is shown"),
    ],
)
def test_no_two_counts_of_a_series_are_few_apart(counts, is_shown):
    assert apart(counts, [False] * len(counts), LIMIT) == is_shown


def test_a_row_that_another_table_gives_is_shown_before_its_neighbour():
    assert apart([600, 130, 128], [False, True, False], LIMIT) == [True, True, False]


def test_arms_that_add_up_are_hidden_together():
    windows = pd.DataFrame(
        {
            "arm": ["RSN", "CSP", "all"] * 2,
            "persons": [300, 400, 700, 295, 350, 645],
            "share": 0.5,
            "day": [7] * 3 + [14] * 3,
        }
    )
    shown = disclose(windows, Plain, LIMIT, (Series("persons", ("arm",), ("share",), together=("day",)),))
    assert shown.share.notna().groupby(shown.day).nunique().eq(1).all()
    assert shown.share.isna().any()


def test_only_the_rows_named_are_a_series():
    rows = pd.DataFrame({"arm": ["all", "RSN", "all", "RSN"], "persons": [700, 300, 697, 298], "share": 0.5})
    shown = disclose(rows, Plain, LIMIT, (Series("persons", hides=("share",), only=(("arm", "all"),)),))
    assert shown.persons.tolist() == [700, 300, pd.NA, 298]
    assert shown.share.isna().tolist() == [False, False, True, False]


FATES = Split("persons", ("arm",), ("fate", ("kept",)))


@pytest.mark.parametrize(
    ("persons", "is_shown"),
    [
        pytest.param([400, 50, 60], [True, True, True], id="nothing small, all shown"),
        pytest.param([400, 5, 60], [True, False, False], id="one small: none of the others"),
        pytest.param([5, 50, 60], [False, False, False], id="what is given is small itself"),
        pytest.param([400, 0, 60], [True, True, True], id="nobody is not few"),
    ],
)
def test_parts_of_a_known_whole_are_shown_all_or_none_but_for_what_is_given(persons, is_shown):
    rows = pd.DataFrame({"arm": "RSN", "fate": ["kept", "died", "later"], "persons": persons, "share": 0.5})
    assert disclose(rows, Plain, LIMIT, (FATES,)).persons.notna().tolist() == is_shown


def test_a_sole_small_part_takes_what_is_given_with_it():
    rows = pd.DataFrame({"arm": ["RSN"] * 2 + ["CSP"] * 2, "fate": ["kept", "died"] * 2, "persons": [400, 5, 300, 50]})
    assert disclose(rows.assign(share=0.5), Plain, LIMIT, (FATES,)).persons.notna().tolist() == [
        False,
        False,
        True,
        True,
    ]
