"""Rates to what moves between state and plan when cost misses its target."""

from ratebook.contracts.rates import PlanRates, Rates
from ratebook.contracts.risk_sharing import RiskSharing
from ratebook.rates.risk_sharing import derive_risk_sharing
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    rates = read_table(snakemake.input.rates, Rates)
    plan_rates = read_table(snakemake.input.plan_rates, PlanRates)
    shared = derive_risk_sharing(rates, plan_rates, snakemake.params.settings)
    write_table(shared, snakemake.output.risk_sharing, RiskSharing)


if __name__ == "__main__":
    step(main, snakemake)
