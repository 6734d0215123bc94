"""Windows of cost to what the arms' difference is made of, break-even rates, and dollars per extra month."""

from ratebook.contracts.cost import ClientIntervals, FollowUp, OutsideCosts, PersonCosts
from ratebook.contracts.cost_exhibits import EXHIBIT_TABLES
from ratebook.cost.arms import ARM_TABLES, compare_arms
from ratebook.cost.drawn import draw_arms
from ratebook.cost.exhibits import derive_exhibits
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    follow_up = read_table(snakemake.input.follow_up, FollowUp)
    person_costs = read_table(snakemake.input.person_costs, PersonCosts)
    client_intervals = read_table(snakemake.input.client_intervals, ClientIntervals)
    outside = read_table(snakemake.input.outside_costs, OutsideCosts)
    drawn = draw_arms(follow_up, person_costs, client_intervals, snakemake.params.settings)
    tables = compare_arms(drawn, snakemake.params.settings)
    tables |= derive_exhibits(drawn, outside)
    for name, contract in {**ARM_TABLES, **EXHIBIT_TABLES}.items():
        write_table(tables[name], snakemake.output[name], contract)


if __name__ == "__main__":
    step(main, snakemake)
