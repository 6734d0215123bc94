"""Base, completion, trend and assumptions to rates, every factor a column."""

from ratebook.contracts import rates as contracts
from ratebook.contracts.rate_trace import RateTrace
from ratebook.rates import derive
from ratebook.rates.assumptions import list_assumptions
from ratebook.rates.trace import derive_rate_trace
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    settings, output = snakemake.params.settings, snakemake.output
    assumptions = list_assumptions(settings, snakemake.params.data_note)
    experience = read_table(snakemake.input.experience, contracts.BaseExperience)
    moments = read_table(snakemake.input.moments, contracts.CellMoments)
    completion = read_table(snakemake.input.base_completion, contracts.BaseCompletion)
    trend = read_table(snakemake.input.trend, contracts.Trend)
    build = derive.derive_rate_build(experience, moments, completion, trend, settings)
    credibility = derive.derive_credibility(experience, moments, settings)
    rates = derive.derive_rates(build, credibility, completion, trend, derive.place_cells(experience), settings)
    write_table(build, output.rate_build, contracts.RateBuild)
    write_table(credibility, output.credibility, contracts.Credibility)
    write_table(rates, output.rates, contracts.Rates)
    write_table(derive_rate_trace(experience, build, rates, settings), output.rate_trace, RateTrace)
    write_table(derive.derive_plan_rates(experience, rates, settings), output.plan_rates, contracts.PlanRates)
    write_table(derive.derive_corridor(settings), output.corridor, contracts.Corridor)
    write_table(assumptions, output.assumptions, contracts.Assumptions)


if __name__ == "__main__":
    step(main, snakemake)
