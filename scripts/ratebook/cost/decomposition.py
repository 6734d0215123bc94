"""Why the arms differ: duration, intensity and price of the navigator, volume and price of every other service."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd

from ratebook.contracts.cost import OTHER_SUD, Decomposition
from ratebook.contracts.episodes import ARMS
from ratebook.cost.drawn import PARTS, Drawn, same_length
from ratebook.cost.resample import draw_members, means_of, per, summary
from ratebook.tables import frame_of

UNITS = {"duration": "months", "intensity": "15-minute units a month", "volume": "units", "price": "USD a unit"}


def shapley(before: list[np.ndarray], after: list[np.ndarray]) -> list[np.ndarray]:
    """Split the change of a product among its factors: each factor's effect averaged over the orders of change.

    For three factors this is Das Gupta's dx·[(y0z0 + y1z1)/3 + (y0z1 + y1z0)/6]. The effects sum to the change.

    References
    ----------
    methods.md, D9. Das Gupta 1993.
    """
    effects = [0.0] * len(before)
    for order in itertools.permutations(range(len(before))):
        now = [np.asarray(value, dtype=float) for value in before]
        for factor in order:
            was = math.prod(now)
            now[factor] = np.asarray(after[factor], dtype=float)
            effects[factor] = effects[factor] + (math.prod(now) - was) / math.factorial(len(before))
    return effects


def decompose(drawn: Drawn) -> pd.DataFrame:
    """Split the difference in total SUD cost per member, RSN less CSP, into parts that leave no residual.

    The navigator's cost is engaged months × units a month × paid per unit of the service log, so a case rate has
    a price too; every other category is units × paid per unit. All means are adjusted for censoring by interval,
    so the parts sum to the partitioned difference of `total_cost`. Where an arm used no unit, the other arm's
    price stands in and is flagged. Providers are drawn for the limits; the error of drawing members stands beside.

    Returns
    -------
    pandas.DataFrame
        As `Decomposition`.

    References
    ----------
    methods.md, D9 and H46.
    """
    of_members = same_length(
        [draw_members(drawn.panels[arm], means_of(PARTS), drawn.reps, [drawn.seed, n]) for n, arm in enumerate(ARMS)]
    )
    absent, reach = drawn.absent, drawn.reach("difference")
    factors = {"NAVIGATOR": ("duration", "intensity", "price")} | {name: ("volume", "price") for name in OTHER_SUD}
    rows = []
    for category, names in factors.items():
        errors = [summary(effect, absent)["std_error"] for *_, effect in _effects(category, *of_members)[0]]
        rows += _split(category, names, _effects(category, *drawn.pair), errors, absent, reach)
    return frame_of([{**row, "persons": drawn.persons("difference")} for row in rows], Decomposition)


def _effects(category: str, rsn: dict, csp: dict) -> tuple[list[tuple], bool]:
    """Give each factor's value in CSP and in RSN and its effect, by replicate; and whether a price is borrowed."""
    counts = ["engaged_months", "log_units"] if category == "NAVIGATOR" else [f"units of {category}"]
    before, after, is_borrowed = _factors(
        [csp[c] for c in counts], csp[category], [rsn[c] for c in counts], rsn[category]
    )
    return list(zip(before, after, shapley(before, after))), is_borrowed


def _split(
    category: str, names: tuple[str, ...], effects: tuple[list, bool], errors: list, absent: str, reach: float
) -> list[dict]:
    rows, is_borrowed = [], effects[1]
    for name, (was, now, effect), error in zip(names, effects[0], errors):
        found = summary(effect, absent, reach)
        no_price = "paid without a unit: no price" if not absent and not np.isfinite(effect[0]) else found["reason"]
        rows.append(
            {
                "category": category,
                "factor": name,
                "csp_value": np.nan if absent else was[0],
                "rsn_value": np.nan if absent else now[0],
                "unit": UNITS[name],
                "effect_usd": found["estimate"],
                "lower": found["lower"],
                "upper": found["upper"],
                "member_std_error": error,
                "is_price_borrowed": bool(is_borrowed),
                "reason": no_price,
            }
        )
    return rows


def _factors(counts0: list, cost0: np.ndarray, counts1: list, cost1: np.ndarray) -> tuple[list, list, bool]:
    """Turn nested counts and a cost into factors whose product is the cost: count, count per count, cost per count.

    A ratio over nothing borrows the other arm's, where its cost is nothing too; a cost without a count is undefined.
    """
    chain0, chain1 = [*counts0, cost0], [*counts1, cost1]
    before, after, is_borrowed = [chain0[0]], [chain1[0]], False
    for n in range(1, len(chain0)):
        ratio0, ratio1 = per(chain0[n], chain0[n - 1]), per(chain1[n], chain1[n - 1])
        lone0, lone1 = (chain0[n - 1] == 0) & (chain0[n] == 0), (chain1[n - 1] == 0) & (chain1[n] == 0)
        before.append(np.where(lone0, np.where(lone1, 0.0, ratio1), ratio0))
        after.append(np.where(lone1, np.where(lone0, 0.0, ratio0), ratio1))
        is_borrowed |= bool(lone0[0] != lone1[0])
    return before, after, is_borrowed
