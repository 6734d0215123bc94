"""Files in anyone's layout to the raw tables, and a manifest of what was read."""

import os

from ratebook.contracts.intake import TABLES, SourceManifest
from ratebook.intake.layouts import read_layout
from ratebook.intake.pseudonyms import hide_ids
from ratebook.intake.sources import build_manifest, check_parsed, count_source, read_sources
from ratebook.keys import read_key
from ratebook.steps import step
from ratebook.tables import open_table, read_row, write_table


def main(snakemake):
    parts = read_layout(snakemake.input.layout, snakemake.input.schema)
    key = read_key(os.environ, snakemake.params.key_fingerprint)
    counts = {}
    for name, raw in read_sources(snakemake.params.source, parts).items():
        path = getattr(snakemake.output, name)
        write_table(hide_ids(raw, key), path, TABLES[name])
        counts[name] = read_row(count_source(open_table(path, TABLES[name])))
    manifest = build_manifest(snakemake.params.source, parts, counts)
    check_parsed(manifest, snakemake.params.max_rejected_share)
    write_table(manifest, snakemake.output.source_manifest, SourceManifest)


if __name__ == "__main__":
    step(main, snakemake)
