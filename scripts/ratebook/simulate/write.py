"""From columns of numbers to Parquet parts in the raw layout.

A part is written as soon as its batch is made, so that memory does not grow with the number of members. This is the
one stage that writes Parquet itself: `tables.write_table` takes whole tables.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ratebook.contracts.base import COUNTED, Contract
from ratebook.simulate.block import DATES, FLAGS, MONEY, NO_WORD, NULL, WORDS, Block
from ratebook.simulate.world import vocabulary

KINDS = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "decimal(14, 2)": pa.decimal128(14, 2),
    "decimal(18, 4)": pa.decimal128(18, 4),
}
ALIAS = 10**9
"""A person number of k·ALIAS + n is id k of person n: PREFIXES[k] and the number."""
PREFIXES = ("P", "U", "&", "Q", "R", "S", "T")
"""Current id; id nobody knows; unverified placeholder; former id; id before the former one; id the crosswalk sends to
two persons; id that two persons had, one after the other."""
FORMER, BEFORE, SPLIT, REUSED = 3, 4, 5, 6
"""Kinds of former ids, as numbers of PREFIXES."""
VERSION = 10**8
"""A claim number of k·VERSION + n is version k of claim n, in a feed that writes versions as suffixes."""


def source_types(contract: type[Contract]) -> dict[str, str]:
    """Give the columns a source has: those of the raw table but the one that is counted when it is read."""
    return {name: kind for name, kind in contract.types().items() if name != COUNTED}


def dates(days: np.ndarray) -> pa.Array:
    """Turn days since 1970 into dates."""
    days = np.asarray(days, np.int64)
    empty = days == NULL
    return pa.array(np.where(empty, 0, days).astype(np.int32), mask=empty).cast(pa.date32())


def decimals(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Turn whole numbers of the smallest unit into decimals, without going through floats."""
    values = np.asarray(values, np.int64)
    valid = values != NULL
    whole = np.where(valid, values, 0)
    wide = np.stack([whole, whole >> 63], axis=1)
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(np.ascontiguousarray(wide))])


def texts(codes: np.ndarray, names: np.ndarray | None = None) -> pa.Array:
    """Turn numbers of words into text, as a dictionary of the words that occur, in alphabetical order."""
    names = vocabulary() if names is None else np.asarray(names, dtype=object)
    codes = np.asarray(codes, np.int64)
    used = np.zeros(len(names) + 1, bool)
    used[codes] = True
    found = np.flatnonzero(used[:-1])
    order = np.argsort(names[found]) if len(found) else found
    place = np.full(len(names) + 1, -1, np.int32)
    place[found[order]] = np.arange(len(found), dtype=np.int32)
    index = pa.array(place[codes], mask=codes == NO_WORD)
    return pa.DictionaryArray.from_arrays(index, pa.array(names[found[order]], pa.string()))


def numbered(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Write ids: a prefix and a number of fixed width; null numbers give null ids."""
    numbers = np.asarray(numbers, np.int64)
    empty = numbers == NULL
    digits = pc.utf8_lpad(pa.array(np.where(empty, 0, numbers), mask=empty).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def persons(numbers: np.ndarray) -> pa.Array:
    """Write person ids: the prefix says which of a person's ids it is."""
    numbers = np.asarray(numbers, np.int64)
    empty = numbers == NULL
    kind = np.where(empty, 0, numbers // ALIAS)
    digits = pc.utf8_lpad(pa.array(np.where(empty, 0, numbers % ALIAS), mask=empty).cast(pa.string()), 8, "0")
    prefix = pa.DictionaryArray.from_arrays(pa.array(kind.astype(np.int32)), pa.array(PREFIXES)).cast(pa.string())
    return pc.binary_join_element_wise(prefix, digits, "")


def write_part(columns: dict[str, pa.Array], contract: type[Contract], folder: Path, part: str) -> int:
    """Write one part of a raw table; columns the generator does not fill are null."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = len(next(iter(columns.values())))
    fields, arrays = [], []
    for name, kind in source_types(contract).items():
        values = columns[name] if name in columns else pa.nulls(rows, KINDS[kind])
        fields.append(pa.field(name, values.type))
        arrays.append(values)
    unknown = set(columns) - set(source_types(contract))
    if unknown:
        raise KeyError(f"{contract.__name__} has no column {sorted(unknown)}")
    table = pa.table(arrays, schema=pa.schema(fields))
    pq.write_table(table, folder / f"{part}.parquet", compression="snappy", store_schema=False)
    return rows


def claim_ids(batch: int, claims: np.ndarray) -> pa.Array:
    """Write claim control numbers: the batch, the claim within it, and the suffix of a later version."""
    claims = np.asarray(claims, np.int64)
    whole = numbered(f"C{batch:05d}", np.where(claims == NULL, NULL, claims % VERSION), 8)
    version = pa.array(np.where(claims == NULL, 0, claims // VERSION))
    suffix = pc.if_else(pc.greater(version, 0), pc.binary_join_element_wise("-", version.cast(pa.string()), ""), "")
    return pc.binary_join_element_wise(whole, suffix, "")


def medical_columns(rows: Block, people: np.ndarray, batch: int, files: np.ndarray, names: list[str]) -> dict:
    """Give the columns of `medical_claims` for a batch of lines.

    `people` is the number of each member of the batch, `files` each line's source file among `names`.
    """
    columns = {full: dates(rows[name]) for name, full in DATES.items()}
    columns |= {full: texts(rows[name]) for name, full in WORDS.items()}
    columns |= {full: decimals(rows[name], pa.decimal128(14, 2)) for name, full in MONEY.items()}
    columns |= {full: pa.array(rows[name] == 1) for name, full in FLAGS.items()}
    return columns | {
        "claim_id": claim_ids(batch, rows["claim"]),
        "claim_line_number": pa.array(rows["line"]),
        "person_id": persons(member_ids(rows["person"], people)),
        "service_unit_quantity": decimals(rows["units"], pa.decimal128(18, 4)),
        "original_claim_id": claim_ids(batch, rows["target"]),
        "source_file": texts(files, names),
        "load_sequence": pa.array(batch * 10**8 + np.arange(1, len(files) + 1)),
    }


def member_ids(person: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Turn numbers within a batch, aliases included, into numbers of the whole program."""
    empty = person == NULL
    plain = np.where(empty, 0, person)
    return np.where(empty, NULL, plain // ALIAS * ALIAS + people[plain % ALIAS])


def pharmacy_columns(rows: dict, people: np.ndarray, batch: int, files: np.ndarray, names: list[str]) -> dict:
    """Give the columns of `pharmacy_claims` for a batch of dispensings."""
    n = len(rows["person"])
    money = pa.decimal128(14, 2)
    return {
        "claim_id": numbered(f"D{batch:05d}", rows["claim"], 8),
        "claim_line_number": pa.array(np.ones(n, np.int64)),
        "person_id": persons(member_ids(rows["person"], people)),
        "plan": texts(rows["plan"]),
        "prescribing_provider_npi": texts(rows["prescriber"]),
        "dispensing_provider_npi": texts(rows["pharmacy"]),
        "dispensing_date": dates(rows["day"]),
        "ndc_code": texts(rows["ndc"]),
        "quantity": decimals(rows["quantity"], pa.decimal128(18, 4)),
        "days_supply": pa.array(rows["supply"]),
        "refills": pa.array(np.zeros(n, np.int64)),
        "paid_date": dates(rows["paid_date"]),
        "paid_amount": decimals(rows["paid"], money),
        "allowed_amount": decimals(rows["allowed"], money),
        "copayment_amount": decimals(np.zeros(n, np.int64), money),
        "adjustment_code": texts(rows["adjustment"]),
        "original_claim_id": numbered(f"D{batch:05d}", rows["target"], 8),
        "source_file": texts(files, names),
        "load_sequence": pa.array(batch * 10**8 + np.arange(1, n + 1)),
    }


def write_single(table: pa.Table, contract: type[Contract], path: Path) -> None:
    """Write a small raw table whole, in its contract's columns."""
    schema = pa.schema([pa.field(name, KINDS[kind]) for name, kind in source_types(contract).items()])
    pq.write_table(table.select(schema.names).cast(schema), path, compression="snappy", store_schema=False)


def empty_table(contract: type[Contract]) -> pa.Table:
    """Give a raw table with no row."""
    return pa.schema([pa.field(name, KINDS[kind]) for name, kind in source_types(contract).items()]).empty_table()
