"""Benefits members pay for themselves: one with caps, and the capitation bought by people without Medicaid."""

from __future__ import annotations

import functools

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.designs import BuyIn, CappedBenefits
from ratebook.programs.cells import add_capped_benefit, assign_cell, meets
from ratebook.programs.comparison import Design
from ratebook.programs.liability import plan_costs
from ratebook.programs.primitives import MONTHS_OF_YEAR, mean_known
from ratebook.programs.rates import base_cell, price_rate, rate_of
from ratebook.programs.replicates import NO_MONTHS, estimate, first, ratio
from ratebook.tables import frame_of

AMOUNTS = ("persons", "member_months", "use_usd", "paid_usd", "at_year_cap", "at_lifetime_cap")
COUNTED = {
    "program": "string", "benefit_year": "int64", "replicate": "int64", "persons": "int64", "member_months": "int64",
    "use_usd": "float64", "paid_usd": "float64", "at_year_cap": "int64", "at_lifetime_cap": "int64",
}  # fmt: skip


def count_capped_benefits(months: ibis.Table, programs: list[dict], replicates: int) -> ibis.Table:
    """Sum each capped benefit by year of enrolment and replicate: use, payment, and who reaches which cap.

    Parameters
    ----------
    months : LtcMemberMonths
    programs : list of dict
    replicates : int
        Groups persons are dealt into.

    Returns
    -------
    ibis.Table
        `program`, `benefit_year`, `replicate`, `persons`, `member_months`, `use_usd`, `paid_usd`, `at_year_cap`,
        `at_lifetime_cap`: persons; no row for a program without such a benefit.

    References
    ----------
    methods.md, F5.
    """
    nobody = ibis.memtable(pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COUNTED.items()}))
    found = [_count(months, program, replicates) for program in programs if "capped_benefit" in program]
    return functools.reduce(lambda left, right: left.union(right.select(*COUNTED)), found, nobody)


def _count(months, program, replicates):
    benefit, scheme = program["capped_benefit"], program["schemes"][0]
    months = add_capped_benefit(months.filter(~months.is_retro), benefit)
    cells = assign_cell(months, [{**row, "by": []} for row in scheme["cells"]])
    inside = meets(months, scheme["population"]) & meets(months, scheme["groups"][benefit["group"]]["when"], cells)
    use = sum(months[f"{service}_usd"] for service in benefit["services"])
    months = months.mutate(
        is_member=inside.fill_null(False),
        use=use,
        benefit_year=(months.enrollment_month_number - 1) // MONTHS_OF_YEAR + 1,
    )
    enrolment = ibis.window(group_by=["person_id", "enrollment_month"], order_by="service_month", rows=(None, 0))
    months = months.mutate(paid_so_far=months.capped_benefit_usd.sum().over(enrolment))
    members = months.filter(months.is_member)
    people = members.group_by("person_id", "enrollment_month", "benefit_year").agg(
        member_months=members.count(),
        use_usd=members.use.sum(),
        paid_usd=members.capped_benefit_usd.sum(),
        paid_so_far=members.paid_so_far.max(),
    )
    number = ibis.dense_rank().over(order_by=people.person_id)
    people = people.mutate(replicate=number % replicates)
    return people.group_by("benefit_year", "replicate").agg(
        program=ibis.literal(program["program"]),
        persons=people.person_id.nunique(),
        member_months=people.member_months.sum().cast("int64"),
        use_usd=people.use_usd.sum().cast("float64"),
        paid_usd=people.paid_usd.sum().cast("float64"),
        at_year_cap=(people.paid_usd >= benefit["year_usd"]).cast("int64").sum().cast("int64"),
        at_lifetime_cap=(people.paid_so_far >= benefit["lifetime_usd"]).cast("int64").sum().cast("int64"),
    )


def derive_capped_benefits(counts: pd.DataFrame, programs: list[dict], replicates: int) -> pd.DataFrame:
    """Give what a capped benefit pays by year of enrolment, with the premium that would cover that year.

    Parameters
    ----------
    counts : pandas.DataFrame
        As `count_capped_benefits`.
    programs : list of dict
    replicates : int

    Returns
    -------
    CappedBenefits

    References
    ----------
    methods.md, F5: premium PMPM = E[paid] / member months x (1 + load).
    """
    load = {p["program"]: p["capped_benefit"]["load"] for p in programs if "capped_benefit" in p}
    rows = []
    for (program, year), part in counts.groupby(["program", "benefit_year"]):
        by_replicate = part.set_index("replicate").reindex(range(replicates), fill_value=0)
        total = {name: _without(by_replicate[name]) for name in AMOUNTS}
        found = estimate(ratio(total["paid_usd"], total["member_months"]) * (1 + load[program]))
        rows.append(
            {
                "program": program,
                "benefit_year": int(year),
                "persons": round(total["persons"][0]),
                "member_months": round(total["member_months"][0]),
                "use_pmpm_usd": first(ratio(total["use_usd"], total["member_months"])),
                "paid_pmpm_usd": first(ratio(total["paid_usd"], total["member_months"])),
                "at_year_cap_share": first(ratio(total["at_year_cap"], total["persons"])),
                "at_lifetime_cap_share": first(ratio(total["at_lifetime_cap"], total["persons"])),
                "premium_pmpm_usd": found["estimate"],
                "lower": found["lower"],
                "upper": found["upper"],
                "reason": found["reason"],
            }
        )
    return frame_of(rows, CappedBenefits)


def _without(values: pd.Series) -> np.ndarray:
    each = values.to_numpy(dtype=float)
    return np.concatenate([[each.sum()], each.sum() - each])


def derive_buy_in(designs: list[Design]) -> pd.DataFrame:
    """Give the share of buyers at which their losses eat what the others leave over.

    People outside the program pay its rate and cost `cost_ratio` times its members. With rate R and members' cost C,
    (1 - s)(R - C) + s(R - kC) = 0 at s = (R - C) / (C (k - 1)): below 0 there is nothing to eat, above 1 the plan
    bears any share.

    Parameters
    ----------
    designs : list of Design
        As `price_designs` gives them; one without `buy_in` has no row.

    Returns
    -------
    BuyIn

    References
    ----------
    methods.md, F5; Rudolph and Lubitz 1999, discussion of the option to buy in.
    """
    rows = []
    for design in designs:
        if rule := design.program.get("buy_in"):
            cells = [cell for cell in design.costs.sums.cells("enrolled") if base_cell(cell) in rule["cells"]]
            rows += [_buy_in_row(design, cells, ratio_) for ratio_ in rule["cost_ratios"]]
    return frame_of(rows, BuyIn)


def _buy_in_row(design, cells, cost_ratio):
    sums = design.costs.sums
    months = {cell: sums.total("enrolled", cell, "member_months") for cell in cells}
    rates = {cell: price_rate(rate_of(design.scheme, cell), cell, design.costs)["rate"] for cell in cells}
    rate = mean_known(rates, months) + design.whole if cells else design.whole * np.nan
    paid = plan_costs(design.program, sums, "enrolled", cells)
    cost = ratio(paid["plan"], paid["months"])
    found = estimate(break_even_share(rate, cost, cost_ratio))
    return {
        **design.key,
        "cost_ratio": cost_ratio,
        "persons": sum(sums.count("enrolled", cell, "new_persons") for cell in cells),
        "rate_pmpm_usd": first(rate),
        "member_cost_pmpm_usd": first(cost),
        "buyer_cost_pmpm_usd": first(cost * cost_ratio),
        "break_even_share": found["estimate"],
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": found["reason"] if cells else NO_MONTHS,
    }


def break_even_share(rate, cost, cost_ratio: float):
    """Give the share of buyers at which a plan's margin is nothing, held to 0 and 1.

    Buyers who cost no more than members never eat a margin: 1 where there is one, 0 where there is none.
    """
    margin = np.asarray(rate - cost, dtype=float)
    if cost_ratio <= 1:
        return np.where(np.isfinite(margin), (margin >= 0) * 1.0, np.nan)
    return np.clip(margin / (cost * (cost_ratio - 1)), 0.0, 1.0)
