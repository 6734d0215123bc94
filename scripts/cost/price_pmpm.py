"""Windows of cost to cost per month in every variant, and every service log under every payment form."""

from ratebook.contracts.cost import (
    ClientIntervals,
    FollowUp,
    PaymentForms,
    PersonCosts,
    Pmpm,
    PopulationCosts,
    PopulationMonths,
    TotalCost,
)
from ratebook.contracts.cost_exhibits import PmpmExhibit
from ratebook.cost.exhibits import exhibit_pmpm
from ratebook.cost.payment_forms import price_forms
from ratebook.cost.pmpm import price_pmpm
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    follow_up = read_table(snakemake.input.follow_up, FollowUp)
    person_costs = read_table(snakemake.input.person_costs, PersonCosts)
    client_intervals = read_table(snakemake.input.client_intervals, ClientIntervals)
    total_cost = read_table(snakemake.input.total_cost, TotalCost)
    costs = read_table(snakemake.input.population_costs, PopulationCosts)
    months = read_table(snakemake.input.population_months, PopulationMonths)
    people = (follow_up, person_costs, client_intervals)
    pmpm = price_pmpm(*people, total_cost, costs, months, snakemake.params.mm_rule, **snakemake.params.resampled)
    forms = price_forms(*people, **snakemake.params.payment)
    write_table(pmpm, snakemake.output.pmpm, Pmpm)
    write_table(exhibit_pmpm(pmpm, snakemake.params.mm_rule), snakemake.output.pmpm_exhibit, PmpmExhibit)
    write_table(forms, snakemake.output.payment_forms, PaymentForms)


if __name__ == "__main__":
    step(main, snakemake)
