"""Checks of enrolment, the match of services with coverage, and the monthly exhibit."""

from __future__ import annotations

import ibis
import numpy as np
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
from ratebook.exposure.services import build_monthly_services, completion_by_age, tally_services
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


def services(outside, total=1000.0, month="2022-01-01", file="f"):
    rows = [(month, file, "outside", 3, 2, outside), (month, file, "eligible", 40, 30, total - outside)]
    names = ["service_month", "source_file", "coverage", "lines", "persons", "paid_usd"]
    return pd.DataFrame(rows, columns=names).astype({"service_month": "datetime64[us]"})


@pytest.mark.parametrize(
    ("outside", "total", "share", "status"),
    [
        (20.0, 1000.0, 0.98, "pass"),
        (20.01, 1000.0, 0.97999, "warn"),
        (0.0, 1000.0, 1.0, "pass"),
        (0.0, 0.0, None, "na"),
        (5.0, -10.0, None, "na"),
    ],
)
def test_the_match_passes_at_its_limit(outside, total, share, status):
    match = build_eligibility_match(services(outside, total), 0.98)
    assert match.scope.tolist() == ["all", "month", "file", "file_month"]
    assert match.status.tolist() == [status] * 4
    assert (
        match.match_share.isna().all() if share is None else match.match_share.tolist() == pytest.approx([share] * 4)
    )


def test_every_scope_adds_up_to_the_whole():
    parts = [
        services(10, 500, "2022-01-01", "f"),
        services(0, 300, "2022-02-01", "f"),
        services(7, 200, "2022-01-01", "g"),
    ]
    match = build_eligibility_match(pd.concat(parts, ignore_index=True), 0.98)
    sums = match.groupby("scope")[["lines", "outside_lines", "paid_usd", "outside_usd"]].sum()
    assert (sums == sums.loc["all"]).all(axis=None)
    assert sums.loc["all"].tolist() == [129, 9, 1000, 17]
    months = match[match.scope == "month"].set_index("service_month")
    assert months.outside_usd.tolist() == [17, 0] and months.outside_persons.tolist() == [2, 2]


def lags(rows, category="OTP"):
    frame = pd.DataFrame(rows, columns=["service_month", "lag_months", "signed_usd"]).assign(category=category)
    return frame.astype({"service_month": "datetime64[us]", "lag_months": "Int64"})


def test_the_chain_ladder_by_hand():
    # Cumulative: January 40 60 80, February 60 90, March 50; links 150 / 100 and 80 / 60.
    rows = [("2022-01-01", 0, 40), ("2022-01-01", 1, 20), ("2022-01-01", 2, 20)]
    rows += [("2022-02-01", 0, 60), ("2022-02-01", 1, 30), ("2022-03-01", 0, 50), ("2022-03-01", 1, 999)]
    found = completion_by_age(lags(rows), pd.Period("2022-03", "M"))
    assert found == pytest.approx([1 / 1.5 / (80 / 60), 60 / 80, 1])
    early = lags([("2022-01-01", -1, 15), ("2022-01-01", 0, 25), *rows[1:]])
    assert completion_by_age(early, pd.Period("2022-03", "M")) == pytest.approx(found)


def test_a_month_paid_too_little_to_speak_for_others_changes_no_share():
    rows = [("2022-01-01", 0, 1), ("2022-01-01", 3, 9)]
    for month in ("2022-02-01", "2022-03-01", "2022-04-01"):
        rows += [(month, 0, 100)]
    found = completion_by_age(lags(rows), pd.Period("2022-04", "M"))
    assert found == pytest.approx([201 / 201, 1, 1, 1])


def test_nothing_paid_early_leaves_young_months_unsaid_and_no_payment_leaves_all():
    late = completion_by_age(lags([("2022-01-01", 1, 50), ("2022-02-01", 1, 50)]), pd.Period("2022-03", "M"))
    assert np.isnan(late[0]) and late[1:].tolist() == [1, 1]
    assert len(completion_by_age(lags([]), pd.Period("2022-03", "M"))) == 0


@pytest.fixture
def exhibit(table):
    text = """\
    person_id | claim_type   | claim_id | line_number | category | service_start_date | cost_usd | is_money_only
    A         | professional | 1        | 1           | OTP      | 2022-01-03         | 10.00    | false
    A         | professional | 1        | 2           | OTP      | 2022-01-04         | 10.00    | false
    A         | professional | 1        | 3           | OTHER    | 2022-01-04         | 5.00     | false
    B         | pharmacy     | 1        | 1           | OTP      | 2022-01-09         | 20.00    | false
    B         | professional | 2        | 1           | OTP      | 2022-03-31         | 40.00    | false
    B         | professional | 3        | 1           | OTP      | 2022-03-31         | -4.00    | true
    """
    paid = [
        ("2022-01-01", 0, 50),
        ("2022-01-01", 1, 50),
        ("2022-02-01", 0, 50),
        ("2022-02-01", 1, 50),
        ("2022-03-01", 0, 36),
    ]
    months = pd.DataFrame({"service_month": pd.to_datetime(["2022-01-01", "2022-01-01", "2022-03-01"])})
    months = months.assign(member_months=[1.5, 0.5, 2.0])

    def make(extract="2022-03-31", limit=0.9):
        counted = read_counts(tally_services(table(text, Claims)))
        return build_monthly_services(counted, months, lags(paid), "2022-01-01", extract, limit)

    return make


def test_claims_and_dollars_stand_beside_members_and_completion(exhibit):
    rows = exhibit().set_index(["category", "service_month"])
    otp = rows.loc["OTP"]
    assert otp.claims.tolist() == [2, 0, 1] and otp.lines.tolist() == [3, 0, 1]
    assert otp.persons.tolist() == [2, 0, 1] and otp.cost_usd.tolist() == [40, 0, 36]
    assert otp.claims_per_1000.fillna(-1).tolist() == [1000, -1, 500]
    assert otp.pmpm_usd.fillna(-1).tolist() == [20, -1, 18]
    assert otp.completion_share.tolist() == [1, 1, 0.5]
    assert otp.completed_pmpm_usd.iloc[2] == 36 and otp.completed_claims_per_1000.iloc[2] == 1000
    assert otp.is_reportable.tolist() == [True, True, False]
    other = rows.loc["OTHER"]
    assert other.claims.tolist() == [1, 0, 0], "a claim counts once in each category it has a line of"
    assert other.completion_share.isna().all() and other.reason.str.contains("no paid dates").all()
    assert other.is_reportable.isna().all()


@pytest.mark.parametrize(("limit", "reportable"), [(0.5, True), (0.51, False)])
def test_a_month_completed_to_the_limit_is_reportable(exhibit, limit, reportable):
    rows = exhibit(limit=limit)
    assert rows[(rows.category == "OTP") & (rows.service_month == "2022-03-01")].is_reportable.tolist() == [reportable]


def test_the_month_of_an_extract_taken_before_its_end_is_not_judged(exhibit):
    march = exhibit(extract="2022-03-30").query("category == 'OTP' and service_month == '2022-03-01'")
    assert march.completion_share.isna().all() and march.reason.str.contains("not over").all()


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


@pytest.mark.parametrize(("persons", "drawn"), [(10, False), (11, True), (0, True)])
def test_a_month_of_few_persons_is_not_drawn(persons, drawn):
    months = pd.date_range("2022-01-01", periods=4, freq="MS")
    frame = pd.DataFrame({"service_month": months, "category": "OTP", "persons": [50, persons, 60, 70]})
    numbers = ["claims_per_1000", "pmpm_usd", "completed_claims_per_1000", "completed_pmpm_usd"]
    frame = frame.assign(claims=1, lines=1, cost_usd=1.0, completion_share=0.95, **dict.fromkeys(numbers, 7.0))
    fig = plot_monthly_claims(frame, "2022-12-31", 0.9, 11)
    line = max(fig.axes[0].lines, key=lambda line: line.get_linewidth() * (line.get_marker() == "."))
    assert bool(np.isfinite(line.get_ydata()[1])) == drawn


def test_without_paid_dates_the_figure_still_spans_what_was_observed(exhibit):
    rows = exhibit().query("category == 'OTHER'").assign(persons=50)
    fig = plot_monthly_pmpm(rows, "2022-12-31", 0.9, 11)
    assert fig.axes[0].get_ylim()[1] == pytest.approx(1.12 * 2.5)


@pytest.mark.parametrize(("persons", "drawn"), [(10, 1), (11, 2), (0, 2)])
def test_a_month_with_few_persons_outside_coverage_is_not_drawn(persons, drawn):
    parts = [services(10), services(10, month="2022-02-01")]
    match = build_eligibility_match(pd.concat(parts, ignore_index=True), 0.98)
    match.loc[match.service_month == "2022-01-01", "outside_persons"] = persons
    match.loc[match.service_month == "2022-02-01", "outside_persons"] = 40
    fig = plot_eligibility_match(match, 11)
    assert len(fig.axes[0].collections[0].get_offsets()) == drawn


def test_the_shipped_limits_are_those_of_the_rule():
    import yaml

    exposure = yaml.safe_load((ROOT / "config.yaml").read_text())["exposure"]
    assert (exposure["imd_days_limit"]["value"], exposure["imd_ages"]["value"]) == (15, [21, 64])
