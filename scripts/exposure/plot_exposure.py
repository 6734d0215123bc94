"""Enrolment by plan and month to a figure."""

from ratebook.contracts.exposure import Enrolment
from ratebook.exposure.plots import plot_exposure
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    enrolment = read_table(snakemake.input.enrolment, Enrolment)
    params = snakemake.params
    fig = plot_exposure(enrolment, params.window_start, params.window_end, params.suppress_below)
    save_figure(fig, snakemake.output.svg, snakemake.output.png, params.data_note)


if __name__ == "__main__":
    step(main, snakemake)
