"""A layout: the YAML file that says how someone's files become our raw tables. Light: read while rules are parsed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import REQUIRED, TABLES
from ratebook.errors import RatebookError

FORMATS = {".csv": "csv", ".gz": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True)
class Source:
    """One raw table's part of a layout: its files and how each of its columns is read.

    `columns` names every column of the contract once: `{"from": …}`, `{"constant": …}`, `{"expression": …}`,
    or None where the source has no such column.
    """

    table: str
    files: str
    format: str
    delimiter: str
    nulls: tuple[str, ...]
    distinct: bool
    columns: dict[str, dict | None]

    def find(self, source: str | Path) -> list[Path]:
        """List the files or folders of Parquet parts that match the pattern, in the order of their names."""
        return sorted(Path(source).glob(self.files))


def read_layout(path: str | Path, schema: str | Path) -> list[Source]:
    """Read a layout and say of every column of every raw table where it comes from.

    A table the layout does not name is one the source does not have. A column is named under `columns`, listed
    under `absent`, or, where `same_names` is true, bears our own name in the source.

    Raises
    ------
    RatebookError
        If the layout breaks its schema, names an unknown table or column, leaves a column unsaid, or has no
        entry for a table the pipeline cannot do without.
    """
    path = Path(path)
    if not path.is_file():
        raise RatebookError(f"config.yaml intake.layout: there is no {path}")
    layout = yaml.safe_load(path.read_text())
    rules = Draft202012Validator(yaml.safe_load(Path(schema).read_text()))
    for error in sorted(rules.iter_errors(layout), key=lambda e: list(map(str, e.absolute_path))):
        where = ".".join(map(str, error.absolute_path)) or "the top"
        raise RatebookError(f"{path} at {where}: {error.message}")
    missing = [name for name in REQUIRED if name not in layout["tables"]]
    if missing:
        raise RatebookError(f"{path} at tables: {', '.join(missing)} missing, and nothing works without")
    return [_source(path, name, part) for name, part in layout["tables"].items()]


def find_files(layout: str | Path, schema: str | Path, source: str | Path) -> list[str]:
    """List every file of a source that its layout reads: what Snakemake watches for changes.

    Raises
    ------
    RatebookError
        If the source folder does not exist, or a table that must be there matches no file.
    """
    if not Path(source).is_dir():
        raise RatebookError(f"config.yaml intake.source: there is no folder {source}")
    found = []
    for part in read_layout(layout, schema):
        paths = part.find(source)
        if not paths and part.table in REQUIRED:
            raise RatebookError(
                f"config.yaml intake.source {source}: no file matches {part.files!r} ({layout}, tables.{part.table}.files)"
            )
        found += [str(path) for path in paths]
    return sorted(set(found))


def _source(path: Path, table: str, part: dict) -> Source:
    key = f"{path} at tables.{table}"
    if table not in TABLES:
        raise RatebookError(f"{key}: no raw table has this name; there are {', '.join(TABLES)}")
    ours = [name for name in TABLES[table].types() if name != COUNTED]
    said = part.get("columns", {})
    absent = part.get("absent", [])
    unknown = [name for name in [*said, *absent] if name not in ours]
    if unknown:
        raise RatebookError(f"{key}: our table has no column {', '.join(unknown)}")
    columns = {}
    for name in ours:
        if name in said:
            columns[name] = {"from": said[name]} if isinstance(said[name], str) else said[name]
        elif name in absent:
            columns[name] = None
        elif part.get("same_names", False):
            columns[name] = {"from": name}
        else:
            raise RatebookError(f"{key}: column {name} is neither under columns nor under absent")
    kind = part.get("format") or FORMATS.get(Path(part["files"]).suffix)
    if kind is None:
        raise RatebookError(f"{key}.format: say csv or parquet, the file's name does not")
    delimiter = part.get("delimiter", ",")
    nulls = tuple(part.get("nulls", []))
    return Source(table, part["files"], kind, delimiter, nulls, part.get("distinct", False), columns)
