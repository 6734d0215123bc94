"""Which tables are released under which name, and which of their counts follow from each other."""

from __future__ import annotations

from dataclasses import dataclass

from ratebook.contracts import (
    clean,
    cost,
    engagement,
    episodes,
    exposure,
    navigation,
    programs,
    quality,
    rates,
    review,
    robustness,
    spells,
    trial,
)
from ratebook.contracts.base import Contract
from ratebook.contracts.chains import Flow, Series


@dataclass(frozen=True)
class Released:
    """A released table, and what its contract alone cannot say of disclosure.

    `chains` are counts whose differences are counts of people. `never` are columns no released copy shows: counts
    that another table gives on another grid, so that both together would show a small difference. `follows` names
    a table, the column that ties it to this one, and the columns hidden here where that table hides its row.
    """

    contract: type[Contract]
    chains: tuple[Flow | Series, ...] = ()
    never: tuple[str, ...] = ()
    follows: tuple[str, str, tuple[str, ...]] | None = None


def nested(count: str) -> tuple[Series, ...]:
    """Chain persons from one window to the next, and with them those of whom it is true: who is new is few."""
    return tuple(Series(name, ("arm", "method"), ("estimate", "lower", "upper")) for name in ("persons", count))


RELEASED = {
    "attrition": Released(
        clean.Attrition,
        (
            # Dollars stay: a waterfall that hides some accounts for none. Who and how many rows stood behind
            # a rule is hidden where they are few.
            Flow("persons", ("source_table",)),
            Flow("rows", ("source_table",)),
        ),
    ),
    "reconciliation": Released(clean.Reconciliation),
    "qa": Released(clean.Qa),
    "lag_distribution": Released(quality.LagDistribution),
    "exposure_qa": Released(
        # Dollars of lines outside coverage are hidden where the lines are few.
        exposure.ExposureQa,
        follows=("exposure_qa", "level", ("value", "share")),
    ),
    "enrolment": Released(exposure.Enrolment),
    "cohort_flow": Released(episodes.CohortFlow, (Flow("persons"),)),
    "cohort_variants": Released(episodes.CohortVariants),
    "cohort": Released(episodes.CohortTable),
    "episode_lengths": Released(episodes.EpisodeLengths),
    "continuity": Released(episodes.ContinuityByArm, nested("continued"), never=("persons", "continued")),
    "readmission": Released(episodes.Readmission, nested("readmitted"), never=("persons", "readmitted")),
    "crossover": Released(spells.Crossover),
    "protocol": Released(trial.Protocol),
    "first_contact_wait": Released(trial.FirstContactWait),
    "engagement": Released(engagement.Engagement),
    "engagement_models": Released(engagement.EngagementModels),
    "engagement_sensitivity": Released(robustness.EngagementSensitivity, never=("persons",)),
    "clocks": Released(engagement.Clocks, never=("arm_persons", "persons")),
    "balance": Released(engagement.Balance),
    "propensity": Released(engagement.Propensity),
    "positivity": Released(engagement.Positivity),
    "weight_summary": Released(engagement.WeightSummary),
    "service_mix": Released(engagement.ServiceMix),
    "service_summary": Released(navigation.ServiceSummary),
    "survival": Released(engagement.Survival, (Series("at_risk", ("arm",), engagement.Survival.Config.hides),)),
    "rmst_by_day": Released(engagement.RmstByDay, never=("at_risk",)),
    "survival_by_month": Released(
        engagement.SurvivalByMonth,
        (Series("at_risk", ("arm",), ("events", *engagement.SurvivalByMonth.Config.hides)),),
        never=("at_risk", "events"),
    ),
    "cumulative_incidence": Released(
        engagement.CumulativeIncidence,
        (Series("at_risk", ("arm", "end_reason"), engagement.CumulativeIncidence.Config.hides),),
    ),
    "pmpm": Released(cost.Pmpm),
    "payment_forms": Released(cost.PaymentForms),
    "total_cost": Released(cost.TotalCost),
    "cost_curve": Released(cost.CostCurve, (Series("persons", ("estimand", "arm")),)),
    "cost_by_category": Released(cost.CostByCategory),
    "decomposition": Released(cost.Decomposition),
    "break_even": Released(cost.BreakEven),
    "increments": Released(cost.Increments),
    "net_benefit": Released(cost.NetBenefit),
    "outside_costs": Released(cost.OutsideCosts),
    "completion": Released(rates.Completion),
    "base_completion": Released(rates.BaseCompletion),
    "trend": Released(rates.Trend),
    "rate_build": Released(rates.RateBuild),
    "rates": Released(rates.Rates),
    "credibility": Released(rates.Credibility),
    "plan_rates": Released(
        rates.PlanRates, follows=("rates", "cell", ("member_months", "plan_rate_usd", "lower", "upper"))
    ),
    "corridor": Released(rates.Corridor),
    "case_rates": Released(rates.CaseRates),
    "provider_risk": Released(rates.ProviderRisk),
    "program_rates": Released(programs.ProgramRates),
    "program_comparison": Released(programs.ProgramComparison),
    "program_reconciliation": Released(programs.ProgramReconciliation),
    "plan_liability": Released(programs.PlanLiability),
    "liability_days": Released(programs.LiabilityDays),
    "published_amounts": Released(programs.PublishedAmounts),
    "sensitivity": Released(review.Sensitivity),
    "checklist": Released(review.Checklist),
    "recovery": Released(review.Recovery),
}
"""Released name to contract; the name is the file's name in `results/release/tables/`."""
