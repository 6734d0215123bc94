"""Control totals and quality checks at their limits."""

from decimal import Decimal

import pandas as pd
import pytest

from ratebook.clean.attrition import FAULTS, RULES, build_waterfall, check_rejected_share
from ratebook.clean.quality import CHECKS, FINDINGS, build_qa, build_reconciliation, count_marks
from ratebook.contracts.clean import Qa, Reconciliation
from ratebook.errors import RatebookError
from ratebook.tables import write_table


def tally(*rows):
    names = ["source_table", "rule_id", "amount_rule_id", "rows", "raw_usd", "paid_usd", "cost_usd"]
    frame = pd.DataFrame(rows, columns=names)
    for name in names[4:]:
        frame[name] = frame[name].map(lambda usd: Decimal(f"{usd:.2f}"))
    return frame.assign(
        source_file="a.txt",
        paid_month=pd.Timestamp("2022-02-01"),
        claim_type="professional",
        adjustment="original",
        is_orphan_replacement=False,
        largest_usd=frame.paid_usd.abs(),
    )


def control(usd, category="professional"):
    month = pd.Timestamp("2022-02-01")
    return pd.DataFrame(
        {
            "source_file": ["a.txt"],
            "paid_month": [month],
            "category": [category],
            "record_count": [1],
            "paid_amount": [Decimal(f"{usd:.2f}")],
        }
    )


ONE = tally(("medical_claims", None, None, 10, 100, 100, 100), ("medical_claims", "A3.1", None, 1, 10, 10, 10))
NO_PERSONS = pd.DataFrame({"source_table": [], "last_place": [], "persons": []})


@pytest.mark.parametrize(
    ("supplied", "status"),
    [
        pytest.param(100, "pass", id="equal, copies not counted"),
        pytest.param(99.02, "pass", id="within 1%"),
        pytest.param(98.5, "warn", id="within 2%"),
        pytest.param(97, "fail", id="beyond 2%"),
        pytest.param(0, "na", id="nothing to compare with"),
    ],
)
def test_control_totals_at_their_limits(supplied, status, tmp_path):
    found = build_reconciliation(ONE, control(supplied), 0.01, 0.02)
    write_table(found, tmp_path / "reconciliation", Reconciliation)
    assert list(found.status) == [status]


def test_the_suppliers_category_all_is_the_sum_of_ours():
    assert list(build_reconciliation(ONE, control(100, "all"), 0.01, 0.02).status) == ["pass"]


def test_a_month_the_supplier_counts_and_we_do_not_have_fails():
    later = control(100).assign(paid_month=pd.Timestamp("2022-03-01"))
    assert list(build_reconciliation(ONE, later, 0.01, 0.02).status) == ["fail", "fail"]


def test_no_control_totals_give_an_empty_table(tmp_path):
    found = build_reconciliation(ONE, control(1).iloc[:0], 0.01, 0.02)
    write_table(found, tmp_path / "reconciliation", Reconciliation)
    assert found.empty


def nothing_counted():
    names = {name for check in CHECKS for name in check[3:5] if name} | set(FINDINGS.values())
    return dict.fromkeys([*names, "largest_negative_usd"], 0)


@pytest.mark.parametrize(
    ("largest", "value"),
    [pytest.param(25_000, 0, id="at the limit: none"), pytest.param(25_000.01, 1, id="a cent beyond: one")],
)
def test_a_negative_amount_beyond_the_limit_is_told_and_never_its_amount(largest, value):
    counted = nothing_counted() | {"largest_negative_usd": largest, "negative": 3}
    limits = {"unmatched_warn": 0.005, "unmatched": 0.02, "negative": 25_000}
    found = build_qa(counted, pd.DataFrame({"cells_unparsed": [0]}), limits).set_index("check_id")
    assert found.loc["large_negatives", ["value", "findings", "passed"]].tolist() == [value, 3, not value]
    assert largest not in found.value.tolist()


def test_every_check_is_judged_and_an_empty_table_leaves_shares_unsaid(tmp_path):
    empty = nothing_counted()
    manifest = pd.DataFrame({"cells_unparsed": [0, 0]})
    found = build_qa(empty, manifest, {"unmatched_warn": 0.005, "unmatched": 0.02, "negative": 25000})
    write_table(found, tmp_path / "qa", Qa)
    assert len(found) == len(CHECKS)
    assert found.set_index("check_id").passed["final_voids"]
    assert pd.isna(found.set_index("check_id").passed["unknown_ids_share"])


def test_marks_are_counted_from_the_tally():
    counted = count_marks(ONE)
    assert (counted["rows"], counted["read_usd"], counted["largest_negative_usd"]) == (11, 110, 0)


def test_an_amount_a_rule_would_change_later_leaves_as_it_was():
    rows = tally(
        ("medical_claims", "A2.3", "A5.4", 1, 12, -12, -12), ("medical_claims", None, "A5.4", 1, 12, -12, -12)
    )
    steps = build_waterfall(rows, NO_PERSONS, RULES).set_index("rule_id")
    assert {rule: float(usd) for rule, usd in steps.delta_usd.items() if usd} == {"A2.3": -12, "A5.4": -24}
    assert float(steps.paid_out_usd.iloc[-1]) == -12


def test_a_rule_without_a_place_stops_the_run():
    with pytest.raises(RatebookError, match=r"A99"):
        build_waterfall(tally(("medical_claims", "A99", None, 1, 1, 1, 1)), NO_PERSONS, RULES)


@pytest.mark.parametrize(("share", "stops"), [(0.1, False), (0.0999, True)])
def test_too_many_rejects_stop_with_the_count_per_rule(share, stops):
    rows = tally(
        ("medical_claims", None, None, 8, 8, 8, 8),
        ("medical_claims", "A9.1", None, 1, 1, 1, 1),
        ("medical_claims", "A4.1", None, 1, 1, 1, 1),
    )
    steps = build_waterfall(rows, NO_PERSONS, RULES)
    if not stops:
        return check_rejected_share(steps, share)
    with pytest.raises(RatebookError, match=r"A9\.1: 1$"):
        check_rejected_share(steps, share)


def test_denials_and_voids_are_no_faults():
    assert not set(FAULTS) & {"A1.1", "A3.1", "A4.1", "A4.2", "A5.3a", "A5.3b", "A5.5"}
    assert set(FAULTS) <= set(RULES)
