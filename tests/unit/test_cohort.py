"""Who enters the cohort, in which arm and for how long, at the limit of every rule."""

from __future__ import annotations

import dataclasses
import datetime as dt

import ibis
import pytest

from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.episodes import Cohort, CohortFlow, CohortTable, Episodes
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import CohortRules, count_flow, inclusion_rules, select_candidates, select_cohort
from ratebook.episodes.describe import describe_cohort
from ratebook.tables import empty_frame, read_table, write_table

RULES = CohortRules(
    window_start="2022-01-01",
    window_end="2023-12-31",
    seed=1,
    min_detox_12m=2,
    count_index=True,
    index_rule="first",
    age_min_years=18,
    age_max_years=64,
    exclude_full_duals=True,
    enrolled_days_before=365,
    enrolled_gap_days=45,
    prior_contact_days=180,
    assignment_days=90,
)
EPISODES = """\
    person_id | episode | admission_date | discharge_date | n12 | days_to_next
    A         | 1       | 2022-03-01     | 2022-03-05     | 1   | 88
    A         | 2       | 2022-06-01     | 2022-06-05     | 2   | 100
    A         | 3       | 2022-09-13     | 2022-09-20     | 3   |
    B         | 1       | 2022-06-01     | 2022-06-05     | 2   |
    """
SPANS = """\
    person_id | start_date | end_date   | dual_group
    A         | 2020-01-01 | 2023-12-31 | none
    B         | 2020-01-01 | 2022-12-31 | none
    """
PERSONS = """\
    person_id | birth_date | sex    | race    | region
    A         | 1980-01-01 | female | unknown | east
    B         | 1990-01-01 | male   | unknown | west
    """
CONTACTS = "person_id | contact_date | program | provider_id | is_contact\nA | 2022-06-10 | RSN | P1 | true"
CLAIMS = "person_id | service_start_date | category | cost_usd\nA | 2022-05-01 | OP_SUD | 10.00"


@pytest.fixture
def study(table):
    """Build candidates and cohort; every table has a default and any may be redrawn, any rule changed."""

    def make(episodes=EPISODES, spans=SPANS, persons=PERSONS, contacts=CONTACTS, claims=CLAIMS, **rules):
        chosen = dataclasses.replace(RULES, **rules)
        usual = {"last_facility_id": "F1", "los_days": 4, "is_ama": "false", "is_died": "false"}
        drawn = {name: value for name, value in usual.items() if name not in episodes}
        numbered = table(contacts, Contacts)
        numbered = numbered.mutate(contact_id=ibis.row_number().cast("string"))
        candidates = select_candidates(
            table(episodes, Episodes, **drawn), table(spans, Spans), table(persons, Persons), chosen
        )
        return candidates, select_cohort(candidates, numbered, table(claims, Claims), chosen), chosen

    return make


@pytest.fixture
def cohort_of(study, run):
    def make(**changes):
        return {row["person_id"]: row for row in run(study(**changes)[1])}

    return make


def test_the_index_is_the_first_episode_that_passes_every_rule(cohort_of):
    cohort = cohort_of()
    assert {person: row["episode"] for person, row in cohort.items()} == {"A": 2, "B": 1}
    assert cohort_of(index_rule="last")["A"]["episode"] == 3
    assert cohort_of(count_index=False)["A"]["episode"] == 3
    assert "B" not in cohort_of(count_index=False)


def test_a_random_index_is_the_same_on_every_run(cohort_of):
    draws = [[cohort_of(index_rule="random", seed=seed)["A"]["episode"] for seed in range(12)] for _ in range(2)]
    assert draws[0] == draws[1]
    assert set(draws[0]) == {2, 3}


@pytest.mark.parametrize(
    ("born", "enters"),
    [
        pytest.param("2004-06-01", True, id="18 on the day"),
        pytest.param("2004-06-02", False, id="18 tomorrow"),
        pytest.param("1957-06-02", True, id="65 tomorrow"),
        pytest.param("1957-06-01", False, id="65 on the day"),
        pytest.param("", False, id="age not known"),
    ],
)
def test_age_at_admission(cohort_of, born, enters):
    assert ("B" in cohort_of(persons=PERSONS.replace("1990-01-01", born))) == enters


@pytest.mark.parametrize(
    ("covered_from", "days", "enters"),
    [
        pytest.param("2021-06-01", 365, True, id="the whole year"),
        pytest.param("2021-07-16", 320, True, id="45 days missing, the limit"),
        pytest.param("2021-07-17", 319, False, id="46 days missing"),
    ],
)
def test_coverage_before_admission(cohort_of, covered_from, days, enters):
    spans = SPANS.replace("B         | 2020-01-01", f"B         | {covered_from}")
    cohort = cohort_of(spans=spans)
    assert ("B" in cohort) == enters
    assert not enters or cohort["B"]["enrolled_days_before"] == days


@pytest.mark.parametrize(
    ("covered_to", "enters"),
    [("2022-06-04", False), ("2022-06-05", False), ("2022-06-06", True)],
)
def test_coverage_on_the_day_after_discharge_is_all_that_is_asked_of_the_future(cohort_of, covered_to, enters):
    assert ("B" in cohort_of(spans=SPANS.replace("2022-12-31", covered_to))) == enters


def test_no_rule_looks_further_ahead_than_the_day_after_discharge(study):
    candidates, _, rules = study()
    assert max(ahead for _, _, ahead, _ in inclusion_rules(candidates, rules)) == 1


@pytest.mark.parametrize(
    ("change", "enters"),
    [
        pytest.param({"persons": PERSONS.replace("person_id |", "person_id | death_date |").replace("A         |", "A | |").replace("B         |", "B | 2022-06-05 |")}, False, id="died on the day of discharge"),
        pytest.param({"spans": SPANS.replace("2022-12-31 | none", "2022-12-31 | full")}, False, id="full dual"),
        pytest.param({"spans": SPANS.replace("2022-12-31 | none", "2022-12-31 | partial")}, True, id="partial dual"),
        pytest.param({"spans": SPANS.replace("2022-12-31 | none", "2022-12-31 | full"), "exclude_full_duals": False}, True, id="full dual, asked for"),
        pytest.param({"window_start": "2022-06-01"}, True, id="admitted on the first day of the window"),
        pytest.param({"window_start": "2022-06-02"}, False, id="admitted before the window"),
        pytest.param({"window_end": "2022-06-06"}, True, id="discharged on the day before the last"),
        pytest.param({"window_end": "2022-06-05"}, False, id="no day of follow-up in the window"),
        pytest.param({"min_detox_12m": 3}, False, id="one detox short"),
    ],
)  # fmt: skip
def test_inclusion_rules(cohort_of, change, enters):
    assert ("B" in cohort_of(**change)) == enters


def test_the_flow_starts_with_everyone_falls_and_ends_with_the_cohort(study, run):
    candidates, cohort, rules = study(spans=SPANS.replace("2022-12-31", "2022-06-05"))
    flow = run(count_flow(candidates, rules).order_by("step"))
    assert flow[0]["persons_in"] == 2
    assert all(row["persons_in"] >= row["persons_out"] for row in flow)
    assert all(before["persons_out"] == after["persons_in"] for before, after in zip(flow, flow[1:]))
    assert flow[-1]["persons_out"] == run(cohort.count()) == 1
    assert [row["rule_id"] for row in flow if row["persons_in"] > row["persons_out"]] == ["enrolled_at_discharge"]


@pytest.mark.parametrize(
    ("contact", "arm"),
    [
        pytest.param("2022-06-05", "none", id="on the day of discharge"),
        pytest.param("2022-06-06", "RSN", id="the day after"),
        pytest.param("2022-09-03", "RSN", id="day 90, the limit"),
        pytest.param("2022-09-04", "none", id="day 91"),
    ],
)
def test_the_first_contact_in_time_decides_the_arm(cohort_of, contact, arm):
    row = cohort_of(contacts=CONTACTS.replace("2022-06-10", contact))["A"]
    assert row["arm"] == arm
    assert (row["first_contact_date"] is None) == (row["provider_id"] is None) == (arm == "none")


def test_an_attempt_is_no_contact_and_a_later_program_does_not_change_the_arm(cohort_of):
    contacts = """\
        person_id | contact_date | program | provider_id | is_contact
        A         | 2022-06-07   | RSN     | P1          | false
        A         | 2022-06-08   | CSP     | P2          | true
        A         | 2022-06-09   | RSN     | P1          | true
        A         | 2022-01-10   | RSN     | P1          | true
        B         | 2021-12-03   | CSP     | P2          | true
        """
    cohort = cohort_of(contacts=contacts)
    row = cohort["A"]
    assert (row["arm"], row["provider_id"], row["first_contact_date"]) == ("CSP", "P2", dt.date(2022, 6, 8))
    assert row["is_both_programs"] and row["is_prior_program"]
    assert cohort["B"]["arm"] == "none"
    assert cohort["B"]["is_prior_program"], "180 days before admission, the limit"
    assert not cohort_of(contacts=contacts.replace("2021-12-03", "2021-12-02"))["B"]["is_prior_program"]


def test_a_contact_after_follow_up_is_not_seen(cohort_of):
    spans = SPANS.replace("2023-12-31", "2022-06-09")
    assert cohort_of(spans=spans)["A"]["arm"] == "none"


def test_the_arm_of_a_site_is_where_most_of_its_discharges_go(study, run):
    people = "ABCDE"
    episodes = "person_id | episode | admission_date | discharge_date | n12 | last_facility_id\n" + "\n".join(
        f"{p} | 1 | 2022-06-01 | 2022-06-05 | 2 | {'F2' if p == 'E' else 'F1'}" for p in people
    )
    spans = "person_id | start_date | end_date | dual_group\n" + "\n".join(
        f"{p} | 2020-01-01 | 2023-12-31 | none" for p in people
    )
    persons = "person_id | birth_date\n" + "\n".join(f"{p} | 1980-01-01" for p in people)
    header = "person_id | contact_date | program | provider_id | is_contact\n"

    def site_arms(*arms):
        contacts = header + "\n".join(
            f"{p} | 2022-06-10 | {arm} | P | true" for p, arm in zip(people, arms) if arm != "none"
        )
        rows = run(study(episodes=episodes, spans=spans, persons=persons, contacts=contacts)[1].order_by("person_id"))
        return [row["site_arm"] for row in rows]

    assert site_arms("RSN", "RSN", "CSP", "none") == ["RSN"] * 4 + [None]
    assert site_arms("RSN", "CSP", "none", "none") == ["CSP"] * 4 + [None]


@pytest.mark.parametrize(
    ("spans", "died", "end", "reason"),
    [
        pytest.param(SPANS, "", "2023-12-31", "end_of_data", id="covered to the end of the window"),
        pytest.param(SPANS.replace("2023-12-31", "2023-12-30"), "", "2023-12-30", "disenrolled", id="a day short"),
        pytest.param(SPANS, "2023-12-31", "2023-12-31", "death", id="died on the last day"),
        pytest.param(SPANS.replace("2023-12-31", "2023-02-01"), "2023-02-01", "2023-02-01", "death", id="died"),
        pytest.param(SPANS.replace("2023-12-31", "2023-02-01"), "2023-02-02", "2023-02-01", "disenrolled", id="left, then died"),
    ],
)  # fmt: skip
def test_follow_up_ends_with_death_disenrolment_or_the_window(cohort_of, spans, died, end, reason):
    persons = PERSONS.replace("person_id |", "person_id | death_date |").replace("B         |", "B | |")
    row = cohort_of(spans=spans, persons=persons.replace("A         |", f"A | {died} |"))["A"]
    assert (row["follow_end_date"].isoformat(), row["follow_end_reason"]) == (end, reason)


def test_a_change_of_plan_does_not_end_follow_up_but_a_day_without_cover_does(cohort_of):
    def covered(next_start):
        return (
            "person_id | start_date | end_date | plan | dual_group\n"
            "A | 2020-01-01 | 2022-08-31 | X | none\n"
            f"A | {next_start} | 2023-12-31 | Y | none"
        )

    assert cohort_of(spans=covered("2022-09-01"))["A"]["follow_end_date"] == dt.date(2023, 12, 31)
    assert cohort_of(spans=covered("2022-09-02"))["A"]["follow_end_date"] == dt.date(2022, 8, 31)


def test_a_readmission_is_seen_only_in_follow_up(cohort_of):
    assert cohort_of()["A"]["readmission_date"] == dt.date(2022, 9, 13)
    assert cohort_of(spans=SPANS.replace("2023-12-31", "2022-09-13"))["A"]["readmission_date"]
    assert cohort_of(spans=SPANS.replace("2023-12-31", "2022-09-12"))["A"]["readmission_date"] is None


def test_covariates_stop_on_the_day_before_admission(cohort_of):
    claims = """\
        person_id | service_start_date | category  | cost_usd
        A         | 2021-05-31         | OP_SUD    | 1.00
        A         | 2021-06-01         | OP_SUD    | 10.00
        A         | 2022-05-31         | OTHER_BH  | 100.00
        A         | 2022-06-01         | WM_RES    | 1000.00
        A         | 2022-03-03         | OTP       | 10000.00
        B         | 2022-03-02         | OTP       | 5.00
        """
    cohort = cohort_of(claims=claims)
    row = cohort["A"]
    assert (float(row["sud_cost_before_usd"]), float(row["total_cost_before_usd"])) == (10010, 10110)
    assert row["is_mental_before"] and row["is_moud_before"]
    assert not cohort["B"]["is_moud_before"], "91 days before admission"
    assert float(cohort_of(claims=CLAIMS)["B"]["total_cost_before_usd"]) == 0


@pytest.fixture
def written(study, tmp_path):
    def write(**changes):
        candidates, cohort, rules = study(**changes)
        write_table(count_flow(candidates, rules), tmp_path / "flow.parquet", CohortFlow)
        write_table(cohort, tmp_path / "cohort.parquet", Cohort)
        table = describe_cohort(read_table(tmp_path / "cohort.parquet", Cohort))
        write_table(table, tmp_path / "table.parquet", CohortTable)
        return read_table(tmp_path / "flow.parquet", CohortFlow), read_table(tmp_path / "table.parquet", CohortTable)

    return write


def test_levels_of_table_1_add_up_to_the_arm_and_arms_to_all(written):
    _, table = written()
    levels = table[table.level != "mean"].groupby(["characteristic", "arm"]).persons.sum().unstack()
    assert (levels["all"] == 2).all() and (levels["RSN"] == 1).all() and (levels["CSP"] == 0).all()
    assert (levels["RSN"] + levels["CSP"] + levels["none"] == levels["all"]).all()
    age = table[(table.characteristic == "Age at admission, years") & (table.arm == "all")].iloc[0]
    assert (age["mean"], age["persons"]) == (37, 2)
    empty = table[table.arm == "CSP"]
    assert empty.reason.notna().all() and empty.share.isna().all() and empty["mean"].isna().all()


def test_nobody_with_a_detox_gives_a_flow_of_zeros_and_empty_tables(written):
    flow, table = written(episodes="person_id | episode")
    assert flow.persons_in.eq(0).all() and flow.persons_out.eq(0).all()
    assert len(flow) == 9
    assert table.empty


def test_contracts_of_no_input_at_all(tmp_path):
    empty = {c: ibis.memtable(empty_frame(c), schema=c.types()) for c in (Episodes, Spans, Persons, Contacts, Claims)}
    candidates = select_candidates(empty[Episodes], empty[Spans], empty[Persons], RULES)
    cohort = select_cohort(candidates, empty[Contacts], empty[Claims], RULES)
    write_table(cohort, tmp_path / "cohort.parquet", Cohort)
