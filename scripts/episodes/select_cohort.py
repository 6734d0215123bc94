"""Episodes to the study cohort, what every inclusion rule left of it, and Table 1."""

from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.episodes import Cohort, CohortFlow, CohortTable, CohortVariants, Stays
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import CohortRules, count_flow, select_cohort
from ratebook.episodes.describe import describe_cohort
from ratebook.episodes.variants import count_variants, select_by_unit, select_eligible
from ratebook.steps import step
from ratebook.tables import hold, open_table, read_table, write_table

READ = {"stays": Stays, "contacts": Contacts, "spans": Spans, "persons": Persons, "claims": Claims}


def main(snakemake):
    out, p = snakemake.output, snakemake.params
    rules = CohortRules(**p.rules)
    stays, contacts, *others = (open_table(getattr(snakemake.input, name), READ[name]) for name in READ)
    found = select_by_unit(stays, p.detox_levels, p.episode_gap_days, *others, rules)
    found = {unit: hold(candidates) for unit, candidates in found.items()}
    write_table(count_flow(found[rules.unit], rules), out.flow, CohortFlow)
    eligible = hold(select_eligible(found, contacts, rules))
    write_table(count_variants(eligible, rules), out.variants, CohortVariants)
    write_table(select_cohort(found[rules.unit], contacts, others[-1], rules), out.cohort, Cohort)
    write_table(describe_cohort(read_table(out.cohort, Cohort)), out.table, CohortTable)


if __name__ == "__main__":
    step(main, snakemake)
