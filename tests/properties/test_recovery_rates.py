"""The recovery study of rates in small: few programs, limits widened by their noise, and what must not pass.

`make recovery` is the study itself. Programs come from tests/recovery/rates_world.py.
"""

from __future__ import annotations

import pandas as pd
import pytest

from recovery import rates_study
from recovery.command import draw

NOISE = 4.0
PROGRAMS = 5
PART = "three months of runout"


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return pd.concat(draw(rates_study.one_program, {PART: PROGRAMS}, 1, 1), ignore_index=True)


def test_unpaid_cost_rates_and_trends_recover_what_was_planted(found):
    table = rates_study.judge(found, NOISE)
    assert set(table[table.verdict == "kept"].quantity) == set(rates_study.JUDGED), rates_study.printed(table)


def test_limits_far_too_narrow_would_not_pass(found):
    narrow = found.assign(
        lower=found.estimate - (found.estimate - found.lower) / 8,
        upper=found.estimate + (found.upper - found.estimate) / 8,
    )
    table = rates_study.judge(narrow, NOISE).set_index("quantity")
    assert table.verdict["rate, redrawn"].startswith("broken")


def test_unpaid_cost_far_off_would_not_pass(found):
    wrong = found.assign(estimate=found.estimate.where(found.quantity != "unpaid", found.estimate * 1.6))
    table = rates_study.judge(wrong, NOISE).set_index("quantity")
    assert table.verdict["unpaid"].startswith("broken")


def test_the_same_seed_draws_the_same_program(found):
    again = rates_study.one_program((PART, 1))
    pd.testing.assert_frame_equal(again, found[found.seed == 1].reset_index(drop=True))
