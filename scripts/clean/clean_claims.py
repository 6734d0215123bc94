"""Marked lines to final-action claims, and to the rows that are not among them."""

from ratebook.clean.lines import select_claims, select_rejected
from ratebook.contracts.clean import Claims, Lines, Rejected
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    lines = open_table(snakemake.input.lines, Lines)
    write_table(select_claims(lines), snakemake.output.claims, Claims)
    write_table(select_rejected(lines), snakemake.output.rejected, Rejected)


if __name__ == "__main__":
    step(main, snakemake)
