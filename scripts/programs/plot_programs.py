"""Programs' tables to their figures."""

from ratebook.contracts.programs import LiabilityDays, ProgramComparison, ProgramRates
from ratebook.figures import save_figure
from ratebook.programs.figures import plot_comparison, plot_liability_timeline, plot_program_rates
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    to, note, limit = snakemake.output, snakemake.params.data_note, snakemake.params.suppress_below
    rates = read_table(snakemake.input.rates, ProgramRates)
    comparison = read_table(snakemake.input.comparison, ProgramComparison)
    days = read_table(snakemake.input.days, LiabilityDays)
    save_figure(plot_program_rates(rates, limit), to.rates_svg, to.rates_png, note)
    save_figure(plot_comparison(comparison, limit), to.comparison_svg, to.comparison_png, note)
    save_figure(plot_liability_timeline(days, limit), to.liability_svg, to.liability_png, note)


if __name__ == "__main__":
    step(main, snakemake)
