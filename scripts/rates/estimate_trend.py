"""Completed months to annual trends of use and price."""

from ratebook.contracts.rates import BaseExperience, Trend, Ultimates
from ratebook.rates.trend import estimate_trend
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    experience = read_table(snakemake.input.experience, BaseExperience)
    ultimates = read_table(snakemake.input.ultimates, Ultimates)
    trend = estimate_trend(experience, ultimates, snakemake.params.settings)
    write_table(trend, snakemake.output.trend, Trend)


if __name__ == "__main__":
    step(main, snakemake)
