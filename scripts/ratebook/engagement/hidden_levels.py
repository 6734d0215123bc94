"""What tables of covariates must hide because Table 1 does."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.base import Contract
from ratebook.contracts.episodes import ARMS
from ratebook.disclosure import hide_rows
from ratebook.engagement.design import UNKNOWN
from ratebook.episodes.describe import LEVELS

MISSING = "missing"
"""What Table 1 calls a level nobody recorded."""


def follow_table_1(frame: pd.DataFrame, contract: type[Contract], table_1: pd.DataFrame) -> pd.DataFrame:
    """Hide levels of a covariate that Table 1 hides in either arm.

    Table 1 has the members of neither arm, too, and all of them together. Few of them at a level are hidden with
    somebody of an arm, whom no other table may give back.
    """
    covariate = table_1.characteristic.map(LEVELS)
    hidden = table_1.persons.isna() & table_1.arm.isin(ARMS) & covariate.notna()
    levels = set(zip(covariate[hidden], table_1.level[hidden].replace(MISSING, UNKNOWN)))
    follows = [key in levels for key in zip(frame.covariate, frame.level)]
    return hide_rows(frame, contract, pd.Series(follows, frame.index, dtype=bool))
