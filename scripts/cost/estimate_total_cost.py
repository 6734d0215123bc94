"""Windows of cost to mean cost per member to the horizon, by arm, method and category, and at one year's prices."""

from ratebook.contracts.cost import ClientIntervals, CostByCategory, CostCurve, FollowUp, PersonCosts, TotalCost
from ratebook.contracts.cost_panels import PriceComparison
from ratebook.cost.price_comparison import compare_prices
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    follow_up = read_table(snakemake.input.follow_up, FollowUp)
    person_costs = read_table(snakemake.input.person_costs, PersonCosts)
    client_intervals = read_table(snakemake.input.client_intervals, ClientIntervals)
    people = (follow_up, person_costs, client_intervals)
    tables = estimate_total_cost(*people, snakemake.params.settings)
    prices = compare_prices(*people, tables["total_cost"], snakemake.params.settings)
    write_table(tables["total_cost"], snakemake.output.total_cost, TotalCost)
    write_table(tables["cost_curve"], snakemake.output.cost_curve, CostCurve)
    write_table(tables["cost_by_category"], snakemake.output.cost_by_category, CostByCategory)
    write_table(prices, snakemake.output.price_comparison, PriceComparison)


if __name__ == "__main__":
    step(main, snakemake)
