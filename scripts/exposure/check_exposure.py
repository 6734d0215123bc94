"""Enrolment beside what it came from and what was served under it, to counts of what does not fit."""

from ratebook.contracts import intake as raw
from ratebook.contracts.clean import Claims, Identity, Persons
from ratebook.contracts.exposure import EligibilityMatch, Enrolment, ExposureQa, MemberMonths, Spans
from ratebook.exposure import checks as c
from ratebook.exposure.matches import build_eligibility_match, tally_coverage
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_row, write_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    spans, claims = open_table(files.spans, Spans), open_table(files.claims, Claims)
    member_months = open_table(files.member_months, MemberMonths)
    eligibility = open_table(files.eligibility, raw.Eligibility)
    who = open_table(files.identity, Identity), open_table(files.persons, Persons)
    records = read_counts(c.count_records(eligibility, *who, p.extract_date))
    months, persons = read_counts(c.count_months(member_months)), read_row(c.count_persons(member_months))
    years = read_counts(c.count_years(member_months))
    services = read_counts(tally_coverage(claims, spans))
    qa = c.check_exposure(records, read_row(c.count_days(spans)), months, persons, years, services)
    write_table(qa, out.qa, ExposureQa)
    write_table(c.build_enrolment(months), out.enrolment, Enrolment)
    write_table(build_eligibility_match(services, p.match_share), out.eligibility_match, EligibilityMatch)


if __name__ == "__main__":
    step(main, snakemake)
