"""A first layout for files nobody has described: guessed from names and from the form of values, for a person to correct.

`python -m ratebook.intake.draft FOLDER NAME` writes workflow/layouts/NAME.yaml and says what is left to do. Every guess
bears its ground in a comment. No value of a person stands in a draft: only names of columns, and codes of code columns
that many rows bear.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from ratebook.contracts.base import COUNTED
from ratebook.contracts.intake import REQUIRED, TABLES
from ratebook.errors import RatebookError
from ratebook.intake.guesses import (
    OURS,
    SAMPLE_ROWS,
    FileGroup,
    Match,
    find_codes,
    find_empty,
    find_forms,
    find_groups,
    find_nulls,
    guess_table,
    match_columns,
    open_sample,
    words_of,
)
from ratebook.intake.layouts import FORMATS, read_layout
from ratebook.provenance import CORE

PROJECT = CORE.parent.parent
LAYOUTS = PROJECT / "workflow/layouts"
SCHEMA = PROJECT / "workflow/schemas/layout.schema.yaml"
ALWAYS = {"source_file": "{expression: file_name}", "load_sequence": "{expression: row_number}"}
"""What is computed where the source lacks it."""
ASSUMED = {
    ("medical_claims", "record_type"): "ffs",
    ("eligibility", "payer"): "medicaid",
}
"""What every row is taken for where the source does not say it."""
AMOUNTS = ("decimal", "int64", "float64")
BARE = re.compile(r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_][A-Za-z0-9_.-]*", re.IGNORECASE)


@dataclass
class Part:
    """The drafted lines of one table from one group of files, and what of it a person must look at."""

    table: str
    group: FileGroup
    head: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    found: int = 0
    unsure: int = 0


def draft_layout(folder: str | Path, name: str) -> tuple[str, list[str]]:
    """Write a layout for the files of a folder as well as it can be guessed.

    A group of files is taken for a table where the columns that table cannot do without are found by name; of
    several tables for the one with most columns found. Of each column of ours the likeliest of the source is taken, by
    the words in its name; then the form of dates, amounts and codes is read off the first rows.

    Returns
    -------
    str
        YAML, each guess with its ground.
    list of str
        Counts, and what is left to do, without a value.

    Raises
    ------
    RatebookError
        If the folder or a file cannot be read, or a csv file's first line is not names of columns.
    """
    groups = find_groups(Path(folder))
    if not groups:
        raise RatebookError(f"no csv or Parquet file in {folder}")
    tables: dict[str, list[FileGroup]] = {table: [] for table in TABLES}
    unknown = []
    for group in groups:
        table = guess_table(group)
        tables[table].append(group) if table else unknown.append(group)
    if not tables["members"]:
        tables["members"] = [g for g in tables["eligibility"] if "birth_date" in match_columns("members", g.columns)][
            :1
        ]
    drafted = {table: [_draft_part(table, group) for group in found] for table, found in tables.items()}
    return _yaml(name, tables, drafted, unknown), _report(groups, drafted, unknown)


def write_draft(folder: str | Path, name: str, layouts: Path = LAYOUTS, schema: Path = SCHEMA) -> list[str]:
    """Write the draft where layouts are and check that it is one; never over a layout that is there.

    Raises
    ------
    RatebookError
        As `draft_layout`; or if the name is no name, or taken.
    """
    path = Path(layouts) / f"{name}.yaml"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise RatebookError(f"{name} is no name for a layout: small letters, digits and _")
    if path.exists():
        raise RatebookError(f"{path} is there already: choose another name, or move it away")
    text, report = draft_layout(folder, name)
    path.write_text(text)
    read_layout(path, schema)
    return [f"wrote {path}", *report]


def _draft_part(table: str, group: FileGroup) -> Part:
    part = Part(table, group)
    kinds = {name: kind for name, kind in TABLES[table].types().items() if name != COUNTED}
    sample = open_sample(group)
    matches = match_columns(table, group.columns, find_empty(sample))
    formed = {m.source: kinds[ours] for ours, m in matches.items() if kinds[ours].startswith(("date", *AMOUNTS))}
    nulls = find_nulls(sample, list(formed))
    forms = find_forms(sample, formed, nulls)
    if nulls:
        part.head.append(f"nulls: {json.dumps(list(nulls))}  # guess: these signs stand in dates and amounts")
    numbers = _claim_numbers(matches)
    for ours in kinds:
        if ours in numbers:
            part.columns.append(
                f"{ours}: {numbers[ours]}  # guess: the claim's own number is the adjustment's, if any; CHECK"
            )
            part.found += 1
            part.unsure += 1
        elif ours in matches:
            _draft_column(part, sample, nulls, ours, matches[ours], forms)
        elif ours in ALWAYS:
            part.columns.append(f"{ours}: {ALWAYS[ours]}")
        elif (table, ours) in ASSUMED:
            part.columns.append(
                f"{ours}: {{constant: {ASSUMED[table, ours]}}}  # no column found: CHECK that all rows are"
            )
            part.unsure += 1
        else:
            must = "  # no column found: absent, and the table cannot do without" if _needed(table, ours) else ""
            part.absent.append(f"- {ours}{must or '  # no column found: absent'}")
            part.unsure += bool(must)
    used = {match.source for match in matches.values()}
    left = [name for name in group.columns if name not in used]
    if left:
        part.tail += textwrap.wrap(f"not used: {', '.join(left)}", 100, initial_indent="# ", subsequent_indent="#   ")
    return part


def _draft_column(part: Part, sample, nulls: tuple[str, ...], ours: str, match: Match, forms: dict) -> None:
    grounds = [_ground(match)]
    how = [f"from: {_plain(match.source)}"]
    rest = []
    if match.source in forms:
        form, ground = forms[match.source]
        how += [f"format: {form}"] if form else []
        grounds.append(ground)
    elif ours in OURS or TABLES[part.table].types()[ours] == "boolean":
        mapped, unknown, origin = find_codes(sample, ours, match.source, nulls)
        if mapped:
            how.append(f"values: {{{', '.join(f'{json.dumps(code)}: {word}' for code, word in mapped.items())}}}")
            grounds.append(f"codes read as {origin}; CHECK")
        if unknown:
            rest.append(
                f"# seen and not mapped, so they will not parse: {', '.join(json.dumps(code) for code in unknown)}"
            )
            grounds += [] if mapped else ["CHECK: codes nobody knows"]
    said = how[0].removeprefix("from: ") if len(how) == 1 else f"{{{', '.join(how)}}}"
    part.columns += [f"{ours}: {said}  # {'; '.join(grounds)}", *rest]
    part.found += 1
    part.unsure += any("CHECK" in ground for ground in grounds) or bool(rest)


def _claim_numbers(matches: dict[str, Match]) -> dict[str, str]:
    """Read an original and an adjustment number, of which no other is the claim's own: on originals the second is empty."""
    first, second = (matches.get(ours) for ours in ("claim_id", "original_claim_id"))
    if not (first and second and "original" in words_of(first.source) and "adjustment" in words_of(second.source)):
        return {}
    original, adjusting = _plain(first.source), _plain(second.source)
    return {
        "claim_id": f"{{from: [{adjusting}, {original}]}}",
        "original_claim_id": f"{{from: {original}, unless: {{{adjusting}: [null]}}}}",
    }


def _ground(match: Match) -> str:
    """Say on what ground a column was taken, and how sure it is."""
    if match.likeness > 1:
        return "guess: the same name"
    alike = "all words" if match.likeness == 1 else f"{match.likeness:.0%} of the words; CHECK"
    others = f", as like as {', '.join(match.others)}; CHECK" if match.others else ""
    return f"guess: name, {alike}{others}"


def _needed(table: str, ours: str) -> bool:
    return not TABLES[table].fields()[ours].nullable or ours == "person_id"


def _yaml(name: str, tables: dict, drafted: dict[str, list[Part]], unknown: list[FileGroup]) -> str:
    lines = [
        "# A draft: every line is a guess until someone who knows the files has read it. docs/own_data.md says how.",
        f"name: {name}",
        "description: >-",
        "  Drafted from the names of files and columns and the form of values. Say here whose files these are, of when.",
        "tables:",
    ]
    for table, parts in drafted.items():
        if len(parts) == 1:
            shared = " also" if table == "members" and parts[0].group in tables["eligibility"] else ""
            ground = f"    # guess: {parts[0].found} of our columns are{shared} in these files"
            distinct = ["    distinct: true  # a row a span: one row a person is kept"] if shared else []
            lines += [f"  {table}:", ground, *distinct, *(f"    {line}" for line in _part_lines(parts[0]))]
        elif parts:
            lines += [
                f"  {table}:",
                f"    # guess: files of {len(parts)} shapes; header and line files are joined by `lines`",
            ]
            lines.append("    parts:")
            for part in parts:
                first, *rest = _part_lines(part)
                lines += [f"      - {first}", *(f"        {line}" for line in rest)]
        elif table in REQUIRED:
            lines += [f"  {table}:", *(f"    {line}" for line in _missing(table))]
    lines += [f"# not understood: {group.pattern}" for group in unknown]
    return "\n".join(lines) + "\n"


def _part_lines(part: Part) -> list[str]:
    group = part.group
    lines = [f"files: {_plain(group.pattern)}"]
    if Path(group.pattern).suffix not in FORMATS:
        lines.append(f"format: {group.format}")
    if group.format == "csv" and group.delimiter != ",":
        lines.append(f"delimiter: {json.dumps(group.delimiter)}")
    lines += part.head
    lines += ["columns:", *(f"  {line}" for line in part.columns)] if part.columns else []
    lines += ["absent:", *(f"  {line}" for line in part.absent)] if part.absent else []
    return lines + part.tail


def _missing(table: str) -> list[str]:
    computed = [ours for ours in TABLES[table].types() if ours in ALWAYS]
    absent = [ours for ours in TABLES[table].types() if ours not in ALWAYS and ours != COUNTED]
    return [
        f"files: {table}.csv  # CHECK: no file found for this table, and nothing works without",
        *(["columns:", *(f"  {ours}: {ALWAYS[ours]}" for ours in computed)] if computed else []),
        "absent:",
        *(f"  - {ours}" for ours in absent),
    ]


def _plain(text: str) -> str:
    return text if BARE.fullmatch(text) else json.dumps(text)


def _report(groups: list[FileGroup], drafted: dict[str, list[Part]], unknown: list[FileGroup]) -> list[str]:
    parts = [part for found in drafted.values() for part in found]
    files = sum(len(group.paths) for group in groups)
    lines = [f"{files} files of {len(groups)} shapes; the first {SAMPLE_ROWS:,} rows of each looked at"]
    for part in parts:
        sought = len(TABLES[part.table].types()) - 1
        lines.append(
            f"  {part.table} from {part.group.pattern}: {part.found} of {sought} columns found, {part.unsure} to check, "
            f"{len(part.absent)} absent"
        )
    lines += [f"  not understood: {group.pattern}" for group in unknown]
    lines += [f"  no file found for {table}, and nothing works without" for table in REQUIRED if not drafted[table]]
    lines.append(
        "left to do: read every guess, beginning with those marked CHECK; give the codes named there a meaning;"
    )
    lines.append("name the layout in config.yaml (intake.layout, intake.source); then follow docs/own_data.md")
    return lines


def main(arguments: list[str]) -> None:
    """Draft and print the report; what is wrong with the files is said in one line, quoting none of their cells."""
    if len(arguments) != 2:
        sys.exit("use: python -m ratebook.intake.draft FOLDER NAME")
    try:
        print("\n".join(write_draft(*arguments)))
    except RatebookError as error:
        sys.exit(str(error))
    except Exception as error:  # an engine's message quotes the line it cannot read
        kind = type(error).__name__
        sys.exit(f"the files cannot be read ({kind}; its message is withheld: it may quote data): are they UTF-8?")


if __name__ == "__main__":
    main(sys.argv[1:])
