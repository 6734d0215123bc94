"""Claims after discharge to whether care continued within each window, by person and by arm."""

from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import Cohort, Continuity, ContinuityByArm
from ratebook.episodes.continuity import build_continuity
from ratebook.episodes.describe import estimate_continuity
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    cohort = open_table(snakemake.input.cohort, Cohort)
    claims = open_table(snakemake.input.claims, Claims)
    continuity = build_continuity(cohort, claims, **dict(snakemake.params.items()))
    write_table(continuity, snakemake.output.continuity, Continuity)
    by_arm = estimate_continuity(
        read_table(snakemake.input.cohort, Cohort), read_table(snakemake.output.continuity, Continuity)
    )
    write_table(by_arm, snakemake.output.by_arm, ContinuityByArm)


if __name__ == "__main__":
    step(main, snakemake)
