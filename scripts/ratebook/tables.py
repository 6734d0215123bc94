"""The only doors to Parquet: open, check, write. Only this module knows which engine is in force."""

from __future__ import annotations

import functools
import itertools
import logging
import os
import re
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ratebook.contracts.base import Contract
from ratebook.errors import BrokenContract, RatebookError
from ratebook.footers import Known, read_footers

log = logging.getLogger("ratebook")
_NAMED = itertools.count()
_UNREAD: list[str] = []
settings = {"name": "duckdb", "memory": "4GB", "scratch": "", "threads": 2}

CSV = {"quote": '"', "escape": '"', "header": True, "skip": 0, "all_varchar": True}
"""How a csv is read, all of it said: where rows are ragged, an engine left to guess may leave out the first of them."""
WRITTEN = {"compression": "zstd", "parquet_version": "v2", "dictionary_size_limit": 2_500, "row_group_size": 245_760}
"""How DuckDB writes Parquet. A dictionary of more entries per row group costs more time than it saves room."""
TOO_GREAT = ("OutOfRangeException", "ConversionException", "ArrowInvalid")
"""How engines say that a value does not fit its column; their messages quote it."""


def configure_engine(name: str, memory: str, scratch: str, threads: int) -> None:
    """Choose the engine before the first table is opened; changes no row of any table."""
    settings.update(name=name, memory=memory, scratch=scratch, threads=threads)


@functools.cache
def engine():
    """Connect to the engine once per process.

    Raises
    ------
    RatebookError
        If `engine.name` is neither duckdb nor spark.
    """
    if settings["name"] == "duckdb":
        limits = {"threads": "threads", "memory_limit": "memory", "temp_directory": "scratch"}
        connection = ibis.duckdb.connect(**{limit: settings[name] for limit, name in limits.items() if settings[name]})
    elif settings["name"] == "spark":
        connection = ibis.pyspark.connect()
    else:
        raise RatebookError(f"config.yaml engine.name is {settings['name']!r}: use duckdb or spark")
    ibis.set_backend(connection)
    return connection


def open_table(path: str | Path, contract: type[Contract]) -> ibis.Table:
    """Open a table as an expression of the engine; nothing is read yet beyond its schema.

    Raises
    ------
    BrokenContract
        If a column of the contract is missing or of another type.
    """
    path = Path(path)
    table = engine().read_parquet(str(path / "*.parquet") if path.is_dir() else str(path))
    found = {name: str(kind).lstrip("!") for name, kind in table.schema().items()}
    wrong = [name for name, kind in contract.types().items() if found.get(name) != kind]
    if wrong:
        raise BrokenContract(f"{path.name} breaks {contract.__name__}: missing or of another type: {', '.join(wrong)}")
    log.info("open %s: %s", path.name, contract.__name__)
    return table.select(*contract.types())


def open_source(paths: list[str], kind: str, delimiter: str, file_name: str) -> ibis.Table:
    """Open someone else's files as one expression: csv cells as text, Parquet cells as they are stored.

    Parameters
    ----------
    paths : list of str
        Files, or folders of Parquet parts; compressed csv files are read as they are.
    kind : str
        csv or parquet.
    delimiter : str
        Delimiter of a csv file.
    file_name : str
        Name of a column added to say which file a row came from, without its folder.

    Raises
    ------
    RatebookError
        If the engine cannot read the files at all; the engine's own message may quote a row and is withheld.
    """
    names = ", ".join(Path(path).name for path in paths)
    try:
        if kind == "parquet":
            parts = [f"{path}/*.parquet" if Path(path).is_dir() else path for path in paths]
            table = engine().read_parquet(parts if len(parts) > 1 else parts[0])
        elif settings["name"] == "duckdb":
            table = engine().read_csv(paths, sep=delimiter, filename=True, **CSV)
        else:
            table = engine().read_csv(paths, sep=delimiter, header=True, inferSchema=False)
    except Exception as error:
        raise RatebookError(f"cannot read {names} as {kind} ({type(error).__name__})") from None
    log.info("open source %s", names)
    if "filename" in table.columns:
        return table.rename({file_name: "filename"}).mutate(
            **{file_name: lambda t: t[file_name].re_extract(r"[^/]*$", 0)}
        )
    return table.mutate(**{file_name: ibis.literal(names)})


def empty_table(contract: type[Contract]) -> ibis.Table:
    """Give a table of the contract with no row, as an expression."""
    engine()
    return ibis.memtable(_arrow_schema(contract).empty_table())


def fingerprint(table: ibis.Table, columns: list[str]) -> ibis.Value:
    """Give one number for several cells: cheap to group and to join by; different cells may, rarely, share one.

    For finding what deserves a closer look, or for telling a handful of things apart; never for deciding among many.
    """
    cells = ibis.struct({name: table[name] for name in columns})
    # What DuckDB's own function gives Ibis casts by way of a string of bits, which costs more than the function.
    return _hash(cells) if settings["name"] == "duckdb" else cells.hash()


@ibis.udf.scalar.builtin(name="hash")
def _hash(cells) -> dt.uint64: ...


def hold(table: ibis.Table) -> ibis.Table:
    """Compute a table now and keep it in the engine, for as long as an expression reads it: what comes after reads it there.

    For a small table that a costly expression would otherwise compute again at each use. No row leaves the engine.
    """
    name = f"held_{next(_NAMED)}"
    _make_ready(False)
    held = engine().create_table(name, table, temp=settings["name"] == "duckdb")
    weakref.finalize(held.op(), _UNREAD.append, name)
    log.info("hold %s: %d rows", name, held.count().to_pyarrow().as_py())
    return held


def _make_ready(is_order_kept: bool) -> None:
    """Let go of held tables nothing reads any more; say whether rows keep their order, which may need a single thread."""
    if settings["name"] == "duckdb":
        drops = [f"drop table if exists {_UNREAD.pop()}" for _ in list(_UNREAD)]
        for statement in [*drops, f"set preserve_insertion_order = {is_order_kept}"]:
            engine().raw_sql(statement).fetchall()


def settle(table: ibis.Table, step: Callable[[ibis.Table], ibis.Table]) -> ibis.Table:
    """Repeat a step on a table until the step says of no row that it changed: `is_changed`, which every round has.

    Each round is held in the engine; only the count of changed rows leaves it.
    """
    table = hold(table)
    while engine().to_pyarrow(table.filter(table.is_changed).count()).as_py():
        table = hold(step(table))
    return table.drop("is_changed")


def read_row(table: ibis.Table) -> dict:
    """Read the one row of an aggregate: counts and sums, never a person's row."""
    return engine().to_pyarrow(table).to_pylist()[0]


def read_counts(table: ibis.Table) -> pd.DataFrame:
    """Read a small aggregate into pandas, decimals exact, rows in a fixed order: counts and sums, never a person's row."""
    rows = engine().to_pyarrow(table).to_pandas(date_as_object=False)
    log.info("count: %d rows of an aggregate", len(rows))
    return rows.sort_values(list(rows.columns), kind="stable", ignore_index=True)


def read_table(path: str | Path, contract: type[Contract], exact: bool = False) -> pd.DataFrame:
    """Read a person-scale table into pandas.

    Dates become datetime64; decimals become float64, or stay decimals where `exact` (waterfalls, ledgers).

    Raises
    ------
    RatebookError
        If the contract says the table is claims-scale: those never enter pandas.
    """
    if contract.Config.claims_scale:
        raise RatebookError(f"{contract.__name__} is claims-scale: open it, do not read it")
    arrow = pq.read_table(path)
    if not exact:
        plain = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in arrow.schema]
        arrow = arrow.cast(pa.schema(plain))
    log.info("read %s: %s, %d rows", Path(path).name, contract.__name__, arrow.num_rows)
    return arrow.select(list(contract.types())).to_pandas(date_as_object=False)


def write_table(table: ibis.Table | pd.DataFrame, path: str | Path, contract: type[Contract]) -> None:
    """Write a table in its contract's columns, types and order, then check what was written.

    A claims-scale table becomes a folder of parts; every other one a single file. The name appears only
    when the table is whole.

    Raises
    ------
    BrokenContract
        If a column is missing or unknown, or a row breaks a limit; the message counts, and shows no value.
    """
    path = Path(path)
    columns = list(contract.types())
    absent = [name for name in columns if name not in table.columns]
    unknown = [name for name in table.columns if name not in columns]
    if absent or unknown:
        raise BrokenContract(
            f"{path.name} breaks {contract.__name__}: absent columns {absent}, columns the contract does not name {unknown}"
        )
    half = path.with_name(f".{path.name}.half")
    _remove(half)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_half(table, half, contract)
    except Exception as error:
        if type(error).__name__ not in TOO_GREAT:
            raise
        raise BrokenContract(
            f"{path.name} breaks {contract.__name__}: a number or date is greater than its column can hold; look in the "
            "source for amounts, units or dates nobody can have meant"
        ) from None
    checked = engine().read_parquet(str(half / "*.parquet") if half.is_dir() else str(half))
    rows = check_table(checked, contract, path.name, read_footers(half))
    _remove(path)
    os.replace(half, path)
    log.info("write %s: %s, %d rows", path.name, contract.__name__, rows)


def _write_half(table: ibis.Table | pd.DataFrame, half: Path, contract: type[Contract]) -> None:
    if isinstance(table, pd.DataFrame):
        _write_frame(table, half, contract)
    elif contract.Config.claims_scale:
        _write_parts(table, half, contract)
    else:
        ordered = _ordered(_cast(table, contract), contract)
        arrow = ordered.to_pyarrow().cast(_arrow_schema(contract)).replace_schema_metadata(None)
        pq.write_table(arrow, half, compression="zstd")


def check_table(
    table: ibis.Table, contract: type[Contract], name: str, footers: dict[str, Known] | None = None
) -> int:
    """Count the rows, and those that break each limit, in one pass of the engine.

    Parameters
    ----------
    table : ibis.Table
        The table as written.
    contract : type of Contract
        Its columns, limits and key.
    name : str
        What the message calls it.
    footers : dict, optional
        As `read_footers` gives them; of what they prove no row is read.

    Returns
    -------
    int
        Rows in the table.

    Raises
    ------
    BrokenContract
        With a count per broken check, and no value.
    """
    counts = {"rows": table.count()}
    for column, field in contract.fields().items():
        value, known = table[column], (footers or {}).get(column, Known())
        if not field.nullable and known.nulls != 0:
            counts[f"{column} is null"] = value.isnull().sum()
        if field.ge is not None and not (known.least is not None and known.least >= field.ge):
            counts[f"{column} below {field.ge}"] = (value < field.ge).sum()
        if field.le is not None and not (known.most is not None and known.most <= field.le):
            counts[f"{column} above {field.le}"] = (value > field.le).sum()
        if field.isin:
            counts[f"{column} not one of {field.isin}"] = value.notin(field.isin).sum()
    found = {check: int(n or 0) for check, n in table.aggregate(**counts).to_pyarrow().to_pylist()[0].items()}
    rows = found.pop("rows")
    broken = {check: n for check, n in found.items() if n}
    if contract.Config.unique:
        twice = _repeated(table, list(contract.Config.unique), rows)
        if twice:
            broken[f"key {contract.Config.unique} repeated"] = twice
    if broken:
        listed = "; ".join(f"{check}: {n} rows" for check, n in broken.items())
        raise BrokenContract(f"{name} breaks {contract.__name__}: {listed}")
    return rows


def _repeated(table: ibis.Table, key: list[str], rows: int) -> int:
    """Count the keys that stand more than once. Fingerprints that all differ prove that none does, at a fraction of the cost."""
    if rows and table.aggregate(n=fingerprint(table, key).nunique()).to_pyarrow().to_pylist()[0]["n"] == rows:
        return 0
    keys = table.group_by(key).agg(n=table.count())
    return int(keys.filter(keys.n > 1).count().to_pyarrow().as_py())


def read_codes(path: str | Path) -> pd.DataFrame:
    """Read a code list as text, empty cells as empty strings: a leading zero is part of a code."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def empty_frame(contract: type[Contract]) -> pd.DataFrame:
    """Give a table of the contract with no row: the honest answer where nothing could be estimated."""
    return _arrow_schema(contract).empty_table().to_pandas(date_as_object=False)


def frame_of(rows: list[dict] | list[tuple] | pd.DataFrame, contract: type[Contract], **called: str) -> pd.DataFrame:
    """Lay rows out in the contract's columns: what a row lacks is null, what it holds besides is left out.

    Columns have the types pandas finds for them; `write_table` gives them those of the contract.

    Parameters
    ----------
    rows : list of dict, list of tuple, or DataFrame
        Any number; none is the empty frame. Tuples hold every column, in the contract's order.
    contract : type of Contract
        The table.
    **called : str
        What rows call a column of the contract, where not by its name: ``estimate_usd="estimate"``.
    """
    if not len(rows):
        return empty_frame(contract)
    columns = {called.get(name, name): name for name in contract.types()}
    return pd.DataFrame(rows, columns=list(columns)).rename(columns=columns)


def _cast(table: ibis.Table, contract: type[Contract]) -> ibis.Table:
    # Ibis leaves out a cast to the type it believes a value has; engines widen decimals and whole numbers in sums,
    # and dates in arithmetic. A view has the types the engine gives, so that each cast is made where there is one to make.
    seen = engine().create_view(f"seen_{next(_NAMED)}", table)
    return seen.select(**{name: seen[name].cast(kind) for name, kind in contract.types().items()})


def _ordered(table: ibis.Table, contract: type[Contract]) -> ibis.Table:
    if contract.Config.as_read or contract.Config.any_order:
        return table
    return table.order_by(list(contract.Config.unique) or table.columns)


def _arrow_schema(contract: type[Contract]) -> pa.Schema:
    return ibis.schema(contract.types()).to_pyarrow()


def _write_frame(frame: pd.DataFrame, path: Path, contract: type[Contract]) -> None:
    if contract.Config.unique and len(frame):
        frame = frame.sort_values(list(contract.Config.unique), kind="stable")
    schema = _arrow_schema(contract)
    columns = [_arrow_column(frame[field.name], field.type) for field in schema]
    pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")


def _arrow_column(values: pd.Series, kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        values = values.astype("object").where(values.notna(), None)
    found = pa.array(values, from_pandas=True)
    if pa.types.is_decimal(kind) and pa.types.is_floating(found.type):
        found = pa.compute.round(found, kind.scale)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    return found.cast(kind, safe=not pa.types.is_date(kind))


def _write_parts(table: ibis.Table, path: Path, contract: type[Contract]) -> None:
    ordered = _ordered(_cast(table, contract), contract)
    if settings["name"] == "spark":
        engine().to_parquet(ordered, str(path))
        return
    # One part: with several, DuckDB keeps each thread's rows together and not the order asked for.
    path.mkdir()
    _make_ready(not contract.Config.any_order)
    try:
        engine().to_parquet(ordered, path / "data_0.parquet", **WRITTEN)
    except Exception as error:
        line = re.search(r"CSV Error on Line: (\d+)", str(error))
        if line is None:
            raise
        raise RatebookError(
            f"{path.name.strip('.').removesuffix('.half')}: line {line[1]} of a csv source cannot be read, too many or too "
            "few columns or an open quote; mend the file, or the delimiter of the layout"
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
