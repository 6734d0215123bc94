"""Speed and memory of the rates: of cells and categories, and of every long-term-care program."""

from __future__ import annotations

from pathlib import Path

import yaml

from bench_tools import ROOT, measured, project_in, watched

PRICED = [
    f"results/programs/{name}.parquet"
    for name in ("program_rates", "plan_liability", "program_reconciliation", "program_comparison")
]
MEMBER_MONTHS = "results/programs/ltc_member_months.parquet"
MONTHS = 48


def bench_rates(cells: int, categories: int) -> dict:
    """Rate so many cells and categories over 48 months of experience, limits of every rate included.

    From sums by cell, category and month on; the sums themselves are the engine's work, which `clean` measures. The
    yardstick is the limits without matrices: one replicate by grouping the same sums, times the replicates.
    """
    from rate_tables import rate_tables

    tables = rate_tables(cells, categories)
    found = measured(rate, tables)
    again = measured(redraw_rates_plainly, tables)["seconds"] / 3 * RATE_REPLICATES
    return {
        "cells": cells,
        "categories": categories,
        **found,
        "yardstick_seconds": round(again, 1),
        "ratio_to_yardstick": round(found["seconds"] / again, 3),
    }


RATE_REPLICATES = 500


def rate(tables: dict) -> dict:
    """Run what the doors of rates run, from the sums on; give the tables of the last of them."""
    from ratebook.rates import derive
    from ratebook.rates.book import POOLING
    from ratebook.rates.completion import estimate_completion
    from ratebook.rates.diagonals import compare_diagonals
    from ratebook.rates.pooling import derive_pooling
    from ratebook.rates.relativities import derive_relativities
    from ratebook.rates.trend import estimate_trend
    from ratebook.rates.uncertainty import estimate_uncertainty

    own = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]
    experience, triangles, last = tables["experience"], tables["triangles"], "2018-03-31"
    base_months = (own["base_start"], own["base_end"])
    _, ultimates, base = estimate_completion(triangles, experience, base_months, last, own["completion"])
    compare_diagonals(triangles, last, own["completion"])
    trend = estimate_trend(experience, ultimates, own["trend"], tables["services"])
    pooling = derive_pooling(tables["excess"], *(own["pooling"][name]["value"] for name in POOLING))
    build = derive.derive_rate_build(experience, tables["moments"], base, trend, pooling, own)
    trusted = derive.derive_credibility(experience, tables["moments"], own)
    rates = derive.derive_rates(build, trusted, base, trend, derive.place_cells(experience), own)
    derive_relativities(rates, own)
    derive.derive_plan_rates(experience, rates, own)
    of_persons = tables["cell_groups"], tables["group_months"]
    return estimate_uncertainty(
        build, rates, base, ultimates, trend, *of_persons, {**own, "replicates": RATE_REPLICATES}, 1
    )


def redraw_rates_plainly(tables: dict) -> None:
    """Draw groups of persons and sum their cost by cell and category, three times."""
    import numpy as np

    groups, rng = tables["cell_groups"], np.random.default_rng(1)
    names = np.unique(groups.person_group)
    for _ in range(3):
        weight = dict(zip(names, rng.multinomial(len(names), np.full(len(names), 1 / len(names)))))
        times = groups.person_group.map(weight)
        drawn = groups.assign(paid_usd=groups.paid_usd * times, member_months=groups.member_months * times)
        drawn.groupby(["cell", "category"])[["paid_usd", "member_months"]].sum()


def bench_programs(members: int, folder: Path) -> dict:
    """Price every program on so many members of 48 months, from their member months to the comparison.

    The months are those of the default run, each of its people written out as often as it takes. The yardstick is one
    query that reads the same months and sums every amount by setting, class, sex and year.
    """
    project = project_in(folder, {"engine": {"scratch": str(folder / "scratch")}})
    watched(project, [MEMBER_MONTHS])
    found = measured(repeat_members, project / MEMBER_MONTHS, members * MONTHS, folder)
    rows = count_rows(project / MEMBER_MONTHS)
    found = watched(project, PRICED)
    yard = measured(sum_amounts, project / MEMBER_MONTHS)
    return {
        "member_months": rows,
        **found,
        "yardstick_seconds": yard["seconds"],
        "ratio_to_yardstick": round(found["seconds"] / yard["seconds"], 1),
    }


def count_rows(table: Path) -> int:
    import duckdb

    return duckdb.sql(f"select count(*) from '{table}/*.parquet'").fetchall()[0][0]


def repeat_members(table: Path, rows: int, folder: Path) -> None:
    """Write every person's months out several times, each time as another person, in place."""
    import duckdb

    times = -(-rows // count_rows(table))
    duckdb.connect(config={"threads": 2, "memory_limit": "4GB"}).sql(
        f"""
        copy (
            select months.* replace (months.person_id || '.' || copies.range as person_id)
            from '{table}/*.parquet' as months, range({times}) as copies
        ) to '{folder}/months.parquet' (format parquet, compression zstd)
        """
    )
    for part in table.glob("*.parquet"):
        part.unlink()
    (folder / "months.parquet").rename(table / "part-0.parquet")


def sum_amounts(table: Path) -> None:
    """Read the months once, and sum every amount by what people are."""
    import duckdb

    found = duckdb.sql(f"describe select * from '{table}/*.parquet'").fetchall()
    sums = ", ".join(f"sum({name})" for name, *_ in found if name.endswith("_usd"))
    duckdb.connect(config={"threads": 2}).sql(
        f"select setting, sex, year(service_month), {sums} from '{table}/*.parquet' group by all"
    ).fetchall()
