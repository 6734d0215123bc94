"""What each program would pay on our data, by its own formula, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ratebook.contracts.programs import ProgramRates
from ratebook.programs import primitives
from ratebook.programs.definitions import EVERYWHERE, costs_of
from ratebook.programs.published import describe, note_bids
from ratebook.programs.replicates import NO_COMPARISON, NO_MONTHS, Sums, estimate, ratio
from ratebook.rates.credibility import limited_fluctuation
from ratebook.tables import frame_of

AVERAGE = "average"
CAPPED = "capped_benefit"


class Costs:
    """Costs per member month of a frame's groups, under one program's benefit scope.

    `enrolled` is the cell itself; a group cut by cell gives the cell's part, one cut by the cell's cut the people
    of that cut in whatever cell; every other group is pooled.
    """

    def __init__(self, program: dict, frame: dict, sums: Sums, year_days: float):
        self.program, self.frame, self.sums, self.year_days = program, frame, sums, year_days

    def cell_of(self, group: str, cell: str) -> str:
        """Name the part of a group that stands for a cell."""
        by = "cell" if group in ("enrolled", "common") else self.frame["groups"].get(group, {}).get("by")
        return {"cell": cell, "cut": cut_of(cell)}.get(by, EVERYWHERE)

    def months(self, group: str, cell: str) -> np.ndarray:
        """Member months of the group."""
        return self.sums.total(group, self.cell_of(group, cell), "member_months")

    def pmpm(self, group: str, cell: str, cost: str) -> np.ndarray:
        """Cost per member month; unknown (nan) where the group has none."""
        part = self.cell_of(group, cell)

        def total(column):
            return self.sums.total(group, part, column)

        if cost in ("nf_rate", "facility_ancillary"):
            months = total("per_diem_months")
            diem, ancillary = ratio(total("per_diem_usd"), months), ratio(total("ancillary_usd"), months)
            is_rate = cost == "nf_rate"
            return primitives.facility_month(diem if is_rate else 0.0, 0.0 if is_rate else ancillary, self.year_days)
        services = self.services(cost, cell)
        return ratio(
            sum((total(f"{name}_usd") for name in services), np.zeros_like(total("nf_days"))), total("member_months")
        )

    def services(self, cost: str, cell: str) -> list[str]:
        """List the columns a cost adds up: a component's covered services, all of them, or the one it names."""
        in_scope = covered_services(self.program, cell)
        inside = in_scope if cost == "covered" else self.program["components"].get(cost)
        if inside is None:
            return [cost]
        return ["nf_gross" if name == "nursing_facility" else name for name in inside if name in in_scope]


def covered_services(program: dict, cell: str) -> list[str]:
    """List the services the capitation covers in a cell: the program's scope less what the cell leaves out."""
    left_out = {
        service
        for rule in program.get("excludes", [])
        if base_cell(cell) in rule["cells"]
        for name in rule["costs"]
        for service in program["components"][name]
    }
    return [service for service in program["services"] if service not in left_out]


def base_cell(cell: str) -> str:
    """Name the row of the decision table a cell comes from."""
    return cell.split("/")[0]


def cut_of(cell: str) -> str:
    """Name the cut of a cell: what follows its row of the decision table; `all` where it is not cut."""
    return cell.partition("/")[2] or EVERYWHERE


def price_term(term: dict, cell: str, costs: Costs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Price one term: its groups' costs, bids read against their ranges, blended, net of what is not the State's.

    A bid is read on the signed amount: with a negative factor a term is an offset, and above the range is less of it.

    Returns
    -------
    tuple of arrays
        The term before discounts, after them, and the gross cost of the groups it compares with.
    """
    times, bids = term.get("times", 1.0), term.get("bids", {})
    sign, size = np.sign(times), abs(times)
    if "usd" in term:
        amount = size * _bid(np.asarray(sign * term["usd"], dtype=float), bids.get("usd"))
        return amount, primitives.apply_discounts(amount, term.get("discounts", [])), np.zeros(1)
    weights = weights_of(term, cell, costs)
    of = {group: _bid(sign * _group_cost(term, group, cell, costs), bids.get(group)) for group in weights}
    amount = size * primitives.blend(of, weights)
    comparable = {group: costs.pmpm(group, cell, "covered") for group in weights}
    return amount, primitives.apply_discounts(amount, term.get("discounts", [])), primitives.blend(comparable, weights)


def weights_of(term: dict, cell: str, costs: Costs) -> dict[str, np.ndarray]:
    """Weigh a term's groups: as given or observed, then within their limits, then as bid."""
    months = {group: costs.months(group, cell) for group in term.get("observed", [])}
    weights = term.get("blend") or primitives.observed_weights(months, term.get("reweight"))
    for group, most in term.get("at_most", {}).items():
        weights = primitives.limit_weight(weights, group, most)
    for group, bid in term.get("share_bids", {}).items():
        weights = primitives.set_weight(weights, group, _bid(weights[group], bid))
    return weights


def _group_cost(term, group, cell, costs):
    gross = sum(costs.pmpm(group, cell, cost) for cost in costs_of(term, group))
    return gross - sum(costs.pmpm(group, cell, cost) for cost in term.get("net_of", []))


def _bid(amount, bid):
    """Read a bid given as ratios of our own amount, or in dollars; without one the amount stands."""
    if bid is None:
        return amount
    scale = amount if bid["unit"] == "ratio" else 1.0
    return primitives.evaluate_bid(bid["bid"] * scale, bid["low"] * scale, bid["high"] * scale, bid["position"])


def price_rate(rate: dict, cell: str, costs: Costs) -> dict[str, np.ndarray]:
    """Price a rate: the terms, a plan's projection where one is blended in, adders and offsets, at last the cap.

    Returns
    -------
    dict of arrays
        `base` before discounts, `discounted` after them, `rate` with adders and offsets and within its cap, and
        `upl`: the gross cost of the dearest population a term compares with.

    References
    ----------
    methods.md, F1: R = (1-d) sum of w C + adders - offsets.
    """
    priced = [price_term(term, cell, costs) for term in rate["terms"]]
    base, discounted = sum(p[0] for p in priced), sum(p[1] for p in priced)
    upl = np.max(np.stack(np.broadcast_arrays(*[p[2] for p in priced])), axis=0)
    value = discounted
    if projection := rate.get("projection"):
        projected = projection["usd"] if projection.get("usd") is not None else projection["ratio"] * value
        value = primitives.blend_projection(projected, value, projection["weight"])
    for adder in rate.get("adders", []):
        value = value + _bid(np.asarray(adder["usd"] if "usd" in adder else adder["share"] * value), adder.get("bid"))
    if "cap" in rate:
        value = primitives.cap_rate(value, price_term(rate["cap"], cell, costs)[1])
    whole = np.ones(costs.sums.replicates + 1)
    return {"base": base * whole, "discounted": discounted * whole, "rate": value * whole, "upl": upl * whole}


def rate_of(scheme: dict, cell: str) -> dict | None:
    """Find the rate of a cell: the first that names its row of the decision table, or names none."""
    fitting = [rate for rate in scheme["rates"] if base_cell(cell) in rate.get("cells", [base_cell(cell)])]
    return fitting[0] if fitting else None


def cost_schemes(
    groups: pd.DataFrame, programs: list[dict], year_days: float, replicates: int
) -> Iterator[tuple[dict, dict, Costs]]:
    """Give every scheme with its program and with what its groups cost, as `derive_program_rates` takes them."""
    for program in programs:
        for scheme in program["schemes"]:
            sums = Sums(groups, program["program"], scheme["frame"], replicates)
            yield program, scheme, Costs(program, scheme, sums, year_days)


def derive_program_rates(
    groups: pd.DataFrame, programs: list[dict], year_days: float, replicates: int, full_months: float
) -> pd.DataFrame:
    """Price every cell of every program and state; where a state has several cells, their average too.

    Parameters
    ----------
    groups : ComparisonGroups
    programs : list of dict
        As `read_programs` gives them.
    year_days : float
        Days of a year of per diems; a facility's month is a twelfth.
    replicates : int
        Replicates the groups were reduced in.
    full_months : float
        Member months at which a cell's own experience is fully credible.

    Returns
    -------
    ProgramRates
        A cell named by its table that no member month is in stands with no rate, and says so.

    References
    ----------
    methods.md, F1 to F5; E6 for credibility.
    """
    rows = []
    for program, scheme, costs in cost_schemes(groups, programs, year_days, replicates):
        rows += _price_scheme(program, scheme, costs)
    found = frame_of(rows, ProgramRates)
    return found.assign(credibility=limited_fluctuation(found.member_months, full_months))


def _price_scheme(program, scheme, costs):
    cells = cells_of(scheme, costs.sums)
    priced = {cell: price_rate(rate_of(scheme, cell), cell, costs) for cell in cells}
    for cell, found in priced.items():
        found["payment"] = _payment(scheme, found["rate"], cell, costs)
    rows = [
        _row(program, scheme, costs, cell, ("enrolled", cell), priced[cell], rate_of(scheme, cell)) for cell in cells
    ]
    if len(cells) > 1:
        months = {cell: costs.months("enrolled", cell) for cell in cells}
        mean = {name: primitives.mean_known({c: priced[c][name] for c in cells}, months) for name in priced[cells[0]]}
        rule = scheme.get("average", {}) | {"note": _average_note(scheme, priced, months)}
        rows.append(_row(program, scheme, costs, AVERAGE, ("population", EVERYWHERE), mean, rule))
    if benefit := program.get("capped_benefit"):
        members = (benefit["group"], EVERYWHERE)
        rows.append(_row(program, scheme, costs, CAPPED, members, price_capped_benefit(benefit, costs), benefit))
    return rows


def _payment(scheme, rate, cell, costs):
    if not scheme.get("pay_net_soc", False):
        return rate
    return primitives.pay_net_of_share(rate, costs.pmpm("enrolled", cell, "applied_income"))


def _average_note(scheme, priced, months):
    """Say what share of the member months the average could not count, in whole percent: they may be of few."""
    whole = sum(months.values())[0]
    left_out = sum(n[0] for cell, n in months.items() if not np.isfinite(priced[cell]["rate"][0]))
    percent = math.ceil(100 * left_out / whole) if left_out else 0
    share = f"cells without a comparison cost left out: at most {percent}% of member months" if left_out else None
    return "; ".join(text for text in (scheme.get("average", {}).get("note"), share) if text)


def price_capped_benefit(benefit: dict, costs: Costs) -> dict[str, np.ndarray]:
    """Give the premium that pays for a capped benefit: what it pays per month of its members, loaded."""
    mean = costs.pmpm(benefit["group"], EVERYWHERE, "capped_benefit")
    rate = mean * (1 + benefit["load"])
    return {"base": mean, "discounted": mean, "rate": rate, "upl": mean * np.nan, "payment": mean * np.nan}


def cells_of(scheme: dict, sums: Sums) -> list[str]:
    """List the cells with members, and those of the decision table that have none, in the table's order."""
    found = sums.cells("enrolled")
    names = list(dict.fromkeys(row["cell"] for row in scheme["cells"]))
    return [cell for name in names for cell in ([c for c in found if base_cell(c) == name] or [name])]


def _row(program, scheme, costs, cell, members, priced, rate):
    months = costs.sums.count(*members, "member_months")
    found = estimate(priced["rate"])
    if found["reason"] == NO_COMPARISON and not months:
        found["reason"] = NO_MONTHS
    base, discounted, upl, payment = (float(priced[name][0]) for name in ("base", "discounted", "upl", "payment"))
    limited = program.get("upper_limit", False) and np.isfinite(upl) and found["estimate"] is not None
    published = rate.get("published", {})
    notes = [text for text in (scheme.get("note"), rate.get("note"), note_bids(rate)) if text]
    return {
        "program": program["program"],
        "state": scheme["state"],
        "area": scheme["area"],
        "era": scheme["era"],
        "cell": cell,
        "formula": describe(rate),
        "base_usd": base if np.isfinite(base) else None,
        "discount": 1 - discounted / base if base > 0 else None,
        "rate_usd": found["estimate"],
        "payment_usd": payment if np.isfinite(payment) else None,
        "member_months": months,
        "persons": costs.sums.count(*members, "new_persons"),
        "upl_usd": upl if limited else None,
        "upl_ok": bool(found["estimate"] <= upl + 0.005) if limited else None,
        "published_low_usd": published.get("low_usd"),
        "published_high_usd": published.get("high_usd"),
        "note": "; ".join(notes) or None,
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": found["reason"],
    }
