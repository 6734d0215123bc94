"""Member months of long-term care: settings, days by every counter, dollars that add up."""

from __future__ import annotations

import pytest

from ltc_world import NF, covered, ltc_months
from ratebook.contracts.clean import Claims
from ratebook.programs.stays import build_nf_stays


@pytest.fixture
def world(table):
    return lambda *drawings, **settings: ltc_months(table, *drawings, **settings)


def test_two_lines_of_one_day_are_one_day_and_touching_lines_one_stay(table, run):
    claims = table(
        f"""\
        {NF}
        A | 1 | 1 | nursing_facility | 2016-01-01 | 2016-01-31 | 10
        A | 1 | 2 | nursing_facility | 2016-01-01 | 2016-01-31 | 10
        A | 2 | 1 | nursing_facility | 2016-02-01 | 2016-02-10 | 10
        A | 3 | 1 | nursing_facility | 2016-02-12 | 2016-02-12 | 10
        """,
        Claims,
    )
    stays = run(build_nf_stays(claims).order_by("stay"))
    assert [stay["stay_days"] for stay in stays] == [41, 1]


@pytest.mark.parametrize(
    ("status", "days"),
    [
        pytest.param("01", 9, id="the day of discharge is not a day of care"),
        pytest.param("30", 10, id="still a patient: the last day billed counts"),
        pytest.param("", 10, id="no status: the last day billed counts"),
    ],
)
def test_the_last_day_of_a_stay(table, run, status, days):
    claims = table(
        f"""\
        person_id | claim_id | ltc_service | service_start_date | service_end_date | discharge_date | discharge_status
        A | 1 | nursing_facility | 2016-01-01 | 2016-01-10 | 2016-01-10 | {status}
        """,
        Claims,
    )
    assert [stay["stay_days"] for stay in run(build_nf_stays(claims))] == [days]


def test_a_line_over_months_is_split_by_days_to_the_cent(world, run):
    months = world(
        f"""\
        {NF}
        A | 1 | 1 | nursing_facility | 2016-01-30 | 2016-02-10 | 100.00
        """,
        covered("2016-01-01", 3),
    )
    rows = run(months.order_by("service_month"))
    assert [float(row["nf_net_usd"]) for row in rows] == [16.67, 83.33, 0.0]
    assert [row["nf_days"] for row in rows] == [2, 10, 0]


def test_what_others_pay_on_a_line_is_split_with_it_and_summed_over_every_service(world, run):
    header = NF + " | medicare_paid_usd | tpl_usd"
    claims = f"""\
        {header}
        A | 1 | 1 | nursing_facility | 2016-01-30 | 2016-02-10 | 100.00 | 60.00 | 12.00
        A | 2 | 1 | home_health      | 2016-02-20 | 2016-02-20 | 40.00  | 5.25  |
        """
    rows = run(world(claims, covered("2016-01-01", 3)).order_by("service_month"))
    assert [float(row["medicare_paid_usd"]) for row in rows] == [10.0, 55.25, 0.0]
    assert [float(row["tpl_usd"]) for row in rows] == [2.0, 10.0, 0.0]


def test_gross_is_net_plus_applied_income_from_the_claim_or_else_from_eligibility(world, run):
    header = NF + " | patient_liability_usd"
    claims = f"""\
        {header}
        A | 1 | 1 | nursing_facility | 2016-01-01 | 2016-01-31 | 1000.00 | 300.00
        B | 2 | 1 | nursing_facility | 2016-01-01 | 2016-01-31 | 1000.00 |
        """
    months = covered("2016-01-01", 1) + covered("2016-01-01", 1, "B", patient_liability_usd="250.00")
    rows = run(world(claims, months).order_by("person_id"))
    assert [float(row["applied_income_usd"]) for row in rows] == [300, 250]
    assert [float(row["nf_gross_usd"]) for row in rows] == [1300, 1250]


SETTINGS = """\
    half the covered days make a facility month | nursing_facility |    | 2016-01-15 | NF
    one day less does not                       | nursing_facility |    | 2016-01-14 | COMM_other
    assisted living                             | assisted_living  |    | 2016-01-01 | ALF
    day care is most of the care                | adult_day_care   | EW | 2016-01-01 | ADC
    a waiver without day care                   | personal_care    | EW | 2016-01-01 | HCBS_waiver
    care at home without a waiver               | personal_care    |    | 2016-01-01 | COMM_other"""


def test_settings(world, run):
    cases = [[cell.strip() for cell in line.split("|")] for line in SETTINGS.splitlines()]
    claims = [f"{case} | 1 | 1 | {service} | 2016-01-01 | {last} | 50" for case, service, _, last, _ in cases]
    months = [row for case, _, waiver, _, _ in cases for row in covered("2016-01-01", 1, case, waiver=waiver)]
    found = {row["person_id"]: row["setting"] for row in run(world("\n".join([NF, *claims]), months))}
    assert found == {case: setting for case, _, _, _, setting in cases}


def test_days_are_counted_by_enrolment_year_by_stay_and_over_the_enrolment(world, run):
    claims = f"""\
        {NF}
        A | 1 | 1 | nursing_facility | 2015-02-01 | 2015-02-28 | 10
        A | 2 | 1 | nursing_facility | 2015-11-01 | 2016-02-29 | 10
        A | 3 | 1 | nursing_facility | 2016-05-01 | 2016-05-31 | 10
        """
    rows = {f"{row['service_month']:%Y-%m}": row for row in run(world(claims, covered("2015-01-01", 18)))}
    counters = ("nf_days_cumulative", "nf_days_spell", "nf_days_lifetime")
    found = {
        month: tuple(rows[month][name] for name in counters) for month in ("2015-02", "2015-12", "2016-02", "2016-05")
    }
    assert found == {
        "2015-02": (28, 28, 28),
        "2015-12": (89, 61, 89),
        "2016-02": (149, 121, 149),  # a stay open at the anniversary keeps its count
        "2016-05": (31, 31, 180),  # a stay that begins in the second year begins at one
    }
    assert [rows[m]["is_past_anniversary"] for m in ("2015-12", "2016-01", "2016-05")] == [False, True, False]


def test_months_since_a_move_home_count_from_one_and_remember_the_stay(world, run):
    claims = f"{NF}\nA | 1 | 1 | nursing_facility | 2015-01-01 | 2015-07-10 | 10"
    rows = run(world(claims, covered("2015-01-01", 12)).order_by("service_month"))
    assert [row["months_since_conversion"] for row in rows] == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert rows[6]["institutional_days_before_move"] == 191
    assert rows[5]["institutional_days_before_move"] == 0


def test_enrolled_in_a_facility(world, run):
    cases = {
        "already a resident": ("2014-12-20", True),
        "a resident on the first day of coverage": ("2015-01-01", True),
        "enters one day later, enrolled at home": ("2015-01-02", False),
    }
    claims = [f"{case} | 1 | 1 | nursing_facility | {day} | 2015-03-31 | 10" for case, (day, _) in cases.items()]
    months = [row for case in cases for row in covered("2015-01-01", 2, case)]
    found = {(row["person_id"], row["is_enrolled_in_nf"]) for row in run(world("\n".join([NF, *claims]), months))}
    assert found == {(case, enrolled) for case, (_, enrolled) in cases.items()}


def test_a_month_without_coverage_begins_a_new_enrolment(world, run):
    months = covered("2015-01-01", 2) + covered("2015-04-01", 1)
    rows = run(world(f"{NF}\nA | 1 | 1 | meals | 2015-01-01 | 2015-01-01 | 5", months).order_by("service_month"))
    assert [row["enrollment_month_number"] for row in rows] == [1, 2, 1]


def test_an_assessment_speaks_from_its_month_until_the_next_under_any_id(world, run):
    assessments = """\
        person_id | assessment_date | nursing_home_certifiable | dms1_level
        old-A     | 2015-02-10      | true                     | 2
        A         | 2015-04-01      | false                    |
        """
    claims = f"{NF}\nA | 1 | 1 | meals | 2015-01-01 | 2015-01-01 | 5"
    rows = run(world(claims, covered("2015-01-01", 4), assessments).order_by("service_month"))
    assert [row["is_nhc"] for row in rows] == [False, True, True, False]
    assert [row["dms1_level"] for row in rows] == [None, 2, 2, None]


def test_only_long_term_care_people_are_here(world, run):
    months = covered("2015-01-01", 1, "A", age_years=40) + covered("2015-01-01", 1, "B", age_years=40)
    claims = f"{NF}\nA | 1 | 1 | meals | 2015-01-01 | 2015-01-01 | 5"
    assert {row["person_id"] for row in run(world(claims, months))} == {"A"}
    everyone = world(claims, months, disabled_aid_categories=["aged"])
    assert {row["person_id"] for row in run(everyone)} == {"A", "B"}


def test_the_facility_gives_level_and_per_diem(world, run):
    header = NF + " | facility_npi"
    claims = f"{header}\nA | 1 | 1 | nursing_facility | 2015-01-01 | 2015-01-31 | 10 | F2"
    rows = run(world(claims, covered("2015-01-01", 2)).order_by("service_month"))
    assert [(row["facility_id"], row["nf_level"], float(row["per_diem_usd"])) for row in rows] == [
        ("F2", "ICF", 90.0),
        ("F2", None, 90.0),
    ]


def test_the_cost_of_covered_months_is_kept_whole(world, run):
    claims = f"""\
        {NF}
        A | 1 | 1 | nursing_facility | 2015-01-17 | 2015-03-08 | 3333.33
        A | 2 | 1 | personal_care | 2015-02-01 | 2015-02-20 | 71.07
        A | 3 | 1 | | 2015-02-01 | 2015-02-02 | 9.01
        """
    rows = run(world(claims, covered("2015-01-01", 3)))
    total = sum(float(v) for row in rows for k, v in row.items() if k.endswith("_usd") and v and k not in NOT_SERVICES)
    assert total == pytest.approx(3333.33 + 71.07 + 9.01, abs=1e-9)


NOT_SERVICES = ("nf_gross_usd", "applied_income_usd", "per_diem_usd", "ancillary_usd")
