"""Files in anyone's layout to the raw tables: needs only `intake.source` and its layout."""

import os

from ratebook.errors import RatebookError
from ratebook.intake.layouts import find_files, read_layout
from ratebook.keys import fingerprint_of

SIMULATED = config["intake"]["source"] == "results/simulate/raw"
LAYOUT = f"workflow/layouts/{config['intake']['layout']}.yaml"
LAYOUT_SCHEMA = "workflow/schemas/layout.schema.yaml"

read_layout(LAYOUT, LAYOUT_SCHEMA)
if SIMULATED and config["intake"]["layout"] != "ratebook":
    raise RatebookError(
        "config.yaml at intake.layout: the simulated source is laid out as ratebook"
    )


rule read_sources:
    """Read the source's files through their layout into the raw tables, and count what does not parse."""
    input:
        source=(
            "results/simulate/truth.json"
            if SIMULATED
            else find_files(LAYOUT, LAYOUT_SCHEMA, config["intake"]["source"])
        ),
        layout=LAYOUT,
        schema=LAYOUT_SCHEMA,
        code=code_of("scripts/intake/read_sources.py"),
    output:
        members=directory("results/intake/members.parquet"),
        identity_crosswalk=directory("results/intake/identity_crosswalk.parquet"),
        eligibility=directory("results/intake/eligibility.parquet"),
        medical_claims=directory("results/intake/medical_claims.parquet"),
        pharmacy_claims=directory("results/intake/pharmacy_claims.parquet"),
        capitation_payments=directory("results/intake/capitation_payments.parquet"),
        navigator_log=directory("results/intake/navigator_log.parquet"),
        assessments=directory("results/intake/assessments.parquet"),
        facilities=directory("results/intake/facilities.parquet"),
        control_totals=directory("results/intake/control_totals.parquet"),
        program_costs=directory("results/intake/program_costs.parquet"),
        source_manifest="results/intake/source_manifest.parquet",
    log:
        "logs/intake/read_sources.log",
    benchmark:
        "benchmarks/intake/read_sources.tsv"
    conda:
        "../../environment.yml"
    threads: 2
    params:
        source=config["intake"]["source"],
        max_rejected_share=config["intake"]["max_rejected_share"],
        key_fingerprint=fingerprint_of(config, os.environ),
    script:
        "../../scripts/intake/read_sources.py"
