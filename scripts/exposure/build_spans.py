"""Enrolment records to spans of coverage that do not overlap."""

from ratebook.contracts.clean import Identity, Persons
from ratebook.contracts.exposure import Spans
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.spans import build_spans
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    eligibility = open_table(snakemake.input.eligibility, Eligibility)
    identity = open_table(snakemake.input.identity, Identity)
    persons = open_table(snakemake.input.persons, Persons)
    spans = build_spans(eligibility, identity, persons, **dict(snakemake.params.items()))
    write_table(spans, snakemake.output.spans, Spans)


if __name__ == "__main__":
    step(main, snakemake)
