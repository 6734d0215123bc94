"""Released files, sources and code to their fingerprints, and the description of the release."""

import json
from pathlib import Path

from ratebook.contracts.intake import SourceManifest
from ratebook.release.manifest import release_manifest
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    manifest, readme = release_manifest(
        Path(snakemake.output.manifest).parent,
        snakemake.input.released,
        snakemake.input.workflow,
        Path(snakemake.input.requirements).read_text(encoding="utf-8"),
        read_table(snakemake.input.sources, SourceManifest),
        snakemake.params.settings,
        Path(snakemake.output.readme).name,
    )
    Path(snakemake.output.readme).write_text(readme, encoding="utf-8")
    Path(snakemake.output.manifest).write_text(
        json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    step(main, snakemake)
