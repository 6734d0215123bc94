"""Rates and what they stand on, redrawn: limits, and what moves a rate most."""

from ratebook.contracts import rate_uncertainty as own
from ratebook.contracts import rates as contracts
from ratebook.rates.uncertainty import estimate_uncertainty
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    source, settings = snakemake.input, snakemake.params.settings
    uncertainty, tornado = estimate_uncertainty(
        read_table(source.rate_build, contracts.RateBuild),
        read_table(source.rates, contracts.Rates),
        read_table(source.base_completion, contracts.BaseCompletion),
        read_table(source.ultimates, contracts.Ultimates),
        read_table(source.trend, contracts.Trend),
        read_table(source.cell_groups, own.CellGroups),
        read_table(source.group_months, own.GroupMonths),
        settings,
        settings["replicates"],
        snakemake.params.seed,
    )
    write_table(uncertainty, snakemake.output.uncertainty, own.RateUncertainty)
    write_table(tornado, snakemake.output.tornado, own.RateTornado)


if __name__ == "__main__":
    step(main, snakemake)
