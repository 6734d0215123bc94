"""Tables of cost to figures."""

from ratebook.contracts.released import RELEASED
from ratebook.cost.plots import NEEDS, plot_cost
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    tables = {name: read_table(snakemake.input[name], RELEASED[name].contract) for name in NEEDS}
    figures = plot_cost(tables, snakemake.params.suppress_below)
    for name, figure in figures.items():
        svg, png = getattr(snakemake.output, f"{name}_svg"), getattr(snakemake.output, f"{name}_png")
        save_figure(figure, svg, png, snakemake.params.note)


if __name__ == "__main__":
    step(main, snakemake)
