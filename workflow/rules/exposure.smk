"""exposure: who was covered when.

Needs results/intake/eligibility.parquet and the persons of results/clean/. Makes spans of coverage that do not
overlap, member months by five rules, and counts of what was dropped, disputed, retroactive or outside.
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
    params:
        extract_date=config["study"]["extract_date"],
        plan_priority=config["exposure"]["plan_priority"],
        bridge_gap_days=config["exposure"]["bridge_gap_days"],
    script:
        "../../scripts/exposure/build_spans.py"


rule build_member_months:
    """Count each person's months of coverage by five rules."""
    input:
        spans="results/exposure/spans.parquet",
        persons="results/clean/persons.parquet",
        code=code_of("scripts/exposure/build_member_months.py"),
    output:
        member_months=directory("results/exposure/member_months.parquet"),
    log:
        "logs/exposure/build_member_months.log",
    benchmark:
        "benchmarks/exposure/build_member_months.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/exposure/build_member_months.py"


rule check_exposure:
    """Count what was dropped, disputed, retroactive, counted twice, or served outside coverage."""
    input:
        eligibility="results/intake/eligibility.parquet",
        identity="results/clean/identity.parquet",
        persons="results/clean/persons.parquet",
        spans="results/exposure/spans.parquet",
        member_months="results/exposure/member_months.parquet",
        claims="results/clean/claims.parquet",
        code=code_of("scripts/exposure/check_exposure.py"),
    output:
        qa="results/exposure/exposure_qa.parquet",
        enrolment="results/exposure/enrolment.parquet",
    log:
        "logs/exposure/check_exposure.log",
    benchmark:
        "benchmarks/exposure/check_exposure.tsv"
    conda:
        "../../environment.yml"
    params:
        extract_date=config["study"]["extract_date"],
    script:
        "../../scripts/exposure/check_exposure.py"


rule plot_exposure:
    """Draw member months by plan and calendar month."""
    input:
        enrolment="results/exposure/enrolment.parquet",
        code=code_of("scripts/exposure/plot_exposure.py"),
    output:
        svg="results/exposure/figures/member_months.svg",
        png="results/exposure/figures/member_months.png",
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
    script:
        "../../scripts/exposure/plot_exposure.py"
