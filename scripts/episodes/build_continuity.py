"""Claims after discharge to whether care continued within each window, and how often detox was needed again."""

from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import Cohort, Continuity, ContinuityByArm, Readmission
from ratebook.episodes.continuity import build_continuity
from ratebook.episodes.incidence import estimate_continuity, estimate_readmission
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    cohort = open_table(snakemake.input.cohort, Cohort)
    claims = open_table(snakemake.input.claims, Claims)
    found = build_continuity(cohort, claims, **dict(snakemake.params.items()))
    write_table(found, snakemake.output.continuity, Continuity)
    persons = read_table(snakemake.input.cohort, Cohort)
    continuity = read_table(snakemake.output.continuity, Continuity)
    write_table(estimate_continuity(persons, continuity), snakemake.output.by_arm, ContinuityByArm)
    write_table(estimate_readmission(persons), snakemake.output.readmission, Readmission)


if __name__ == "__main__":
    step(main, snakemake)
