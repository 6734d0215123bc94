"""Lines of 24-hour care to stays in one facility."""

from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import Stays
from ratebook.episodes.stays import build_stays
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    claims = open_table(snakemake.input.claims, Claims)
    stays = build_stays(claims, snakemake.params.stay_levels, snakemake.params.require_sud_dx)
    write_table(stays, snakemake.output.stays, Stays)


if __name__ == "__main__":
    step(main, snakemake)
