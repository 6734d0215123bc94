"""Every estimate in a released table has its interval, or the table says why it has none."""

import pytest

from ratebook.contracts.released import RELEASED

ACCOUNTS = (
    "attrition",
    "reconciliation",
    "qa",
    "exposure_qa",
    "lag_distribution",
    "enrolment",
    "cohort_flow",
    "cohort_variants",
    "cohort",
    "episode_lengths",
    "protocol",
    "trial_flow",
    "trial_weights",
    "balance",
    "propensity",
    "positivity",
    "weight_summary",
    "completion_diagonals",
    "corridor",
    "risk_sharing",
    "outside_costs",
    "price_index",
    "program_reconciliation",
    "liability_days",
    "program_notes",
    "published_amounts",
    "checklist",
)
"""Waterfalls, checks, diagnostics, formulas drawn and amounts quoted: counted or copied, not estimated."""
LIMITS = {
    "paradox": (
        "month_ratio_lower",
        "month_ratio_upper",
        "duration_ratio_lower",
        "total_ratio_lower",
        "total_ratio_upper",
    ),
    "fixed_and_monthly": ("fixed_usd_lower", "fixed_usd_upper", "further_month_usd_lower", "further_month_usd_upper"),
    "cost_models": ("percentile_lower", "percentile_upper", "bca_lower", "bca_upper"),
    "did": ("wild_lower", "wild_upper"),
    "cost_by_category": ("units_lower", "units_upper", "unit_price_lower", "unit_price_upper"),
    "increments": ("difference_lower", "difference_upper", "months_lower", "months_upper"),
    "case_rates": ("loaded_lower", "loaded_upper"),
    "trend": ("fitted_lower", "fitted_upper"),
    "rate_uncertainty": ("sum_lower", "sum_upper"),
    "program_comparison": ("margin_lower", "margin_upper"),
    "panel_loss": ("probability_lower", "probability_upper"),
}
"""Limits of estimates beside the first of their table."""


SEVERAL = ("paradox", "fixed_and_monthly")
"""Tables of several estimates a row, each with limits named after it: those of `LIMITS` stand for lower and upper."""


def says_why(fields, limits=("lower", "upper")) -> bool:
    """Both limits and a reason, or a reason in every row."""
    return "reason" in fields and (set(limits) <= set(fields) or not fields["reason"].nullable)


@pytest.mark.parametrize("name", [name for name in RELEASED if name not in ACCOUNTS])
def test_a_table_of_estimates_has_limits_and_a_reason_or_always_a_reason(name):
    limits = LIMITS[name] if name in SEVERAL else ("lower", "upper")
    assert says_why(RELEASED[name].contract.fields(), limits)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_no_table_with_an_estimate_or_limits_passes_as_an_account(name):
    fields = RELEASED[name].contract.fields()
    assert not {"estimate", "estimate_usd", "std_error"} & set(fields) and ("lower" not in fields or says_why(fields))


@pytest.mark.parametrize("name", LIMITS)
def test_further_estimates_of_a_table_have_limits_of_their_own(name):
    assert set(LIMITS[name]) <= set(RELEASED[name].contract.fields())


@pytest.mark.parametrize("name", RELEASED)
def test_limits_are_hidden_with_the_estimate_of_a_small_count(name):
    kind = RELEASED[name].contract
    follows = RELEASED[name].follows[2] if RELEASED[name].follows else ()
    limits = {column for column in kind.fields() if column.endswith(("lower", "upper"))}
    assert not (kind.Config.hides or follows) or limits <= {*kind.Config.hides, *follows}
