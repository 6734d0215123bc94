"""Raw lines and log entries to the waterfall, the supplier's control totals and the quality checks."""

from ratebook.clean import attrition as a
from ratebook.clean import quality as q
from ratebook.clean.contacts import count_log, mark_log
from ratebook.clean.lines import MARKED_FROM, mark_lines
from ratebook.clean.members import count_split_ids
from ratebook.contracts import clean as to
from ratebook.contracts import intake as raw
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_row, read_table, write_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    tables = {name: open_table(getattr(files, name), contract) for name, contract in MARKED_FROM.items()}
    lines = mark_lines(tables, p.extract_date, p.settings)
    log = open_table(files.navigator_log, raw.NavigatorLog)
    log = mark_log(log, tables["identity"], tables["persons"], p.extract_date)
    tally = read_counts(a.tally_lines(lines))
    of_lines = (tally, read_counts(a.count_persons(lines, a.RULES)), a.RULES)
    of_log = (read_counts(count_log(log)), read_counts(a.count_persons(log, a.LOG_RULES)), a.LOG_RULES)
    attrition = a.build_attrition([of_lines, of_log])
    a.check_rejected_share(attrition, p.max_rejected_share)
    write_table(attrition, out.attrition, to.Attrition)
    control = read_counts(open_table(files.control_totals, raw.ControlTotals))
    reconciliation = q.build_reconciliation(tally, control, **p.control_total_share)
    write_table(reconciliation, out.reconciliation, to.Reconciliation)
    counted = q.count_marks(tally) | read_row(q.count_claims(open_table(files.claims, to.Claims)))
    counted |= read_row(count_split_ids(open_table(files.identity_crosswalk, raw.IdentityCrosswalk)))
    write_table(q.build_qa(counted, read_table(files.source_manifest, raw.SourceManifest), p.limits), out.qa, to.Qa)


if __name__ == "__main__":
    step(main, snakemake)
