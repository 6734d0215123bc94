"""Which tables are released under which name, and which of their counts follow from each other."""

from __future__ import annotations

from dataclasses import dataclass

from ratebook.contracts import (
    case_rates,
    clean,
    cost,
    cost_exhibits,
    cost_identity,
    cost_models,
    cost_panels,
    designs,
    engagement,
    episodes,
    exposure,
    navigation,
    programs,
    quality,
    rate_trace,
    rate_uncertainty,
    rates,
    review,
    risk_sharing,
    robustness,
    spells,
    trial,
)
from ratebook.contracts.base import Contract
from ratebook.contracts.chains import Flow, Series, Split, Tail


@dataclass(frozen=True)
class Released:
    """A released table, and what its contract alone cannot say of disclosure.

    `chains` are counts whose differences are counts of people. `never` are columns no released copy shows: counts
    that another table gives on another grid, so that both together would show a small difference. `percents` are
    shares shown in whole percent: with more digits a share of a known group gives its counts back. `totals` names a
    column, its values in rows of totals, and the columns shown in those rows alone: what is cut in several ways would
    show, by two cuts together, what a small part is. `follows` names
    a table, the column that ties it to this one, and the columns hidden here where that table hides its row; a
    condition may say of which rows; `also` is a second such tie. `compares` names the table by arm whose hidden arms hide the comparisons here.
    """

    contract: type[Contract]
    chains: tuple[Flow | Series | Split | Tail, ...] = ()
    never: tuple[str, ...] = ()
    percents: tuple[str, ...] = ()
    totals: tuple | None = None
    follows: tuple | None = None
    also: tuple | None = None
    compares: str = ""


LIMITED = ("estimate", "lower", "upper")


def nested(count: str) -> tuple[Series, ...]:
    """Chain persons from one window to the next, and with them those of whom it is true: who is new is few.

    The arms of a window are hidden together, because they add up to all.
    """
    return tuple(
        Series(name, ("arm", "method"), LIMITED, together=("window_days", "method")) for name in ("persons", count)
    )


def of_cell(contract: type[Contract]) -> tuple:
    """Hide what a table tells of a rate cell, wherever the table of rates hides the cell."""
    counts = (name for name, field in contract.fields().items() if field.persons)
    return "rates", "cell", (*counts, *contract.Config.hides)


def before_pooling(*columns: str) -> tuple:
    """Hide what a cell cost before pooling where few are beyond the attachment point: rates tell what it cost after."""
    return "pooling", "cell", columns


VARIANT = ("unit", "min_detox_12m", "count_index", "index_rule")
NUMBERS = tuple(("level", level) for level in ("mean", "squared", "log", "product"))
"""Rows of numbers: those whose number is known, of all, are but a few less than all."""


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
    "cohort_variants": Released(
        episodes.CohortVariants,
        # Who passes a strict reading passes a lenient one; and by arm where every discharge counts. Where one of a
        # person's discharges is the index, another reading may take another, with another arm: nothing is nested.
        (
            Series("persons", ("arm",), ("discharges",), "is_chosen", VARIANT, (("arm", "all"),)),
            Series("persons", ("arm",), ("discharges",), "", VARIANT, (("index_rule", "all"),)),
            Series("discharges", ("arm",), ("persons",), "", VARIANT, (("index_rule", "all"),)),
        ),
    ),
    "cohort": Released(
        episodes.CohortTable,
        (Series("persons", ("arm",), ("share",), together=("place",), only=(("level", "mean"),)),),
    ),
    "episode_lengths": Released(episodes.EpisodeLengths),
    "continuity": Released(episodes.ContinuityByArm, nested("continued"), ("persons", "continued"), LIMITED),
    "readmission": Released(episodes.Readmission, nested("readmitted"), ("persons", "readmitted"), LIMITED),
    "crossover": Released(spells.Crossover),
    "spell_ends": Released(spells.SpellEnds),
    # Who had a single contact, or was still seen, at one gap is so at every shorter one: shares in whole percent.
    "gap_sensitivity": Released(spells.GapSensitivity, never=("counted",), percents=LIMITED),
    "protocol": Released(trial.Protocol),
    "trial_flow": Released(
        trial.TrialFlow,
        # Estimates give the persons kept; a clone censored for the other program is the other arm's that started.
        (Split("persons", ("method", "arm"), ("fate", ("kept", "mixed_site", "started", "never_met"))),),
    ),
    # By day they would show who left; with every weight 1, effective persons are persons.
    "trial_weights": Released(
        trial.TrialWeights, never=("persons", "effective_persons"), percents=("uncensored_share",)
    ),
    "first_contact_wait": Released(trial.FirstContactWait),
    "engagement": Released(engagement.Engagement, never=("fewest_persons",)),
    "engagement_models": Released(engagement.EngagementModels),
    "engagement_sensitivity": Released(robustness.EngagementSensitivity, never=("persons", "fewest_persons")),
    "clocks": Released(engagement.Clocks, never=("arm_persons", "persons")),
    "balance": Released(engagement.Balance, tuple(Series(f"{arm}_persons", only=NUMBERS) for arm in ("rsn", "csp"))),
    "propensity": Released(engagement.Propensity),
    "positivity": Released(engagement.Positivity, percents=("outside_share",)),
    "weight_summary": Released(engagement.WeightSummary, percents=("outside_share",)),
    "service_mix": Released(engagement.ServiceMix, (Series("clients", ("program",)),)),
    "service_summary": Released(navigation.ServiceSummary),
    "survival": Released(
        engagement.Survival,
        # Who left between two days, and who of them was seen to end: the curve's step times those at risk.
        (
            Series("at_risk", ("arm",), ("ended", *engagement.Survival.Config.hides), "is_horizon"),
            Series("ended", ("arm",), ("at_risk", *engagement.Survival.Config.hides), "is_horizon"),
        ),
        never=("ended",),
    ),
    "rmst_by_day": Released(engagement.RmstByDay, never=("at_risk",)),
    "survival_by_month": Released(
        engagement.SurvivalByMonth,
        (Series("at_risk", ("arm",), ("events", *engagement.SurvivalByMonth.Config.hides)),),
        never=("at_risk", "events"),
    ),
    "cumulative_incidence": Released(
        engagement.CumulativeIncidence,
        (
            Series("at_risk", ("arm", "end_reason"), ("ended", *engagement.CumulativeIncidence.Config.hides)),
            Series("ended", ("arm", "end_reason"), ("at_risk", *engagement.CumulativeIncidence.Config.hides)),
        ),
        never=("ended",),
    ),
    "pmpm_exhibit": Released(cost_exhibits.PmpmExhibit, compares="pmpm_exhibit"),
    "pmpm": Released(cost.Pmpm, compares="pmpm"),
    "payment_forms": Released(cost.PaymentForms, compares="payment_forms"),
    "perspectives": Released(cost_exhibits.Perspectives, compares="perspectives"),
    "total_cost": Released(cost.TotalCost, compares="total_cost"),
    "cost_curve": Released(cost.CostCurve, (Series("persons", ("estimand", "arm")),)),
    "cost_by_category": Released(cost.CostByCategory, compares="cost_by_category"),
    "category_sums": Released(cost_exhibits.CategorySums, compares="category_sums"),
    "decomposition": Released(
        cost.Decomposition,
        follows=("cost_by_category", "category", cost.Decomposition.Config.hides, "window == 'post'"),
        compares="total_cost",
    ),
    "break_even": Released(cost.BreakEven, compares="total_cost"),
    "break_even_line": Released(cost_exhibits.BreakEvenLine),
    "paradox": Released(cost_identity.Paradox, compares="total_cost"),
    "fixed_and_monthly": Released(cost_identity.FixedAndMonthly),
    "increments": Released(cost.Increments, compares="total_cost"),
    "plane": Released(cost_exhibits.Plane, compares="total_cost"),
    "net_benefit": Released(cost.NetBenefit, compares="total_cost"),
    "outside_costs": Released(cost.OutsideCosts),
    "cost_models": Released(cost_models.CostModels, compares="cost_models"),
    "cost_model_checks": Released(cost_models.CostModelChecks),
    "cost_model_fit": Released(cost_models.CostModelFit),
    # Dollars of a category stand in other tables, over other years.
    "price_index": Released(cost_panels.PriceIndex, never=("cost_usd", "real_cost_usd", "lines")),
    "price_comparison": Released(cost_panels.PriceComparison, compares="price_comparison"),
    "did": Released(cost_panels.Did, never=("member_months",)),
    # From month to month few leave.
    "event_study": Released(cost_panels.EventStudy, never=("persons", "member_months")),
    "group_time": Released(cost_panels.GroupTime),
    "completion": Released(rates.Completion),
    "base_completion": Released(rates.BaseCompletion),
    "trend": Released(rates.Trend),
    # A plan's settlement and a pool's manual rate add up cells: what `rates` hides for its company is hidden in all.
    "rate_build": Released(
        rates.RateBuild,
        follows=of_cell(rates.RateBuild),
        also=before_pooling("base_usd", "paid_pmpm_usd", "completed_pmpm_usd", "f_pooling"),
    ),
    "pooling": Released(risk_sharing.Pooling, follows=of_cell(risk_sharing.Pooling)),
    "relativities": Released(rates.Relativities, follows=of_cell(rates.Relativities)),
    "rates": Released(rates.Rates),
    "rate_trace": Released(
        rate_trace.RateTrace, follows=of_cell(rate_trace.RateTrace), also=before_pooling("value", "running_usd")
    ),
    "rate_uncertainty": Released(rate_uncertainty.RateUncertainty, follows=of_cell(rate_uncertainty.RateUncertainty)),
    "rate_tornado": Released(rate_uncertainty.RateTornado, follows=of_cell(rate_uncertainty.RateTornado)),
    # Who is behind a month's payments is not counted: dollars of few would show.
    "completion_diagonals": Released(rate_uncertainty.CompletionDiagonals, never=("paid_usd", "expected_usd")),
    "credibility": Released(
        rates.Credibility,
        follows=of_cell(rates.Credibility),
        also=before_pooling(*(name for name in rates.Credibility.Config.hides if name != "member_months")),
    ),
    "plan_rates": Released(
        rates.PlanRates, follows=("rates", "cell", ("member_months", "plan_rate_usd", "lower", "upper"))
    ),
    "corridor": Released(rates.Corridor),
    "risk_sharing": Released(risk_sharing.RiskSharing),
    "case_rates": Released(case_rates.CaseRates),
    "staffing_build": Released(case_rates.StaffingBuild),
    "case_terms": Released(
        case_rates.CaseTerms,
        # Who passes the higher limit passes the lower one.
        (Series("clients", ("arm",), ("times_per_client",), only=(("part", case_rates.BEYOND),)),),
    ),
    # From month to month few leave; and what is left of an episode's cost must not be that of a few.
    "provider_risk": Released(
        case_rates.ProviderRisk,
        (Tail("clients", ("arm", "form"), case_rates.ProviderRisk.Config.hides),),
        never=("clients",),
    ),
    "panel_loss": Released(case_rates.PanelLoss),
    # One population is cut into cells by every state in its own way, and one program enrols a few more than another.
    "program_rates": Released(
        programs.ProgramRates,
        (Series("persons", (), ("member_months",), only=tuple(("cell", name) for name in programs.TOTALS)),),
        percents=("credibility",),
        totals=("cell", programs.TOTALS, ("persons", "member_months")),
    ),
    # Members of one design are members of another; months in cells without a rate are of few.
    "program_comparison": Released(
        designs.ProgramComparison,
        (Series("persons", (), designs.ProgramComparison.Config.hides),),
        never=("member_months",),
        percents=("unpriced_share",),
    ),
    # Whose people these are `program_comparison` tells; those of a published item are a sum of cells.
    "plan_risk": Released(designs.PlanRisk, never=("persons",)),
    "program_incentives": Released(designs.ProgramIncentives, never=("persons",)),
    "mix_sensitivity": Released(designs.MixSensitivity, never=("persons",)),
    "rate_scales": Released(designs.RateScales, never=("persons",)),
    "rate_orders": Released(designs.RateOrders, never=("persons",)),
    "buy_in": Released(designs.BuyIn, never=("persons",)),
    "capped_benefits": Released(
        designs.CappedBenefits,
        # Who is left in a later year was there before.
        (Series("persons", ("program",), designs.CappedBenefits.Config.hides),),
        # Of a known number of persons a share gives back how many reach a cap, and they are few.
        never=("at_year_cap_share", "at_lifetime_cap_share"),
    ),
    "program_notes": Released(programs.ProgramNotes),
    "program_reconciliation": Released(programs.ProgramReconciliation),
    "plan_liability": Released(
        programs.PlanLiability,
        (Series("persons", (), programs.LIABILITY_SUMS, only=(("cell", "all"),)),),
        percents=("plan_nf_day_share",),
        totals=("cell", ("all",), ("persons", *programs.LIABILITY_SUMS)),
    ),
    # From day to day few leave.
    "liability_days": Released(
        programs.LiabilityDays, never=("nf_days", "plan_nf_days", "persons"), percents=("window_day_share",)
    ),
    "published_amounts": Released(programs.PublishedAmounts),
    "sensitivity": Released(review.Sensitivity),
    "checklist": Released(review.Checklist),
    "recovery": Released(review.Recovery),
}
"""Released name to contract; the name is the file's name in `results/release/tables/`."""
