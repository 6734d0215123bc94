"""What was planted beside what was found."""

from ratebook.contracts import cost, engagement, rates
from ratebook.contracts.review import FaultCounts, Recovery
from ratebook.review.marks import MARKED_IN, count_faults, mark_records
from ratebook.review.recovery import check_recovery, read_truth
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    source, params, output = snakemake.input, snakemake.params, snakemake.output
    truth = read_truth(source.get("truth"))
    tables = {name: open_table(source[name], contract) for name, contract in MARKED_IN.items()}
    marks = mark_records(tables, params.extract_date)
    write_table(count_faults(marks, tables["claims"], truth), output.fault_counts, FaultCounts)
    recovery = check_recovery(
        truth,
        read_table(output.fault_counts, FaultCounts),
        read_table(source.engagement, engagement.Engagement),
        read_table(source.pmpm, cost.Pmpm),
        read_table(source.total_cost, cost.TotalCost),
        read_table(source.completion, rates.Completion),
        read_table(source.trend, rates.Trend),
        params.category_groups,
    )
    write_table(recovery, output.recovery, Recovery)


if __name__ == "__main__":
    step(main, snakemake)
