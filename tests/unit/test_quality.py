"""Control totals and quality checks at their limits."""

from decimal import Decimal

import pandas as pd
import pytest

from ratebook.clean.attrition import FAULTS, RULES, build_waterfall, check_rejected_share
from ratebook.clean.quality import CHECKS, build_qa, count_marks
from ratebook.clean.reconciliation import build_file_totals, build_reconciliation
from ratebook.contracts.clean import Qa, Reconciliation
from ratebook.contracts.quality import FileTotals
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
        swapped_rows=0,
        after_death_rows=0,
        above_billed_rows=0,
        final_action_flag=None,
        stands_by_records=True,
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
        pytest.param(80, "fail", id="25% more than the supplier sent"),
        pytest.param(0, "na", id="nothing to compare with"),
    ],
)
def test_control_totals_at_their_limits(supplied, status, tmp_path):
    found = build_reconciliation(ONE, control(supplied), 0.01, 0.02)
    write_table(found, tmp_path / "reconciliation", Reconciliation)
    assert list(found.status) == [status]


@pytest.mark.parametrize(
    ("ours", "status"),
    [
        pytest.param(101.00, "pass", id="1% more, the limit, passes"),
        pytest.param(101.01, "warn", id="a cent beyond it warns"),
        pytest.param(99.00, "pass", id="1% less passes"),
        pytest.param(98.99, "warn", id="a cent beyond it warns"),
        pytest.param(102.00, "warn", id="2% more, the limit, warns"),
        pytest.param(102.01, "fail", id="a cent beyond it fails"),
        pytest.param(98.00, "warn", id="2% less warns"),
        pytest.param(97.99, "fail", id="a cent beyond it fails"),
    ],
)
def test_the_limits_of_control_totals_are_judged_to_the_cent(ours, status):
    lines = tally(("medical_claims", None, None, 10, ours, ours, ours))
    assert list(build_reconciliation(lines, control(100), 0.01, 0.02).status) == [status]
    assert list(build_file_totals(lines, control(100), 0.01, 0.02).status) == [status]


def test_a_file_counted_as_a_whole_is_compared_as_a_whole():
    months = pd.concat([ONE, ONE.assign(paid_month=pd.Timestamp("2022-03-01"))])
    whole = control(200, "all").assign(paid_month=pd.NaT)
    assert list(build_reconciliation(months, whole, 0.01, 0.02).status) == ["pass"]
    by_month_too = pd.concat([whole, control(100, "all"), control(100, "all").assign(paid_month="2022-03-01")])
    by_month_too["paid_month"] = pd.to_datetime(by_month_too.paid_month)
    assert list(build_reconciliation(months, by_month_too, 0.01, 0.02).status) == ["pass", "pass"]
    totals = build_file_totals(months, by_month_too, 0.01, 0.02).iloc[0]
    assert (float(totals.control_usd), totals.control_records, totals.status) == (200, 1, "pass")


def test_a_file_only_one_side_knows_fails_and_its_months_are_counted(tmp_path):
    theirs = pd.concat([control(100).assign(source_file="b.txt"), control(100)])
    theirs = pd.concat([theirs, control(5).assign(paid_month=pd.Timestamp("2022-05-01"))])
    ours = pd.concat([ONE, ONE.assign(source_file="c.txt"), ONE.assign(paid_month=pd.Timestamp("2022-04-01"))])
    found = build_file_totals(ours, theirs, 0.01, 0.02)
    write_table(found, tmp_path / "file_totals", FileTotals)
    counted = found.set_index("source_file")[["months_absent", "months_unannounced", "status"]]
    assert counted.T.to_dict("list") == {"a.txt": [1, 1, "fail"], "b.txt": [1, 0, "fail"], "c.txt": [0, 0, "fail"]}


def test_without_control_totals_every_file_stands_and_none_is_judged():
    found = build_file_totals(ONE, control(1).iloc[:0], 0.01, 0.02)
    assert found[["source_file", "status", "months_unannounced"]].values.tolist() == [["a.txt", "na", 0]]


def test_the_suppliers_category_all_is_the_sum_of_ours():
    assert list(build_reconciliation(ONE, control(100, "all"), 0.01, 0.02).status) == ["pass"]


def test_a_month_the_supplier_counts_and_we_do_not_have_fails():
    later = control(100).assign(paid_month=pd.Timestamp("2022-03-01"))
    assert list(build_reconciliation(ONE, later, 0.01, 0.02).status) == ["fail", "fail"]


def test_no_control_totals_give_an_empty_table(tmp_path):
    found = build_reconciliation(ONE, control(1).iloc[:0], 0.01, 0.02)
    write_table(found, tmp_path / "reconciliation", Reconciliation)
    assert found.empty


LIMITS = {"unmatched_warn": 0.005, "unmatched": 0.02, "negative": 25_000, "net_identity": 0.05, "runout": 3}


def nothing_counted():
    names = {name for check in CHECKS for name in (check.top, check.bottom, check.counted) if name}
    return dict.fromkeys([*names, "largest_negative_usd"], 0)


@pytest.mark.parametrize(
    ("largest", "value"),
    [pytest.param(25_000, 0, id="at the limit: none"), pytest.param(25_000.01, 1, id="a cent beyond: one")],
)
def test_a_negative_amount_beyond_the_limit_is_told_and_never_its_amount(largest, value):
    counted = nothing_counted() | {"largest_negative_usd": largest, "negative": 3}
    found = build_qa(counted, LIMITS).set_index("check_id")
    assert found.loc["large_negatives", ["value", "findings", "passed"]].tolist() == [value, 3, not value]
    assert largest not in found.value.tolist()


@pytest.mark.parametrize(
    ("months", "passed"),
    [
        pytest.param(2, False, id="a month short"),
        pytest.param(3, True, id="three months, the least"),
        pytest.param(None, None, id="no paid dates: not said"),
    ],
)
def test_runout_is_held_to_a_least_and_not_to_a_most(months, passed):
    found = build_qa(nothing_counted() | {"runout_months": months}, LIMITS).set_index("check_id").loc["runout_months"]
    assert (found.bound, None if pd.isna(found.passed) else found.passed) == ("at_least", passed)
    assert pd.isna(found.findings), "no line stands behind a number of months: nothing is to be hidden"


def test_every_check_is_judged_and_an_empty_table_leaves_shares_unsaid(tmp_path):
    empty = nothing_counted()
    found = build_qa(empty, LIMITS)
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


def test_an_amount_that_changes_and_bears_no_rule_stops_the_run():
    with pytest.raises(RatebookError, match="medical_claims: the raw dollars and the changes of every rule do not"):
        build_waterfall(tally(("medical_claims", None, None, 1, 100, 99.99, 99.99)), NO_PERSONS, RULES)


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
