"""From factors to rates: build-up, credibility and rates."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.errors import NoExposure, RatebookError
from ratebook.rates import build_up
from ratebook.rates.credibility import buhlmann_straub, limited_fluctuation, ratio_variance
from ratebook.rates.derive import derive_rates, tpl_factor

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
