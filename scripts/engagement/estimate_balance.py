"""Cohort and spells to propensities, weights, how alike they make the arms, and where an arm was not possible."""

from ratebook.contracts.engagement import Balance, Positivity, Propensity, Weights, WeightSummary
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement.balance import describe_overlap, estimate_balance
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    cohort = read_table(snakemake.input.cohort, Cohort)
    spells = read_table(snakemake.input.spells, Spells)
    known = (cohort, spells, snakemake.params.end_reasons, snakemake.params.covariates)
    balance, weights, summary = estimate_balance(*known)
    propensity, positivity = describe_overlap(*known, weights)
    write_table(balance, snakemake.output.balance, Balance)
    write_table(weights, snakemake.output.weights, Weights)
    write_table(summary, snakemake.output.weight_summary, WeightSummary)
    write_table(propensity, snakemake.output.propensity, Propensity)
    write_table(positivity, snakemake.output.positivity, Positivity)


if __name__ == "__main__":
    step(main, snakemake)
