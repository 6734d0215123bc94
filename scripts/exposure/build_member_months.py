"""Spans of coverage to member months."""

from ratebook.contracts.clean import Persons
from ratebook.contracts.exposure import MemberMonths, Spans
from ratebook.exposure.months import build_member_months
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    spans = open_table(snakemake.input.spans, Spans)
    persons = open_table(snakemake.input.persons, Persons)
    write_table(build_member_months(spans, persons), snakemake.output.member_months, MemberMonths)


if __name__ == "__main__":
    step(main, snakemake)
