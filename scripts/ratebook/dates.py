"""Calendar arithmetic, one meaning each: service months, closed spans, nights."""

from __future__ import annotations

import ibis
import pandas as pd

MONTH_DAYS = 30.4375
"""Days in a month for converting lengths: 365.25 / 12 (methods.md, 0.1)."""


def month_of(date: ibis.Value) -> ibis.Value:
    """Give the first day of a date's month."""
    return date.truncate("M")


def months_between(earlier: ibis.Value, later: ibis.Value) -> ibis.Value:
    """Count whole calendar months from one date's month to another's: the lag of a paid-lag triangle."""
    return (later.year() - earlier.year()) * 12 + (later.month() - earlier.month())


def days_in_month(month: ibis.Value) -> ibis.Value:
    """Count the days of the month that begins at `month`."""
    return (month + ibis.interval(months=1)).cast("date").delta(month, unit="day")


def month_index(dates: pd.Series) -> pd.Series:
    """Number calendar months consecutively, so that differences are months."""
    return dates.dt.year * 12 + dates.dt.month


def days_from(date: ibis.Value, days: int) -> ibis.Value:
    """Give the date so many days after another; before it where `days` is negative."""
    return (date + ibis.interval(days=days)).cast("date")
