"""Raw lines and log entries to the waterfall, the supplier's control totals and every exhibit of quality."""

from ratebook.clean.audit import COUNTED_FROM, EXHIBITS, build_exhibits, count_sources
from ratebook.contracts.clean import PaidLags
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.quality import HeaderCases
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_table, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    tables = {name: open_table(getattr(files, name), contract) for name, contract in COUNTED_FROM.items()}
    queries = count_sources(tables, p.study["extract_date"], p.settings, p.limits)
    counts = {name: read_counts(query) for name, query in queries.items()}
    manifest = read_table(files.source_manifest, SourceManifest)
    lags = read_table(files.paid_lags, PaidLags)
    cases = read_table(files.header_cases, HeaderCases, exact=True)
    exhibits = build_exhibits(counts, manifest, lags, cases, p.study, p.limits)
    for name, contract in EXHIBITS.items():
        write_table(exhibits[name], getattr(snakemake.output, name), contract)


if __name__ == "__main__":
    step(main, snakemake)
