"""Every named table to its released copy: small counts hidden, as CSV and as Parquet."""

from ratebook.contracts.released import RELEASED
from ratebook.release.tables import release_tables, write_released
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    frames = {name: read_table(snakemake.input[name], kind.contract, exact=True) for name, kind in RELEASED.items()}
    shown = release_tables(frames, snakemake.params.suppress_below)
    write_released(shown, [*snakemake.output.csv, *snakemake.output.parquet])


if __name__ == "__main__":
    step(main, snakemake)
