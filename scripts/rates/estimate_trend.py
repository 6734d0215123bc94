"""Completed months to annual trends of use and price."""

from ratebook.contracts.rate_uncertainty import ServiceMonths
from ratebook.contracts.rates import BaseExperience, Trend, Ultimates
from ratebook.rates.trend import estimate_trend
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    experience = read_table(snakemake.input.experience, BaseExperience)
    ultimates = read_table(snakemake.input.ultimates, Ultimates)
    services = read_table(snakemake.input.service_months, ServiceMonths)
    trend = estimate_trend(experience, ultimates, snakemake.params.settings, services)
    write_table(trend, snakemake.output.trend, Trend)


if __name__ == "__main__":
    step(main, snakemake)
