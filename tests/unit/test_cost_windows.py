"""Windows of cost: every day in one window, every cent in one place, months counted by one rule."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ratebook.contracts.clean import CATEGORIES, Claims, Contacts
from ratebook.contracts.cost import WINDOW_TABLES
from ratebook.contracts.cost_panels import BUILT_TABLES
from ratebook.contracts.episodes import Cohort, Episodes, Spells
from ratebook.contracts.exposure import MemberMonths, Spans
from ratebook.contracts.intake import ProgramCosts
from ratebook.cost.intervals import interval_days
from ratebook.cost.windows import build_windows
from ratebook.tables import write_table

SETTINGS = {
    "horizon_days": 365,
    "intervals": 12,
    "pre_days": 365,
    "runout_months": 3,
    "extract_date": "2018-03-31",
    "window_start": "2014-01-01",
    "window_end": "2017-12-31",
    "mm_rule": "fractional",
    "min_contacts": 2,
    "prices": {"form": "nominal", "base_year": 2016, "min_lines": 1},
    "discount_rate": 0.03,
    "sites": {"again_days": 180, "outcome_days": 90},
}
CONTRACTS = {
    "claims": Claims,
    "contacts": Contacts,
    "cohort": Cohort,
    "spells": Spells,
    "spans": Spans,
    "member_months": MemberMonths,
    "program_costs": ProgramCosts,
    "episodes": Episodes,
}
DRAWN = {
    "claims": """\
        person_id | category | service_start_date | service_end_date | discharge_date | cost_usd | units
        A         | WM_RES   | 2016-01-05         | 2016-01-10       | 2016-01-10     | 1000.00  | 5
        """,
    "contacts": """\
        person_id | program | contact_date | is_contact | billable_units
        A         | RSN     | 2016-01-12   | true       | 4
        A         | RSN     | 2016-01-12   | false      | 1
        A         | RSN     | 2016-01-20   | true       | 2
        """,
    "cohort": """\
        person_id | arm | provider_id | index_admission_date | discharge_date | follow_end_date | follow_end_reason
        A         | RSN | P1          | 2016-01-05           | 2016-01-10     | 2017-12-31      | end_of_data
        """,
    "spells": """\
        person_id | program | spell | first_date | last_date
        A         | RSN     | 1     | 2016-01-12 | 2016-03-07
        """,
    "spans": """\
        person_id | plan | start_date | end_date
        A         | BHP  | 2015-01-01 | 2017-12-31
        """,
    "member_months": """\
        person_id | plan | service_month | mm_any_day | mm_fractional
        A         | BHP  | 2016-01-01    | 1          | 1
        """,
    "program_costs": """\
        program | month      | item     | amount | perspective
        RSN     | 2016-01-01 | training | 500.00 | payer
        """,
    "episodes": """\
        person_id | episode | admission_date | discharge_date | last_facility_id
        A         | 1       | 2015-10-01     | 2015-10-04     | F1
        A         | 2       | 2016-01-05     | 2016-01-10     | F1
        """,
}


@pytest.fixture
def windows(table):
    """Build the tables from the drawn ones, any of them drawn anew, any setting changed."""

    def make(settings=None, **drawn):
        tables = {name: table(drawn.get(name, text), CONTRACTS[name]) for name, text in DRAWN.items()}
        return build_windows(**tables, settings={**SETTINGS, **(settings or {})})

    return make


def by_window(run, windows_made) -> dict:
    rows = run(windows_made["person_costs"])
    return {(row["window"], row["interval"]): row["cost_usd"] for row in rows if row["cost_usd"]}


def test_intervals_cut_the_horizon_without_gap():
    edges = interval_days(365, 12)
    assert edges[0] == 0 and edges[-1] == 365
    assert set(edges[1:] - edges[:-1]) == {30, 31}


def test_the_index_stay_keeps_all_its_dollars_whatever_day_it_ends_on(run, windows):
    assert by_window(run, windows()) == {("index", 0): Decimal("1000.00")}


@pytest.mark.parametrize(
    ("first", "last", "where"),
    [
        pytest.param("2015-01-04", "2015-01-04", {}, id="366 days before admission is in no window"),
        pytest.param("2015-01-05", "2015-01-05", {("pre", -12): 30}, id="365 days before is the first of pre"),
        pytest.param("2016-01-04", "2016-01-04", {("pre", -1): 30}, id="the day before admission is the last of pre"),
        pytest.param("2016-01-09", "2016-01-09", {("index", 0): 30}, id="the day before discharge is index"),
        pytest.param("2016-01-10", "2016-01-10", {("post", 1): 30}, id="the day of discharge is day 0 of post"),
        pytest.param("2017-01-08", "2017-01-08", {("post", 12): 30}, id="day 364 is the last of post"),
        pytest.param("2017-01-09", "2017-01-09", {}, id="day 365 is the horizon, and not counted"),
        pytest.param("2016-01-03", "2016-01-05", {("pre", -1): 20, ("index", 0): 10}, id="two days pre, one index"),
        pytest.param("2016-02-08", "2016-02-10", {("post", 1): 10, ("post", 2): 20}, id="day 29, then days 30 and 31"),
    ],
)
def test_a_line_is_spread_by_day_over_the_windows(run, windows, first, last, where):
    claims = f"""\
        person_id | category | service_start_date | service_end_date | cost_usd
        A         | OP_SUD   | {first}            | {last}           | 30.00
        """
    assert by_window(run, windows(claims=claims)) == {key: Decimal(f"{usd}.00") for key, usd in where.items()}


def test_the_parts_of_a_line_sum_to_it_to_the_cent(run, windows):
    claims = """\
        person_id | category | service_start_date | service_end_date | cost_usd
        A         | RES35    | 2016-01-10         | 2016-12-01       | 100.01
        """
    parts = by_window(run, windows(claims=claims))
    assert len(parts) == 11
    assert sum(parts.values()) == Decimal("100.01")


@pytest.mark.parametrize(
    ("follow_end", "reason", "followed", "ended", "is_complete"),
    [
        pytest.param("2016-01-10", "disenrolled", 1, "disenrolled", False, id="the day of discharge counts"),
        pytest.param("2016-05-01", "death", 113, "death", True, id="death completes"),
        pytest.param("2016-05-01", "disenrolled", 113, "disenrolled", False, id="disenrolment censors"),
        pytest.param("2017-01-08", "disenrolled", 365, "horizon", True, id="the last day of the horizon completes"),
        pytest.param("2017-01-07", "disenrolled", 364, "disenrolled", False, id="one day short does not"),
        pytest.param("2017-12-31", "end_of_data", 365, "horizon", True, id="beyond the horizon completes"),
    ],
)
def test_what_ends_observation(run, windows, follow_end, reason, followed, ended, is_complete):
    cohort = f"""\
        person_id | arm | provider_id | index_admission_date | discharge_date | follow_end_date | follow_end_reason
        A         | RSN | P1          | 2016-01-05           | 2016-01-10     | {follow_end}    | {reason}
        """
    row = run(windows(cohort=cohort)["follow_up"])[0]
    assert (row["followed_days"], row["end_reason"], row["is_complete"]) == (followed, ended, is_complete)


def test_observation_ends_where_claims_had_no_time_to_arrive(run, windows):
    row = run(windows({"extract_date": "2016-07-31", "runout_months": 3})["follow_up"])[0]
    assert (row["followed_days"], row["end_reason"]) == (112, "end_of_data")


def test_the_end_of_engagement_does_not_end_observation(run, windows):
    early = DRAWN["spells"].replace("2016-03-07", "2016-01-13")
    assert run(windows(spells=early)["follow_up"])[0]["followed_days"] == 365


def test_cost_after_observation_is_kept_apart(run, windows):
    cohort = DRAWN["cohort"].replace("2017-12-31", "2016-02-29")
    claims = """\
        person_id | category | service_start_date | service_end_date | cost_usd
        A         | OP_SUD   | 2016-02-29         | 2016-03-01       | 30.00
        """
    parts = by_window(run, windows(cohort=cohort, claims=claims))
    assert parts == {("post", 2): Decimal("15.00"), ("unobserved", 0): Decimal("15.00")}


def test_cost_while_engaged_is_the_part_of_the_days_within_a_spell(run, windows):
    claims = """\
        person_id | category | service_start_date | service_end_date | cost_usd
        A         | RES35    | 2016-03-06         | 2016-03-09       | 40.00
        """
    rows = run(windows(claims=claims)["person_costs"])
    assert sum(row["engaged_cost_usd"] for row in rows) == Decimal("20.00")
    assert sum(row["cost_usd"] for row in rows) == Decimal("40.00")


def test_spells_of_two_programs_count_a_shared_day_once(run, windows):
    spells = """\
        person_id | program | spell | first_date | last_date
        A         | RSN     | 1     | 2016-01-12 | 2016-01-31
        A         | CSP     | 1     | 2016-01-20 | 2016-02-10
        A         | RSN     | 2     | 2016-03-01 | 2016-03-01
        """
    rows = run(windows(spells=spells)["client_intervals"])
    assert sum(row["engaged_days"] for row in rows) == 31
    assert sum(row["spells"] for row in rows) == 2


def test_a_spell_of_56_days_touches_three_months_and_rounds_up_to_two(run, windows):
    spells = """\
        person_id | program | spell | first_date | last_date
        A         | RSN     | 1     | 2022-01-05 | 2022-03-01
        """
    cohort = DRAWN["cohort"].replace("2016-01-05", "2021-12-28").replace("2016-01-10", "2022-01-03")
    cohort = cohort.replace("2017-12-31", "2023-12-31")
    made = windows({"extract_date": "2024-03-31"}, spells=spells, cohort=cohort)
    row = run(made["follow_up"])[0]
    days = sum(row["engaged_days"] for row in run(made["client_intervals"]))
    assert (row["engaged_calendar_months"], row["engaged_ceil30_months"]) == (3, 2)
    assert days / 30.4375 == pytest.approx(1.839836, abs=1e-6)


@pytest.mark.parametrize(
    ("mm_rule", "months"),
    [
        ("fractional", 22 / 31 + 29 / 29 + 10 / 31),
        ("any_day", 3),
        ("first_day", 2),
        ("day_15", 2),
        ("full_month", 1),
    ],
)
def test_eligible_months_of_follow_up_follow_the_member_month_rule(run, windows, mm_rule, months):
    spans = """\
        person_id | plan | start_date | end_date
        A         | BHP  | 2015-01-01 | 2016-02-10
        A         | FFS  | 2016-02-11 | 2016-03-10
        """
    settings = {"mm_rule": mm_rule}
    member_months = DRAWN["member_months"].replace("mm_any_day", f"mm_{mm_rule}")
    member_months = member_months if mm_rule not in ("any_day", "fractional") else DRAWN["member_months"]
    row = run(windows(settings, spans=spans, member_months=member_months)["follow_up"])[0]
    assert row["eligible_months"] == pytest.approx(months, abs=1e-9)


def test_a_month_has_contacts_when_it_reaches_the_minimum(run, windows):
    assert run(windows({"min_contacts": 2})["follow_up"])[0]["contact_months"] == 1
    assert run(windows({"min_contacts": 3})["follow_up"])[0]["contact_months"] == 0


def test_the_log_counts_contacts_that_reached_the_client_and_every_billable_unit(run, windows):
    rows = run(windows()["client_intervals"])
    assert sum(row["contacts"] for row in rows) == 2
    assert sum(row["billable_units"] for row in rows) == 7


def test_population_cost_is_spread_over_months_and_uncovered_months_stand_apart(run, windows):
    claims = """\
        person_id | category | service_start_date | service_end_date | cost_usd | units
        A         | LTSS     | 2016-01-31         | 2016-02-02       | 90.00    | 3
        B         | OTHER    | 2016-01-02         | 2016-01-02       | 5.00     | 1
        """
    found = {
        (row["plan"], row["service_month"], row["is_covered"]): row["cost_usd"]
        for row in run(windows(claims=claims)["population_costs"])
    }
    january, february = dt.date(2016, 1, 1), dt.date(2016, 2, 1)
    assert found == {
        ("BHP", january, True): Decimal("30.00"),
        ("none", february, False): Decimal("60.00"),
        ("none", january, False): Decimal("5.00"),
    }


def test_cost_outside_claims_is_spread_over_the_clients_met(run, windows):
    row = run(windows()["outside_costs"])[0]
    assert (row["persons"], row["client_usd"]) == (1, 500.0)


def test_cost_outside_claims_without_a_client_has_a_reason(run, windows):
    contacts = DRAWN["contacts"].replace("true ", "false")
    row = run(windows(contacts=contacts)["outside_costs"])[0]
    assert row["client_usd"] is None and row["reason"]


def test_no_cohort_leaves_empty_tables_and_the_population_stands(run, windows, tmp_path):
    header = DRAWN["cohort"].splitlines()[0]
    made = windows(cohort=header)
    for name, contract in {**WINDOW_TABLES, **BUILT_TABLES}.items():
        write_table(made[name], tmp_path / f"{name}.parquet", contract)
    assert run(made["follow_up"].count()) == 0
    assert run(made["population_months"].count()) == 1


def test_doubling_every_cost_doubles_every_dollar(run, windows):
    claims = "\n".join(
        ["person_id | category | service_start_date | service_end_date | cost_usd"]
        + [f"A | {c} | 2016-0{n % 8 + 1}-20 | 2016-0{n % 8 + 2}-03 | {{}}.02" for n, c in enumerate(CATEGORIES)]
    )
    once = run(windows(claims=claims.replace("{}.02", "7.00"))["person_costs"])
    twice = run(windows(claims=claims.replace("{}.02", "14.00"))["person_costs"])
    assert sum(r["cost_usd"] for r in once) * 2 == sum(r["cost_usd"] for r in twice) != 0


@pytest.mark.parametrize(
    ("day", "worth"),
    [
        pytest.param("2015-12-01", 1.0, id="before admission"),
        pytest.param("2016-12-30", 1.0, id="in the first year"),
        pytest.param("2017-01-20", 1.03, id="in the second year"),
    ],
)
def test_cost_at_one_years_prices_is_discounted_only_beyond_the_first_year(run, windows, day, worth):
    claims = f"""\
        person_id | category | service_start_date | service_end_date | cost_usd
        A         | OP_SUD   | {day}              | {day}            | 103.00
        """
    rows = run(windows({"horizon_days": 730, "intervals": 24}, claims=claims)["person_costs"])
    assert [(float(row["cost_usd"]), float(row["real_cost_usd"])) for row in rows] == [(103.0, 103.0 / worth)]


def test_parts_at_one_years_prices_sum_to_the_line_to_the_cent(run, windows):
    claims = """\
        person_id | category | hcpcs_code | service_start_date | service_end_date | cost_usd | units
        A         | RES35    | H0010      | 2016-01-10         | 2016-12-01       | 100.01   | 3
        B         | RES35    | H0010      | 2017-01-10         | 2017-12-01       | 200.00   | 3
        """
    made = windows({"prices": {"form": "own", "base_year": 2017, "min_lines": 1}}, claims=claims)
    rows = run(made["person_costs"])
    assert sum(row["cost_usd"] for row in rows) == Decimal("100.01")
    assert sum(row["real_cost_usd"] for row in rows) == Decimal("200.00")


def test_covered_days_are_counted_by_interval_before_admission_and_while_observed(run, windows):
    spans = """\
        person_id | plan | start_date | end_date
        A         | BHP  | 2015-12-20 | 2016-02-05
        A         | FFS  | 2016-02-08 | 2017-12-31
        """
    cohort = DRAWN["cohort"].replace("2017-12-31", "2016-02-20")
    rows = run(windows(spans=spans, cohort=cohort)["member_intervals"])
    assert {(row["window"], row["interval"]): row["eligible_days"] for row in rows} == {
        ("pre", -1): 16,
        ("post", 1): 28,
        ("post", 2): 12,
    }
