"""The released copy of one table, for the release itself and for figures that show what the release may."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.released import Released
from ratebook.disclosure import disclose

DIGITS = 9
"""Significant digits kept of a float: what differs beyond them is the order in which a machine sums."""


def released_copy(frame: pd.DataFrame, released: Released, limit: int) -> pd.DataFrame:
    """Give the copy of a table that may leave the building, as far as the table alone decides it.

    Parameters
    ----------
    frame : DataFrame
        The table, in its contract's columns.
    released : Released
        Which of its counts follow from each other, which are never shown, which shares are whole percents.
    limit : int
        Smallest count of persons that is shown.

    Returns
    -------
    DataFrame
        The same rows: hidden cells null, floats rounded.

    References
    ----------
    methods.md, 0.1 and H67.
    """
    shown = disclose(frame, released.contract, limit, released.chains)
    for column in released.never:
        shown[column] = pd.array([pd.NA] * len(shown), dtype="Int64")
    for column in released.percents:
        shown[column] = shown[column].astype(float).round(2)
    return round_floats(shown)


def round_floats(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep nine significant digits of every float, and no negative zero."""
    frame = frame.copy()
    for column in frame.select_dtypes("float"):
        frame[column] = frame[column].map(lambda value: float(f"{value:.{DIGITS}g}") + 0.0, na_action="ignore")
    return frame
