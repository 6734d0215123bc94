"""Claims-scale tables to the few facts the checklist asks of them."""

from ratebook.contracts.clean import CashLedger, Claims
from ratebook.contracts.episodes import Episodes
from ratebook.contracts.exposure import MemberMonths
from ratebook.contracts.review import ClaimFacts
from ratebook.review.facts import check_claims
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    facts = check_claims(
        open_table(snakemake.input.claims, Claims),
        open_table(snakemake.input.cash_ledger, CashLedger),
        open_table(snakemake.input.member_months, MemberMonths),
        open_table(snakemake.input.episodes, Episodes),
        snakemake.params.episode_gap_days,
    )
    write_table(facts, snakemake.output.facts, ClaimFacts)


if __name__ == "__main__":
    step(main, snakemake)
