"""Base, completion, trend and assumptions to rates, every factor a column."""

from ratebook.contracts import rate_uncertainty
from ratebook.contracts import rates as contracts
from ratebook.contracts.rate_trace import RateTrace
from ratebook.contracts.risk_sharing import RiskSharing
from ratebook.rates import derive, uncertainty
from ratebook.rates.assumptions import list_assumptions
from ratebook.rates.risk_sharing import derive_risk_sharing
from ratebook.rates.trace import derive_rate_trace
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    source, settings, output = snakemake.input, snakemake.params.settings, snakemake.output
    assumptions = list_assumptions(settings, snakemake.params.data_note)
    experience = read_table(source.experience, contracts.BaseExperience)
    moments = read_table(source.moments, contracts.CellMoments)
    completion = read_table(source.base_completion, contracts.BaseCompletion)
    trend = read_table(source.trend, contracts.Trend)
    build = derive.derive_rate_build(experience, moments, completion, trend, settings)
    credibility = derive.derive_credibility(experience, moments, settings)
    rates = derive.derive_rates(build, credibility, completion, trend, derive.place_cells(experience), settings)
    ultimates = read_table(source.ultimates, contracts.Ultimates)
    groups = read_table(source.cell_groups, rate_uncertainty.CellGroups)
    months = read_table(source.group_months, rate_uncertainty.GroupMonths)
    found, tornado = uncertainty.estimate_uncertainty(
        build, rates, completion, ultimates, trend, groups, months, settings, snakemake.params.seed
    )
    rates = uncertainty.with_limits(rates, found)
    write_table(found, output.uncertainty, rate_uncertainty.RateUncertainty)
    write_table(tornado, output.tornado, rate_uncertainty.RateTornado)
    write_table(build, output.rate_build, contracts.RateBuild)
    write_table(credibility, output.credibility, contracts.Credibility)
    write_table(rates, output.rates, contracts.Rates)
    write_table(derive_rate_trace(experience, build, rates, settings), output.rate_trace, RateTrace)
    plan_rates = derive.derive_plan_rates(experience, rates, settings)
    write_table(plan_rates, output.plan_rates, contracts.PlanRates)
    write_table(derive_risk_sharing(rates, plan_rates, settings), output.risk_sharing, RiskSharing)
    write_table(derive.derive_corridor(settings), output.corridor, contracts.Corridor)
    write_table(assumptions, output.assumptions, contracts.Assumptions)


if __name__ == "__main__":
    step(main, snakemake)
