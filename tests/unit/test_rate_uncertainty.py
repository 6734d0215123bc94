"""Limits of a rate by redrawing, completion by diagonal, and trends of like members using like services."""

from __future__ import annotations

from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.rate_uncertainty import RateTornado, RateUncertainty
from ratebook.contracts.risk_sharing import Pooling
from ratebook.rates import derive, trend, uncertainty
from ratebook.rates.completion import carry, develop, estimate_completion
from ratebook.rates.diagonal_figures import draw_diagonals
from ratebook.rates.diagonals import compare_diagonals
from ratebook.rates.figures import draw_uncertainty
from ratebook.tables import empty_frame
from recovery.rates_study import SETTINGS
from recovery.rates_world import RatesWorld, draw_program

OWN = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]
MONTHS = pd.date_range("2014-01-01", periods=48, freq="MS")


@pytest.fixture(scope="module")
def program():
    drawn = draw_program(RatesWorld(), 1)
    months = (SETTINGS["base_start"], SETTINGS["base_end"])
    settings = SETTINGS["completion"]
    _, ultimates, base = estimate_completion(drawn.triangles, drawn.experience, months, drawn.last_paid, settings)
    found = trend.estimate_trend(drawn.experience, ultimates, SETTINGS["trend"])
    build = derive.derive_rate_build(drawn.experience, drawn.moments, base, found, empty_frame(Pooling), SETTINGS)
    trusted = derive.derive_credibility(drawn.experience, drawn.moments, SETTINGS)
    rates = derive.derive_rates(build, trusted, base, found, derive.place_cells(drawn.experience), SETTINGS)
    return SimpleNamespace(drawn=drawn, base=base, ultimates=ultimates, trend=found, build=build, rates=rates)


def redraw(program, replicates=200, seed=1, **changes):
    made = SimpleNamespace(**{**vars(program), **changes})
    groups = getattr(made, "cell_groups", made.drawn.cell_groups)
    return uncertainty.estimate_uncertainty(
        made.build, made.rates, made.base, made.ultimates, made.trend, groups, made.drawn.group_months,
        {**SETTINGS, "replicates": replicates}, seed,
    )  # fmt: skip


class TestUncertainty:
    def test_redrawing_members_gives_the_error_of_the_linearised_ratio(self, program):
        found, _ = redraw(program, 2000)
        known = program.rates.se_process_usd / program.rates.blended_pmpm_usd
        assert found.members_error_share.to_numpy() == pytest.approx(known.to_numpy(), rel=0.12)

    def test_the_order_of_rows_changes_nothing(self, program):
        shuffled = program.drawn.cell_groups.sample(frac=1, random_state=1)
        for before, after in zip(redraw(program), redraw(program, cell_groups=shuffled)):
            pd.testing.assert_frame_equal(before, after)

    def test_all_together_err_more_than_each_alone(self, program):
        found, _ = redraw(program, 500)
        parts = found[[f"{name}_error_share" for name in ("members", "completion", "trend", "credibility")]]
        assert (found.std_error_share > parts.max(axis=1)).all()
        assert (found.std_error_share < parts.sum(axis=1)).all()
        assert ((found.lower > 0) & (found.lower < found.rate_usd) & (found.rate_usd < found.upper)).all()

    def test_what_is_known_without_error_adds_none(self, program):
        base = program.base.assign(std_error_usd=0.0)
        assumed = program.trend.assign(std_error=0.0, source="assumption")
        found, _ = redraw(program, base=base, trend=assumed)
        assert (found.completion_error_share == 0).all()
        assert found.trend_error_share.to_numpy() == pytest.approx(0)

    def test_the_tornado_ranks_factors_by_swing_and_says_what_was_not_sampled(self, program):
        _, tornado = redraw(program)
        for _, rows in tornado.groupby("cell"):
            rows = rows.sort_values("rank")
            assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
            assert rows.swing_usd.is_monotonic_decreasing
        loads = tornado[~tornado.is_sampled]
        assert set(loads.factor) == set(uncertainty.LOADS)
        assert loads.reason.str.contains("not sampled").all()

    def test_a_tenth_of_administration_moves_the_rate_as_the_load_formula_says(self, program):
        _, tornado = redraw(program)
        row = tornado[tornado.factor == "admin_share"].iloc[0]
        rate = program.rates.set_index("cell").loc[row.cell]
        cost = rate.blended_pmpm_usd + rate.fixed_pmpm_usd
        more = cost / (1 - 1.1 * rate.admin_share - rate.margin_share - rate.tax_share)
        assert row.high_usd == pytest.approx(more * rate.f_smoothing, abs=0.01)

    def test_a_cell_of_one_group_has_no_limits_and_says_why(self, program):
        groups = program.drawn.cell_groups
        cell = groups.cell.iloc[0]
        one = groups[(groups.cell != cell) | (groups.person_group == groups.person_group.iloc[0])]
        found, tornado = redraw(program, cell_groups=one)
        row = found.set_index("cell").loc[cell]
        assert np.isnan(row.lower) and row.reason
        assert cell not in set(tornado.cell)

    def test_rates_take_the_limits_and_keep_their_reasons(self, program):
        found, _ = redraw(program)
        limited = uncertainty.with_limits(
            program.rates, found.assign(reason=["none at all", *[None] * (len(found) - 1)])
        )
        assert limited.lower.tolist() == found.lower.tolist() and limited.upper.tolist() == found.upper.tolist()
        assert limited.reason.iloc[0] == "none at all" and limited.reason.iloc[1:].isna().all()
        assert limited.rate_usd.tolist() == program.rates.rate_usd.tolist()

    def test_no_rate_no_rows(self, program):
        for table, contract in zip(redraw(program, rates=program.rates.head(0)), (RateUncertainty, RateTornado)):
            assert table.empty and list(table) == list(contract.types())
        assert draw_uncertainty(table.assign(rate_usd=[], lower=[]), table)

    def test_persons_stay_in_one_group_with_all_of_their_months(self, table, run):
        members = table(
            """\
            person_id | cell | service_month | member_months | status   | is_base
            A         | x    | 2017-01-01    | 1             | included | true
            A         | x    | 2017-02-01    | 1             | included | true
            B         | x    | 2017-01-01    | 1             | included | true
            C         | x    | 2017-01-01    | 1             | retroactive | true
            """
        )
        lines = table(
            """\
            person_id | cell | service_month | rate_category | cost_usd | status   | is_base
            A         | x    | 2017-01-01    | outpatient    | 10.00    | included | true
            A         | x    | 2017-02-01    | outpatient    | 5.00     | included | true
            """
        )
        members = members.mutate(
            member_months=members.member_months.cast("decimal(18, 12)"), is_base=members.is_base.cast("boolean")
        )
        lines = lines.mutate(cost_usd=lines.cost_usd.cast("decimal(14, 2)"), is_base=lines.is_base.cast("boolean"))
        rows = run(uncertainty.build_cell_groups(members, lines, ["outpatient", "medication"]))
        assert len(rows) == 4
        paid = {(row["category"], row["members"], float(row["member_months"])): float(row["paid_usd"]) for row in rows}
        assert paid["outpatient", 1, 2.0] == 15 and paid["medication", 1, 2.0] == 0
        assert sum(float(row["member_months"]) for row in rows) == 6
        monthly = run(uncertainty.build_group_months(members, lines, ["outpatient"], ("2017-01-01", "2017-12-31")))
        assert sum(float(row["paid_usd"]) for row in monthly) == 15 and len(monthly) == 3


def experience(cells: dict[str, tuple], units=10.0, price=10.0) -> pd.DataFrame:
    """A category with cells of member months and use per member month, by month."""
    rows = []
    for cell, (months, use) in cells.items():
        months, use = np.broadcast_to(months, 48).astype(float), np.broadcast_to(use, 48)
        rows.append(
            pd.DataFrame(
                {
                    "cell": cell, "pool": "p", "plan": "BHP", "category": "outpatient", "service_month": MONTHS,
                    "members": 100, "member_months": months, "units": months * use * units,
                    "paid_usd": months * use * units * price,
                }
            )
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


NOTHING_KNOWN = pd.DataFrame(
    {"category": [], "incurred_month": pd.to_datetime([]), "paid_usd": [], "ultimate_usd": []}
)


class TestTrend:
    def fit(self, table, services=None, **changes):
        settings = OWN["trend"] | {"fit_months": 48} | changes
        return trend.estimate_trend(table, NOTHING_KNOWN, settings, services).set_index("component")

    def test_members_who_move_between_cells_are_no_growth(self):
        year = np.arange(48) / 12
        leaving, coming = 1000 - 200 * year, 200 + 200 * year
        grown = 1.02**year
        found = self.fit(experience({"dear": (leaving, 3 * grown), "cheap": (coming, grown)}))
        assert found.fitted_trend["utilisation"] == pytest.approx(0.02, abs=1e-9)
        crude = experience({"one": (leaving + coming, grown * (3 * leaving + coming) / (leaving + coming))})
        assert self.fit(crude).fitted_trend["utilisation"] < -0.05

    def test_dearer_services_in_the_place_of_cheaper_ones_are_no_growth_of_price(self):
        year = np.arange(48) / 12
        prices = {"cheap": 10 * 1.03**year, "dear": 50 * 1.03**year}
        units = {"cheap": 9000 - 1500 * year, "dear": 1000 + 300 * year}
        services = pd.concat(
            pd.DataFrame(
                {
                    "category": "outpatient", "service": name, "service_month": MONTHS,
                    "paid_usd": units[name] * prices[name], "units": units[name],
                }
            )
            for name in prices
        )  # fmt: skip
        months = services.groupby("service_month")[["paid_usd", "units"]].sum()
        table = experience({"one": (1000, 1.0)}).assign(
            paid_usd=months.paid_usd.to_numpy(), units=months.units.to_numpy()
        )
        assert self.fit(table, services).fitted_trend["unit_cost"] == pytest.approx(0.03, abs=1e-9)
        assert self.fit(table).fitted_trend["unit_cost"] > 0.06
        cost = self.fit(table).fitted_trend["pmpm"]
        assert self.fit(table, services).fitted_trend["pmpm"] == pytest.approx(cost)

    def test_a_service_that_only_begins_late_does_not_bend_the_price(self):
        year = np.arange(48) / 12
        units = {"old": np.full(48, 1000.0), "new": np.where(year >= 2, 500.0, 0.0)}
        services = pd.concat(
            pd.DataFrame(
                {
                    "category": "outpatient", "service": name, "service_month": MONTHS,
                    "paid_usd": count * 10 * 1.04**year, "units": count,
                }
            )
            for name, count in units.items()
        )  # fmt: skip
        mix = trend.price_of_mix(services)
        assert mix.mix.to_numpy() == pytest.approx(1.0, abs=1e-6)

    def test_use_times_price_is_cost_in_every_month(self):
        table = experience({"a": (100, 1.0), "b": (np.linspace(10, 500, 48), 2.0)})
        rows = trend.monthly_components(table, NOTHING_KNOWN, 0.9)
        assert (rows.utilisation / 12000 * rows.unit_cost).to_numpy() == pytest.approx(rows.pmpm.to_numpy())

    def test_a_cell_that_comes_late_is_taken_with_others_like_it(self):
        late = np.where(np.arange(48) < 24, 0.0, 100.0)
        found = self.fit(experience({"always": (1000, 1.0), "late": (late, 1.0)}))
        assert found.fitted_trend["utilisation"] == pytest.approx(0, abs=1e-9)

    def test_months_that_err_like_their_neighbours_widen_the_error(self):
        rng, month = np.random.default_rng(1), np.arange(48)
        noise = rng.normal(0, 0.02, 48)
        alike = np.convolve(rng.normal(0, 0.02, 60), np.ones(8) / 8**0.5, "valid")[:48]
        plain, wide = (trend.fit_months(month, np.exp(e), []) for e in (noise, alike))
        assert wide.error > 1.5 * plain.error
        assert wide.row @ np.log(np.exp(alike)) == pytest.approx(wide.slope)

    def test_a_benchmark_stands_beside_the_fit_and_moves_nothing(self):
        table = experience({"one": (1000, 1.02 ** (np.arange(48) / 12))})
        known = {"outpatient": {"value": 0.05, "unit": "share a year", "source": "a survey"}}
        found, without = self.fit(table, benchmarks=known), self.fit(table, benchmarks={})
        assert found.from_benchmark["pmpm"] == pytest.approx(0.02 - 0.05)
        assert found.benchmark_source["pmpm"] == "a survey" and pd.isna(found.benchmark_trend["utilisation"])
        assert without.benchmark_trend.isna().all()
        assert found.annual_trend.tolist() == without.annual_trend.tolist()

    def test_the_mix_counts_lines_a_rate_must_pay(self, table, run):
        lines = table(
            """\
            service_month | service | rate_category | cost_usd | units | status
            2017-01-01    | OP 1    | outpatient    | 10.00    | 2     | included
            2017-01-01    | OP 1    | outpatient    | 10.00    | 2     | not_covered
            """
        )
        (row,) = run(
            trend.build_service_months(
                lines.mutate(cost_usd=lines.cost_usd.cast("decimal(14, 2)"), units=lines.units.cast("decimal(18, 4)"))
            )
        )
        assert float(row["paid_usd"]) == 10


class TestCompletion:
    GRID = np.array([[100, 200], [100, 150], [200, 260], [100, 100], [50, np.nan]], dtype=float)

    @pytest.mark.parametrize(
        ("average", "link"), [("volume", 710 / 500), ("simple", (2 + 1.5 + 1.3 + 1) / 4), ("middle", (1.5 + 1.3) / 2)]
    )
    def test_links_are_averaged_as_asked(self, average, link):
        assert develop(self.GRID, 99, "mack", average).link[0] == pytest.approx(link)

    def test_two_links_have_no_middle(self):
        assert develop(self.GRID[[0, 1, 4]], 99, "mack", "middle").link[0] == pytest.approx(1.75)

    def test_season_and_trend_are_carried_to_green_months(self):
        month = np.arange(40)
        value = 100 * 1.06 ** (month / 12) * (1 + 0.2 * (month % 12 == 3))
        like = carry(value, month < 36)
        assert like[39] / like[35] == pytest.approx(value[39] / value[35])

    def test_with_less_than_two_years_every_month_is_expected_alike(self):
        assert (carry(np.linspace(1, 2, 30), np.arange(30) < 23) == 1).all()
        assert (carry(np.zeros(40), np.ones(40, bool)) == 1).all()


class TestDiagonals:
    def rows(self, backlog=None):
        """Half paid at once, the rest over two months; in a month of backlog nothing is, and twice in the next."""
        rng, rows = np.random.default_rng(1), []
        for number, month in enumerate(MONTHS):
            for lag, share in enumerate((0.5, 0.3, 0.2)):
                at = number + lag
                late = lag + (at == backlog)
                if number + late < 48:
                    rows.append((month, late, 1000 * share * rng.uniform(0.97, 1.03)))
        table = pd.DataFrame(rows, columns=["incurred_month", "lag_months", "paid_usd"]).assign(category="outpatient")
        return table.groupby(["category", "incurred_month", "lag_months"], as_index=False).paid_usd.sum()

    def compare(self, table, **changes):
        return compare_diagonals(table, "2017-12-31", OWN["completion"] | changes)

    def test_a_month_in_which_payment_stood_still_is_seen(self):
        found = self.compare(self.rows(backlog=30), n_diagonals=48).set_index("payment_month")
        assert found.calendar_p_value.iloc[0] < 0.001
        assert found.loc["2016-07-01"].paid_to_expected < 0.2
        assert found[found.is_break].index.min() == pd.Timestamp("2016-07-01")

    def test_steady_payment_shows_no_break(self):
        found = self.compare(self.rows(), n_diagonals=48)
        assert not found.is_break.any() and found.calendar_p_value.iloc[0] > 0.05
        assert found.paid_to_expected.dropna().between(0.9, 1.1).all()
        assert found.early_share.dropna().to_numpy() == pytest.approx(1, abs=0.05)

    def test_what_was_expected_is_what_is_paid_in_all_where_every_diagonal_counts(self):
        found = self.compare(self.rows(), n_diagonals=48)
        assert found.expected_usd.sum() == pytest.approx(found.paid_usd.sum(), rel=1e-9)

    def test_no_payment_and_flat_payment_have_no_diagonals(self):
        assert self.compare(self.rows().head(0)).empty
        assert self.compare(self.rows(), flat_categories=["outpatient"]).empty
        assert draw_diagonals(self.compare(self.rows().head(0)))


def test_groups_of_persons_are_digits_of_a_digest(run):
    table = ibis.memtable(pd.DataFrame({"person_id": [f"p{n}" for n in range(2000)]}))
    (row,) = run(
        table.select(group=table.person_id.hexdigest("md5").substr(0, 2)).aggregate(
            lambda t: t.group.nunique().name("groups")
        )
    )
    assert row["groups"] == 256
