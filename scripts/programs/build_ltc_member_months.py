"""Claims, coverage and assessments to member months of long-term care."""

from ratebook.contracts.clean import Claims, Identity
from ratebook.contracts.exposure import MemberMonths
from ratebook.contracts.intake import Assessments, Facilities
from ratebook.contracts.programs import LtcMemberMonths
from ratebook.programs.member_months import build_ltc_member_months
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    months = build_ltc_member_months(
        open_table(snakemake.input.claims, Claims),
        open_table(snakemake.input.member_months, MemberMonths),
        open_table(snakemake.input.assessments, Assessments),
        open_table(snakemake.input.facilities, Facilities),
        open_table(snakemake.input.identity, Identity),
        **snakemake.params.rule,
    )
    write_table(months, snakemake.output.months, LtcMemberMonths)


if __name__ == "__main__":
    step(main, snakemake)
