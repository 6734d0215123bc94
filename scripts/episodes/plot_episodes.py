"""The cohort's flow, the lengths of episodes and the first spells to three figures."""

from ratebook.contracts.episodes import Cohort, CohortFlow, EpisodeLengths, Spells
from ratebook.episodes.plots import plot_flow, plot_lengths, plot_swimmers
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    flow = read_table(snakemake.input.flow, CohortFlow)
    lengths = read_table(snakemake.input.lengths, EpisodeLengths)
    cohort = read_table(snakemake.input.cohort, Cohort)
    spells = read_table(snakemake.input.spells, Spells)
    out, note, limit = snakemake.output, snakemake.params.data_note, snakemake.params.suppress_below
    save_figure(plot_flow(flow, limit), out.flow_svg, out.flow_png, note)
    save_figure(plot_lengths(lengths, limit), out.lengths_svg, out.lengths_png, note)
    save_figure(plot_swimmers(cohort, spells, limit), out.swimmers_svg, out.swimmers_png, note)


if __name__ == "__main__":
    step(main, snakemake)
