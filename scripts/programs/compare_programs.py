"""Comparison groups to all programs side by side on the same people."""

from ratebook.contracts.programs import ComparisonGroups, ProgramComparison
from ratebook.programs.comparison import compare_programs
from ratebook.programs.definitions import read_programs
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    files = snakemake.input
    programs = read_programs(files.programs, files.schema, files.scope, **snakemake.params.data)
    groups = read_table(files.groups, ComparisonGroups)
    table = compare_programs(groups, programs, **snakemake.params.price)
    write_table(table, snakemake.output.comparison, ProgramComparison)


if __name__ == "__main__":
    step(main, snakemake)
