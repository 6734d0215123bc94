"""Our rates beside the published ones: the same order of magnitude, the same order among cells, and why where not."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ratebook.contracts.designs import RateOrders, RateScales
from ratebook.contracts.programs import SERVICES
from ratebook.programs import primitives
from ratebook.programs.comparison import Design
from ratebook.programs.definitions import all_costs
from ratebook.programs.rates import base_cell, cells_of, price_rate, rate_of
from ratebook.programs.replicates import estimate, first
from ratebook.tables import frame_of

FACILITY = ("nf_gross", "nf_net", "nf_rate")
NAMED = 3
"""How many of the services a rate leaves out are named."""
WORDS = {"nf_net_usd": "nursing facility"}
ELSEWHERE = "the published amounts are of other people, other prices and other years"


class Item:
    """A published amount, and our rate for the same cells."""

    def __init__(self, design: Design, name: str, rows: list[str], published: dict):
        scheme, costs = design.scheme, design.costs
        self.scheme, self.costs, self.key, self.name, self.published = scheme, costs, design.key, name, published
        cells = [cell for cell in cells_of(scheme, costs.sums) if base_cell(cell) in rows]
        self.months = {cell: costs.months("enrolled", cell) for cell in cells}
        rates = {cell: price_rate(rate_of(scheme, cell), cell, costs)["rate"] for cell in cells}
        self.rate = primitives.mean_known(rates, self.months)
        self.persons = sum(costs.sums.count("enrolled", cell, "new_persons") for cell in cells)

    @property
    def middle(self) -> float:
        """Give the middle of the published range."""
        return (self.published["low_usd"] + self.published["high_usd"]) / 2

    def left_out(self) -> tuple[float | None, str | None]:
        """Give what these people use that the rate does not pay for, whole USD a month, and the largest services by name.

        A rate that pays for the facility days of the plan's window leaves out the others alone.
        """
        whole, amounts = sum(self.months.values(), np.zeros(1))[0], {}
        for cell in self.months:
            paid = self._paid(cell)
            for column in sorted({*SERVICES, "nf_net_usd"} - paid):
                used = self.costs.sums.total("enrolled", cell, column)[0]
                if column == "nf_net_usd" and "nf_liable_usd" in paid:
                    used -= self.costs.sums.total("enrolled", cell, "nf_liable_usd")[0]
                amounts[column] = amounts.get(column, 0.0) + used
        if not whole:
            return None, None
        largest = [
            column for column in sorted(amounts, key=lambda name: (-amounts[name], name)) if amounts[column] > 0
        ]
        words = [WORDS.get(column, column.removesuffix("_usd").replace("_", " ")) for column in largest[:NAMED]]
        # In whole dollars: by cents, two rates of the same people would show a service that few of them use.
        return float(round(sum(amounts.values()) / whole)), ", ".join(words) or None

    def _paid(self, cell: str) -> set[str]:
        """Name the columns the rate of a cell pays for, of whatever group it is compared with."""
        asked = [cost for term in rate_of(self.scheme, cell)["terms"] for cost in all_costs(term)]
        named = {name for cost in asked for name in self.costs.services(cost, cell)}
        return {f"{name}_usd" for name in named} | ({"nf_net_usd"} if named & set(FACILITY) else set())


def published_items(design: Design) -> list[Item]:
    """List a scheme's published amounts with our rates: of its cells, or of their average."""
    scheme = design.scheme
    every = list(dict.fromkeys(row["cell"] for row in scheme["cells"]))
    found = [(", ".join(rate.get("cells", ["rate"])), rate.get("cells", every), rate) for rate in scheme["rates"]]
    found.append(("average", every, scheme.get("average", {})))
    return [Item(design, name, rows, rate["published"]) for name, rows, rate in found if "published" in rate]


def derive_rate_scales(designs: list[Design]) -> pd.DataFrame:
    """Set each of our rates beside the published one: how many times as high, and what the rate leaves out.

    The ratio is to the nearer end of the published range, and 1 within it. Of the same order of magnitude is a rate
    less than ten times as high and more than a tenth as high.

    Returns
    -------
    RateScales

    References
    ----------
    methods.md, F7: published amounts are shown, never reproduced.
    """
    rows = []
    for design in designs:
        rows += [_scale_row(item) for item in published_items(design)]
    return frame_of(rows, RateScales)


def _scale_row(item):
    low, high = item.published["low_usd"], item.published["high_usd"]
    found = estimate(item.rate / np.clip(item.rate, low, high))
    told = found["estimate"] is not None
    left_out, services = item.left_out() if told else (None, None)
    is_same = bool(0.1 < found["estimate"] < 10) if told else None
    if not told:
        reason = found["reason"]
    elif not is_same:
        reason = f"{ELSEWHERE}; what the rate leaves out stands beside it"
    else:
        reason = found["reason"] if found["estimate"] != 1 else None
    return {
        **item.key,
        "item": item.name,
        "persons": item.persons,
        "rate_usd": first(item.rate),
        "published_low_usd": float(low),
        "published_high_usd": float(high),
        "ratio_to_published": found["estimate"],
        "is_same_order": is_same,
        "left_out_pmpm_usd": left_out,
        "leaves_out": services,
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": reason,
    }


def derive_rate_orders(designs: list[Design]) -> pd.DataFrame:
    """Say of each two published amounts of one scheme whether our rates lie in the same order.

    The dearer is the one of the higher published middle. `kept` and `reversed` are told by the interval of the
    difference; `not told` where it holds 0.

    Returns
    -------
    RateOrders

    References
    ----------
    methods.md, F7, Table 2.
    """
    rows = []
    for design in designs:
        items = sorted(published_items(design), key=lambda item: (-item.middle, item.name))
        pairs = itertools.combinations(items, 2)
        rows += [_order_row(dearer, cheaper) for dearer, cheaper in pairs if dearer.middle > cheaper.middle]
    return frame_of(rows, RateOrders)


def _order_row(dearer, cheaper):
    found = estimate(dearer.rate - cheaper.rate)
    verdict = _verdict(found)
    left_out = {item.name: item.left_out()[1] for item in (dearer, cheaper)}
    why = [f"{name} leaves out {services}" for name, services in left_out.items() if services]
    return {
        **dearer.key,
        "dearer": dearer.name,
        "cheaper": cheaper.name,
        "persons": min(dearer.persons, cheaper.persons),
        "published_difference_usd": dearer.middle - cheaper.middle,
        "difference_usd": found["estimate"],
        "verdict": verdict,
        "why": "; ".join([*why, ELSEWHERE]) if verdict in ("reversed", "not told") else None,
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": found["reason"],
    }


def _verdict(found):
    if found["estimate"] is None:
        return "unknown"
    low, high = (found[name] if found[name] is not None else found["estimate"] for name in ("lower", "upper"))
    return "kept" if low > 0 else "reversed" if high < 0 else "not told"
