"""The doors to Parquet: types, order, limits, and messages that hold no data."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from ratebook.contracts.base import Contract, Field, Usd
from ratebook.errors import BrokenContract, RatebookError
from ratebook.tables import empty_frame, frame_of, open_source, open_table, read_table, write_table


class Visits(Contract):
    """One row per person and day."""

    person_id: str = Field("Person.")
    visit_date: dt.date = Field("Day.")
    visits: int = Field("Visits.", ge=1)
    paid_usd: Usd = Field("Paid.", nullable=True)

    class Config(Contract.Config):
        unique = ("person_id", "visit_date")


class ManyVisits(Visits):
    """One row per person and day, many."""

    class Config(Visits.Config):
        claims_scale = True


class Sparse(Contract):
    """One row per person, of whom little may be known."""

    person_id: str = Field("Person.")
    count: int = Field("Count.", nullable=True)
    is_so: bool = Field("Whether it is so.", nullable=True)
    day: dt.date = Field("Day.", nullable=True)
    usd: Usd = Field("Paid.", nullable=True)

    class Config(Contract.Config):
        unique = ("person_id",)


def frame(**changes) -> pd.DataFrame:
    start = {
        "person_id": ["b", "a"],
        "visit_date": pd.to_datetime(["2024-01-02", "2024-01-01"]),
        "visits": [1, 2],
        "paid_usd": [0.1, None],
    }
    return pd.DataFrame({**start, **changes})


def test_what_is_written_is_read_in_the_order_of_the_key(tmp_path):
    write_table(frame(), tmp_path / "visits.parquet", Visits)
    found = read_table(tmp_path / "visits.parquet", Visits)
    assert found.person_id.tolist() == ["a", "b"]
    assert found.paid_usd.dtype == "float64"
    assert found.visit_date.dtype.kind == "M"


def test_cents_stay_exact_where_asked(tmp_path):
    write_table(frame(paid_usd=[0.1, 0.2]), tmp_path / "visits.parquet", Visits)
    assert str(read_table(tmp_path / "visits.parquet", Visits, exact=True).paid_usd.sum()) == "0.30"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"visits": [0, 2]}, "visits below 1: 1 rows", id="below the limit"),
        pytest.param({"person_id": [None, "a"]}, "person_id is null: 1 rows", id="null where none may be"),
        pytest.param(
            {"person_id": ["secret", "secret"], "visit_date": pd.to_datetime(["2024-01-01"] * 2)},
            "repeated: 1 rows",
            id="key twice",
        ),
    ],
)
def test_a_broken_contract_counts_rows_shows_no_value_and_leaves_no_file(tmp_path, changes, said):
    with pytest.raises(BrokenContract) as error:
        write_table(frame(**changes), tmp_path / "visits.parquet", Visits)
    assert said in str(error.value)
    assert "secret" not in str(error.value)
    assert not (tmp_path / "visits.parquet").exists()


@pytest.mark.parametrize("columns", [["person_id"], ["person_id", "visit_date", "visits", "paid_usd", "extra"]])
def test_a_missing_or_unknown_column_is_refused(tmp_path, columns):
    table = frame(extra=1)[columns]
    with pytest.raises(BrokenContract):
        write_table(table, tmp_path / "visits.parquet", Visits)


def test_a_claims_scale_table_is_a_folder_and_never_enters_pandas(tmp_path, table, run):
    path = tmp_path / "visits.parquet"
    drawn = table(
        """\
        person_id | visit_date | visits | paid_usd
        b         | 2024-01-01 | 1      | 5.00
        a         | 2024-01-01 | 1      | 2.50
        """,
        ManyVisits,
    )
    write_table(drawn, path, ManyVisits)
    assert path.is_dir()
    assert str(run(open_table(path, ManyVisits).paid_usd.sum())) == "7.50"
    with pytest.raises(RatebookError):
        read_table(path, ManyVisits)


def test_an_empty_table_keeps_its_types(tmp_path, table, run):
    write_table(empty_frame(Visits), tmp_path / "none.parquet", Visits)
    assert read_table(tmp_path / "none.parquet", Visits).empty
    drawn = table("person_id", ManyVisits)
    write_table(drawn, tmp_path / "none_many.parquet", ManyVisits)
    assert run(open_table(tmp_path / "none_many.parquet", ManyVisits).count()) == 0


def test_a_sum_of_whole_numbers_and_a_moved_date_are_written_in_the_types_of_the_contract(table, tmp_path):
    class Moved(Contract):
        """One row per person."""

        person_id: str = Field("Person.")
        moved_date: dt.date = Field("A date the engine turns into a time stamp.")
        total: int = Field("A sum the engine widens.")

        class Config(Contract.Config):
            unique = ("person_id",)
            claims_scale = True

    rows = table("person_id | first_date\nA | 2024-01-31\nA | 2024-02-28")
    rows = rows.mutate(moved_date=rows.first_date + ibis.interval(days=1), days=ibis.literal(2, "int64"))
    moved = rows.group_by("person_id").agg(moved_date=rows.moved_date.max(), total=rows.days.sum())
    write_table(moved, tmp_path / "moved.parquet", Moved)
    [row] = open_table(tmp_path / "moved.parquet", Moved).to_pyarrow().to_pylist()
    assert row == {"person_id": "A", "moved_date": dt.date(2024, 2, 29), "total": 4}


def test_a_ragged_line_of_a_csv_source_is_named_by_its_number_and_not_quoted(tmp_path):
    rows = ["person_id,visit_date,visits,paid_usd"] + [f"P{n},2024-01-01,1,1.00" for n in range(40_000)]
    rows.append("SECRET,2024-01-01,1,1.00,extra,more")
    (tmp_path / "visits.csv").write_text("\n".join(rows) + "\n")
    source = open_source([str(tmp_path / "visits.csv")], "csv", ",", "file")
    typed = source.drop("file").cast({"visit_date": "date", "visits": "int64", "paid_usd": "decimal(14, 2)"})
    with pytest.raises(RatebookError, match="line 40002") as error:
        write_table(typed, tmp_path / "visits.parquet", ManyVisits)
    assert "SECRET" not in str(error.value)


def test_rows_are_laid_out_in_the_columns_of_the_contract():
    rows = [{"visits": 2, "person_id": "a", "note": "of no column"}, {"person_id": "b", "paid": 1.5}]
    found = frame_of(rows, Visits, paid_usd="paid")
    assert found.columns.tolist() == list(Visits.types())
    assert found.paid_usd.isna().tolist() == [True, False] and found.visits.isna().tolist() == [False, True]
    assert found.visit_date.isna().all()


def test_rows_as_tuples_or_as_a_frame_are_laid_out_alike():
    rows = frame().to_dict("records")
    for same in ([tuple(row.values()) for row in rows], frame()[::-1].iloc[::-1], frame(other=1)):
        pd.testing.assert_frame_equal(frame_of(same, Visits), frame_of(rows, Visits))
    with pytest.raises(ValueError, match="columns"):
        frame_of([("a", "2024-01-01", 1)], Visits)


@pytest.mark.parametrize("nothing", [[], frame()[:0]], ids=["no row", "a frame without one"])
def test_no_row_is_the_empty_frame(nothing):
    pd.testing.assert_frame_equal(frame_of(nothing, Visits), empty_frame(Visits))


def test_what_a_row_lacks_is_written_as_null_whatever_its_type(tmp_path):
    rows = [{"person_id": "a"}, {"person_id": "b", "count": 3, "is_so": True, "day": dt.date(2024, 1, 1), "usd": 1.25}]
    write_table(frame_of(rows, Sparse), tmp_path / "sparse.parquet", Sparse)
    found = read_table(tmp_path / "sparse.parquet", Sparse)
    assert found.iloc[0, 1:].isna().all()
    assert found.iloc[1].tolist() == ["b", 3, True, pd.Timestamp("2024-01-01"), 1.25]
