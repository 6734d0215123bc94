"""Files in anyone's layout to raw tables: every cell read as text, then cast; what does not parse is counted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import ibis
import pandas as pd

from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import REQUIRED, TABLES, SourceManifest
from ratebook.errors import RatebookError
from ratebook.intake.layouts import Source
from ratebook.provenance import sha256_of
from ratebook.tables import empty_table, open_source

TRUE = ("1", "t", "true", "y", "yes")
FALSE = ("0", "f", "false", "n", "no")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FILE_NAME = "source_file_name"
PAID = ("paid_amount", "amount")


def read_sources(source: str | Path, parts: list[Source]) -> dict[str, ibis.Table]:
    """Read every raw table of the contract; one the layout does not name, or with no file, is empty.

    Raises
    ------
    RatebookError
        As `read_source`.
    """
    named = {part.table: part for part in parts}
    return {
        table: read_source(source, named[table]) if table in named else empty_table(contract)
        for table, contract in TABLES.items()
    }


def read_source(source: str | Path, part: Source) -> ibis.Table:
    """Read one raw table: the columns of its contract.

    A cell that is empty, or holds one of the layout's `nulls`, is null. A cell that is neither and does not
    parse as its column's type, or is missing from a value map that has no `else`, is null and counted.

    Raises
    ------
    RatebookError
        If a file or a column the layout names is not there; the message names file, column and layout key.
    """
    contract = TABLES[part.table]
    paths = part.find(source)
    if not paths:
        if part.table in REQUIRED:
            raise RatebookError(f"intake.source {source}: no file matches tables.{part.table}.files {part.files!r}")
        return empty_table(contract)
    raw = open_source([str(path) for path in paths], part.format, part.delimiter, FILE_NAME)
    columns, broken = {}, []
    for name in part.columns:
        columns[name], unparsed = _column(raw, part, name, contract.types()[name])
        broken += unparsed
    table = raw.select(**{COUNTED: sum(broken, ibis.literal(0, "int64"))}, **columns)
    return table.distinct() if part.distinct else table


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
    found = {part.table: part.find(source) for part in parts}
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
    return pd.DataFrame(rows, columns=list(SourceManifest.types()))


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


def _column(raw: ibis.Table, part: Source, name: str, kind: str) -> tuple[ibis.Value, list[ibis.Value]]:
    """Give one column, and the 0/1 counters of cells that did not parse."""
    how = part.columns[name]
    if how is None:
        return ibis.null(kind), []
    if "constant" in how:
        return ibis.literal(how["constant"]).cast(kind), []
    if "expression" in how:
        return EXPRESSIONS[how["expression"]](raw).cast(kind), []
    if how["from"] not in raw.columns:
        raise RatebookError(f"{part.files}: no column {how['from']!r} (layout key tables.{part.table}.columns.{name})")
    given = raw[how["from"]]
    if str(given.type()) == kind and not how.get("values") and kind != "string":
        return given, []
    text = given.cast("string").strip().nullif("")
    for null in part.nulls:
        text = text.nullif(null)
    if "values" in how:
        mapped = text.cases(*[(str(k), str(v)) for k, v in how["values"].items()], else_=_other(how, text))
    else:
        mapped = text
    value = _parse(mapped, kind, how.get("format", "iso"))
    if value is text:
        return value, []
    return value, [(text.notnull() & value.isnull()).cast("int64")]


def _other(how: dict, text: ibis.Value) -> ibis.Value:
    """Say what a value map gives a cell it does not list: `else`, the cell itself for `same`, or null."""
    otherwise = how.get("else")
    if otherwise == "same":
        return text
    return ibis.null("string") if otherwise is None else ibis.literal(str(otherwise))


def _parse(text: ibis.Value, kind: str, form: str) -> ibis.Value:
    if kind == "string":
        return text
    if kind == "date":
        shape, iso = DATE_FORMATS[form]
        return ibis.ifelse(text.re_search(shape), iso(text), ibis.null("string")).try_cast("date")
    if kind == "boolean":
        low = text.lower()
        return ibis.cases((low.isin(TRUE), True), (low.isin(FALSE), False), else_=ibis.null("boolean"))
    return text.try_cast(kind)


def _iso(year: ibis.Value, month: ibis.Value, day: ibis.Value) -> ibis.Value:
    return year + "-" + month + "-" + day


def _month_number(name: ibis.Value) -> ibis.Value:
    return name.upper().cases(*[(month, f"{n:02d}") for n, month in enumerate(MONTHS, 1)])


DATE_FORMATS = {
    "iso": (r"^\d{4}-\d{2}-\d{2}([ T]|$)", lambda t: t.substr(0, 10)),
    "yyyymmdd": (r"^\d{8}$", lambda t: _iso(t.substr(0, 4), t.substr(4, 2), t.substr(6, 2))),
    "mm/dd/yyyy": (r"^\d{2}/\d{2}/\d{4}$", lambda t: _iso(t.substr(6, 4), t.substr(0, 2), t.substr(3, 2))),
    "ddmonyyyy": (
        r"^\d{2}[A-Za-z]{3}\d{4}$",
        lambda t: _iso(t.substr(5, 4), _month_number(t.substr(2, 3)), t.substr(0, 2)),
    ),
    "yyyymm": (r"^\d{6}$", lambda t: _iso(t.substr(0, 4), t.substr(4, 2), ibis.literal("01"))),
}
"""How a date may be written: what all of it looks like, and how it becomes ISO text. A time of day may follow ISO."""

EXPRESSIONS = {
    "row_number": lambda raw: ibis.row_number() + 1,
    "file_name": lambda raw: raw[FILE_NAME],
}
"""What a layout may compute where the source has no such column."""
