"""What is counted over the large tables for the checklist."""

from __future__ import annotations

import pytest

from ratebook.contracts.clean import CashLedger, Claims
from ratebook.contracts.episodes import Episodes
from ratebook.contracts.exposure import MemberMonths
from ratebook.review.facts import check_claims

LINES = """\
    claim_id | family_id | line_number | person_id | record_type | category | hcpcs_code | service_start_date | paid_usd | cost_usd | units_flag
    C1       | C1        | 1           | A         | ffs         | WM_RES   | H0011      | 2015-01-01         | 300.00   | 300.00   |
    C2       | C2        | 1           | A         | ffs         | OTHER    | X9999      | 2015-01-02         | 100.00   | 100.00   | above_max
    """


@pytest.fixture
def facts(table, run):
    def count(lines=LINES, episodes="person_id | days_to_next\nA | 2"):
        ledger = table("record_type | signed_usd\nffs | 400.00\nsupplemental | 25.00", CashLedger)
        months = table("dual_group | mm_fractional\nfull | 0.25\nnone | 0.75", MemberMonths)
        found = check_claims(
            table(lines, Claims, **({} if "is_money_only" in lines else {"is_money_only": "false"})),
            ledger,
            months,
            table(episodes, Episodes),
            episode_gap_days=1,
        )
        return {row["fact"]: row["value"] for row in run(found)}

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
    again = "C3 | C1 | 1 | A | ffs | WM_RES | H0011 | 2015-01-01 | 310.00 | 310.00 |\n"
    assert facts(LINES + again)["lines_kept_twice"] == 1


def test_a_gross_adjustment_beside_its_service_is_money_and_no_second_service(facts):
    money = LINES.splitlines()[0] + " | is_money_only"
    rows = [f"{row} | false" for row in LINES.splitlines()[1:] if row.strip()]
    again = "C3 | C1 | 1 | A | ffs | WM_RES | H0011 | 2015-01-01 | -10.00 | -10.00 | | true"
    assert facts("\n".join([money, *rows, again]))["lines_kept_twice"] == 0


def test_the_same_service_under_another_number_is_a_near_duplicate(facts):
    again = "D1 | D1 | 1 | A | ffs | WM_RES | H0011 | 2015-01-01 | 300.00 | 300.00 |\n"
    assert facts(LINES + again)["near_duplicates"] == 1
    assert facts(LINES + again)["lines_brought_twice"] == 0


def test_the_same_claim_from_two_feeds_is_brought_twice(facts):
    again = "C1 | C1 | 1 | A | ffs | WM_RES | H0011 | 2015-01-01 | 300.00 | 300.00 |\n"
    assert facts(LINES + again)["lines_brought_twice"] == 1


@pytest.mark.parametrize(("gap", "readmissions"), [(0, 1), (1, 1), (2, 0)])
def test_a_return_within_the_gap_is_no_readmission(facts, gap, readmissions):
    assert facts(episodes=f"person_id | days_to_next\nA | {gap}")["readmissions_within_gap"] == readmissions


def test_empty_tables_give_null_shares_and_zero_counts(facts):
    found = facts(LINES.splitlines()[0] + "\n")
    assert found["claim_lines"] == 0
    assert found["unmapped_share"] is None
