"""What is counted over the large tables for the checklist: each error is planted, and counted."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.contracts.clean import Claims
from ratebook.review.facts import COUNTED_IN, check_claims

LINES = """\
    claim_id | family_id | line_number | load_sequence | person_id | record_type | category | hcpcs_code | service_start_date | paid_usd | cost_usd | units_flag
    C1       | C1        | 1           | 1             | A         | ffs         | WM_RES   | H0011      | 2015-01-01         | 300.00   | 300.00   |
    C2       | C2        | 1           | 2             | A         | ffs         | OTHER    | X9999      | 2015-01-02         | 100.00   | 100.00   | above_max
    """
TABLES = {
    "medical_claims": """\
        load_sequence | source_file | header_paid_amount | paid_amount
        1             | a_2015.txt  | 300.00             | 300.00
        2             | a_2015.txt  | 100.00             | 100.00
        3             | a_2016.txt  | 300.00             | 300.00
        4             | b_2015.txt  | 300.00             | 300.00
        """,
    "pharmacy_claims": "load_sequence",
    "capitation_payments": "person_id | coverage_month | amount\na1 | 2015-01-01 | 60.00",
    "identity": "source_person_id | person_id | valid_from | valid_to\na1 | A | 1900-01-01 | 9999-12-31",
    "cash_ledger": "record_type | signed_usd\nffs | 400.00\nsupplemental | 25.00",
    "spans": "person_id | start_date | end_date\nA | 2015-01-01 | 2015-01-31",
    "member_months": """\
        person_id | service_month | dual_group | mm_fractional | is_retro
        A         | 2015-01-01    | full       | 0.25          | false
        B         | 2015-01-01    | none       | 0.75          | true
        """,
    "episodes": "person_id | days_to_next\nA | 2",
    "cohort": "person_id | discharge_date\nA | 2014-12-31",
    "continuity": "person_id | window_days | is_continued\nA | 14 | false",
}
SETTINGS = {
    "episode_gap_days": 1, "window_start": "2014-01-01", "window_end": "2015-12-31",
    "base_start": "2015-01-01", "base_end": "2015-12-31", "mm_rule": "fractional",
}  # fmt: skip


@pytest.fixture
def facts(table, run):
    def count(lines=LINES, **drawn):
        constants = {} if "is_money_only" in lines else {"is_money_only": "false"}
        constants |= {} if "claim_type" in lines else {"claim_type": "professional"}
        drawn = {**TABLES, **drawn}
        found = {name: table(drawn[name], contract) for name, contract in COUNTED_IN.items() if name in drawn}
        found["claims"] = table(lines, Claims, **constants)
        return {row["fact"]: row["value"] for row in run(check_claims(found, SETTINGS))}

    return count


def test_shares_are_of_dollars_and_of_member_months(facts):
    found = facts()
    assert found["unmapped_share"] == pytest.approx(0.25)
    assert found["flagged_units_share"] == pytest.approx(0.25)
    assert found["full_dual_share"] == pytest.approx(0.25)
    assert found["claims_usd"] == 400.0
    assert found["ledger_served_usd"] == 400.0
    assert found["ledger_usd"] == 425.0


def test_a_clean_table_holds_no_line_twice(facts):
    assert facts()["lines_kept_twice"] == 0
    assert facts()["lines_brought_twice"] == 0
    assert facts()["near_duplicates"] == 0


def test_an_original_kept_beside_its_replacement_is_counted(facts):
    again = "C3 | C1 | 1 | 3 | A | ffs | WM_RES | H0011 | 2015-01-01 | 310.00 | 310.00 |\n"
    assert facts(LINES + again)["lines_kept_twice"] == 1


def test_a_gross_adjustment_beside_its_service_is_money_and_no_second_service(facts):
    money = LINES.splitlines()[0] + " | is_money_only"
    rows = [f"{row} | false" for row in LINES.splitlines()[1:] if row.strip()]
    again = "C3 | C1 | 1 | 3 | A | ffs | WM_RES | H0011 | 2015-01-01 | -10.00 | -10.00 | | true"
    assert facts("\n".join([money, *rows, again]))["lines_kept_twice"] == 0


def test_the_same_service_under_another_number_is_a_near_duplicate(facts):
    again = "D1 | D1 | 1 | 3 | A | ffs | WM_RES | H0011 | 2015-01-01 | 300.00 | 300.00 |\n"
    assert facts(LINES + again)["near_duplicates"] == 1
    assert facts(LINES + again)["lines_brought_twice"] == 0


def test_the_same_claim_from_two_feeds_is_brought_twice(facts):
    again = "C1 | C1 | 1 | 3 | A | ffs | WM_RES | H0011 | 2015-01-01 | 300.00 | 300.00 |\n"
    assert facts(LINES + again)["lines_brought_twice"] == 1


@pytest.mark.parametrize(("gap", "readmissions"), [(0, 1), (1, 1), (2, 0)])
def test_a_return_within_the_gap_is_no_readmission(facts, gap, readmissions):
    assert facts(episodes=f"person_id | days_to_next\nA | {gap}")["readmissions_within_gap"] == readmissions


def test_empty_tables_give_null_shares_and_zero_counts(facts):
    found = facts(LINES.splitlines()[0] + "\n")
    assert found["claim_lines"] == 0
    assert found["unmapped_share"] is None


def test_an_original_beside_its_replacement_is_a_family_of_two_records(facts):
    again = "C3 | C1 | 2 | 3 | A | ffs | WM_RES | H0011 | 2015-01-05 | 310.00 | 310.00 |\n"
    assert facts()["families_of_two_records"] == 0
    assert facts(LINES + again)["families_of_two_records"] == 1
    assert facts(LINES + again)["lines_kept_twice"] == 0


@pytest.mark.parametrize(
    ("column", "cell", "denied"),
    [
        pytest.param("denied_flag", "true", 1, id="the claim is denied"),
        pytest.param("claim_status_code", "F2", 1, id="the claim's status says so"),
        pytest.param("line_status_code", "542", 1, id="the line's status says so"),
        pytest.param("line_status_code", "1", 0, id="any other status passes"),
    ],
)
def test_a_final_line_whose_raw_row_was_denied_is_counted(facts, column, cell, denied):
    raw = f"load_sequence | {column}\n1 | {cell}\n2 |"
    assert facts(medical_claims=raw)["denied_lines"] == denied


def test_a_void_among_the_final_lines_is_counted(facts):
    assert facts()["void_lines"] == 0
    assert facts(medical_claims="load_sequence | adjustment_code\n1 | void\n2 | original")["void_lines"] == 1


def test_header_and_lines_both_summed_are_twice_the_header(facts):
    found = facts()
    assert (found["header_usd"], found["headed_final_usd"], found["header_equals_lines_share"]) == (400, 400, 1)
    assert facts(LINES.replace("300.00   | 300.00", "600.00   | 600.00"))["headed_final_usd"] == 700


@pytest.mark.parametrize(
    ("sequence", "feeds"), [pytest.param(3, 0, id="next year's file of the feed"), pytest.param(4, 1, id="another")]
)
def test_the_same_service_in_two_feeds_is_counted(facts, sequence, feeds):
    again = f"D1 | D1 | 1 | {sequence} | A | ffs | WM_RES | H0011 | 2015-01-01 | 300.00 | 300.00 |\n"
    assert facts(LINES + again)["services_in_two_feeds"] == feeds


@pytest.mark.parametrize(
    ("code", "usd", "months"),
    [
        pytest.param("", "60.00", 1, id="the capitation itself"),
        pytest.param("", "61.00", 0, id="other dollars"),
        pytest.param("99213", "60.00", 0, id="a service of the same price"),
    ],
)
def test_capitation_among_cost_is_counted(facts, code, usd, months):
    line = f"C9 | C9 | 1 | 3 | A | ffs | OTHER | {code} | 2015-01-20 | {usd} | {usd} |\n"
    assert facts(LINES + line)["capitation_months_in_cost"] == months


def uses(code, lines_by_month):
    """Draw so many lines of a code in each month from January 2014."""
    months = pd.date_range("2014-01-01", periods=len(lines_by_month), freq="MS")
    return "".join(
        f"{code}{n}-{k} | {code}{n}-{k} | 1 | 9 | A | ffs | OTHER | {code} | {month.date()} | 1.00 | 1.00 |\n"
        for n, (month, lines) in enumerate(zip(months, lines_by_month))
        for k in range(lines)
    )


@pytest.mark.parametrize(
    ("lines", "jumps"),
    [
        pytest.param([10] * 24, 0, id="a steady code"),
        pytest.param([10] * 18 + [0] * 6, 1, id="a code that is no longer billed"),
        pytest.param([0] * 15 + [10] * 9, 1, id="a code that begins"),
        pytest.param([10] * 12 + [18] * 12, 0, id="less than twice as many"),
        pytest.param([10] * 18 + [22] * 6, 1, id="more than twice as many"),
        pytest.param([1] * 18 + [4] * 6, 0, id="too few lines to say"),
        pytest.param([0] * 3 + [10] * 21, 0, id="a code that begins in the study's first year"),
    ],
)
def test_a_code_whose_use_jumps_is_found(facts, lines, jumps):
    assert facts(LINES.splitlines()[0] + "\n" + uses("T1", lines))["jumping_codes"] == jumps


@pytest.mark.parametrize(
    ("episodes", "within", "still"),
    [
        pytest.param("A | 2 | 01", 0, 0, id="two days after a discharge: a readmission"),
        pytest.param("A | 1 | 01", 1, 0, id="the day after: a transfer"),
        pytest.param("A | 30 | 30", 0, 1, id="still a patient, back within 30 days: one stay, cut in two"),
        pytest.param("A | 31 | 30", 0, 0, id="31 days after: another stay"),
        pytest.param("A |  | 30", 0, 0, id="still a patient, and no other episode"),
    ],
)
def test_transfers_and_cut_stays_are_no_readmissions(facts, episodes, within, still):
    found = facts(episodes=f"person_id | days_to_next | discharge_status\n{episodes}")
    assert (found["readmissions_within_gap"], found["readmissions_of_inpatients"]) == (within, still)


@pytest.mark.parametrize(
    ("category", "level", "alone"),
    [
        pytest.param("OP_SUD", "", 0, id="outpatient treatment"),
        pytest.param("NAVIGATOR", "", 1, id="a visit of the navigator"),
        pytest.param("WM_RES", "", 1, id="another detoxification"),
        pytest.param("OP_SUD", "WM_OP", 1, id="an ambulatory one, billed as outpatient"),
    ],
)
def test_care_that_was_the_navigator_or_detoxification_alone_is_counted_once_a_member(facts, category, level, alone):
    lines = f"""\
        claim_id | line_number | load_sequence | person_id | record_type | category   | level   | service_start_date | paid_usd
        C1       | 1           | 1             | A         | ffs         | {category} | {level} | 2015-01-05         | 1.00
        C2       | 1           | 2             | A         | ffs         | OP_SUD     |         | 2015-01-06         | 1.00
        C3       | 1           | 3             | B         | ffs         | OP_SUD     |         | 2015-01-05         | 1.00
        """
    waits = "person_id | window_days | is_continued | days_to_service\nA | 7 | true | 5\nA | 14 | true | 5"
    assert facts(lines, continuity=waits)["continued_by_treatment_alone"] == alone


def test_coverage_is_added_up_twice_and_the_bases_retroactive_months_once(facts):
    found = facts()
    assert found["eligible_days"] == 31
    assert found["fractional_member_months"] == 1
    assert found["retro_base_months"] == 0.75
    assert facts(member_months=TABLES["member_months"].replace("2015-01", "2014-12"))["retro_base_months"] == 0
