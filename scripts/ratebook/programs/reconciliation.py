"""What is settled after the year: the rate's assumptions against what came. Positive: the State pays the plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.programs import ProgramReconciliation
from ratebook.programs import primitives
from ratebook.programs.definitions import EVERYWHERE, settlements_of
from ratebook.programs.rates import Costs, base_cell, cells_of, price_rate, rate_of
from ratebook.programs.replicates import Sums, estimate, first, ratio
from ratebook.tables import frame_of

NO_PERIOD = "base or contract period has no member month"
LONGEST = "months in a cell beside its limit"
BEYOND = "months after the limit of a cell, had they gone on being paid in it"


def estimate_reconciliation(
    groups: pd.DataFrame, programs: list[dict], year_days: float, replicates: int
) -> pd.DataFrame:
    """Settle each program's items: assumed from the base period, actual from the contract period.

    A program with a conversion cell is audited: the longest time in it beside its limit, and what it would have
    cost had people gone on being paid there, repriced at the rates of the cells they are in.

    Parameters
    ----------
    groups, programs, year_days, replicates
        As `derive_program_rates` takes them, the groups in all months and in each of both periods.

    Returns
    -------
    ProgramReconciliation

    References
    ----------
    methods.md, F0 (formulas and sign), F2, F3 and F5.
    """
    rows = []
    for program, scheme in ((one, scheme) for one in programs for scheme in one["schemes"]):
        items = settlements_of(program, scheme)
        if items or "conversion" in program:
            key = (groups, program["program"], scheme["frame"], replicates)
            costs = {name: Costs(program, scheme, Sums(*key, name), year_days) for name in (None, "base", "contract")}
            for item in items:
                rows += SETTLE[item["kind"]](program, scheme, item, costs)
            rows += _audit_conversion(program, scheme, costs[None])
    return frame_of(rows, ProgramReconciliation)


def _settle_mix(program, scheme, item, costs):
    base, contract = costs["base"], costs["contract"]
    shares = {}
    for name, found in (("assumed", base), ("actual", contract)):
        months = {group: found.months(group, EVERYWHERE) for group in (item["dearer"], item["cheaper"])}
        shares[name] = primitives.observed_weights(months)[item["dearer"]]
    dearer, cheaper = (base.pmpm(item[kind], EVERYWHERE, item["cost"]) for kind in ("dearer", "cheaper"))
    months = contract.months(item["dearer"], EVERYWHERE) + contract.months(item["cheaper"], EVERYWHERE)
    paid = primitives.settle_mix(
        shares["assumed"], shares["actual"], dearer, cheaper, months, item["share"], item.get("deadband", 0.0)
    )
    members = [(item[kind], EVERYWHERE) for kind in ("dearer", "cheaper")]
    return [
        _row(program, scheme, item, "share of months", shares["assumed"], shares["actual"], paid, contract, members)
    ]


def _settle_amount(settle):
    def run(program, scheme, item, costs):
        base, contract = costs["base"], costs["contract"]
        group = item["group"]
        assumed, actual = (found.pmpm(group, EVERYWHERE, item["cost"]) for found in (base, contract))
        paid = settle(assumed, actual, contract.months(group, EVERYWHERE), item["share"])
        return [_row(program, scheme, item, "usd per month", assumed, actual, paid, contract, [(group, EVERYWHERE)])]

    return run


def _settle_selection(program, scheme, item, costs):
    """Pay each plan by its share of heavy users beside the mean of all plans; the sum over plans is nothing."""
    found = costs["contract"]
    plans = found.sums.cells(item["members"])
    months = {plan: found.sums.total(item["members"], plan, "member_months") for plan in plans}
    heavy = {plan: found.sums.total(item["heavy"], plan, "member_months") for plan in plans}
    whole, mean_rate = sum(months.values(), np.zeros(1)), _mean_rate(scheme, found)
    mean_share = ratio(sum(heavy.values(), np.zeros(1)), whole)
    rows = []
    for plan in plans:
        share = ratio(heavy[plan], months[plan])
        paid = (ratio(share, mean_share) - 1) * mean_rate * months[plan] * item["share"]
        members = [(item["members"], plan)]
        rows.append(_row(program, scheme, item, "share of heavy users", mean_share, share, paid, found, members, plan))
    return rows


SETTLE = {
    "mix": _settle_mix,
    "cost": _settle_amount(primitives.settle_cost),
    "offset": _settle_amount(primitives.settle_offset),
    "selection": _settle_selection,
}


def _mean_rate(scheme, costs):
    cells = costs.sums.cells("enrolled")
    if not cells:
        return np.full(costs.sums.replicates + 1, np.nan)
    rates = {cell: price_rate(rate_of(scheme, cell), cell, costs)["rate"] for cell in cells}
    return primitives.blend(
        rates, primitives.observed_weights({cell: costs.months("enrolled", cell) for cell in cells})
    )


def _audit_conversion(program, scheme, costs):
    rule = program.get("conversion")
    cells = [cell for cell in cells_of(scheme, costs.sums) if rule and base_cell(cell) == rule["cell"]]
    if not cells:
        return []
    limit = rule["limit_months"]
    longest = max(costs.sums.largest("enrolled", cell, "conversion_months_max") for cell in cells)
    nothing = np.zeros(costs.sums.replicates + 1)
    members = [("enrolled", cell) for cell in cells]
    counted = _row(
        program, scheme, {"item": LONGEST, "share": 1}, "months", nothing + (np.nan if limit is None else limit),
        nothing + longest, nothing, costs, members,
    )  # fmt: skip
    counted |= {"settlement_usd": None, "lower": None, "upper": None, "reason": "a count, nothing is settled by it"}
    return [counted] if limit is None else [counted, _reprice(program, scheme, rule, costs)]


def _reprice(program, scheme, rule, costs):
    """Reprice the months after the limit: from the conversion cell's rate to the rate of the cell they are in."""
    beyond = costs.sums.cells("beyond_limit")
    months = {cell: costs.sums.total("beyond_limit", cell, "member_months") for cell in beyond}
    rates = {cell: price_rate(rate_of(scheme, cell), cell, costs)["rate"] for cell in beyond}
    dearer = {}
    for cell in beyond:
        conversion = "/".join([rule["cell"], *cell.split("/")[1:]])
        dearer[cell] = price_rate(rate_of(scheme, conversion), conversion, costs)["rate"]
    whole = sum(months.values(), np.zeros(costs.sums.replicates + 1))
    paid, due = (
        primitives.mean_known(found, months) + whole * 0 if beyond else whole * np.nan for found in (dearer, rates)
    )
    item, members = {"item": BEYOND, "share": 1}, [("beyond_limit", cell) for cell in beyond]
    settled = np.where(whole > 0, (due - paid) * whole, 0.0)
    return _row(program, scheme, item, "usd per month", paid, due, settled, costs, members)


def _row(program, scheme, item, unit, assumed, actual, paid, costs, members, plan=EVERYWHERE):
    counted = "new_persons" if costs.sums.period is None else "persons"
    found = estimate(paid)
    return {
        "program": program["program"],
        "state": scheme["state"],
        "era": scheme["era"],
        "item": item["item"],
        "plan": plan,
        "unit": unit,
        "assumed": first(assumed),
        "actual": first(actual),
        "member_months": sum(costs.sums.count(*member, "member_months") for member in members),
        "persons": sum(costs.sums.count(*member, counted) for member in members),
        "share": float(item["share"]),
        "settlement_usd": found["estimate"],
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": NO_PERIOD if found["estimate"] is None else found["reason"],
    }
