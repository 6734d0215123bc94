"""Raw lines to final-action claims, and to the rows that are not among them."""

from ratebook.clean.lines import MARKED_FROM, clean_claims, mark_lines, select_rejected
from ratebook.codes import claim_meanings, select_codes
from ratebook.contracts.clean import Claims, Rejected
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    raw = {name: open_table(getattr(files, name), contract) for name, contract in MARKED_FROM.items()}
    services = select_codes(read_codes(files.services), p.state)
    diagnoses = read_codes(files.sud_diagnoses)
    meanings = claim_meanings(raw["medical_claims"], services, diagnoses)
    marked = mark_lines(raw, p.extract_date, p.settings)
    write_table(clean_claims(marked, services, diagnoses, meanings), snakemake.output.claims, Claims)
    write_table(select_rejected(marked), snakemake.output.rejected, Rejected)


if __name__ == "__main__":
    step(main, snakemake)
