"""Stays of withdrawal management to episodes, and how long those last."""

from ratebook.contracts.episodes import EpisodeLengths, Episodes, Stays
from ratebook.episodes.stays import build_episodes, count_lengths
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    stays = open_table(snakemake.input.stays, Stays)
    episodes = build_episodes(stays, snakemake.params.detox_levels, snakemake.params.episode_gap_days)
    write_table(episodes, snakemake.output.episodes, Episodes)
    episodes = open_table(snakemake.output.episodes, Episodes)
    write_table(count_lengths(episodes), snakemake.output.lengths, EpisodeLengths)


if __name__ == "__main__":
    step(main, snakemake)
