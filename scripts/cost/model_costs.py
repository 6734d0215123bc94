"""Windows of cost and what was known at discharge to adjusted cost per member, with checks of the models."""

from ratebook.contracts.cost import ClientIntervals, FollowUp, PersonCosts
from ratebook.contracts.cost_models import MODEL_TABLES
from ratebook.contracts.episodes import Cohort
from ratebook.cost.models import model_costs
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    cohort = read_table(snakemake.input.cohort, Cohort)
    follow_up = read_table(snakemake.input.follow_up, FollowUp)
    person_costs = read_table(snakemake.input.person_costs, PersonCosts)
    client_intervals = read_table(snakemake.input.client_intervals, ClientIntervals)
    tables = model_costs(cohort, follow_up, person_costs, client_intervals, snakemake.params.settings)
    for name, table in tables.items():
        write_table(table, getattr(snakemake.output, name), MODEL_TABLES[name])


if __name__ == "__main__":
    step(main, snakemake)
