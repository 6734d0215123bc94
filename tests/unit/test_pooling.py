"""Pooling: large amounts leave a cell, come back as a charge, and a pool's total stays to the cent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratebook.contracts.risk_sharing import MemberYearExcess
from ratebook.rates.pooling import build_excess, derive_pooling, in_cents
from ratebook.tables import read_table, write_table

DAYS = pd.date_range("2016-01-01", "2017-12-01", freq="MS")


def excess_table(tmp_path, members: pd.DataFrame, lines: pd.DataFrame, attachment=1000.0, coinsurance=1.0):
    import ibis

    schema = {"member_months": "decimal(18, 12)", "cost_usd": "decimal(14, 2)", "service_month": "date"}
    made = []
    for frame in (members, lines):
        table = ibis.memtable(frame)
        made.append(
            table.mutate(**{name: table[name].cast(kind) for name, kind in schema.items() if name in table.columns})
        )
    path = tmp_path / "excess.parquet"
    write_table(build_excess(*made, "2016-01-01", attachment, coinsurance), path, MemberYearExcess)
    return read_table(path, MemberYearExcess).set_index("cell").astype({"paid_usd": float, "excess_usd": float})


def months_of(cells: dict[str, str]) -> pd.DataFrame:
    """Everyone a member in every month of two years; a person's cell as given."""
    rows = [(person, month, cell, "pool") for person, cell in cells.items() for month in DAYS]
    frame = pd.DataFrame(rows, columns=["person_id", "service_month", "cell", "pool"])
    return frame.assign(member_months=1.0, is_base=True, status="included")


def lines_of(members: pd.DataFrame, costs: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(costs, columns=["person_id", "service_month", "cost_usd"])
    frame["service_month"] = pd.to_datetime(frame.service_month)
    return frame.merge(members[["person_id", "service_month", "cell", "is_base", "status"]])


def test_a_cost_of_the_attachment_has_no_excess_and_a_cent_more_has_a_cent(tmp_path):
    members = months_of({"at": "a", "over": "b", "none": "a"})
    lines = lines_of(
        members, [("at", "2016-03-01", 400.0), ("at", "2016-12-01", 600.0), ("over", "2016-03-01", 1000.01)]
    )
    found = excess_table(tmp_path, members, lines)
    assert found.excess_usd.to_dict() == {"a": 0.0, "b": 0.01}
    assert found.member_years.to_dict() == {"a": 4, "b": 2}
    assert found.members_beyond.to_dict() == {"a": 0, "b": 1}
    assert found.member_months.to_dict() == {"a": 48.0, "b": 24.0}


def test_each_year_of_a_member_has_a_limit_of_its_own(tmp_path):
    members = months_of({"p": "a"})
    lines = lines_of(members, [("p", "2016-12-01", 900.0), ("p", "2017-01-01", 900.0)])
    assert excess_table(tmp_path, members, lines).excess_usd["a"] == 0
    same_year = lines_of(members, [("p", "2016-11-01", 900.0), ("p", "2016-12-01", 900.0)])
    assert excess_table(tmp_path, members, same_year).excess_usd["a"] == 800


def test_a_member_in_two_cells_passes_the_limit_once_and_shares_the_excess_by_cost(tmp_path):
    members = months_of({"p": "a"})
    members["cell"] = members.cell.where(members.service_month < "2016-07-01", "b")
    lines = lines_of(members, [("p", "2016-02-01", 900.0), ("p", "2016-08-01", 2100.0)])
    found = excess_table(tmp_path, members, lines, coinsurance=0.5)
    assert found.excess_usd.to_dict() == {"a": 300.0, "b": 700.0}


def test_what_is_not_in_the_base_counts_nowhere(tmp_path):
    members = months_of({"p": "a"})
    lines = lines_of(members, [("p", "2016-02-01", 5000.0)])
    assert excess_table(tmp_path, members, lines.assign(status="not_covered")).excess_usd["a"] == 0
    assert excess_table(tmp_path, members, lines.assign(is_base=False)).excess_usd["a"] == 0


def made(cells: int = 7, seed: int = 2) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    paid = draw.uniform(1e5, 1e6, cells).round(2)
    return pd.DataFrame(
        {
            "cell": [f"cell {n}" for n in range(cells)],
            "pool": ["x", "y"] * (cells // 2) + ["x"] * (cells % 2),
            "member_years": 100,
            "member_months": draw.uniform(500, 3000, cells),
            "paid_usd": paid,
            "members_beyond": 3,
            "excess_usd": (paid * draw.uniform(0, 0.3, cells)).round(2),
        }
    )


def test_a_pools_total_stays_to_the_cent():
    found = derive_pooling(made(), 1000.0, 1.0)
    sums = found.groupby("pool")[["paid_usd", "excess_usd", "charge_usd", "pooled_usd"]].sum().round(4)
    assert (sums.excess_usd.round(2) == sums.charge_usd.round(2)).all()
    assert (sums.paid_usd.round(2) == sums.pooled_usd.round(2)).all()
    assert found.f_pooling.tolist() == pytest.approx((found.pooled_usd / found.paid_usd).tolist())
    charge = found.charge_pmpm_usd * found.member_months
    assert (found.charge_usd - charge).abs().max() <= 0.01 + 1e-9


def test_cells_of_a_pool_pay_the_same_charge_a_member_month():
    found = derive_pooling(made(), 1000.0, 1.0)
    assert (found.groupby("pool").charge_pmpm_usd.nunique() == 1).all()


def test_no_excess_pools_nothing_and_no_member_month_pays_nothing():
    found = derive_pooling(made().assign(excess_usd=0.0), 1e9, 1.0)
    assert (found.pooled_usd == found.paid_usd).all() and (found.f_pooling == 1).all()
    empty = derive_pooling(made().assign(member_months=0.0, paid_usd=0.0, excess_usd=0.0), 1000.0, 1.0)
    assert (empty.charge_usd == 0).all() and empty.charge_pmpm_usd.isna().all() and (empty.f_pooling == 1).all()
    assert derive_pooling(made().iloc[:0], 1000.0, 1.0).empty


@pytest.mark.parametrize(
    ("shares", "total", "cents"),
    [
        ([1 / 3, 1 / 3, 1 / 3], 1.0, [0.34, 0.33, 0.33]),
        ([0.005, 0.995], 1.0, [0.01, 0.99]),
        ([2.0, 3.0], 5.0, [2.0, 3.0]),
    ],
)
def test_cents_left_over_go_to_the_largest_remainders(shares, total, cents):
    assert in_cents(np.array(shares), total).tolist() == pytest.approx(cents)


def test_the_order_of_rows_changes_nothing():
    mixed = made().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(derive_pooling(mixed, 1000.0, 1.0), derive_pooling(made(), 1000.0, 1.0))
