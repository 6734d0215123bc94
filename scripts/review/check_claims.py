"""Claims-scale tables to the few facts the checklist asks of them."""

from ratebook.contracts.review import ClaimFacts
from ratebook.review.facts import COUNTED_IN, check_claims
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    tables = {name: open_table(snakemake.input[name], contract) for name, contract in COUNTED_IN.items()}
    write_table(check_claims(tables, snakemake.params.settings), snakemake.output.facts, ClaimFacts)


if __name__ == "__main__":
    step(main, snakemake)
