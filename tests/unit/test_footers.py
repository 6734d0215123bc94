"""What a footer proves of a column must be so of its rows; what it does not prove is asked of them."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ratebook.contracts.base import Contract, Field, Usd
from ratebook.errors import BrokenContract
from ratebook.footers import Known, read_footers
from ratebook.tables import check_table, engine, write_table


class Small(Contract):
    """One row per number."""

    number: int = Field("Number.", ge=0, le=9)
    usd: Usd = Field("Dollars.", nullable=True)
    word: str = Field("Word.", isin=("a", "b"))

    class Config(Contract.Config):
        unique = ("number",)


def parts(folder, *tables):
    folder.mkdir()
    for place, table in enumerate(tables):
        pq.write_table(pa.table(table), folder / f"data_{place}.parquet", row_group_size=2)
    return folder


def test_a_folder_is_known_by_all_its_parts_and_row_groups(tmp_path):
    first = {"number": [3, None, 7], "usd": pa.array([Decimal("1.50"), None, None], pa.decimal128(14, 2))}
    second = {
        "number": [None, 12, -1],
        "usd": pa.array([Decimal("-2.00"), None, Decimal("9.99")], pa.decimal128(14, 2)),
    }
    known = read_footers(parts(tmp_path / "t.parquet", first, second))
    assert known["number"] == Known(2, -1, 12)
    assert known["usd"].nulls == 3


def test_a_row_group_of_empty_cells_leaves_the_limits_unknown(tmp_path):
    known = read_footers(parts(tmp_path / "t.parquet", {"number": pa.array([1, 2, None, None], pa.int64())}))
    assert known["number"] == Known(2, None, None)


def test_floats_and_text_have_no_limits_for_a_footer_may_leave_some_out(tmp_path):
    table = {"share": [0.5, float("nan")], "word": ["a", "b"]}
    known = read_footers(parts(tmp_path / "t.parquet", table))
    assert known["share"] == Known(0, None, None) and known["word"] == Known(0, None, None)


def test_what_no_footer_proves_is_asked_of_the_rows(tmp_path):
    table = pa.table({"number": [1, 12], "usd": [None, None], "word": ["a", None]})
    pq.write_table(table, tmp_path / "t.parquet", write_statistics=False)
    assert read_footers(tmp_path / "t.parquet")["number"] == Known()
    with pytest.raises(BrokenContract, match=r"number above 9: 1 rows; word is null: 1 rows"):
        check_table(
            engine().read_parquet(str(tmp_path / "t.parquet")), Small, "t", read_footers(tmp_path / "t.parquet")
        )


@pytest.mark.parametrize(
    "broken, message",
    [
        ({"number": -1}, "number below 0: 1 rows"),
        ({"number": 10}, "number above 9: 1 rows"),
        ({"word": None}, "word is null: 1 rows"),
        ({"word": "c"}, "word not one of"),
        ({"number": 2}, "repeated: 1 rows"),
    ],
)
def test_a_broken_row_is_found_whatever_the_footers_say(tmp_path, broken, message):
    rows = pd.DataFrame({"number": [1, 2], "usd": [Decimal("1.00"), None], "word": ["a", "b"]})
    write_table(rows, tmp_path / "t.parquet", Small)
    changed = pd.concat([rows, pd.DataFrame([{"number": 3, "usd": None, "word": "a", **broken}])], ignore_index=True)
    with pytest.raises(BrokenContract, match=message):
        write_table(changed, tmp_path / "t.parquet", Small)
