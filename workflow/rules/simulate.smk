"""A synthetic program in the raw layout: needs only the config. Skipped where `intake.source` is another folder."""


rule build_program:
    """Build a synthetic Medicaid program in the raw layout, and the truth that was planted in it."""
    input:
        code=code_of("scripts/simulate/build_program.py"),
    output:
        raw=directory("results/simulate/raw"),
        truth="results/simulate/truth.json",
    log:
        "logs/simulate/build_program.log",
    benchmark:
        "benchmarks/simulate/build_program.tsv"
    conda:
        "../../environment.yml"
    threads: 2
    params:
        study={
            key: config["study"][key]
            for key in ("window_start", "window_end", "extract_date")
        },
        settings=config["simulate"],
    script:
        "../../scripts/simulate/build_program.py"
