"""Member months of long-term care to every program's rates, by way of comparison groups."""

from ratebook.contracts.designs import CappedBenefits
from ratebook.contracts.programs import (
    ComparisonGroups,
    LiabilityDays,
    LtcMemberMonths,
    MemberYears,
    ProgramNotes,
    ProgramRates,
    PublishedAmounts,
)
from ratebook.programs.benefits import count_capped_benefits, derive_capped_benefits
from ratebook.programs.definitions import read_programs
from ratebook.programs.groups import build_comparison_groups, build_member_years, sort_frames
from ratebook.programs.liability import count_liability_days
from ratebook.programs.profiles import reduce_months
from ratebook.programs.published import derive_notes, derive_published
from ratebook.programs.rates import derive_program_rates
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_table, write_table


def main(snakemake):
    files, to, p = snakemake.input, snakemake.output, snakemake.params
    programs = read_programs(files.programs, files.schema, files.scope, **p.data)
    months = open_table(files.months, LtcMemberMonths)
    reduced = reduce_months(months, programs, **p.reduce)
    frames = sort_frames(reduced, programs, p.reduce["common"])
    write_table(build_comparison_groups(reduced, frames), to.groups, ComparisonGroups)
    write_table(build_member_years(reduced, frames), to.years, MemberYears)
    write_table(count_liability_days(months, programs, p.reduce["counter"]), to.days, LiabilityDays)
    counts = read_counts(count_capped_benefits(months, programs, p.reduce["replicates"]))
    write_table(derive_capped_benefits(counts, programs, p.reduce["replicates"]), to.capped_benefits, CappedBenefits)
    groups = read_table(to.groups, ComparisonGroups)
    write_table(derive_program_rates(groups, programs, **p.price, full_months=p.full_months), to.rates, ProgramRates)
    write_table(derive_published(programs), to.published, PublishedAmounts)
    write_table(derive_notes(programs), to.notes, ProgramNotes)


if __name__ == "__main__":
    step(main, snakemake)
