"""Reduced member months summed by comparison group, cell and replicate; a person's years, by cell, beside them."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass

import ibis
import pandas as pd

from ratebook.contracts.programs import PERIODS, ComparisonGroups, MemberYears
from ratebook.programs.cells import NEVER, assign_cell, meets
from ratebook.programs.definitions import EVERYWHERE, frames_of
from ratebook.programs.profiles import AMOUNTS, COUNTS, DUAL, PAYMENTS, RESIDENT, WHOLE_USD, Reduced
from ratebook.programs.rates import covered_services
from ratebook.tables import hold

OWN = {
    "enrolled": "cell", "population": None, "common": "cell", "common_population": None, "common_medicare": "cell",
    "common_residents": "cell", "common_moved": "moved", "common_at_home": "cell", "beyond_limit": "cell",
}  # fmt: skip
"""The groups every frame has, and what cuts them."""
AT_HOME = {"setting": "HCBS_waiver", "is_waiver": True, "is_enrolled_in_nf": False, "is_past_anniversary": False}
"""A resident who moved out: at home, under a waiver, in the first month after the move."""
PARTS = ["cell", "cut", "plan", "moved"]
"""What may cut a group; other groups are pooled."""
KEYS = ["program", "frame", "comparison_group", "cell", "period", "replicate"]


@dataclass(frozen=True)
class Frames:
    """Every population of every program, cut into cells, and the profiles in it."""

    slots: ibis.Table
    """One row per profile and frame it is in: `place` of the frame, `cell`, what else cuts groups, `mask` of groups,
    `scope` of services, and `is_funded`: the rate pays for facility care."""
    tags: pd.DataFrame
    """One row per frame and group: `place`, `program`, `frame`, `comparison_group`, its `bit` in the mask, and `by`."""
    scopes: list[tuple[str, ...]]
    """Services the plan covers, by `scope`."""


def sort_frames(reduced: Reduced, programs: list[dict], common: dict) -> Frames:
    """Sort every profile into the cells and groups of every frame.

    A comparison group is the program's population where the group's conditions are met. Every frame has groups of
    its own: `enrolled`, the population by cell, and `population`, all of it; of the common population the like, its
    people with Medicare, in a facility and at home; `common_moved`, its residents by the cell they would be in had
    they moved home; `beyond_limit`, who would be in the conversion cell but for its limit.
    """
    slots, tags, scopes = [], [], []
    frames = [(program, name, frame) for program in programs for name, frame in frames_of(program).items()]
    for place, (program, name, frame) in enumerate(frames):
        cuts = OWN | {group: rule.get("by") for group, rule in frame["groups"].items()}
        slots.append(
            _sort_frame(reduced.profiles, program, frame, common, cuts, scopes).mutate(place=ibis.literal(place))
        )
        tags += [
            (place, program["program"], name, group, 1 << bit, by or EVERYWHERE)
            for bit, (group, by) in enumerate(cuts.items())
        ]
    names = ["place", "program", "frame", "comparison_group", "bit", "by"]
    return Frames(hold(_union(slots)), pd.DataFrame(tags, columns=names), scopes)


def _sort_frame(profiles, program, frame, common, cuts, scopes):
    plain = [{**row, "by": []} for row in frame["cells"]]
    found = profiles.filter(meets(profiles, frame["population"]))
    found = found.mutate(row=assign_cell(found, plain), cell=assign_cell(found, frame["cells"]))
    found = found.filter(found.row.notnull()).join(_cells_after_move(profiles, frame), "profile")
    here = {"county": frame["counties"]} if frame["counties"] else {}
    local, shared = meets(found, here), meets(found, common | here)
    resident = meets(found, RESIDENT)
    own = {
        "enrolled": local,
        "population": local,
        "common": shared,
        "common_population": shared,
        "common_medicare": shared & meets(found, DUAL),
        "common_residents": shared & resident,
        "common_moved": shared & resident,
        "common_at_home": shared & ~resident,
        "beyond_limit": local & _is_beyond_limit(found, frame, program.get("conversion")),
    }
    groups = {
        group: meets(found, rule["when"] | ({} if rule.get("statewide") else here), found.row)
        for group, rule in frame["groups"].items()
    }
    bits = [ibis.ifelse(holds, 1 << bit, 0) for bit, holds in enumerate([*own.values(), *groups.values()])]
    everywhere = ibis.literal(EVERYWHERE)
    return found.select(
        "profile",
        "cell",
        cut=ibis.ifelse(found.cell == found.row, everywhere, found.cell.substr(found.row.length() + 1)),
        plan=found.plan if "plan" in cuts.values() else everywhere,
        moved=ibis.ifelse(shared & resident, found.moved, NEVER),
        mask=functools.reduce(operator.add, bits).cast("int64"),
        scope=_scope_of(found.row, program, frame, scopes),
        is_funded=found.row.isin(program["liability"].get("rate_cells", [])),
    )


def _scope_of(row, program, frame, scopes):
    """Number the services the plan covers in a row of the decision table, alike for all rows that cover the same."""
    places = []
    for name in dict.fromkeys(entry["cell"] for entry in frame["cells"]):
        covered = tuple(service for service in covered_services(program, name) if service != "nursing_facility")
        if covered not in scopes:
            scopes.append(covered)
        places.append((name, scopes.index(covered)))
    return row.cases(*places)


def _cells_after_move(profiles, frame):
    moved = profiles.mutate(
        **{column: ibis.literal(value) for column, value in AT_HOME.items()},
        institutional_days_before_move=profiles.nf_days_spell,
        months_since_conversion=ibis.literal(1),
        nf_level=NEVER,
    )
    return moved.select("profile", moved=assign_cell(moved, frame["cells"]))


def _is_beyond_limit(found, frame, conversion):
    """Say who is in another cell only because the conversion cell's months are over."""
    if not conversion or conversion["limit_months"] is None:
        return ibis.literal(False)
    endless = [{**row, "by": [], "when": _without_limit(row, conversion)} for row in frame["cells"]]
    has_moved = (found.months_since_conversion > conversion["limit_months"]).fill_null(False)
    return has_moved & (assign_cell(found, endless) == conversion["cell"]) & (found.row != conversion["cell"])


def _without_limit(row, conversion):
    limit = "months_since_conversion" if row["cell"] == conversion["cell"] else None
    return {column: wanted for column, wanted in row["when"].items() if column != limit}


def build_comparison_groups(reduced: Reduced, frames: Frames) -> ibis.Table:
    """Sum reduced months by program, frame, comparison group, cell, period and replicate. A month may be in many groups.

    Months that are in the same groups of a frame are summed first, so that few rows are multiplied by the groups.

    Parameters
    ----------
    reduced : Reduced
    frames : Frames
        As `sort_frames` gives them.

    Returns
    -------
    ComparisonGroups

    References
    ----------
    methods.md, F0 and F1.
    """
    joined = _with_payments(reduced.rows.join(frames.slots, "profile"), reduced, frames)
    summed = (*AMOUNTS, *COUNTS, *PAYMENTS)
    alike = joined.group_by("place", *PARTS, "mask", "period", "replicate").agg(
        conversion_months_max=joined.conversion_months_max.max(),
        **{name: _whole(joined[name].sum(), name) for name in summed},
    )
    tags = ibis.memtable(frames.tags)
    marked = hold(alike).join(tags, "place")
    marked = marked.filter((marked.mask & marked.bit) != 0)
    marked = marked.mutate(cell=marked.by.cases(*[(name, marked[name]) for name in PARTS], else_=EVERYWHERE))
    sums = marked.group_by(KEYS).agg(
        conversion_months_max=marked.conversion_months_max.max(), **{name: marked[name].sum() for name in summed}
    )
    found = sums.join(_count_persons(joined, frames), KEYS)
    return found.select(**{column: found[column].cast(kind) for column, kind in ComparisonGroups.types().items()})


def _with_payments(joined, reduced, frames):
    """Give what the frame's own program pays."""
    owners = frames.tags[["place", "program"]].drop_duplicates().itertuples(index=False)
    of_place = {place: reduced.payments[program] for place, program in owners}

    def paid(name):
        by_column: dict = {}
        for place, columns in of_place.items():
            if name in columns:
                by_column.setdefault(columns[name], []).append(place)
        cases = [(joined.place.isin(places), joined[column]) for column, places in by_column.items()]
        return ibis.cases(*cases, else_=0) if cases else ibis.literal(0)

    return joined.mutate(**{name: paid(name) for name in PAYMENTS})


def _count_persons(joined, frames):
    """Count persons by group: in each period, and those not in an earlier one. One pass for all groups cut alike."""
    masks = {period: joined.mask.bit_or(where=joined.period == period).fill_null(0) for period in PERIODS}
    people = hold(joined.group_by("person_id", "replicate", "place", *PARTS).agg(**masks))
    counted = []
    for by, tags in frames.tags.groupby("by"):
        part = ibis.literal(EVERYWHERE) if by == EVERYWHERE else people[by]
        each = people.group_by("person_id", "replicate", "place", cell=part).agg(
            **{period: people[period].bit_or() for period in PERIODS}
        )
        alike = each.group_by("place", "cell", "replicate", *PERIODS).agg(n=each.count())
        alike = alike.join(ibis.memtable(tags.drop(columns="by")), "place")
        counted.append(_by_period(alike))
    return _union(counted)


def _by_period(alike):
    """Give, for each period, the persons of a group in it, and those who were in it in no earlier period."""
    found, before = [], ibis.literal(False)
    for period in PERIODS:
        inside = (alike[period] & alike.bit) != 0
        here = alike.mutate(period=ibis.literal(period), new=ibis.ifelse(before, 0, alike.n)).filter(inside)
        found.append(here.select(*KEYS, "n", "new"))
        before = before | inside
    rows = _union(found)
    return rows.group_by(KEYS).agg(persons=rows.n.sum(), new_persons=rows.new.sum())


def build_member_years(reduced: Reduced, frames: Frames) -> ibis.Table:
    """Give the common population's years by cell: months, and what the plan would pay.

    The plan pays the services it covers, and the facility days of its window, or all of them where the rate pays for
    facility care. A year is of low cost before it where the plan paid, a month of the year before, at most the median
    of all who have a year before.

    Returns
    -------
    MemberYears

    References
    ----------
    methods.md, F0 and F6.
    """
    is_common = frames.slots.mask & (1 << list(OWN).index("common")) != 0
    joined = _with_payments(reduced.rows.join(frames.slots.filter(is_common), "profile"), reduced, frames)
    services = [functools.reduce(operator.add, [joined[f"{name}_usd"] for name in scope]) for scope in frames.scopes]
    covered = joined.scope.cases(*enumerate(services))
    plan_usd = covered + ibis.ifelse(joined.is_funded, joined.nf_net_usd, joined.nf_liable_usd)
    joined = joined.mutate(plan_usd=plan_usd)
    years = joined.group_by("place", "person_id", "replicate", "year", "cell").agg(
        member_months=joined.member_months.sum(), plan_usd=joined.plan_usd.sum().cast(WHOLE_USD)
    )
    years = hold(years)
    names = ibis.memtable(frames.tags[["place", "program", "frame"]].drop_duplicates())
    found = years.join(_low_before(years), ["place", "person_id", "year"]).join(names, "place")
    return found.select(*MemberYears.types())


def _low_before(years):
    people = years.group_by("place", "person_id", "year").agg(
        months=years.member_months.sum(), plan_usd=years.plan_usd.sum()
    )
    people = people.mutate(pmpm=people.plan_usd.cast("float64") / people.months)
    in_order = ibis.window(group_by=["place", "person_id"], order_by="year")
    follows = people.year.lag().over(in_order) == people.year - 1
    people = people.mutate(before=ibis.ifelse(follows, people.pmpm.lag().over(in_order), None))
    medians = people.group_by("place", "year").agg(median_pmpm=people.before.median())
    people = people.join(medians, ["place", "year"])
    return people.select("place", "person_id", "year", was_low_cost=people.before <= people.median_pmpm)


def _whole(total, name):
    return total.cast(WHOLE_USD) if name.endswith("_usd") else total


def _union(parts):
    return functools.reduce(lambda left, right: left.union(right), parts)
