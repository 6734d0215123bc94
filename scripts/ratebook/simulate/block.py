"""Claim lines as columns of numbers: the shape in which every generator works.

A block is a dict of numpy arrays of one length. Dates are days since 1970, money is cents, units are ten-thousandths
and every text is the number of a word, so that a million lines are made, cut and joined without a Python loop.
"""

from __future__ import annotations

import numpy as np

NULL = np.iinfo(np.int64).min
"""A missing date, amount or number."""
NO_WORD = -1

DATES = {
    "claim_start": "claim_start_date",
    "claim_end": "claim_end_date",
    "line_start": "claim_line_start_date",
    "line_end": "claim_line_end_date",
    "admission": "admission_date",
    "discharge": "discharge_date",
    "paid_date": "paid_date",
}
WORDS = {
    "claim_type": "claim_type",
    "record_type": "record_type",
    "plan": "plan",
    "status": "discharge_disposition_code",
    "place": "place_of_service_code",
    "bill": "bill_type_code",
    "drg": "ms_drg_code",
    "revenue": "revenue_center_code",
    "hcpcs": "hcpcs_code",
    "modifier": "hcpcs_modifier_1",
    "dx1": "diagnosis_code_1",
    "dx2": "diagnosis_code_2",
    "procedure": "procedure_code_1",
    "rendering": "rendering_npi",
    "billing": "billing_npi",
    "facility": "facility_npi",
    "adjustment": "adjustment_code",
    "claim_status": "claim_status_code",
    "line_status": "line_status_code",
}
MONEY = {
    "header_paid": "header_paid_amount",
    "paid": "paid_amount",
    "allowed": "allowed_amount",
    "charge": "charge_amount",
    "tpl": "tpl_amount",
    "medicare_paid": "medicare_paid_amount",
    "coinsurance": "medicare_coinsurance_amount",
    "deductible": "medicare_deductible_amount",
    "copayment": "copayment_amount",
    "liability": "patient_liability_amount",
    "ffs_equivalent": "ffs_equivalent_amount",
}
FLAGS = {"denied": "denied_flag", "crossover": "crossover_flag"}
EMPTY = {
    "claim": 0,
    "line": 1,
    "person": 0,
    "target": NULL,
    "units": NULL,
    "category": 0,
    "resent": 0,
    "feed": 0,
    **dict.fromkeys(DATES, NULL),
    **dict.fromkeys(WORDS, NO_WORD),
    **dict.fromkeys(MONEY, NULL),
    "denied": 0,
    "crossover": 0,
}
"""Column to its value where a generator says nothing."""
SMALL = {**dict.fromkeys(WORDS, np.int32), "category": np.int8, "resent": np.int8}
SMALL |= {"feed": np.int8, "denied": np.int8}

Block = dict[str, np.ndarray]


def block(n: int, **columns) -> Block:
    """Give `n` lines: the columns named, broadcast, and every other one at its empty value."""
    found = {}
    for name, empty in EMPTY.items():
        value = np.asarray(columns.pop(name, empty))
        kind = SMALL.get(name, np.int64)
        found[name] = np.broadcast_to(value.astype(kind), (n,)).copy()
    if columns:
        raise KeyError(f"no such column: {sorted(columns)}")
    return found


def take(rows: Block, index: np.ndarray) -> Block:
    """Keep the rows of an index or a mask."""
    return {name: values[index] for name, values in rows.items()}


def stack(blocks: list[Block]) -> Block:
    """Put blocks below each other, numbering their claims on so that no two blocks share one."""
    blocks = [rows for rows in blocks if len(rows["claim"])]
    offset, parts = 0, []
    for rows in blocks:
        parts.append({**rows, "claim": rows["claim"] + offset})
        offset += int(rows["claim"].max()) + 1
    return append(parts)


def append(blocks: list[Block]) -> Block:
    """Put blocks below each other, claim numbers as they are."""
    return {name: np.concatenate([rows[name] for rows in blocks]) for name in EMPTY} if blocks else block(0)


def expand(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Repeat row i `counts[i]` times: the row each copy came from, and its number from 0 among its copies."""
    counts = np.asarray(counts, dtype=np.int64)
    source = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return source, np.arange(len(source)) - first


def by_claim(rows: Block, values: np.ndarray) -> np.ndarray:
    """Sum a column of whole numbers over each claim, one sum per claim number."""
    return np.rint(np.bincount(rows["claim"], weights=np.where(values == NULL, 0, values))).astype(np.int64)


def month_number(days: np.ndarray) -> np.ndarray:
    """Give the calendar month of days since 1970, as months since 1970."""
    return np.asarray(days, "datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(months: np.ndarray) -> np.ndarray:
    """Give the first day of months since 1970, as days since 1970."""
    return np.asarray(months, "datetime64[M]").astype("datetime64[D]").astype(np.int64)


def day(text: str) -> int:
    """Read an ISO date as days since 1970."""
    return int(np.datetime64(text, "D").astype(np.int64))


def monthly(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut closed spans at month ends: the span of each piece, its first and its last day."""
    start, end = np.asarray(start, np.int64), np.asarray(end, np.int64)
    first = month_number(start)
    source, step = expand(np.where(end >= start, month_number(end) - first + 1, 0))
    month = first[source] + step
    return source, np.maximum(start[source], month_start(month)), np.minimum(end[source], month_start(month + 1) - 1)
