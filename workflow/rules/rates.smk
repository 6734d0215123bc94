"""rates: what care will cost a plan, and what a case of engagement costs a provider.

Needs claims, the ledger and logs of results/clean/, member months, the cohort and spells, and survival of engagement
by month. Makes base experience, completion, trend, the build-up of every rate cell, rates, and case rates.
"""


rule build_base:
    """Sum cost, use and exposure by rate cell, and payments by month of service and lag."""
    input:
        claims="results/clean/claims.parquet",
        ledger="results/clean/cash_ledger.parquet",
        member_months="results/exposure/member_months.parquet",
        code=code_of("scripts/rates/build_base.py"),
    output:
        experience="results/rates/base_experience.parquet",
        moments="results/rates/cell_moments.parquet",
        exclusions="results/rates/base_exclusions.parquet",
        triangles="results/rates/triangles.parquet",
        service_months="results/rates/service_months.parquet",
        cell_groups="results/rates/cell_groups.parquet",
        group_months="results/rates/group_months.parquet",
        excess="results/rates/member_year_excess.parquet",
    log:
        "logs/rates/build_base.log",
    benchmark:
        "benchmarks/rates/build_base.tsv"
    conda:
        "../../environment.yml"
    params:
        window=[config["study"]["window_start"], config["study"]["window_end"]],
        extract_date=config["study"]["extract_date"],
        mm_rule=config["exposure"]["mm_rule"],
        exclude_retro_from_base=config["exposure"]["exclude_retro_from_base"],
        settings={
            key: config["rates"][key]
            for key in (
                "base_start",
                "base_end",
                "cell_columns",
                "pool_columns",
                "age_bands",
                "min_cell_member_months",
                "excluded_dual_groups",
                "not_covered",
                "category_groups",
                "pooling",
            )
        },
    script:
        "../../scripts/rates/build_base.py"


rule estimate_completion:
    """Estimate how much of each month's cost has been paid, and what the rest will be."""
    input:
        triangles="results/rates/triangles.parquet",
        experience="results/rates/base_experience.parquet",
        code=code_of("scripts/rates/estimate_completion.py"),
    output:
        completion="results/rates/completion.parquet",
        ultimates="results/rates/ultimates.parquet",
        base_completion="results/rates/base_completion.parquet",
        diagonals="results/rates/completion_diagonals.parquet",
    log:
        "logs/rates/estimate_completion.log",
    benchmark:
        "benchmarks/rates/estimate_completion.tsv"
    conda:
        "../../environment.yml"
    params:
        base_months=[config["rates"]["base_start"], config["rates"]["base_end"]],
        extract_date=config["study"]["extract_date"],
        settings=config["rates"]["completion"],
    script:
        "../../scripts/rates/estimate_completion.py"


rule estimate_trend:
    """Estimate the annual trend of use and price in every category."""
    input:
        experience="results/rates/base_experience.parquet",
        ultimates="results/rates/ultimates.parquet",
        service_months="results/rates/service_months.parquet",
        code=code_of("scripts/rates/estimate_trend.py"),
    output:
        trend="results/rates/trend.parquet",
    log:
        "logs/rates/estimate_trend.log",
    benchmark:
        "benchmarks/rates/estimate_trend.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=config["rates"]["trend"],
    script:
        "../../scripts/rates/estimate_trend.py"


rule derive_rates:
    """Carry base cost to the rating period, weigh it by credibility, and load it to a rate."""
    input:
        experience="results/rates/base_experience.parquet",
        moments="results/rates/cell_moments.parquet",
        base_completion="results/rates/base_completion.parquet",
        ultimates="results/rates/ultimates.parquet",
        trend="results/rates/trend.parquet",
        cell_groups="results/rates/cell_groups.parquet",
        group_months="results/rates/group_months.parquet",
        excess="results/rates/member_year_excess.parquet",
        code=code_of("scripts/rates/derive_rates.py"),
    output:
        pooling="results/rates/pooling.parquet",
        rate_build="results/rates/rate_build.parquet",
        rates="results/rates/rates.parquet",
        relativities="results/rates/relativities.parquet",
        rate_trace="results/rates/rate_trace.parquet",
        credibility="results/rates/credibility.parquet",
        plan_rates="results/rates/plan_rates.parquet",
        corridor="results/rates/corridor.parquet",
        risk_sharing="results/rates/risk_sharing.parquet",
        assumptions="results/rates/assumptions.parquet",
        uncertainty="results/rates/rate_uncertainty.parquet",
        tornado="results/rates/rate_tornado.parquet",
    log:
        "logs/rates/derive_rates.log",
    benchmark:
        "benchmarks/rates/derive_rates.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=config["rates"],
        seed=config["study"]["seed"],
        data_note=config["study"]["data_note"],
    script:
        "../../scripts/rates/derive_rates.py"


rule derive_case_rates:
    """Derive the flat payments that cover a client's engagement, their terms, and the provider's risk in them."""
    input:
        cohort="results/episodes/cohort.parquet",
        spells="results/episodes/spells.parquet",
        contacts="results/clean/contacts.parquet",
        claims="results/clean/claims.parquet",
        worker_time="results/clean/worker_time.parquet",
        survival="results/engagement/survival_by_month.parquet",
        code=code_of("scripts/rates/derive_case_rates.py"),
    output:
        engaged_months="results/rates/engaged_months.parquet",
        staffing="results/rates/staffing.parquet",
        case_rates="results/rates/case_rates.parquet",
        staffing_build="results/rates/staffing_build.parquet",
        case_terms="results/rates/case_terms.parquet",
        provider_risk="results/rates/provider_risk.parquet",
        panel_loss="results/rates/panel_loss.parquet",
    log:
        "logs/rates/derive_case_rates.log",
    benchmark:
        "benchmarks/rates/derive_case_rates.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=config["rates"]["case_rate"],
        seed=config["study"]["seed"],
        data_note=config["study"]["data_note"],
    script:
        "../../scripts/rates/derive_case_rates.py"


rule plot_rates:
    """Draw completion, trend, the build-up, case rates and risk sharing."""
    input:
        triangles="results/rates/triangles.parquet",
        completion="results/rates/completion.parquet",
        experience="results/rates/base_experience.parquet",
        ultimates="results/rates/ultimates.parquet",
        trend="results/rates/trend.parquet",
        rate_build="results/rates/rate_build.parquet",
        rates="results/rates/rates.parquet",
        pooling="results/rates/pooling.parquet",
        case_rates="results/rates/case_rates.parquet",
        staffing_build="results/rates/staffing_build.parquet",
        provider_risk="results/rates/provider_risk.parquet",
        panel_loss="results/rates/panel_loss.parquet",
        corridor="results/rates/corridor.parquet",
        diagonals="results/rates/completion_diagonals.parquet",
        uncertainty="results/rates/rate_uncertainty.parquet",
        tornado="results/rates/rate_tornado.parquet",
        code=code_of("scripts/rates/plot_rates.py"),
    output:
        completion_svg="results/rates/figures/completion.svg",
        completion_png="results/rates/figures/completion.png",
        lag_triangle_svg="results/rates/figures/lag_triangle.svg",
        lag_triangle_png="results/rates/figures/lag_triangle.png",
        trend_svg="results/rates/figures/trend.svg",
        trend_png="results/rates/figures/trend.png",
        rate_build_waterfall_svg="results/rates/figures/rate_build_waterfall.svg",
        rate_build_waterfall_png="results/rates/figures/rate_build_waterfall.png",
        case_rate_svg="results/rates/figures/case_rate.svg",
        case_rate_png="results/rates/figures/case_rate.png",
        staffing_build_svg="results/rates/figures/staffing_build.svg",
        staffing_build_png="results/rates/figures/staffing_build.png",
        provider_risk_svg="results/rates/figures/provider_risk.svg",
        provider_risk_png="results/rates/figures/provider_risk.png",
        corridor_svg="results/rates/figures/corridor.svg",
        corridor_png="results/rates/figures/corridor.png",
        completion_diagonals_svg="results/rates/figures/completion_diagonals.svg",
        completion_diagonals_png="results/rates/figures/completion_diagonals.png",
        rate_uncertainty_svg="results/rates/figures/rate_uncertainty.svg",
        rate_uncertainty_png="results/rates/figures/rate_uncertainty.png",
    log:
        "logs/rates/plot_rates.log",
    benchmark:
        "benchmarks/rates/plot_rates.tsv"
    conda:
        "../../environment.yml"
    params:
        data_note=config["study"]["data_note"],
        suppress_below=config["release"]["suppress_below"],
    script:
        "../../scripts/rates/plot_rates.py"
