"""The stage's tables to its figures."""

from ratebook.engagement.plots import DRAWN_FROM, plot_engagement
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    tables = {name: read_table(snakemake.input[name], contract) for name, contract in DRAWN_FROM.items()}
    figures = plot_engagement(tables, snakemake.params.suppress_below)
    for name, figure in figures.items():
        save_figure(
            figure, snakemake.output[f"{name}_svg"], snakemake.output[f"{name}_png"], snakemake.params.data_note
        )


if __name__ == "__main__":
    step(main, snakemake)
