"""Closed periods of days around each member's index stay: laid out, counted, and cut to other periods."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd


def build_bins(members: ibis.Table, edges: np.ndarray, pre_edges: np.ndarray, discount_rate: float) -> ibis.Table:
    """Lay out each member's windows as closed periods without overlap: pre and post by interval, index, unobserved.

    Intervals since discharge count 1, 2, …; before admission -1, -2, … back. `present_value` is what a dollar of
    the interval is worth at discharge: 1 in the first year, then less by the rate for each year begun.
    """
    post = pd.DataFrame({"interval": range(1, len(edges)), "from_day": edges[:-1], "to_day": edges[1:] - 1})
    post["present_value"] = (1 + discount_rate) ** -(post.from_day // 365).astype(float)
    pre = pd.DataFrame({"interval": range(1 - len(pre_edges), 0), "from_day": pre_edges[:-1]})
    pre["to_day"] = pre_edges[1:] - 1
    crossed = members.cross_join(_cuts(post))
    post = crossed.select(
        "person_id",
        "interval",
        window=ibis.literal("post"),
        start_date=plus_days(crossed.discharge_date, crossed.from_day),
        end_date=ibis.least(plus_days(crossed.discharge_date, crossed.to_day), crossed.last_date),
        present_value="present_value",
    )
    crossed = members.cross_join(_cuts(pre.assign(present_value=1.0)))
    pre = crossed.select(
        "person_id",
        "interval",
        window=ibis.literal("pre"),
        start_date=plus_days(crossed.index_admission_date, crossed.from_day),
        end_date=plus_days(crossed.index_admission_date, crossed.to_day),
        present_value="present_value",
    )
    admission, discharge = members.index_admission_date, members.discharge_date
    start_of = {
        "index": (admission, plus_days(discharge, -1)),
        "unobserved": (ibis.greatest(plus_days(members.last_date, 1), discharge), members.horizon_date),
    }
    others = [
        members.select(
            "person_id",
            interval=ibis.literal(0, "int64"),
            window=ibis.literal(window),
            start_date=start,
            end_date=end,
            present_value=ibis.literal(1.0),
        )
        for window, (start, end) in start_of.items()
    ]
    return ibis.union(pre, post, *others).filter(lambda t: t.start_date <= t.end_date)


def count_eligible(bins: ibis.Table, spans: ibis.Table) -> ibis.Table:
    """Count the covered days of each member's intervals before admission and since discharge, while observed."""
    bins = bins.filter(bins.window.isin(["pre", "post"]))
    joined = bins.inner_join(spans.select("person_id", span_start="start_date", span_end="end_date"), "person_id")
    joined = joined.mutate(
        days=count_days(
            ibis.greatest(joined.start_date, joined.span_start), ibis.least(joined.end_date, joined.span_end)
        ).cast("int64")
    )
    joined = joined.filter(joined.days > 0)
    return joined.group_by("person_id", "window", "interval").agg(eligible_days=joined.days.sum())


def overlap(bins: ibis.Table, periods: ibis.Table) -> ibis.Table:
    """Cut bins to the periods they share with a person's engagement."""
    periods = periods.select("person_id", period_start_date="start_date", period_end_date="end_date")
    joined = bins.inner_join(periods, "person_id")
    joined = joined.mutate(
        start_date=ibis.greatest(joined.start_date, joined.period_start_date),
        end_date=ibis.least(joined.end_date, joined.period_end_date),
    )
    return joined.filter(joined.start_date <= joined.end_date)


def _cuts(intervals: pd.DataFrame) -> ibis.Table:
    days = {name: "int64" for name in ("interval", "from_day", "to_day")}
    return ibis.memtable(intervals.astype({**days, "present_value": "float64"}))


def count_days(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    """Count the days of a closed period."""
    return last.delta(first, unit="day") + 1


def plus_days(date: ibis.Value, days: ibis.Value | int) -> ibis.Value:
    """Give the date so many days later; the days may differ by row."""
    if isinstance(days, (int, np.integer)):
        return (date + ibis.interval(days=int(days))).cast("date")
    return (date + days.cast("int32").as_interval("D")).cast("date")
