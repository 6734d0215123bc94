"""Files of any shape to one table of source cells: several files, header and line files, months in columns."""

from __future__ import annotations

import csv
import functools
import gzip
import itertools
from pathlib import Path

import ibis
import pyarrow.parquet as pq

from ratebook.errors import RatebookError
from ratebook.intake.cells import cell_of, holds, names_in, read_column
from ratebook.intake.layouts import Files, Months, Source, find_part
from ratebook.tables import open_source

FILE, ROW, START, END = "(file_name)", "(row_number)", "(month_start)", "(month_end)"
"""What an `expression` reads: columns added to the source's own, named as no source would."""
BROKEN = "(unparsed)"
"""Broken cells of a row that no column of ours shows: a line without its header, a month without its year."""
BEFORE, AFTER, NUMBER, KEPT = "(before)", "(after)", "(number)", "(kept)"
FILE_ROOM, PART_ROOM = 10**10, 10**15
"""Row numbers leave room: ten billion rows for each file of a part, and a hundred thousand files for each part."""
MONTH = "{month}"


def open_part(source: str | Path, part: Source) -> ibis.Table | None:
    """Open one part of a raw table as a table of source cells; None where it may be absent and is.

    A part's rows are numbered in the order of its files and of the
    rows in them, and the parts of a table one after the other: the numbers are unique and never change, and those
    of a table that is one file are 1, 2, 3, …

    Raises
    ------
    RatebookError
        If a file or a column the layout names is not there; the message names file, column and layout key.
    """
    if not find_part(part, source):
        return None
    wanted = _wanted(part)
    if part.lines:
        raw = _join_lines(source, part, wanted)
    elif part.months:
        raw = _spread_months(source, part, wanted)
    else:
        raw = _open_files(source, part.files, wanted, _is_numbered(part))
    if part.keep:
        raw = raw.filter(holds(raw, part.keep, part.files.nulls))
    if part.leave:
        raw = raw.filter(~holds(raw, part.leave, part.files.nulls))
    return raw.mutate(**{ROW: raw[ROW] + part.number * PART_ROOM})


def _wanted(part: Source) -> dict[str, str]:
    """List every source column the part needs, with the place of the layout that asks for it."""
    wanted = {name: f"{part.key}.{word}" for word in ("keep", "leave") for name in getattr(part, word)}
    for ours, how in part.columns.items():
        wanted |= {name: part.keys[ours] for name in names_in(how)}
    if part.months:
        wanted |= {part.months.year: f"{part.key}.months.year"}
        for word in ("enrolled", "days"):
            wanted |= {name: f"{part.key}.months.{word}" for name in names_in(getattr(part.months, word))}
    return wanted


def _is_numbered(part: Source) -> bool:
    """Say whether anyone asks for the rows' numbers: to number them, an engine must read them one after the other."""
    return any(how and how.get("expression") == "row_number" for how in part.columns.values())


def _open_files(source: str | Path, files: Files, wanted: dict[str, str], numbered: bool) -> ibis.Table:
    """Open the files one after the other, those with the same columns together, with the columns wanted.

    A column that the files of another release lack is empty there if the layout calls it optional.
    """
    runs = []
    paths = [path for found in files.find(source) for path in _parts(found, files.format)]
    for names, run in itertools.groupby(((_columns_of(path, files), path) for path in paths), lambda pair: pair[0]):
        # A Parquet file says nothing of its name to the engine: each is opened by itself.
        together = [str(path) for _, path in run]
        for opened in [together] if files.format == "csv" else [[path] for path in together]:
            _check_columns(Path(opened[0]).name, names, files, wanted)
            raw = open_source(opened, files.format, files.delimiter, FILE)
            cells = {name: raw[name] if name in names else ibis.null("string") for name in wanted}
            number = ibis.row_number() + 1 + len(runs) * FILE_ROOM if numbered else ibis.literal(0, "int64")
            runs.append(raw.select(**cells, **{FILE: raw[FILE], ROW: number, BROKEN: ibis.literal(0, "int64")}))
    return functools.reduce(lambda a, b: a.union(b), _alike(runs))


def _parts(path: Path, kind: str) -> list[Path]:
    """List the files of a folder of csv parts; the engine lists those of Parquet parts itself."""
    if path.is_file() or kind == "parquet":
        return [path]
    return sorted(part for part in path.iterdir() if part.is_file() and not part.name.startswith((".", "_")))


def _columns_of(path: Path, files: Files) -> tuple[str, ...]:
    """Read the names of a file's columns, of a folder of Parquet parts those of its first."""
    if files.format == "parquet":
        first = min(path.glob("*.parquet"), default=path) if path.is_dir() else path
        return tuple(pq.read_schema(first).names) if first.is_file() else ()
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", errors="replace") as stream:
        if len(files.delimiter) > 1:
            return tuple(stream.readline().rstrip("\r\n").split(files.delimiter))
        return tuple(next(csv.reader(stream, delimiter=files.delimiter), []))


def _check_columns(file: str, names: tuple[str, ...], files: Files, wanted: dict[str, str]) -> None:
    for name, key in wanted.items():
        if name not in names and name not in files.optional:
            raise RatebookError(f"{file}: no column {name!r} (layout key {key})")


def _alike(runs: list[ibis.Table]) -> list[ibis.Table]:
    """Give the same column of different files one type: text, where they differ."""
    kinds = [run.schema() for run in runs]
    differ = [name for name in runs[0].columns if len({str(kind[name]) for kind in kinds}) > 1]
    return [run.mutate(**{name: run[name].cast("string") for name in differ}) for run in runs] if differ else runs


def _join_lines(source: str | Path, part: Source, wanted: dict[str, str]) -> ibis.Table:
    """Join each line to its header by the columns of `by`; lose neither a header nor a line.

    A header with no line becomes one line, with nothing of a line on it. A line with no header is kept with
    nothing of a header on it and counts as a cell that does not parse. Of headers with the same key the first
    is the lines'; each other becomes a line of its own. An empty key matches nothing. A column that is in both
    files is called `header.X` or `line.X` in the layout; one of `by` needs no such name, and is the line's where
    the header's is missing. Lines are numbered by the line file, headers alone after all lines.
    """
    by = part.lines.by
    files = {"header": part.files, "line": part.lines.files}
    places = _places(source, part, files, wanted)
    tables = {}
    for side, keys in (("header", list(by)), ("line", list(by.values()))):
        needed = {name: f"{part.key}.lines.by" for name in keys}
        needed |= {bare: wanted[name] for name, (at, bare) in places.items() if at == side}
        raw = _open_files(source, files[side], needed, side == "header" or _is_numbered(part))
        key = _key(raw, keys, files[side].nulls)
        tables[side] = raw.select(**{f"{side}.{name}": raw[name] for name in raw.columns}, **{f"{side} key": key})
    heads, lines = tables["header"], tables["line"]
    twins = ibis.window(group_by="header key", order_by=f"header.{ROW}")
    heads = heads.mutate(nth=ibis.row_number().over(twins))
    lines = lines.mutate(first=ibis.literal(0, "int64"))
    joined = lines.outer_join(heads, [lines["line key"] == heads["header key"], lines["first"] == heads["nth"]])
    return joined.select(
        **{name: joined[f"{side}.{bare}"] for name, (side, bare) in places.items()},
        **{name: _either(joined, f"header.{name}", f"line.{by[name]}") for name in wanted if name in by},
        **{
            FILE: ibis.coalesce(joined[f"line.{FILE}"], joined[f"header.{FILE}"]),
            ROW: ibis.coalesce(joined[f"line.{ROW}"], joined[f"header.{ROW}"] + PART_ROOM // 2),
            BROKEN: joined[f"header.{ROW}"].isnull().cast("int64"),
        },
    )


def _places(source: str | Path, part: Source, files: dict[str, Files], wanted: dict[str, str]) -> dict[str, tuple]:
    """Say of every column wanted, except those of `by`, which of the two files it is in and its name there."""
    known = {side: _known(source, of_side) for side, of_side in files.items()}
    places = {}
    for name, key in wanted.items():
        side, point, bare = name.partition(".")
        sides = [at for at in files if name in known[at]] or ["header"] * (name in part.files.optional)
        if name in part.lines.by:
            continue
        if point and side in files:
            places[name] = (side, bare)
        elif len(sides) == 1:
            places[name] = (sides[0], name)
        elif sides:
            raise RatebookError(
                f"{files['line'].pattern}: column {name!r} is in its header file too; say header.{name} or "
                f"line.{name} (layout key {key})"
            )
        else:
            raise RatebookError(
                f"{files['header'].pattern} and {files['line'].pattern}: no column {name!r} (layout key {key})"
            )
    return places


def _known(source: str | Path, files: Files) -> set[str]:
    paths = [path for found in files.find(source) for path in _parts(found, files.format)]
    return {name for path in paths for name in _columns_of(path, files)}


def _key(raw: ibis.Table, names: list[str], nulls: tuple[str, ...]) -> ibis.Value:
    """Put the cells of a key together; a key of nothing but empty cells is none."""
    cells = [cell_of(raw, name, nulls).fill_null("") for name in names]
    return functools.reduce(lambda a, b: a + "\x1f" + b, cells).nullif("\x1f" * (len(cells) - 1))


def _either(table: ibis.Table, first: str, second: str) -> ibis.Value:
    return ibis.coalesce(*[table[name].cast("string") for name in (first, second)])


def _spread_months(source: str | Path, part: Source, wanted: dict[str, str]) -> ibis.Table:
    """Make a row of every month of a year in which someone was enrolled.

    A column whose name holds `{month}` stands for twelve. A month with no marker, or one that says not enrolled,
    gives no row; a marker or a count of days that does not parse, or an enrolled month of no year or, where both
    are asked for, of no days, gives a row with no dates and is counted. Where only the number of enrolled days is known they are the first of the month,
    or, where the month before was not enrolled and the month after is, the last. Neighbours are joined later, in
    exposure.
    """
    months, nulls = part.months, part.files.nulls
    of_month = [name for name in wanted if MONTH in name]
    keys = {n.replace(MONTH, at): key for n, key in wanted.items() for at in (months.names if MONTH in n else [""])}
    raw = _open_files(source, part.files, keys, _is_numbered(part))
    rows = []
    for number, at in enumerate(months.names):
        cells = {name: raw[name.replace(MONTH, at)].cast("string") for name in of_month}
        for beside, other in ((BEFORE, number - 1), (AFTER, number + 1)):
            known = 0 <= other < len(months.names)
            cells[beside] = _is_enrolled(raw, months, months.names[other], nulls) if known else ibis.literal(False)
        rows.append(ibis.struct({**cells, NUMBER: ibis.literal(number + 1, "int64")}))
    plain = [name for name in raw.columns if name in wanted or name in (FILE, ROW, BROKEN)]
    raw = raw.select(*plain, **{"(month)": ibis.array(rows).unnest()}).unpack("(month)")
    return _with_span(raw, months, nulls)


def _with_span(raw: ibis.Table, months: Months, nulls: tuple[str, ...]) -> ibis.Table:
    year, _ = read_column(raw, {"from": [months.year]}, "int64", nulls)
    first = ibis.ifelse(year.between(1, 9999), ibis.date(year, raw[NUMBER], 1), ibis.null("date"))
    last = (first + ibis.interval(months=1) - ibis.interval(days=1)).cast("date")
    is_enrolled, days, broken = ibis.literal(True), last.day().cast("int64"), ibis.literal(0, "int64")
    if months.enrolled:
        is_enrolled, counters = read_column(raw, months.enrolled, "boolean", nulls)
        broken = sum(counters, broken)
    if months.days:
        days, counters = read_column(raw, months.days, "int64", nulls)
        beyond = ((days < 0) | (days > last.day())).fill_null(False)
        broken = sum([*counters, beyond.cast("int64")], broken)
        unsaid = is_enrolled.fill_null(False) & days.isnull() & (broken == 0)
        broken = broken + unsaid.cast("int64") if months.enrolled else broken
        is_enrolled = is_enrolled & (days > 0)
    is_enrolled = is_enrolled.fill_null(False)
    sure = is_enrolled & (broken == 0)
    at_end = raw[AFTER] & ~raw[BEFORE]
    start = ibis.ifelse(at_end, _later(last, 1 - days), first)
    end = ibis.ifelse(at_end, last, _later(first, days - 1))
    spread = raw.mutate(
        **{
            START: ibis.ifelse(sure, start, ibis.null("date")),
            END: ibis.ifelse(sure, end, ibis.null("date")),
            BROKEN: broken + first.isnull().cast("int64"),
            KEPT: is_enrolled | (broken > 0),
        }
    )
    return spread.filter(spread[KEPT])


def _is_enrolled(raw: ibis.Table, months: Months, at: str, nulls: tuple[str, ...]) -> ibis.Value:
    """Say of the month beside another whether anyone was enrolled in it."""
    found = ibis.literal(True)
    for how, kind in ((months.enrolled, "boolean"), (months.days, "int64")):
        if how:
            value, _ = read_column(raw, _in_month(how, at), kind, nulls)
            found = found & (value if kind == "boolean" else value > 0)
    return found.fill_null(False)


def _in_month(how: dict, at: str) -> dict:
    def named(names: list | dict) -> list | dict:
        if isinstance(names, dict):
            return {name.replace(MONTH, at): values for name, values in names.items()}
        return [name.replace(MONTH, at) for name in names]

    return {
        word: named(said) if word in ("from", "together", "where", "unless") else said for word, said in how.items()
    }


def _later(day: ibis.Value, days: ibis.Value) -> ibis.Value:
    return (day.cast("timestamp") + days.as_interval("D")).cast("date")
