"""The arithmetic of a rate at its limits, and the identities that need no authority."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.clean import CATEGORIES, CashLedger, Claims
from ratebook.contracts.exposure import MemberMonths
from ratebook.errors import NoExposure, RatebookError
from ratebook.rates import base, build_up
from ratebook.rates.case_rates import derive_case_rates, month_costs, price_forms
from ratebook.rates.completion import develop, estimate_completion, paid_as_incurred
from ratebook.rates.credibility import buhlmann_straub, limited_fluctuation, ratio_variance
from ratebook.rates.derive import derive_rates, tpl_factor
from ratebook.rates.trend import estimate_trend, fit_trend

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]
BANDS = SETTINGS["corridor"]["value"]


class TestBuildUp:
    @pytest.mark.parametrize(
        ("periods", "months"),
        [
            (("2022-01-01", "2022-12-31", "2025-01-01", "2025-12-31"), 36),
            (("2022-01-01", "2022-12-31", "2022-01-01", "2022-12-31"), 0),
            (("2021-07-01", "2022-12-31", "2024-07-01", "2025-06-30"), 33),
            (("2024-02-01", "2024-02-29", "2024-03-01", "2024-03-31"), 1),
        ],
    )
    def test_trend_runs_from_middle_to_middle(self, periods, months):
        assert build_up.months_of_trend(*periods) == months

    @pytest.mark.parametrize(
        "periods",
        [
            ("2022-01-02", "2022-12-31", "2025-01-01", "2025-12-31"),
            ("2022-01-01", "2022-12-30", "2025-01-01", "2025-12-31"),
            ("2023-01-01", "2022-12-31", "2025-01-01", "2025-12-31"),
        ],
    )
    def test_periods_that_are_no_whole_months_are_refused(self, periods):
        with pytest.raises(RatebookError, match="whole months"):
            build_up.months_of_trend(*periods)

    def test_trend_compounds_and_never_adds(self):
        assert build_up.trend_factor(0.10, 0.10, 12) == pytest.approx(1.21)
        assert build_up.trend_factor(0.5, 0.5, 0) == 1

    def test_a_program_change_counts_for_the_months_it_is_in_effect(self):
        assert build_up.program_factor(share=0.5, change=0.10, months_in_effect=6) == pytest.approx(1.025)
        assert build_up.program_factor(share=0.5, change=0.10, months_in_effect=0) == 1

    def test_the_parts_of_a_loaded_rate_add_up_to_it(self):
        rate = build_up.load_rate(600.0, 12.0, 0.075, 0.015, 0.02)
        assert 612.0 + rate * (0.075 + 0.015 + 0.02) == pytest.approx(rate)

    def test_a_loss_settles_as_the_mirror_of_a_gain(self):
        actual = np.linspace(70, 130, 241)
        settled = build_up.settle_corridor(actual, 100.0, BANDS)
        assert settled == pytest.approx(-settled[::-1])

    @pytest.mark.parametrize(
        ("actual", "settled"),
        [
            pytest.param(100.0, 0.0, id="on target"),
            pytest.param(103.0, 0.0, id="at the first band's limit the plan still carries all"),
            pytest.param(104.0, 0.5, id="a point beyond is shared"),
            pytest.param(106.0, 1.5, id="at the second band's limit"),
            pytest.param(107.0, 2.4, id="a point beyond goes mostly to the state"),
        ],
    )
    def test_the_corridor_at_its_limits(self, actual, settled):
        assert build_up.settle_corridor(actual, 100.0, BANDS) == pytest.approx(settled)

    def test_risk_adjustment_is_neutral_whatever_the_scores(self):
        months, scores = pd.Series([100.0, 250.0, 7.5]), pd.Series([0.4, 1.9, 1.0])
        assert (months * build_up.normalise_scores(months, scores)).sum() == pytest.approx(months.sum())

    def test_scores_without_exposure_are_undefined(self):
        with pytest.raises(NoExposure):
            build_up.normalise_scores(pd.Series([0.0]), pd.Series([1.0]))

    def test_an_earned_withhold_costs_nothing(self):
        assert build_up.rate_after_withhold(100.0, 0.02, 1.0) == 100
        assert build_up.rate_after_withhold(100.0, 0.02, 0.0) == 98


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


class TestCredibility:
    def test_the_square_root_rule_at_its_limits(self):
        assert limited_fluctuation([0, 250, 1000, 4000], 1000).tolist() == pytest.approx([0, 0.5, 1, 1])

    def test_groups_that_do_not_differ_are_not_believed(self):
        values, weights = np.array([[1.0, 3.0], [3.0, 1.0]]), np.ones((2, 2))
        found = buhlmann_straub(values, weights)
        assert found.credibility.tolist() == [0, 0]
        assert found.premium.tolist() == [2, 2]

    def test_one_group_or_one_period_cannot_show_a_difference(self):
        assert buhlmann_straub(np.array([[1.0, 2.0]]), np.ones((1, 2))).credibility.tolist() == [0]
        single = buhlmann_straub(np.array([[1.0], [9.0]]), np.ones((2, 1)))
        assert np.isfinite(single.premium).all()

    def test_the_variance_is_that_of_the_ratio_of_sums(self):
        months, paid = np.array([12.0, 6, 12, 3]), np.array([100.0, 0, 900, 60])
        rate = paid.sum() / months.sum()
        direct = ((paid - rate * months) ** 2).sum() / months.sum() ** 2 * 4 / 3
        sums = (months.sum(), paid.sum(), (months**2).sum(), (paid**2).sum(), (paid * months).sum())
        assert ratio_variance(4, *sums) == pytest.approx(direct)
        assert np.isnan(ratio_variance(1, 12.0, 5.0, 144.0, 25.0, 60.0))


class TestRates:
    def test_other_insurance_is_taken_off_once(self):
        gross = copy.deepcopy(SETTINGS)
        gross["tpl_share"]["value"] = 0.04
        assert tpl_factor({**gross, "base_is_net_of_tpl": False}) == pytest.approx(0.96)
        assert tpl_factor({**gross, "base_is_net_of_tpl": True}) == 1

    def rates(self, projected=(100.0, 200.0), z=(1.0, 1.0), **changes):
        cells = ["a", "b"]
        build = pd.DataFrame(
            {
                "cell": cells,
                "category": "outpatient",
                "members": 50,
                "member_months": [600.0, 300.0],
                "projected_pmpm_usd": projected,
                "trend_months": 24.0,
            }
        )
        trusted = pd.DataFrame({"cell": cells, "credibility_z": z, "std_error_usd": 5.0, "paid_pmpm_usd": 90.0})
        completion = pd.DataFrame({"category": ["outpatient"], "ultimate_usd": [1.0], "std_error_usd": [0.01]})
        trend = pd.DataFrame({"category": ["outpatient"], "component": ["pmpm"], "std_error": [0.01]})
        places = pd.DataFrame({"cell": cells, "pool": "p", "plan": "BHP"})
        return derive_rates(build, trusted, completion, trend, places, {**SETTINGS, **changes})

    def test_full_credibility_keeps_the_cells_own_cost(self):
        found = self.rates()
        assert found.blended_pmpm_usd.tolist() == [100, 200]
        assert found.se_process_usd.tolist() == pytest.approx([5 / 90 * 100, 5 / 90 * 200])
        assert found.se_completion_usd.tolist() == pytest.approx([1, 2])
        assert (found.f_neutral == 1).all()

    def test_no_credibility_gives_every_cell_the_pool_and_no_false_precision(self):
        found = self.rates(z=(0.0, 0.0))
        assert found.blended_pmpm_usd.tolist() == pytest.approx([400 / 3] * 2)
        assert found.manual_source.tolist() == ["pooled"] * 2
        own = 5 / 90 * np.array([100, 200])
        assert found.se_process_usd.tolist() == pytest.approx([np.hypot(own[0] * 2 / 3, own[1] / 3)] * 2)
        assert found.se_trend_usd.tolist() == pytest.approx([400 / 3 * 0.01 * 2] * 2)

    def test_unequal_credibility_moves_money_and_makes_none(self):
        found = self.rates(z=(0.2, 0.9))
        assert (found.blended_pmpm_usd * found.member_months).sum() == pytest.approx(600 * 100 + 300 * 200)
        assert found.f_neutral.nunique() == 1 and found.f_neutral[0] != 1

    def test_a_manual_rate_from_outside_is_not_rescaled(self):
        manual = {"value": {"a": 150.0}, "unit": "USD", "source": "test"}
        found = self.rates(z=(0.5, 0.5), manual_pmpm_usd=manual).set_index("cell")
        assert found.blended_pmpm_usd["a"] == 125
        assert found.manual_source.to_dict() == {"a": "external", "b": "pooled"}
        assert found.blended_pmpm_usd["b"] == pytest.approx(200)

    def test_a_pool_without_cost_has_no_rate_and_says_so(self):
        found = self.rates(projected=(0.0, 0.0))
        assert found.rate_usd.isna().all() and found.is_mlr_met.isna().all()
        assert found.reason.str.contains("no cost").all()

    def test_factors_of_one_leave_the_base_unchanged(self):
        assert build_up.projected_pmpm(1000.0, 10.0, 1.0, 1.0, 1.0, 1.0) == 100


class TestCaseRates:
    def engaged(self, stays=(1, 2, 4), units=4.0):
        return pd.DataFrame(
            [
                {
                    "person_id": f"p{n}",
                    "arm": "RSN",
                    "engaged_month": month,
                    "is_event": month == stay,
                    "is_last": month == stay,
                    "minutes": 60,
                    "units": units / month,
                    "paid_usd": 150.0,
                }
                for n, stay in enumerate(stays)
                for month in range(1, stay + 1)
            ]
        )

    def test_a_month_costs_what_those_engaged_at_its_start_are_delivered(self):
        assert month_costs(self.engaged(), 12.0, 12).tolist() == pytest.approx([48, 24, 16, 12])
        assert len(month_costs(self.engaged(), 12.0, 2)) == 2

    def test_all_forms_pay_the_same_episode(self):
        survival, cost = np.array([1.0, 0.6, 0.3]), np.array([100.0, 60.0, 40.0])
        forms = price_forms(survival, cost)
        months, episode = survival.sum(), survival @ cost
        assert forms["per_episode"] == (0.0, episode)
        assert forms["per_month"][1] * months == pytest.approx(episode)
        assert forms["per_day"][1] * months * 365 / 12 == pytest.approx(episode)
        assert forms["hybrid"][0] + forms["hybrid"][1] * months == pytest.approx(episode)

    def test_a_single_month_leaves_nothing_for_enrolment(self):
        assert price_forms(np.array([1.0]), np.array([100.0]))["hybrid"] == (0.0, 100.0)

    def test_without_survival_the_actuarial_basis_is_missing_and_says_so(self):
        survival = pd.DataFrame({"arm": [], "month": [], "survival_start": []})
        found = derive_case_rates(self.engaged(), survival, SETTINGS["case_rate"], seed=1)
        actuarial = found[found.basis == "actuarial"]
        assert actuarial.value_usd.isna().all() and actuarial.reason.notna().all()
        assert found[found.basis == "staffing"].value_usd.notna().all()

    def test_the_price_of_a_unit_implied_by_the_rate_is_its_own_price_without_load(self):
        survival = pd.DataFrame({"arm": "RSN", "month": [1, 2, 3, 4], "survival_start": [1, 2 / 3, 1 / 3, 1 / 3]})
        settings = copy.deepcopy(SETTINGS["case_rate"])
        settings["load_share"]["value"] = 0.0
        found = derive_case_rates(self.engaged(), survival, settings, seed=1)
        actuarial = found[found.basis == "actuarial"]
        assert actuarial.implied_unit_price_usd.tolist() == pytest.approx([12.0] * 4)
        assert actuarial.is_unit_equivalent.all()
        again = derive_case_rates(self.engaged(), survival, settings, seed=1)
        pd.testing.assert_frame_equal(found, again)
