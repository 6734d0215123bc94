"""Months around the index stay, and sites around their start, to differences in differences."""

from ratebook.contracts.cost import FollowUp, PersonCosts
from ratebook.contracts.cost_panels import DID_TABLES, MemberIntervals, SiteQuarters
from ratebook.cost.before_after import estimate_did
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    tables = estimate_did(
        follow_up=read_table(snakemake.input.follow_up, FollowUp),
        person_costs=read_table(snakemake.input.person_costs, PersonCosts),
        member_intervals=read_table(snakemake.input.member_intervals, MemberIntervals),
        site_quarters=read_table(snakemake.input.site_quarters, SiteQuarters),
        settings=snakemake.params.settings,
    )
    for name, table in tables.items():
        write_table(table, getattr(snakemake.output, name), DID_TABLES[name])


if __name__ == "__main__":
    step(main, snakemake)
