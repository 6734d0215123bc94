"""Spans of coverage, and stays in institutions for mental diseases, to member months."""

from ratebook.contracts.clean import Claims, Persons
from ratebook.contracts.exposure import MemberMonths, Spans
from ratebook.contracts.intake import Facilities
from ratebook.exposure.institutions import add_imd_days
from ratebook.exposure.months import build_member_months
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    files = snakemake.input
    persons = open_table(files.persons, Persons)
    claims, facilities = open_table(files.claims, Claims), open_table(files.facilities, Facilities)
    months = build_member_months(open_table(files.spans, Spans), persons)
    months = add_imd_days(months, claims, facilities, persons, **dict(snakemake.params.items()))
    write_table(months, snakemake.output.member_months, MemberMonths)


if __name__ == "__main__":
    step(main, snakemake)
