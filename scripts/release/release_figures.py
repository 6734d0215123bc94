"""The stages' figures to the release."""

from ratebook.release.figures import release_figures
from ratebook.steps import step


def main(snakemake):
    release_figures(snakemake.input.figures, [*snakemake.output.svg, *snakemake.output.png])


if __name__ == "__main__":
    step(main, snakemake)
