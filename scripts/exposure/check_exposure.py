"""Enrolment beside what it came from and what was served under it, to counts of what does not fit."""

from ratebook.contracts.clean import Claims, Identity, Persons
from ratebook.contracts.exposure import Enrolment, ExposureQa, MemberMonths, Spans
from ratebook.contracts.intake import Eligibility
from ratebook.exposure.checks import build_enrolment, check_exposure
from ratebook.steps import step
from ratebook.tables import open_table, write_table

TABLES = (Eligibility, Identity, Persons, Spans, MemberMonths, Claims)
NAMES = ("eligibility", "identity", "persons", "spans", "member_months", "claims")


def main(snakemake):
    tables = {name: open_table(snakemake.input[name], contract) for name, contract in zip(NAMES, TABLES)}
    checks = check_exposure(**tables, extract_date=snakemake.params.extract_date)
    write_table(checks, snakemake.output.qa, ExposureQa)
    write_table(build_enrolment(tables["member_months"]), snakemake.output.enrolment, Enrolment)


if __name__ == "__main__":
    step(main, snakemake)
