"""Pseudonyms: ids of persons, providers, workers and records give way to keyed hashes before a table is written.

`python -m ratebook.intake.pseudonyms KIND` reads ids, one a line, and prints the pseudonym of each, under the key in the
environment: how whoever holds the key finds a claim of the payer's system among the results.
"""

from __future__ import annotations

import os
import sys

import ibis
import ibis.expr.operations as ops

from ratebook.errors import RatebookError
from ratebook.keys import derive, require_key
from ratebook.tables import engine, read_counts

IDS = {
    "person": ("person_id", "source_person_id"),
    "provider": (
        "rendering_npi",
        "billing_npi",
        "facility_npi",
        "prescribing_provider_npi",
        "dispensing_provider_npi",
        "provider_id",
    ),
    "worker": ("worker_id",),
    "claim": ("claim_id", "original_claim_id"),
    "record": ("log_id", "patient_control_number"),
}
"""Kind of id to the columns that hold one. A facility, a prescriber and a navigator's organisation are providers."""
PLACEHOLDER = "&"
"""A person id that begins so is an unverified placeholder (methods.md, A2.4): the mark stays before its hash."""
VERSION = r"[0-9]((?:[A-Za-z][0-9]{0,2})?(?:[-_./ ][A-Za-z0-9]{1,3}){0,2})$"
"""The ending of a claim's number that may mark a version, C123, C123-1, C123R (A5.6): it stays behind the hash.

What stands before it is hashed, so that versions still have their number in common. A number that itself ends so (…c87
of a hexadecimal one) keeps that ending, and can bear versions behind a dash only.
"""
VERSION_ROOM = 12
"""Characters at the end of a number in which all of `VERSION` lies: a digit, a letter with two, two dashes with three."""
LENGTH = 24
"""Digits of a pseudonym. Two ids share one with chance 2^-76: of 100 million ids any two at all with 1 in 20 million.

Digits only, as `DIGITS` makes them of the hexadecimal hash, so that a letter or a dash behind them is a version's.
"""
DIGITS = ("abcdef", "012345")
PLAIN = str.maketrans("0123456789", "ghiklmnopq")
"""Digits to letters: combined with the pads of HMAC, these and a to f give printable text, without quote or backslash."""


def hide_ids(table: ibis.Table, key: str | None) -> ibis.Table:
    """Replace every id of a raw table by its pseudonym; without a key, leave the table as it is.

    One id has one pseudonym per kind and key, in every table, so that joins, chains of ids and of claims, and keys
    all hold. Null stays null. Equal texts of two kinds have nothing in common. Whoever has the key can repeat the
    hash of a known id, and nobody can go back from it.

    Every row is hashed where it stands: to hash the distinct ids and join them was hardly faster (0.9 million lines),
    and a join loses the order of the rows, and with it that the same source gives the same bytes.

    Parameters
    ----------
    table : a raw table
        Columns of the contract.
    key : str or None
        As `keys.read_key` gives it.

    References
    ----------
    methods.md, A2.4 and A5.6.
    """
    if key is None:
        return table
    hidden = {
        column: hide_id(table[column], kind, key)
        for kind, columns in IDS.items()
        for column in columns
        if column in table.columns
    }
    return table.mutate(**hidden)


def hide_id(text: ibis.Value, kind: str, key: str) -> ibis.Value:
    """Hash ids of one kind with HMAC-SHA256 under the kind's own key, cut to `LENGTH` digits.

    What rules of cleaning look at stays readable, since it names nobody: `PLACEHOLDER` and `VERSION`.
    """
    if kind == "person":
        is_placeholder = text.startswith(PLACEHOLDER)
        hashed = _pseudonym(ibis.ifelse(is_placeholder, text.substr(1), text), kind, key)
        return ibis.ifelse(is_placeholder, ibis.literal(PLACEHOLDER), ibis.literal("")) + hashed
    if kind == "claim":
        version = text.right(VERSION_ROOM).re_extract(VERSION, 1)
        return _pseudonym(text.substr(0, text.length() - version.length()), kind, key) + version
    return _pseudonym(text, kind, key)


def subkey(kind: str, key: str) -> str:
    """Give the key of one kind of id: 64 letters, one whole block of SHA-256."""
    return derive(key, f"pseudonym of a {kind}").translate(PLAIN)


@ibis.udf.scalar.builtin
def unhex(text: str) -> bytes:
    """Two hexadecimal digits a byte; both engines have it by this name."""


def _pseudonym(text: ibis.Value, kind: str, key: str) -> ibis.Value:
    return _hmac(text, subkey(kind, key)).substr(0, LENGTH).translate(*DIGITS)


def _hmac(text: ibis.Value, block: str) -> ibis.Value:
    """HMAC as RFC 2104 writes it, H(block ^ 5c… || H(block ^ 36… || text)), for a key of exactly one block."""
    inner = "".join(chr(ord(letter) ^ 0x36) for letter in block)
    outer = "".join(f"{ord(letter) ^ 0x5C:02x}" for letter in block)
    digest = (ibis.literal(inner) + text).hexdigest("sha256")
    return ops.HexDigest(unhex(ibis.literal(outer) + digest), "sha256").to_expr()


def look_up(kind: str, ids: list[str], key: str) -> list[str]:
    """Give the pseudonym of each id that is not blank, in their order."""
    cells = {"place": list(range(len(ids))), "id": [text.strip() for text in ids]}
    engine()
    table = ibis.memtable(cells).filter(ibis._.id != "")
    return list(read_counts(table.select("place", pseudonym=hide_id(table.id, kind, key))).pseudonym)


def main(arguments: list[str]) -> None:
    """Read ids and print pseudonyms; neither an id nor the key is printed."""
    if len(arguments) != 1 or arguments[0] not in IDS:
        sys.exit(f"use: python -m ratebook.intake.pseudonyms {'|'.join(IDS)}, ids on its input, one a line")
    try:
        print("\n".join(look_up(arguments[0], sys.stdin.read().splitlines(), require_key(os.environ))))
    except RatebookError as error:
        sys.exit(str(error))
    except Exception as error:  # an engine's message may quote an id, or the query and in it the key of a kind
        sys.exit(f"the ids cannot be read ({type(error).__name__}; its message is withheld: it may quote one)")


if __name__ == "__main__":
    main(sys.argv[1:])
