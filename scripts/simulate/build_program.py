"""A seed and settings to a synthetic program in the raw layout, and the truth that was planted in it."""

from ratebook.simulate.build import build_program
from ratebook.steps import step


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    build_program(params.study, params.settings, output.raw, output.truth, snakemake.threads)


if __name__ == "__main__":
    step(main, snakemake)
