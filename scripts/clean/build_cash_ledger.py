"""Marked lines to the ledger: every payment and every taking back at its own date, and how late they come."""

from ratebook.clean.lines import build_cash_ledger, build_paid_lags
from ratebook.contracts.clean import CashLedger, Lines, PaidLags
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    lines = open_table(snakemake.input.lines, Lines)
    write_table(build_cash_ledger(lines), snakemake.output.cash_ledger, CashLedger)
    ledger = open_table(snakemake.output.cash_ledger, CashLedger)
    write_table(build_paid_lags(ledger), snakemake.output.paid_lags, PaidLags)


if __name__ == "__main__":
    step(main, snakemake)
