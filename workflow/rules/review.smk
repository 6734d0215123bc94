"""review: what a reviewer asks of the whole.

Needs tables of every stage above, and what was planted where the data are simulated. Makes the recovery of the planted
truth, the headlines under every other choice, and the checklist.
"""


rule check_claims:
    """Count over the claims-scale tables what the checklist asks of them."""
    input:
        medical_claims="results/intake/medical_claims.parquet",
        pharmacy_claims="results/intake/pharmacy_claims.parquet",
        capitation_payments="results/intake/capitation_payments.parquet",
        identity="results/clean/identity.parquet",
        claims="results/clean/claims.parquet",
        cash_ledger="results/clean/cash_ledger.parquet",
        spans="results/exposure/spans.parquet",
        member_months="results/exposure/member_months.parquet",
        episodes="results/episodes/episodes.parquet",
        cohort="results/episodes/cohort.parquet",
        continuity="results/episodes/continuity.parquet",
        code=code_of("scripts/review/check_claims.py"),
    output:
        facts="results/review/claim_facts.parquet",
    log:
        "logs/review/check_claims.log",
    benchmark:
        "benchmarks/review/check_claims.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    params:
        settings={
            "episode_gap_days": config["episodes"]["episode_gap_days"],
            "window_start": config["study"]["window_start"],
            "window_end": config["study"]["window_end"],
            "base_start": config["rates"]["base_start"],
            "base_end": config["rates"]["base_end"],
            "mm_rule": config["exposure"]["mm_rule"],
        },
    script:
        "../../scripts/review/check_claims.py"


rule check_recovery:
    """Set what was planted beside what was found; nothing was planted in real data."""
    input:
        truth="results/simulate/truth.json" if SIMULATED else [],
        medical_claims="results/intake/medical_claims.parquet",
        members="results/intake/members.parquet",
        eligibility="results/intake/eligibility.parquet",
        navigator_log="results/intake/navigator_log.parquet",
        adjusted_lines="results/clean/adjusted_lines.parquet",
        identity="results/clean/identity.parquet",
        persons="results/clean/persons.parquet",
        claims="results/clean/claims.parquet",
        rejected="results/clean/rejected.parquet",
        contacts="results/clean/contacts.parquet",
        spans="results/exposure/spans.parquet",
        engagement="results/engagement/engagement.parquet",
        pmpm="results/cost/pmpm.parquet",
        total_cost="results/cost/total_cost.parquet",
        completion="results/rates/completion.parquet",
        trend="results/rates/trend.parquet",
        code=code_of("scripts/review/check_recovery.py"),
    output:
        fault_counts="results/review/fault_counts.parquet",
        recovery="results/review/recovery.parquet",
    log:
        "logs/review/check_recovery.log",
    benchmark:
        "benchmarks/review/check_recovery.tsv"
    conda:
        "../../environment.yml"
    params:
        extract_date=config["study"]["extract_date"],
        category_groups=config["rates"]["category_groups"],
    script:
        "../../scripts/review/check_recovery.py"


rule estimate_sensitivity:
    """Estimate the headlines under every other choice that could have been made."""
    input:
        engagement="results/engagement/engagement.parquet",
        engagement_sensitivity="results/engagement/engagement_sensitivity.parquet",
        pmpm="results/cost/pmpm.parquet",
        total_cost="results/cost/total_cost.parquet",
        code=code_of("scripts/review/estimate_sensitivity.py"),
    output:
        sensitivity="results/review/sensitivity.parquet",
    log:
        "logs/review/estimate_sensitivity.log",
    benchmark:
        "benchmarks/review/estimate_sensitivity.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/review/estimate_sensitivity.py"


rule check_review:
    """Look for seventy errors a reviewer would catch."""
    input:
        claim_facts="results/review/claim_facts.parquet",
        fault_counts="results/review/fault_counts.parquet",
        source_manifest="results/intake/source_manifest.parquet",
        attrition="results/clean/attrition.parquet",
        reconciliation="results/clean/reconciliation.parquet",
        qa="results/clean/qa.parquet",
        exposure_qa="results/exposure/exposure_qa.parquet",
        detox_codes="results/episodes/detox_codes.parquet",
        cohort="results/episodes/cohort.parquet",
        cohort_table="results/episodes/cohort_table.parquet",
        cohort_flow="results/episodes/cohort_flow.parquet",
        cohort_variants="results/episodes/cohort_variants.parquet",
        readmission="results/episodes/readmission.parquet",
        spells="results/episodes/spells.parquet",
        spells_by_gap="results/episodes/spells_by_gap.parquet",
        contamination="results/episodes/contamination.parquet",
        engagement="results/engagement/engagement.parquet",
        clocks="results/engagement/clocks.parquet",
        engagement_models="results/engagement/engagement_models.parquet",
        cumulative_incidence="results/engagement/cumulative_incidence.parquet",
        balance="results/engagement/balance.parquet",
        weights="results/engagement/weights.parquet",
        trial_weights="results/engagement/trial_weights.parquet",
        follow_up="results/cost/follow_up.parquet",
        person_costs="results/cost/person_costs.parquet",
        outside_costs="results/cost/outside_costs.parquet",
        pmpm_exhibit="results/cost/pmpm_exhibit.parquet",
        pmpm="results/cost/pmpm.parquet",
        perspectives="results/cost/perspectives.parquet",
        total_cost="results/cost/total_cost.parquet",
        cost_by_category="results/cost/cost_by_category.parquet",
        decomposition="results/cost/decomposition.parquet",
        increments="results/cost/increments.parquet",
        cost_models="results/cost/cost_models.parquet",
        price_comparison="results/cost/price_comparison.parquet",
        did="results/cost/did.parquet",
        event_study="results/cost/event_study.parquet",
        base_completion="results/rates/base_completion.parquet",
        base_exclusions="results/rates/base_exclusions.parquet",
        rate_build="results/rates/rate_build.parquet",
        rates="results/rates/rates.parquet",
        plan_rates="results/rates/plan_rates.parquet",
        corridor="results/rates/corridor.parquet",
        program_rates="results/programs/program_rates.parquet",
        plan_liability="results/programs/plan_liability.parquet",
        program_reconciliation="results/programs/program_reconciliation.parquet",
        sensitivity="results/review/sensitivity.parquet",
        checklist="workflow/codes/checklist.csv",
        contents="workflow/report/contents.yaml",
        code=code_of("scripts/review/check_review.py"),
    output:
        checklist="results/review/checklist.parquet",
    log:
        "logs/review/check_review.log",
    benchmark:
        "benchmarks/review/check_review.tsv"
    conda:
        "../../environment.yml"
    params:
        settings={name: part for name, part in config.items() if name != "engine"},
    script:
        "../../scripts/review/check_review.py"


rule plot_review:
    """Draw the tornado, the checklist as lights, and planted beside found."""
    input:
        sensitivity="results/review/sensitivity.parquet",
        checklist="results/review/checklist.parquet",
        recovery="results/review/recovery.parquet",
        code=code_of("scripts/review/plot_review.py"),
    output:
        sensitivity_svg="results/review/figures/sensitivity.svg",
        sensitivity_png="results/review/figures/sensitivity.png",
        checklist_svg="results/review/figures/checklist.svg",
        checklist_png="results/review/figures/checklist.png",
        recovery_svg="results/review/figures/recovery.svg",
        recovery_png="results/review/figures/recovery.png",
    log:
        "logs/review/plot_review.log",
    benchmark:
        "benchmarks/review/plot_review.tsv"
    conda:
        "../../environment.yml"
    params:
        data_note=config["study"]["data_note"],
    script:
        "../../scripts/review/plot_review.py"
