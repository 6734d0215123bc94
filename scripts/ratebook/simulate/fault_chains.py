"""Faults of a claim's later records: voids, replacements, interim bills, money without a service.

A feed says what adjusts what in its own way (methods.md, A5.6). The carve-out's feed is coded: every later record has
an adjustment code and names the claim it adjusts. The long-term-care feed has neither: a later version has the claim's
number and a suffix.
"""

from __future__ import annotations

import numpy as np

from ratebook.simulate.block import NULL, take
from ratebook.simulate.faults import Pick
from ratebook.simulate.world import word


def void(sign: int):
    """Give the fault of a claim voided later: amounts negative (-1), mirrored (1) or zero (0)."""

    def plant(pick: Pick) -> None:
        record = pick.version("void", pick.claims, (15, 60))
        _turn(pick, sign)
        pick.gone = [pick.claims, record]

    return plant


def _turn(pick: Pick, sign: int) -> None:
    """Write the amounts of the void just added; where no code says so, one of zero is zero throughout."""
    rows = pick.extra[-1]
    rows["paid"], rows["header_paid"] = sign * rows["paid"], sign * rows["header_paid"]
    if sign == 0 and not pick.is_coded:
        rows["allowed"], rows["charge"] = 0 * rows["allowed"], 0 * rows["charge"]


def void_no_number(pick: Pick) -> None:
    """A coded void names no claim: person, biller, dates and claim type say which it was."""
    record = pick.copy("void", None, (15, 60))
    _turn(pick, -1)
    pick.gone = [pick.claims, record]


def same_id_replacement(pick: Pick) -> None:
    """A replacement keeps the claim's own number: its code and its later payment tell it from the original."""
    pick.copy("replacement", None, (15, 60), 0.9)
    pick.extra[-1]["claim"] = pick.get("claim")
    pick.due = pick.extra[-1]["paid"]


def replacement(pick: Pick) -> None:
    """A later record takes a claim's place, at nine tenths of the amount."""
    pick.stands.append(pick.version("replacement", pick.claims, (15, 60), 0.9))


def void_replacement(pick: Pick) -> None:
    """A claim is voided, then replaced."""
    record = pick.version("void", pick.claims, (10, 30))
    _turn(pick, -1)
    follows = pick.claims if pick.is_coded else record
    pick.stands.append(pick.version("replacement", follows, (31, 60), 0.95))
    pick.gone = [pick.claims, record]


def replacement_chain(pick: Pick) -> None:
    """A replacement is itself replaced, pointing to the claim before it."""
    middle = pick.version("replacement", pick.claims, (10, 40), 1.2)
    pick.stands.append(pick.version("replacement", middle, (41, 90), 1.1))
    pick.gone = [pick.claims, middle]


def orphan_void(pick: Pick) -> None:
    """A void of something paid before the data begin."""
    pick.set(
        adjustment=word("void"),
        target=90_000_000 + pick.get("claim"),
        paid=-pick.get("paid"),
        header_paid=-pick.get("header_paid"),
    )


def orphan_replacement(pick: Pick) -> None:
    """A replacement of something paid before the data begin."""
    pick.set(adjustment=word("replacement"), target=90_000_000 + pick.get("claim"))


def money(adjustment: str, sign: int):
    """Give the fault of dollars that move without a service, a quarter of the claim's."""

    def plant(pick: Pick) -> None:
        record = pick.copy(adjustment, pick.claims, (20, 90), 0.25)
        rows = pick.extra[-1]
        rows["paid"], rows["header_paid"] = sign * rows["paid"], sign * rows["header_paid"]
        if adjustment == "credit":
            rows["tpl"] = np.abs(rows["paid"])
        pick.gone, pick.stands = [record], [pick.claims]

    return plant


def interim(pick: Pick) -> None:
    """A stay is billed in two parts that add up: the first says the patient is still there."""
    rows = take(pick.rows, pick.lines)
    middle = pick.get("admission") + (pick.get("discharge") - pick.get("admission")) // 2
    new = pick.next_claim + np.arange(len(pick.claims))
    pick.next_claim += len(new)
    nights = pick.get("line") == 1
    whole = {"units": np.where(nights, (middle - rows["admission"]) * 10000, rows["units"])}
    later = {**rows, "claim": new[pick.of], "claim_start": middle, "line_start": middle}
    later["bill"] = np.full(len(pick.lines), word("114"), np.int32)
    later["adjustment"] = np.full(len(pick.lines), word("interim"), np.int32)
    later["units"] = np.where(nights, (rows["discharge"] - middle) * 10000, rows["units"])
    for name in ("paid", "allowed", "charge"):
        whole[name] = rows[name] // 2
        later[name] = rows[name] - whole[name]
    for part in (whole, later):
        header = np.bincount(pick.of, part["paid"], minlength=len(pick.claims))
        part["header_paid"] = np.rint(header).astype(np.int64)[pick.of]
    pick.set(
        **whole,
        claim_end=middle - 1,
        line_end=middle - 1,
        discharge=NULL,
        status=word("30"),
        bill=word("112"),
        adjustment=word("interim"),
    )
    pick.extra.append(later)
    pick.gone = [pick.claims, new]


def late_charge(pick: Pick) -> None:
    """A further charge for a stay comes on a bill of its own, and adds to it."""
    record = pick.copy("late_charge", pick.claims if pick.is_coded else None, (20, 60), 0.1)
    rows = pick.extra.pop()
    head = np.append(True, pick.of[1:] != pick.of[:-1])
    rows = {**take(rows, head)}
    rows["bill"] = np.full(head.sum(), word("115"), np.int32)
    rows["revenue"] = np.full(head.sum(), word("0250"), np.int32)
    rows["header_paid"], rows["line"] = rows["paid"].copy(), np.ones(head.sum(), np.int64)
    rows["units"] = np.full(head.sum(), 10000)
    pick.extra.append(rows)
    pick.gone = [pick.claims, record]
