"""The numbers of a rate that are not counted from the data: listed, and refused where they only stand in."""

from __future__ import annotations

import json

import pandas as pd

from ratebook.contracts.rates import Assumptions
from ratebook.errors import RatebookError
from ratebook.tables import empty_frame

PLACEHOLDER = "placeholder"


def list_assumptions(settings: dict, data_note: str, path: str = "rates") -> pd.DataFrame:
    """List every setting that has a value, a unit and a source.

    A source that begins with 'placeholder' is a stand-in for demonstration. Data about real services (an empty
    `study.data_note`) refuses it: a rate must not rest on a number nobody chose.

    Returns
    -------
    Assumptions

    Raises
    ------
    RatebookError
        Naming the keys, where a stand-in meets real data.

    References
    ----------
    methods.md, Appendix 1.
    """
    rows = list(_walk(settings, path))
    table = pd.DataFrame(rows, columns=list(Assumptions.types())) if rows else empty_frame(Assumptions)
    standing_in = sorted(table.key[table.is_placeholder.astype(bool)])
    if not data_note and standing_in:
        raise RatebookError(
            "config.yaml: study.data_note says the data is real, but these assumptions are placeholders: "
            + ", ".join(standing_in)
        )
    return table


def _walk(node, path: str):
    if not isinstance(node, dict):
        return
    if {"value", "unit", "source"} <= set(node):
        yield {
            "key": path,
            "value": json.dumps(node["value"], sort_keys=True),
            "unit": node["unit"],
            "assumption_source": node["source"],
            "is_placeholder": node["source"].lower().startswith(PLACEHOLDER),
        }
        return
    for name in sorted(node):
        yield from _walk(node[name], f"{path}.{name}")
