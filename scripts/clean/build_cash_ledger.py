"""Marked lines to the ledger: every payment and every taking back at its own date."""

from ratebook.clean.lines import build_cash_ledger
from ratebook.contracts.clean import CashLedger, Lines
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    lines = open_table(snakemake.input.lines, Lines)
    write_table(build_cash_ledger(lines), snakemake.output.cash_ledger, CashLedger)


if __name__ == "__main__":
    step(main, snakemake)
