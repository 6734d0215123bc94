"""A layout: the YAML file that says how someone's files become our raw tables. Light: read while rules are parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import REQUIRED, TABLES
from ratebook.errors import RatebookError

FORMATS = {".csv": "csv", ".gz": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet"}
SUFFIXES = tuple(f"{n:02d}" for n in range(1, 13))
"""How the twelve months are written in the names of columns, if the layout does not say."""
ORIGINS = ("from", "together", "constant", "expression")
"""Where a value may come from: exactly one of these."""
DATES = ("iso", "yyyymmdd", "mm/dd/yyyy", "m/d/yyyy", "ddmonyyyy", "dd-mon-yyyy", "yyyymm")
NUMBERS = ("money", "cents")
SHARED = ("format", "delimiter", "nulls", "optional", "same_names", "keep", "leave")
"""What the parts of a table may have in common; a part's own word goes before."""


@dataclass(frozen=True)
class Files:
    """Files of one kind: which, how they are written, and what says nothing in them.

    `optional` names columns that some releases of the files lack: they are read as empty.
    """

    pattern: str
    format: str
    delimiter: str
    nulls: tuple[str, ...]
    optional: tuple[str, ...]

    def find(self, source: str | Path) -> list[Path]:
        """List the files or folders of parts that match the pattern, in the order of their names."""
        return sorted(Path(source).glob(self.pattern))


@dataclass(frozen=True)
class Lines:
    """The line files of a header file, and the columns that join them: the header's name to the line's."""

    files: Files
    by: dict[str, str]


@dataclass(frozen=True)
class Months:
    """Twelve months in columns: where the year stands, how a month is written, what says who was enrolled how long."""

    year: str
    names: tuple[str, ...]
    enrolled: dict | None
    days: dict | None


@dataclass(frozen=True)
class Source:
    """One raw table, or one of its parts: files and how each of our columns is read from them.

    `columns` names every column of the contract once: what the layout says of it, or None where the source has no
    such column. `keys` says in which place of the layout each was said. `number` is the part's place in its table.
    """

    table: str
    key: str
    number: int
    files: Files
    columns: dict[str, dict | None]
    keys: dict[str, str]
    lines: Lines | None = None
    months: Months | None = None
    keep: dict = field(default_factory=dict)
    leave: dict = field(default_factory=dict)
    distinct: bool = False
    may_be_absent: bool = False

    def find(self, source: str | Path) -> list[Path]:
        """List everything the part is read from: its files, then its line files."""
        return self.files.find(source) + (self.lines.files.find(source) if self.lines else [])


def read_layout(path: str | Path, schema: str | Path) -> list[Source]:
    """Read a layout and say of every column of every raw table where it comes from: one `Source` a part.

    A table the layout does not name is one the source does not have. A column is named under `columns`, listed
    under `absent`, or, where `same_names` is true, bears our own name in the source. Parts of a table share what is
    said for the table; what a part says itself goes before.

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
    _check_keys(path, layout)
    rules = Draft202012Validator(yaml.safe_load(Path(schema).read_text()))
    for error in sorted(rules.iter_errors(layout), key=lambda e: list(map(str, e.absolute_path))):
        where = ".".join(map(str, error.absolute_path)) or "the top"
        raise RatebookError(f"{path} at {where}: {error.message}")
    missing = [name for name in REQUIRED if name not in layout["tables"]]
    if missing:
        raise RatebookError(f"{path} at tables: {', '.join(missing)} missing, and nothing works without")
    return [source for name, entry in layout["tables"].items() for source in _table(path, name, entry)]


def find_files(layout: str | Path, schema: str | Path, source: str | Path) -> list[str]:
    """List every file of a source that its layout reads: what Snakemake watches for changes.

    Raises
    ------
    RatebookError
        If the source folder does not exist, a table that must be there or one of its parts matches no file, or a
        header file stands without its line file.
    """
    if not Path(source).is_dir():
        raise RatebookError(f"config.yaml intake.source: there is no folder {source}")
    found = []
    for part in read_layout(layout, schema):
        found += [str(path) for path in find_part(part, source, layout)]
    return sorted(set(found))


def find_part(part: Source, source: str | Path, layout: str | Path = "the layout") -> list[Path]:
    """List what a part is read from; none where the whole part may be absent and is.

    Raises
    ------
    RatebookError
        As `find_files`.
    """
    own = part.files.find(source)
    lines = part.lines.files.find(source) if part.lines else []
    needed = {"files": (part.files.pattern, own)} | (
        {"lines.files": (part.lines.files.pattern, lines)} if part.lines else {}
    )
    for word, (pattern, paths) in needed.items():
        if not paths and (own or lines or (part.table in REQUIRED and not part.may_be_absent)):
            raise RatebookError(
                f"config.yaml intake.source {source}: no file matches {pattern!r} ({layout}, {part.key}.{word})"
            )
    return own + lines


def _table(path: Path, table: str, entry: dict) -> list[Source]:
    key = f"tables.{table}"
    if table not in TABLES:
        raise RatebookError(f"{path} at {key}: no raw table has this name; there are {', '.join(TABLES)}")
    if "parts" not in entry:
        return [_source(path, table, key, 0, entry, {})]
    alone = [word for word in entry if word not in (*SHARED, "parts", "columns", "absent", "distinct")]
    if alone:
        raise RatebookError(f"{path} at {key}.{alone[0]}: a table made of parts says this in each part")
    distinct = {"distinct": entry.get("distinct", False)}
    return [
        _source(path, table, f"{key}.parts.{n}", n, {**part, **distinct}, entry)
        for n, part in enumerate(entry["parts"])
    ]


def _source(path: Path, table: str, key: str, number: int, own: dict, shared: dict) -> Source:
    part = {**{word: shared[word] for word in SHARED if word in shared}, **own}
    columns, keys = _columns(path, table, key, part, shared)
    lines = part.get("lines")
    months = part.get("months")
    if lines and months:
        raise RatebookError(f"{path} at {key}.months: months in columns cannot be read from a file joined to lines")
    for word in ("enrolled", "days"):
        if months and word in months:
            _check_column(path, f"{key}.months.{word}", months[word], "boolean" if word == "enrolled" else "int64")
    if months and "enrolled" not in months and "days" not in months:
        raise RatebookError(f"{path} at {key}.months: say `enrolled` or `days`, or nobody knows who was enrolled")
    return Source(
        table=table,
        key=key,
        number=number,
        files=_files(path, key, part),
        columns=columns,
        keys=keys,
        lines=Lines(_files(path, f"{key}.lines", {**part, "format": None, **lines}), _joined_by(lines["by"]))
        if lines
        else None,
        months=Months(
            months["year"],
            tuple(months.get("names", SUFFIXES)),
            *[_spelled_out(months.get(word)) for word in ("enrolled", "days")],
        )
        if months
        else None,
        keep=part.get("keep", {}),
        leave=part.get("leave", {}),
        distinct=part.get("distinct", False),
        may_be_absent=part.get("may_be_absent", False),
    )


def _files(path: Path, key: str, part: dict) -> Files:
    if "files" not in part:
        raise RatebookError(f"{path} at {key}.files: say which files")
    kind = part.get("format") or FORMATS.get(Path(part["files"]).suffix)
    if kind is None:
        raise RatebookError(f"{path} at {key}.format: say csv or parquet, the file's name does not")
    return Files(
        part["files"], kind, part.get("delimiter", ","), tuple(part.get("nulls", [])), tuple(part.get("optional", []))
    )


def _columns(path: Path, table: str, key: str, part: dict, shared: dict) -> tuple[dict, dict]:
    """Say of each of our columns how it is read and where in the layout that stands; the part goes before its table."""
    places = [(key, part), (f"tables.{table}", shared)]
    ours = {name: kind for name, kind in TABLES[table].types().items() if name != COUNTED}
    columns, keys = {}, {}
    for place, words in places:
        said, absent = words.get("columns", {}), words.get("absent", [])
        unknown = [name for name in [*said, *absent] if name not in ours]
        twice = [name for name in absent if name in said]
        if unknown:
            raise RatebookError(f"{path} at {place}: our table has no column {', '.join(unknown)}")
        if twice:
            raise RatebookError(f"{path} at {place}.absent: {', '.join(twice)} is under columns too")
        for name, how in {**said, **dict.fromkeys(absent)}.items():
            if name not in columns:
                columns[name] = _spelled_out(how)
                keys[name] = f"{place}.columns.{name}"
    for name, kind in ours.items():
        if name not in columns and part.get("same_names", False):
            columns[name], keys[name] = {"from": [name]}, f"{key}.same_names: {name}"
        elif name not in columns:
            raise RatebookError(f"{path} at {key}: column {name} is neither under columns nor under absent")
        if columns[name] is not None:
            _check_column(path, keys[name], columns[name], kind)
    return {name: columns[name] for name in ours}, keys


def _spelled_out(how: str | dict | None) -> dict | None:
    """Write a bare name, and a single one under `from`, as the list they mean."""
    if isinstance(how, str):
        return {"from": [how]}
    if how and isinstance(how.get("from"), str):
        return {**how, "from": [how["from"]]}
    return how


def _check_column(path: Path, key: str, how: str | dict, kind: str) -> None:
    if isinstance(how, str):
        return
    origins = [word for word in ORIGINS if word in how]
    if len(origins) != 1:
        raise RatebookError(f"{path} at {key}: say exactly one of {', '.join(ORIGINS)}")
    numeric = kind.startswith("decimal") or kind in ("int64", "float64")
    fits = DATES if kind == "date" else NUMBERS if numeric else ()
    if "format" in how and how["format"] not in fits:
        raise RatebookError(f"{path} at {key}.format: {how['format']} does not suit a column of type {kind}")


def _joined_by(names: list | dict) -> dict[str, str]:
    return dict(names) if isinstance(names, dict) else {name: name for name in names}


def _check_keys(path: Path, layout: object, place: str = "") -> None:
    """Refuse a key that YAML reads as a number or as yes or no: a code in a value map would never be found."""
    for name, said in layout.items() if isinstance(layout, dict) else enumerate(layout):
        if isinstance(layout, dict) and not isinstance(name, str):
            raise RatebookError(f"{path} at {place or 'the top'}: put {name} in quotes, YAML does not read it as text")
        if isinstance(said, (dict, list)):
            _check_keys(path, said, f"{place}.{name}".lstrip("."))
