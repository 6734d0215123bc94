"""Who enters the cohort, in which arm and for how long, at the limit of every rule."""

from __future__ import annotations

import datetime as dt
from functools import partial
from itertools import pairwise

import ibis
import pytest

from cohort_data import CLAIMS, EPISODES, PERSONS, SPANS, cohort_rules, draw_study
from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.episodes import Cohort, CohortFlow, CohortTable, CohortVariants, Episodes
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import count_flow, inclusion_rules, select_candidates, select_cohort
from ratebook.episodes.describe import describe_cohort
from ratebook.episodes.variants import count_variants, select_eligible
from ratebook.tables import empty_frame, hold, read_table, write_table


@pytest.fixture
def study(table):
    return partial(draw_study, table)


@pytest.fixture
def cohort_of(study, run):
    def make(**changes):
        return {row["person_id"]: row for row in run(study(**changes)[1])}

    return make


USUAL = {
    "from": "2020-01-01", "to": "2023-12-31", "dual": "none", "born": "1980-01-01", "died": "", "contact": "",
    "program": "RSN", "facility": "F1",
}  # fmt: skip


def people(cases: dict[str, dict]) -> dict[str, str]:
    """Draw one person a case, named by it: in detox 1 to 5 June 2022 for the second time, usual in all else."""
    header = {
        "episodes": "person_id | episode | admission_date | discharge_date | n12 | last_facility_id",
        "spans": "person_id | start_date | end_date | dual_group",
        "persons": "person_id | birth_date | death_date",
        "contacts": "person_id | contact_date | program | provider_id | is_contact",
    }
    row = {
        "episodes": "{name} | 1 | 2022-06-01 | 2022-06-05 | 2 | {facility}",
        "spans": "{name} | {from} | {to} | {dual}",
        "persons": "{name} | {born} | {died}",
        "contacts": "{name} | {contact} | {program} | P1 | true",
    }
    values = [{**USUAL, "name": name, **changes} for name, changes in cases.items()]
    return {table: "\n".join([header[table], *(row[table].format(**v) for v in values)]) for table in header}


@pytest.fixture
def index_of(study, run):
    """The index episode of every person in the cohort, without what the cohort adds to it."""

    def make(**changes):
        candidates, _, rules = study(**changes)
        index = candidates.filter(candidates.passed > len(inclusion_rules(candidates, rules)))
        return {row["person_id"]: row["episode"] for row in run(index.select("person_id", "episode"))}

    return make


@pytest.mark.parametrize(
    ("follow_up_days", "index"),
    [
        pytest.param(574, {"A": 2, "B": 1}, id="the study ends on the last day asked for: both may enter"),
        pytest.param(575, {}, id="a day more than the calendar leaves: nobody may, whatever becomes of them"),
    ],
)
def test_the_calendar_leaves_room_for_follow_up(index_of, follow_up_days, index):
    assert index_of(follow_up_days=follow_up_days) == index


def test_the_index_is_the_first_episode_that_passes_every_rule(index_of):
    assert index_of() == {"A": 2, "B": 1}
    assert index_of(index_rule="last") == {"A": 3, "B": 1}
    assert index_of(count_index=False) == {"A": 3}


def test_a_random_index_is_drawn_for_each_person_and_is_the_same_on_every_run(index_of):
    people = [f"P{n}" for n in range(20)]
    header, *rows = EPISODES.splitlines()
    two = [row for row in rows if row.strip().startswith(("A         | 2", "A         | 3"))]
    episodes = "\n".join([header, *(row.replace("A ", person) for person in people for row in two)])
    spans = "\n".join([SPANS.splitlines()[0], *(SPANS.splitlines()[1].replace("A ", person) for person in people)])
    persons = "\n".join(
        [PERSONS.splitlines()[0], *(PERSONS.splitlines()[1].replace("A ", person) for person in people)]
    )
    changes = {"episodes": episodes, "spans": spans, "persons": persons, "index_rule": "random"}
    drawn = index_of(**changes)
    assert set(drawn) == set(people) and set(drawn.values()) == {2, 3}
    assert drawn == index_of(**changes)
    assert drawn != index_of(**changes, seed=2)


def test_who_enters_at_the_limit_of_every_rule_about_the_person(index_of):
    enters = {
        "18 on the day": {"born": "2004-06-01"},
        "65 tomorrow": {"born": "1957-06-02"},
        "partial dual": {"dual": "partial"},
        "45 of the 365 days before missing": {"from": "2021-07-16"},
        "covered on the day after discharge": {"to": "2022-06-06"},
        "died on the day after discharge": {"died": "2022-06-06"},
    }
    stays_out = {
        "18 tomorrow": {"born": "2004-06-02"},
        "65 on the day": {"born": "1957-06-01"},
        "age not known": {"born": ""},
        "full dual": {"dual": "full"},
        "46 of the 365 days before missing": {"from": "2021-07-17"},
        "covered to the day of discharge": {"to": "2022-06-05"},
        "died on the day of discharge": {"died": "2022-06-05"},
        "facility not known": {"facility": "unknown"},
    }
    drawn = people({**enters, **stays_out})
    assert set(index_of(**drawn)) == set(enters)
    assert set(index_of(**drawn, exclude_full_duals=False)) == {*enters, "full dual"}


def test_no_rule_looks_further_ahead_than_the_day_after_discharge(study):
    candidates, _, rules = study()
    assert max(ahead for _, _, ahead, _ in inclusion_rules(candidates, rules)) == 1


@pytest.mark.parametrize(
    ("change", "enters"),
    [
        pytest.param({"window_start": "2022-06-01"}, True, id="admitted on the first day of the window"),
        pytest.param({"window_start": "2022-06-02"}, False, id="admitted before the window"),
        pytest.param({"window_end": "2022-06-06"}, True, id="discharged on the day before the last"),
        pytest.param({"window_end": "2022-06-05"}, False, id="no day of follow-up in the window"),
        pytest.param({"min_detox_12m": 3}, False, id="one detox short"),
    ],
)
def test_rules_of_time_and_of_repeated_detox(index_of, change, enters):
    assert ("B" in index_of(**change)) == enters


def test_the_flow_starts_with_everyone_falls_and_ends_with_the_cohort(study, run):
    candidates, cohort, rules = study(spans=SPANS.replace("2022-12-31", "2022-06-05"))
    flow = run(count_flow(candidates, rules).order_by("step"))
    assert flow[0]["persons_in"] == 2
    assert all(row["persons_in"] >= row["persons_out"] for row in flow)
    assert all(before["persons_out"] == after["persons_in"] for before, after in pairwise(flow))
    assert flow[-1]["persons_out"] == run(cohort.count()) == 1
    assert [row["rule_id"] for row in flow if row["persons_in"] > row["persons_out"]] == ["enrolled_at_discharge"]


def test_hospice_care_in_the_year_up_to_discharge_keeps_out(index_of):
    cases = {
        "to after the discharge": ("2022-06-05", "2022-06-10", False),
        "365 days before, the limit": ("2021-05-01", "2021-06-05", False),
        "366 days before": ("2021-05-01", "2021-06-04", True),
        "after discharge: the future is not asked": ("2022-06-06", "2022-06-10", True),
    }
    header = "person_id | service_start_date | service_end_date | ltc_service | cost_usd"
    care = [f"{name} | {first} | {last} | hospice | 1.00" for name, (first, last, _) in cases.items()]
    drawn = {**people({key: {} for key in cases}), "claims": "\n".join([header, *care])}
    assert set(index_of(**drawn)) == {name for name, (*_, enters) in cases.items() if enters}
    assert set(index_of(**drawn, exclude_hospice=False)) == set(cases)


def test_only_listed_facilities_enter_where_a_list_is_given(study, index_of):
    drawn = people(
        {"participating": {"facility": "F1"}, "comparison": {"facility": "F2"}, "other": {"facility": "F3"}}
    )
    assert set(index_of(**drawn)) == {"participating", "comparison", "other"}
    assert set(index_of(**drawn, facilities=["F1", "F2"])) == {"participating", "comparison"}
    candidates, _, rules = study(facilities=["F1"])
    assert "listed_facility" in [rule_id for rule_id, *_ in inclusion_rules(candidates, rules)]


def test_who_leaves_for_a_hospital_is_marked(cohort_of):
    cases = {
        "admitted on the day of discharge": ("2022-06-05", "2022-06-08", True),
        "on the day after, without a night": ("2022-06-06", "2022-06-06", True),
        "two days after: another admission": ("2022-06-07", "2022-06-08", False),
        "within the episode, over with it": ("2022-06-03", "2022-06-05", False),
        "begun before the episode: a record around it": ("2022-05-20", "2022-06-30", False),
    }
    header = "person_id | service_start_date | admission_date | discharge_date | category | cost_usd"
    stays = [f"{name} | {first} | {first} | {last} | IP_MEDICAL | 1.00" for name, (first, last, _) in cases.items()]
    claims = "\n".join([header, *stays])
    found = cohort_of(**people({key: {} for key in cases}), claims=claims)
    assert {name: row["is_acute_transfer"] for name, row in found.items()} == {
        name: moved for name, (*_, moved) in cases.items()
    }
    found = cohort_of(**people({key: {} for key in cases}), claims=claims.replace("IP_MEDICAL", "RES35"))
    assert not any(row["is_acute_transfer"] for row in found.values()), "a step down is no hospital"


def test_the_status_of_a_transfer_to_a_hospital_is_enough(cohort_of):
    cases = {"to a hospital": "02", "home": "01", "not stated": ""}
    drawn = people({key: {} for key in cases})
    header, *rows = drawn["episodes"].splitlines()
    rows = [f"{row} | {status}" for row, status in zip(rows, cases.values())]
    found = cohort_of(**{**drawn, "episodes": "\n".join([header + " | discharge_status", *rows])})
    assert {name: row["is_acute_transfer"] for name, row in found.items()} == {
        "to a hospital": True, "home": False, "not stated": False,
    }  # fmt: skip


def test_the_first_contact_in_time_decides_the_arm(cohort_of):
    cases = {
        "on the day of discharge": ({"contact": "2022-06-05"}, "none"),
        "on the day after": ({"contact": "2022-06-06"}, "RSN"),
        "on day 90, the limit": ({"contact": "2022-09-03", "program": "CSP"}, "CSP"),
        "on day 91": ({"contact": "2022-09-04"}, "none"),
        "on the last day of follow-up": ({"contact": "2022-06-09", "to": "2022-06-09"}, "RSN"),
        "after follow-up": ({"contact": "2022-06-10", "to": "2022-06-09"}, "none"),
    }
    cohort = cohort_of(**people({case: changes for case, (changes, _) in cases.items()}))
    assert {case: row["arm"] for case, row in cohort.items()} == {case: arm for case, (_, arm) in cases.items()}
    for row in cohort.values():
        assert (row["first_contact_date"] is None) == (row["provider_id"] is None) == (row["arm"] == "none")


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


def test_the_arm_of_a_site_is_where_most_of_its_discharges_go(cohort_of):
    sites = {"most to RSN": ("RSN", "RSN", "CSP", "none"), "a tie": ("RSN", "CSP"), "nobody known": ("none",)}
    cases = {
        f"{site} {n}": {"facility": site, "program": arm, "contact": "" if arm == "none" else "2022-06-10"}
        for site, arms in sites.items()
        for n, arm in enumerate(arms)
    }
    found = {(row["facility_id"], row["site_arm"]) for row in cohort_of(**people(cases)).values()}
    assert found == {("most to RSN", "RSN"), ("a tie", "CSP"), ("nobody known", None)}


def test_follow_up_ends_with_death_disenrolment_or_the_window(cohort_of):
    cases = {
        "covered to the end of the window": ({}, "2023-12-31", "end_of_data"),
        "a day short": ({"to": "2023-12-30"}, "2023-12-30", "disenrolled"),
        "beyond the window": ({"to": "2024-03-31", "died": "2024-01-01"}, "2023-12-31", "end_of_data"),
        "died on the last day": ({"died": "2023-12-31"}, "2023-12-31", "death"),
        "died": ({"to": "2023-02-01", "died": "2023-02-01"}, "2023-02-01", "death"),
        "left, then died": ({"to": "2023-02-01", "died": "2023-02-02"}, "2023-02-01", "disenrolled"),
    }
    cohort = cohort_of(**people({case: changes for case, (changes, _, _) in cases.items()}))
    found = {case: (row["follow_end_date"].isoformat(), row["follow_end_reason"]) for case, row in cohort.items()}
    assert found == {case: (end, reason) for case, (_, end, reason) in cases.items()}


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
        numbered = ibis.memtable(empty_frame(Contacts), schema=Contacts.types())
        eligible = hold(select_eligible({"episode": candidates}, numbered, rules))
        write_table(count_variants(eligible, rules), tmp_path / "variants.parquet", CohortVariants)
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
    assert len(flow) == 11
    assert table.empty


def test_contracts_of_no_input_at_all(tmp_path):
    empty = {c: ibis.memtable(empty_frame(c), schema=c.types()) for c in (Episodes, Spans, Persons, Contacts, Claims)}
    candidates = select_candidates(empty[Episodes], empty[Spans], empty[Persons], empty[Claims], cohort_rules())
    cohort = select_cohort(candidates, empty[Contacts], empty[Claims], cohort_rules())
    write_table(cohort, tmp_path / "cohort.parquet", Cohort)
