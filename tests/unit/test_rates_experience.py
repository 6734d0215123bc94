"""Base experience, completion and trend: what a rate stands on."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.clean import CATEGORIES, CashLedger, Claims
from ratebook.contracts.exposure import MemberMonths
from ratebook.errors import RatebookError
from ratebook.rates import base
from ratebook.rates.completion import develop, estimate_completion, paid_as_incurred
from ratebook.rates.trend import estimate_trend, fit_trend

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]


class TestBase:
    def test_each_service_category_stands_in_one_group(self):
        groups = SETTINGS["category_groups"]
        assert set(base.map_categories(groups, CATEGORIES)) == set(CATEGORIES)
        twice = {**groups, "again": ["LTSS"]}
        with pytest.raises(RatebookError, match="LTSS"):
            base.map_categories(twice, CATEGORIES)
        with pytest.raises(RatebookError, match="OTHER_BH"):
            base.map_categories({**groups, "outpatient": ["IOP_PHP", "OP_SUD"]}, CATEGORIES)

    def test_age_bands_begin_at_their_limit(self, table, run):
        ages = table("age\n20\n21\n44\n65\n99\n").mutate(lambda t: t.age.cast("int64").name("age"))
        bands = run(ages.mutate(band=base.age_band(ages.age, [65, 21, 45])).order_by("age").band.as_table())
        assert [row["band"] for row in bands] == ["0-20", "21-44", "21-44", "65+", "65+"]

    def months(self, table):
        return table(
            """\
            person_id | service_month | plan | payer    | aid_category | dual_group | age_years | mm_any_day | is_retro
            A         | 2017-01-01    | BHP  | medicaid | adult        | none       | 30        | 1          | false
            A         | 2017-02-01    | BHP  | medicaid | adult        | none       | 30        | 1          | false
            B         | 2017-01-01    | BHP  | medicaid | disabled     | none       | 30        | 1          | false
            C         | 2017-01-01    | BHP  | medicaid | adult        | none       | 30        | 1          | true
            D         | 2017-01-01    | BHP  | medicaid | adult        | full       | 30        | 1          | false
            """,
            MemberMonths,
        )

    @pytest.mark.parametrize(
        ("least", "cells"),
        [
            pytest.param(2, {"BHP | adult", "BHP | all other"}, id="at the limit a cell stands alone"),
            pytest.param(3, {"BHP | all other"}, id="below it cells are put together"),
        ],
    )
    def test_thin_cells_are_put_together(self, table, run, least, cells):
        settings = {
            **SETTINGS,
            "cell_columns": ["plan", "aid_category"],
            "pool_columns": ["plan"],
            "min_cell_member_months": least,
        }
        placed = base.place_members(self.months(table), settings, "any_day", True)
        assert {row["cell"] for row in run(placed) if row["status"] == "included"} == cells

    def test_retroactive_months_and_excluded_duals_leave_the_base_and_take_their_claims_along(self, table, run):
        claims = table(
            """\
            person_id | claim_id | category   | service_start_date | cost_usd | units
            A         | 1        | OP_SUD     | 2017-02-28         | 10.00    | 1
            A         | 2        | IP_MEDICAL | 2017-01-15         | 20.00    | 1
            A         | 3        | OP_SUD     | 2017-03-01         | 40.00    | 1
            C         | 4        | OP_SUD     | 2017-01-31         | 80.00    | 1
            D         | 5        | OP_SUD     | 2017-01-01         | 160.00   | 1
            """,
            Claims,
        )
        members = base.place_members(self.months(table), SETTINGS, "any_day", True)
        lines = base.place_claims(
            claims, members, base.map_categories(SETTINGS["category_groups"], CATEGORIES), SETTINGS
        )
        left = {row["status"]: row for row in run(base.build_exclusions(members, lines, SETTINGS))}
        assert {status: float(row["paid_usd"]) for status, row in left.items()} == {
            "included": 10,
            "not_covered": 20,
            "no_eligibility": 40,
            "retroactive": 80,
            "excluded_dual": 160,
        }
        assert {status: float(row["member_months"]) for status, row in left.items() if row["member_months"]} == {
            "included": 3,
            "retroactive": 1,
            "excluded_dual": 1,
        }
        kept = base.place_members(self.months(table), SETTINGS, "any_day", False)
        assert sum(row["status"] == "included" for row in run(kept)) == 4

    def test_the_triangle_nets_what_is_taken_back_and_stops_at_the_last_whole_month(self, table, run):
        ledger = table(
            """\
            person_id | claim_id | category | record_type | entry       | incurred_date | paid_date  | signed_usd
            A         | 1        | OP_SUD   | ffs         | payment     | 2017-01-15    | 2017-01-31 | 10.00
            A         | 1        | OP_SUD   | ffs         | reversal    | 2017-01-15    | 2017-03-01 | -10.00
            A         | 2        | OTHER_BH | encounter   | payment     | 2017-01-15    | 2017-03-31 | 5.00
            A         | 3        | OP_SUD   | ffs         | payment     | 2017-01-15    | 2017-04-01 | 7.00
            A         | 4        | OP_SUD   | ffs         | payment     | 2017-01-15    |            | 9.00
            A         | 5        | OP_SUD   | ffs         | payment     | 2017-01-15    | 2016-12-31 | 1.00
            A         | 6        | OP_SUD   | ffs         | orphan_void | 2017-01-15    | 2017-02-01 | -3.00
            """,
            CashLedger,
        )
        category_of = base.map_categories(SETTINGS["category_groups"], CATEGORIES)
        rows = run(base.build_triangles(ledger, category_of, ("2014-01-01", "2017-12-31"), "2017-03-31"))
        assert {row["lag_months"]: float(row["paid_usd"]) for row in rows} == {0: 11, 2: -5}
        assert {row["category"] for row in rows} == {"outpatient"}

    @pytest.mark.parametrize(
        ("extract", "last"), [("2018-03-31", "2018-03-31"), ("2018-03-30", "2018-02-28"), ("2018-03-01", "2018-02-28")]
    )
    def test_a_month_cut_short_by_the_extract_is_no_diagonal(self, extract, last):
        assert base.last_complete_month(extract) == last


def triangle(rows: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"category": "outpatient", "incurred_month": pd.Timestamp(month), "lag_months": lag, "paid_usd": paid}
            for month, payments in rows.items()
            for lag, paid in enumerate(payments)
        ]
    )


def flat_experience(months: pd.DatetimeIndex, paid=100.0, units=10.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": "all",
            "pool": "all",
            "plan": "BHP",
            "category": "outpatient",
            "service_month": months,
            "members": 100,
            "member_months": 100.0,
            "paid_usd": paid,
            "units": units,
        }
    )


class TestCompletion:
    MONTHS = pd.date_range("2017-01-01", periods=12, freq="MS")

    def estimate(self, rows, **changes):
        settings = {**SETTINGS["completion"], **changes}
        return estimate_completion(
            triangle(rows), flat_experience(self.MONTHS), ("2017-01-01", "2017-12-31"), "2017-12-31", settings
        )

    def full(self, young=50.0):
        rows = {f"{m:%Y-%m-%d}": [50.0, 40.0, 10.0][: 12 - n] for n, m in enumerate(self.MONTHS)}
        rows["2017-12-01"] = [young]
        return rows

    def test_a_steady_pattern_completes_every_month_to_the_same_cost(self):
        completion, ultimates, whole = self.estimate(self.full())
        assert completion.completion_factor.tolist()[:3] == pytest.approx([0.5, 0.9, 1.0])
        assert ultimates.ultimate_usd.tolist() == pytest.approx([100.0] * 12)
        assert whole.completion_factor[0] == pytest.approx(1140 / 1200)

    def test_a_young_month_takes_its_unpaid_part_from_what_was_expected(self):
        _, ultimates, _ = self.estimate(self.full(young=80.0))
        last = ultimates.set_index("incurred_month").loc["2017-12-01"]
        assert last.method == "bornhuetter_ferguson"
        assert last.ultimate_usd == pytest.approx(80 + 100 * 0.5)

    def test_without_a_month_to_expect_from_the_chain_ladder_stands_and_says_so(self):
        _, ultimates, _ = self.estimate(self.full(young=80.0), prior_lags=[90, 99])
        last = ultimates.set_index("incurred_month").loc["2017-12-01"]
        assert last.ultimate_usd == pytest.approx(160)
        assert last.reason

    def test_what_is_paid_as_incurred_is_complete(self):
        completion, ultimates, whole = self.estimate(self.full(), flat_categories=["outpatient"])
        assert (completion.completion_factor == 1).all() and completion.reason.notna().all()
        assert (ultimates.ibnr_usd == 0).all()
        assert whole.completion_factor[0] == 1
        assert (paid_as_incurred(4).to_ultimate == 1).all()

    def test_only_the_latest_diagonals_count(self):
        grid = np.array([[100, 200, 200], [100, 150, np.nan], [100, np.nan, np.nan]], dtype=float)
        assert develop(grid, 1, "mack").link == pytest.approx([1.5, 1.0])
        assert develop(grid, 9, "mack").link == pytest.approx([1.75, 1.0])

    def test_a_lag_with_nothing_paid_before_it_develops_nothing(self):
        found = develop(np.array([[0.0, 0.0], [0.0, np.nan]]), 9, "mack")
        assert found.link.tolist() == [1.0] and found.factor_error.tolist() == [0.0, 0.0]


class TestTrend:
    MONTHS = pd.date_range("2014-01-01", periods=48, freq="MS")

    def number(self, months):
        return (months.year * 12 + months.month).to_numpy()

    def test_six_percent_a_year_is_found_exactly(self):
        month = self.number(self.MONTHS[:24])
        slope, error, _ = fit_trend(month, 500 * 1.06 ** ((month - month[0]) / 12), [])
        assert np.expm1(slope) == pytest.approx(0.06, abs=1e-9)
        assert error == pytest.approx(0, abs=1e-9)

    def test_a_season_and_a_known_step_stay_out_of_the_trend(self):
        month = self.number(self.MONTHS)
        step = month[30]
        value = (
            500 * 1.06 ** ((month - month[0]) / 12) * (1 + 0.2 * (month % 12 == 1)) * np.where(month >= step, 1.3, 1)
        )
        assert np.expm1(fit_trend(month, value, [step])[0]) == pytest.approx(0.06, abs=1e-9)
        assert np.expm1(fit_trend(month, value, [])[0]) > 0.10

    def estimate(self, use=1.02, price=1.03, months=48, noise=0.0, **changes):
        when = self.MONTHS[:months]
        year = np.arange(months) / 12
        wobble = np.exp(np.random.default_rng(1).normal(0, noise, months))
        units = 1000 * use**year * wobble
        experience = flat_experience(when, paid=units * 10 * price**year, units=units)
        ultimates = pd.DataFrame(columns=["category", "incurred_month", "paid_usd", "ultimate_usd"])
        ultimates = ultimates.astype({"incurred_month": "datetime64[ns]", "paid_usd": float, "ultimate_usd": float})
        return estimate_trend(experience, ultimates, {**SETTINGS["trend"], **changes}).set_index("component")

    def test_use_and_price_compound_to_cost(self):
        found = self.estimate()
        assert found.annual_trend.to_dict() == pytest.approx(
            {"utilisation": 0.02, "unit_cost": 0.03, "pmpm": 1.02 * 1.03 - 1}
        )
        assert found.fitted_trend["pmpm"] == pytest.approx(1.02 * 1.03 - 1)
        assert (found.source == "experience").all() and found.reason.isna().all()

    def test_beyond_the_cap_the_cap_is_used_and_the_fit_is_kept(self):
        found = self.estimate(use=1.25, fit_months=48)
        assert found.annual_trend["utilisation"] == SETTINGS["trend"]["cap"]
        assert found.fitted_trend["utilisation"] == pytest.approx(0.25)
        assert found.source["utilisation"] == found.source["pmpm"] == "cap"
        assert found.reason["utilisation"]

    def test_the_limits_of_a_held_trend_are_those_of_the_fit(self):
        found = self.estimate(use=0.85, noise=0.02).loc[["utilisation", "pmpm"]]
        assert (found.source == "floor").all() and (found.lower < found.fitted_trend).all()
        assert (found.upper > found.fitted_trend).all() and (found.upper < found.annual_trend).all()

    def test_where_holding_the_parts_would_turn_the_sign_of_cost_the_assumption_is_used(self):
        found = self.estimate(use=0.70, price=1.12)
        assert found.fitted_trend["pmpm"] < 0
        assert (found.source == "assumption").all()
        assert found.annual_trend["utilisation"] == SETTINGS["trend"]["assumed_utilisation"]["value"]
        assert found.annual_trend["unit_cost"] == SETTINGS["trend"]["assumed_unit_cost"]["value"]
        assert found.fitted_trend["utilisation"] == pytest.approx(-0.30)

    def test_noise_and_short_experience_give_way_to_the_assumption(self):
        assumed = SETTINGS["trend"]["assumed_utilisation"]["value"]
        for found in (self.estimate(noise=1.0), self.estimate(months=23)):
            assert found.source["utilisation"] == "assumption"
            assert found.annual_trend["utilisation"] == assumed
            assert found.reason["utilisation"]
        assert self.estimate(months=24).source["utilisation"] == "experience"

    def test_without_units_there_is_no_split_and_the_assumption_is_used(self):
        experience = flat_experience(self.MONTHS, units=0.0)
        ultimates = pd.DataFrame(
            {"category": [], "incurred_month": pd.to_datetime([]), "paid_usd": [], "ultimate_usd": []}
        )
        assert (estimate_trend(experience, ultimates, SETTINGS["trend"]).source == "assumption").all()


def test_a_member_of_great_cost_does_not_overflow_the_squares(table, run):
    members = table("cell | person_id | member_months\nA | P | 12\nA | Q | 6").mutate(
        is_base=True, status=ibis.literal("included")
    )
    members = members.mutate(member_months=members.member_months.cast("decimal(18, 12)"))
    lines = table("cell | person_id | cost_usd\nA | P | 9000000.00").mutate(
        is_base=True, status=ibis.literal("included")
    )
    (found,) = run(base.build_moments(members, lines))
    assert found["paid_squared"] == 81e12
    assert found["paid_months"] == 108e6
    assert found["members"] == 2
