"""The stages' figures to the release, drawn again where they show counts of people."""

from ratebook.release.figures import release_figures
from ratebook.release.tables import read_released
from ratebook.steps import step


def main(snakemake):
    tables = read_released(snakemake.input.tables)
    targets = [*snakemake.output.svg, *snakemake.output.png]
    params = snakemake.params
    release_figures(tables, snakemake.input.figures, targets, params.suppress_below, params.data_note)


if __name__ == "__main__":
    step(main, snakemake)
