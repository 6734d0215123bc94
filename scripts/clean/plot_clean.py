"""The waterfall, the ledger's lags and the exhibits of quality to figures."""

from ratebook.clean.plots import DRAWN_FROM, plot_clean
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    tables = {name: read_table(getattr(files, name), contract) for name, contract in DRAWN_FROM.items()}
    for name, figure in plot_clean(tables, p.window_start, p.window_end).items():
        save_figure(figure, getattr(out, f"{name}_svg"), getattr(out, f"{name}_png"), p.data_note)


if __name__ == "__main__":
    step(main, snakemake)
