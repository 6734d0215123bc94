"""Claims and the lines taken back to the ledger: every movement of money at its own date, and how late it comes."""

from ratebook.clean.ledger import build_cash_ledger, build_paid_lags
from ratebook.contracts.clean import CashLedger, Claims, PaidLags, ReversedLines
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    files, out = snakemake.input, snakemake.output
    claims, reversed_lines = open_table(files.claims, Claims), open_table(files.reversed_lines, ReversedLines)
    write_table(build_cash_ledger(claims, reversed_lines), out.cash_ledger, CashLedger)
    write_table(build_paid_lags(open_table(out.cash_ledger, CashLedger)), out.paid_lags, PaidLags)


if __name__ == "__main__":
    step(main, snakemake)
