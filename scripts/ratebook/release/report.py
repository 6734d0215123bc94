"""The report: sections that hold sentences computed from released tables, the tables themselves, and figures."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import jinja2
import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.release import (
    cause_sentences,
    cost_sentences,
    engagement_sentences,
    program_sentences,
    rate_sentences,
    sentences,
)
from ratebook.release.wording import NOTHING, is_missing, spell, unit_of

SPEAKERS = (
    sentences, engagement_sentences, cost_sentences, cause_sentences, rate_sentences, program_sentences,
)  # fmt: skip
"""The modules that register what sections say."""
LARGEST_SVG = 150_000
"""Bytes above which a figure is shown as PNG: a curve of thousands of points would make the page slow."""
MOST_ROWS = 40
ORDER = {name: place for place, name in enumerate(("RSN", "CSP", "RSN vs CSP", "difference", "none", "all"))}
"""Arms stand side by side in this order; anything else follows in its own."""


def release_report(
    template: str,
    contents: dict,
    tables: dict[str, pd.DataFrame],
    figures: list[str],
    sources: pd.DataFrame,
    settings: dict,
) -> str:
    """Write the report as one page that needs no other file.

    Parameters
    ----------
    template : str
        Jinja2 text of the page.
    contents : dict
        `workflow/report/contents.yaml`: sections in their order, each with its tables and figures.
    tables : dict of DataFrame
        Released tables by name; only these are read, so nothing hidden can show.
    figures : list of str
        Released figures, SVG and PNG.
    sources : SourceManifest
        What was read, with fingerprints.
    settings : dict
        The config in force.

    Returns
    -------
    str
        HTML.
    """
    study = settings["study"]
    drawn = {Path(path).name: Path(path) for path in figures}
    sections = [
        {
            **section,
            "sentences": sentences.SENTENCES.get(section["id"], lambda *_: [])(tables, settings),
            "tables": [report_table(tables, spec) for spec in section.get("tables", [])],
            "figures": [
                report_figure(contents["figures"][name], drawn[f"{name}.svg"], drawn[f"{name}.png"])
                for name in section.get("figures", [])
            ],
        }
        for section in contents["sections"]
    ]
    for number, table in enumerate((t for s in sections for t in s["tables"]), start=1):
        table["number"] = number
    for number, figure in enumerate((f for s in sections for f in s["figures"]), start=1):
        figure["number"] = number
    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    return page.render(
        study=study,
        limit=settings["release"]["suppress_below"],
        sections=sections,
        counts=tables["checklist"].status.value_counts().to_dict(),
        assumptions=list_assumptions(settings),
        choices=list_choices(settings),
        sources=text_table(sources.drop(columns=["sha256"])),
    )


def report_table(tables: dict[str, pd.DataFrame], spec: dict) -> dict:
    """Give a table of the report as text cells, with what is left out and why it may be empty.

    A spec names the released table, may keep rows (`where`) and columns (`columns`), and may set the values of
    one column side by side (`beside`), each estimate with its interval in one cell.
    """
    frame = tables[spec["name"]]
    if "where" in spec and len(frame):
        frame = frame.query(spec["where"], engine="python")
    whole = len(frame)
    if "beside" in spec:
        shown = side_by_side(frame, spec["index"], spec["beside"], CELLS[spec.get("cell", "interval")])
    else:
        fields = RELEASED[spec["name"]].contract.fields()
        hidden = [name for name in spec.get("columns", frame.columns) if fields.get(name) and fields[name].persons]
        shown = text_table(frame[spec["columns"]] if "columns" in spec else frame, hidden)
    more = max(0, len(shown["rows"]) - spec.get("rows", MOST_ROWS))
    return {
        "name": spec["name"],
        "caption": spec["caption"],
        "header": shown["header"],
        "rows": shown["rows"][: spec.get("rows", MOST_ROWS)],
        "more": more,
        "is_empty": not whole,
        "meaning": {name: field.description for name, field in RELEASED[spec["name"]].contract.fields().items()},
    }


def text_table(frame: pd.DataFrame, counts: list[str] | None = None) -> dict:
    """Turn a frame into text cells; columns that hold nothing are left out, a hidden count is '<'."""
    kept = [name for name in frame.columns if frame[name].notna().any()] or list(frame.columns)
    hidden = set(counts or [])
    units, before = {}, ""
    for name in kept:
        # The limits of an interval are in the unit of the estimate they follow.
        before = before if name.endswith(("lower", "upper")) else unit_of(name)
        units[name] = before
    rows = []
    for record in frame[kept].to_dict("records"):
        cells = []
        for name in kept:
            value = record[name]
            text = "hidden" if name in hidden and is_missing(value) else spell(value, units[name])
            cells.append({"text": text, "is_number": pd.api.types.is_numeric_dtype(frame[name])})
        rows.append(cells)
    return {"header": [{"name": name, "label": label_of(name)} for name in kept], "rows": rows}


def side_by_side(frame: pd.DataFrame, index: list[str], beside: str, cell: Callable[[dict], str]) -> dict:
    """Set the values of one column (the arms) in one row, each row of the table as one cell of text."""
    columns = sorted(dict.fromkeys(frame[beside]), key=lambda name: (name not in ORDER, ORDER.get(name, 0)))
    rows = []
    for key, group in frame.groupby(index, sort=False, dropna=False):
        cells = [{"text": spell(value), "is_number": False} for value in key]
        for column in columns:
            found = group[group[beside] == column]
            text = cell(found.iloc[0].to_dict()) if len(found) else NOTHING
            cells.append({"text": text, "is_number": True})
        rows.append(cells)
    header = [{"name": name, "label": label_of(name)} for name in index]
    header += [{"name": beside, "label": f"{column}"} for column in columns]
    return {"header": header, "rows": rows}


def interval_text(row: dict) -> str:
    """Print an estimate over its interval; the reason where the estimate or the interval is missing."""
    estimate = "estimate" if "estimate" in row else "estimate_usd"
    unit, reason = unit_of(estimate), row.get("reason")
    if is_missing(row[estimate]):
        # A row whose persons are hidden may keep a reason that speaks of other columns.
        is_hidden = is_missing(reason) or ("persons" in row and is_missing(row["persons"]))
        return "hidden" if is_hidden else f"not estimated: {reason}"
    if is_missing(row["lower"]) or is_missing(row["upper"]):
        return f"{spell(row[estimate], unit)} (no interval: {'none given' if is_missing(reason) else reason})"
    return f"{spell(row[estimate], unit)} ({spell(row['lower'], unit)} to {spell(row['upper'], unit)})"


def ratio_text(row: dict) -> str:
    """Print an estimate over its interval, and beside a difference the ratio of the arms with its own."""
    return interval_text(row) + sentences.ratio_phrase(row).replace("; a ratio", "; ratio")


def characteristic_text(row: dict) -> str:
    """Print a level as persons and share, a number as mean and standard deviation."""
    if is_missing(row["persons"]):
        return "hidden"
    if not is_missing(row["mean"]):
        spread = NOTHING if is_missing(row["std_dev"]) else spell(row["std_dev"])
        return f"{spell(row['mean'])} (SD {spread})"
    return (
        spell(row["persons"])
        if is_missing(row["share"])
        else f"{spell(row['persons'])} ({spell(row['share'], 'share')})"
    )


CELLS = {"interval": interval_text, "ratio": ratio_text, "characteristic": characteristic_text}
"""How the rows of a side-by-side table are printed."""


def report_figure(caption: dict, svg: Path, png: Path) -> dict:
    """Give a figure as data the page can hold: SVG where it is small, else PNG."""
    path, kind = (svg, "image/svg+xml") if svg.stat().st_size <= LARGEST_SVG else (png, "image/png")
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"src": f"data:{kind};base64,{data}", **caption}


def label_of(column: str) -> str:
    """Print a column's name as words, its unit last."""
    for ending, unit in (("_usd", ", $"), ("_share", ", share"), ("_days", ", days"), ("_months", ", months")):
        if column.endswith(ending):
            return column[: -len(ending)].replace("_", " ") + unit
    return column.replace("_", " ")


def list_assumptions(settings: dict, path: str = "") -> list[dict]:
    """List every setting with a value, a unit and a source, by its place in the config."""
    if {"value", "unit", "source"} <= set(settings):
        return [{"key": path, **settings, "value": plain(settings["value"])}]
    found = []
    for name, node in settings.items():
        if isinstance(node, dict):
            found += list_assumptions(node, f"{path}.{name}" if path else name)
    return found


def list_choices(settings: dict, path: str = "") -> list[dict]:
    """List every other setting: the choices in force."""
    found = []
    for name, node in settings.items():
        place = f"{path}.{name}" if path else name
        if isinstance(node, dict) and {"value", "unit", "source"} <= set(node):
            continue
        found += list_choices(node, place) if isinstance(node, dict) else [{"key": place, "value": plain(node)}]
    return found


def plain(value) -> str:
    """Print a setting's value: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def public_settings(config: dict) -> dict:
    """Give the settings that may be printed: without the engine, which changes no row, and without a machine's paths."""

    def shorten(node):
        if isinstance(node, dict):
            return {name: shorten(child) for name, child in node.items()}
        if isinstance(node, list):
            return [shorten(child) for child in node]
        return Path(node).name if isinstance(node, str) and Path(node).is_absolute() else node

    return {name: shorten(section) for name, section in config.items() if name != "engine"}
