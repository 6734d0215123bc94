"""Navigator contacts to spells of engagement, what they come to in sum, and who crossed from program to program."""

from ratebook.contracts import spells as summed
from ratebook.contracts.clean import Contacts
from ratebook.contracts.episodes import Cohort, Spells, SpellsByGap
from ratebook.episodes.crossing import build_crossing, build_navigators, estimate_contamination, estimate_crossover
from ratebook.episodes.spell_tables import compare_gaps, estimate_spell_ends
from ratebook.episodes.spells import build_spells, build_spells_by_gap
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    contacts = open_table(snakemake.input.contacts, Contacts)
    cohort = open_table(snakemake.input.cohort, Cohort)
    out, params = snakemake.output, snakemake.params
    ends = params.readmission_ends_spell, params.spell_by_provider
    write_table(build_spells(contacts, cohort, params.spell_gap_days, *ends), out.spells, Spells)
    write_table(build_spells_by_gap(contacts, cohort, params.gaps_days, *ends), out.by_gap, SpellsByGap)
    write_table(build_crossing(contacts, cohort), out.crossing, summed.Crossing)
    write_table(build_navigators(contacts), out.navigators, summed.Navigators)
    members = read_table(snakemake.input.cohort, Cohort)
    spells, by_gap = read_table(out.spells, Spells), read_table(out.by_gap, SpellsByGap)
    crossing, navigators = read_table(out.crossing, summed.Crossing), read_table(out.navigators, summed.Navigators)
    contaminated = estimate_contamination(members, crossing, navigators, spells)
    write_table(estimate_spell_ends(members, spells, params.end_reasons), out.ends, summed.SpellEnds)
    write_table(compare_gaps(members, by_gap, params.gaps_days), out.gap_sensitivity, summed.GapSensitivity)
    write_table(estimate_crossover(members, crossing), out.crossover, summed.Crossover)
    write_table(contaminated, out.contamination, summed.Contamination)


if __name__ == "__main__":
    step(main, snakemake)
