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
        episodes="results/episodes/episodes.parquet",
        index=(
            [COST["prices"]["index_file"]] if COST["prices"]["form"] == "index" else []
        ),
        code=code_of("scripts/cost/build_windows.py"),
    output:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        population_costs="results/cost/population_costs.parquet",
        population_months="results/cost/population_months.parquet",
        outside_costs="results/cost/outside_costs.parquet",
        member_intervals="results/cost/member_intervals.parquet",
        price_index="results/cost/price_index.parquet",
        site_quarters="results/cost/site_quarters.parquet",
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
            "prices": COST["prices"],
            "discount_rate": COST["discount"]["value"],
            "sites": COST["sites"],
        },
    script:
        "../../scripts/cost/build_windows.py"


rule estimate_did:
    """Compare the arms before and after the index stay, and sites before and after their start."""
    input:
        person_costs="results/cost/person_costs.parquet",
        follow_up="results/cost/follow_up.parquet",
        member_intervals="results/cost/member_intervals.parquet",
        site_quarters="results/cost/site_quarters.parquet",
        code=code_of("scripts/cost/estimate_did.py"),
    output:
        did="results/cost/did.parquet",
        event_study="results/cost/event_study.parquet",
        group_time="results/cost/group_time.parquet",
    log:
        "logs/cost/estimate_did.log",
    benchmark:
        "benchmarks/cost/estimate_did.tsv"
    conda:
        "../../environment.yml"
    params:
        settings={
            "boot_reps": COST["boot_reps"],
            "seed": config["study"]["seed"],
            "run_up_intervals": COST["run_up_intervals"],
            "start_share": COST["sites"]["start_share"],
        },
    script:
        "../../scripts/cost/estimate_did.py"


rule estimate_total_cost:
    """Estimate mean cost per member to the horizon, adjusted for censoring, by arm, method and category, in both dollars."""
    input:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        code=code_of("scripts/cost/estimate_total_cost.py"),
    output:
        total_cost="results/cost/total_cost.parquet",
        cost_curve="results/cost/cost_curve.parquet",
        cost_by_category="results/cost/cost_by_category.parquet",
        price_comparison="results/cost/price_comparison.parquet",
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


rule model_costs:
    """Model cost per member on what was known at discharge, and predict it for everyone in either arm."""
    input:
        cohort="results/episodes/cohort.parquet",
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        code=code_of("scripts/cost/model_costs.py"),
    output:
        cost_models="results/cost/cost_models.parquet",
        cost_model_checks="results/cost/cost_model_checks.parquet",
        cost_model_fit="results/cost/cost_model_fit.parquet",
        cost_coefficients="results/cost/cost_coefficients.parquet",
        cost_cuts="results/cost/cost_cuts.parquet",
    log:
        "logs/cost/model_costs.log",
    benchmark:
        "benchmarks/cost/model_costs.tsv"
    conda:
        "../../environment.yml"
    params:
        settings={
            **RESAMPLED,
            "covariates": config["engagement"]["covariates"],
            "winsor_quantile": COST["winsor_quantile"],
            "cost_cap_usd": COST["cost_cap"]["value"],
        },
    script:
        "../../scripts/cost/model_costs.py"


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
        pmpm_exhibit="results/cost/pmpm_exhibit.parquet",
        payment_forms="results/cost/payment_forms.parquet",
    log:
        "logs/cost/price_pmpm.log",
    benchmark:
        "benchmarks/cost/price_pmpm.tsv"
    conda:
        "../../environment.yml"
    params:
        mm_rule=config["exposure"]["mm_rule"],
        resampled={"boot_reps": COST["boot_reps"], "seed": config["study"]["seed"]},
        payment={
            "forms": FORMS,
            "month_rule": COST["month_rule"],
            "min_contacts": COST["min_contacts"],
        },
    script:
        "../../scripts/cost/price_pmpm.py"


rule compare_arms:
    """Split the arms' difference in cost into its parts, find the rates at which there is none, and who bears it."""
    input:
        person_costs="results/cost/person_costs.parquet",
        client_intervals="results/cost/client_intervals.parquet",
        follow_up="results/cost/follow_up.parquet",
        outside_costs="results/cost/outside_costs.parquet",
        code=code_of("scripts/cost/compare_arms.py"),
    output:
        decomposition="results/cost/decomposition.parquet",
        break_even="results/cost/break_even.parquet",
        increments="results/cost/increments.parquet",
        net_benefit="results/cost/net_benefit.parquet",
        paradox="results/cost/paradox.parquet",
        fixed_and_monthly="results/cost/fixed_and_monthly.parquet",
        perspectives="results/cost/perspectives.parquet",
        category_sums="results/cost/category_sums.parquet",
        plane="results/cost/plane.parquet",
        break_even_line="results/cost/break_even_line.parquet",
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
    """Draw the four denominators, cost over time and by category, why the arms differ, and before and after."""
    input:
        pmpm_exhibit="results/cost/pmpm_exhibit.parquet",
        pmpm="results/cost/pmpm.parquet",
        payment_forms="results/cost/payment_forms.parquet",
        total_cost="results/cost/total_cost.parquet",
        cost_curve="results/cost/cost_curve.parquet",
        cost_by_category="results/cost/cost_by_category.parquet",
        decomposition="results/cost/decomposition.parquet",
        break_even="results/cost/break_even.parquet",
        break_even_line="results/cost/break_even_line.parquet",
        plane="results/cost/plane.parquet",
        net_benefit="results/cost/net_benefit.parquet",
        cost_models="results/cost/cost_models.parquet",
        cost_model_fit="results/cost/cost_model_fit.parquet",
        did="results/cost/did.parquet",
        event_study="results/cost/event_study.parquet",
        group_time="results/cost/group_time.parquet",
        price_index="results/cost/price_index.parquet",
        code=code_of("scripts/cost/plot_cost.py"),
    output:
        pmpm_exhibit_svg="results/cost/figures/pmpm_exhibit.svg",
        pmpm_exhibit_png="results/cost/figures/pmpm_exhibit.png",
        pmpm_variants_svg="results/cost/figures/pmpm_variants.svg",
        pmpm_variants_png="results/cost/figures/pmpm_variants.png",
        cumulative_cost_svg="results/cost/figures/cumulative_cost.svg",
        cumulative_cost_png="results/cost/figures/cumulative_cost.png",
        cost_by_category_svg="results/cost/figures/cost_by_category.svg",
        cost_by_category_png="results/cost/figures/cost_by_category.png",
        decomposition_svg="results/cost/figures/decomposition.svg",
        decomposition_png="results/cost/figures/decomposition.png",
        payment_forms_svg="results/cost/figures/payment_forms.svg",
        payment_forms_png="results/cost/figures/payment_forms.png",
        break_even_svg="results/cost/figures/break_even.svg",
        break_even_png="results/cost/figures/break_even.png",
        ce_plane_svg="results/cost/figures/ce_plane.svg",
        ce_plane_png="results/cost/figures/ce_plane.png",
        net_benefit_svg="results/cost/figures/net_benefit.svg",
        net_benefit_png="results/cost/figures/net_benefit.png",
        cost_models_svg="results/cost/figures/cost_models.svg",
        cost_models_png="results/cost/figures/cost_models.png",
        cost_model_fit_svg="results/cost/figures/cost_model_fit.svg",
        cost_model_fit_png="results/cost/figures/cost_model_fit.png",
        event_study_svg="results/cost/figures/event_study.svg",
        event_study_png="results/cost/figures/event_study.png",
        before_after_svg="results/cost/figures/before_after.svg",
        before_after_png="results/cost/figures/before_after.png",
        group_time_svg="results/cost/figures/group_time.svg",
        group_time_png="results/cost/figures/group_time.png",
        price_index_svg="results/cost/figures/price_index.svg",
        price_index_png="results/cost/figures/price_index.png",
    log:
        "logs/cost/plot_cost.log",
    benchmark:
        "benchmarks/cost/plot_cost.tsv"
    conda:
        "../../environment.yml"
    params:
        suppress_below=config["release"]["suppress_below"],
        note=config["study"]["data_note"],
    script:
        "../../scripts/cost/plot_cost.py"
