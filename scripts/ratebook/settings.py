"""The config is checked whole before any work: its schema first, then what a schema cannot say."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from ratebook.errors import RatebookError
from ratebook.keys import check_key

STAND_INS = ("placeholder", "synthetic", "worked example")
"""Words in an assumption's source that say it was chosen for the demonstration."""
ORDERS = (
    ("study.window_start", "study.window_end"),
    ("study.window_end", "study.extract_date"),
    ("rates.base_start", "rates.base_end"),
    ("rates.base_end", "rates.rating_start"),
    ("rates.rating_start", "rates.rating_end"),
    ("rates.base_end", "study.extract_date"),
)
"""Pairs of dates of which the first must not come after the second."""


def check_settings(config: dict, schema: str | Path, environment: Mapping[str, str]) -> None:
    """Check every setting before any work begins.

    Parameters
    ----------
    config : dict
        As `config.yaml` and what overrides it say.
    schema : path
        What may be said.
    environment : mapping
        Environment variables: where ids of real data are replaced, one holds the key.

    Raises
    ------
    RatebookError
        Naming the first key that breaks the schema (unknown, of the wrong type, out of range, an assumption
        without a source), a date that is no date or out of order, a file that is not there, an engine that is
        not installed, an assumption that only stands in although the data is real, or no key for real data.

    References
    ----------
    design.md, 8.
    """
    rules = Draft202012Validator(yaml.safe_load(Path(schema).read_text()))
    for error in sorted(
        rules.iter_errors(config), key=lambda e: (len(e.absolute_path), list(map(str, e.absolute_path)))
    ):
        where = ".".join(map(str, error.absolute_path)) or "the top"
        raise RatebookError(f"config.yaml at {where}: {error.message}")
    _check_dates(config)
    for name in config["programs"]["files"]:
        if not Path(name).is_file():
            raise RatebookError(f"config.yaml at programs.files: there is no {name}")
    if config["engine"]["name"] == "spark" and importlib.util.find_spec("pyspark") is None:
        raise RatebookError("config.yaml at engine.name: spark needs the package pyspark, which is not installed")
    refuse_stand_ins(walk_assumptions(config), config["study"]["data_note"])
    check_key(config, environment)


def walk_assumptions(node, path: str = "") -> Iterator[dict]:
    """Give every setting that has a value, a unit and a source, by its key, in the order of the keys."""
    if not isinstance(node, dict):
        return
    if {"value", "unit", "source"} <= set(node):
        yield {
            "key": path,
            "value": json.dumps(node["value"], sort_keys=True),
            "unit": node["unit"],
            "assumption_source": node["source"],
            "is_placeholder": any(word in node["source"].lower() for word in STAND_INS),
        }
        return
    for name in sorted(node):
        yield from walk_assumptions(node[name], f"{path}.{name}" if path else name)


def refuse_stand_ins(assumptions: Iterable[dict], data_note: str) -> None:
    """Let no number nobody chose into the results of real data.

    Parameters
    ----------
    assumptions : iterable of dict
        As `walk_assumptions` gives them.
    data_note : str
        `study.data_note`; empty for data about real services. Synthetic data may run on stand-ins.

    Raises
    ------
    RatebookError
        Listing the keys to set, and how.
    """
    standing_in = [f"{row['key']} ({row['assumption_source']})" for row in assumptions if row["is_placeholder"]]
    if data_note or not standing_in:
        return
    raise RatebookError(
        f"config.yaml: study.data_note is empty, so the data is real, but {len(standing_in)} assumptions only stand in "
        "for the demonstration. Give each of them, in your own config, a value, a unit and a source that says where the "
        f"value is from (a source with the words {', '.join(STAND_INS)} is refused):\n  " + "\n  ".join(standing_in)
    )


def _check_dates(config: dict) -> None:
    dates = {}
    for key in dict.fromkeys(key for pair in ORDERS for key in pair):
        section, name = key.split(".")
        try:
            dates[key] = dt.date.fromisoformat(config[section][name])
        except ValueError:
            raise RatebookError(f"config.yaml at {key}: {config[section][name]!r} is no date") from None
    for first, second in ORDERS:
        if dates[first] > dates[second]:
            raise RatebookError(f"config.yaml at {first}: {dates[first]} comes after {second}, {dates[second]}")
