"""GT-1: a claims chain of thirteen families, computed by hand (methods.md A5, synthetic)."""

from decimal import Decimal

import pytest

from conftest import ROOT
from ratebook.clean.adjustments import build_adjustments
from ratebook.clean.attrition import RULES, build_waterfall, count_lines, count_persons
from ratebook.clean.lines import build_cash_ledger, clean_lines, select_claims, unite_lines
from ratebook.clean.members import build_identity, build_persons
from ratebook.codes import select_codes
from ratebook.contracts.clean import AdjustedLines, CashLedger, Claims, Lines
from ratebook.contracts.intake import Eligibility, IdentityCrosswalk, MedicalClaims, Members, PharmacyClaims
from ratebook.tables import engine, open_table, read_codes, write_table

SERVICES = select_codes(read_codes(ROOT / "workflow/codes/services.csv"), "MA")
DIAGNOSES = read_codes(ROOT / "workflow/codes/sud_diagnoses.csv")
SETTINGS = {
    "cost_basis": "paid_else_equivalent",
    "swap_dates": True,
    "swap_within_days": 7,
    "after_death_days": 30,
    "max_span_days": {"professional": 366, "institutional": 548},
}
GT_1 = """\
    load_sequence | claim_id | claim_line_number | record_type  | adjustment_code | original_claim_id | paid_date  | paid_amount | header_paid_amount | claim_status_code | line_status_code | crossover_flag | medicare_paid_amount | ffs_equivalent_amount
    1             | C1       | 1                 | ffs          | original        |                   | 2022-02-01 | 100         |                    |                   |                  |                |                      |
    2             | C2       | 1                 | ffs          | original        |                   | 2022-02-01 | 200         |                    |                   |                  |                |                      |
    3             | C2R      | 1                 | ffs          | replacement     | C2                | 2022-03-01 | 150         |                    |                   |                  |                |                      |
    4             | C3       | 1                 | ffs          | original        |                   | 2022-02-01 | 300         |                    |                   |                  |                |                      |
    5             | C3V      | 1                 | ffs          | void            | C3                | 2022-03-01 | -300        |                    |                   |                  |                |                      |
    6             | C4       | 1                 | ffs          | original        |                   | 2022-02-01 | 400         |                    |                   |                  |                |                      |
    7             | C4V      | 1                 | ffs          | void            | C4                | 2022-03-01 | -400        |                    |                   |                  |                |                      |
    8             | C4R      | 1                 | ffs          | replacement     | C4                | 2022-04-01 | 380         |                    |                   |                  |                |                      |
    9             | C5       | 1                 | ffs          | original        |                   | 2022-02-01 | 0           |                    | F2                |                  |                |                      |
    10            | C5B      | 1                 | ffs          | original        |                   | 2022-03-01 | 90          |                    |                   |                  |                |                      |
    11            | C6       | 1                 | ffs          | original        |                   | 2022-02-01 | 100         |                    |                   |                  |                |                      |
    12            | C6A      | 1                 | ffs          | replacement     | C6                | 2022-03-01 | 120         |                    |                   |                  |                |                      |
    13            | C6B      | 1                 | ffs          | replacement     | C6                | 2022-04-01 | 110         |                    |                   |                  |                |                      |
    14            | C7       | 1                 | ffs          | original        |                   | 2022-02-01 | 50          |                    |                   |                  |                |                      |
    15            | C7       | 1                 | ffs          | original        |                   | 2022-02-01 | 50          |                    |                   |                  |                |                      |
    16            | C8V      | 1                 | ffs          | void            | C8                | 2022-02-01 | -75         |                    |                   |                  |                |                      |
    17            | C9       | 1                 | capitation   |                 |                   | 2022-02-01 | 500         |                    |                   |                  |                |                      |
    18            | C10      | 1                 | encounter    | original        |                   | 2022-02-01 | 0           |                    |                   |                  |                |                      | 60
    19            | C11      | 1                 | ffs          | original        |                   | 2022-02-01 | 120         | 200                |                   |                  |                |                      |
    20            | C11      | 2                 | ffs          | original        |                   | 2022-02-01 | 80          | 200                |                   | 542              |                |                      |
    21            | C12      | 1                 | supplemental |                 |                   | 2022-02-01 | 1000        |                    |                   |                  |                |                      |
    22            | C13      | 1                 | ffs          | original        |                   | 2022-02-01 | 20          |                    |                   |                  | true           | 80                   |
    """
MEMBERS = "person_id\nP"


@pytest.fixture
def cleaned(table, tmp_path):
    """Take drawn raw lines all the way to marked lines; every line is person P's, on 2022-01-05, unless drawn."""

    def clean(
        text, medical_constants=None, pharmacy="load_sequence", members=MEMBERS, crosswalk="person_id", **settings
    ):
        constants = {"person_id": "P", "claim_type": "professional", "claim_start_date": "2022-01-05"}
        medical = table(text, MedicalClaims, **{**constants, **(medical_constants or {})})
        raw = unite_lines(medical, table(pharmacy, PharmacyClaims))
        adjusted = keep(build_adjustments(raw, 0.95, True), AdjustedLines)
        people = table(members, Members)
        identity = build_identity(people, table("person_id", Eligibility), table(crosswalk, IdentityCrosswalk))
        persons = build_persons(people, identity)
        lines = clean_lines(
            raw, adjusted, identity, persons, SERVICES, DIAGNOSES, "2022-12-31", {**SETTINGS, **settings}
        )
        lines = keep(lines, Lines)
        keep(select_claims(lines), Claims)
        keep(build_cash_ledger(lines), CashLedger)
        return lines

    def keep(expression, contract):
        write_table(expression, tmp_path / contract.__name__, contract)
        return open_table(tmp_path / contract.__name__, contract)

    return clean


@pytest.fixture
def waterfall():
    def build(lines):
        counts = engine().to_pyarrow(count_lines(lines)).to_pandas()
        persons = engine().to_pyarrow(count_persons(lines, list(RULES))).to_pandas()
        return build_waterfall(counts, persons, RULES)

    return build


def test_every_family_ends_at_its_final_record(cleaned, run):
    claims = select_claims(cleaned(GT_1))
    families = claims.group_by("family_id").agg(paid=claims.paid_usd.sum(), cost=claims.cost_usd.sum())
    found = {row["family_id"]: (int(row["paid"]), int(row["cost"])) for row in run(families)}
    assert found == {
        "C1": (100, 100),
        "C2": (150, 150),
        "C4": (380, 380),
        "C5B": (90, 90),
        "C6": (110, 110),
        "C7": (50, 50),
        "C10": (0, 60),
        "C11": (120, 120),
        "C13": (20, 20),
    }


def test_the_waterfall_goes_from_2995_to_1080_by_the_published_steps(cleaned, waterfall):
    steps = waterfall(cleaned(GT_1)).set_index("rule_id")
    assert steps.paid_in_usd.iloc[0] == Decimal("2995.00")
    deltas = {rule: int(delta) for rule, delta in steps.delta_usd.items() if delta}
    assert deltas == {"A1.1": -1500, "A3.1": -50, "A4.2": -80, "A5.3b": -420, "A5.5": 75, "A1.2": 60}
    # The published order takes voids and what they void together with the orphan: +75 in all.
    assert deltas.get("A5.3a", 0) + deltas["A5.5"] == 75
    assert steps.paid_out_usd.iloc[-1] == Decimal("1080.00")


def test_the_ledger_adds_up_to_what_is_paid_less_the_orphan_void(cleaned, run):
    ledger = build_cash_ledger(cleaned(GT_1))
    by_entry = {
        row["entry"]: int(row["usd"]) for row in run(ledger.group_by("entry").agg(usd=ledger.signed_usd.sum()))
    }
    assert by_entry == {"payment": 2140, "reversal": -1120, "orphan_void": -75}
    assert by_entry["payment"] + by_entry["reversal"] == 1080 - 60


def test_crossover_and_subcapitation_are_flagged(cleaned, run):
    rows = run(select_claims(cleaned(GT_1)).select("claim_id", "is_crossover", "is_subcapitated", "cost_basis"))
    assert {r["claim_id"] for r in rows if r["is_crossover"]} == {"C13"}
    assert {r["claim_id"] for r in rows if r["is_subcapitated"]} == {"C10"}
    assert {r["claim_id"] for r in rows if r["cost_basis"] == "ffs_equivalent"} == {"C10"}
