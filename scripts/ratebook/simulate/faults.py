"""Faults: each kind lands on claims of its own, so that each has one right answer.

A kind is an entry of `KINDS` (in `fault_kinds`): which claims it may take, what it does to them, which rule of
methods.md answers it, and what should become of the claims listed in the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ratebook.simulate.block import NULL, Block, append, take
from ratebook.simulate.setup import Setup
from ratebook.simulate.world import CATEGORIES, word
from ratebook.simulate.write import VERSION

CODED = "BHP"
"""The plan whose feed says by codes and claim numbers what adjusts what; that of every other plan by a suffix."""


@dataclass
class Pick:
    """Claims chosen for a fault: `lines` are their rows, `of` says to which claim each row belongs."""

    rng: np.random.Generator
    setup: Setup
    who: object
    rows: Block
    claims: np.ndarray
    lines: np.ndarray
    of: np.ndarray
    next_claim: int
    extra: list[Block] = field(default_factory=list)
    gone: list[np.ndarray] = field(default_factory=list)
    stands: list[np.ndarray] = field(default_factory=list)
    due: np.ndarray | None = None
    """Cents that should stand in the end, where they are not those of the lines that stand."""

    @property
    def is_coded(self) -> bool:
        """The claims come in the feed that codes its adjustments."""
        return self.rows["plan"][0] == word(CODED)

    def draw(self, low: int, high: int) -> np.ndarray:
        """Draw a whole number for each claim, repeated on its lines."""
        return self.rng.integers(low, high, len(self.claims))[self.of]

    def get(self, column: str) -> np.ndarray:
        """Give a column of the chosen lines."""
        return self.rows[column][self.lines]

    def set(self, **columns) -> None:
        """Change columns of the chosen lines."""
        for name, values in columns.items():
            self.rows[name][self.lines] = values

    def scale(self, rows: Block, share: float) -> Block:
        """Multiply what is paid and allowed, header included, rounding to the cent."""
        money = {name: np.rint(rows[name] * share).astype(np.int64) for name in ("paid", "allowed")}
        header = np.bincount(self.of, money["paid"], minlength=len(self.claims))
        return {**rows, **money, "header_paid": np.rint(header).astype(np.int64)[self.of]}

    def copy(self, adjustment: str, of: np.ndarray | None, days: tuple[int, int], share: float = 1.0) -> np.ndarray:
        """Add a later record of each claim under a new claim number, pointing to the claims `of` where given.

        Returns
        -------
        numpy.ndarray
            The new claim numbers.
        """
        new = self.next_claim + np.arange(len(self.claims))
        self.next_claim += len(new)
        rows = self.scale(take(self.rows, self.lines), share)
        count = len(self.lines)
        rows["claim"] = new[self.of]
        rows["target"] = of[self.of] if of is not None else np.full(count, NULL)
        rows["adjustment"] = np.full(count, word(adjustment), np.int32)
        rows["paid_date"] = np.minimum(self.get("paid_date") + self.draw(*days), self.setup.extract)
        self.extra.append(rows)
        return new

    def version(self, adjustment: str, of: np.ndarray, days: tuple[int, int], share: float = 1.0) -> np.ndarray:
        """Add a later version of each claim, as its feed writes one: coded and pointing to `of`, or with a suffix."""
        if self.is_coded:
            return self.copy(adjustment, of, days, share)
        new = of + VERSION
        self.copy("original", None, days, share)
        self.extra[-1]["claim"] = new[self.of]
        return new


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    `rule` is what the pipeline must say of them (`review.marks` reads it), null where it must say nothing. `outcome`
    says what becomes of the listed claims: `gone` (not in the final claims), `once` (one copy stays),
    `corrected` (stays with another amount, unit or date), `flagged` (stays, marked), `kept` (stays as it is),
    `money` (no service; dollars in the ledger).
    """

    among: Callable[[Block, np.ndarray, object, Setup], np.ndarray]
    plant: Callable[[Pick], None]
    rule: str | None
    outcome: str
    description: str


class Listed(NamedTuple):
    """What the truth says of one kind: claims it lists, claims that stand beside them, and whose the first are.

    `due` are the cents that both should end with, `lost` those by category that the claims were paid before, and no
    longer: of a kind that takes only a part, each category's share of what it struck.
    """

    claims: np.ndarray
    stands: np.ndarray
    owners: np.ndarray
    due: int
    lost: np.ndarray


def plant_faults(rng, setup: Setup, who, rows: Block, kinds: dict[str, Kind], rates: dict[str, float]):
    """Plant every kind at its rate on claims that no other kind has taken.

    Claims are taken at random; of the claims a kind may take, `rate` of all are spoilt (at least one, if any).

    Returns
    -------
    tuple
        The rows with the faults, and by kind what the truth says of it.
    """
    number, first, count = np.unique(rows["claim"], return_index=True, return_counts=True)
    starts = np.cumsum(count) - count
    order = np.argsort(rows["claim"], kind="stable")
    free = np.ones(len(number), bool)
    next_claim, extra = int(number.max()) + 1 if len(number) else 0, []
    listed: dict[str, Listed] = {}
    heads = take(rows, first)
    for name, kind in kinds.items():
        # Drawn anew for each kind: in one order for all, what a rare kind leaves out is all that the next would find.
        may = np.flatnonzero(free & kind.among(heads, count, who, setup))
        wanted = min(len(may), int(np.ceil(rates[name] * len(number))))
        at = np.sort(rng.permutation(may)[:wanted])
        free[at] = False
        lengths = count[at]
        of = np.repeat(np.arange(len(at)), lengths)
        lines = order[np.repeat(starts[at] - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())]
        pick = Pick(rng, setup, who, rows, number[at], lines, of, next_claim)
        struck = np.bincount(rows["category"][lines], rows["paid"][lines], minlength=len(CATEGORIES))
        if len(at):
            kind.plant(pick)
        next_claim, extra = pick.next_claim, extra + pick.extra
        claims = np.concatenate(pick.gone) if pick.gone else number[at]
        stands = np.concatenate(pick.stands) if pick.stands else number[:0]
        whose = heads["person"][at]
        due = _due(pick, stands if kind.outcome == "gone" else None)
        lost = struck * (1 - due / struck.sum()) if struck.sum() else struck
        listed[name] = Listed(claims, stands, whose, due, lost)
    return append([rows, *extra]), listed


def _due(pick: Pick, stands: np.ndarray | None) -> int:
    """Give the cents of the lines that should stand: those of some claims, or of all, each line once."""
    if pick.due is not None:
        return int(pick.due.sum())
    parts = [take(pick.rows, pick.lines), *pick.extra]
    of = [part["resent"] == 0 if stands is None else np.isin(part["claim"], stands) for part in parts]
    return sum(int(part["paid"][those].sum()) for part, those in zip(parts, of))
