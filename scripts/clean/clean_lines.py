"""Raw lines to marked lines: the rule that takes each, what it served and what it cost."""

from ratebook.clean.lines import clean_lines, unite_lines
from ratebook.codes import select_codes
from ratebook.contracts.clean import AdjustedLines, Identity, Lines, Persons
from ratebook.contracts.intake import MedicalClaims, PharmacyClaims
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    raw = unite_lines(
        open_table(files.medical_claims, MedicalClaims), open_table(files.pharmacy_claims, PharmacyClaims)
    )
    adjusted = open_table(files.adjusted_lines, AdjustedLines)
    identity, persons = open_table(files.identity, Identity), open_table(files.persons, Persons)
    services = select_codes(read_codes(files.services), p.settings["state"])
    diagnoses = read_codes(files.sud_diagnoses)
    lines = clean_lines(raw, adjusted, identity, persons, services, diagnoses, p.extract_date, p.settings)
    write_table(lines, snakemake.output.lines, Lines)


if __name__ == "__main__":
    step(main, snakemake)
