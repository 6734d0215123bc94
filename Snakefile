"""From raw Medicaid claims to an evaluation and a rate book."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/intake.smk"
include: "workflow/rules/clean.smk"
include: "workflow/rules/exposure.smk"
include: "workflow/rules/episodes.smk"
include: "workflow/rules/engagement.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/rates.smk"
include: "workflow/rules/programs.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/release.smk"


rule all:
    default_target: True
    input:
        "results/release/manifest.json",
        "results/release/report.html",
        "results/release/ratebook.xlsx",
