"""The checklist: limits, what cannot be said, and that planted errors in claims, coverage, base and rates are found."""

from __future__ import annotations

import pandas as pd
import pytest

from conftest import ROOT
from ratebook.contracts.rates import Triangles, Ultimates
from ratebook.contracts.released import RELEASED
from ratebook.contracts.review import Checklist
from ratebook.review.checklist import TABLES, check_review, judge, see
from ratebook.review.on_rates import is_uncounted
from ratebook.review.seen import CHECKS, CannotSay, Seen
from ratebook.tables import empty_frame
from review_data import QUESTIONS, ask

CONTENTS = (ROOT / "workflow/report/contents.yaml").read_text()


def answers(seen):
    return check_review(QUESTIONS, seen).set_index("id")


@pytest.mark.parametrize(
    ("value", "sense", "warn", "fail", "status"),
    [
        pytest.param(0.01, "above", 0.01, 0.02, "pass", id="at the limit passes"),
        pytest.param(0.011, "above", 0.01, 0.02, "warn", id="above the first limit warns"),
        pytest.param(0.02, "above", 0.01, 0.02, "warn", id="at the second limit still warns"),
        pytest.param(0.021, "above", 0.01, 0.02, "fail", id="above the second limit fails"),
        pytest.param(0.85, "below", None, 0.85, "pass", id="a ratio at its floor passes"),
        pytest.param(0.849, "below", None, 0.85, "fail", id="a ratio below its floor fails"),
        pytest.param(5.0, "above", 1.0, None, "warn", id="a warning has no failure"),
    ],
)
def test_limits_decide(value, sense, warn, fail, status):
    assert judge(value, sense, warn, fail)[0] == status


def test_every_error_is_listed_once_and_every_check_answers_one():
    assert QUESTIONS.id.tolist() == [f"H{number}" for number in range(1, 71)]
    assert set(CHECKS) <= set(QUESTIONS.id)


def test_without_data_no_error_is_said_to_be_absent_for_want_of_rows():
    tables = {name: empty_frame(contract) for name, contract in TABLES.items()}
    found = answers(see(tables, CONTENTS, {"release": {"suppress_below": 11}}))
    assert set(found.columns) == set(Checklist.types()) - {"id"}
    may_pass = {"H67", "H68"}
    assert set(found.index[found.status == "pass"]) <= may_pass
    assert found.reason[found.status == "na"].str.len().min() > 0


def test_an_absent_table_is_not_an_absent_error():
    assert ask("H20").status == "na"
    with pytest.raises(CannotSay, match="not made"):
        Seen().table("cohort")


def control(*rows):
    """Draw totals of one file's months and categories: month, category, ours, theirs."""
    columns = ["paid_month", "category", "paid_usd", "control_usd"]
    frame = pd.DataFrame(rows, columns=columns).astype({"paid_usd": float, "control_usd": float})
    return frame.assign(status="pass")


STEPS = {
    "source_table": ["medical_claims"] * 2, "step": [1, 2], "paid_in_usd": [100.0, 90.0],
    "delta_usd": [-10.0, -5.0], "paid_out_usd": [90.0, 85.0],
}  # fmt: skip


@pytest.mark.parametrize(
    ("end", "cost", "status"),
    [
        pytest.param(85.0, 85.0, "pass", id="it adds up, to the cost of the claims"),
        pytest.param(80.0, 80.0, "fail", id="its changes miss its end"),
        pytest.param(85.0, 87.0, "fail", id="its end misses the cost of the claims"),
        pytest.param(85.0, 86.0, "pass", id="a dollar is allowed"),
    ],
)
def test_a_waterfall_that_misses_its_end_fails(end, cost, status):
    steps = pd.DataFrame({**STEPS, "paid_out_usd": [90.0, end]})
    found = ask("H1", attrition=steps, reconciliation=control(("2015-01", "all", 5, 5)), facts={"cost_usd": cost})
    assert found.status == status


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        pytest.param([("2015-01", "a", 100, 100), ("2015-02", "a", 101, 100)], "pass", id="1 percent, the limit"),
        pytest.param([("2015-01", "a", 100, 100), ("2015-02", "a", 102, 100)], "warn", id="2 percent"),
        pytest.param([("2015-01", "a", 100, 100), ("2015-02", "a", 97, 100)], "fail", id="3 percent less"),
        pytest.param(
            [("2015-01", "a", 95, 100), ("2015-01", "a", 105, 100)], "pass", id="files of one month together"
        ),
        pytest.param([("2015-01", "a", 95, 100), ("2015-01", "b", 105, 100)], "fail", id="never two categories"),
        pytest.param([("2015-01", "a", None, 100), ("2015-02", "a", 1, 1)], "fail", id="nothing was read"),
        pytest.param([("2015-01", "a", 100, None), ("2015-02", "a", 1, 1)], "fail", id="nothing was announced"),
    ],
)
def test_months_and_categories_are_held_against_the_suppliers_totals(rows, status):
    found = ask("H1", attrition=pd.DataFrame(STEPS), reconciliation=control(*rows), facts={"cost_usd": 85.0})
    assert found.status == status


def test_without_control_totals_the_waterfall_alone_is_not_enough():
    assert ask("H1", attrition=pd.DataFrame(STEPS)).status == "na"


CLEAN = {
    "claim_lines": 9, "lines_kept_twice": 0, "families_of_two_records": 0, "void_lines": 0,
    "ledger_served_usd": 400.0, "claims_usd": 400.0, "header_usd": 300.0, "headed_final_usd": 300.0,
    "header_equals_lines_share": 1.0, "lines_neither_ffs_nor_encounter": 0, "capitation_months_in_cost": 0,
    "denied_lines": 0, "flagged_units_share": 0.01, "full_dual_share": 0.01, "unmapped_share": 0.005,
    "jumping_codes": 0, "jumping_codes_share": 0.0, "lines_brought_twice": 0,
    "services_in_two_feeds": 0, "near_duplicates": 3, "fractional_member_months": 10.0, "eligible_days": 304,
    "retro_base_months": 5.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("check", "error", "status"),
    [
        ("H2", {"lines_kept_twice": 1}, "fail"),
        ("H2", {"families_of_two_records": 1}, "fail"),
        ("H2", {"void_lines": 1}, "fail"),
        ("H3", {"claims_usd": 800.0}, "fail"),
        ("H3", {"headed_final_usd": 600.0}, "fail"),
        ("H4", {"lines_neither_ffs_nor_encounter": 1}, "fail"),
        ("H4", {"capitation_months_in_cost": 1}, "fail"),
        ("H5", {"denied_lines": 1}, "fail"),
        ("H8", {"full_dual_share": 0.011}, "warn"),
        ("H9", {"flagged_units_share": 0.011}, "warn"),
        ("H12", {"unmapped_share": 0.011}, "warn"),
        ("H12", {"jumping_codes": 1, "jumping_codes_share": 0.02}, "warn"),
        ("H13", {"lines_brought_twice": 1}, "fail"),
        ("H13", {"services_in_two_feeds": 1}, "fail"),
    ],
)
def test_each_error_counted_over_the_large_tables_is_found(check, error, status):
    assert ask(check, facts=CLEAN).status == "pass"
    assert ask(check, facts={**CLEAN, **error}).status == status
    assert ask(check, facts={}).status == "na"


@pytest.mark.parametrize(
    ("level", "is_step_down", "status"),
    [("WM_RES", True, "warn"), ("WM_RES", False, "pass"), ("RES35", True, "pass")],
)
def test_a_step_down_read_as_detoxification_is_found(level, is_step_down, status):
    codes = pd.DataFrame({"code": ["H0010"], "level": [level], "is_step_down": [is_step_down]})
    settings = {"episodes": {"detox_levels": ["WM_HOSP", "WM_RES"]}}
    assert ask("H12", facts=CLEAN, detox_codes=codes, settings=settings).status == status


def test_denied_lines_below_their_header_are_no_double_sum():
    assert ask("H3", facts={**CLEAN, "headed_final_usd": 200.0}).status == "pass"


@pytest.mark.parametrize(("outside", "status"), [(2.0, "pass"), (3.0, "warn"), (6.0, "fail")])
def test_dollars_outside_coverage_are_a_share_of_all(outside, status):
    levels = {"check_id": ["claims_cost"] * 2, "level": ["eligible", "outside"], "value": [100.0 - outside, outside]}
    assert ask("H6", exposure_qa=pd.DataFrame(levels)).status == status


@pytest.mark.parametrize(
    ("extract", "completion", "method", "status"),
    [
        pytest.param("2018-03-31", 0.90, "none", "pass", id="90 percent and three months, the limits"),
        pytest.param("2018-03-31", 0.89, "none", "fail", id="immature and not completed"),
        pytest.param("2018-03-31", 0.89, "chainladder", "pass", id="immature and completed"),
        pytest.param("2018-03-30", 0.99, "none", "fail", id="under three months of runout"),
    ],
)
def test_immature_months_fail(extract, completion, method, status):
    base = pd.DataFrame({"completion_factor": [completion], "method": [method]})
    settings = {"study": {"window_end": "2017-12-31", "extract_date": extract}}
    assert ask("H7", base_completion=base, settings=settings).status == status


@pytest.mark.parametrize(
    ("over", "days", "status"),
    [
        pytest.param(0, 304, "pass", id="ten months on 304 days"),
        pytest.param(1, 304, "fail", id="a person with thirteen months in a year"),
        pytest.param(0, 279, "fail", id="more months than the covered days hold"),
        pytest.param(0, 280, "pass", id="28 days a month, the limit"),
    ],
)
def test_months_never_exceed_covered_days(over, days, status):
    years = pd.DataFrame(
        {"check_id": "double_count", "level": ["over_12_months_a_year", "up_to_12_months_a_year"], "value": [over, 9]}
    )
    assert ask("H10", exposure_qa=years, facts={**CLEAN, "eligible_days": days}).status == status


@pytest.mark.parametrize(("left_out", "status"), [(5.0, "pass"), (6.0, "pass"), (4.9, "fail"), (0.0, "fail")])
def test_retroactive_months_are_all_left_out_of_the_base(left_out, status):
    base = pd.DataFrame({"status": ["included", "retroactive"], "member_months": [100.0, left_out]})
    assert ask("H11", base_exclusions=base, facts=CLEAN).status == status


RATE = {
    "cell": "a", "blended_pmpm_usd": 619.316, "fixed_pmpm_usd": 12.0, "admin_share": 0.075, "margin_share": 0.015,
    "tax_share": 0.02, "f_smoothing": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "status"),
    [
        pytest.param(709.34, "pass", id="loads divided, GT-23"),
        pytest.param(700.76, "fail", id="loads added, the classic mistake"),
    ],
)
def test_loads_are_divided(rate, status):
    assert ask("H47", rates=pd.DataFrame([{**RATE, "rate_usd": rate}])).status == status


@pytest.mark.parametrize(
    ("factor", "status"),
    [
        pytest.param(((1.01) * (1.03)) ** 3, "pass", id="compounded over 36 months"),
        pytest.param((1 + 0.01 + 0.03) ** 3, "fail", id="use plus price"),
        pytest.param(((1.01) * (1.03)) ** 2, "fail", id="the wrong months"),
    ],
)
def test_trend_compounds(factor, status):
    row = {"trend_utilisation": 0.01, "trend_unit_cost": 0.03, "trend_months": 36.0, "f_trend": factor}
    assert ask("H48", rate_build=pd.DataFrame([row])).status == status


@pytest.mark.parametrize(("discount", "status"), [(0.02, "pass"), (0.5, "pass"), (0.98, "fail")])
def test_discounted_at_98_percent_keeps_98_percent(discount, status):
    assert ask("H61", program_rates=pd.DataFrame({"discount": [discount, 0.0]})).status == status


def test_small_cells_are_looked_for_in_what_is_released():
    flow = empty_frame(RELEASED["cohort_flow"].contract)
    flow.loc[0] = [1, "B5.1", "rule", 0, 900, 895]
    assert ask("H67", cohort_flow=flow, settings={"release": {"suppress_below": 11}}).status == "pass"


def test_dollars_by_month_without_a_count_of_persons_are_not_released():
    assert is_uncounted(Triangles) and is_uncounted(Ultimates)
    assert not [name for name, released in RELEASED.items() if is_uncounted(released.contract, released.never)]
