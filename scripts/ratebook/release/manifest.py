"""What was released, from what, by which code: fingerprints, and no time of day and no machine's path."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.errors import RatebookError
from ratebook.provenance import sha256_of
from ratebook.release.report import public_settings


def release_manifest(
    release: str | Path,
    released: list[str],
    code: list[str],
    requirements: str,
    sources: pd.DataFrame,
    config: dict,
    readme: str,
) -> tuple[dict, str]:
    """Fingerprint every released file, its sources and its code, and describe the folder.

    Parameters
    ----------
    release : path
        The folder that may leave the building.
    released : list of str
        Every file a rule put there, the manifest and its README aside.
    code : list of str
        Files of the workflow and its scripts.
    requirements : str
        Text that pins the direct dependencies, a line each.
    sources : SourceManifest
    config : dict
        The config in force.
    readme : str
        Name of the description in the folder.

    Returns
    -------
    tuple of dict and str
        The manifest, and the text of the README.

    Raises
    ------
    RatebookError
        If the folder holds a file that no rule made: what nobody checked may not leave the building.

    References
    ----------
    methods.md, 0.1 (params.json) and H66.
    """
    release = Path(release)
    named = {Path(path).relative_to(release).as_posix() for path in released}
    found = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    unknown = found - named - {"manifest.json", readme}
    if unknown:
        raise RatebookError(
            f"{release.name} holds {len(unknown)} files that no rule made; move them away: {sorted(unknown)[:5]}"
        )
    settings = public_settings(config)
    text = describe_release(sorted(named), settings)
    files = {
        name: {"bytes": (release / name).stat().st_size, "sha256": sha256_of(release / name)} for name in sorted(named)
    }
    files[readme] = {"bytes": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    manifest = {
        "study": settings["study"],
        "files": dict(sorted(files.items())),
        "sources": [_source(row) for row in sources.to_dict("records")],
        "config": settings,
        "code": {"files": len(code), "sha256": fingerprint(code)},
        "packages": {name: importlib.metadata.version(name) for name in direct_dependencies(requirements)},
    }
    return manifest, text


def _source(row: dict) -> dict:
    paid = row["paid_usd"]
    return {
        "table": row["table"],
        "source": Path(row["source"]).name if row["source"] else None,
        "status": row["status"],
        "rows": int(row["rows"]),
        "paid_usd": None if pd.isna(paid) else round(float(paid), 2),
        "cells_unparsed": int(row["cells_unparsed"]),
        "sha256": row["sha256"],
    }


def fingerprint(paths: list[str]) -> str:
    """Give one fingerprint of many files: of their names and contents, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def direct_dependencies(requirements: str) -> list[str]:
    """Read the names of the pinned dependencies, extras left off."""
    names = [line.split("==")[0].split("[")[0].strip() for line in requirements.splitlines() if "==" in line]
    return sorted(names)


def describe_release(files: list[str], settings: dict) -> str:
    """Write the README of the release: what each file is, and what every column of every table means."""
    study, limit = settings["study"], settings["release"]["suppress_below"]
    note = f" **{study['data_note'].capitalize()}: no person in it exists.**" if study["data_note"] else ""
    lines = [
        f"# Release: {study['name']}",
        "",
        f"The only folder that may leave the building.{note} Counts of persons from 1 to {limit - 1} are hidden, and so is",
        "whatever would give them back by subtraction: such a cell is empty. An estimate that is missing says why in",
        "`reason`; where `reason` is empty too, the estimate is hidden.",
        "",
        "| file | what it is |",
        "|---|---|",
        "| `report.html` | the report, one page that needs no other file |",
        "| `ratebook.xlsx` | the rate book, its rates live formulas of their factors |",
        "| `tables/` | every table as CSV and as Parquet, columns below |",
        "| `figures/` | every figure as SVG and as PNG |",
        "| `manifest.json` | fingerprints of these files, of the sources and the code; settings; versions |",
        "",
    ]
    for name, released in RELEASED.items():
        if f"tables/{name}.csv" in files:
            lines += describe_table(name, released.contract)
    return "\n".join(lines)


def describe_table(name: str, contract) -> list[str]:
    """Write a table's grain and columns as Markdown."""
    grain = " ".join((contract.__doc__ or "").split())
    rows = [f"| `{column}` | {field.type} | {field.description} |" for column, field in contract.fields().items()]
    return [f"## {name}", "", grain, "", "| column | type | meaning |", "|---|---|---|", *rows, ""]
