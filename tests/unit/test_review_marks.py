"""Every mark the pipeline makes, and recall and precision of them: a missed fault, a false alarm, a wrong person."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from ratebook.contracts.clean import Claims
from ratebook.contracts.review import FaultCounts
from ratebook.review.marks import MARKED_IN, NO_FAULT, count_faults, mark_records
from ratebook.simulate.fault_kinds import KINDS
from ratebook.simulate.fault_records import NATURAL_KINDS, RECORD_KINDS

FINAL = """\
    claim_id | line_number | person_id | paid_usd
    C1       | 1           | P1        | 10.00
    C1       | 2           | P1        | 5.00
    C4       | 1           | P2        | 7.00
    C5       | 1           | P9        | 9.00
    """
MARKS = [("A3.1", "C1"), ("A4.1", "C2"), ("A4.1", "C7"), ("A2.1", "C5"), ("A12.1", "P3"), ("A3.1", "N1")]


def truth(**listed):
    """Lay out kinds as kind=(rule, outcome, ids) or (rule, outcome, ids, stands)."""
    return {
        "expected": {kind: {"rule": found[0], "outcome": found[1]} for kind, found in listed.items()},
        "faults": {kind: found[2] for kind, found in listed.items()},
        "stands": {kind: found[3] for kind, found in listed.items() if len(found) > 3},
        "owners": {"C5": "P5"},
    }


@pytest.fixture
def count(table, run):
    def count(marks=MARKS, final=FINAL, **listed):
        rows = [(mark, record, mark[:2] == "A4" or (mark == "A3.1")) for mark, record in marks]
        frame = pd.DataFrame(rows, columns=["mark", "record_id", "takes"])
        schema = {"mark": "string", "record_id": "string", "takes": "boolean"}
        found = run(count_faults(ibis.memtable(frame, schema=schema), table(final, Claims), truth(**listed)))
        assert all(set(row) == set(FaultCounts.types()) for row in found)
        return {row["kind"]: (row["planted"], row["met"], row["marked"], row["explained"]) for row in found}

    return count


def test_a_fault_that_is_marked_and_comes_out_right_is_found(count):
    assert count(denied=("A4.1", "gone", ["C2", "C7"]))["denied"] == (2, 2, 2, 2)


def test_a_fault_that_bears_no_mark_is_missed(count):
    assert count(denied=("A4.1", "gone", ["C2", "C3"]))["denied"] == (2, 1, 2, 1)


def test_a_mark_on_a_record_without_a_fault_is_a_false_alarm(count):
    found = count(denied=("A4.1", "gone", ["C2"]), twice=("A3.1", "once", ["C1", "N1"]))
    assert found["denied"] == (1, 1, 2, 1)
    assert found[NO_FAULT] == (0, 0, 4, 3)


def test_a_fault_that_is_marked_and_still_stands_is_not_found(count):
    assert count(denied=("A3.1", "gone", ["C1"]))["denied"] == (1, 0, 1, 1)


def test_a_copy_that_stands_twice_is_not_found(count):
    twice = FINAL + "C1 | 1 | P1 | 10.00"
    assert count(twice=("A3.1", "once", ["C1"]))["twice"][1] == 1
    assert count(final=twice, twice=("A3.1", "once", ["C1"]))["twice"][1] == 0


def test_a_claim_counted_for_the_wrong_person_is_not_found(count):
    assert count(old_id=("A2.1", "kept", ["C5"]))["old_id"] == (1, 0, 1, 1)
    right = FINAL.replace("P9", "P5")
    assert count(final=right, old_id=("A2.1", "kept", ["C5"]))["old_id"] == (1, 1, 1, 1)


def test_a_kind_without_a_mark_must_not_be_taken(count):
    assert count(interim=(None, "kept", ["C4"]))["interim"] == (1, 1, 0, 0)
    assert count(marks=[("A4.1", "C4")], interim=(None, "kept", ["C4"]))["interim"] == (1, 0, 0, 0)


def test_the_same_mark_on_claims_and_on_log_entries_is_two_things(count):
    found = count(claims=("A3.1", "once", ["C1"]), entries=("A3.1", "once", ["N1"]))
    assert found["claims"] == (1, 1, 1, 1)
    assert found["entries"] == (1, 1, 1, 1)


def test_persons_need_the_mark_alone(count):
    assert count(spans=("A12.1", "gone", ["P3", "P4"]))["spans"] == (2, 1, 1, 1)


def test_dollars_are_those_of_the_listed_claims_and_of_those_that_stand_beside_them(table, run):
    marks = ibis.memtable(pd.DataFrame({"mark": ["A4.1"], "record_id": ["C2"], "takes": [True]}))
    planted = truth(denied=("A4.1", "gone", ["C2"], ["C4"]), twice=("A3.1", "once", ["C1"]))
    rows = run(count_faults(marks, table(FINAL, Claims), planted))
    assert {row["kind"]: row["paid_usd"] for row in rows} == {"denied": 7.0, "twice": 15.0, NO_FAULT: 0.0}


def test_without_a_truth_nothing_is_counted(table, run):
    marks = ibis.memtable(pd.DataFrame({"mark": ["A4.1"], "record_id": ["C2"], "takes": [True]}))
    assert run(count_faults(marks, table(FINAL, Claims), {})) == []


RAW = {
    "medical_claims": """\
        load_sequence | claim_id | person_id | claim_line_start_date | claim_line_end_date
        1             | C1       | P1        | 2015-01-01            | 2015-01-01
        2             | C2       | Q1        | 2015-01-05            | 2015-01-03
        3             | C3       | P1        | 2015-01-01            | 2015-01-01
        4             | C4       | P1        | 2015-01-01            | 2015-01-01
        """,
    "members": "person_id | birth_date\nP1 | 1980-01-01\nP1 | 1980-01-01\nP1 | 1982-01-01\nP2 | 1970-01-01",
    "eligibility": """\
        person_id | enrollment_start_date | enrollment_end_date | plan
        P1        | 2015-01-01            | 2015-06-30          | BHP
        P1        | 2015-05-01            | 2015-08-31          | BHP
        P2        | 2015-02-01            | 2015-01-01          | BHP
        P2        | 2015-02-01            | 2015-03-31          | BHP
        """,
    "navigator_log": """\
        log_id | person_id | program | contact_date | cells_unparsed
        N1     | P1        | RSN     | 2015-01-02   | 0
        N2     | U9        | CSP     | 2015-01-02   | 0
        """,
    "adjusted_lines": """\
        source_table   | load_sequence | rule_id | amount_rule_id | is_orphan_replacement
        medical_claims | 1             |         | A7.3           | false
        medical_claims | 3             | A5.3b   | A7.3           | false
        medical_claims | 4             |         |                | true
        """,
    "identity": """\
        source_person_id | person_id | valid_from | valid_to
        P1               | P1        | 1900-01-01 | 9999-12-31
        Q1               | P1        | 1900-01-01 | 9999-12-31
        P2               | P2        | 1900-01-01 | 9999-12-31
        """,
    "persons": "person_id | birth_date\nP1 | 1980-01-01\nP2 | 1970-01-01",
    "claims": """\
        claim_id | load_sequence | claim_type   | person_id | service_start_date | service_end_date | units_flag | discharge_source | discharge_status | is_near_duplicate | is_subcapitated | is_crossover | is_money_only
        C1       | 1             | professional | P1        | 2015-01-01         | 2015-01-01       | above_max  | line_end         | 01               | true              | false           | false        | false
        C2       | 2             | professional | P1        | 2015-01-03         | 2015-01-05       |            | header_end       | 30               | false             | true            | false        | false
        C4       | 4             | professional | P1        | 2014-12-31         | 2014-12-31       | scale_error |                 |                  | false             | false           | true         | true
        """,
    "rejected": "source_table | rule_id | claim_id\nmedical_claims | A5.3b | C3",
    "contacts": "person_id | program | is_contact\nP1 | RSN | true\nP1 | CSP | true\nP2 | RSN | true\nP2 | CSP | false",
    "spans": """\
        person_id | start_date | end_date   | retro_through_date | conflict_days
        P1        | 2015-01-01 | 2015-08-31 |                    | 0
        P2        | 2015-02-01 | 2015-03-31 | 2015-02-10         | 3
        """,
}


def test_every_mark_is_read_from_where_it_stands(table, run):
    found = run(mark_records({name: table(RAW[name], contract) for name, contract in MARKED_IN.items()}, "2018-03-31"))
    marks = {(row["mark"], row["record_id"]): row["takes"] for row in found}
    taken = {("A5.3b", "C3"), ("A7.3", "C1"), ("A1.2", "C2"), ("A5.4", "C4"), ("A2.3", "N2")}
    flagged = {("A6", "C1"), ("A10 maximum", "C1"), ("A10 scale", "C4"), ("A9 discharge", "C1"), ("A1.3", "C4")}
    flagged |= {("A9 swap", "C2"), ("A2.1", "C2"), ("A5.5 kept", "C4"), ("A12.7", "C4")}
    of_persons = {("A12.1", "P2"), ("A12.2 merged", "P1"), ("A12.2 disputed", "P2"), ("A12.4", "P2"), ("A2.5", "P1")}
    assert set(marks) == taken | flagged | of_persons | {("B8", "P1")}
    assert {pair for pair, takes in marks.items() if takes} >= {("A5.3b", "C3"), ("A7.3", "C1"), ("A1.2", "C2")}
    assert not any(marks[pair] for pair in flagged | of_persons)


SAID = {"A5.5 kept", "A6", "A1.3", "A10 scale", "A10 maximum", "A9 discharge", "A9 swap", "A2.1", "A12.7", "A12.1"}
SAID |= {"A12.2 disputed", "A12.2 merged", "A12.4", "A2.5", "B8", "A1.2", "A7.1", "A7.3", "A7.4", "A5.4"}
RULES = {"A1.1", "A2.3", "A2.4", "A3.1", "A3.2", "A4.1", "A4.2", "A5.3a", "A5.3b", "A5.5", "A5.6", "A8.3"}
RULES |= {f"A9.{number}" for number in range(1, 7)}


@pytest.mark.parametrize("kind", [*KINDS, *RECORD_KINDS, *NATURAL_KINDS])
def test_every_planted_kind_names_a_mark_the_pipeline_makes_or_none(kind):
    entry = {**KINDS, **RECORD_KINDS, **NATURAL_KINDS}[kind]
    assert entry.rule in SAID | RULES or (entry.rule is None and entry.outcome == "kept")
