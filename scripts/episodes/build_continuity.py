"""Claims after discharge to whether care continued within each window."""

from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import Cohort, Continuity
from ratebook.episodes.continuity import build_continuity
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    cohort = open_table(snakemake.input.cohort, Cohort)
    claims = open_table(snakemake.input.claims, Claims)
    continuity = build_continuity(cohort, claims, **dict(snakemake.params.items()))
    write_table(continuity, snakemake.output.continuity, Continuity)


if __name__ == "__main__":
    step(main, snakemake)
