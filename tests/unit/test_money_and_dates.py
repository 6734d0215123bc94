"""Parts sum to the whole, to the cent; months and lags are whole calendar months."""

from __future__ import annotations

import ibis
import pytest

from ratebook.dates import days_in_month, month_of, months_between
from ratebook.money import upto


@pytest.mark.parametrize("amount", ["100.00", "0.01", "-7.77", "12345678.91"])
@pytest.mark.parametrize("parts", [1, 3, 7, 31, 366])
def test_equal_shares_sum_to_the_amount_and_differ_by_a_cent_at_most(run, amount, parts):
    numbers = ibis.range(1, parts + 1).unnest().name("part").as_table()
    whole, weight = ibis.literal(amount).cast("decimal(14,2)"), ibis.literal(parts)
    shares = numbers.mutate(share=upto(whole, numbers.part, weight) - upto(whole, numbers.part - 1, weight))
    found = [row["share"] for row in run(shares)]
    assert f"{sum(found):.2f}" == amount
    assert max(found) - min(found) <= 1 / 100 + 1e-12


@pytest.mark.parametrize(
    ("earlier", "later", "months"),
    [
        pytest.param("2023-12-31", "2024-01-01", 1, id="a day across the year's end is a month"),
        pytest.param("2024-01-01", "2024-01-31", 0, id="within a month"),
        pytest.param("2024-03-31", "2024-02-29", -1, id="backwards"),
    ],
)
def test_the_lag_counts_calendar_months(run, earlier, later, months):
    assert run(months_between(ibis.date(earlier), ibis.date(later))) == months


@pytest.mark.parametrize(("day", "days"), [("2024-02-10", 29), ("2023-02-28", 28), ("2023-12-31", 31)])
def test_a_month_has_its_days(run, day, days):
    assert run(days_in_month(month_of(ibis.date(day)))) == days
