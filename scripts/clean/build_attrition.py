"""Marked lines and log entries to the waterfall, the supplier's control totals and the quality checks."""

from ratebook.clean.attrition import (
    LOG_RULES,
    RULES,
    build_attrition,
    check_rejected_share,
    count_lines,
    count_persons,
)
from ratebook.clean.contacts import count_log, mark_log
from ratebook.clean.members import count_split_ids
from ratebook.clean.quality import build_qa, build_reconciliation, count_quality, count_received
from ratebook.contracts.clean import Attrition, Identity, Lines, Persons, Qa, Reconciliation
from ratebook.contracts.intake import ControlTotals, IdentityCrosswalk, NavigatorLog, SourceManifest
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_row, read_table, write_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    lines, log = open_table(files.lines, Lines), open_table(files.navigator_log, NavigatorLog)
    log = mark_log(log, open_table(files.identity, Identity), open_table(files.persons, Persons), p.extract_date)
    of_lines = (read_counts(count_lines(lines)), read_counts(count_persons(lines, list(RULES))), RULES)
    of_log = (read_counts(count_log(log)), read_counts(count_persons(log, list(LOG_RULES))), LOG_RULES)
    attrition = build_attrition([of_lines, of_log])
    check_rejected_share(attrition, p.max_rejected_share)
    write_table(attrition, out.attrition, Attrition)
    control = read_counts(open_table(files.control_totals, ControlTotals))
    reconciliation = build_reconciliation(read_counts(count_received(lines)), control, **p.control_total_share)
    write_table(reconciliation, out.reconciliation, Reconciliation)
    manifest = read_table(files.source_manifest, SourceManifest)
    split = read_row(count_split_ids(open_table(files.identity_crosswalk, IdentityCrosswalk)))
    write_table(build_qa(read_row(count_quality(lines)) | split, manifest, p.limits), out.qa, Qa)


if __name__ == "__main__":
    step(main, snakemake)
