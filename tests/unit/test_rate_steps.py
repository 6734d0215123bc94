"""The steps of a rate in their fixed order: each a column that multiplies, whatever the others are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.risk_sharing import Pooling
from ratebook.errors import RatebookError
from ratebook.rates import build_up, derive
from ratebook.rates.pooling import derive_pooling
from ratebook.rates.uncertainty import estimate_uncertainty
from ratebook.tables import empty_frame

OWN = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]
CELLS = {"BHP | adult | 21-44": 800.0, "BHP | adult | 45-64": 400.0}
CATEGORIES = {"detox": 0.9, "drugs": 0.98}
SETTINGS = OWN | {
    "cell_columns": ["plan", "aid_category", "age_band"], "program_changes": {}, "managed_care": {}, "missing": {},
    "base_changes": {}, "replicates": 50,
}  # fmt: skip


def assumption(value, source="a study"):
    return {"value": value, "unit": "test", "source": source}


def experience(scale: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        (cell, "BHP", "BHP", category, month, 70, months / 12, round(rng.uniform(500, 4000), 2) * scale, 10.0)
        for cell, months in CELLS.items()
        for category in CATEGORIES
        for month in pd.date_range("2017-01-01", periods=12, freq="MS")
    ]
    names = ["cell", "pool", "plan", "category", "service_month", "members", "member_months", "paid_usd", "units"]
    return pd.DataFrame(rows, columns=names)


def excess(scale: float = 1.0) -> pd.DataFrame:
    paid = experience(scale).groupby("cell", as_index=False).paid_usd.sum()
    more = {"pool": "BHP", "member_years": 70, "members_beyond": [2, 1], "excess_usd": [9_000.5, 1_000.25]}
    return paid.assign(member_months=paid.cell.map(CELLS), **more).assign(excess_usd=lambda t: t.excess_usd * scale)


MOMENTS = pd.DataFrame({"cell": list(CELLS), "members": 70})
COMPLETION = pd.DataFrame(
    {"category": list(CATEGORIES), "completion_factor": list(CATEGORIES.values()), "ultimate_usd": 1000.0,
     "std_error_usd": 5.0, "method": "chainladder", "reason": None}
)  # fmt: skip
TREND = pd.DataFrame(
    [(name, part, 0.03, 0.01, "assumption") for name in CATEGORIES for part in ("utilisation", "unit_cost", "pmpm")],
    columns=["category", "component", "annual_trend", "std_error", "source"],
)


def build(pooling=None, scale: float = 1.0, **changes) -> pd.DataFrame:
    pooling = empty_frame(Pooling) if pooling is None else pooling
    return derive.derive_rate_build(experience(scale), MOMENTS, COMPLETION, TREND, pooling, {**SETTINGS, **changes})


def rate(rows: pd.DataFrame, **changes) -> pd.DataFrame:
    trusted = pd.DataFrame({"cell": list(CELLS), "credibility_z": 1.0, "std_error_usd": 2.0, "paid_pmpm_usd": 60.0})
    places = pd.DataFrame({"cell": list(CELLS), "pool": "BHP", "plan": "BHP"})
    return derive.derive_rates(rows, trusted, COMPLETION, TREND, places, {**SETTINGS, **changes})


EVERY = {
    "missing": {"detox": assumption(1.02, "encounter study")},
    "base_changes": {"detox": assumption({"share": 0.5, "change": 0.2, "months_in_effect": 3}, "fee notice")},
    "program_changes": {"drugs": assumption({"share": 1.0, "change": 0.1, "months_in_effect": 6})},
    "managed_care": {"detox": assumption(0.98)},
}


class TestOnLevel:
    @pytest.mark.parametrize(
        ("months", "factor"),
        [
            pytest.param(12, 1.0, id="in effect all year: the base has it"),
            pytest.param(0, 1.1, id="came after the base's last month: all of it is missing"),
            pytest.param(6, 1.1 * 12 / (6 + 6 * 1.1), id="half a year at either level"),
        ],
    )
    def test_the_base_is_brought_to_the_level_of_its_last_day(self, months, factor):
        assert build_up.on_level_factor(1.0, 0.1, months, 12) == pytest.approx(factor)

    def test_it_is_what_a_base_at_the_new_level_would_have_cost(self):
        share, change, old = 0.4, 0.25, np.full(18, 100.0)
        new = old * (1 + share * change)
        mixed = np.r_[old[:11], new[11:]]
        assert mixed.sum() * build_up.on_level_factor(share, change, 7, 18) == pytest.approx(new.sum())

    def test_the_base_is_counted_in_whole_months(self):
        assert build_up.months_of_base("2017-01-01", "2017-12-31") == 12
        assert build_up.months_of_base("2016-07-01", "2017-12-31") == 18
        with pytest.raises(RatebookError, match="whole months"):
            build_up.months_of_base("2017-01-01", "2017-12-30")


class TestBuild:
    def test_nothing_assumed_leaves_every_new_step_at_one_and_says_so(self):
        rows = build()
        assert (rows[["f_missing", "f_pooling", "f_base_changes", "f_program", "f_managed_care"]] == 1).all(axis=None)
        assert rows.rationale_missing.eq("nothing is known to be missing").all()
        assert rows.rationale_pooling.str.contains("no member year").all()

    def test_every_step_is_a_factor_with_its_rationale(self):
        rows = build(derive_pooling(excess(), 1.0, 0.9), **EVERY)
        again = rows.base_usd.astype(float) / rows.member_months / rows.completion_factor
        for name in build_up.FACTORS:
            again = again * rows[name]
        assert rows.projected_pmpm_usd.tolist() == pytest.approx(again.tolist(), rel=1e-13)
        detox, drugs = (rows[rows.category == name] for name in CATEGORIES)
        assert detox.f_missing.eq(1.02).all() and drugs.f_missing.eq(1).all()
        assert detox.f_base_changes.to_list() == pytest.approx([1.1 / 1.025] * 2) and drugs.f_base_changes.eq(1).all()
        assert detox.rationale_missing.eq("encounter study").all()
        assert detox.rationale_base_changes.eq("fee notice").all()

    def test_one_step_alone_scales_what_it_touches_and_nothing_else(self):
        before, after = build(), build(missing={"detox": assumption(1.5)})
        ratio = (after.projected_pmpm_usd / before.projected_pmpm_usd).groupby(before.category).agg(["min", "max"])
        assert ratio.loc["detox"].tolist() == pytest.approx([1.5, 1.5])
        assert ratio.loc["drugs"].tolist() == [1, 1]


class TestPooled:
    def test_pooling_is_the_cells_and_the_same_for_its_categories(self):
        pooling = derive_pooling(excess(), 1.0, 0.9)
        rows = build(pooling)
        assert (rows.groupby("cell").f_pooling.nunique() == 1).all()
        assert rows.drop_duplicates("cell").set_index("cell").f_pooling.to_dict() == pytest.approx(
            pooling.set_index("cell").f_pooling.to_dict()
        )

    def test_the_base_of_a_pool_stays_to_the_cent(self):
        rows = build(derive_pooling(excess(), 1.0, 0.9))
        base = rows.base_usd.astype(float)
        assert rows.f_pooling.nunique() == 2
        assert round((base * rows.f_pooling).sum(), 2) == round(base.sum(), 2)

    def test_twice_the_cost_pools_alike(self):
        once, twice = (build(derive_pooling(excess(scale), 1.0, 0.9), scale=scale) for scale in (1.0, 2.0))
        assert twice.f_pooling.tolist() == pytest.approx(once.f_pooling.tolist(), rel=1e-6)
        assert twice.projected_pmpm_usd.tolist() == pytest.approx((2 * once.projected_pmpm_usd).tolist(), rel=1e-6)

    def test_the_redrawn_rate_is_centred_on_the_pooled_one(self):
        rows = build(derive_pooling(excess(), 1.0, 0.9))
        rates = rate(rows)
        groups = pd.concat([experience().assign(person_group=f"{g:02x}", paid_usd=lambda t: t.paid_usd / 8, member_months=lambda t: t.member_months / 8) for g in range(8)])  # fmt: skip
        groups = groups.groupby(["cell", "category", "person_group"], as_index=False)[
            ["member_months", "paid_usd"]
        ].sum()
        months = pd.DataFrame(columns=["category", "person_group", "service_month", "member_months", "paid_usd"])
        ultimates = pd.DataFrame(columns=["category", "incurred_month", "paid_usd", "ultimate_usd"])
        found, tornado = estimate_uncertainty(
            rows, rates, COMPLETION, ultimates, TREND, groups, months, SETTINGS, seed=1
        )
        middle = np.sqrt(found.lower * found.upper)
        assert middle.tolist() == pytest.approx(rates.rate_usd.astype(float).tolist())
        loads = tornado[tornado.factor == "fixed_pmpm_usd"].set_index("cell")
        step = 0.1 * rates.set_index("cell").fixed_pmpm_usd / 0.89 * rates.set_index("cell").f_smoothing
        assert (loads.swing_usd / 2).to_dict() == pytest.approx(step.to_dict())


class TestLast:
    def test_smoothing_multiplies_the_loaded_rate_before_it_is_rounded(self):
        rows = build()
        plain = rate(rows, smoothing={"penalty_share": assumption(0.0)})
        smoothed = rate(rows, smoothing={"penalty_share": assumption(0.5)})
        assert (plain.f_smoothing == 1).all() and smoothed.f_smoothing.nunique() == 2
        loaded = (smoothed.blended_pmpm_usd + smoothed.fixed_pmpm_usd) / 0.89
        assert smoothed.rate_usd.tolist() == (loaded * smoothed.f_smoothing).round(2).tolist()
        paid = smoothed.member_months @ (loaded * smoothed.f_smoothing)
        assert paid == pytest.approx(plain.member_months @ loaded, abs=1e-6)
        for limit in ("lower", "upper"):
            away = (smoothed[limit] - smoothed.rate_usd) / (plain[limit] - plain.rate_usd)
            assert away.tolist() == pytest.approx(smoothed.f_smoothing.tolist())

    def test_the_parts_of_a_smoothed_rate_add_up_to_it(self):
        found = rate(build(), smoothing={"penalty_share": assumption(0.5)})
        parts = found.benefit_usd + found.fixed_pmpm_usd + found.admin_usd + found.margin_usd + found.tax_usd
        assert parts.tolist() == pytest.approx(found.rate_usd.tolist(), abs=0.005001)
        before = found.member_months @ found.blended_pmpm_usd
        assert found.member_months @ found.benefit_usd == pytest.approx(before)

    def test_the_loss_ratio_asks_what_the_cell_costs_and_not_what_it_is_paid(self):
        found = rate(build(), smoothing={"penalty_share": assumption(0.5)})
        cost = found.blended_pmpm_usd + found.fixed_pmpm_usd
        assert found.projected_mlr.tolist() == pytest.approx((cost / found.rate_usd / 0.98).tolist())
