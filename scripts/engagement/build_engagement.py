"""Estimates of first spells and of the target trial to the one table of engagement."""

from ratebook.contracts.engagement import Engagement
from ratebook.engagement.estimates import build_engagement
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    first_spells = read_table(snakemake.input.first_spells, Engagement)
    trial = read_table(snakemake.input.trial, Engagement)
    write_table(build_engagement(first_spells, trial), snakemake.output.engagement, Engagement)


if __name__ == "__main__":
    step(main, snakemake)
