"""Numbers as they are printed: a unit read from the column's name, an interval, or the reason there is none."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from decimal import Decimal

import pandas as pd

NOTHING = "–"


def is_missing(value) -> bool:
    """Say whether a cell holds nothing."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def spell(value, unit: str = "") -> str:
    """Print one value in its unit: usd, share, months, days, or none."""
    if is_missing(value):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp | dt.date):
        return pd.Timestamp(value).date().isoformat()
    if not isinstance(value, numbers.Number | Decimal):
        return str(value)
    value = float(value) + 0.0
    if unit == "usd":
        digits = 0 if abs(value) >= 10_000 else 2
        return f"{'−' if round(value, digits) < 0 else ''}${abs(value):,.{digits}f}"
    if unit == "share":
        return _signed(f"{100 * value:.1f}%")
    if value == int(value) and abs(value) < 1e15:
        return _signed(f"{value:,.0f}")
    return _signed(_four_digits(value))


def unit_of(column: str) -> str:
    """Read a column's unit from the end of its name."""
    return next((unit for unit in ("usd", "share") if column == unit or column.endswith(f"_{unit}")), "")


def phrase(row, unit: str = "", noun: str = "", absolute: bool = False) -> str:
    """Print an estimate with its 95% interval, or say why it or the interval is missing.

    With `absolute` the sign is left to the sentence: the size is printed, and the interval turned with it.
    """
    estimate, lower, upper = (_number(row, name) for name in ("estimate", "lower", "upper"))
    reason = row.get("reason")
    if is_missing(estimate):
        return f"could not be estimated ({reason or 'no reason recorded'})"
    if absolute and estimate < 0:
        estimate, lower, upper = -estimate, _minus(upper), _minus(lower)
    text = " ".join(filter(None, [spell(estimate, unit), noun]))
    if is_missing(lower) or is_missing(upper):
        return f"{text} (no interval: {reason or 'no reason recorded'})"
    return f"{text} (95% CI {spell(lower, unit)} to {spell(upper, unit)})"


def direction(row, more: str, less: str, same: str) -> str:
    """Choose the word for a contrast; where the interval holds zero, the word says that it may be none."""
    estimate, lower, upper = (_number(row, name) for name in ("estimate", "lower", "upper"))
    if is_missing(estimate):
        return same
    word = more if estimate > 0 else less if estimate < 0 else same
    open_question = is_missing(lower) or is_missing(upper) or float(lower) <= 0 <= float(upper)
    return f"{word}, though the data do not exclude no difference," if open_question and word != same else word


def _number(row, name):
    """Read a column of a row, with its unit at the end of its name or without."""
    return row[name] if name in row else row.get(f"{name}_usd")


def _minus(value):
    return value if is_missing(value) else -value


def _four_digits(value: float) -> str:
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(digits, 6)}f}"


def _signed(text: str) -> str:
    return text.replace("-", "−")
