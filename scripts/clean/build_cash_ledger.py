"""Claims and the lines taken back to the ledger: every movement of money at its own date, and how late it comes."""

from ratebook.clean.ledger import build_cash_ledger, build_paid_lags
from ratebook.clean.lines import MARKED_FROM, mark_lines
from ratebook.codes import claim_meanings, select_codes
from ratebook.contracts.clean import CashLedger, Claims, PaidLags
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    raw = {name: open_table(getattr(files, name), contract) for name, contract in MARKED_FROM.items()}
    services = select_codes(read_codes(files.services), p.state)
    diagnoses = read_codes(files.sud_diagnoses)
    meanings = claim_meanings(raw["medical_claims"], services, diagnoses)
    marked = mark_lines(raw, p.extract_date, p.settings)
    ledger = build_cash_ledger(open_table(files.claims, Claims), marked, services, diagnoses, meanings)
    write_table(ledger, snakemake.output.cash_ledger, CashLedger)
    ledger = open_table(snakemake.output.cash_ledger, CashLedger)
    write_table(build_paid_lags(ledger), snakemake.output.paid_lags, PaidLags)


if __name__ == "__main__":
    step(main, snakemake)
