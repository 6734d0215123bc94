"""Raw tables to final action: needs the tables of intake; makes claims, ledger, contacts, persons and the waterfall."""

JUDGED_BY = (
    "cost_basis",
    "swap_dates",
    "swap_within_days",
    "after_death_days",
    "max_span_days",
)


BESIDE_NEIGHBOURS = (
    "include_gross_adjustments",
    "use_final_action_flag",
    "near_duplicates",
)


rule clean_members:
    """Resolve ids to persons, and give each person one row of demographics."""
    input:
        members="results/intake/members.parquet",
        eligibility="results/intake/eligibility.parquet",
        identity_crosswalk="results/intake/identity_crosswalk.parquet",
        code=code_of("scripts/clean/clean_members.py"),
    output:
        persons=directory("results/clean/persons.parquet"),
        identity=directory("results/clean/identity.parquet"),
    log:
        "logs/clean/clean_members.log",
    benchmark:
        "benchmarks/clean/clean_members.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    script:
        "../../scripts/clean/clean_members.py"


rule build_adjustments:
    """Find copies, chains of adjustments and header amounts: what a line does not show by itself."""
    input:
        medical_claims="results/intake/medical_claims.parquet",
        pharmacy_claims="results/intake/pharmacy_claims.parquet",
        services="workflow/codes/services.csv",
        code=code_of("scripts/clean/build_adjustments.py"),
    output:
        feed_styles="results/clean/feed_styles.parquet",
        adjusted_lines=directory("results/clean/adjusted_lines.parquet"),
        header_cases="results/clean/header_cases.parquet",
    log:
        "logs/clean/build_adjustments.log",
    benchmark:
        "benchmarks/clean/build_adjustments.tsv"
    conda:
        "../../environment.yml"
    threads: ALL
    params:
        state=config["clean"]["state"],
        feed_styles={
            "overrides": config["clean"]["feed_styles"],
            "least_share": config["clean"]["feed_style_share"],
        },
        repeated_header_share=config["clean"]["repeated_header_share"],
        settings={key: config["clean"][key] for key in BESIDE_NEIGHBOURS},
    script:
        "../../scripts/clean/build_adjustments.py"


rule clean_claims:
    """Select the final-action lines, say what each served and cost, and write down what is not among them and why."""
    input:
        medical_claims="results/intake/medical_claims.parquet",
        pharmacy_claims="results/intake/pharmacy_claims.parquet",
        adjusted_lines="results/clean/adjusted_lines.parquet",
        identity="results/clean/identity.parquet",
        persons="results/clean/persons.parquet",
        services="workflow/codes/services.csv",
        sud_diagnoses="workflow/codes/sud_diagnoses.csv",
        code=code_of("scripts/clean/clean_claims.py"),
    output:
        claims=directory("results/clean/claims.parquet"),
        rejected=directory("results/clean/rejected.parquet"),
        reversed_lines=directory("results/clean/reversed_lines.parquet"),
    log:
        "logs/clean/clean_claims.log",
    benchmark:
        "benchmarks/clean/clean_claims.tsv"
    conda:
        "../../environment.yml"
    threads: ALL
    params:
        state=config["clean"]["state"],
        extract_date=config["study"]["extract_date"],
        settings={key: config["clean"][key] for key in JUDGED_BY},
    script:
        "../../scripts/clean/clean_claims.py"


rule build_cash_ledger:
    """Write down every payment and every taking back at its own date, and how late they come."""
    input:
        claims="results/clean/claims.parquet",
        reversed_lines="results/clean/reversed_lines.parquet",
        code=code_of("scripts/clean/build_cash_ledger.py"),
    output:
        cash_ledger=directory("results/clean/cash_ledger.parquet"),
        paid_lags="results/clean/paid_lags.parquet",
    log:
        "logs/clean/build_cash_ledger.log",
    benchmark:
        "benchmarks/clean/build_cash_ledger.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    script:
        "../../scripts/clean/build_cash_ledger.py"


rule clean_contacts:
    """Turn navigators' logs, or unit claims where a program has no log, into contacts and time spent."""
    input:
        navigator_log="results/intake/navigator_log.parquet",
        claims="results/clean/claims.parquet",
        persons="results/clean/persons.parquet",
        identity="results/clean/identity.parquet",
        services="workflow/codes/services.csv",
        code=code_of("scripts/clean/clean_contacts.py"),
    output:
        contacts=directory("results/clean/contacts.parquet"),
        worker_time=directory("results/clean/worker_time.parquet"),
    log:
        "logs/clean/clean_contacts.log",
    benchmark:
        "benchmarks/clean/clean_contacts.tsv"
    conda:
        "../../environment.yml"
    params:
        extract_date=config["study"]["extract_date"],
        state=config["clean"]["state"],
        contact_types=config["clean"]["contact_types"],
    script:
        "../../scripts/clean/clean_contacts.py"


rule build_attrition:
    """Lay out what left the claims and why, beside the supplier's control totals, and every exhibit of their quality."""
    input:
        claims="results/clean/claims.parquet",
        rejected="results/clean/rejected.parquet",
        paid_lags="results/clean/paid_lags.parquet",
        medical_claims="results/intake/medical_claims.parquet",
        pharmacy_claims="results/intake/pharmacy_claims.parquet",
        adjusted_lines="results/clean/adjusted_lines.parquet",
        header_cases="results/clean/header_cases.parquet",
        identity="results/clean/identity.parquet",
        persons="results/clean/persons.parquet",
        members="results/intake/members.parquet",
        navigator_log="results/intake/navigator_log.parquet",
        control_totals="results/intake/control_totals.parquet",
        identity_crosswalk="results/intake/identity_crosswalk.parquet",
        source_manifest="results/intake/source_manifest.parquet",
        code=code_of("scripts/clean/build_attrition.py"),
    output:
        attrition="results/clean/attrition.parquet",
        reconciliation="results/clean/reconciliation.parquet",
        qa="results/clean/qa.parquet",
        file_totals="results/clean/file_totals.parquet",
        adjustment_rates="results/clean/adjustment_rates.parquet",
        lag_distribution="results/clean/lag_distribution.parquet",
        lag_completion="results/clean/lag_completion.parquet",
        missingness="results/clean/missingness.parquet",
        duplicates="results/clean/duplicates.parquet",
        denials="results/clean/denials.parquet",
        net_cost="results/clean/net_cost.parquet",
        unit_prices="results/clean/unit_prices.parquet",
    log:
        "logs/clean/build_attrition.log",
    benchmark:
        "benchmarks/clean/build_attrition.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    params:
        study={
            key: config["study"][key]
            for key in ("window_start", "window_end", "extract_date")
        },
        settings={key: config["clean"][key] for key in JUDGED_BY},
        limits={
            **config["clean"]["quality"],
            "max_rejected_share": config["intake"]["max_rejected_share"],
            "control_total_share": config["clean"]["control_total_share"],
            "unmatched_warn": config["clean"]["unmatched_share"]["warn"],
            "unmatched": config["clean"]["unmatched_share"]["error"],
            "negative": config["clean"]["unexplained_negative_usd"],
            "completion": config["exposure"]["reportable_completion"]["value"],
        },
    script:
        "../../scripts/clean/build_attrition.py"


rule plot_clean:
    """Draw the dollar waterfall, dollars by month, the lag from service to payment, and every exhibit of quality."""
    input:
        attrition="results/clean/attrition.parquet",
        paid_lags="results/clean/paid_lags.parquet",
        reconciliation="results/clean/reconciliation.parquet",
        adjustment_rates="results/clean/adjustment_rates.parquet",
        header_cases="results/clean/header_cases.parquet",
        lag_distribution="results/clean/lag_distribution.parquet",
        lag_completion="results/clean/lag_completion.parquet",
        missingness="results/clean/missingness.parquet",
        duplicates="results/clean/duplicates.parquet",
        denials="results/clean/denials.parquet",
        unit_prices="results/clean/unit_prices.parquet",
        code=code_of("scripts/clean/plot_clean.py"),
    output:
        waterfall_svg="results/clean/figures/waterfall.svg",
        waterfall_png="results/clean/figures/waterfall.png",
        monthly_paid_svg="results/clean/figures/monthly_paid.svg",
        monthly_paid_png="results/clean/figures/monthly_paid.png",
        paid_lag_svg="results/clean/figures/paid_lag.svg",
        paid_lag_png="results/clean/figures/paid_lag.png",
        lag_completion_svg="results/clean/figures/lag_completion.svg",
        lag_completion_png="results/clean/figures/lag_completion.png",
        control_totals_svg="results/clean/figures/control_totals.svg",
        control_totals_png="results/clean/figures/control_totals.png",
        adjustment_rates_svg="results/clean/figures/adjustment_rates.svg",
        adjustment_rates_png="results/clean/figures/adjustment_rates.png",
        header_cases_svg="results/clean/figures/header_cases.svg",
        header_cases_png="results/clean/figures/header_cases.png",
        missingness_svg="results/clean/figures/missingness.svg",
        missingness_png="results/clean/figures/missingness.png",
        duplicates_svg="results/clean/figures/duplicates.svg",
        duplicates_png="results/clean/figures/duplicates.png",
        denials_svg="results/clean/figures/denials.svg",
        denials_png="results/clean/figures/denials.png",
        unit_prices_svg="results/clean/figures/unit_prices.svg",
        unit_prices_png="results/clean/figures/unit_prices.png",
    log:
        "logs/clean/plot_clean.log",
    benchmark:
        "benchmarks/clean/plot_clean.tsv"
    conda:
        "../../environment.yml"
    params:
        window_start=config["study"]["window_start"],
        window_end=config["study"]["window_end"],
        data_note=config["study"]["data_note"],
    script:
        "../../scripts/clean/plot_clean.py"
