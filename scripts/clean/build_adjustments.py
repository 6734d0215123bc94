"""Raw lines to what can only be said of a line beside its neighbours: copies, chains, header amounts."""

from ratebook.clean.adjustments import build_adjustments
from ratebook.contracts.clean import AdjustedLines
from ratebook.contracts.intake import MedicalClaims, PharmacyClaims
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    medical = open_table(snakemake.input.medical_claims, MedicalClaims)
    pharmacy = open_table(snakemake.input.pharmacy_claims, PharmacyClaims)
    adjusted = build_adjustments(medical, pharmacy, **snakemake.params.settings)
    write_table(adjusted, snakemake.output.adjusted_lines, AdjustedLines)


if __name__ == "__main__":
    step(main, snakemake)
