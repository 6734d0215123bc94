"""How feeds write adjustments without codes, under one number, or by the payer's own flag; and ids used again."""

from __future__ import annotations

import pandas as pd
import pytest

from claims_data import clean
from ratebook.clean.quality import compare_final_action

SUFFIXED = """\
claim_id | source_file | paid_amount | paid_date  | allowed_amount | charge_amount
S100     | s_1.txt     | 100         | 2022-02-01 | 100            | 120
S100-1   | s_1.txt     | 80          | 2022-03-01 | 100            | 120
S100-2   | s_2.txt     | 90          | 2022-04-01 | 100            | 120
S200     | s_1.txt     | 200         | 2022-02-01 | 200            | 220
S200-1   | s_1.txt     | 0           | 2022-03-01 | 0              | 0
S300     | s_1.txt     | 300         | 2022-02-01 | 300            | 320
S300A1   | s_2.txt     | -300        | 2022-03-01 | -300           | -320
S400     | s_1.txt     | 40          | 2022-02-01 | 40             | 44
S500-1   | s_1.txt     | 50          | 2022-02-01 | 50             | 55
S600     | s_1.txt     | 60          | 2022-02-01 | 60             | 66
S600-1   | s_1.txt     | 0           | 2022-03-01 | 60             | 66
"""
PAIRS = """\
claim_id | source_file | hcpcs_code | paid_amount | paid_date  | service_unit_quantity
P1       | p_1.txt     | A1         | 10          | 2022-02-01 | 1
P2       | p_1.txt     | A1         | 10          | 2022-02-03 | 1
N1       | p_2.txt     | A1         | -10         | 2022-02-05 | -1
P3       | p_2.txt     | A1         | 10          | 2022-02-07 | 1
N2       | p_2.txt     | B1         | -20         | 2022-02-05 | -1
P4       | p_2.txt     | B1         | 20          | 2022-02-08 | 1
N3       | p_2.txt     | B1         | -20         | 2022-02-09 | -1
P5       | p_2.txt     | C1         | 30          | 2022-02-08 | 2
N4       | p_2.txt     | C1         | -30         | 2022-02-09 | -1
P6       | p_2.txt     | D1         | 40          | 2022-02-08 | 1
N5       | p_2.txt     | D1         | -40         | 2022-02-08 | -1
"""
CODED = """\
claim_id | source_file | adjustment_code | original_claim_id | paid_amount | paid_date  | claim_start_date | billing_npi
I1       | i_1.txt     |                 |                   | 100         | 2022-02-01 | 2022-01-05       | 77
I1       | i_1.txt     | replacement     |                   | 90          | 2022-03-01 | 2022-01-05       | 77
I2       | i_1.txt     |                 |                   | 50          | 2022-02-01 | 2022-01-06       | 77
I2       | i_1.txt     | void            |                   | 50          | 2022-03-01 | 2022-01-06       | 77
F1       | f_1.txt     |                 |                   | 200         | 2022-02-01 | 2022-01-07       | 88
F1V      | f_1.txt     | void            |                   | 200         | 2022-03-01 | 2022-01-07       | 88
F2       | f_1.txt     |                 |                   | 70          | 2022-02-01 | 2022-01-08       | 88
F3       | f_1.txt     | void            |                   | 70          | 2022-03-01 | 2022-01-08       | 99
F4       | f_1.txt     |                 |                   | 30          | 2022-02-01 | 2022-01-09       | 88
F5       | f_1.txt     | replacement     | F4                | 25          | 2022-03-01 | 2022-01-09       | 88
F6       | f_1.txt     | replacement     | F5                | 20          | 2022-04-01 | 2022-01-09       | 88
"""


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    return clean(tmp_path_factory.mktemp("feeds"), [SUFFIXED, PAIRS, CODED], claim_end_date="2022-01-10")


def finals(cleaned, prefix: str) -> dict[str, float]:
    return {claim: paid for claim, paid in cleaned.rows("claims", "claim_id", "paid_usd") if claim.startswith(prefix)}


def test_each_feed_is_told_by_its_records(cleaned):
    styles = {feed: style for feed, style in cleaned.rows("styles", "feed", "style")}
    assert styles == {"s_#.txt": "suffix", "p_#.txt": "debit_credit", "i_#.txt": "same_id", "f_#.txt": "coded"}


def test_of_versions_by_suffix_the_last_stands_and_one_of_nothing_is_a_void(cleaned):
    kept = {"S100-2": 90, "S400": 40, "S500-1": 50, "S600-1": 0}
    assert finals(cleaned, "S") == kept, "a version that still allows money is paid by someone else, and no void"


def test_a_credit_takes_back_the_latest_equal_debit_before_it(cleaned):
    assert finals(cleaned, "P") == {"P1": 10, "P3": 10, "P5": 30}
    taken = {claim: rule for claim, rule in cleaned.rows("rejected", "claim_id", "rule_id") if claim[0] in "PN"}
    pairs = dict.fromkeys(["P2", "N1", "P4", "N3", "P6", "N5"], "A5.6")
    assert taken == {**pairs, "N2": "A8.3", "N4": "A8.3"}, "a credit of more units, or before its debit, is none"


def test_the_ledger_dates_what_a_credit_takes_back_by_the_credit(cleaned):
    entries = cleaned.rows("ledger", "claim_id", "entry", "signed_usd", "paid_date")
    assert [(*entry[:3], str(entry[3])) for entry in entries if entry[0] in ("P2", "N1")] == [
        ("P2", "payment", 10.0, "2022-02-03"),
        ("P2", "reversal", -10.0, "2022-02-05"),
    ]


def test_a_coded_record_may_keep_the_number_of_what_it_adjusts(cleaned):
    assert finals(cleaned, "I") == {"I1": 90}


def test_a_void_that_names_no_claim_finds_it_by_person_provider_and_days(cleaned):
    assert finals(cleaned, "F") == {"F2": 70, "F6": 20}, "a void of another provider finds nothing, and is an orphan"
    assert ("F3", "A5.5") in cleaned.rows("rejected", "claim_id", "rule_id")


def test_what_the_config_says_of_a_feed_is_believed(tmp_path):
    found = clean(tmp_path, SUFFIXED, feed_styles={"s_#.txt": "none"})
    assert len(finals(found, "S")) == 10, "every number is a claim of its own; the negative one is unexplained"
    assert {row[0] for row in found.rows("styles", "is_configured")} == {True}


FLAGGED = """\
claim_id | adjustment_code | original_claim_id | paid_amount | paid_date  | final_action_flag
A        |                 |                   | 100         | 2022-02-01 | false
B        | replacement     | A                 | 90          | 2022-03-01 | true
C        |                 |                   | 50          | 2022-02-01 | false
D        |                 |                   | 60          | 2022-02-01 | true
E        | replacement     | D                 | 65          | 2022-03-01 | true
G        |                 |                   | 10          | 2022-02-01 |
"""


@pytest.mark.parametrize(
    ("believed", "final", "rules"),
    [
        pytest.param(True, {"B": 90, "D": 60, "E": 65, "G": 10}, {"A": "A5.3b", "C": "A5.7"}, id="the payer's word"),
        pytest.param(False, {"B": 90, "C": 50, "E": 65, "G": 10}, {"A": "A5.3b", "D": "A5.3b"}, id="the records'"),
    ],
)
def test_the_payers_flag_decides_where_it_is_believed(tmp_path, believed, final, rules):
    found = clean(tmp_path, FLAGGED, use_final_action_flag=believed)
    assert dict(found.rows("claims", "claim_id", "paid_usd")) == final
    assert dict(found.rows("rejected", "claim_id", "rule_id")) == rules
    told = compare_final_action(found.tally)
    assert told["final_action_flagged"] == 5
    assert (told["final_action_differing"], told["final_action_differing_usd"]) == (2, 110.0)
    # By hand: both say 3 of 5 are final and agree on 3 of 5; by chance they would on 0.36 + 0.16.
    assert told["final_action_kappa"] == pytest.approx((0.6 - 0.52) / 0.48)


def test_without_a_flag_there_is_nothing_to_compare():
    empty = pd.DataFrame({"rule_id": [None], "final_action_flag": [None], "stands_by_records": [True], "rows": [3]})
    assert compare_final_action(empty.assign(raw_usd=1.0))["final_action_kappa"] is None


PEOPLE = "person_id\nP\nQ"
CROSSWALK = """\
source_person_id | person_id | valid_from | valid_to
X                | P         |            | 2022-01-31
X                | Q         | 2022-02-01 |
Y                | P         |            | 2022-02-01
Y                | Q         | 2022-02-01 |
Z                | P         | 2022-03-01 |
"""


@pytest.mark.parametrize(
    ("source_id", "day", "person"),
    [
        pytest.param("X", "2022-01-31", "P", id="last day of the first owner"),
        pytest.param("X", "2022-02-01", "Q", id="first day of the second"),
        pytest.param("Y", "2022-01-05", None, id="an id of two persons on one day is followed to neither"),
        pytest.param("Z", "2022-01-05", "P", id="an id of one person is theirs at any time"),
    ],
)
def test_an_id_belongs_to_whom_it_belonged_on_the_day(tmp_path, source_id, day, person):
    text = f"claim_id | person_id | claim_start_date | paid_amount\n1 | {source_id} | {day} | 5"
    found = clean(tmp_path, text, members=PEOPLE, crosswalk=CROSSWALK)
    assert found.rows("claims", "person_id") == ([(person,)] if person else [])
