"""Programs' tables to their figures."""

from ratebook.contracts.designs import MixSensitivity, PlanRisk, ProgramComparison, ProgramIncentives, RateScales
from ratebook.contracts.programs import LiabilityDays, ProgramRates
from ratebook.figures import save_figure
from ratebook.programs.design_figures import plot_incentives, plot_mix, plot_plan_risk, plot_scales
from ratebook.programs.figures import plot_comparison, plot_liability_timeline, plot_program_rates
from ratebook.steps import step
from ratebook.tables import read_table

DRAWN = {
    "rates": (plot_program_rates, ProgramRates),
    "comparison": (plot_comparison, ProgramComparison),
    "days": (plot_liability_timeline, LiabilityDays),
    "risk": (plot_plan_risk, PlanRisk),
    "incentives": (plot_incentives, ProgramIncentives),
    "mix": (plot_mix, MixSensitivity),
    "scales": (plot_scales, RateScales),
}


def main(snakemake):
    files, to, p = snakemake.input, snakemake.output, snakemake.params
    for name, (plot, contract) in DRAWN.items():
        figure = plot(read_table(getattr(files, name), contract), p.suppress_below)
        save_figure(figure, getattr(to, f"{name}_svg"), getattr(to, f"{name}_png"), p.data_note)


if __name__ == "__main__":
    step(main, snakemake)
