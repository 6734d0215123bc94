"""Stays of withdrawal management to episodes, how long those last, and what another gap would make of them."""

from ratebook.contracts.episodes import EpisodeLengths, Episodes, EpisodesByGap, Stays
from ratebook.episodes.stays import build_episodes, count_by_gap, count_lengths
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    out, p = snakemake.output, snakemake.params
    stays = open_table(snakemake.input.stays, Stays)
    write_table(build_episodes(stays, p.detox_levels, p.episode_gap_days, p.unit), out.episodes, Episodes)
    write_table(count_lengths(open_table(out.episodes, Episodes)), out.lengths, EpisodeLengths)
    write_table(count_by_gap(stays, p.detox_levels, p.episode_gap_days, p.gaps_days), out.by_gap, EpisodesByGap)


if __name__ == "__main__":
    step(main, snakemake)
