"""Episodes to the study cohort, what every inclusion rule left of it, and Table 1."""

from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.episodes import Cohort, CohortFlow, CohortTable, CohortVariants, Episodes
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import CohortRules, count_flow, count_variants, select_candidates, select_cohort
from ratebook.episodes.describe import describe_cohort
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    rules = CohortRules(**dict(snakemake.params.items()))
    episodes = open_table(snakemake.input.episodes, Episodes)
    spans = open_table(snakemake.input.spans, Spans)
    persons = open_table(snakemake.input.persons, Persons)
    contacts = open_table(snakemake.input.contacts, Contacts)
    claims = open_table(snakemake.input.claims, Claims)
    candidates = select_candidates(episodes, spans, persons, rules)
    write_table(count_flow(candidates, rules), snakemake.output.flow, CohortFlow)
    write_table(count_variants(candidates, rules), snakemake.output.variants, CohortVariants)
    write_table(select_cohort(candidates, contacts, claims, rules), snakemake.output.cohort, Cohort)
    cohort = read_table(snakemake.output.cohort, Cohort)
    write_table(describe_cohort(cohort), snakemake.output.table, CohortTable)


if __name__ == "__main__":
    step(main, snakemake)
