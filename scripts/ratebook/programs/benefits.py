"""Benefits members pay for themselves: one with caps, and the capitation bought by people without Medicaid."""

from __future__ import annotations

import functools
from dataclasses import replace

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.designs import BuyIn, CappedBenefits
from ratebook.programs.cells import add_capped_benefit, assign_cell, cap_year, meets
from ratebook.programs.comparison import Design
from ratebook.programs.liability import plan_costs
from ratebook.programs.primitives import MONTHS_OF_YEAR
from ratebook.programs.rates import base_cell, price_rate, rate_of
from ratebook.programs.replicates import NO_MONTHS, estimate, estimate_share, first, ratio
from ratebook.tables import frame_of

AMOUNTS = ("persons", "member_months", "use_usd", "paid_usd", "at_year_cap", "at_lifetime_cap")
COUNTED = {
    "program": "string", "benefit_year": "int64", "replicate": "int64", "persons": "int64", "member_months": "int64",
    "use_usd": "float64", "paid_usd": "float64", "at_year_cap": "int64", "at_lifetime_cap": "int64",
}  # fmt: skip


def count_capped_benefits(months: ibis.Table, programs: list[dict], replicates: int, keeps_retro: bool) -> ibis.Table:
    """Sum each capped benefit by year of enrolment and replicate: use, payment, and who reaches which cap.

    Parameters
    ----------
    months : LtcMemberMonths
    programs : list of dict
    replicates : int
        Groups persons are dealt into.
    keeps_retro : bool
        Keep months added retroactively, as `reduce_months` does.

    Returns
    -------
    ibis.Table
        `program`, `benefit_year`, `replicate`, `persons`, `member_months`, `use_usd`, `paid_usd`, `at_year_cap`,
        `at_lifetime_cap`: persons, each once, however often they enrolled; no row for a program without such a benefit.

    References
    ----------
    methods.md, F5.
    """
    nobody = ibis.memtable(pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COUNTED.items()}))
    months = months if keeps_retro else months.filter(~months.is_retro)
    found = [_count(months, program, replicates) for program in programs if "capped_benefit" in program]
    return functools.reduce(lambda left, right: left.union(right.select(*COUNTED)), found, nobody)


def _count(months, program, replicates):
    benefit, scheme = program["capped_benefit"], program["schemes"][0]
    months = add_capped_benefit(months, benefit)
    group = scheme["groups"][benefit["group"]]
    here = {"county": scheme["counties"]} if scheme["counties"] and not group.get("statewide") else {}
    cells = assign_cell(months, [{**row, "by": []} for row in scheme["cells"]])
    inside = meets(months, scheme["population"] | here) & meets(months, group["when"], cells) & cells.notnull()
    use = sum(months[f"{service}_usd"] for service in benefit["services"])
    months = months.mutate(
        is_member=inside.fill_null(False),
        use=use,
        benefit_year=(months.enrollment_month_number - 1) // MONTHS_OF_YEAR + 1,
        cap_year=cap_year(months, benefit),
    )

    def so_far(*keys):
        return ibis.cumulative_window(group_by=["person_id", "enrollment_month", *keys], order_by="service_month")

    paid = months.capped_benefit_usd.sum()
    months = months.mutate(paid_in_year=paid.over(so_far("cap_year")), paid_in_life=paid.over(so_far()))
    members = months.filter(months.is_member)
    people = members.group_by("person_id", "benefit_year").agg(
        member_months=members.count(),
        use_usd=members.use.sum(),
        paid_usd=members.capped_benefit_usd.sum(),
        at_year_cap=(members.paid_in_year >= benefit["year_usd"]).any(),
        at_lifetime_cap=(members.paid_in_life >= benefit["lifetime_usd"]).any(),
    )
    number = ibis.dense_rank().over(order_by=people.person_id)
    people = people.mutate(replicate=number % replicates)
    return people.group_by("benefit_year", "replicate").agg(
        program=ibis.literal(program["program"]),
        persons=people.count(),
        member_months=people.member_months.sum().cast("int64"),
        use_usd=people.use_usd.sum().cast("float64"),
        paid_usd=people.paid_usd.sum().cast("float64"),
        at_year_cap=people.at_year_cap.sum().cast("int64"),
        at_lifetime_cap=people.at_lifetime_cap.sum().cast("int64"),
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
    bears any share. A cell without a rate sells none.

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
            sold = [cell for cell in design.costs.sums.cells("enrolled") if base_cell(cell) in rule["cells"]]
            rates = {cell: price_rate(rate_of(design.scheme, cell), cell, design.costs)["rate"] for cell in sold}
            rates = {cell: rate for cell, rate in rates.items() if np.isfinite(rate[0])}
            rows += [_buy_in_row(design, rates, ratio_) for ratio_ in rule["cost_ratios"]]
    return frame_of(rows, BuyIn)


def _buy_in_row(design, rates, cost_ratio):
    sold, cells = replace(design, rates=rates), list(rates)
    rate = sold.rate({cell: sold.total("enrolled", cell, "member_months") for cell in cells})
    paid = plan_costs(design.program, sold, "enrolled", cells)
    cost = ratio(paid["plan"], paid["months"])
    found = estimate_share(break_even_share(rate, cost, cost_ratio))
    return {
        **design.key,
        "cost_ratio": cost_ratio,
        "persons": sum(design.costs.sums.count("enrolled", cell, "new_persons") for cell in cells),
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
