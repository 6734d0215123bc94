"""Raw lines to what can only be said of a line beside its neighbours: copies, chains, header amounts, scales."""

from ratebook.clean.adjustments import build_adjustments
from ratebook.clean.feeds import build_feed_styles
from ratebook.codes import per_diem_codes, select_codes, timed_codes
from ratebook.contracts.clean import AdjustedLines, FeedStyles
from ratebook.contracts.intake import MedicalClaims, PharmacyClaims
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    lines = open_table(files.medical_claims, MedicalClaims), open_table(files.pharmacy_claims, PharmacyClaims)
    write_table(build_feed_styles(*lines, **p.feed_styles), out.feed_styles, FeedStyles)
    styles = open_table(out.feed_styles, FeedStyles)
    services = select_codes(read_codes(files.services), p.state)
    codes = timed_codes(services), per_diem_codes(services)
    write_table(build_adjustments(*lines, styles, *codes, p.settings), out.adjusted_lines, AdjustedLines)


if __name__ == "__main__":
    step(main, snakemake)
