"""What a check may look at: tables, counted facts and settings by name; and how it says that it cannot say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd


class CannotSay(Exception):
    """The check's question cannot be put to this data; the message says why, in a reader's words."""


@dataclass(frozen=True)
class Seen:
    """Tables, facts and settings a check may ask for.

    A table that is absent or empty, a fact that is null and a setting that is not there end the check with
    `CannotSay`: an absent error is never inferred from absent data.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    settings: dict = field(default_factory=dict)

    def table(self, name: str, where: str | None = None) -> pd.DataFrame:
        """Give a table's rows, or those that meet a condition."""
        if name not in self.tables:
            raise CannotSay(f"{name} is not made at this depth")
        frame = self.tables[name]
        frame = frame.query(where) if where and len(frame) else frame
        if frame.empty:
            raise CannotSay(f"{name} has no such row" if where else f"{name} is empty: nothing to check")
        return frame

    def fact(self, name: str) -> float:
        """Give a fact counted over the claims-scale tables."""
        value = self.facts.get(name)
        if value is None or pd.isna(value):
            raise CannotSay(f"{name.replace('_', ' ')}: there was nothing to count")
        return float(value)

    def setting(self, *path: str):
        """Give a setting of the config; of an assumption its value."""
        found = self.settings
        for key in path:
            if not isinstance(found, dict) or key not in found:
                raise CannotSay(f"config.yaml has no {'.'.join(path)}")
            found = found[key]
        return found["value"] if isinstance(found, dict) and set(found) == {"value", "unit", "source"} else found


CHECKS: dict[str, Callable[[Seen], float | tuple[float, str]]] = {}


def checks(check_id: str):
    """Register a check: a function of what is seen that gives the value, or the value and a remark."""

    def register(function):
        CHECKS[check_id] = function
        return function

    return register
