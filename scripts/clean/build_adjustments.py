"""Raw lines to what can only be said of a line beside its neighbours: copies, chains, header amounts, scales."""

from ratebook.clean.adjustments import build_adjustments, find_suspects
from ratebook.clean.feeds import build_feed_styles
from ratebook.clean.header_cases import build_header_cases, count_header_cases
from ratebook.codes import per_diem_codes, select_codes, timed_codes
from ratebook.contracts.clean import AdjustedLines, FeedStyles
from ratebook.contracts.intake import MedicalClaims, PharmacyClaims
from ratebook.contracts.quality import HeaderCases
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, read_counts, write_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    lines = open_table(files.medical_claims, MedicalClaims), open_table(files.pharmacy_claims, PharmacyClaims)
    write_table(build_feed_styles(*lines, **p.feed_styles), out.feed_styles, FeedStyles)
    styles = open_table(out.feed_styles, FeedStyles)
    services = select_codes(read_codes(files.services), p.state)
    suspects = find_suspects(*lines, styles, timed_codes(services), p.repeated_header_share)
    adjusted = build_adjustments(suspects, styles, per_diem_codes(services), p.settings)
    write_table(adjusted, out.adjusted_lines, AdjustedLines)
    cases = count_header_cases(*lines, suspects.irregular, open_table(out.adjusted_lines, AdjustedLines))
    write_table(build_header_cases(read_counts(cases)), out.header_cases, HeaderCases)


if __name__ == "__main__":
    step(main, snakemake)
