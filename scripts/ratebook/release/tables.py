"""Released tables: small counts hidden, numbers rounded where the machine's last digit would show."""

from __future__ import annotations

import io
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ratebook.contracts.released import RELEASED
from ratebook.disclosure import disclose_tables
from ratebook.engagement.hidden_levels import follow_table_1

DIGITS = 9
"""Significant digits kept of a float: what differs beyond them is the order in which a machine sums."""


def release_tables(frames: dict[str, pd.DataFrame], limit: int) -> dict[str, pd.DataFrame]:
    """Give the released copy of every table: disclosed, rounded, in the order of its key.

    Parameters
    ----------
    frames : dict of DataFrame
        Tables by their released name; decimals stay decimals.
    limit : int
        Smallest count of persons that is shown.

    References
    ----------
    methods.md, 0.1 and H67; design.md, 6.
    """
    shown = disclose_tables(frames, RELEASED, limit)
    if "cohort" in shown:
        for name in [name for name in ("balance", "positivity") if name in shown]:
            shown[name] = follow_table_1(shown[name], RELEASED[name].contract, shown["cohort"])
    return {name: round_floats(frame) for name, frame in shown.items()}


def round_floats(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep nine significant digits of every float, and no negative zero."""
    frame = frame.copy()
    for column in frame.select_dtypes("float"):
        frame[column] = frame[column].map(lambda value: float(f"{value:.{DIGITS}g}") + 0.0, na_action="ignore")
    return frame


def csv_text(frame: pd.DataFrame) -> str:
    """Write a table as CSV: dates ISO, an empty cell for null, the same bytes on every machine."""
    frame = frame.copy()
    for column in frame.select_dtypes("datetime"):
        frame[column] = frame[column].dt.strftime("%Y-%m-%d")
    for column in frame.select_dtypes("float"):
        frame[column] = frame[column].map(lambda value: f"{value:.{DIGITS}g}", na_action="ignore")
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def write_released(frames: dict[str, pd.DataFrame], paths: list[str]) -> None:
    """Write every table to those of the paths that bear its name, as CSV or as Parquet by their ending."""
    for path in map(Path, paths):
        frame = frames[path.stem]
        if path.suffix == ".csv":
            path.write_text(csv_text(frame), encoding="utf-8")
        else:
            schema = ibis.schema(RELEASED[path.stem].contract.types()).to_pyarrow()
            columns = [pa.array(frame[f.name], from_pandas=True).cast(f.type, safe=False) for f in schema]
            pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")


def read_released(paths: list[str]) -> dict[str, pd.DataFrame]:
    """Read released Parquet tables by their name; decimals become floats, hidden cells NaN or None."""
    frames = {}
    for path in map(Path, paths):
        arrow = pq.read_table(path)
        plain = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in arrow.schema]
        frames[path.stem] = arrow.cast(pa.schema(plain)).to_pandas(date_as_object=False)
    return frames
