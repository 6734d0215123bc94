"""The review's tables to its figures."""

from ratebook.contracts.review import Checklist, Recovery, Sensitivity
from ratebook.figures import save_figure
from ratebook.review.plots import plot_checklist, plot_recovery, plot_sensitivity
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    source, output, note = snakemake.input, snakemake.output, snakemake.params.data_note
    tornado = plot_sensitivity(read_table(source.sensitivity, Sensitivity))
    save_figure(tornado, output.sensitivity_svg, output.sensitivity_png, note)
    lights = plot_checklist(read_table(source.checklist, Checklist))
    save_figure(lights, output.checklist_svg, output.checklist_png, note)
    recovered = plot_recovery(read_table(source.recovery, Recovery))
    save_figure(recovered, output.recovery_svg, output.recovery_png, note)


if __name__ == "__main__":
    step(main, snakemake)
