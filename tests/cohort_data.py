"""The cohort's rules as the tests take them: those of the default config, over two years drawn small."""

from __future__ import annotations

from ratebook.episodes.cohort import CohortRules


def cohort_rules(**changes) -> CohortRules:
    """Give the rules with any of them changed."""
    usual = {
        "window_start": "2022-01-01",
        "window_end": "2023-12-31",
        "seed": 1,
        "unit": "episode",
        "min_detox_12m": 2,
        "count_index": True,
        "index_rule": "first",
        "age_min_years": 18,
        "age_max_years": 64,
        "exclude_full_duals": True,
        "exclude_hospice": True,
        "facilities": [],
        "enrolled_days_before": 365,
        "enrolled_gap_days": 45,
        "prior_contact_days": 180,
        "assignment_days": 90,
        "follow_up_days": 0,
    }
    return CohortRules(**{**usual, **changes})
