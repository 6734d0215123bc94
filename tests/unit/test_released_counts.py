"""Few persons, lines or records behind a cell: the released tables hide it, all that follows from it, and draw no more."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.contracts.case_rates import BEYOND
from ratebook.contracts.released import RELEASED
from ratebook.engagement.plots import DRAWN_FROM, FIGURES, plot_engagement
from ratebook.episodes.plots import plot_flow
from ratebook.release.tables import release_tables
from ratebook.tables import empty_frame
from release_data import flow, no_rows

nothing = pytest.fixture(no_rows)


def test_a_flow_is_drawn_with_hidden_steps_joined(nothing):
    tables = {**nothing, "cohort_flow": flow([900, 500, 497, 440])}
    drawn = plot_flow(release_tables(tables, 11)["cohort_flow"], 11)
    words = [" ".join(text.get_text().split()) for text in drawn.axes[0].texts if text.get_text()]
    assert words == [
        "With an episode of withdrawal management n = 900",
        "403 excluded; the rule: rule 1 + rule 2",
        "n = 497",
        "57 excluded; the rule: rule 3",
        "rule 3 n = 440",
    ]


@pytest.mark.parametrize("figure", sorted(FIGURES))
def test_a_figure_of_engagement_draws_what_the_released_copy_shows(figure, nothing, monkeypatch):
    seen = {}
    monkeypatch.setitem(
        FIGURES, figure, (lambda table, limit: seen.update(table=table, limit=limit), FIGURES[figure][1])
    )
    rows = pd.DataFrame({"arm": ["RSN", "CSP"], "estimate": [0.4, 0.5], "clients": [3, 40], "persons": [3, 40]})
    name = FIGURES[figure][1]
    table = rows.reindex(columns=list(DRAWN_FROM[name].types()))
    plot_engagement({**{other: empty_frame(contract) for other, contract in DRAWN_FROM.items()}, name: table}, 11)
    assert seen["limit"] == 11
    if name in RELEASED:
        counts = [column for column, field in DRAWN_FROM[name].fields().items() if field.persons]
        assert not (seen["table"][counts] < 11).any(axis=None)
        ties = (RELEASED[name].follows, RELEASED[name].also)
        others = {RELEASED[name].compares, *(tie[0] for tie in ties if tie)} - {""}
        assert others <= set(DRAWN_FROM), "what decides of it is at hand where it is drawn"


def test_what_follows_a_hidden_cell_is_hidden_too_and_so_is_a_cell_to_keep_it_company(nothing):
    cells = {"cell": ["a", "b", "c"], "member_months": [60.0, 600.0, 6000.0]}
    rates = pd.DataFrame({**cells, "pool": "BHP", "plan": "BHP", "members": [5, 50, 500], "admin_usd": 1.0})
    plans = pd.DataFrame({**cells, "plan": "BHP", "plan_rate_usd": [9.0, 8.0, 7.0]})
    sure = pd.DataFrame({**cells, "members": [5, 50, 500], "std_error_share": 0.1, "person_groups": [5, 44, 250]})
    tables = {"rates": rates, "plan_rates": plans, "rate_uncertainty": sure}
    typed = {n: frame.reindex(columns=list(RELEASED[n].contract.types())) for n, frame in tables.items()}
    shown = release_tables({**nothing, **typed}, 11)
    for name, column in (
        ("rates", "members"),
        ("rates", "admin_usd"),
        ("plan_rates", "member_months"),
        ("plan_rates", "plan_rate_usd"),
        ("rate_uncertainty", "members"),
        ("rate_uncertainty", "std_error_share"),
        ("rate_uncertainty", "person_groups"),
    ):
        assert shown[name][column].isna().tolist() == [True, True, False], (name, column)


@pytest.mark.parametrize(
    ("clients", "hidden"),
    [
        pytest.param([60, 40, 12, 11], [False] * 4, id="at the limit nothing is hidden"),
        pytest.param([60, 40, 12, 10], [False, False, True, True], id="few at the end: one month more"),
        pytest.param([60, 40, 9, 7], [False, True, True, True], id="the sum of the last months rests on no fewer"),
        pytest.param([60, 40, 12, 0], [False] * 4, id="nobody is no few"),
    ],
)
def test_what_is_left_of_an_episode_rests_on_no_few_clients(nothing, clients, hidden):
    risk = pd.DataFrame({"arm": "RSN", "form": "per_month", "stay_months": range(1, 5), "clients": clients})
    risk = risk.assign(cost_usd=1.0).reindex(columns=list(RELEASED["provider_risk"].contract.types()))
    shown = release_tables({**nothing, "provider_risk": risk}, 11)["provider_risk"]
    assert shown.cost_usd.isna().tolist() == hidden
    assert shown.clients.isna().all(), "from month to month few leave"


def test_clients_beyond_one_stop_loss_are_not_told_from_those_beyond_the_other(nothing):
    rows = [("stop_loss_units", 60), ("stop_loss_usd", 52)]
    terms = pd.DataFrame(rows, columns=["term", "clients"]).assign(arm="RSN", part=BEYOND, times_per_client=0.1)
    whole = terms.assign(part="charge", clients=600, times_per_client=1.0)
    terms = pd.concat([whole, terms]).reindex(columns=list(RELEASED["case_terms"].contract.types()))
    shown = release_tables({**nothing, "case_terms": terms.reset_index(drop=True)}, 11)["case_terms"]
    assert shown.times_per_client.isna().tolist() == [False, False, False, True]


def test_dollars_of_few_lines_outside_coverage_are_hidden(nothing):
    levels = {"eligible": (900_000.0, 5000.0), "retro": (3_000.0, 40.0), "outside": (412.5, 2.0)}
    parts = [
        {"check_id": check, "level": level, "unit": unit, "value": found[n], "persons": 100, "share": 0.5}
        for n, (check, unit) in enumerate([("claims_cost", "usd"), ("claims_lines", "lines")])
        for level, found in levels.items()
    ]
    shown = release_tables({**nothing, "exposure_qa": pd.DataFrame(parts)}, 11)["exposure_qa"]
    assert shown.value.isna().tolist() == [False, True, True] * 2
    assert shown.share.isna().tolist() == [False, True, True] * 2


@pytest.mark.parametrize(("findings", "is_shown"), [(0, True), (1, False), (10, False), (11, True)])
def test_a_check_of_few_lines_shows_its_verdict_only(nothing, findings, is_shown):
    row = {"check_id": "orphan_void_usd", "severity": "info", "value": -75.0, "findings": findings, "passed": True}
    qa = pd.DataFrame([row]).reindex(columns=list(RELEASED["qa"].contract.types()))
    shown = release_tables({**nothing, "qa": qa}, 11)["qa"].iloc[0]
    assert [pd.notna(shown.value), pd.notna(shown.findings), bool(shown.passed)] == [is_shown, is_shown, True]


def test_a_month_of_few_records_hides_its_dollars_and_the_next_smallest_month(nothing):
    totals = pd.DataFrame({"records": [4, 80, 300], "control_records": [4, 80, 300], "paid_usd": [9.5, 800.0, 3000.0]})
    totals["paid_month"] = pd.date_range("2017-01-01", periods=3, freq="MS")
    totals = totals.assign(source_file="a.txt", category="pharmacy", control_usd=totals.paid_usd, difference_share=0.0)
    totals = totals.reindex(columns=list(RELEASED["reconciliation"].contract.types()))
    shown = release_tables({**nothing, "reconciliation": totals}, 11)["reconciliation"]
    for column in ("records", "control_records", "paid_usd", "control_usd", "difference_share"):
        assert shown[column].isna().tolist() == [True, True, False], column


def test_a_file_of_one_small_month_does_not_come_back_from_the_sum_of_all_files(nothing):
    totals = pd.DataFrame(
        {"source_file": ["2013.txt", "2014.txt", "2014.txt", "2014.txt"], "records": [2, 90, 80, 85]}
    )
    totals["paid_month"] = pd.date_range("2013-12-01", periods=4, freq="MS")
    totals = totals.assign(category="professional", control_records=totals.records, paid_usd=10.0 * totals.records)
    totals = totals.reindex(columns=list(RELEASED["reconciliation"].contract.types()))
    shown = release_tables({**nothing, "reconciliation": totals}, 11)["reconciliation"]
    assert shown.paid_usd.isna().tolist() == [True, False, True, True]


def test_a_rare_reason_and_the_next_rarest_show_no_incidence(nothing):
    ended = {"disengaged": 400, "graduated": 60, "death": 3, "readmitted": 0}
    rows = [
        {"arm": "RSN", "end_reason": cause, "day": day, "at_risk": 600 - day, "cause_persons": count}
        for cause, count in ended.items()
        for day in (0, 100, 200)
    ]
    incidence = pd.DataFrame(rows).assign(incidence=0.1, lower=0.05, upper=0.15)
    incidence["ended"] = incidence.cause_persons
    incidence = incidence.reindex(columns=list(RELEASED["cumulative_incidence"].contract.types()))
    shown = release_tables({**nothing, "cumulative_incidence": incidence}, 11)["cumulative_incidence"]
    for column in ("cause_persons", "incidence", "lower", "upper"):
        hidden = shown[column].isna().groupby(shown.end_reason).agg(["all", "any"])
        assert hidden["all"].to_dict() == hidden["any"].to_dict()
        assert set(hidden.index[hidden["all"]]) == {"death", "graduated"}


def test_people_at_risk_are_counted_on_one_grid_only(nothing):
    months = pd.DataFrame({"arm": "RSN", "month": [1, 2], "at_risk": [700, 600], "events": [100, 90]})
    months = months.reindex(columns=list(RELEASED["survival_by_month"].contract.types()))
    shown = release_tables({**nothing, "survival_by_month": months}, 11)["survival_by_month"]
    assert shown.at_risk.isna().all() and shown.events.isna().all()


def released(nothing, name, rows):
    frame = pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))
    return release_tables({**nothing, name: frame}, 11)[name]


def test_who_met_both_programs_does_not_come_back_from_table_1(nothing):
    counts = {"CSP": (610, 13), "RSN": (619, 14), "none": (85, 6)}
    rows = [
        {"first_program": arm, "programs": programs, "persons": persons, "share": persons / sum(pair)}
        for arm, pair in counts.items()
        for programs, persons in zip(("CSP only", "both"), pair)
    ]
    shown = released(nothing, "crossover", rows)
    both = shown[shown.programs == "both"].set_index("first_program").share.isna()
    assert both.to_dict() == {"CSP": True, "RSN": False, "none": True}


def test_a_share_whose_count_is_hidden_has_no_digits_to_count_by(nothing):
    rows = [{"arm": "CSP", "window_days": 7, "method": "complete_window", "persons": 621, "readmitted": 43}]
    shown = released(nothing, "readmission", [{**rows[0], "estimate": 43 / 621, "lower": 0.0492, "upper": 0.0965}])
    assert shown[["estimate", "lower", "upper"]].iloc[0].tolist() == [0.07, 0.05, 0.1]
    assert shown[["persons", "readmitted"]].isna().all(axis=None)


@pytest.mark.parametrize(("fewest", "is_shown"), [(5, False), (11, True), (None, True)])
def test_a_share_of_few_is_hidden_though_its_arm_is_large(nothing, fewest, is_shown):
    share = {"persons": 623, "fewest_persons": fewest, "estimate": 0.0036, "lower": 0.001, "upper": 0.01}
    for name in ("engagement", "engagement_sensitivity"):
        shown = released(nothing, name, [share]).iloc[0]
        assert [pd.notna(shown[column]) for column in ("estimate", "lower", "upper")] == [is_shown] * 3
        assert pd.isna(shown.fewest_persons)


def test_a_step_of_the_curve_does_not_count_those_who_ended(nothing):
    rows = [
        {
            "arm": "RSN",
            "day": day,
            "at_risk": at_risk,
            "ended": ended,
            "survival": 1 - ended / 700,
            "is_horizon": False,
        }
        for day, at_risk, ended in [(0, 700, 0), (7, 640, 50), (14, 600, 58), (21, 500, 120), (28, 480, 135)]
    ]
    shown = released(nothing, "survival", rows)
    assert shown.day[shown.survival.notna()].tolist() == [0, 14, 21, 28]
    assert shown.ended.isna().all()


def test_a_level_cannot_be_worked_out_from_its_arm(nothing):
    balance = pd.DataFrame({"covariate": "sex", "level": ["female", "male", "unknown"], "rsn_persons": [428, 313, 5]})
    balance = balance.assign(csp_persons=[440, 331, 30]).reindex(columns=list(RELEASED["balance"].contract.types()))
    shown = release_tables({**nothing, "balance": balance}, 11)["balance"]
    assert shown.rsn_persons.isna().tolist() == [False, True, True]
