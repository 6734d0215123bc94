"""Member months of long-term care to every program's rates, by way of comparison groups."""

from ratebook.contracts.programs import (
    ComparisonGroups,
    LiabilityDays,
    LtcMemberMonths,
    ProgramNotes,
    ProgramRates,
    PublishedAmounts,
)
from ratebook.programs.cells import build_comparison_groups
from ratebook.programs.definitions import read_programs
from ratebook.programs.liability import count_liability_days
from ratebook.programs.published import derive_notes, derive_published
from ratebook.programs.rates import derive_program_rates
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    to, params = snakemake.output, snakemake.params
    programs = read_programs(snakemake.input.programs, snakemake.input.schema, snakemake.input.scope, **params.data)
    months = open_table(snakemake.input.months, LtcMemberMonths)
    write_table(build_comparison_groups(months, programs, **params.reduce), to.groups, ComparisonGroups)
    write_table(count_liability_days(months, programs, params.reduce["counter"]), to.days, LiabilityDays)
    groups = read_table(to.groups, ComparisonGroups)
    rates = derive_program_rates(groups, programs, **params.price, full_months=params.full_months)
    write_table(rates, to.rates, ProgramRates)
    write_table(derive_published(programs), to.published, PublishedAmounts)
    write_table(derive_notes(programs), to.notes, ProgramNotes)


if __name__ == "__main__":
    step(main, snakemake)
