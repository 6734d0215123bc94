"""Guesses about unknown files: which table, which column, which form of dates, amounts and codes, and on what ground."""

from __future__ import annotations

import csv
import functools
import gzip
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import ibis

from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import ADJUSTMENTS, CLAIM_TYPES, RECORD_TYPES, TABLES
from ratebook.errors import RatebookError
from ratebook.intake.cells import DATE_FORMATS, FALSE, TRUE, cell_of, parse
from ratebook.intake.known_names import ANCHORS, FILE_WORDS, MEANINGS, ONLY_IN, PHRASES, SHORT
from ratebook.intake.layouts import FORMATS
from ratebook.tables import hold, open_source, read_counts, read_row

DELIMITERS = ("|", "\t", ";", "~", "^", ",")
LIKELY = 0.7
"""Least share of words that a column's name and a phrase of ours have in common."""
SAMPLE_ROWS = 200_000
"""Rows, from the first, whose values are looked at."""
FORM_SHARE = 0.95
"""Least share of cells that must have a form."""
LEAST_ROWS = 11
"""A code stands in a draft only if at least so many rows bear it."""
LONGEST_CODE = 3
"""And if it is at most so long, or one we know."""
EMPTY = ("~", ".", "NULL", "null", "NA", "N/A", "\\N", "00000000", "99999999")
"""Cells that often say that nothing is known."""
OURS = {
    "record_type": RECORD_TYPES,
    "adjustment_code": ADJUSTMENTS,
    "claim_type": CLAIM_TYPES,
    "sex": ("male", "female", "unknown"),
    "payment_level": ("header", "line"),
    "contact_type": ("face", "phone", "video", "text", "collateral", "attempt", "admin", "training", "coaching"),
}
"""Our own words for columns of codes; those of a yes or no are `TRUE` and `FALSE`."""
USD = "decimal(14, 2)"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .#/()-]{0,63}")


@dataclass(frozen=True)
class FileGroup:
    """Files of one kind in one folder: the pattern that finds them, how they are written, their columns."""

    pattern: str
    paths: tuple[Path, ...]
    format: str
    delimiter: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """A column of the source for one of ours, how alike the names are, and which others are as like.

    Likeness is 2 for the same name, 1 for the same words, less for some of them.
    """

    source: str
    likeness: float
    others: tuple[str, ...] = ()


def find_groups(folder: Path) -> list[FileGroup]:
    """List the files of a folder that can be read, those together whose names differ only in digits and have one header.

    Raises
    ------
    RatebookError
        If a csv file's first line does not look like names of columns: a draft would quote its cells.
    """
    if not folder.is_dir():
        raise RatebookError(f"there is no folder {folder}")
    alike: dict[tuple, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        kind, first = _kind_of(path)
        if kind:
            delimiter, columns = _header_of(first, kind)
            alike.setdefault((re.sub(r"\d+", "*", path.name), kind, delimiter, columns), []).append(path)
    return [
        FileGroup(_pattern(folder, paths, pattern), tuple(paths), kind, delimiter, columns)
        for (pattern, kind, delimiter, columns), paths in alike.items()
    ]


@functools.cache
def words_of(name: str) -> frozenset[str]:
    """Split a column's name into the words we know it by: SRVC_BGN_DT is service, start, date."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    spaced = re.sub(r"([A-Za-z])(\d)|(\d)([A-Za-z])", r"\1\3 \2\4", spaced).lower()
    found: list[str] = []
    for word in re.findall(r"[a-z]+|\d+", spaced):
        for piece in _pieces(word):
            found += SHORT.get(piece, piece.lstrip("0") or piece).split()
    return frozenset(found)


def match_columns(table: str, columns: tuple[str, ...], empty: frozenset[str] = frozenset()) -> dict[str, Match]:
    """Find for each of our columns the likeliest of the source's, no source column twice, the surest first.

    Of two columns as like, one that holds values goes before one that is empty.
    """
    found = []
    for place, ours in enumerate(name for name in TABLES[table].types() if name != COUNTED):
        for theirs in columns:
            likeness, phrase = _likeness(ours, theirs)
            if likeness >= LIKELY:
                found.append((-likeness, theirs in empty, place, phrase, ours, theirs))
    taken: dict[str, Match] = {}
    for likeness, _, _, _, ours, theirs in sorted(found):
        if ours not in taken and theirs not in {match.source for match in taken.values()}:
            others = [
                name for like, _, _, _, also, name in found if (like, also) == (likeness, ours) and name != theirs
            ]
            taken[ours] = Match(theirs, -likeness, tuple(others))
    return taken


def guess_table(group: FileGroup) -> str | None:
    """Name the table whose anchors the files have: of several, the one with most columns found; its file's name counts."""
    said = words_of(group.pattern.split(".")[0])
    scores = {}
    for table, anchors in ANCHORS.items():
        matches = match_columns(table, group.columns)
        if all(name in matches for name in anchors):
            scores[table] = len(matches) + 5 * bool(said & set(FILE_WORDS[table]))
    return max(scores, key=scores.get) if scores else None


def open_sample(group: FileGroup) -> ibis.Table:
    """Read the first rows of a group into the engine, every cell as text."""
    paths = [str(part) for path in group.paths for part in _parts_of(path)]
    raw = open_source(paths, group.format, group.delimiter, "source_file_name").limit(SAMPLE_ROWS)
    return hold(raw.select(**{name: cell_of(raw, name, ()) for name in group.columns}))


def find_empty(raw: ibis.Table) -> frozenset[str]:
    """List the columns in which nothing stands."""
    counts = read_row(raw.aggregate(**{name: raw[name].count() for name in raw.columns}))
    return frozenset(name for name, count in counts.items() if not count)


def find_nulls(raw: ibis.Table, columns: list[str]) -> tuple[str, ...]:
    """List the signs for an empty cell that stand in at least `LEAST_ROWS` cells of the first few of these columns."""
    if not columns:
        return ()
    cells = [raw[name] for name in columns[:6]]
    counts = raw.aggregate(
        **{
            f"n{n}": sum((cell == sign).fill_null(False).cast("int64").sum() for cell in cells)
            for n, sign in enumerate(EMPTY)
        }
    )
    found = read_row(counts)
    return tuple(sign for n, sign in enumerate(EMPTY) if (found[f"n{n}"] or 0) >= LEAST_ROWS)


def find_forms(raw: ibis.Table, kinds: dict[str, str], nulls: tuple[str, ...]) -> dict[str, tuple[str | None, str]]:
    """Say of source columns read as dates or amounts how they are written, and on what ground.

    Returns
    -------
    dict
        Source column to a format, None where the plain one does or none was found, and the ground in words.
    """
    asked, counts = {}, {}
    for n, (name, kind) in enumerate(kinds.items()):
        cell = cell_of(raw, name, nulls)
        counts[f"c{n}"] = cell.count()
        forms = list(DATE_FORMATS) if kind == "date" else [None, "money"]
        for m, form in enumerate(forms):
            counts[f"c{n}_{m}"] = parse(cell, kind, form).count()
        if kind == USD:
            counts[f"c{n}_point"] = cell.contains(".").fill_null(False).cast("int64").sum()
        asked[name] = (f"c{n}", forms, kind)
    found = read_row(raw.aggregate(**counts)) if counts else {}
    return {name: _form(found, *asked[name]) for name in kinds}


def find_codes(
    raw: ibis.Table, ours: str, source: str, nulls: tuple[str, ...]
) -> tuple[dict[str, str], list[str], str]:
    """Say what the codes of a column mean.

    Returns
    -------
    dict, list, str
        Codes to ours; codes nobody knows; where the meanings are from. Only codes that may stand in a draft: borne
        by at least `LEAST_ROWS` rows, and at most `LONGEST_CODE` long or known to us.
    """
    codes = raw.select(code=cell_of(raw, source, nulls)).filter(ibis._.code.notnull())
    rows = codes.group_by("code").agg(rows=codes.count())
    rows = read_counts(rows.filter(rows.rows >= LEAST_ROWS))
    own = OURS.get(ours, (*TRUE, *FALSE))
    sets = MEANINGS.get(ours, {}) if set(ONLY_IN.get(ours, ())) <= set(re.findall("[a-z]+", source.lower())) else {}
    known = {code for meanings in sets.values() for code in meanings}
    seen = {
        code: int(count)
        for code, count in zip(rows.code, rows.rows, strict=True)
        if len(code) <= LONGEST_CODE or code.upper() in known or code.lower() in own
    }
    borne = {name: sum(count for code, count in seen.items() if code.upper() in sets[name]) for name in sets}
    best = max(borne, key=borne.get, default=None)
    meanings = sets[best] if best and borne[best] else {}
    mapped = {
        code: meanings.get(code.upper(), code.lower())
        for code in seen
        if {code.upper(), code.lower()} & {*meanings, *own}
    }
    unknown = [code for code in seen if code not in mapped]
    as_they_are = all(word == (code if ours in OURS else code.lower()) for code, word in mapped.items())
    return ({} if as_they_are else mapped), unknown, best if meanings else "our own words"


def _parts_of(path: Path) -> list[Path]:
    """List a folder's parts, or the file itself."""
    return sorted(part for part in path.iterdir() if _is_part(part)) if path.is_dir() else [path]


def _is_part(path: Path) -> bool:
    return path.suffix in FORMATS and not path.name.startswith((".", "_"))


def _kind_of(path: Path) -> tuple[str | None, Path]:
    """Say how a file, or a folder by its first part, is written."""
    if path.name.startswith((".", "_")):
        return None, path
    parts = _parts_of(path)
    return (FORMATS.get(parts[0].suffix), parts[0]) if parts else (None, path)


def _pattern(folder: Path, paths: list[Path], stars: str) -> str:
    """Write the pattern that finds these files and no others: * for digits, or digit by digit."""
    if len(paths) == 1:
        return paths[0].name
    digits = re.sub(r"\d", "[0-9]", paths[0].name)
    return next((p for p in (stars, digits) if sorted(folder.glob(p)) == paths), stars)


def _header_of(path: Path, kind: str) -> tuple[str, tuple[str, ...]]:
    if kind == "parquet":
        named = open_source([str(path)], kind, ",", "source_file_name").columns
        return ",", tuple(name for name in named if name != "source_file_name")
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = list(itertools.islice(file, 20))
    rows = {delimiter: [row for row in csv.reader(lines, delimiter=delimiter)] for delimiter in DELIMITERS}

    def fits(delimiter: str) -> tuple[bool, int]:
        widths = {len(row) for row in rows[delimiter] if row}
        return len(widths) == 1, len(rows[delimiter][0]) if rows[delimiter] else 0

    delimiter = max(DELIMITERS, key=fits)
    columns = tuple(name.strip() for name in (rows[delimiter] or [[]])[0])
    if not columns or not all(NAME.fullmatch(name) for name in columns) or len(set(columns)) < len(columns):
        raise RatebookError(
            f"{path.name}: the first line does not look like names of columns, each once; put them there before drafting"
        )
    return delimiter, columns


@functools.cache
def _vocabulary() -> frozenset[str]:
    whole = {word for phrases in PHRASES.values() for phrase in phrases for word in phrase.split()}
    return frozenset(word for word in whole | set(SHORT) if len(word) > 1)


@functools.cache
def _pieces(word: str) -> tuple[str, ...]:
    """Split a word run together of words we know into as few as can be; any other stays whole."""
    if word in _vocabulary() or word.isdigit():
        return (word,)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            before = best[start]
            if before is not None and word[start:end] in _vocabulary():
                longer = (*before, word[start:end])
                best[end] = longer if best[end] is None or len(longer) < len(best[end]) else best[end]
    return best[-1] or (word,)


@functools.cache
def _phrases(ours: str) -> list[frozenset[str]]:
    return [words_of(ours), *(frozenset(phrase.split()) for phrase in PHRASES.get(ours, []))]


@functools.cache
def _likeness(ours: str, theirs: str) -> tuple[float, int]:
    """Say how alike a name and our phrases are, and which phrase is likest: shared words by all words."""
    if theirs.lower() == ours:
        return 2.0, 0
    words, phrases = words_of(theirs), _phrases(ours)
    found = [(len(words & phrase) / len(words | phrase), -n) for n, phrase in enumerate(phrases)]
    # Of everything a person has, such as a birth date, feeds say whose it is: nearly as good as all words.
    rest = words - {"person"}
    found += [(0.95, -n) for n, phrase in enumerate(phrases) if rest == phrase]
    likeness, phrase = max(found)
    return likeness, -phrase


def _form(found: dict, at: str, forms: list, kind: str) -> tuple[str | None, str]:
    cells = found[at]
    if not cells:
        return None, "no value to look at"
    share = {form: found[f"{at}_{m}"] / cells for m, form in enumerate(forms)}
    form = next((form for form in forms if share[form] >= FORM_SHARE), None)
    if kind == "date":
        if form is None:
            return None, "CHECK: the values look like no date we know"
        return (None if form == "iso" else form), f"values look like {form}"
    if share[None] < FORM_SHARE:
        return (form, f"values look like {form}") if form else (None, "CHECK: the values look like no number")
    whole = kind == USD and not found[f"{at}_point"]
    return None, "CHECK: no value has a point; if they are cents, format: cents" if whole else "values are numbers"
