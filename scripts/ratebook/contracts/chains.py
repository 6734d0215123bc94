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
    """A count of which one row's people hold the next one's, as people at risk by day: no two shown differ by few.

    What a hidden row would give back (`hides`) is hidden with it. Rows in which the column `prefer` is true are shown
    before others, because another table gives them. Rows alike in `together` are shown all or none: their sum is known.
    """

    count: str
    within: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    prefer: str = ""
    together: tuple[str, ...] = ()
