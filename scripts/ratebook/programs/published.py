"""A program's formula in words, and its published amounts: shown as printed, never as reproduced."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.programs import ProgramNotes, PublishedAmounts
from ratebook.programs.definitions import EVERYWHERE, costs_of, groups_of
from ratebook.tables import frame_of


def describe(rate: dict) -> str:
    """Say a rate's formula in words a program officer can check; the mean of cells where it has no terms."""
    if "wait_months" in rate:
        return (
            f"use after {rate['wait_months']} months, at most ${rate['year_usd']:,.0f} a year and "
            f"${rate['lifetime_usd']:,.0f} for life, per month of its members, x {1 + rate['load']:g}"
        )
    if "terms" not in rate:
        return "mean of the cells, weighted by their member months"
    words = " + ".join(_term_words(term) for term in rate["terms"]).replace("+ -", "- ")
    if projection := rate.get("projection"):
        words = (
            f"{projection['weight']:g} plan's projection + {1 - projection['weight']:g} ({words}), at most the latter"
        )
    for adder in rate.get("adders", []):
        amount = f"${adder['usd']:,.2f}" if "usd" in adder else f"{adder['share']:.1%} of the sum"
        words += f" + {adder['name'].replace('_', ' ')} {amount}{' as bid' if 'bid' in adder else ''}"
    words += f"; at most {_term_words(rate['cap'])}" if "cap" in rate else ""
    places = sorted({bid["position"] for _, _, bid in _bids(rate)})
    return words + "".join(f"; a bid above its range falls to {place:g} of it" for place in places)


def note_bids(rate: dict) -> str | None:
    """Name the bids below their range, which stand as they are; nothing where there is none."""
    below = [name for name, sign, bid in _bids(rate) if _is_below(bid, sign if bid["unit"] == "ratio" else 1)]
    return f"bid below its range, as it is: {', '.join(dict.fromkeys(below))}".replace("_", " ") if below else None


def _is_below(bid, sign):
    return sign * bid["bid"] < min(sign * bid["low"], sign * bid["high"])


def _bids(rate):
    """List every bid a rate reads: of what, the sign of the amount, and the bid."""
    found = []
    for term in rate.get("terms", []):
        sign = -1 if term.get("times", 1) * term.get("usd", 1) < 0 else 1
        found += [
            (f"{'less ' if sign < 0 else ''}{_of(term, name)}", sign, bid)
            for name, bid in term.get("bids", {}).items()
        ]
        found += [(f"share of {name}", 1, bid) for name, bid in term.get("share_bids", {}).items()]
    adders = [adder for adder in rate.get("adders", []) if "bid" in adder]
    return found + [(adder["name"], -1 if adder.get("usd", 1) < 0 else 1, adder["bid"]) for adder in adders]


def _of(term, name):
    return "dollars" if name == "usd" else f"{name} {' '.join(costs_of(term, name)[:1])}"


def _term_words(term):
    factor = term.get("times", 1.0)
    for discount in term.get("discounts", []):
        factor *= 1 - discount
    lead = "" if factor == 1 else f"{factor:.6g} x "
    if "usd" in term:
        return f"{lead}${term['usd']:,.2f}{' as bid' if term.get('bids') else ''}"
    groups = [(f"{weight:g} ", group) for group, weight in term.get("blend", {}).items()]
    groups = [("" if weight == "1 " else weight, group) for weight, group in groups]
    groups += [("observed share ", group) for group in term.get("observed", [])]
    costs = "; ".join(dict.fromkeys(", ".join(costs_of(term, group)) for group in groups_of(term))).replace("_", " ")
    net = "".join(f", net of {cost.replace('_', ' ')}" for cost in term.get("net_of", []))
    weighed = "".join(f", {group.replace('_', ' ')} weighted {f:g}" for group, f in term.get("reweight", {}).items())
    weighed += "".join(f", {name.replace('_', ' ')} at most {f:g}" for name, f in term.get("at_most", {}).items())
    weighed += "".join(f", share of {name.replace('_', ' ')} as bid" for name in term.get("share_bids", {}))
    weighed += ", as bid" if term.get("bids") else ""
    named = " + ".join(weight + group.replace("_", " ") for weight, group in groups)
    return f"{lead}({named}: {costs}{net}{weighed})"


def derive_published(programs: list[dict]) -> pd.DataFrame:
    """List every published amount, with what it implies before the discount the source states.

    Implied gross = amount / (1 - discount): an identity on printed numbers, no estimate. Where the source says
    that something is discounted and not by how much, nothing is implied.

    Returns
    -------
    PublishedAmounts

    References
    ----------
    methods.md, F7.
    """
    rows = []
    for program in programs:
        for item in program.get("published", []):
            rows.append(_row(program, {"state": item.get("state", "all")}, item["item"], item, program["source"]))
        for scheme in program["schemes"]:
            for rate in [*scheme["rates"], scheme.get("average", {})]:
                if "published" in rate:
                    item = " ".join(rate.get("cells", ["rate"]))
                    rows.append(
                        _row(program, scheme, item, rate["published"], scheme.get("source", program["source"]))
                    )
    return frame_of(rows, PublishedAmounts)


def _row(program, scheme, item, amounts, source):
    discount = amounts.get("stated_discount")
    kept = None if discount is None else 1 - discount
    return {
        "program": program["program"],
        "state": scheme["state"],
        "area": scheme.get("area", EVERYWHERE),
        "era": scheme.get("era", EVERYWHERE),
        "item": item,
        "published_low_usd": float(amounts["low_usd"]),
        "published_high_usd": float(amounts["high_usd"]),
        "stated_discount": discount,
        "implied_gross_low_usd": None if kept is None else round(amounts["low_usd"] / kept, 2),
        "implied_gross_high_usd": None if kept is None else round(amounts["high_usd"] / kept, 2),
        "source": amounts.get("source", source),
    }


def derive_notes(programs: list[dict]) -> pd.DataFrame:
    """List where the source says two things, and what was done: expected, so that none need be found again.

    Returns
    -------
    ProgramNotes

    References
    ----------
    methods.md, F7 (conflicts).
    """
    rows = [
        {"program": program["program"], "conflict": note["conflict"], "note": note["text"]}
        for program in programs
        for note in program.get("notes", [])
    ]
    return frame_of(sorted(rows, key=lambda row: (row["conflict"], row["program"])), ProgramNotes)
