"""Triangles to completion factors and ultimate cost."""

from ratebook.contracts.rate_uncertainty import CompletionDiagonals
from ratebook.contracts.rates import BaseCompletion, BaseExperience, Completion, Triangles, Ultimates
from ratebook.rates.base import last_complete_month
from ratebook.rates.completion import estimate_completion
from ratebook.rates.diagonals import compare_diagonals
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    params = snakemake.params
    triangles = read_table(snakemake.input.triangles, Triangles)
    experience = read_table(snakemake.input.experience, BaseExperience)
    last_paid = last_complete_month(params.extract_date)
    completion, ultimates, base_completion = estimate_completion(
        triangles, experience, params.base_months, last_paid, params.settings
    )
    diagonals = compare_diagonals(triangles, last_paid, params.settings)
    write_table(completion, snakemake.output.completion, Completion)
    write_table(ultimates, snakemake.output.ultimates, Ultimates)
    write_table(base_completion, snakemake.output.base_completion, BaseCompletion)
    write_table(diagonals, snakemake.output.diagonals, CompletionDiagonals)


if __name__ == "__main__":
    step(main, snakemake)
