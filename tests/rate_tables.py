"""Sums of experience of any size, made up: what the benchmark of rates is measured on."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rate_tables(cells: int, categories: int) -> dict:
    """Make up the sums of 48 months: 20 cells a pool, four ages each, 256 groups of persons, payment over eight months."""
    rng, months, groups = np.random.default_rng(1), 48, 256
    names = [f"category {n:02d}" for n in range(categories)]
    bands = ("0-20", "21-44", "45-64", "65+")
    kinds = [f"pool {n // 20:02d} | medicaid | aid {n // 4:03d} | {bands[n % 4]} | none" for n in range(cells)]
    cell = np.array(kinds)
    pool = np.array([name.split(" | ")[0] for name in cell])
    month = pd.period_range("2014-01", periods=months, freq="M").to_timestamp()
    exposure = rng.uniform(100, 900, cells)
    growth = 1.05 ** (np.arange(months) / 12)
    cost = 20 * exposure[:, None, None] * growth * rng.gamma(50, 1 / 50, (cells, categories, months))
    at = [part.ravel() for part in np.meshgrid(range(cells), range(categories), range(months), indexing="ij")]
    experience = pd.DataFrame(
        {
            "cell": cell[at[0]],
            "pool": pool[at[0]],
            "plan": "BHP",
            "category": np.array(names)[at[1]],
            "service_month": month[at[2]],
            "members": 100,
            "member_months": exposure[at[0]],
            "paid_usd": cost.ravel(),
            "units": cost.ravel() / 50 * rng.uniform(0.9, 1.1, cost.size),
        }
    )
    shares = np.array([0.4, 0.3, 0.1, 0.08, 0.05, 0.04, 0.02, 0.01])
    kind, when, lag = (part.ravel() for part in np.meshgrid(range(categories), range(months), range(8), indexing="ij"))
    triangles = pd.DataFrame(
        {
            "category": np.array(names)[kind],
            "incurred_month": month[when],
            "lag_months": lag,
            "paid_usd": cost.sum(axis=0)[kind, when] * shares[lag] * rng.uniform(0.9, 1.1, len(lag)),
        }
    )
    triangles = triangles[when + lag < months + 3]
    part = rng.dirichlet(np.full(groups, 4.0), cells)
    base = cost[:, :, -12:].sum(axis=2)
    at = [part.ravel() for part in np.meshgrid(range(cells), range(categories), range(groups), indexing="ij")]
    labels = np.array([f"{n:02x}" for n in range(groups)])
    cell_groups = pd.DataFrame(
        {
            "cell": cell[at[0]],
            "category": np.array(names)[at[1]],
            "person_group": labels[at[2]],
            "members": 12,
            "member_months": (exposure[:, None] * 12 * part)[at[0], at[2]],
            "paid_usd": base[at[0], at[1]] * part[at[0], at[2]] * rng.gamma(1.0, 1.0, len(at[0])),
        }
    )
    at = [part.ravel() for part in np.meshgrid(range(categories), range(groups), range(months), indexing="ij")]
    group_months = pd.DataFrame(
        {
            "category": np.array(names)[at[0]],
            "person_group": labels[at[1]],
            "service_month": month[at[2]],
            "members": 100,
            "member_months": exposure.sum() / groups,
            "paid_usd": cost.sum(axis=0)[at[0], at[2]] / groups * rng.gamma(4.0, 0.25, len(at[0])),
        }
    )
    services = pd.DataFrame(
        {
            "category": np.repeat(names, 50 * months),
            "service": np.tile(np.repeat([f"code {n}" for n in range(50)], months), categories),
            "service_month": np.tile(month, 50 * categories),
            "paid_usd": rng.uniform(50, 150, 50 * months * categories),
            "units": rng.uniform(1, 2, 50 * months * categories),
        }
    )
    sums = experience.groupby("cell").agg(member_months=("member_months", "first"), paid_usd=("paid_usd", "sum"))
    sums["member_months"] *= 12
    moments = sums.assign(
        members=1000,
        months_squared=sums.member_months**2 / 900,
        paid_squared=sums.paid_usd**2 / 100,
        paid_months=sums.paid_usd * sums.member_months / 900,
    ).reset_index()
    excess = sums.assign(
        cell=sums.index,
        pool=[name.split(" | ")[0] for name in sums.index],
        member_years=100,
        members_beyond=3,
        excess_usd=(sums.paid_usd * rng.uniform(0, 0.05, len(sums))).round(2),
    ).reset_index(drop=True)
    return {
        "experience": experience,
        "excess": excess,
        "triangles": triangles,
        "services": services,
        "moments": moments,
        "cell_groups": cell_groups,
        "group_months": group_months,
    }
