"""Prices of the base year: constant prices change nothing, growth is taken out, what has no price borrows and says so."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from ratebook.contracts.clean import Claims
from ratebook.contracts.cost_panels import PriceIndex
from ratebook.cost.prices import price_index, read_index, reprice_claims
from ratebook.errors import RatebookError
from ratebook.tables import write_table

PRICES = {"form": "own", "base_year": 2016, "min_lines": 2}
HEAD = (
    "person_id | category | hcpcs_code | hcpcs_modifier_1 | revenue_center_code | service_start_date | cost_usd | "
    "units | is_crossover | is_money_only"
)


def drawn(*rows: str) -> str:
    return "\n".join([HEAD, *rows])


def line(year: int, cost: str, units="1", category="OP_SUD", code="H0004", revenue="", modifier="", cross="false"):
    return (
        f"A | {category} | {code} | {modifier} | {revenue} | {year}-05-05 | {cost} | {units} | {cross} | "
        f"{'true' if units == '0' else 'false'}"
    )


@pytest.fixture
def repriced(run, table):
    def make(*rows: str, prices=None, index=None) -> list:
        lines = run(reprice_claims(table(drawn(*rows), Claims), {**PRICES, **(prices or {})}, index))
        return [(row["real_cost_usd"], row["repricing"]) for row in lines]

    return make


@pytest.fixture
def index_of(run, table):
    def make(*rows: str, prices=None, index=None) -> dict:
        found = run(price_index(table(drawn(*rows), Claims), {**PRICES, **(prices or {})}, index))
        return {(row["category"], row["service_year"]): row for row in found}

    return make


def test_constant_prices_leave_every_cost_as_paid_to_the_cent(repriced):
    rows = [line(year, f"{12.35 * units:.2f}", str(units)) for year in (2014, 2015, 2016, 2017) for units in (1, 2, 7)]
    nominal = [Decimal(row.split("|")[6].strip()) for row in rows]
    assert sorted(cost for cost, _ in repriced(*rows)) == sorted(nominal)
    assert {way for _, way in repriced(*rows)} == {"units"}


def test_growth_of_three_percent_a_year_is_taken_out(repriced, index_of):
    rows = [
        line(year, f"{1000 * 1.03 ** (year - 2014) * units:.2f}", str(units), code=code, revenue=revenue)
        for year in (2014, 2015, 2016, 2017)
        for units in (1, 3)
        for code, revenue in (("H0004", ""), ("", "0120"))
    ]
    base = 1000 * 1.03**2
    assert all(
        float(cost) in (pytest.approx(base, abs=0.02), pytest.approx(3 * base, abs=0.02))
        for cost, _ in repriced(*rows)
    )
    assert {way for _, way in repriced(*rows)} == {"units", "code"}
    for year in (2014, 2015, 2016, 2017):
        row = index_of(*rows)["OP_SUD", year]
        assert [row[name] for name in ("laspeyres", "paasche", "fisher")] == pytest.approx(
            [1.03 ** (year - 2016)] * 3, rel=1e-4
        )
        assert float(row["real_cost_usd"]) == pytest.approx(8 * base, rel=1e-4)
        assert row["units_share"] == pytest.approx(0.5, rel=1e-4)


def test_laspeyres_weighs_by_the_base_year_and_paasche_by_the_year(index_of):
    rows = [
        *[line(2016, "100.00", "10", code="A")] * 2,
        *[line(2016, "100.00", "10", code="B")] * 2,
        *[line(2017, "400.00", "20", code="A")] * 2,
        *[line(2017, "50.00", "5", code="B")] * 2,
    ]
    row = index_of(*rows)["OP_SUD", 2017]
    assert row["laspeyres"] == pytest.approx((20 * 20 + 10 * 20) / 400)
    assert row["paasche"] == pytest.approx(900 / (10 * 40 + 10 * 10))
    assert row["fisher"] == pytest.approx((1.5 * 1.8) ** 0.5)
    assert row["codes"] == 2


def test_a_code_with_too_few_lines_borrows_its_categorys_change_and_says_so(repriced):
    rows = [*[line(2016, "10.00")] * 2, *[line(2017, "11.00")] * 2, line(2017, "55.00", code="H0099")]
    assert (Decimal("50.00"), "category") in repriced(*rows)


def test_a_category_without_a_price_borrows_the_change_of_all(repriced):
    rows = [*[line(2016, "10.00")] * 2, *[line(2017, "11.00")] * 2, line(2017, "55.00", category="LTSS", code="H0099")]
    assert (Decimal("50.00"), "category") in repriced(*rows)


def test_nothing_to_borrow_leaves_the_cost_as_paid_and_says_so(repriced, index_of):
    assert repriced(line(2017, "55.00")) == [(Decimal("55.00"), "nominal")]
    row = index_of(line(2017, "55.00"))["OP_SUD", 2017]
    assert row["fisher"] is None and row["reason"] and row["nominal_share"] == 1.0


def test_money_without_service_moves_with_its_code_and_keeps_its_sign(repriced):
    rows = [*[line(2016, "10.00")] * 2, *[line(2017, "11.00")] * 2, line(2017, "-22.00", "0")]
    assert (Decimal("-20.00"), "code") in repriced(*rows)


def test_a_line_that_cost_nothing_still_does(repriced):
    rows = [*[line(2016, "10.00")] * 2, *[line(2017, "11.00")] * 2, line(2017, "0.00", "5")]
    assert (Decimal("0.00"), "code") in repriced(*rows)


@pytest.mark.parametrize("other", [{"modifier": "HF"}, {"cross": "true"}])
def test_a_month_is_not_priced_as_a_quarter_hour_nor_a_crossover_as_a_claim(repriced, other):
    rows = [*[line(2016, "12.00")] * 2, *[line(2016, "150.00", **other)] * 2]
    assert sorted(cost for cost, _ in repriced(*rows)) == [Decimal("12.00")] * 2 + [Decimal("150.00")] * 2


def test_units_times_the_base_years_price_take_out_what_one_provider_is_paid_more(repriced):
    rows = [line(2016, "10.00"), line(2016, "14.00")]
    assert [cost for cost, _ in repriced(*rows)] == [Decimal("12.00")] * 2


def test_doubling_every_dollar_doubles_every_real_dollar(repriced):
    def rows(times):
        return [line(2014 + n % 4, f"{times * (10 + n):.2f}", str(1 + n % 3)) for n in range(24)]

    once, twice = repriced(*rows(1)), repriced(*rows(2))
    assert [float(cost) for cost, _ in twice] == pytest.approx([2 * float(cost) for cost, _ in once], abs=0.011)


def test_the_nominal_form_changes_nothing(repriced):
    rows = [line(2014, "10.00"), line(2016, "99.00")]
    assert repriced(*rows, prices={"form": "nominal"}) == [
        (Decimal("10.00"), "nominal"),
        (Decimal("99.00"), "nominal"),
    ]


def test_an_index_of_the_users_deflates_by_category_or_all(repriced, index_of):
    index = pd.DataFrame(
        {
            "category": ["all", "all", "OP_SUD", "OP_SUD"],
            "service_year": [2016, 2017] * 2,
            "index_value": [200, 210, 50, 60],
        }
    )
    rows = [line(2017, "120.00"), line(2017, "210.00", category="LTSS"), line(2014, "7.00")]
    found = repriced(*rows, prices={"form": "index"}, index=index)
    assert found == [(Decimal("100.00"), "category"), (Decimal("200.00"), "category"), (Decimal("7.00"), "nominal")]
    assert index_of(*rows, prices={"form": "index"}, index=index)["OP_SUD", 2017]["fisher"] == pytest.approx(1.2)


def test_an_index_file_is_read_and_a_faulty_one_refused(tmp_path):
    path = tmp_path / "index.csv"
    path.write_text("category,service_year,index_value\nall,2016,100\nall,2017,103\n")
    assert read_index([str(path)], 2016).index_value.tolist() == [100, 103]
    assert read_index([], 2016) is None
    with pytest.raises(RatebookError, match="base year"):
        read_index([str(path)], 2015)
    path.write_text("category,service_year,index_value\nall,2016,none\n")
    with pytest.raises(RatebookError, match="no number"):
        read_index([str(path)], 2016)
    path.write_text("category,service_year\nall,2016\n")
    with pytest.raises(RatebookError, match="index_value"):
        read_index([str(path)], 2016)


def test_the_index_of_no_claims_is_empty_and_the_table_keeps_its_contract(table, tmp_path, run):
    for rows in ([], [line(2016, "10.00")] * 2):
        found = price_index(table(drawn(*rows), Claims), PRICES)
        write_table(found, tmp_path / "price_index.parquet", PriceIndex)
    assert len(run(found)) == 2
