"""Person-scale tables of cost for tests: the arms of GT-13, and a random program with censoring."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.dates import MONTH_DAYS

STUDY = {"horizon_days": 365, "intervals": 12, "min_observed_share": 0.05}
"""Settings that every test of cost has alike."""
SETTINGS = STUDY | {
    "boot_reps": 60,
    "seed": 3,
    "hybrid": {"per_episode_usd": 100, "per_month_usd": 50},
    "month_values_usd": [0, 1000],
}
EDGES = interval_days(STUDY["horizon_days"], STUDY["intervals"])
GT13 = {
    "CSP": {"months": 2, "program": 720.0, "other": 3280.0, "units": 60.0},
    "RSN": {"months": 6, "program": 1200.0, "other": 4800.0, "units": 60.0},
}


def paradox_tables(members: int = 4) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Members of GT-13, all alike and all observed for twelve months, at two providers an arm."""
    follow_up, costs, clients = [], [], []
    for arm, facts in GT13.items():
        days = facts["months"] * MONTH_DAYS
        for n in range(members):
            person = f"{arm}{n}"
            follow_up.append(_member(person, arm, f"{arm}-{n % 2}", 365, "horizon", 12.0))
            costs.append(_cost(person, 1, "NAVIGATOR", facts["program"], facts["program"], facts["units"]))
            costs.append(_cost(person, 1, "OP_SUD", facts["other"], 0.0, 10.0))
            clients.append(_client(person, 1, days, 1, facts["units"]))
    return pd.DataFrame(follow_up), pd.DataFrame(costs), pd.DataFrame(clients)


def random_tables(seed: int = 1, persons: int = 300) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A program with deaths, disenrolment, several categories and ten providers an arm."""
    rng = np.random.default_rng(seed)
    follow_up, costs, clients = [], [], []
    for n in range(persons):
        arm = ("RSN", "CSP")[n % 2]
        death, leaves = rng.geometric(1 / 2000), rng.geometric(1 / 700)
        followed = int(min(death, leaves, 365))
        reason = "horizon" if followed == 365 else "death" if death <= leaves else "disenrolled"
        person = f"P{n:04d}"
        follow_up.append(_member(person, arm, f"{arm}-{n % 20}", followed, reason, followed / MONTH_DAYS))
        engaged = int(min(followed, rng.integers(10, 300 if arm == "RSN" else 120)))
        costs.append(_cost(person, 0, "WM_RES", 1500.0, 0.0, 5.0, "index"))
        costs.append(_cost(person, 0, "OP_SUD", float(rng.integers(0, 500)), 0.0, 3.0, "pre"))
        for interval in range(1, int(np.searchsorted(EDGES, followed)) + 1):
            inside = max(0, min(engaged, EDGES[interval]) - EDGES[interval - 1])
            units = float(rng.poisson(inside / 3))
            paid = 150.0 * (inside > 0) + 300.0 * (interval == 1) if arm == "RSN" else 12.0 * units
            for category, usd in {
                "NAVIGATOR": paid,
                "OP_SUD": rng.gamma(1, 90),
                "IP_MEDICAL": rng.gamma(0.3, 400),
            }.items():
                cents = round(float(usd), 2)
                costs.append(_cost(person, interval, category, cents, cents * (inside > 0), max(units, 1.0)))
            if inside:
                clients.append(_client(person, interval, inside, int(interval == 1), units))
    return pd.DataFrame(follow_up), pd.DataFrame(costs), pd.DataFrame(clients)


def panels_of(people):
    """Lay people out by arm: the fixture `panels` of the files that ask for it."""
    return build_panels(*people, EDGES)


def _member(person, arm, provider, followed, reason, months) -> dict:
    return {
        "person_id": person,
        "arm": arm,
        "provider_id": provider,
        "discharge_date": dt.date(2016, 1, 1),
        "followed_days": followed,
        "end_reason": reason,
        "is_complete": reason in ("horizon", "death"),
        "eligible_months": months,
        "engaged_calendar_months": 3,
        "engaged_ceil30_months": 2,
        "contact_months": 2,
    }


def _cost(person, interval, category, usd, engaged_usd, units, window="post") -> dict:
    return {
        "person_id": person,
        "window": window,
        "interval": interval,
        "category": category,
        "cost_usd": usd,
        "real_cost_usd": usd,
        "engaged_cost_usd": engaged_usd,
        "units": units,
    }


def _client(person, interval, days, spells, units) -> dict:
    return {
        "person_id": person,
        "interval": interval,
        "engaged_days": days,
        "spells": spells,
        "contacts": 5,
        "billable_units": units,
    }
