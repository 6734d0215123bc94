"""Claims, logs and coverage to each cohort member's cost windows, and to the population's cost by month."""

from ratebook.contracts.clean import Claims, Contacts
from ratebook.contracts.cost import WINDOW_TABLES
from ratebook.contracts.cost_panels import BUILT_TABLES
from ratebook.contracts.episodes import Cohort, Episodes, Spells
from ratebook.contracts.exposure import MemberMonths, Spans
from ratebook.contracts.intake import ProgramCosts
from ratebook.cost.prices import read_index
from ratebook.cost.windows import build_windows
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    tables = build_windows(
        claims=open_table(snakemake.input.claims, Claims),
        contacts=open_table(snakemake.input.contacts, Contacts),
        cohort=open_table(snakemake.input.cohort, Cohort),
        spells=open_table(snakemake.input.spells, Spells),
        spans=open_table(snakemake.input.spans, Spans),
        member_months=open_table(snakemake.input.member_months, MemberMonths),
        program_costs=open_table(snakemake.input.program_costs, ProgramCosts),
        episodes=open_table(snakemake.input.episodes, Episodes),
        settings=snakemake.params.settings,
        index=read_index(snakemake.input.index, snakemake.params.settings["prices"]["base_year"]),
    )
    for name, table in tables.items():
        write_table(table, getattr(snakemake.output, name), {**WINDOW_TABLES, **BUILT_TABLES}[name])


if __name__ == "__main__":
    step(main, snakemake)
