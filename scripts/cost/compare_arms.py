"""Windows of cost to the parts of the arms' difference, break-even rates and dollars per extra month."""

from ratebook.contracts.cost import (
    BreakEven,
    ClientIntervals,
    Decomposition,
    FollowUp,
    Increments,
    NetBenefit,
    PersonCosts,
)
from ratebook.cost.arms import compare_arms
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    follow_up = read_table(snakemake.input.follow_up, FollowUp)
    person_costs = read_table(snakemake.input.person_costs, PersonCosts)
    client_intervals = read_table(snakemake.input.client_intervals, ClientIntervals)
    tables = compare_arms(follow_up, person_costs, client_intervals, snakemake.params.settings)
    write_table(tables["decomposition"], snakemake.output.decomposition, Decomposition)
    write_table(tables["break_even"], snakemake.output.break_even, BreakEven)
    write_table(tables["increments"], snakemake.output.increments, Increments)
    write_table(tables["net_benefit"], snakemake.output.net_benefit, NetBenefit)


if __name__ == "__main__":
    step(main, snakemake)
