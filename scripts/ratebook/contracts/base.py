"""What a contract is: columns with a meaning, a type and limits, declared as a class.

A validation library is not used here on purpose: those that know Ibis ask the engine once per check and
quote the offending values in their messages. `tables.check_table` asks once per table and only counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

Usd = NewType("Usd", float)
"""Dollars and cents: decimal(14,2) on disk, so sums are exact in any order."""
Quantity = NewType("Quantity", float)
"""Service units: decimal(18,4) on disk."""
Share = NewType("Share", float)
"""A fraction of a month or of a whole: decimal(18,12) on disk."""

TYPES = {
    "str": "string",
    "int": "int64",
    "float": "float64",
    "bool": "boolean",
    "dt.date": "date",
    "Usd": "decimal(14, 2)",
    "Quantity": "decimal(18, 4)",
    "Share": "decimal(18, 12)",
}
"""Annotation, as it is written in a contract, to Ibis type."""


@dataclass(frozen=True)
class Field:
    """One column: what it means, and what may stand in it.

    `persons` marks a count of people: the released copy of a row whose count is below
    `release.suppress_below` shows neither the count nor the columns of `Config.hides`.
    """

    description: str
    nullable: bool = False
    ge: float | None = None
    le: float | None = None
    isin: tuple = ()
    persons: bool = False
    type: str = ""


class Contract:
    """A table's grain (the docstring), its columns (annotated `Field`s) and its key (`Config`)."""

    class Config:
        """`unique`: the key, also the order on disk. `claims_scale`: a folder of parts, never in pandas.

        `as_read`: rows stay in the order of the source, which costs no sort. `any_order`: rows lie as the threads
        that write them get done, which costs nothing; whoever reads them asks for the order needed. `overlaps`: a
        person may stand in several rows of a group; rows taken together may be no more people than the largest of them.
        """

        unique: tuple[str, ...] = ()
        claims_scale: bool = False
        as_read: bool = False
        any_order: bool = False
        hides: tuple[str, ...] = ()
        groups: tuple[str, ...] = ()
        overlaps: bool = False

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Every column in its order on disk."""
        found = {}
        for parent in reversed(cls.__mro__):
            for name, kind in vars(parent).get("__annotations__", {}).items():
                field = vars(parent)[name]
                found[name] = Field(**{**vars(field), "type": TYPES[kind]})
        return found

    @classmethod
    def types(cls) -> dict[str, str]:
        """Column to Ibis type."""
        return {name: field.type for name, field in cls.fields().items()}


COUNTED = "cells_unparsed"
"""The column of a raw table that no source has: it is counted as the cells are read."""


class RawTable(Contract):
    """A table as the source sends it."""

    cells_unparsed: int = Field("Cells of the row that hold something and do not parse; they are null here.", ge=0)
