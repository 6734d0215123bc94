"""Capitated long-term care: needs clean claims, member months, assessments, facilities; makes every program's rates."""

PROGRAM_FILES = {
    "programs": config["programs"]["files"],
    "schema": "workflow/schemas/program.schema.yaml",
    "scope": "workflow/programs/benefit_scope.csv",
}
# What a program file may ask of the config, and the areas its states name.
PROGRAM_DATA = {"settings": config["programs"], "areas": config["programs"]["areas"]}
PRICE = {
    "year_days": config["programs"]["nf_year_days"]["value"],
    "replicates": config["programs"]["replicates"],
}


rule build_ltc_member_months:
    """Say of every month of a long-term-care person where they lived, for how many days and at what cost."""
    input:
        claims="results/clean/claims.parquet",
        identity="results/clean/identity.parquet",
        member_months="results/exposure/member_months.parquet",
        assessments="results/intake/assessments.parquet",
        facilities="results/intake/facilities.parquet",
        code=code_of("scripts/programs/build_ltc_member_months.py"),
    output:
        months=directory("results/programs/ltc_member_months.parquet"),
    log:
        "logs/programs/build_ltc_member_months.log",
    benchmark:
        "benchmarks/programs/build_ltc_member_months.tsv"
    conda:
        "../../environment.yml"
    params:
        rule={
            "aged_from_years": config["programs"]["aged_from_years"],
            "disabled_aid_categories": config["programs"]["disabled_aid_categories"],
            "contract_start": config["programs"]["contract_start"],
        },
    script:
        "../../scripts/programs/build_ltc_member_months.py"


rule derive_program_rates:
    """Reduce member months to comparison groups and price every cell of every program by its own formula."""
    input:
        **PROGRAM_FILES,
        months="results/programs/ltc_member_months.parquet",
        code=code_of("scripts/programs/derive_program_rates.py"),
    output:
        groups="results/programs/comparison_groups.parquet",
        years=directory("results/programs/member_years.parquet"),
        days="results/programs/liability_days.parquet",
        capped_benefits="results/programs/capped_benefits.parquet",
        rates="results/programs/program_rates.parquet",
        published="results/programs/published.parquet",
        notes="results/programs/program_notes.parquet",
    log:
        "logs/programs/derive_program_rates.log",
    benchmark:
        "benchmarks/programs/derive_program_rates.tsv"
    conda:
        "../../environment.yml"
    threads: ALL
    params:
        data=PROGRAM_DATA,
        price=PRICE,
        full_months=config["programs"]["full_credibility_member_months"]["value"],
        reduce={
            "common": config["programs"]["common_population"],
            "counter": config["programs"]["nf_day_counter"],
            "replicates": config["programs"]["replicates"],
            "keeps_retro": config["programs"]["keeps_retro"],
        },
    script:
        "../../scripts/programs/derive_program_rates.py"


rule price_liability:
    """Say which nursing-facility days each plan pays, and what that costs per month."""
    input:
        **PROGRAM_FILES,
        groups="results/programs/comparison_groups.parquet",
        code=code_of("scripts/programs/price_liability.py"),
    output:
        liability="results/programs/plan_liability.parquet",
    log:
        "logs/programs/price_liability.log",
    benchmark:
        "benchmarks/programs/price_liability.tsv"
    conda:
        "../../environment.yml"
    params:
        data=PROGRAM_DATA,
        price=PRICE,
    script:
        "../../scripts/programs/price_liability.py"


rule estimate_reconciliation:
    """Settle what came against what the rates assumed: mix, shares of cost, heavy users, conversion."""
    input:
        **PROGRAM_FILES,
        groups="results/programs/comparison_groups.parquet",
        code=code_of("scripts/programs/estimate_reconciliation.py"),
    output:
        reconciliation="results/programs/program_reconciliation.parquet",
    log:
        "logs/programs/estimate_reconciliation.log",
    benchmark:
        "benchmarks/programs/estimate_reconciliation.tsv"
    conda:
        "../../environment.yml"
    params:
        data=PROGRAM_DATA,
        price=PRICE,
    script:
        "../../scripts/programs/estimate_reconciliation.py"


rule compare_programs:
    """Set all programs side by side on the same people: rate, plan's cost and risk, incentives, State's saving."""
    input:
        **PROGRAM_FILES,
        groups="results/programs/comparison_groups.parquet",
        years="results/programs/member_years.parquet",
        code=code_of("scripts/programs/compare_programs.py"),
    output:
        comparison="results/programs/program_comparison.parquet",
        risk="results/programs/plan_risk.parquet",
        incentives="results/programs/program_incentives.parquet",
        mix="results/programs/mix_sensitivity.parquet",
        buy_in="results/programs/buy_in.parquet",
        scales="results/programs/rate_scales.parquet",
        orders="results/programs/rate_orders.parquet",
    log:
        "logs/programs/compare_programs.log",
    benchmark:
        "benchmarks/programs/compare_programs.tsv"
    conda:
        "../../environment.yml"
    params:
        data=PROGRAM_DATA,
        price=PRICE,
        avoided_share=config["programs"]["nf_days_avoided_share"]["value"],
        risk={
            "margin_share": config["programs"]["levelled_margin_share"]["value"],
            "plan_sizes": config["programs"]["plan_sizes"],
        },
    script:
        "../../scripts/programs/compare_programs.py"


rule plot_programs:
    """Draw the programs' rates beside the published ones, their comparison, risk and incentives, and who pays which day."""
    input:
        rates="results/programs/program_rates.parquet",
        comparison="results/programs/program_comparison.parquet",
        days="results/programs/liability_days.parquet",
        risk="results/programs/plan_risk.parquet",
        incentives="results/programs/program_incentives.parquet",
        mix="results/programs/mix_sensitivity.parquet",
        scales="results/programs/rate_scales.parquet",
        code=code_of("scripts/programs/plot_programs.py"),
    output:
        rates_svg="results/programs/figures/program_rates.svg",
        rates_png="results/programs/figures/program_rates.png",
        comparison_svg="results/programs/figures/comparison.svg",
        comparison_png="results/programs/figures/comparison.png",
        days_svg="results/programs/figures/liability_timeline.svg",
        days_png="results/programs/figures/liability_timeline.png",
        risk_svg="results/programs/figures/plan_risk.svg",
        risk_png="results/programs/figures/plan_risk.png",
        incentives_svg="results/programs/figures/program_incentives.svg",
        incentives_png="results/programs/figures/program_incentives.png",
        mix_svg="results/programs/figures/mix_sensitivity.svg",
        mix_png="results/programs/figures/mix_sensitivity.png",
        scales_svg="results/programs/figures/rate_scales.svg",
        scales_png="results/programs/figures/rate_scales.png",
    log:
        "logs/programs/plot_programs.log",
    benchmark:
        "benchmarks/programs/plot_programs.tsv"
    conda:
        "../../environment.yml"
    params:
        data_note=config["study"]["data_note"],
        suppress_below=config["release"]["suppress_below"],
    script:
        "../../scripts/programs/plot_programs.py"
