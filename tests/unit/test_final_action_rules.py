"""Rules of final action at their limits: one drawn program of small claims, cleaned once in each of two orders."""

import pytest

from claims_data import clean

CHAINS = """\
    claim_id | adjustment_code | original_claim_id | paid_date  | paid_amount | claim_status_code
    SAME     | original        |                   | 2022-02-01 | 100         |
    SAME     | replacement     |                   | 2022-03-01 | 90          |
    GONE     | original        |                   | 2022-02-01 | 100         |
    GONE     | void            |                   | 2022-03-01 | 0           |
    KEPT     | original        |                   | 2022-02-01 | 100         |
    KEPT-R   | replacement     | KEPT              | 2022-03-01 | 70          | F2
    ONE      | original        |                   | 2022-02-01 | 10          |
    TWO      | replacement     | ONE               | 2022-03-01 | 20          |
    THREE    | replacement     | TWO               | 2022-04-01 | 30          |
    RING-A   | replacement     | RING-B            | 2022-02-01 | 10          |
    RING-B   | replacement     | RING-A            | 2022-03-01 | 20          |
    DAY      | original        |                   | 2022-02-01 | 40          |
    DAY-R    | replacement     | DAY               | 2022-03-01 | 30          |
    DAY-V    | void            | DAY               | 2022-03-01 | -40         |
    LOST-R   | replacement     | LOST              | 2022-03-01 | 55          |
    TWIN     | original        |                   | 2022-02-01 | 50          |
    TWIN     | original        |                   | 2022-02-01 | 60          |
    STAY     | original        |                   | 2022-02-01 | 300         |
    STAY-L   | late_charge     | STAY              | 2022-03-01 | 25          |
    DEBIT    | gross_debit     | STAY              | 2022-03-01 | 11          |
    CREDIT   | gross_credit    | STAY              | 2022-03-01 | 12          |
    MINUS    | original        |                   | 2022-03-01 | -5          |
    """
INTERIM = """\
    claim_id | claim_type    | bill_type_code | paid_date  | paid_amount | claim_start_date
    PART-1   | institutional | 112            | 2022-02-01 | 100         | 2022-01-01
    PART-2   | institutional | 113            | 2022-03-01 | 200         | 2022-01-11
    PART-3   | institutional | 114            | 2022-04-01 | 300         | 2022-01-21
    """
HEADERS = """\
    claim_id | claim_line_number | claim_type    | header_paid_amount | paid_amount | allowed_amount | line_status_code
    PRICED   | 1                 | institutional | 100                | 0           | 60             |
    PRICED   | 2                 | institutional | 100                | 0           | 40             |
    CENTS    | 1                 | institutional | 100                | 0           |                |
    CENTS    | 2                 | institutional | 100                | 0           |                |
    CENTS    | 3                 | institutional | 100                | 0           |                |
    DIFFER   | 1                 | institutional | 130                | 80          |                |
    DIFFER   | 2                 | institutional | 130                | 20          |                |
    LINES    | 1                 | professional  | 130                | 80          |                |
    LINES    | 2                 | professional  | 130                | 20          |                |
    REPEAT   | 1                 | professional  | 50                 | 50          |                |
    REPEAT   | 2                 | professional  | 50                 | 50          |                |
    DENIED   | 1                 | institutional | 90                 | 60          |                |
    DENIED   | 2                 | institutional | 90                 | 30          |                | 542
    """
DATES = """\
    claim_id  | claim_start_date | claim_end_date | paid_date  | person_id | paid_amount
    SWAP-7    | 2022-01-12       | 2022-01-05     | 2022-02-01 |           | 1
    SWAP-8    | 2022-01-13       | 2022-01-05     | 2022-02-01 |           | 1
    PAID-1    | 2022-01-05       | 2022-01-05     | 2022-01-04 |           | 1
    PAID-2    | 2022-01-05       | 2022-01-05     | 2022-01-03 |           | 1
    DEATH-30  | 2022-03-31       | 2022-03-31     | 2022-05-01 | DEAD      | 1
    DEATH-31  | 2022-04-01       | 2022-04-01     | 2022-05-01 | DEAD      | 1
    BIRTH-1   | 1989-12-31       | 1989-12-31     | 2022-05-01 | DEAD      | 1
    BIRTH-2   | 1989-12-30       | 1989-12-30     | 2022-05-01 | DEAD      | 1
    EXTRACT-0 | 2022-12-31       | 2022-12-31     |            |           | 1
    EXTRACT-1 | 2023-01-01       | 2023-01-01     |            |           | 1
    SPAN-366  | 2021-01-01       | 2022-01-01     |            |           | 1
    SPAN-367  | 2021-01-01       | 2022-01-02     |            |           | 1
    """
PEOPLE = """\
    claim_id | person_id | paid_amount
    OLD      | P-OLD     | 1
    OLDEST   | P-OLDEST  | 1
    NOBODY   | STRANGER  | 1
    PLACE    | &P        | 1
    """
UNITS = """\
    claim_id | hcpcs_code | service_unit_quantity | paid_amount | claim_start_date | claim_end_date | billing_npi
    NIGHT-1  | H0011      | 3                     | 9           | 2022-01-05       | 2022-01-05     |
    NIGHT-3  | H0011      | 3                     | 9           | 2022-01-10       | 2022-01-12     |
    H-1      | H0004      | 2                     | 30          | 2022-01-01       | 2022-01-01     | N
    H-2      | H0004      | 2                     | 30          | 2022-01-02       | 2022-01-02     | N
    H-3      | H0004      | 2                     | 30          | 2022-01-03       | 2022-01-03     | N
    H-4      | H0004      | 2                     | 30          | 2022-01-04       | 2022-01-04     | N
    MINUTES  | H0004      | 30                    | 30          | 2022-01-06       | 2022-01-06     | N
    AGAIN-1  | 99213      | 1                     | 77          | 2022-01-06       | 2022-01-06     | N
    AGAIN-2  | 99213      | 1                     | 77          | 2022-01-06       | 2022-01-06     | N
    AGAIN-3  | 99213      | 1                     | 77          | 2022-01-07       | 2022-01-07     | N
    """
MEMBERS = """\
    person_id | birth_date | death_date
    P         |            |
    DEAD      | 1990-01-01 | 2022-03-01
    """
CROSSWALK = """\
    source_person_id | person_id
    P-OLDEST         | P-OLD
    P-OLD            | P
    """
PARTS = [CHAINS, INTERIM, HEADERS, DATES, PEOPLE, UNITS]


def numbered(parts: list[str], backwards: bool = False) -> list[str]:
    """Give lines a number where none is drawn; backwards, the same rows come in reverse."""
    whole = []
    for part in parts:
        head, *rows = part.strip().splitlines()
        rows = rows[::-1] if backwards else rows
        if "claim_line_number" not in head:
            head, rows = head + " | claim_line_number", [row + " | 1" for row in rows]
        whole.append("\n".join([head, *rows]))
    return whole[::-1] if backwards else whole


@pytest.fixture(scope="module", params=[False, True], ids=["as loaded", "loaded backwards"])
def cleaned(request, tmp_path_factory):
    parts = numbered(PARTS, request.param)
    return clean(tmp_path_factory.mktemp("rules"), parts, members=MEMBERS, crosswalk=CROSSWALK)


@pytest.fixture
def paid(cleaned):
    found = {}
    for claim, line, usd in cleaned.rows("claims", "claim_id", "line_number", "paid_usd"):
        found.setdefault(claim, {})[line] = usd
    return {claim: [lines[n] for n in sorted(lines)] for claim, lines in found.items()}


@pytest.fixture
def rules(cleaned):
    return dict(cleaned.rows("rejected", "claim_id", "rule_id"))


@pytest.mark.parametrize(
    ("family", "final"),
    [
        pytest.param(["SAME"], {"SAME": [90]}, id="adjustments may keep the claim's number"),
        pytest.param(["GONE"], {}, id="a void of zero dollars voids"),
        pytest.param(["KEPT", "KEPT-R"], {"KEPT": [100]}, id="a denied replacement replaces nothing"),
        pytest.param(["ONE", "TWO", "THREE"], {"THREE": [30]}, id="a chain ends at its last"),
        pytest.param(["RING-A", "RING-B"], {"RING-B": [20]}, id="of a ring the later stands"),
        pytest.param(["DAY", "DAY-R", "DAY-V"], {}, id="of one day's records the void is the last"),
        pytest.param(["LOST-R"], {"LOST-R": [55]}, id="a replacement of nothing in the extract stays"),
        pytest.param(["TWIN"], {}, id="of two records of one key that disagree neither is believed"),
        pytest.param(
            ["STAY", "STAY-L", "DEBIT", "CREDIT"],
            {"STAY": [300], "STAY-L": [25], "DEBIT": [11], "CREDIT": [-12]},
            id="late charges and gross adjustments add, a credit written positive is negative",
        ),
        pytest.param(
            ["PART-1", "PART-2", "PART-3"], {"PART-1": [100], "PART-2": [200], "PART-3": [300]}, id="interim bills add"
        ),
        pytest.param(["PRICED"], {"PRICED": [60, 40]}, id="a header's amount is spread as allowed"),
        pytest.param(["CENTS"], {"CENTS": [33.33, 33.34, 33.33]}, id="or evenly, to the cent"),
        pytest.param(["DIFFER"], {"DIFFER": [104, 26]}, id="an institutional header is believed"),
        pytest.param(["LINES"], {"LINES": [80, 20]}, id="professional lines are believed"),
        pytest.param(["REPEAT"], {"REPEAT": [25, 25]}, id="a repeated header is counted once"),
        pytest.param(["DENIED"], {"DENIED": [60]}, id="a denied line leaves the others as they are"),
    ],
)
def test_what_is_final_of_a_family(paid, family, final):
    assert {claim: usd for claim, usd in paid.items() if claim in family} == final


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        pytest.param("SWAP-7", None, id="dates exchanged within 7 days are turned"),
        pytest.param("SWAP-8", "A9.2", id="8 days apart they are not"),
        pytest.param("PAID-1", None, id="paid a day before service"),
        pytest.param("PAID-2", "A9.4", id="paid two days before service"),
        pytest.param("DEATH-30", None, id="30 days after death"),
        pytest.param("DEATH-31", "A9.6", id="31 days after death"),
        pytest.param("BIRTH-1", None, id="the day before birth"),
        pytest.param("BIRTH-2", "A9.3", id="two days before birth"),
        pytest.param("EXTRACT-0", None, id="on the day of the extract"),
        pytest.param("EXTRACT-1", "A9.5", id="the day after"),
        pytest.param("SPAN-366", None, id="a professional line of 366 days"),
        pytest.param("SPAN-367", "A9.7", id="of 367 days"),
        pytest.param("OLD", None, id="a former id"),
        pytest.param("OLDEST", None, id="the id before the former one"),
        pytest.param("NOBODY", "A2.3", id="an id of no member"),
        pytest.param("PLACE", "A2.4", id="a placeholder"),
        pytest.param("MINUS", "A8.3", id="a negative amount without a cause"),
    ],
)
def test_who_and_when(paid, rules, claim, rule):
    assert (rules.get(claim), claim in paid) == (rule, rule is None)


def test_units_are_corrected_and_dollars_never(cleaned):
    found = {row[0]: row[1:] for row in cleaned.rows("claims", "claim_id", "units", "units_flag", "paid_usd")}
    assert found["NIGHT-1"] == (1, "above_max", 9)
    assert found["NIGHT-3"] == (3, None, 9)
    assert found["MINUTES"] == (2, "scale_error", 30)
    assert found["H-1"] == (2, None, 30)
    assert found["CREDIT"] == (0, None, -12)


def test_the_same_service_under_two_claims_is_flagged_and_stays(cleaned):
    flagged = {claim for claim, near in cleaned.rows("claims", "claim_id", "is_near_duplicate") if near}
    assert flagged == {"AGAIN-1", "AGAIN-2"}


def test_former_ids_are_the_person(cleaned):
    assert {
        person for person, claim in cleaned.rows("claims", "person_id", "claim_id") if claim.startswith("OLD")
    } == {"P"}


def test_raw_and_every_delta_make_final(cleaned):
    steps = cleaned.waterfall()
    claims = sum(usd for (usd,) in cleaned.rows("claims", "cost_usd"))
    raw = sum(usd for (usd,) in cleaned.rows("marked", "raw_usd"))
    assert float(steps.paid_in_usd.iloc[0]) == pytest.approx(raw, abs=0.001)
    assert float(steps.paid_out_usd.iloc[-1]) == pytest.approx(claims, abs=0.001)
    assert (steps.paid_in_usd.iloc[1:].to_numpy() == steps.paid_out_usd.iloc[:-1].to_numpy()).all()
    assert (steps.persons_out <= steps.persons_in).all()
    rows = len(cleaned.rows("claims", "claim_id")), len(cleaned.rows("rejected", "claim_id"))
    assert sum(rows) == int(steps.rows_in.iloc[0])


def test_the_ledger_ends_where_the_claims_do(cleaned):
    ledger = sum(usd for (usd,) in cleaned.rows("ledger", "signed_usd"))
    assert ledger == pytest.approx(sum(usd for (usd,) in cleaned.rows("claims", "paid_usd")), abs=0.001)
