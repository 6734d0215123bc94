"""exposure: who was covered when.

Needs results/intake/eligibility.parquet and facilities.parquet, and the persons, claims and paid lags of
results/clean/. Makes spans of coverage that do not overlap, member months by five rules with days in institutions
for mental diseases, counts of what was dropped, disputed, retroactive or outside, and the monthly exhibit of quality.
"""


rule build_spans:
    """Settle overlapping enrolment records into spans of coverage."""
    input:
        eligibility="results/intake/eligibility.parquet",
        identity="results/clean/identity.parquet",
        persons="results/clean/persons.parquet",
        code=code_of("scripts/exposure/build_spans.py"),
    output:
        spans=directory("results/exposure/spans.parquet"),
    log:
        "logs/exposure/build_spans.log",
    benchmark:
        "benchmarks/exposure/build_spans.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    params:
        extract_date=config["study"]["extract_date"],
        plan_priority=config["exposure"]["plan_priority"],
        bridge_gap_days=config["exposure"]["bridge_gap_days"],
    script:
        "../../scripts/exposure/build_spans.py"


rule build_member_months:
    """Count each person's months of coverage by five rules, and their days in institutions for mental diseases."""
    input:
        spans="results/exposure/spans.parquet",
        persons="results/clean/persons.parquet",
        claims="results/clean/claims.parquet",
        facilities="results/intake/facilities.parquet",
        code=code_of("scripts/exposure/build_member_months.py"),
    output:
        member_months=directory("results/exposure/member_months.parquet"),
    log:
        "logs/exposure/build_member_months.log",
    benchmark:
        "benchmarks/exposure/build_member_months.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    params:
        stay_levels=config["episodes"]["stay_levels"],
        ages=config["exposure"]["imd_ages"]["value"],
        days_limit=config["exposure"]["imd_days_limit"]["value"],
    script:
        "../../scripts/exposure/build_member_months.py"


rule check_exposure:
    """Count what was dropped, disputed, retroactive, counted twice, or served outside coverage."""
    input:
        eligibility="results/intake/eligibility.parquet",
        identity="results/clean/identity.parquet",
        persons="results/clean/persons.parquet",
        claims="results/clean/claims.parquet",
        spans="results/exposure/spans.parquet",
        member_months="results/exposure/member_months.parquet",
        code=code_of("scripts/exposure/check_exposure.py"),
    output:
        qa="results/exposure/exposure_qa.parquet",
        enrolment="results/exposure/enrolment.parquet",
        eligibility_match="results/exposure/eligibility_match.parquet",
    log:
        "logs/exposure/check_exposure.log",
    benchmark:
        "benchmarks/exposure/check_exposure.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    params:
        extract_date=config["study"]["extract_date"],
        match_share=config["exposure"]["match_share"]["value"],
    script:
        "../../scripts/exposure/check_exposure.py"


rule build_monthly_services:
    """Set each month's claims and cost by category beside its members and the share of its dollars already paid."""
    input:
        claims="results/clean/claims.parquet",
        paid_lags="results/clean/paid_lags.parquet",
        member_months="results/exposure/member_months.parquet",
        code=code_of("scripts/exposure/build_monthly_services.py"),
    output:
        monthly_services="results/exposure/monthly_services.parquet",
    log:
        "logs/exposure/build_monthly_services.log",
    benchmark:
        "benchmarks/exposure/build_monthly_services.tsv"
    conda:
        "../../environment.yml"
    threads: HALF
    params:
        mm_rule=config["exposure"]["mm_rule"],
        window_start=config["study"]["window_start"],
        extract_date=config["study"]["extract_date"],
        reportable_completion=config["exposure"]["reportable_completion"]["value"],
    script:
        "../../scripts/exposure/build_monthly_services.py"


rule plot_exposure:
    """Draw member months, claims and cost per member month, and the match of services with coverage, by month."""
    input:
        enrolment="results/exposure/enrolment.parquet",
        monthly_services="results/exposure/monthly_services.parquet",
        eligibility_match="results/exposure/eligibility_match.parquet",
        code=code_of("scripts/exposure/plot_exposure.py"),
    output:
        svg="results/exposure/figures/member_months.svg",
        png="results/exposure/figures/member_months.png",
        claims_svg="results/exposure/figures/monthly_claims.svg",
        claims_png="results/exposure/figures/monthly_claims.png",
        pmpm_svg="results/exposure/figures/monthly_pmpm.svg",
        pmpm_png="results/exposure/figures/monthly_pmpm.png",
        match_svg="results/exposure/figures/eligibility_match.svg",
        match_png="results/exposure/figures/eligibility_match.png",
    log:
        "logs/exposure/plot_exposure.log",
    benchmark:
        "benchmarks/exposure/plot_exposure.tsv"
    conda:
        "../../environment.yml"
    params:
        window_start=config["study"]["window_start"],
        window_end=config["study"]["window_end"],
        data_note=config["study"]["data_note"],
        suppress_below=config["release"]["suppress_below"],
        reportable_completion=config["exposure"]["reportable_completion"]["value"],
    script:
        "../../scripts/exposure/plot_exposure.py"
