"""Every limit of cleaning (methods.md, A) that no other test stands at: at it, below it, above it.

Chains of adjustments, swapped dates, births, deaths, payment and extract dates, and professional spans have their
limits in test_final_action_rules.py; control totals, large negatives and rejected shares in test_quality.py.
"""

import pytest

import claims_data
from ratebook.clean.attrition import FAULTS
from ratebook.clean.lines import DENIED_STATUS

DENIALS = ("26", "026", "87", "087", "542", "585", "654", "F2")
PASSES = ("", "25", "0026", "541", "543", "F1", "F", "1")


def denials() -> str:
    """Draw a claim per status, as the header's and as the line's."""
    rows = ["claim_id | claim_status_code | line_status_code | denied_flag | record_type"]
    rows += [f"HEAD-{code or 'NULL'} | {code} | | |" for code in (*DENIALS, *PASSES)]
    rows += [f"LINE-{code or 'NULL'} | | {code} | |" for code in (*DENIALS, *PASSES)]
    rows += ["FLAG-TRUE | | | true |", "FLAG-FALSE | | | false |", "TYPE-Z | | | | denied"]
    rows += [f"TYPE-{kind} | | | | {kind}" for kind in ("ffs", "encounter", "capitation", "supplemental", "other")]
    return "\n".join(row + (" | paid_amount" if n == 0 else " | 1") for n, row in enumerate(rows))


TIES = """\
    claim_id | adjustment_code | original_claim_id | paid_date  | paid_amount | claim_status_code
    ORDER-1  | replacement     | ORDER-2           | 2022-03-01 | 10        |
    ORDER-2  | original        |                   | 2022-03-01 | 20        |
    KIND-1   | replacement     | KIND-2            | 2022-03-01 | 10        |
    KIND-2   | resubmission    | KIND-3            | 2022-03-01 | 20        |
    KIND-3   | original        |                   | 2022-03-01 | 30        |
    LOAD-1   | original        |                   | 2022-03-01 | 10        |
    LOAD-2   | replacement     | LOAD-1            | 2022-04-01 | 20        |
    LOAD-3   | replacement     | LOAD-1            | 2022-04-01 | 30        |
    DAY-1    | original        |                   | 2022-03-01 | 10        |
    DAY-2    | replacement     | DAY-1             | 2022-03-03 | 20        |
    DAY-3    | replacement     | DAY-1             | 2022-03-02 | 30        |
    NODATE-1 | original        |                   |            | 10        |
    NODATE-2 | replacement     | NODATE-1          |            | 20        |
    NODATE-3 | void            | NODATE-1          |            | -10       |
    ALIVE-1  | original        |                   | 2022-03-01 | 10        |
    ALIVE-2  | void            | ALIVE-1           | 2022-04-01 | -10       |
    ALIVE-3  | replacement     | ALIVE-1           | 2022-04-02 | 30        |
    DENIED-1 | original        |                   | 2022-03-01 | 10        |
    DENIED-2 | replacement     | DENIED-1          | 2022-04-01 | 20        |
    DENIED-3 | replacement     | DENIED-1          | 2022-05-01 | 30        | F2
    """
HEADERS = """\
    claim_id | claim_line_number | claim_type    | header_paid_amount | paid_amount
    CENT-0   | 1                 | institutional | 100.00             | 60.00
    CENT-0   | 2                 | institutional | 100.00             | 40.00
    CENT-1   | 1                 | institutional | 100.01             | 60.00
    CENT-1   | 2                 | institutional | 100.01             | 40.00
    CENT-2   | 1                 | institutional | 100.02             | 60.00
    CENT-2   | 2                 | institutional | 100.02             | 40.00
    LESS-1   | 1                 | institutional | 99.99              | 60.00
    LESS-1   | 2                 | institutional | 99.99              | 40.00
    LESS-2   | 1                 | institutional | 99.98              | 60.00
    LESS-2   | 2                 | institutional | 99.98              | 40.00
    ONCE     | 1                 | institutional | 0.01               | 0.00
    TWICE    | 1                 | institutional | 0.02               | 0.00
    """
AMOUNTS = """\
    claim_id | paid_amount | adjustment_code
    ZERO     | 0.00        |
    CENT     | 0.01        |
    MINUS    | -0.01       |
    CREDIT   | -0.01       | gross_credit
    """
DATES = """\
    claim_id  | claim_type    | person_id | claim_start_date | claim_end_date | claim_line_start_date | claim_line_end_date | hcpcs_code
    BARE      | professional  |           |                  |                |                       |                     |
    ENDS      | professional  |           |                  | 2022-01-07     |                       |                     |
    STARTS    | professional  |           | 2022-01-07       |                |                       |                     |
    LINE      | professional  |           | 2022-01-05       | 2022-01-09     | 2022-01-07            | 2022-01-08          |
    BOTH      | professional  |           | 2022-01-05       | 2022-01-05     |                       |                     |
    STAY-548  | institutional |           | 2021-01-01       | 2022-07-02     |                       |                     |
    STAY-549  | institutional |           | 2021-01-01       | 2022-07-03     |                       |                     |
    CHAIR-31  | professional  | DEAD      | 2022-04-01       | 2022-04-01     |                       |                     | E1130
    VISIT-31  | professional  | DEAD      | 2022-04-01       | 2022-04-01     |                       |                     | 99213
    VISIT-0   | professional  | DEAD      | 2022-03-01       | 2022-03-01     |                       |                     | 99213
    """
UNITS = """\
    claim_id | hcpcs_code | hcpcs_modifier_1 | service_unit_quantity | paid_amount
    MOST     | H2015      |                  | 32                    | 480
    OVER     | H2015      |                  | 33                    | 495
    PART     | H2015      |                  | 32.0001               | 480
    CASE-1   | H2015      | HF               | 1                     | 150
    CASE-2   | H2015      | HF               | 2                     | 300
    NIGHT-1  | H0011      |                  | 1                     | 7
    NIGHT-2  | H0011      |                  | 2                     | 14
    CARE-96  | T1019      |                  | 96                    | 960
    CARE-97  | T1019      |                  | 97                    | 970
    NONE-0   | H0011      |                  | 0                     | 7
    UNSAID   | H0011      |                  |                       | 8
    """


def scales() -> str:
    """Draw a provider whose price of a unit is $15, and lines at the edges of a quarter around a tenth and a fifteenth."""
    edges = {
        "TIMES-15": "30 | 30",
        "MOST-15": "37.5 | 30",
        "ABOVE-15": "37.6 | 30",
        "LEAST-15": "22.5 | 30",
        "BELOW-15": "22.4 | 30",
        "LEAST-10": "15 | 30",
        "BELOW-10": "14.9 | 30",
        "HALF": "4 | 30",
    }
    rows = ["claim_id | hcpcs_code | service_unit_quantity | paid_amount | billing_npi | claim_start_date"]
    rows += [f"USUAL-{n} | H0004 | 2 | 30 | N | 2022-03-{n:02d}" for n in range(1, 21)]
    rows += [f"{claim} | H0004 | {cells} | N | 2022-04-{n:02d}" for n, (claim, cells) in enumerate(edges.items(), 1)]
    return "\n".join(rows)


def repeating(same: int, of: int, file: str) -> str:
    """Draw institutional claims of two lines, so many of them with one amount on both."""
    rows = ["claim_id | claim_line_number | claim_type | source_file | paid_amount"]
    for n in range(of):
        first, second = (100, 100) if n < same else (100, 50)
        rows += [f"{file}-{n:02d} | 1 | institutional | {file} | {first}"]
        rows += [f"{file}-{n:02d} | 2 | institutional | {file} | {second}"]
    return "\n".join(rows)


def numbered(text: str) -> str:
    """Give every line the number 1 where none is drawn, on days that keep claims of one service apart."""
    head, *rows = [row for row in text.strip().splitlines() if row.strip()]
    if "claim_line_number" not in head:
        head, rows = head + " | claim_line_number", [row + " | 1" for row in rows]
    return "\n".join([head, *rows])


MEMBERS = """\
    person_id | birth_date | death_date
    P         |            |
    DEAD      |            | 2022-03-01
    """
PARTS = [denials(), TIES, HEADERS, AMOUNTS, UNITS, scales(), repeating(19, 20, "at"), repeating(18, 20, "under")]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    parts = [numbered(part) for part in PARTS]
    return claims_data.clean(tmp_path_factory.mktemp("limits"), parts, members=MEMBERS, extract_date="2022-12-31")


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """Lines on the days that are drawn, and on no other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(claims_data.LINE, "claim_start_date")
        return claims_data.clean(tmp_path_factory.mktemp("dates"), numbered(DATES), members=MEMBERS)


@pytest.fixture(scope="module")
def rules(cleaned):
    return dict(cleaned.rows("rejected", "claim_id", "rule_id"))


@pytest.fixture(scope="module")
def paid(cleaned):
    found = {}
    for claim, _line, usd in cleaned.rows("claims", "claim_id", "line_number", "paid_usd"):
        found.setdefault(claim, []).append(usd)
    return found


def test_the_codes_of_denial_are_those_of_the_method():
    assert set(DENIED_STATUS) == set(DENIALS)


@pytest.mark.parametrize("code", DENIALS)
def test_a_status_of_denial_takes_the_claim_or_the_line(rules, code):
    assert (rules.get(f"HEAD-{code}"), rules.get(f"LINE-{code}")) == ("A4.1", "A4.2")


@pytest.mark.parametrize("code", PASSES, ids=lambda code: code or "null")
def test_any_other_status_and_none_pass(paid, code):
    assert {f"HEAD-{code or 'NULL'}", f"LINE-{code or 'NULL'}"} <= set(paid)


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        ("FLAG-TRUE", "A4.1"),
        ("FLAG-FALSE", None),
        ("TYPE-Z", "A4.1"),
        ("TYPE-ffs", None),
        ("TYPE-encounter", None),
        ("TYPE-capitation", "A1.1"),
        ("TYPE-supplemental", "A1.1"),
        ("TYPE-other", "A1.1"),
    ],
)
def test_what_a_record_is_decides_whether_it_is_a_service(rules, claim, rule):
    assert rules.get(claim) == rule


@pytest.mark.parametrize(
    ("family", "final"),
    [
        pytest.param("ORDER", {"ORDER-1": [10]}, id="of one day the replacement is later, though loaded first"),
        pytest.param("KIND", {"KIND-1": [10]}, id="of one day: original, resubmission, replacement"),
        pytest.param("LOAD", {"LOAD-3": [30]}, id="of one day and kind the one loaded last"),
        pytest.param("DAY", {"DAY-2": [20]}, id="the day of payment comes before the order of load"),
        pytest.param("NODATE", {}, id="without dates the kind decides, and the void is last"),
        pytest.param("ALIVE", {"ALIVE-3": [30]}, id="a replacement after a void stands"),
        pytest.param(
            "DENIED", {"DENIED-2": [20]}, id="when the last is denied, the one before it that was not undone"
        ),
    ],
)
def test_which_record_of_a_family_is_the_last(paid, family, final):
    assert {claim: usd for claim, usd in paid.items() if claim.startswith(family + "-")} == final


@pytest.mark.parametrize(
    ("claim", "usd"),
    [
        pytest.param("CENT-0", [60, 40], id="header and lines agree"),
        pytest.param("CENT-1", [60, 40], id="a cent more, the tolerance: the lines stand"),
        pytest.param("CENT-2", [60.01, 40.01], id="two cents more: the header is spread"),
        pytest.param("LESS-1", [60, 40], id="a cent less: the lines stand"),
        pytest.param("LESS-2", [59.99, 39.99], id="two cents less: the header is spread"),
        pytest.param("ONCE", [0], id="a header of one cent over unpaid lines is within the tolerance"),
        pytest.param("TWICE", [0.02], id="one of two cents is not"),
    ],
)
def test_header_and_lines_may_differ_by_a_cent(paid, claim, usd):
    assert paid[claim] == usd


def test_from_the_limit_on_the_amounts_of_a_file_are_its_headers(paid):
    at = [usd for claim, usd in sorted(paid.items()) if claim.startswith("at-")]
    assert at == [[50, 50]] * 19 + [[100, 50]]


def test_below_it_each_claim_is_judged_by_itself(paid):
    under = [usd for claim, usd in sorted(paid.items()) if claim.startswith("under-")]
    assert under == [[100, 100]] * 18 + [[100, 50]] * 2


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        pytest.param("ZERO", None, id="a claim paid nothing is a service"),
        pytest.param("CENT", None, id="a cent"),
        pytest.param("MINUS", "A8.3", id="a cent too little, and no cause"),
        pytest.param("CREDIT", None, id="a cent too little, and a cause"),
    ],
)
def test_an_amount_below_zero_needs_a_cause(rules, paid, claim, rule):
    assert (rules.get(claim), claim in paid) == (rule, rule is None)


@pytest.mark.parametrize(
    ("claim", "units", "flag"),
    [
        pytest.param("MOST", 32, None, id="the plausible most"),
        pytest.param("OVER", 32, "above_max", id="one more"),
        pytest.param("PART", 32, "above_max", id="the least bit more"),
        pytest.param("CASE-1", 1, None, id="one case rate a month"),
        pytest.param("CASE-2", 1, "above_max", id="two"),
        pytest.param("NIGHT-1", 1, None, id="a night a day"),
        pytest.param("NIGHT-2", 1, "above_max", id="two nights a day"),
        pytest.param("CARE-96", 96, None, id="every quarter of an hour of a day"),
        pytest.param("CARE-97", 96, "above_max", id="one more than a day has"),
        pytest.param("NONE-0", 0, None, id="no unit"),
        pytest.param("UNSAID", None, None, id="units not said"),
        pytest.param("TIMES-15", 2, "scale_error", id="minutes for quarters of an hour"),
        pytest.param("MOST-15", 2.5, "scale_error", id="a quarter more than that, the limit"),
        pytest.param("ABOVE-15", 32, "above_max", id="beyond it"),
        pytest.param("LEAST-15", 1.5, "scale_error", id="a quarter less"),
        pytest.param("BELOW-15", 2.24, "scale_error", id="less still is ten times too many"),
        pytest.param("LEAST-10", 1.5, "scale_error", id="a quarter less than ten times, the limit"),
        pytest.param("BELOW-10", 14.9, None, id="below it: no scale"),
        pytest.param("HALF", 4, None, id="half the price is a price"),
    ],
)
def test_units_at_their_limits(cleaned, claim, units, flag):
    found = {row[0]: row[1:] for row in cleaned.rows("claims", "claim_id", "units", "units_flag", "paid_usd")}
    sent = {row[0]: row[1] for row in cleaned.rows("marked", "claim_id", "raw_usd")}
    assert found[claim] == (units, flag, sent[claim])


@pytest.mark.parametrize(
    ("claim", "rule", "days"),
    [
        pytest.param("BARE", "A9.1", None, id="no date at all"),
        pytest.param("ENDS", None, ("2022-01-07", "2022-01-07"), id="an end only"),
        pytest.param("STARTS", None, ("2022-01-07", "2022-01-07"), id="a start only"),
        pytest.param("LINE", None, ("2022-01-07", "2022-01-08"), id="the line's dates come before the header's"),
        pytest.param("BOTH", None, ("2022-01-05", "2022-01-05"), id="one day"),
        pytest.param("STAY-548", None, ("2021-01-01", "2022-07-02"), id="a stay of 548 days"),
        pytest.param("STAY-549", "A9.7", None, id="of 549 days"),
        pytest.param("CHAIR-31", None, ("2022-04-01", "2022-04-01"), id="equipment 31 days after death"),
        pytest.param("VISIT-31", "A9.6", None, id="a visit 31 days after death"),
        pytest.param("VISIT-0", None, ("2022-03-01", "2022-03-01"), id="a visit on the day of death"),
    ],
)
def test_dates_at_their_limits(dated, claim, rule, days):
    rules = dict(dated.rows("rejected", "claim_id", "rule_id"))
    found = dated.rows("claims", "claim_id", "service_start_date", "service_end_date")
    stands = {row[0]: (str(row[1]), str(row[2])) for row in found}
    assert (rules.get(claim), stands.get(claim)) == (rule, days)


@pytest.mark.parametrize("rule", ["A9.1", "A9.7", "A8.3"])
def test_what_is_wrong_with_the_data_counts_towards_the_limit_of_rejects(rule):
    assert rule in FAULTS
