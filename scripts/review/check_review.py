"""Tables, facts and settings to the reviewer's checklist."""

from pathlib import Path

from ratebook.contracts.review import Checklist
from ratebook.review.checklist import TABLES, check_review, see
from ratebook.steps import step
from ratebook.tables import read_codes, read_table, write_table


def main(snakemake):
    tables = {name: read_table(snakemake.input[name], contract) for name, contract in TABLES.items()}
    contents = Path(snakemake.input.contents).read_text(encoding="utf-8")
    seen = see(tables, contents, snakemake.params.settings)
    write_table(check_review(read_codes(snakemake.input.checklist), seen), snakemake.output.checklist, Checklist)


if __name__ == "__main__":
    step(main, snakemake)
