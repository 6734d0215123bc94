"""Comparison groups of two periods to what is settled after the year."""

from ratebook.contracts.programs import ComparisonGroups, ProgramReconciliation
from ratebook.programs.definitions import read_programs
from ratebook.programs.reconciliation import estimate_reconciliation
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    files = snakemake.input
    programs = read_programs(files.programs, files.schema, files.scope, **snakemake.params.data)
    groups = read_table(files.groups, ComparisonGroups)
    table = estimate_reconciliation(groups, programs, **snakemake.params.price)
    write_table(table, snakemake.output.reconciliation, ProgramReconciliation)


if __name__ == "__main__":
    step(main, snakemake)
