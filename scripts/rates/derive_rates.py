"""Base, completion, trend and assumptions to rates, every factor a column."""

from ratebook.contracts import rate_book
from ratebook.rates.book import derive_rate_book
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    params = snakemake.params
    read = {name: read_table(getattr(snakemake.input, name), contract) for name, contract in rate_book.READ.items()}
    tables = derive_rate_book(read, params.settings, params.data_note, params.seed)
    for name, contract in rate_book.WRITTEN.items():
        write_table(tables[name], getattr(snakemake.output, name), contract)


if __name__ == "__main__":
    step(main, snakemake)
