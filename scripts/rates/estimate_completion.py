"""Triangles to completion factors and ultimate cost."""

from ratebook.contracts.rates import BaseCompletion, BaseExperience, Completion, Triangles, Ultimates
from ratebook.rates.base import last_complete_month
from ratebook.rates.completion import estimate_completion
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    params = snakemake.params
    completion, ultimates, base_completion = estimate_completion(
        read_table(snakemake.input.triangles, Triangles),
        read_table(snakemake.input.experience, BaseExperience),
        params.base_months,
        last_complete_month(params.extract_date),
        params.settings,
    )
    write_table(completion, snakemake.output.completion, Completion)
    write_table(ultimates, snakemake.output.ultimates, Ultimates)
    write_table(base_completion, snakemake.output.base_completion, BaseCompletion)


if __name__ == "__main__":
    step(main, snakemake)
