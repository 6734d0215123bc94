"""What the report says of rates: every number with its limits, none of what is hidden, nothing of what is not there."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from case_rate_data import released_cases
from ratebook.contracts.released import RELEASED
from ratebook.release.rate_sentences import say_case_rates, say_rates
from ratebook.release.sentences import NO_COHORT
from release_data import no_rows

cases = pytest.fixture(released_cases, scope="module")


def rows_of(name: str, rows) -> pd.DataFrame:
    return pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))


@pytest.fixture
def rated():
    """Two cells with limits; completion measured in one category, one month of payment of two off."""
    rates = [
        {"cell": "small", "members": 40, "rate_usd": 60.0, "lower": 45.0, "upper": 80.0, "projected_mlr": 0.9},
        {"cell": "large", "members": 900, "rate_usd": 130.0, "lower": 120.0, "upper": 141.0, "projected_mlr": 0.89},
    ]
    sure = [{**row, "std_error_share": error} for row, error in zip(rates, (0.15, 0.041))]
    base = [
        {"category": "residential", "completion_factor": 0.91, "lower": 0.85, "upper": 0.98, "method": "chain_ladder"}
    ]
    moved = [
        ("members", 1, 122.0, 138.5, True), ("trend of outpatient", 2, 126.0, 134.0, True), ("admin_share", 3, 128.9, 131.1, False),
    ]  # fmt: skip
    tornado = [
        {"cell": cell, "factor": factor, "rank": rank, "low_usd": low, "high_usd": high, "swing_usd": high - low,
         "is_sampled": sampled, "members": 40}
        for cell in ("small", "large") for factor, rank, low, high, sampled in moved
    ]  # fmt: skip
    months = [{"category": "residential", "paid_to_expected": ratio, "is_break": ratio > 2} for ratio in (1.0, 2.5)]
    found = {
        "rates": rates, "rate_uncertainty": sure, "base_completion": base, "rate_tornado": tornado, "completion_diagonals": months,
    }  # fmt: skip
    return {**no_rows(), **{name: rows_of(name, rows) for name, rows in found.items()}}


def test_how_sure_a_rate_is_and_what_moves_it_most_is_said_of_the_cell_most_stand_behind(rated):
    said = " ".join(say_rates(rated, {}))
    assert "4.1% to 15.0%" in said
    assert "chance among members moves the rate most in 2 of 2 cells" in said
    assert "In the largest cell, large, the rate is $130.00 (95% CI $120.00 to $141.00)" in said
    assert "chance among members from $122.00 to $138.50 and trend of outpatient from $126.00 to $134.00" in said
    assert "administration a tenth lower or higher than assumed would make it $128.90 or $131.10" in said
    assert "Of 2 months of payment, category by category, 1 paid more or less" in said


def test_a_hidden_cell_is_in_no_sentence(rated):
    for name in ("rates", "rate_uncertainty", "rate_tornado"):
        counts = [column for column, field in RELEASED[name].contract.fields().items() if field.persons]
        hidden = [*counts, *RELEASED[name].contract.Config.hides]
        rated[name].loc[rated[name].cell == "large", hidden] = None
    said = " ".join(say_rates(rated, {}))
    assert "large," not in said and "130" not in said and "in 1 of 1 cells" in said


@pytest.mark.parametrize(("ratio", "words"), [(0.9, "takes back"), (1.1, "pays the plan")])
def test_who_bears_a_miss_is_said_with_its_direction_and_without_an_interval(rated, ratio, words):
    row = {"plan": "A", "actual_to_target": ratio, "corridor_usd": 100 * (ratio - 1), "remittance_usd": 0.0}
    rated["risk_sharing"] = rows_of("risk_sharing", [{**row, "plan_result_usd": -5.0}])
    said = next(text for text in say_rates(rated, {}) if text.startswith("Plan A"))
    assert words in said and "no interval" in said and "−$5.00" in said


def test_a_panel_and_the_terms_are_said_with_their_limits(cases):
    said = say_case_rates(cases, {})
    assert len([text for text in said if "lose money before overhead" in text]) == 4
    priced = [text for text in said if "$" in text]
    assert all("95% CI" in text or "no interval" in text for text in priced)
    assert any("leaves a worker time for" in text and "25 were assumed" in text for text in said)
    assert sum("a stop-loss in" in text for text in said) == 4


def test_of_an_arm_of_few_nothing_is_said_in_numbers():
    few = released_cases(clients=10)
    said = say_case_rates(few, {})
    numbers = [text for text in said if re.search(r"\$\d", text)]
    assert not [text for text in numbers if "built from assumptions" not in text], numbers
    assert not any("Of panels" in text or "stop-loss" in text for text in said)


def test_without_rates_or_clients_the_report_says_so():
    assert say_case_rates(no_rows(), {}) == [NO_COHORT]
    assert say_rates(no_rows(), {})[-1] == "No rate cell has exposure, so there is no rate."
