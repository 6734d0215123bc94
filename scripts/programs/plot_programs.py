"""Programs' tables to their figures."""

from ratebook.figures import save_figure
from ratebook.programs.plots import DRAWN_FROM, plot_programs
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    files, to, p = snakemake.input, snakemake.output, snakemake.params
    tables = {name: read_table(getattr(files, name), contract) for name, contract in DRAWN_FROM.items()}
    for name, figure in plot_programs(tables, p.suppress_below).items():
        save_figure(figure, getattr(to, f"{name}_svg"), getattr(to, f"{name}_png"), p.data_note)


if __name__ == "__main__":
    step(main, snakemake)
