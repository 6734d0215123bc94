"""Seventy errors a reviewer would catch: each is looked for, and the table that shows it is named."""

from __future__ import annotations

import pandas as pd
import yaml

from ratebook.contracts import (
    clean,
    cost,
    cost_exhibits,
    cost_models,
    cost_panels,
    engagement,
    episodes,
    exposure,
    intake,
    programs,
    rates,
    review,
    spells,
    trial,
)
from ratebook.review import on_cost, on_data, on_engagement, on_rates
from ratebook.review.seen import CHECKS, CannotSay, Seen

GROUPS = (on_data, on_engagement, on_cost, on_rates)
"""The modules that register checks."""
TABLES = {
    "claim_facts": review.ClaimFacts,
    "fault_counts": review.FaultCounts,
    "source_manifest": intake.SourceManifest,
    "attrition": clean.Attrition,
    "reconciliation": clean.Reconciliation,
    "qa": clean.Qa,
    "exposure_qa": exposure.ExposureQa,
    "detox_codes": episodes.DetoxCodes,
    "cohort": episodes.Cohort,
    "cohort_table": episodes.CohortTable,
    "cohort_flow": episodes.CohortFlow,
    "cohort_variants": episodes.CohortVariants,
    "readmission": episodes.Readmission,
    "spells": episodes.Spells,
    "spells_by_gap": episodes.SpellsByGap,
    "contamination": spells.Contamination,
    "engagement": engagement.Engagement,
    "clocks": engagement.Clocks,
    "engagement_models": engagement.EngagementModels,
    "cumulative_incidence": engagement.CumulativeIncidence,
    "balance": engagement.Balance,
    "weights": engagement.Weights,
    "trial_weights": trial.TrialWeights,
    "follow_up": cost.FollowUp,
    "person_costs": cost.PersonCosts,
    "outside_costs": cost.OutsideCosts,
    "pmpm_exhibit": cost_exhibits.PmpmExhibit,
    "pmpm": cost.Pmpm,
    "perspectives": cost_exhibits.Perspectives,
    "total_cost": cost.TotalCost,
    "cost_by_category": cost.CostByCategory,
    "decomposition": cost.Decomposition,
    "increments": cost.Increments,
    "cost_models": cost_models.CostModels,
    "price_comparison": cost_panels.PriceComparison,
    "did": cost_panels.Did,
    "event_study": cost_panels.EventStudy,
    "base_completion": rates.BaseCompletion,
    "base_exclusions": rates.BaseExclusions,
    "rate_build": rates.RateBuild,
    "rates": rates.Rates,
    "plan_rates": rates.PlanRates,
    "corridor": rates.Corridor,
    "program_rates": programs.ProgramRates,
    "plan_liability": programs.PlanLiability,
    "program_reconciliation": programs.ProgramReconciliation,
    "sensitivity": review.Sensitivity,
}
"""What the checklist reads, by the name a check asks for."""


def see(tables: dict[str, pd.DataFrame], contents: str, settings: dict) -> Seen:
    """Lay out what checks may look at; the report's contents say which table each figure is drawn from."""
    facts = tables["claim_facts"]
    captions = [{"figure": name, "table": of["table"]} for name, of in yaml.safe_load(contents)["figures"].items()]
    tables = {**tables, "captions": pd.DataFrame(captions)}
    return Seen(tables, dict(zip(facts.fact, facts.value)), settings)


def check_review(checklist: pd.DataFrame, seen: Seen) -> pd.DataFrame:
    """Put every question of the checklist to the results.

    A value on the wrong side of the `fail` limit fails; on the wrong side of `warn`, warns; at the limit itself
    it passes. A question the data cannot answer is `na` with the reason; so is one with no automatic check yet.

    Parameters
    ----------
    checklist : pandas.DataFrame
        `workflow/codes/checklist.csv`: id, severity, sense (above or below is wrong), limits, measure, evidence, error.
    seen : Seen
        Tables, facts and settings.

    Returns
    -------
    Checklist

    References
    ----------
    methods.md, H.
    """
    return pd.DataFrame([_answer(row, seen) for row in checklist.to_dict("records")])


def _answer(row: dict, seen: Seen) -> dict:
    value, reason, status, threshold = None, None, "na", _limit(row["fail"]) or _limit(row["warn"])
    if row["id"] not in CHECKS:
        reason = "no automatic check at this depth"
    else:
        try:
            found = CHECKS[row["id"]](seen)
            value, reason = found if isinstance(found, tuple) else (found, None)
            value = float(value)
            status, threshold = judge(value, row["sense"], _limit(row["warn"]), _limit(row["fail"]))
        except CannotSay as why:
            reason = str(why)
    if row["severity"] == "info" and status == "fail":
        status = "warn"
    return {
        "id": row["id"],
        "error": row["error"],
        "status": status,
        "value": value,
        "threshold": threshold,
        "evidence": row["evidence"],
        "severity": row["severity"],
        "measure": row["measure"],
        "reason": reason,
    }


def judge(value: float, sense: str, warn: float | None, fail: float | None) -> tuple[str, float | None]:
    """Give the status of a value, and the limit that decided it: the one it broke, else the nearer one."""

    def is_beyond(limit: float | None) -> bool:
        if limit is None:
            return False
        return value > limit if sense == "above" else value < limit

    nearer = fail if warn is None else warn
    if is_beyond(fail):
        return "fail", fail
    if is_beyond(warn):
        return "warn", warn
    return "pass", nearer


def _limit(text) -> float | None:
    return float(text) if str(text).strip() else None
