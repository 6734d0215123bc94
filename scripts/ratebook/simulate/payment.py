"""When and how claims are paid: feeds, header amounts, charges, lags, and what the extract does not yet hold."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.block import Block, by_claim, month_number, take
from ratebook.simulate.setup import Setup
from ratebook.simulate.world import word

LONGEST_LAG = 24
"""Months; later payments are counted here."""


def draw_lags(rng, kind: str, n: int) -> np.ndarray:
    """Draw days from the end of service to payment: log-normal, with stragglers over a long tail."""
    lag = world.LAGS[kind]
    days = np.exp(rng.normal(np.log(lag["median_days"]), lag["sigma"], n))
    late = rng.random(n) < lag["tail_share"]
    return np.maximum(np.where(late, days + rng.random(n) * lag["tail_days"], days), 1).astype(np.int64)


def pay(rng, setup: Setup, rows: Block, plan: str) -> Block:
    """Fill what every claim has: plan, record type, statuses, header amount, charge, and the day of payment."""
    claims = int(rows["claim"].max()) + 1 if len(rows["claim"]) else 0
    institutional = np.zeros(claims, bool)
    institutional[rows["claim"]] = rows["claim_type"] == word("institutional")
    lag = np.where(institutional, draw_lags(rng, "institutional", claims), draw_lags(rng, "professional", claims))
    header = by_claim(rows, rows["paid"]) if claims else np.zeros(0, np.int64)
    n = len(rows["claim"])
    return {
        **rows,
        "plan": np.full(n, word(plan), np.int32),
        "record_type": np.full(n, word("ffs"), np.int32),
        "adjustment": np.full(n, word("original"), np.int32),
        "claim_status": np.full(n, word("1"), np.int32),
        "line_status": np.full(n, word("1"), np.int32),
        "header_paid": header[rows["claim"]],
        "charge": np.rint(rows["allowed"] * 1.45).astype(np.int64),
        "paid_date": rows["claim_end"] + lag[rows["claim"]],
    }


def keep_extract(setup: Setup, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Drop what is paid after the extract: it is not in the data yet, and is what completion must find."""
    return take(rows, rows["paid_date"] <= setup.extract)


def tally_paid(plan: str, rows: dict[str, np.ndarray], days: np.ndarray) -> Counter:
    """Sum cents by category, month of service and months to payment, whenever they are paid: the truth of completion."""
    months = month_number(days)
    lag = np.minimum(month_number(rows["paid_date"]) - months, LONGEST_LAG)
    key = (rows["category"].astype(np.int64) * 10**4 + months) * 100 + lag
    found, inverse = np.unique(key, return_inverse=True)
    sums = np.rint(np.bincount(inverse, rows["paid"], minlength=len(found))).astype(np.int64)
    return Counter(
        {("paid", plan, int(k) // 10**6, int(k) // 100 % 10**4, int(k) % 100): int(v) for k, v in zip(found, sums)}
    )
