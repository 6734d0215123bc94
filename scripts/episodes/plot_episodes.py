"""The cohort's flow, the lengths of episodes, the first spells and other gap rules to four figures."""

from ratebook.contracts.episodes import Cohort, CohortFlow, CohortVariants, EpisodeLengths, Spells
from ratebook.contracts.spells import GapSensitivity
from ratebook.episodes.plots import plot_flow, plot_lengths
from ratebook.episodes.spell_plots import plot_gap_sensitivity, plot_swimmers
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    flow = read_table(snakemake.input.flow, CohortFlow)
    variants = read_table(snakemake.input.variants, CohortVariants)
    lengths = read_table(snakemake.input.lengths, EpisodeLengths)
    cohort = read_table(snakemake.input.cohort, Cohort)
    spells = read_table(snakemake.input.spells, Spells)
    gaps = read_table(snakemake.input.gap_sensitivity, GapSensitivity)
    out, note, limit = snakemake.output, snakemake.params.data_note, snakemake.params.suppress_below
    save_figure(plot_flow(flow, limit, variants), out.flow_svg, out.flow_png, note)
    save_figure(plot_lengths(lengths, limit), out.lengths_svg, out.lengths_png, note)
    save_figure(plot_swimmers(cohort, spells, limit), out.swimmers_svg, out.swimmers_png, note)
    by_gap = plot_gap_sensitivity(gaps, snakemake.params.spell_gap_days, limit)
    save_figure(by_gap, out.gaps_svg, out.gaps_png, note)


if __name__ == "__main__":
    step(main, snakemake)
