"""Claims that are easily lost or counted twice: what one rule takes, another must not give back."""

from __future__ import annotations

import pytest

from claims_data import clean

SAME_DAY = """\
claim_id | claim_line_number | claim_type    | billing_npi | hcpcs_code | paid_amount | header_paid_amount | paid_date
HA       | 1                 | institutional | 1           | H0011      | 300         | 300                | 2022-02-01
HB       | 1                 | institutional | 1           | H0011      | 300         | 350                | 2022-02-02
HB       | 2                 | institutional | 1           | 99213      | 50          | 350                | 2022-02-02
"""
PER_DIEM = """\
claim_id | claim_line_number | claim_type    | billing_npi | hcpcs_code | paid_amount | header_paid_amount | source_file
RES      | 1                 | institutional | 2           | H0018      | 310         | 930                | res.txt
RES      | 2                 | institutional | 2           | H0018      | 310         | 930                | res.txt
RES      | 3                 | institutional | 2           | H0018      | 310         | 930                | res.txt
"""
DAYS = """\
claim_id | claim_line_number | billing_npi | hcpcs_code | paid_amount | claim_line_start_date
DA       | 1                 | 3           | H0011      | 310         | 2022-01-05
DA       | 2                 | 3           | H0011      | 310         | 2022-01-06
DB       | 1                 | 3           | 99213      | 20          | 2022-01-05
DB       | 2                 | 3           | H0011      | 310         | 2022-01-07
"""
NUMBERED = """\
claim_id | source_file | billing_npi | hcpcs_code | paid_amount | paid_date
V100-1   | v.txt       | 4           | 99213      | 50          | 2022-02-01
V100-2   | v.txt       | 4           | 90834      | 60          | 2022-02-01
V100-3   | v.txt       | 4           | H0004      | 70          | 2022-02-01
"""
RESENT = """\
claim_id | source_file | billing_npi | paid_amount | allowed_amount | paid_date
S100     | s_1.txt     | 5           | 100         | 100            | 2022-02-01
S100-1   | s_1.txt     | 5           | 80          | 100            | 2022-03-01
S100-1   | s_2.txt     | 5           | 80          | 100            | 2022-03-01
"""
CORRECTED = """\
claim_id | claim_line_number | source_file | billing_npi | hcpcs_code | paid_amount | service_unit_quantity | paid_date
PX       | 1                 | p.txt       | 6           | A1         | 10          | 1                     | 2022-02-01
PX       | 1                 | p.txt       | 6           | A1         | -10         | -1                    | 2022-03-01
PX       | 1                 | p.txt       | 6           | A1         | 12          | 1                     | 2022-03-01
"""
UNNAMED = """\
claim_id | adjustment_code | billing_npi | hcpcs_code | paid_amount | paid_date  | denied_flag
UA       |                 | 7           | 99213      | 100         | 2022-02-01 |
UB       |                 | 7           | 99213      | 0           | 2022-02-15 | true
UV       | void            | 7           | 99213      | -100        | 2022-03-01 |
"""
ENCOUNTER = """\
claim_id | claim_line_number | claim_type    | record_type | billing_npi | paid_amount | header_paid_amount | allowed_amount | ffs_equivalent_amount
EN       | 1                 | institutional | encounter   | 8           | 0           | 500                | 500            | 400
EN       | 2                 | institutional | encounter   | 8           | 0           | 500                | 0              | 60
"""
REPLACED = """\
claim_id | adjustment_code | original_claim_id | billing_npi | hcpcs_code | paid_amount | paid_date
NA       |                 |                   | 9           | H0011      | 100         | 2022-02-01
NR       | replacement     | NA                | 9           | H0011      | 90          | 2022-03-01
NB       |                 |                   | 9           | H0011      | 90          | 2022-02-15
"""
BY_LINE = """\
claim_id | claim_line_number | billing_npi | hcpcs_code | paid_amount | paid_date
LP       | 1                 | 10          | 99213      | 33          | 2022-02-01
LP       | 2                 | 10          | 99214      | 44          | 2022-02-08
LQ       | 1                 | 10          | 99215      | 55          | 2022-02-01
LQ       | 1                 | 10          | 99215      | 45          | 2022-03-01
"""


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    drawn = [SAME_DAY, PER_DIEM, DAYS, NUMBERED, RESENT, CORRECTED, UNNAMED, ENCOUNTER, REPLACED, BY_LINE]
    return clean(tmp_path_factory.mktemp("lost"), drawn, claim_end_date="2022-01-10")


@pytest.mark.parametrize(
    ("prefix", "final"),
    [
        pytest.param("H", [("HA", 300), ("HB", 50)], id="what a duplicate took does not come back by the header"),
        pytest.param("RES", [("RES", 310)] * 3, id="equal per diems that make up the header are no repeated header"),
        pytest.param("D", [("DA", 310), ("DA", 310), ("DB", 20), ("DB", 310)], id="another day is another service"),
        pytest.param(
            "V", [("V100-1", 50), ("V100-2", 60), ("V100-3", 70)], id="numbers paid together are no versions"
        ),
        pytest.param("S", [("S100-1", 80)], id="a version sent in two files is one version"),
        pytest.param("PX", [("PX", 12)], id="a credit and its correction on one day do not contradict each other"),
        pytest.param("U", [], id="a void that names nothing does not settle on a denial"),
        pytest.param("EN", [("EN", 0), ("EN", 500)], id="a line without a share of its header is not priced again"),
        pytest.param("N", [("NB", 90)], id="a replacement may bill a day again"),
        pytest.param("L", [("LP", 33), ("LP", 44), ("LQ", 45)], id="lines paid on different days are one claim"),
    ],
)
def test_what_stands(cleaned, prefix, final):
    found = cleaned.rows("claims", "claim_id", "cost_usd")
    assert [row for row in found if row[0].startswith(prefix)] == final


def test_the_ledger_of_all_of_them_ends_at_what_was_paid(cleaned):
    ledger = sum(usd for (usd,) in cleaned.rows("ledger", "signed_usd"))
    assert ledger == pytest.approx(sum(usd for (usd,) in cleaned.rows("claims", "paid_usd")))


def test_an_id_used_again_that_another_points_to_doubles_no_line(tmp_path):
    crosswalk = """\
    source_person_id | person_id | valid_from | valid_to
    W                | X         |            |
    X                | P         |            | 2022-01-31
    X                | Q         | 2022-02-01 |
    """
    text = "claim_id | person_id | paid_amount\n1 | X | 5"
    found = clean(tmp_path, text, members="person_id\nP\nQ", crosswalk=crosswalk)
    assert found.rows("claims", "person_id", "paid_usd") == [("P", 5)]
