"""Lines of 24-hour care to stays in one facility, and what their codes of sub-acute detox are used for."""

from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import DetoxCodes, Stays
from ratebook.episodes.stays import build_stays, count_detox_codes, warn_of_step_downs
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    out, p = snakemake.output, snakemake.params
    claims = open_table(snakemake.input.claims, Claims)
    write_table(build_stays(claims, p.stay_levels, p.require_sud_dx), out.stays, Stays)
    write_table(count_detox_codes(claims, p.stay_levels, p.require_sud_dx), out.codes, DetoxCodes)
    warn_of_step_downs(read_table(out.codes, DetoxCodes), p.detox_levels)


if __name__ == "__main__":
    step(main, snakemake)
