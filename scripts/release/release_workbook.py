"""Released tables to the rate book in Excel."""

from ratebook.contracts.intake import SourceManifest
from ratebook.release.tables import read_released
from ratebook.release.workbook import release_workbook
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    tables = read_released(snakemake.input.tables)
    sources = read_table(snakemake.input.sources, SourceManifest)
    release_workbook(snakemake.output.workbook, tables, snakemake.params.settings, sources)


if __name__ == "__main__":
    step(main, snakemake)
