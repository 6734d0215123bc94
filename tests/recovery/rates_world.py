"""Experience of which the expected cost is known: members of lasting frailty, seasons, trends and payment lags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ratebook.rates.base import name_bands

MONTHS = 48
BASE = slice(36, 48)
YEARS_AHEAD = 2.0
FIRST = pd.Period("2014-01", "M")
GROUPS = 256
AGE_BANDS = tuple(range(0, 80, 10))
"""Cells of a pool are ages that follow each other, and differ by chance: smoothing has nothing to find."""
ABSENT = 0.25
"""Share of members who come late or leave early."""


@dataclass(frozen=True)
class Category:
    """Uses a member and year, dollars a use and their spread, and the share of a month's cost paid at each lag."""

    name: str
    uses: float
    usd: float
    spread: float
    frailty: float
    lags: tuple[float, ...]
    season: float = 0.1


CATEGORIES = (
    Category("outpatient", 12.0, 60.0, 0.6, 1.0, (0.35, 0.35, 0.15, 0.07, 0.04, 0.02, 0.01, 0.01)),
    Category("residential", 1.2, 900.0, 1.0, 2.0, (0.15, 0.40, 0.20, 0.10, 0.06, 0.04, 0.03, 0.02), 0.15),
    Category("medication", 10.0, 40.0, 0.4, 1.5, (0.90, 0.08, 0.02), 0.03),
)


@dataclass(frozen=True)
class RatesWorld:
    """What is planted, and what chance adds.

    `cells` by pool; `members` of a cell, from the first to the last; `shock` is what moves all members of a category
    in a month, as a share; `lag_weight` how steadily a month's cost is paid (the concentration of a Dirichlet).
    """

    cells: tuple[int, ...] = (4, 3)
    members: tuple[int, int] = (250, 900)
    apart: float = 0.15
    utilisation: float = 0.02
    unit_cost: float = 0.03
    shock: float = 0.02
    lag_weight: float = 300.0
    runout: int = 3


@dataclass
class Program:
    """One draw: the tables of the doors, and what is true of it."""

    experience: pd.DataFrame
    moments: pd.DataFrame
    triangles: pd.DataFrame
    cell_groups: pd.DataFrame
    group_months: pd.DataFrame
    last_paid: str
    unpaid_usd: dict[str, float]
    cost_ahead: pd.Series
    """By cell, expected cost per member month in the rating period."""


NAMES = pd.period_range(FIRST, periods=MONTHS, freq="M").to_timestamp()
"""First day of every month."""


def draw_program(world: RatesWorld, seed: int) -> Program:
    """Draw cells, members, their use, what it cost and when it was paid."""
    rng = np.random.default_rng(seed)
    pools = np.repeat([f"pool {n}" for n in range(len(world.cells))], world.cells)
    bands = name_bands(list(AGE_BANDS))
    cells = np.array([f"{pool} | {bands[n]}" for n, pool in enumerate(pools)])
    size = np.linspace(*world.members, len(cells)).astype(int)
    cell = np.repeat(np.arange(len(cells)), size)
    persons = len(cell)
    comes = np.where(rng.random(persons) < ABSENT, rng.integers(0, MONTHS, persons), 0)
    leaves = np.where(rng.random(persons) < ABSENT, rng.integers(0, MONTHS, persons), MONTHS)
    month = np.arange(MONTHS)
    there = (month >= comes[:, None]) & (month < leaves[:, None])
    group = rng.integers(0, GROUPS, persons)
    in_cell = (cell == np.arange(len(cells))[:, None]).astype(float)
    in_group = (group == np.arange(GROUPS)[:, None]).astype(float)
    exposure, of_group = in_cell @ there, in_group @ there
    base_months = there[:, BASE].sum(axis=1)
    of_both = np.zeros((len(cells), GROUPS))
    np.add.at(of_both, (cell, group), base_months)
    base_paid, tables, unpaid = np.zeros(persons), [], {}
    ahead = pd.Series(0.0, cells)
    for kind in CATEGORIES:
        relative = np.exp(rng.normal(-(world.apart**2) / 2, world.apart, len(cells)))
        season = 1 + kind.season * np.cos(2 * np.pi * (month + len(kind.name)) / 12)
        use = kind.uses / 12 * season * (1 + world.utilisation) ** (month / 12)
        price = kind.usd * (1 + world.unit_cost) ** (month / 12)
        shock = np.exp(rng.normal(-(world.shock**2) / 2, world.shock, MONTHS))
        frail = rng.gamma(1 / kind.frailty, kind.frailty, persons)
        count = rng.poisson(there * (frail * relative[cell])[:, None] * (use * shock))
        shape = 1 / kind.spread**2
        cost = np.zeros(count.shape)
        used = count > 0
        cost[used] = rng.gamma(count[used] * shape) / shape * np.broadcast_to(price, count.shape)[used]
        shares = rng.dirichlet(world.lag_weight * np.array(kind.lags), MONTHS)
        seen = month[:, None] + np.arange(len(kind.lags)) < MONTHS + world.runout
        paid_share = (shares * seen).sum(axis=1)
        unpaid[kind.name] = float((cost.sum(axis=0) * (1 - paid_share)).sum())
        paid = cost * paid_share
        base_paid += paid[:, BASE].sum(axis=1)
        grown = ((1 + world.utilisation) * (1 + world.unit_cost)) ** YEARS_AHEAD
        ahead += relative * (use * price)[BASE].mean() * grown
        tables.append(
            (kind.name, in_cell @ paid, in_cell @ (count * paid_share), cost.sum(axis=0), shares, seen, paid)
        )
    paid_at = [_by_group(name, paid, cell, group, in_group, cells, of_both, of_group) for name, *_, paid in tables]
    return Program(
        experience=pd.concat([_experience(*table[:3], cells, pools, exposure, in_cell @ there) for table in tables]),
        moments=_moments(cells, in_cell, base_months, base_paid),
        triangles=pd.concat([_triangle(name, cost, shares, seen) for name, _, _, cost, shares, seen, _ in tables]),
        cell_groups=pd.concat([both for both, _ in paid_at], ignore_index=True),
        group_months=pd.concat([months for _, months in paid_at], ignore_index=True),
        last_paid=str((FIRST + MONTHS - 1 + world.runout).to_timestamp().date()),
        unpaid_usd=unpaid,
        cost_ahead=ahead,
    )


def _experience(name, paid, units, cells, pools, exposure, members) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": np.repeat(cells, MONTHS),
            "pool": np.repeat(pools, MONTHS),
            "plan": "BHP",
            "category": name,
            "service_month": np.tile(NAMES, len(cells)),
            "members": members.ravel().astype(int),
            "member_months": exposure.ravel(),
            "paid_usd": paid.ravel(),
            "units": units.ravel(),
        }
    )


def _triangle(name, cost, shares, seen) -> pd.DataFrame:
    service, lag = np.nonzero(seen)
    return pd.DataFrame(
        {
            "category": name,
            "incurred_month": NAMES[service],
            "lag_months": lag,
            "paid_usd": (cost[:, None] * shares)[service, lag],
        }
    )


def _moments(cells, in_cell, months, paid) -> pd.DataFrame:
    here = in_cell * (months > 0)
    names = ("members", "member_months", "paid_usd", "months_squared", "paid_squared", "paid_months")
    values = (np.ones(len(months)), months, paid, months**2, paid**2, months * paid)
    return pd.DataFrame({"cell": cells, **{name: here @ value for name, value in zip(names, values)}})


def _by_group(name, paid, cell, group, in_group, cells, of_both, of_group) -> tuple[pd.DataFrame, pd.DataFrame]:
    cost = np.zeros(of_both.shape)
    np.add.at(cost, (cell, group), paid[:, BASE].sum(axis=1))
    there, which = np.nonzero(of_both > 0)
    labels = np.array([f"{n:02x}" for n in range(GROUPS)])
    both = pd.DataFrame(
        {
            "cell": cells[there],
            "category": name,
            "person_group": labels[which],
            "member_months": of_both[there, which],
            "paid_usd": cost[there, which],
        }
    )
    months = pd.DataFrame(
        {
            "category": name,
            "person_group": np.repeat(labels, MONTHS),
            "service_month": np.tile(NAMES, GROUPS),
            "member_months": of_group.ravel(),
            "paid_usd": (in_group @ paid).ravel(),
        }
    )
    return both, months
