"""Raw lines to final-action claims, to the lines whose money was taken back, and to the rows that are not among them."""

from ratebook.clean.ledger import select_reversed
from ratebook.clean.lines import MARKED_FROM, clean_claims, mark_lines, select_rejected, select_taken
from ratebook.codes import claim_meanings, select_codes
from ratebook.contracts.clean import Claims, Rejected, ReversedLines
from ratebook.steps import step
from ratebook.tables import hold, open_table, read_codes, write_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    raw = {name: open_table(getattr(files, name), contract) for name, contract in MARKED_FROM.items()}
    services, diagnoses = select_codes(read_codes(files.services), p.state), read_codes(files.sud_diagnoses)
    codes = services, diagnoses, hold(claim_meanings(raw["medical_claims"], services, diagnoses))
    marked = mark_lines(raw, p.extract_date, p.settings)
    write_table(clean_claims(marked, *codes), out.claims, Claims)
    taken = hold(select_taken(marked))
    write_table(select_rejected(taken), out.rejected, Rejected)
    write_table(select_reversed(taken, *codes), out.reversed_lines, ReversedLines)


if __name__ == "__main__":
    step(main, snakemake)
