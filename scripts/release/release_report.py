"""Released tables and figures to the report, one page that needs no other file."""

from pathlib import Path

import yaml

from ratebook.contracts.intake import SourceManifest
from ratebook.release.report import release_report
from ratebook.release.tables import read_released
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    page = release_report(
        Path(snakemake.input.template).read_text(encoding="utf-8"),
        yaml.safe_load(Path(snakemake.input.contents).read_text(encoding="utf-8")),
        read_released(snakemake.input.tables),
        snakemake.input.figures,
        read_table(snakemake.input.sources, SourceManifest),
        snakemake.params.settings,
    )
    Path(snakemake.output.report).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    step(main, snakemake)
