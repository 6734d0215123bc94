"""Tables drawn as text, and rows found in tables, for every folder of tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from ratebook.contracts.base import Contract
from ratebook.tables import configure_engine, engine

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
configure_engine("duckdb", "2GB", "", 1)


def draw(text: str) -> pd.DataFrame:
    """Read a table drawn with pipes; every cell is text, an empty one is null."""
    lines = [line for line in textwrap.dedent(text).strip().splitlines() if line.strip()]
    rows = [[cell.strip() or None for cell in line.split("|")] for line in lines]
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)


def one_row(table: pd.DataFrame, **cells) -> pd.Series:
    """Give the row of a frame that has these cells; there must be one, and no other."""
    for name, value in cells.items():
        table = table[table[name].eq(value).fillna(False).astype(bool)]
    assert len(table) == 1
    return table.iloc[0]


@pytest.fixture
def table():
    """Draw an Ibis table: with a contract its types are used and columns not drawn are null."""

    def make(text: str, contract: type[Contract] | None = None, **constants) -> ibis.Table:
        frame = draw(text).assign(**{name: str(value) for name, value in constants.items()})
        kinds = contract.types() if contract else {name: _guess(name) for name in frame.columns}
        columns = {}
        for name, kind in kinds.items():
            values = frame[name].tolist() if name in frame else [None] * len(frame)
            columns[name] = pa.array(values, pa.string()).cast(ibis.dtype(kind).to_pyarrow())
        engine()
        return ibis.memtable(pa.table(columns))

    return make


@pytest.fixture
def run():
    """Execute an expression: a table into a list of rows, a scalar into its value."""

    def execute(expression):
        found = engine().to_pyarrow(expression)
        return found.as_py() if isinstance(found, pa.Scalar) else found.to_pylist()

    return execute


@pytest.fixture
def shared_data() -> Path:
    """The folder of third-party data beside the project; a test that needs it skips without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("third-party data is not beside the project (../shared/data)")
    return SHARED_DATA


def _guess(name: str) -> str:
    if name.endswith(("_date", "_month")):
        return "date"
    if name.endswith("_usd"):
        return "decimal(14, 2)"
    if name.startswith("is_"):
        return "boolean"
    return "string"
