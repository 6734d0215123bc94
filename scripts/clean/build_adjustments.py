"""Raw lines to what can only be said of a line beside its neighbours: copies, chains, header amounts, scales."""

from ratebook.clean.adjustments import build_adjustments
from ratebook.codes import select_codes, timed_codes
from ratebook.contracts.clean import AdjustedLines
from ratebook.contracts.intake import MedicalClaims, PharmacyClaims
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    medical, pharmacy = (
        open_table(files.medical_claims, MedicalClaims),
        open_table(files.pharmacy_claims, PharmacyClaims),
    )
    codes = timed_codes(select_codes(read_codes(files.services), p.state))
    adjusted = build_adjustments(medical, pharmacy, codes, **p.settings)
    write_table(adjusted, snakemake.output.adjusted_lines, AdjustedLines)


if __name__ == "__main__":
    step(main, snakemake)
