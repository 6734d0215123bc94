"""Who pays which nursing-facility days, and what the plan and the State pay in all."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.programs import PlanLiability
from ratebook.programs.cells import COUNTERS, meets, plan_days
from ratebook.programs.definitions import EVERYWHERE
from ratebook.programs.rates import base_cell, cells_of, covered_services
from ratebook.programs.replicates import NO_MONTHS, Sums, estimate, first, ratio
from ratebook.tables import frame_of

LONGEST_DAY = 366


def plan_costs(program: dict, sums: Sums, group: str, cells: list[str]) -> dict[str, np.ndarray]:
    """Add up, over cells, what the plan pays and what is left to the State, in dollars.

    The plan pays the covered services and the facility days of its window. In a cell whose rate pays for the
    facility it pays every day; these days are `funded`, not at its risk beyond the rate. What it does not pay
    of the facility the State does. `ffs` is what the State pays today for all of it. A `Design` sums as `sums` does.

    Returns
    -------
    dict of arrays
        months, nf_days, plan_nf_days, funded_nf_days, window_nf, funded_nf, state_nf, services, plan, ffs.
    """
    names = ("months", "nf_days", "plan_nf_days", "funded_nf_days", "window_nf", "funded_nf", "state_nf", "services")
    found = {name: np.zeros(sums.replicates + 1) for name in names}
    for cell in cells:

        def total(column, cell=cell):
            return sums.total(group, cell, column)

        is_funded = base_cell(cell) in program["liability"].get("rate_cells", [])
        rest = total("nf_net_usd") - total("nf_liable_usd")
        covered = [name for name in covered_services(program, cell) if name != "nursing_facility"]
        found["months"] += total("member_months")
        found["nf_days"] += total("nf_days")
        found["plan_nf_days"] += total("plan_nf_days")
        found["funded_nf_days"] += is_funded * (total("nf_days") - total("plan_nf_days"))
        found["window_nf"] += total("nf_liable_usd")
        found["funded_nf"] += is_funded * rest
        found["state_nf"] += (not is_funded) * rest
        found["services"] += sum(total(f"{name}_usd") for name in covered)
    found["plan"] = found["services"] + found["window_nf"] + found["funded_nf"]
    found["ffs"] = found["plan"] + found["state_nf"]
    return found


def price_liability(groups: pd.DataFrame, programs: list[dict], replicates: int) -> pd.DataFrame:
    """Say, cell by cell and over all cells, which facility days a plan pays and what it costs per month.

    Parameters
    ----------
    groups : ComparisonGroups
    programs : list of dict
    replicates : int

    Returns
    -------
    PlanLiability
        Plan's, funded and State's days add up to all days.

    References
    ----------
    methods.md, F0 and F6.
    """
    rows = []
    for program in programs:
        scheme = next((s for s in program["schemes"] if s["frame"] == EVERYWHERE), program["schemes"][0])
        sums = Sums(groups, program["program"], scheme["frame"], replicates)
        cells = cells_of(scheme, sums)
        parts = [(cell, [cell], ("enrolled", cell)) for cell in cells if cell != EVERYWHERE]
        parts.append((EVERYWHERE, cells, ("population", EVERYWHERE)))
        rows += [_row(program, sums, *part) for part in parts]
    return frame_of(rows, PlanLiability)


def _row(program, sums, name, cells, members):
    found = plan_costs(program, sums, "enrolled", cells)
    plan = estimate(ratio(found["plan"], found["months"]))
    days = {key: round(found[key][0]) for key in ("nf_days", "plan_nf_days", "funded_nf_days")}
    return {
        "program": program["program"],
        "cell": name,
        "window": window_words(program["liability"]),
        "persons": sums.count(*members, "new_persons"),
        "member_months": round(found["months"][0]),
        **days,
        "state_nf_days": days["nf_days"] - days["plan_nf_days"] - days["funded_nf_days"],
        "plan_nf_day_share": first(ratio(found["plan_nf_days"] + found["funded_nf_days"], found["nf_days"])),
        "plan_nf_days_per_spell": sum(sums.count("enrolled", cell, "plan_nf_days_per_spell") for cell in cells),
        "plan_nf_usd": round(found["window_nf"][0], 2),
        "funded_nf_usd": round(found["funded_nf"][0], 2),
        "state_nf_usd": round(found["state_nf"][0], 2),
        "plan_cost_pmpm_usd": plan["estimate"],
        "state_cost_pmpm_usd": first(ratio(found["state_nf"], found["months"])),
        "lower": plan["lower"],
        "upper": plan["upper"],
        "reason": NO_MONTHS if plan["estimate"] is None else plan["reason"],
    }


def window_words(liability: dict) -> str:
    """Say a liability window in words."""
    words = {
        "all": "every day",
        "first_days": f"days 1 to {liability.get('days')}",
        "anniversary": "days of the enrolment year the stay began in",
    }[liability["window"]]
    return words + ("; none of people enrolled in a facility" if liability["enrolled_in_nf"] == "state" else "")


def count_liability_days(
    months: ibis.Table, programs: list[dict], counter: str, keeps_retro: bool = False
) -> ibis.Table:
    """Count, for each ordinal day of facility care, the days of that ordinal and those the plan pays.

    A month with n facility days after c earlier ones holds the days c+1 to c+n: one more from c+1 on, one less
    after c+n. The running sum of these steps is the count, without a row per day.

    Returns
    -------
    LiabilityDays
        Days 1 to 366 of every program; zeros where no one has such a day.
    """
    months = months if keeps_retro else months.filter(~months.is_retro)
    parts = [_days_of(months, program, COUNTERS[counter], counter) for program in programs]
    return ibis.union(*parts, distinct=False) if len(parts) > 1 else parts[0]


def _days_of(months, program, column, counter):
    months = months.filter(meets(months, program["population"]))
    months = months.filter(months.nf_days > 0)
    paid = plan_days(months, program["liability"], counter)
    before = ibis.greatest(months[column] - months.nf_days, 0)
    months = months.mutate(first=before + 1, last=before + months.nf_days, last_paid=before + paid)
    steps = ibis.union(
        _steps(months, months.first, 1, 1),
        _steps(months, months.last + 1, -1, 0),
        _steps(months, months.last_paid + 1, 0, -1),
        distinct=False,
    )
    steps = steps.group_by("nf_day").agg(days=steps.days.sum(), paid=steps.paid.sum())
    reach = months.group_by("person_id").agg(nf_day=months.last.max())
    reach = reach.group_by("nf_day").agg(reached=reach.count())
    grid = ibis.range(1, LONGEST_DAY + 1).unnest().name("nf_day").as_table()
    upto_day = grid.left_join(steps, grid.nf_day >= steps.nf_day)
    upto_day = upto_day.group_by("nf_day").agg(
        nf_days=upto_day.days.sum().fill_null(0), plan_nf_days=upto_day.paid.sum().fill_null(0)
    )
    beyond = grid.left_join(reach, grid.nf_day <= reach.nf_day)
    beyond = beyond.group_by("nf_day").agg(persons=beyond.reached.sum().fill_null(0))
    found = upto_day.join(beyond, "nf_day")
    return found.select(
        program=ibis.literal(program["program"]),
        nf_day=found.nf_day.cast("int64"),
        nf_days=found.nf_days.cast("int64"),
        plan_nf_days=found.plan_nf_days.cast("int64"),
        window_day_share=found.plan_nf_days.cast("float64") / found.nf_days.nullif(0),
        persons=found.persons.cast("int64"),
    )


def _steps(months, day, days, paid):
    return months.select(
        nf_day=day.cast("int64"), days=ibis.literal(days).cast("int64"), paid=ibis.literal(paid).cast("int64")
    )
