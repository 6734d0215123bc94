"""What was planted beside what was found."""

from ratebook.contracts import cost, engagement, rates
from ratebook.contracts.clean import CashLedger, Claims, Rejected
from ratebook.contracts.review import FaultCounts, Recovery
from ratebook.review.recovery import check_recovery, count_faults, read_truth
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    source, output = snakemake.input, snakemake.output
    truth = read_truth(source.get("truth"))
    claims, ledger = open_table(source.claims, Claims), open_table(source.cash_ledger, CashLedger)
    faults = count_faults(claims, ledger, open_table(source.rejected, Rejected), truth)
    write_table(faults, output.fault_counts, FaultCounts)
    recovery = check_recovery(
        truth,
        read_table(output.fault_counts, FaultCounts),
        read_table(source.engagement, engagement.Engagement),
        read_table(source.pmpm, cost.Pmpm),
        read_table(source.total_cost, cost.TotalCost),
        read_table(source.completion, rates.Completion),
        read_table(source.trend, rates.Trend),
        snakemake.params.category_groups,
    )
    write_table(recovery, output.recovery, Recovery)


if __name__ == "__main__":
    step(main, snakemake)
