"""What the footers of Parquet files prove of their columns, without a row being read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq


class Known(NamedTuple):
    """Of one column: how many cells are empty, the least and the greatest of the others; None where not known."""

    nulls: int | None = None
    least: Any = None
    most: Any = None


def read_footers(path: Path) -> dict[str, Known]:
    """Read what is known of every column of a Parquet file, or of a folder of parts.

    Limits are given of whole numbers and decimals only: of text a footer may hold the beginning, and of floats it
    leaves out what is not a number.

    Parameters
    ----------
    path : Path
        File or folder.

    Returns
    -------
    dict
        Column to `Known`.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    parts: dict[str, list[Known]] = {}
    for file in files:
        with pq.ParquetFile(file) as opened:
            exact = {field.name for field in opened.schema_arrow if _is_exact(field.type)}
            footer = opened.metadata
            for group in (footer.row_group(number) for number in range(footer.num_row_groups)):
                for column in (group.column(number) for number in range(group.num_columns)):
                    name = column.path_in_schema
                    parts.setdefault(name, []).append(_known(column.statistics, name in exact))
    return {name: _together(known) for name, known in parts.items()}


def _is_exact(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def _known(statistics, is_exact: bool) -> Known:
    if statistics is None or not statistics.has_null_count:
        return Known()
    has_limits = is_exact and statistics.has_min_max
    limits = (statistics.min, statistics.max) if has_limits else (None, None)
    return Known(statistics.null_count, *limits)


def _together(parts: list[Known]) -> Known:
    """Put chunks together: what one of them does not know is not known of the column."""
    told = [None if None in values else combine(values) for combine, values in zip((sum, min, max), zip(*parts))]
    return Known(*told)
