"""Checks of enrolment: lines tagged by coverage, wholes that lose nothing, months days cannot make, and no record at all."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from conftest import ROOT
from ratebook.contracts import intake as raw
from ratebook.contracts.clean import Claims, Identity, PaidLags, Persons
from ratebook.contracts.exposure import EligibilityMatch, Enrolment, ExposureQa, MemberMonths, MonthlyServices, Spans
from ratebook.exposure import checks as c
from ratebook.exposure.institutions import add_imd_days
from ratebook.exposure.matches import build_eligibility_match, tag_coverage, tally_coverage
from ratebook.exposure.months import build_member_months
from ratebook.exposure.plots import plot_eligibility_match, plot_monthly_claims, plot_monthly_pmpm
from ratebook.exposure.services import build_monthly_services, tally_services
from ratebook.exposure.spans import build_spans
from ratebook.tables import empty_frame, open_table, read_counts, read_row, read_table, write_table

EXTRACT = "2022-06-30"


@pytest.fixture
def spans(table):
    return table(
        """\
        person_id | start_date | end_date   | plan | retro_through_date | conflict_days | plan_conflict_days
        A         | 2022-01-16 | 2022-01-20 | X    | 2022-01-17         | 2             | 1
        A         | 2022-01-25 | 2022-02-28 | Y    |                    | 0             | 0
        B         | 2022-01-31 | 2022-02-01 | X    |                    | 0             | 0
        """,
        Spans,
    )


@pytest.fixture
def people(table):
    identity = table(
        "source_person_id | person_id\nA | A\nB | B", Identity, valid_from="1900-01-01", valid_to="9999-12-31"
    )
    return identity, table("person_id | birth_date\nA | 1980-06-15\nB | ", Persons)


@pytest.mark.parametrize(
    ("served", "coverage"),
    [
        ("2022-01-15", "outside"),
        ("2022-01-16", "retro"),
        ("2022-01-17", "retro"),
        ("2022-01-18", "eligible"),
        ("2022-01-20", "eligible"),
        ("2022-01-21", "outside"),
    ],
)
def test_lines_are_tagged_by_coverage(table, spans, run, served, coverage):
    claims = table(f"person_id | service_start_date\nA | {served}", Claims)
    tagged = tag_coverage(claims, spans)
    assert [row["coverage"] for row in run(tagged)] == [coverage]
    assert tagged.columns == (*claims.columns, "coverage")


CLAIMS = """\
person_id | claim_type   | claim_id | source_file | service_start_date | paid_usd | cost_usd
A         | professional | 1        | m.txt       | 2022-01-16         | 10.00    | 11.00
A         | professional | 2        | m.txt       | 2022-02-01         | 30.00    | 30.00
A         | professional | 3        | n.txt       | 2021-01-01         | 60.00    | 60.00
B         | pharmacy     | 4        | p.txt       | 2022-01-31         | 0.00     | 0.00
A         | professional | 5        |             | 2022-02-02         | 0.00     | 0.00
"""


@pytest.fixture
def tallied(table, spans):
    return read_counts(tally_coverage(table(CLAIMS, Claims), spans))


def test_a_drug_and_a_visit_of_one_number_come_from_their_own_files(tallied):
    found = {(row.source_file, row.coverage): row.lines for row in tallied.itertuples()}
    assert found == {
        ("m.txt", "retro"): 1,
        ("m.txt", "eligible"): 1,
        ("n.txt", "outside"): 1,
        ("p.txt", "eligible"): 1,
        ("unknown", "eligible"): 1,
    }


def test_checks_split_every_whole_and_lose_nothing(table, people, spans, tallied):
    eligibility = table(
        "person_id | enrollment_start_date | cells_unparsed\nA | 2022-01-01 | 0\nA | 2022-01-01 | 2\nZ | 2022-01-01 | 0",
        raw.Eligibility,
    )
    claims = table(
        "facility_npi | admission_date | discharge_date\nI | 2022-02-02 | 2022-02-19", Claims, person_id="A"
    )
    imd = table("facility_npi | kind\nI | IMD", raw.Facilities)
    member_months = add_imd_days(build_member_months(spans, people[1]), claims, imd, people[1], [], [21, 64], 15)
    months = read_counts(c.count_months(member_months))
    qa = c.check_exposure(
        read_counts(c.count_records(eligibility, *people, EXTRACT)),
        read_row(c.count_days(spans)),
        months,
        read_row(c.count_persons(member_months)),
        read_counts(c.count_years(member_months)),
        tallied,
    )
    value = qa.set_index(["check_id", "level"]).value.to_dict()
    share = qa.set_index(["check_id", "level"]).share.to_dict()
    assert value["spans", "unknown_person"] == value["spans", "unparsed"] == value["spans", "kept"] == 1
    assert (value["conflict", "disputed"], value["conflict", "agreed"]) == (2, 40)
    assert (value["plan_conflict", "disputed"], value["plan_conflict", "agreed"]) == (1, 41)
    assert value["retro", "retro"] == pytest.approx(12 / 31)
    assert (value["retro_days", "retro"], value["retro_days", "known_in_time"]) == (2, 40)
    assert (value["imd", "long_imd_stay"], value["imd_days", "long_imd_stay"]) == (1, 17)
    assert value["imd", "no_imd_day"] == 3
    assert value["double_count", "up_to_12_months_a_year"] == 2
    assert share["claims_cost", "outside"] == pytest.approx(60 / 101)
    assert share["claims_paid", "outside"] == 0.6
    assert value["claims_lines", "eligible"] == 3
    assert qa.groupby("check_id").share.sum().round(12).eq(1).all()
    assert value["excess_months", "beyond_days"] == 0
    behind = qa.set_index(["check_id", "level"]).persons.to_dict()
    assert (behind["retro", "retro"], behind["retro_days", "known_in_time"], behind["imd", "long_imd_stay"]) == (
        1,
        2,
        1,
    )
    assert (behind["conflict", "disputed"], behind["conflict", "agreed"]) == (1, 2)
    assert (behind["claims_paid", "outside"], behind["spans", "unknown_person"]) == (1, 0)
    enrolment = c.build_enrolment(months)
    assert enrolment.persons.tolist() == [1, 1, 1, 1]
    assert enrolment.member_months.sum() == pytest.approx(12 / 31 + 1 + 1 / 31 + 1 / 28)


@pytest.mark.parametrize(
    ("excess", "months", "days"),
    [pytest.param(0, 1, 28, id="a month of 28 days"), pytest.param(0.5, 1.5, 28, id="half a month too many")],
)
def test_more_months_than_days_can_make_are_counted(excess, months, days):
    counted = pd.DataFrame({"is_retro": [False], "is_imd_excluded": False, "months": 1, "member_months": months})
    counted = counted.assign(eligible_days=days, retro_days=0, imd_days=0)
    columns = ["level", "records", "persons", "person_years", "coverage", "cost_usd", "paid_usd", "lines"]
    none = pd.DataFrame(columns=columns)
    zero = dict.fromkeys(["conflict_days", "plan_conflict_days", "conflict_persons", "plan_conflict_persons"], 0)
    persons = {"known_in_time": 1, "no_imd_day": 1, "retro": 0}
    qa = c.check_exposure(none, {"days": days, "persons": 1} | zero, counted, persons, none, none)
    qa = qa.set_index(["check_id", "level"]).value
    assert qa["excess_months", "beyond_days"] == excess


def test_thirteen_months_in_a_year_are_found(table):
    months = [f"A | 2022-{m:02d}-01" for m in range(1, 13)] + ["A | 2022-12-01", "B | 2022-01-01"]
    twice = table("\n".join(["person_id | service_month", *months]), MemberMonths)
    found = read_counts(c.count_years(twice)).set_index("level").person_years.to_dict()
    assert found == {"over_12_months_a_year": 1, "up_to_12_months_a_year": 1}


def test_no_record_gives_empty_tables_and_figures_in_words(tmp_path, table):
    def empty(contract):
        return ibis.memtable(empty_frame(contract), schema=contract.types())

    persons, claims = empty(Persons), empty(Claims)
    spans = build_spans(empty(raw.Eligibility), empty(Identity), persons, EXTRACT, [], 0)
    write_table(spans, tmp_path / "spans.parquet", Spans)
    months = add_imd_days(
        build_member_months(spans, persons), claims, empty(raw.Facilities), persons, [], [21, 64], 15
    )
    write_table(months, tmp_path / "months.parquet", MemberMonths)
    months = open_table(tmp_path / "months.parquet", MemberMonths)
    records = read_counts(c.count_records(empty(raw.Eligibility), empty(Identity), persons, EXTRACT))
    counted, years = read_counts(c.count_months(months)), read_counts(c.count_years(months))
    persons_of = read_row(c.count_persons(months))
    served = read_counts(tally_coverage(claims, spans))
    match = build_eligibility_match(served, 0.98)
    tables = {
        "qa": (
            c.check_exposure(records, read_row(c.count_days(spans)), counted, persons_of, years, served),
            ExposureQa,
        ),
        "enrolment": (c.build_enrolment(counted), Enrolment),
        "match": (match, EligibilityMatch),
        "services": (
            build_monthly_services(
                read_counts(tally_services(claims)), counted, empty_frame(PaidLags), "2022-01-01", EXTRACT, 0.9
            ),
            MonthlyServices,
        ),
    }
    for name, (frame, contract) in tables.items():
        write_table(frame, tmp_path / f"{name}.parquet", contract)
    written = read_table(tmp_path / "services.parquet", MonthlyServices)
    assert written.empty and match.empty
    figures = [
        plot_monthly_claims(written, EXTRACT, 0.9, 11),
        plot_monthly_pmpm(written, EXTRACT, 0.9, 11),
        plot_eligibility_match(read_table(tmp_path / "match.parquet", EligibilityMatch), 11),
    ]
    assert all(len(fig.axes[0].texts[0].get_text()) > 20 for fig in figures)


def test_the_shipped_limits_are_those_of_the_rule():
    import yaml

    exposure = yaml.safe_load((ROOT / "config.yaml").read_text())["exposure"]
    assert (exposure["imd_days_limit"]["value"], exposure["imd_ages"]["value"]) == (15, [21, 64])
