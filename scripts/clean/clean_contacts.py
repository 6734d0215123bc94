"""Navigators' logs, and unit claims where there is no log, to contacts and to time spent."""

from ratebook.clean.contacts import clean_contacts, clean_worker_time, mark_log
from ratebook.codes import select_codes
from ratebook.contracts.clean import Claims, Contacts, Identity, Persons, WorkerTime
from ratebook.contracts.intake import NavigatorLog
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    log, claims = open_table(files.navigator_log, NavigatorLog), open_table(files.claims, Claims)
    identity, persons = open_table(files.identity, Identity), open_table(files.persons, Persons)
    marked = mark_log(log, identity, persons, p.extract_date)
    services = select_codes(read_codes(files.services), p.state)
    write_table(clean_contacts(marked, claims, services, p.contact_types), snakemake.output.contacts, Contacts)
    write_table(clean_worker_time(marked, p.contact_types), snakemake.output.worker_time, WorkerTime)


if __name__ == "__main__":
    step(main, snakemake)
