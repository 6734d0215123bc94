"""Windows of cost to mean cost per member to the horizon, by arm, method and category."""

from ratebook.contracts.cost import ClientIntervals, CostByCategory, CostCurve, FollowUp, PersonCosts, TotalCost
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    follow_up = read_table(snakemake.input.follow_up, FollowUp)
    person_costs = read_table(snakemake.input.person_costs, PersonCosts)
    client_intervals = read_table(snakemake.input.client_intervals, ClientIntervals)
    tables = estimate_total_cost(follow_up, person_costs, client_intervals, snakemake.params.settings)
    write_table(tables["total_cost"], snakemake.output.total_cost, TotalCost)
    write_table(tables["cost_curve"], snakemake.output.cost_curve, CostCurve)
    write_table(tables["cost_by_category"], snakemake.output.cost_by_category, CostByCategory)


if __name__ == "__main__":
    step(main, snakemake)
