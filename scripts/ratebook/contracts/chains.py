"""Counts that follow from each other along a table, so that two shown ones may give away a third."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flow:
    """Counts that follow each other, row by row, as `<count>_in` and `<count>_out` of a waterfall.

    `within` names the columns that tell one waterfall from the next.
    """

    count: str
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A count that only falls from row to row in the order of the key, as people at risk by month.

    What a hidden row would give back (`hides`) is hidden with it.
    """

    count: str
    within: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
