"""release: the only folder that may leave the building.

Needs the named tables and figures of every stage. Makes their copies with small counts hidden, the rate book, the
report, and the manifest of what was released, from what and by which code.
"""

from pathlib import Path

import yaml
from ratebook.contracts.released import RELEASED

CONTENTS = "workflow/report/contents.yaml"
with open(os.path.join(workflow.basedir, CONTENTS)) as stream:
    FIGURES = list(yaml.safe_load(stream)["figures"])
# The engine changes no row of any table, so it is no part of what was released.
SETTINGS = {name: section for name, section in config.items() if name != "engine"}
WORKFLOW = sorted(
    path.relative_to(workflow.basedir).as_posix()
    for folder in ("scripts", "workflow")
    for path in Path(workflow.basedir, folder).rglob("*.*")
    if path.is_file() and "__pycache__" not in path.parts
)


rule release_tables:
    """Hide small counts in every named table, and write it as CSV and as Parquet."""
    input:
        attrition="results/clean/attrition.parquet",
        reconciliation="results/clean/reconciliation.parquet",
        qa="results/clean/qa.parquet",
        lag_distribution="results/clean/lag_distribution.parquet",
        exposure_qa="results/exposure/exposure_qa.parquet",
        enrolment="results/exposure/enrolment.parquet",
        cohort_flow="results/episodes/cohort_flow.parquet",
        cohort_variants="results/episodes/cohort_variants.parquet",
        cohort="results/episodes/cohort_table.parquet",
        episode_lengths="results/episodes/episode_lengths.parquet",
        continuity="results/episodes/continuity_by_arm.parquet",
        readmission="results/episodes/readmission.parquet",
        crossover="results/episodes/crossover.parquet",
        spell_ends="results/episodes/spell_ends.parquet",
        gap_sensitivity="results/episodes/gap_sensitivity.parquet",
        protocol="results/engagement/protocol.parquet",
        trial_flow="results/engagement/trial_flow.parquet",
        trial_weights="results/engagement/trial_weights.parquet",
        first_contact_wait="results/engagement/first_contact_wait.parquet",
        engagement="results/engagement/engagement.parquet",
        engagement_models="results/engagement/engagement_models.parquet",
        engagement_sensitivity="results/engagement/engagement_sensitivity.parquet",
        clocks="results/engagement/clocks.parquet",
        balance="results/engagement/balance.parquet",
        propensity="results/engagement/propensity.parquet",
        positivity="results/engagement/positivity.parquet",
        weight_summary="results/engagement/weight_summary.parquet",
        service_mix="results/engagement/service_mix.parquet",
        service_summary="results/engagement/service_summary.parquet",
        survival="results/engagement/survival.parquet",
        rmst_by_day="results/engagement/rmst_by_day.parquet",
        survival_by_month="results/engagement/survival_by_month.parquet",
        cumulative_incidence="results/engagement/cumulative_incidence.parquet",
        pmpm_exhibit="results/cost/pmpm_exhibit.parquet",
        pmpm="results/cost/pmpm.parquet",
        payment_forms="results/cost/payment_forms.parquet",
        perspectives="results/cost/perspectives.parquet",
        total_cost="results/cost/total_cost.parquet",
        cost_curve="results/cost/cost_curve.parquet",
        cost_by_category="results/cost/cost_by_category.parquet",
        category_sums="results/cost/category_sums.parquet",
        decomposition="results/cost/decomposition.parquet",
        break_even="results/cost/break_even.parquet",
        break_even_line="results/cost/break_even_line.parquet",
        paradox="results/cost/paradox.parquet",
        fixed_and_monthly="results/cost/fixed_and_monthly.parquet",
        increments="results/cost/increments.parquet",
        plane="results/cost/plane.parquet",
        net_benefit="results/cost/net_benefit.parquet",
        outside_costs="results/cost/outside_costs.parquet",
        cost_models="results/cost/cost_models.parquet",
        cost_model_checks="results/cost/cost_model_checks.parquet",
        cost_model_fit="results/cost/cost_model_fit.parquet",
        price_index="results/cost/price_index.parquet",
        price_comparison="results/cost/price_comparison.parquet",
        did="results/cost/did.parquet",
        event_study="results/cost/event_study.parquet",
        group_time="results/cost/group_time.parquet",
        completion="results/rates/completion.parquet",
        base_completion="results/rates/base_completion.parquet",
        trend="results/rates/trend.parquet",
        rate_build="results/rates/rate_build.parquet",
        pooling="results/rates/pooling.parquet",
        relativities="results/rates/relativities.parquet",
        rates="results/rates/rates.parquet",
        rate_trace="results/rates/rate_trace.parquet",
        rate_uncertainty="results/rates/rate_uncertainty.parquet",
        rate_tornado="results/rates/rate_tornado.parquet",
        completion_diagonals="results/rates/completion_diagonals.parquet",
        credibility="results/rates/credibility.parquet",
        plan_rates="results/rates/plan_rates.parquet",
        corridor="results/rates/corridor.parquet",
        risk_sharing="results/rates/risk_sharing.parquet",
        case_rates="results/rates/case_rates.parquet",
        staffing_build="results/rates/staffing_build.parquet",
        case_terms="results/rates/case_terms.parquet",
        provider_risk="results/rates/provider_risk.parquet",
        panel_loss="results/rates/panel_loss.parquet",
        program_rates="results/programs/program_rates.parquet",
        program_comparison="results/programs/program_comparison.parquet",
        plan_risk="results/programs/plan_risk.parquet",
        program_incentives="results/programs/program_incentives.parquet",
        mix_sensitivity="results/programs/mix_sensitivity.parquet",
        buy_in="results/programs/buy_in.parquet",
        capped_benefits="results/programs/capped_benefits.parquet",
        rate_scales="results/programs/rate_scales.parquet",
        rate_orders="results/programs/rate_orders.parquet",
        program_notes="results/programs/program_notes.parquet",
        program_reconciliation="results/programs/program_reconciliation.parquet",
        plan_liability="results/programs/plan_liability.parquet",
        liability_days="results/programs/liability_days.parquet",
        published_amounts="results/programs/published.parquet",
        sensitivity="results/review/sensitivity.parquet",
        checklist="results/review/checklist.parquet",
        recovery="results/review/recovery.parquet",
        code=code_of("scripts/release/release_tables.py"),
    output:
        csv=expand("results/release/tables/{name}.csv", name=RELEASED),
        parquet=expand("results/release/tables/{name}.parquet", name=RELEASED),
    log:
        "logs/release/release_tables.log",
    benchmark:
        "benchmarks/release/release_tables.tsv"
    conda:
        "../../environment.yml"
    params:
        suppress_below=config["release"]["suppress_below"],
    script:
        "../../scripts/release/release_tables.py"


rule release_figures:
    """Put every figure into the release."""
    input:
        figures=[
            "results/clean/figures/waterfall.svg",
            "results/clean/figures/waterfall.png",
            "results/exposure/figures/member_months.svg",
            "results/exposure/figures/member_months.png",
            "results/episodes/figures/cohort_flow.svg",
            "results/episodes/figures/cohort_flow.png",
            "results/episodes/figures/episode_lengths.svg",
            "results/episodes/figures/episode_lengths.png",
            "results/engagement/figures/love_plot.svg",
            "results/engagement/figures/love_plot.png",
            "results/engagement/figures/survival.svg",
            "results/engagement/figures/survival.png",
            "results/engagement/figures/rmst_by_horizon.svg",
            "results/engagement/figures/rmst_by_horizon.png",
            "results/engagement/figures/rmst_difference.svg",
            "results/engagement/figures/rmst_difference.png",
            "results/engagement/figures/forest.svg",
            "results/engagement/figures/forest.png",
            "results/engagement/figures/trial.svg",
            "results/engagement/figures/trial.png",
            "results/engagement/figures/trial_weights.svg",
            "results/engagement/figures/trial_weights.png",
            "results/engagement/figures/propensity.svg",
            "results/engagement/figures/propensity.png",
            "results/engagement/figures/weights.svg",
            "results/engagement/figures/weights.png",
            "results/engagement/figures/robustness.svg",
            "results/engagement/figures/robustness.png",
            "results/engagement/figures/clocks.svg",
            "results/engagement/figures/clocks.png",
            "results/engagement/figures/service_earnings.svg",
            "results/engagement/figures/service_earnings.png",
            "results/engagement/figures/cumulative_incidence.svg",
            "results/engagement/figures/cumulative_incidence.png",
            "results/engagement/figures/service_mix.svg",
            "results/engagement/figures/service_mix.png",
            "results/cost/figures/pmpm_exhibit.svg",
            "results/cost/figures/pmpm_exhibit.png",
            "results/cost/figures/pmpm_variants.svg",
            "results/cost/figures/pmpm_variants.png",
            "results/cost/figures/cumulative_cost.svg",
            "results/cost/figures/cumulative_cost.png",
            "results/cost/figures/cost_by_category.svg",
            "results/cost/figures/cost_by_category.png",
            "results/cost/figures/decomposition.svg",
            "results/cost/figures/decomposition.png",
            "results/cost/figures/payment_forms.svg",
            "results/cost/figures/payment_forms.png",
            "results/cost/figures/break_even.svg",
            "results/cost/figures/break_even.png",
            "results/cost/figures/ce_plane.svg",
            "results/cost/figures/ce_plane.png",
            "results/cost/figures/net_benefit.svg",
            "results/cost/figures/net_benefit.png",
            "results/cost/figures/cost_models.svg",
            "results/cost/figures/cost_models.png",
            "results/cost/figures/cost_model_fit.svg",
            "results/cost/figures/cost_model_fit.png",
            "results/cost/figures/event_study.svg",
            "results/cost/figures/event_study.png",
            "results/cost/figures/before_after.svg",
            "results/cost/figures/before_after.png",
            "results/cost/figures/group_time.svg",
            "results/cost/figures/group_time.png",
            "results/cost/figures/price_index.svg",
            "results/cost/figures/price_index.png",
            "results/rates/figures/completion.svg",
            "results/rates/figures/completion.png",
            "results/rates/figures/completion_diagonals.svg",
            "results/rates/figures/completion_diagonals.png",
            "results/rates/figures/trend.svg",
            "results/rates/figures/trend.png",
            "results/rates/figures/rate_build_waterfall.svg",
            "results/rates/figures/rate_build_waterfall.png",
            "results/rates/figures/rate_uncertainty.svg",
            "results/rates/figures/rate_uncertainty.png",
            "results/rates/figures/case_rate.svg",
            "results/rates/figures/case_rate.png",
            "results/rates/figures/staffing_build.svg",
            "results/rates/figures/staffing_build.png",
            "results/rates/figures/provider_risk.svg",
            "results/rates/figures/provider_risk.png",
            "results/rates/figures/corridor.svg",
            "results/rates/figures/corridor.png",
            "results/programs/figures/program_rates.svg",
            "results/programs/figures/program_rates.png",
            "results/programs/figures/comparison.svg",
            "results/programs/figures/comparison.png",
            "results/programs/figures/liability_timeline.svg",
            "results/programs/figures/liability_timeline.png",
            "results/programs/figures/plan_risk.svg",
            "results/programs/figures/plan_risk.png",
            "results/programs/figures/program_incentives.svg",
            "results/programs/figures/program_incentives.png",
            "results/programs/figures/mix_sensitivity.svg",
            "results/programs/figures/mix_sensitivity.png",
            "results/programs/figures/rate_scales.svg",
            "results/programs/figures/rate_scales.png",
            "results/review/figures/checklist.svg",
            "results/review/figures/checklist.png",
            "results/review/figures/sensitivity.svg",
            "results/review/figures/sensitivity.png",
            "results/review/figures/recovery.svg",
            "results/review/figures/recovery.png",
        ],
        code=code_of("scripts/release/release_figures.py"),
    output:
        svg=expand("results/release/figures/{name}.svg", name=FIGURES),
        png=expand("results/release/figures/{name}.png", name=FIGURES),
    log:
        "logs/release/release_figures.log",
    benchmark:
        "benchmarks/release/release_figures.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/release/release_figures.py"


rule release_workbook:
    """Write the rate book in Excel, its rates live formulas of their factors."""
    input:
        tables=expand("results/release/tables/{name}.parquet", name=RELEASED),
        sources="results/intake/source_manifest.parquet",
        code=code_of("scripts/release/release_workbook.py"),
    output:
        workbook="results/release/ratebook.xlsx",
    log:
        "logs/release/release_workbook.log",
    benchmark:
        "benchmarks/release/release_workbook.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=SETTINGS,
    script:
        "../../scripts/release/release_workbook.py"


rule release_report:
    """Write the report as one page that needs no other file."""
    input:
        tables=expand("results/release/tables/{name}.parquet", name=RELEASED),
        figures=expand(
            "results/release/figures/{name}.{kind}", name=FIGURES, kind=["svg", "png"]
        ),
        sources="results/intake/source_manifest.parquet",
        contents=CONTENTS,
        template="workflow/report/report.html.j2",
        code=code_of("scripts/release/release_report.py"),
    output:
        report="results/release/report.html",
    log:
        "logs/release/release_report.log",
    benchmark:
        "benchmarks/release/release_report.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=SETTINGS,
    script:
        "../../scripts/release/release_report.py"


rule release_manifest:
    """Fingerprint what was released, its sources and its code, and describe the release."""
    input:
        released=[
            *expand("results/release/tables/{name}.csv", name=RELEASED),
            *expand("results/release/tables/{name}.parquet", name=RELEASED),
            *expand("results/release/figures/{name}.svg", name=FIGURES),
            *expand("results/release/figures/{name}.png", name=FIGURES),
            "results/release/ratebook.xlsx",
            "results/release/report.html",
        ],
        sources="results/intake/source_manifest.parquet",
        workflow=WORKFLOW,
        requirements="requirements.in",
        code=code_of("scripts/release/release_manifest.py"),
    output:
        manifest="results/release/manifest.json",
        readme="results/release/README.md",
    log:
        "logs/release/release_manifest.log",
    benchmark:
        "benchmarks/release/release_manifest.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=SETTINGS,
    script:
        "../../scripts/release/release_manifest.py"
