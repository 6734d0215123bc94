"""The match of services with coverage: at its limit, by scope, and drawn."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.exposure.matches import build_eligibility_match
from ratebook.exposure.plots import plot_eligibility_match


def services(outside, total=1000.0, month="2022-01-01", file="f"):
    rows = [(month, file, "outside", 3, 2, outside), (month, file, "eligible", 40, 30, total - outside)]
    names = ["service_month", "source_file", "coverage", "lines", "persons", "paid_usd"]
    return pd.DataFrame(rows, columns=names).astype({"service_month": "datetime64[us]"})


@pytest.mark.parametrize(
    ("outside", "total", "share", "status"),
    [
        (20.0, 1000.0, 0.98, "pass"),
        (20.01, 1000.0, 0.97999, "warn"),
        (0.0, 1000.0, 1.0, "pass"),
        (0.0, 0.0, None, "na"),
        (5.0, -10.0, None, "na"),
    ],
)
def test_the_match_passes_at_its_limit(outside, total, share, status):
    match = build_eligibility_match(services(outside, total), 0.98)
    assert match.scope.tolist() == ["all", "month", "file", "file_month"]
    assert match.status.tolist() == [status] * 4
    assert (
        match.match_share.isna().all() if share is None else match.match_share.tolist() == pytest.approx([share] * 4)
    )


def test_every_scope_adds_up_to_the_whole():
    parts = [
        services(10, 500, "2022-01-01", "f"),
        services(0, 300, "2022-02-01", "f"),
        services(7, 200, "2022-01-01", "g"),
    ]
    match = build_eligibility_match(pd.concat(parts, ignore_index=True), 0.98)
    sums = match.groupby("scope")[["lines", "outside_lines", "paid_usd", "outside_usd"]].sum()
    assert (sums == sums.loc["all"]).all(axis=None)
    assert sums.loc["all"].tolist() == [129, 9, 1000, 17]
    months = match[match.scope == "month"].set_index("service_month")
    assert months.outside_usd.tolist() == [17, 0] and months.outside_persons.tolist() == [2, 2]


@pytest.mark.parametrize(("persons", "drawn"), [(10, 1), (11, 2), (0, 2)])
def test_a_month_with_few_persons_outside_coverage_is_not_drawn(persons, drawn):
    parts = [services(10), services(10, month="2022-02-01")]
    match = build_eligibility_match(pd.concat(parts, ignore_index=True), 0.98)
    match.loc[match.service_month == "2022-01-01", "outside_persons"] = persons
    match.loc[match.service_month == "2022-02-01", "outside_persons"] = 40
    fig = plot_eligibility_match(match, 11)
    assert len(fig.axes[0].collections[0].get_offsets()) == drawn
