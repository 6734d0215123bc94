"""GT-1: a claims chain of thirteen families, computed by hand (methods.md A5, synthetic)."""

import pytest

from claims_data import clean

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


@pytest.fixture(scope="module")
def gt_1(tmp_path_factory):
    return clean(tmp_path_factory.mktemp("gt_1"), GT_1)


def test_every_family_ends_at_its_final_record(gt_1):
    assert gt_1.rows("claims", "family_id", "paid_usd", "cost_usd") == [
        ("C1", 100, 100),
        ("C10", 0, 60),
        ("C11", 120, 120),
        ("C13", 20, 20),
        ("C2", 150, 150),
        ("C4", 380, 380),
        ("C5B", 90, 90),
        ("C6", 110, 110),
        ("C7", 50, 50),
    ]


def test_the_waterfall_goes_from_2995_to_1080_by_the_published_steps(gt_1):
    steps = gt_1.waterfall()
    assert (float(steps.paid_in_usd.iloc[0]), float(steps.paid_out_usd.iloc[-1])) == (2995, 1080)
    # Voids and what they void are 0 by themselves; the published +75 is the orphan's.
    assert gt_1.deltas() == {"A1.1": -1500, "A3.1": -50, "A4.2": -80, "A5.3b": -420, "A5.5": 75, "A1.2": 60}
    assert int(steps.rows_out.iloc[-1]) == 9


def test_the_ledger_adds_up_to_what_is_paid_less_the_orphan_void(gt_1):
    entries = gt_1.ledger.group_by("entry").agg(usd=gt_1.ledger.signed_usd.sum())
    gt_1.entries = entries
    assert gt_1.rows("entries", "entry", "usd") == [("orphan_void", -75), ("payment", 2140), ("reversal", -1120)]
    assert 2140 - 1120 == 1080 - 60


def test_what_a_void_takes_back_is_dated_by_the_void(gt_1):
    gt_1.voided = gt_1.ledger.filter(gt_1.ledger.claim_id == "C4")
    dated = [(entry, str(date), usd) for entry, date, usd in gt_1.rows("voided", "entry", "paid_date", "signed_usd")]
    assert dated == [("payment", "2022-02-01", 400), ("reversal", "2022-03-01", -400)]


def test_crossover_and_subcapitation_are_flagged(gt_1):
    rows = gt_1.rows("claims", "claim_id", "is_crossover", "is_subcapitated", "cost_basis")
    assert {claim for claim, crossover, *_ in rows if crossover} == {"C13"}
    assert {claim for claim, _, subcapitated, _ in rows if subcapitated} == {"C10"}
    assert {claim for claim, *_, basis in rows if basis == "ffs_equivalent"} == {"C10"}
