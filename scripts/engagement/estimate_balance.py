"""Cohort and spells to propensities, weights, and how alike they make the arms."""

from ratebook.contracts.engagement import Balance, Weights, WeightSummary
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement.weights import estimate_balance
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    cohort = read_table(snakemake.input.cohort, Cohort)
    spells = read_table(snakemake.input.spells, Spells)
    balance, weights, summary = estimate_balance(
        cohort, spells, snakemake.params.end_reasons, snakemake.params.covariates
    )
    write_table(balance, snakemake.output.balance, Balance)
    write_table(weights, snakemake.output.weights, Weights)
    write_table(summary, snakemake.output.weight_summary, WeightSummary)


if __name__ == "__main__":
    step(main, snakemake)
