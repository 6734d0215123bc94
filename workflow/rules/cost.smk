"""cost: who cost what in which window, per month, per member, and why the arms differ.

Needs claims, contacts, spans, member months, the cohort and its spells. Makes each member's cost windows, the
population's cost by month, PMPM in every variant, censoring-adjusted total cost, and its decomposition.
"""

COST = config["cost"]
FOLLOWED = {name: COST[name] for name in ["horizon_days", "intervals"]}
RESAMPLED = FOLLOWED | {
    "boot_reps": COST["boot_reps"],
    "min_observed_share": COST["min_observed_share"],
    "seed": config["study"]["seed"],
}
FORMS = {name: form["value"] for name, form in COST["payment_forms"].items()}


rule build_windows:
    """Spread each cohort member's cost over windows by day, and everyone's over months."""
    input:
        claims="results/clean/claims.parquet",
        contacts="results/clean/contacts.parquet",
        cohort="results/episodes/cohort.parquet",
        spells="results/episodes/spells.parquet",
        spans="results/exposure/spans.parquet",
        member_months="results/exposure/member_months.parquet",
        program_costs="results/intake/program_costs.parquet",
        code=code_of("scripts/cost/build_windows.py"),
    output:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        population_costs="results/cost/population_costs.parquet",
        population_months="results/cost/population_months.parquet",
        outside_costs="results/cost/outside_costs.parquet",
    log:
        "logs/cost/build_windows.log",
    benchmark:
        "benchmarks/cost/build_windows.tsv"
    conda:
        "../../environment.yml"
    params:
        settings={
            **FOLLOWED,
            "pre_days": COST["pre_days"],
            "runout_months": COST["runout_months"],
            "min_contacts": COST["min_contacts"],
            "mm_rule": config["exposure"]["mm_rule"],
            "extract_date": config["study"]["extract_date"],
            "window_start": config["study"]["window_start"],
            "window_end": config["study"]["window_end"],
        },
    script:
        "../../scripts/cost/build_windows.py"


rule estimate_total_cost:
    """Estimate mean cost per member to the horizon, adjusted for censoring, by arm, method and category."""
    input:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        code=code_of("scripts/cost/estimate_total_cost.py"),
    output:
        total_cost="results/cost/total_cost.parquet",
        cost_curve="results/cost/cost_curve.parquet",
        cost_by_category="results/cost/cost_by_category.parquet",
    log:
        "logs/cost/estimate_total_cost.log",
    benchmark:
        "benchmarks/cost/estimate_total_cost.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=RESAMPLED,
    script:
        "../../scripts/cost/estimate_total_cost.py"


rule price_pmpm:
    """Price a month in every variant, and every client's log under every payment form."""
    input:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        total_cost="results/cost/total_cost.parquet",
        population_costs="results/cost/population_costs.parquet",
        population_months="results/cost/population_months.parquet",
        code=code_of("scripts/cost/price_pmpm.py"),
    output:
        pmpm="results/cost/pmpm.parquet",
        payment_forms="results/cost/payment_forms.parquet",
    log:
        "logs/cost/price_pmpm.log",
    benchmark:
        "benchmarks/cost/price_pmpm.tsv"
    conda:
        "../../environment.yml"
    params:
        mm_rule=config["exposure"]["mm_rule"],
        payment={
            "forms": FORMS,
            "month_rule": COST["month_rule"],
            "min_contacts": COST["min_contacts"],
        },
    script:
        "../../scripts/cost/price_pmpm.py"


rule compare_arms:
    """Split the arms' difference in cost into its parts, and find the rates at which there is none."""
    input:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        code=code_of("scripts/cost/compare_arms.py"),
    output:
        decomposition="results/cost/decomposition.parquet",
        break_even="results/cost/break_even.parquet",
        increments="results/cost/increments.parquet",
        net_benefit="results/cost/net_benefit.parquet",
    log:
        "logs/cost/compare_arms.log",
    benchmark:
        "benchmarks/cost/compare_arms.tsv"
    conda:
        "../../environment.yml"
    params:
        settings={
            **RESAMPLED,
            "hybrid": FORMS["hybrid"],
            "month_values_usd": COST["month_values_usd"],
        },
    script:
        "../../scripts/cost/compare_arms.py"


rule plot_cost:
    """Draw cost per month, over time, by category, its decomposition and the payment forms."""
    input:
        pmpm="results/cost/pmpm.parquet",
        payment_forms="results/cost/payment_forms.parquet",
        cost_curve="results/cost/cost_curve.parquet",
        cost_by_category="results/cost/cost_by_category.parquet",
        decomposition="results/cost/decomposition.parquet",
        break_even="results/cost/break_even.parquet",
        code=code_of("scripts/cost/plot_cost.py"),
    output:
        pmpm_variants_svg="results/cost/figures/pmpm_variants.svg",
        pmpm_variants_png="results/cost/figures/pmpm_variants.png",
        cumulative_cost_svg="results/cost/figures/cumulative_cost.svg",
        cumulative_cost_png="results/cost/figures/cumulative_cost.png",
        cost_by_category_svg="results/cost/figures/cost_by_category.svg",
        cost_by_category_png="results/cost/figures/cost_by_category.png",
        decomposition_svg="results/cost/figures/decomposition.svg",
        decomposition_png="results/cost/figures/decomposition.png",
        break_even_svg="results/cost/figures/break_even.svg",
        break_even_png="results/cost/figures/break_even.png",
    log:
        "logs/cost/plot_cost.log",
    benchmark:
        "benchmarks/cost/plot_cost.tsv"
    conda:
        "../../environment.yml"
    params:
        mm_rule=config["exposure"]["mm_rule"],
        note=config["study"]["data_note"],
    script:
        "../../scripts/cost/plot_cost.py"
