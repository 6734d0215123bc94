"""Member records and the payer's crosswalk to persons and their ids."""

from ratebook.clean.members import build_identity, build_persons
from ratebook.contracts.clean import Identity, Persons
from ratebook.contracts.intake import Eligibility, IdentityCrosswalk, Members
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    members = open_table(snakemake.input.members, Members)
    eligibility = open_table(snakemake.input.eligibility, Eligibility)
    crosswalk = open_table(snakemake.input.identity_crosswalk, IdentityCrosswalk)
    write_table(build_identity(members, eligibility, crosswalk), snakemake.output.identity, Identity)
    identity = open_table(snakemake.output.identity, Identity)
    write_table(build_persons(members, identity), snakemake.output.persons, Persons)


if __name__ == "__main__":
    step(main, snakemake)
