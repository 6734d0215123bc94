"""What the supplier sends: files by feed and year of payment, and the totals that come with them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ratebook.simulate.block import NULL, month_number
from ratebook.simulate.world import vocabulary, word

UNPAID = 0
"""The month paid, as months since 1970, of what is not paid yet."""
FEEDS = ("", "header", "pending")
"""Feeds of one plan, by the number in a line's `feed`: the second states amounts of headers only, the third what is
not paid yet."""


def source_files(
    plan: str, kinds: np.ndarray, sent: np.ndarray, moved: np.ndarray | int = 0, feed: np.ndarray | int = 0
):
    """Say which file each line comes in: plan, feed, claim type and year it was sent in; `moved` lines come a year later.

    Returns
    -------
    tuple
        Each line's number of a file, and the files' names.
    """
    texts = vocabulary()
    year = month_number(sent) // 12 + 1970 + moved
    key = (kinds.astype(np.int64) * len(FEEDS) + feed) * 10000 + year
    found, index = np.unique(key, return_inverse=True)
    parts = [(*divmod(k // 10000, len(FEEDS)), k % 10000) for k in found]
    return index, [f"{plan}{FEEDS[at]}_{texts[kind]}_{year}.txt" for kind, at, year in parts]


def tally_control(files: np.ndarray, names: list[str], rows: dict, resent: np.ndarray, kind: np.ndarray) -> Counter:
    """Count lines and cents by file, month paid and claim type, each record once."""
    total, texts = Counter(), vocabulary()
    sent = resent == 0
    month = np.where(rows["paid_date"] == NULL, UNPAID, month_number(np.maximum(rows["paid_date"], 0)))
    key = (files * 10**6 + month) * 1000 + kind
    found, index = np.unique(key[sent], return_inverse=True)
    counts = np.bincount(index, minlength=len(found))
    cents = np.rint(np.bincount(index, np.where(rows["paid"] == NULL, 0, rows["paid"])[sent], minlength=len(found)))
    for k, count, paid in zip(found, counts, cents):
        name = ("control", names[k // 10**9], int(k // 1000 % 10**6), str(texts[k % 1000]))
        total[(*name, "rows")] += int(count)
        total[(*name, "cents")] += int(paid)
    return total


def pharmacy_kind(n: int) -> np.ndarray:
    """Give the claim type of dispensings."""
    return np.full(n, word("pharmacy"))
