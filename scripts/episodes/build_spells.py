"""Navigator contacts to spells of engagement, under the gap rule in force and under others."""

from ratebook.contracts.clean import Contacts
from ratebook.contracts.episodes import Cohort, Spells, SpellsByGap
from ratebook.episodes.spells import build_spells, build_spells_by_gap
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    contacts = open_table(snakemake.input.contacts, Contacts)
    cohort = open_table(snakemake.input.cohort, Cohort)
    ends = snakemake.params.readmission_ends_spell, snakemake.params.spell_by_provider
    spells = build_spells(contacts, cohort, snakemake.params.spell_gap_days, *ends)
    write_table(spells, snakemake.output.spells, Spells)
    by_gap = build_spells_by_gap(contacts, cohort, snakemake.params.gaps_days, *ends)
    write_table(by_gap, snakemake.output.by_gap, SpellsByGap)


if __name__ == "__main__":
    step(main, snakemake)
