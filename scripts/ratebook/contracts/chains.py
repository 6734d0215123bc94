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
    Where `only` names columns and values, no other rows hold each other's people.
    """

    count: str
    within: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    prefer: str = ""
    together: tuple[str, ...] = ()
    only: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Split:
    """A count whose rows split a whole (`within`) that another table gives, and with it the rows with `given` values.

    Where one of the rows is small, none of the others is shown, for a larger one may follow from further tables; nor
    are the given, where there is one other only.
    """

    count: str
    within: tuple[str, ...]
    given: tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Tail:
    """A count that falls from row to row, whose rows together make a total another table gives.

    What the hidden rows at its end add follows from that total; so the last shown row is hidden with them, and what
    follows rests on as many people as that row.
    """

    count: str
    within: tuple[str, ...]
    hides: tuple[str, ...]
