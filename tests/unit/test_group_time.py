"""Effects of staggered starts: exact on planted panels where the plain regression is not, by hand on four units."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from did_data import staggered
from ratebook.contracts.clean import Claims, Contacts
from ratebook.contracts.cost_panels import GroupTime, SiteQuarters
from ratebook.contracts.episodes import Episodes
from ratebook.contracts.exposure import Spans
from ratebook.cost.group_time import group_time_rows, read_panel, regression, site_panel
from ratebook.cost.site_quarters import build_site_quarters
from ratebook.tables import empty_frame, frame_of, write_table


def rows_of(panel: pd.DataFrame, reps=99, comparison="not_yet") -> pd.DataFrame:
    return frame_of(group_time_rows(read_panel(panel), reps, 5, comparison), GroupTime)


def one(found: pd.DataFrame, level: str, event=None, start=None) -> pd.Series:
    rows = found[found.level == level]
    rows = rows if event is None else rows[rows.event_quarter == event]
    rows = rows if start is None else rows[rows.start_quarter == start]
    assert len(rows) == 1
    return rows.iloc[0]


def mean_effect(panel: pd.DataFrame) -> float:
    return panel.effect[panel.period >= panel.group].mean()


@pytest.mark.parametrize("comparison", ["not_yet", "never"])
def test_a_growing_effect_is_recovered_exactly_and_the_plain_regression_misses_it(comparison):
    panel = staggered()
    found = rows_of(panel, comparison=comparison)
    assert one(found, "overall").estimate_usd == pytest.approx(mean_effect(panel), abs=1e-9)
    for event in range(6):
        assert one(found, "event_time", event).estimate_usd == pytest.approx(10.0 * (event + 1), abs=1e-9)
    plain = one(found, "two_way_fixed_effects")
    assert plain.estimate_usd < 0.85 * mean_effect(panel)


def test_without_a_unit_never_treated_the_regression_has_negative_weights_and_not_yet_treated_units_serve():
    panel = staggered(starts=(3, 9), growth=20.0)
    found = rows_of(panel)
    plain = one(found, "two_way_fixed_effects")
    assert plain.negative_weight_share > 0.05
    assert plain.estimate_usd < 0.5 * mean_effect(panel)
    assert one(found, "group_time", 5, "3").estimate_usd == pytest.approx(120.0, abs=1e-9)
    assert "had not started" in one(found, "group_time", 6, "3").reason


def test_placebos_before_the_start_are_zero_and_a_planted_trend_shows_in_them():
    panel = staggered()
    before = rows_of(panel)
    before = before[(before.level == "event_time") & (before.event_quarter < 0)]
    assert before.estimate_usd.to_numpy() == pytest.approx(0.0, abs=1e-9)
    leaning = panel.assign(outcome=panel.outcome + 5.0 * panel.period * panel.group.notna())
    assert one(rows_of(leaning, comparison="never"), "event_time", -3).estimate_usd == pytest.approx(-10.0, abs=1e-9)


def test_four_units_by_hand():
    """Units A, B start in period 1, C, D never: ATT is (30 - 10) - (14 - 10), weighted 1 to 3 within the treated."""
    panel = pd.DataFrame(
        [
            *[("A", 0, 1, 10, 1), ("A", 1, 1, 18, 1), ("B", 0, 1, 10, 3), ("B", 1, 1, 34, 3)],
            *[("C", 0, None, 8, 1), ("C", 1, None, 12, 1), ("D", 0, None, 12, 1), ("D", 1, None, 16, 1)],
        ],
        columns=["unit", "period", "group", "outcome", "weight"],
    )
    found = one(rows_of(panel), "overall")
    assert found.estimate_usd == pytest.approx(16.0)
    assert (found.sites, found.comparison_sites, found.discharges) == (2, 2, 4)


def test_a_weight_of_two_is_the_row_twice():
    panel = staggered(seed=1, noise=20.0).assign(weight=1.0)
    double = panel.assign(weight=np.where(panel.unit == "U0-1", 2.0, 1.0))
    twice = pd.concat([panel, panel[panel.unit == "U0-1"]])
    assert one(rows_of(double), "overall").estimate_usd == pytest.approx(one(rows_of(twice), "overall").estimate_usd)


def test_the_regression_is_least_squares_with_unit_and_period_effects():
    panel = staggered(seed=2, noise=30.0, per_group=3)
    panel["weight"] = np.random.default_rng(3).uniform(1, 5, len(panel))
    treated = (panel.period >= panel.group).astype(float)
    dummies = pd.get_dummies(panel[["unit", "period"]].astype(str), drop_first=True, dtype=float)
    design = sm.add_constant(dummies.assign(treated=treated))
    groups = pd.factorize(panel.unit)[0]
    fit = sm.WLS(panel.outcome, design, weights=panel.weight).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    found = regression(read_panel(panel))
    units = panel.unit.nunique()
    assert found["estimate_usd"] == pytest.approx(fit.params["treated"], rel=1e-8)
    assert found["std_error"] == pytest.approx(fit.bse["treated"] * np.sqrt(units / (units - 1)), rel=1e-6)


def test_limits_hold_the_truth_about_as_often_as_they_say():
    held = []
    for seed in range(150):
        panel = staggered(seed=seed, noise=40.0, per_group=5, periods=10, starts=(3, 6, None))
        found = one(rows_of(panel, reps=200), "overall")
        held.append(found.lower <= mean_effect(panel) <= found.upper)
    assert 0.90 <= np.mean(held) <= 0.99


def test_no_effect_gives_none_and_the_order_of_rows_or_a_constant_changes_nothing():
    panel = staggered(seed=4, noise=10.0, growth=0.0)
    found = rows_of(panel)
    assert one(found, "overall").lower < 0 < one(found, "overall").upper
    pd.testing.assert_frame_equal(found, rows_of(panel.sample(frac=1, random_state=1)))
    raised = rows_of(panel.assign(outcome=panel.outcome + 1000.0))
    assert raised.estimate_usd.to_numpy() == pytest.approx(found.estimate_usd.to_numpy(), abs=1e-6)


def test_doubling_every_dollar_doubles_every_estimate_and_limit():
    panel = staggered(seed=5, noise=10.0)
    once, twice = rows_of(panel), rows_of(panel.assign(outcome=2 * panel.outcome))
    for name in ("estimate_usd", "lower", "upper"):
        assert twice[name].to_numpy(float) == pytest.approx(2 * once[name].to_numpy(float), nan_ok=True)


def test_a_group_of_one_unit_has_an_estimate_without_limits():
    found = one(rows_of(staggered(per_group=1, starts=(4, None))), "overall")
    assert np.isfinite(found.estimate_usd) and pd.isna(found.lower) and "one unit" in found.reason


def test_units_that_started_in_the_first_period_are_left_out_with_a_reason():
    found = rows_of(staggered(starts=(0, 5, None)))
    assert "first period" in one(found, "group_time", 2, "0").reason
    assert one(found, "event_time", 2).estimate_usd == pytest.approx(30.0, abs=1e-9)


def test_nobody_starts_or_everybody_started_together_says_why():
    assert one(rows_of(staggered(starts=(None,))), "overall").reason == "no unit starts within the periods"
    together = rows_of(staggered(starts=(4,)))
    assert "had not started" in one(together, "overall").reason
    assert one(together, "two_way_fixed_effects").reason.startswith("units and periods")


@pytest.mark.parametrize(("met", "starts"), [(10, True), (9, False)])
def test_a_site_starts_in_the_first_quarter_in_which_the_share_is_reached(met, starts):
    quarters = pd.DataFrame(
        {
            "facility_id": ["F"] * 3 + ["G"] * 3,
            "quarter_date": list(pd.to_datetime(["2015-01-01", "2015-04-01", "2015-07-01"])) * 2,
            "discharges": 100,
            "met_discharges": [0, met, 50, 0, 0, 0],
            "sud_cost_usd": 1000.0,
        }
    )
    panel = site_panel(quarters, "sud_cost_usd", 0.10)
    assert panel.start.tolist() == [1.0 if starts else 2.0, np.inf]


def test_no_discharge_leaves_a_row_with_a_reason(tmp_path):
    rows = group_time_rows(site_panel(empty_frame(SiteQuarters), "sud_cost_usd", 0.1), 99, 1)
    write_table(frame_of([{**row, "dollars": "real"} for row in rows], GroupTime), tmp_path / "g.parquet", GroupTime)
    assert rows[0]["reason"]


SETTINGS = {"extract_date": "2018-03-31", "runout_months": 3, "sites": {"again_days": 180, "outcome_days": 90}}
DRAWN = {
    "claims": """\
        person_id | category  | service_start_date | cost_usd
        A         | OP_SUD    | 2016-01-10         | 10.00
        A         | NAVIGATOR | 2016-04-08         | 5.00
        A         | OP_SUD    | 2016-04-09         | 100.00
        A         | LTSS      | 2016-01-20         | 100.00
        A         | WM_RES    | 2016-01-09         | 100.00
        """,
    "contacts": """\
        person_id | program | contact_date | is_contact
        A         | CSP     | 2016-01-10   | true
        A         | RSN     | 2016-01-12   | true
        """,
    "episodes": """\
        person_id | episode | admission_date | discharge_date | last_facility_id
        A         | 1       | 2015-10-01     | 2015-10-04     | F1
        A         | 2       | 2016-01-05     | 2016-01-10     | F2
        """,
    "spans": """\
        person_id | start_date | end_date
        A         | 2015-01-01 | 2016-02-01
        A         | 2016-02-02 | 2017-12-31
        """,
}


@pytest.fixture
def quarters(table, run):
    def make(settings=None, **drawn):
        contracts = {"contacts": Contacts, "episodes": Episodes, "spans": Spans}
        text = {**DRAWN, **drawn}
        tables = {name: table(text[name], contract) for name, contract in contracts.items()}
        claims = table(text["claims"], Claims)
        claims = claims.mutate(real_cost_usd=(claims.cost_usd * 2).cast("decimal(14, 2)"))
        return run(build_site_quarters(claims, **tables, settings={**SETTINGS, **(settings or {})}))

    return make


def test_a_discharge_brings_the_sud_cost_of_its_days_to_the_facility_and_quarter(quarters):
    (row,) = quarters()
    assert (row["facility_id"], row["quarter_date"]) == ("F2", dt.date(2016, 1, 1))
    assert (row["discharges"], row["persons"], row["met_discharges"]) == (1, 1, 1)
    assert (float(row["sud_cost_usd"]), float(row["real_sud_cost_usd"])) == (15.0, 30.0)


@pytest.mark.parametrize(
    ("admitted", "counts"), [("2016-04-01", 1), ("2016-04-02", 0)], ids=["180 days after the last detox", "181 days"]
)
def test_only_people_in_detox_again_count(quarters, admitted, counts):
    episodes = DRAWN["episodes"].replace("2016-01-05", admitted).replace("2016-01-10", "2016-04-10")
    assert len(quarters(episodes=episodes)) == counts


@pytest.mark.parametrize(("covered_to", "counts"), [("2016-04-08", 1), ("2016-04-07", 0)])
def test_every_day_followed_is_covered(quarters, covered_to, counts):
    assert len(quarters(spans=DRAWN["spans"].replace("2017-12-31", covered_to))) == counts


@pytest.mark.parametrize(("extract", "counts"), [("2016-09-28", 1), ("2016-09-27", 0)])
def test_only_quarters_whose_last_discharge_had_time_for_its_claims_count(quarters, extract, counts):
    assert len(quarters({"extract_date": extract})) == counts


@pytest.mark.parametrize(
    ("contacts", "met"),
    [
        ("A | RSN | 2016-01-10 | true", 1),
        ("A | RSN | 2016-04-08 | true", 1),
        ("A | RSN | 2016-04-09 | true", 0),
        ("A | RSN | 2016-01-12 | false", 0),
        ("A | CSP | 2016-01-12 | true", 0),
        ("A | RSN | 2015-12-01 | true\nA | RSN | 2016-01-12 | true", 0),
    ],
    ids=["day of discharge", "day 89", "day 90", "not reached", "other program", "met before"],
)
def test_a_contact_is_the_sites_when_it_is_the_persons_first_of_rsn(quarters, contacts, met):
    text = "person_id | program | contact_date | is_contact\n" + contacts
    assert quarters(contacts=text)[0]["met_discharges"] == met


def test_a_contact_after_the_next_admission_is_another_discharges(quarters):
    episodes = DRAWN["episodes"] + "        A         | 3       | 2016-01-11     | 2016-01-12     | F3\n"
    found = {row["facility_id"]: row["met_discharges"] for row in quarters(episodes=episodes)}
    assert found == {"F2": 0, "F3": 1}
