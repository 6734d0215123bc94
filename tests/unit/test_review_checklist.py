"""The checklist: limits, what cannot be said, and that planted errors are found."""

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
from ratebook.tables import empty_frame, read_codes

LIMIT = {"release": {"suppress_below": 11}}
QUESTIONS = read_codes(ROOT / "workflow/codes/checklist.csv")
CONTENTS = (ROOT / "workflow/report/contents.yaml").read_text()


def answers(seen):
    return check_review(QUESTIONS, seen).set_index("id")


def ask(check_id, **tables):
    """Put one question to a few tables; frames in, answer out."""
    facts, settings = tables.pop("facts", {}), tables.pop("settings", {})
    return check_review(QUESTIONS[QUESTIONS.id == check_id], Seen(tables, facts, settings)).iloc[0]


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
    may_pass = {"H18", "H67", "H68"}
    assert set(found.index[found.status == "pass"]) <= may_pass
    assert found.reason[found.status == "na"].str.len().min() > 0


def test_an_absent_table_is_not_an_absent_error():
    assert ask("H20").status == "na"
    with pytest.raises(CannotSay, match="not made"):
        Seen().table("cohort")


def test_a_waterfall_that_misses_its_end_fails():
    steps = {"source_table": ["medical_claims"] * 2, "step": [1, 2], "paid_in_usd": [100.0, 90.0]}
    steps |= {"delta_usd": [-10.0, -5.0], "paid_out_usd": [90.0, 80.0]}
    control = pd.DataFrame({"difference_share": [0.0]})
    assert ask("H1", attrition=pd.DataFrame(steps), reconciliation=control).status == "fail"
    steps["paid_out_usd"] = [90.0, 85.0]
    assert ask("H1", attrition=pd.DataFrame(steps), reconciliation=control).status == "pass"


@pytest.mark.parametrize(("fact", "status"), [(0, "pass"), (1, "fail")])
def test_an_original_beside_its_replacement_fails(fact, status):
    assert ask("H2", facts={"lines_kept_twice": fact}).status == status


@pytest.mark.parametrize(("share", "status"), [(0.05, "pass"), (0.06, "warn"), (0.2, "fail")])
def test_contamination_is_a_share_of_the_engaged(share, status):
    both = round(share * 1000)
    cohort = pd.DataFrame({"arm": ["RSN"] * 1000, "is_both_programs": [True] * both + [False] * (1000 - both)})
    others = pd.DataFrame({"arm": ["none"] * 50, "is_both_programs": [False] * 50})
    assert ask("H20", cohort=pd.concat([cohort, others]), settings=LIMIT).status == status


@pytest.mark.parametrize(("both", "status", "value"), [(0, "pass", 0.0), (1, "na", None), (10, "na", None)])
def test_the_share_of_few_members_with_both_programs_is_not_given(both, status, value):
    cohort = pd.DataFrame({"arm": ["RSN"] * 900, "is_both_programs": [True] * both + [False] * (900 - both)})
    row = ask("H20", cohort=cohort, settings=LIMIT)
    assert row.status == status
    assert (row.value == value) if value is not None else pd.isna(row.value)


def test_the_share_with_both_programs_is_in_whole_percent():
    cohort = pd.DataFrame({"arm": ["RSN"] * 900, "is_both_programs": [True] * 31 + [False] * 869})
    assert ask("H20", cohort=cohort, settings=LIMIT).value == 0.03


@pytest.mark.parametrize(
    ("last_contact", "status"), [("2017-12-01", "pass"), ("2017-12-02", "pass"), ("2017-12-01x", "fail")]
)
def test_a_last_contact_within_the_gap_of_the_end_is_no_event(last_contact, status):
    day = pd.Timestamp(last_contact.rstrip("x"))
    reason = "disengaged" if last_contact.endswith("x") else "end_of_data"
    spells = pd.DataFrame({"last_date": [day, pd.Timestamp("2016-01-01")], "end_reason": [reason, "disengaged"]})
    settings = {"episodes": {"spell_gap_days": 30}, "study": {"window_end": "2017-12-31"}}
    assert ask("H25", spells=spells, settings=settings).status == status


RATE = {
    "cell": "a", "blended_pmpm_usd": 619.316, "fixed_pmpm_usd": 12.0, "admin_share": 0.075, "margin_share": 0.015,
    "tax_share": 0.02,
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


def test_a_decomposition_has_no_residual():
    effects = pd.DataFrame({"effect_usd": [1226.6667, -1333.3333, 586.6667]})
    total = {"estimand": "total_sud", "arm": "difference", "method": "partitioned"}
    assert (
        ask("H46", decomposition=effects, total_cost=pd.DataFrame([{**total, "estimate_usd": 480.0001}])).status
        == "pass"
    )
    assert (
        ask("H46", decomposition=effects, total_cost=pd.DataFrame([{**total, "estimate_usd": 500.0}])).status == "fail"
    )


def test_the_bundle_is_always_remarked_on():
    row = ask("H22", cohort=pd.DataFrame({"arm": ["RSN"]}))
    assert row.status == "warn"
    assert "not separable" in row.reason


def test_small_cells_are_looked_for_in_what_is_released():
    flow = empty_frame(RELEASED["cohort_flow"].contract)
    flow.loc[0] = [1, "B5.1", "rule", 0, 900, 895]
    assert ask("H67", cohort_flow=flow, settings={"release": {"suppress_below": 11}}).status == "pass"


def test_dollars_by_month_without_a_count_of_persons_are_not_released():
    assert is_uncounted(Triangles) and is_uncounted(Ultimates)
    assert not [name for name, released in RELEASED.items() if is_uncounted(released.contract)]


def test_four_denominators_stand_side_by_side():
    total = pd.DataFrame({"estimand": ["total_sud"]})
    assert ask("H70", total_cost=total, pmpm=pd.DataFrame({"variant": ["P1", "P2", "P4", "P5"]})).status == "pass"
    assert ask("H70", total_cost=total, pmpm=pd.DataFrame({"variant": ["P1", "P2", "P4", "P3"]})).status == "fail"
    assert ask("H70", pmpm=pd.DataFrame({"variant": ["P1"]})).status == "na"
