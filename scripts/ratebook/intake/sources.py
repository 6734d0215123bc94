"""Files in anyone's layout to raw tables: every cell read as text, then cast; what does not parse is counted."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import ibis
import pandas as pd

from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import TABLES, SourceManifest
from ratebook.errors import RatebookError
from ratebook.intake.cells import read_column
from ratebook.intake.layouts import Source
from ratebook.intake.shapes import BROKEN, open_part
from ratebook.provenance import sha256_of
from ratebook.tables import empty_table, frame_of

PAID = ("paid_amount", "amount")


def read_sources(source: str | Path, parts: list[Source]) -> dict[str, ibis.Table]:
    """Read every raw table of the contract; one the layout does not name, or with no file, is empty.

    Raises
    ------
    RatebookError
        As `read_raw`.
    """
    return {table: read_raw(source, table, [part for part in parts if part.table == table]) for table in TABLES}


def read_raw(source: str | Path, table: str, parts: list[Source]) -> ibis.Table:
    """Read one raw table: the rows of all its parts, in the columns of its contract.

    A cell that is empty, or holds one of the layout's `nulls`, is null. A cell that is neither and does not
    parse as its column's type, or is missing from a value map that has no `else`, is null and counted.

    Raises
    ------
    RatebookError
        If a file or a column the layout names is not there; the message names file, column and layout key.
    """
    found = [rows for part in parts if (rows := read_source(source, part)) is not None]
    if not found:
        return empty_table(TABLES[table])
    united = functools.reduce(lambda a, b: a.union(b), found)
    return united.distinct() if parts[0].distinct else united


def read_source(source: str | Path, part: Source) -> ibis.Table | None:
    """Read one part of a raw table; None where none of its files is there and none need be.

    Raises
    ------
    RatebookError
        As `read_raw`.
    """
    raw = open_part(source, part)
    if raw is None:
        return None
    kinds = TABLES[part.table].types()
    columns, broken = {}, [raw[BROKEN]]
    for name, how in part.columns.items():
        columns[name], unparsed = read_column(raw, how, kinds[name], part.files.nulls)
        broken += unparsed
    return raw.select(**{COUNTED: sum(broken[1:], broken[0])}, **columns)


def build_manifest(source: str | Path, parts: list[Source], counts: dict[str, dict]) -> pd.DataFrame:
    """Say of every raw table where it came from: fingerprint, rows, dollars, cells that did not parse.

    Parameters
    ----------
    source : path
        The folder the files are in.
    parts : list of Source
        The layout.
    counts : dict
        Table to `rows`, `paid_usd`, `cells_unparsed`.
    """
    found: dict[str, list[Path]] = {}
    for part in parts:
        found[part.table] = sorted({*found.get(part.table, []), *part.find(source)})
    rows = []
    for table, counted in counts.items():
        paths = found.get(table, [])
        prints = [sha256_of(path) for path in paths]
        names = ", ".join(path.relative_to(source).as_posix() for path in paths)
        # Several files have one fingerprint: that of their fingerprints' text.
        rows.append(
            {
                "table": table,
                "source": names or None,
                "sha256": prints[0] if len(prints) == 1 else _sha256_of_text("".join(prints)) if prints else None,
                "status": "read" if paths else "absent",
                **counted,
            }
        )
    return frame_of(rows, SourceManifest)


def check_parsed(manifest: pd.DataFrame, max_rejected_share: float) -> None:
    """Stop where more cells of a table than allowed rows hold something that does not parse.

    Raises
    ------
    RatebookError
        With the count per table: a layout whose casts or formats are wrong would else read as empty cells.
    """
    broken = manifest[manifest.cells_unparsed > max_rejected_share * manifest.rows]
    if len(broken):
        listed = ", ".join(
            f"{row.table}: {row.cells_unparsed} cells in {row.rows} rows" for row in broken.itertuples()
        )
        raise RatebookError(
            f"cells that do not parse, more than intake.max_rejected_share {max_rejected_share} of the rows: {listed}; "
            "check the casts, formats and value maps of the layout"
        )


def count_source(table: ibis.Table) -> ibis.Table:
    """Count rows and unparsable cells, and add up dollars, of a raw table: one row."""
    paid = next((table[name].sum() for name in PAID if name in table.columns), ibis.null("decimal(38, 2)"))
    return table.aggregate(
        rows=table.count(), paid_usd=paid, cells_unparsed=table.cells_unparsed.sum().fill_null(0).cast("int64")
    )


def _sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
