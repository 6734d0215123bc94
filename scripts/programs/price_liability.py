"""Comparison groups to who pays which facility days."""

from ratebook.contracts.programs import ComparisonGroups, PlanLiability
from ratebook.programs.definitions import read_programs
from ratebook.programs.liability import price_liability
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    files = snakemake.input
    programs = read_programs(files.programs, files.schema, files.scope, **snakemake.params.data)
    groups = read_table(files.groups, ComparisonGroups)
    table = price_liability(groups, programs, replicates=snakemake.params.price["replicates"])
    write_table(table, snakemake.output.liability, PlanLiability)


if __name__ == "__main__":
    step(main, snakemake)
