"""Member months reduced to what programs tell apart: months alike to every program are summed once for all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import ibis

from ratebook.contracts.programs import SERVICES
from ratebook.programs.cells import add_capped_benefit, plan_payments
from ratebook.programs.definitions import frames_of
from ratebook.tables import hold

AMOUNTS = (
    *SERVICES, "applied_income_usd", "nf_gross_usd", "nf_net_usd", "medicare_paid_usd", "tpl_usd",
    "per_diem_usd", "ancillary_usd",
)  # fmt: skip
COUNTS = ("nf_days", "member_months", "per_diem_months")
BENEFIT = "capped_benefit_usd"
PAYMENTS = ("plan_nf_days", "plan_nf_days_per_spell", "nf_liable_usd", "medicare_nf_usd", BENEFIT)
DUAL = {"dual_group": ["full", "partial"]}
RESIDENT = {"setting": "NF"}
WHOLE_USD = "decimal(18, 2)"


@dataclass(frozen=True)
class Reduced:
    """Member months, reduced and held in the engine."""

    rows: ibis.Table
    """One row per person, year, period and profile: `replicate`, `profile`, sums of amounts, counts and payments."""
    profiles: ibis.Table
    """One row per profile: the columns programs look at, numbers as one of the values no limit tells apart."""
    payments: dict[str, dict[str, str]]
    """Program to what it pays, to the column of `rows` that holds it."""


def reduce_months(
    months: ibis.Table, programs: list[dict], common: dict, counter: str, replicates: int, keeps_retro: bool
) -> Reduced:
    """Sum each person's months that no program tells apart.

    Programs look at few columns of a month, and hold numbers against few limits: 66 and 74 years are one to a
    program that asks for 65. Months of one person, year and profile are summed; cells and groups are then found
    for the profiles, of which there are thousands where there are millions of months. Months covered only
    retroactively stay out, because no plan can be paid a capitation for them.

    Parameters
    ----------
    months : LtcMemberMonths
    programs : list of dict
        As `read_programs` gives them.
    common : dict
        Conditions of the population all programs are compared on.
    counter : str
        How days of facility care are counted: cumulative, per_spell or lifetime.
    replicates : int
        Groups the persons are dealt into, in the order of their ids.
    keeps_retro : bool
        Keep months added retroactively.

    References
    ----------
    methods.md, F0.
    """
    months = months if keeps_retro else months.filter(~months.is_retro)
    kept, limits = columns_seen(programs, common)
    months, payments = _with_payments(months, programs, counter)
    bands = {f"{column}_band": _band(months[column], cuts) for column, cuts in limits.items()}
    has_diem = months.per_diem_usd.notnull()
    months = months.mutate(
        **bands,
        year=months.service_month.year(),
        member_months=ibis.literal(1),
        per_diem_months=has_diem.cast("int64"),
        per_diem_usd=months.per_diem_usd.fill_null(0),
        ancillary_usd=ibis.ifelse(has_diem, months.ancillary_usd.fill_null(0), 0),
    )
    summed = [*AMOUNTS, *COUNTS, *sorted({name for paid in payments.values() for name in paid.values()})]
    keys = [*kept, *bands]
    rows = months.group_by("person_id", "year", "period", *keys).agg(
        conversion_months_max=months.months_since_conversion.max(),
        **{name: _total(months, name) for name in summed},
        **{column: months[column].min() for column in limits},
    )
    rows = hold(rows)
    profiles = rows.group_by(keys).agg(**{column: rows[column].min() for column in limits})
    profiles = hold(profiles.mutate(profile=ibis.row_number()))
    people = rows.select("person_id").distinct()
    people = people.mutate(replicate=ibis.dense_rank().over(order_by=people.person_id) % replicates)
    numbered = profiles.select("profile", *[profiles[key].name(f"at_{key}") for key in keys])
    found = rows.join(numbered, [rows[key].identical_to(numbered[f"at_{key}"]) for key in keys]).join(
        people, "person_id"
    )
    held = hold(found.select("person_id", "replicate", "year", "period", "profile", "conversion_months_max", *summed))
    return Reduced(held, profiles, payments)


def columns_seen(programs: list[dict], common: dict) -> tuple[list[str], dict[str, list[tuple[float, bool]]]]:
    """List the columns programs look at, and the limits they hold numbers against.

    Returns
    -------
    tuple of list and dict
        Columns whose very value counts; columns to their cuts, each the number and whether it lies below the cut.
    """
    conditions, kept = [common, DUAL, RESIDENT], {"plan"}
    for program in programs:
        for frame in frames_of(program).values():
            conditions += [frame["population"], *[row["when"] for row in frame["cells"]]]
            conditions += [group["when"] for group in frame["groups"].values()]
            kept |= {column for row in frame["cells"] for column in row.get("by", [])}
            kept |= {"county"} if frame["counties"] else set()
    cuts = defaultdict(set)
    for column, wanted in (pair for when in conditions for pair in when.items()):
        if isinstance(wanted, dict):
            cuts[column] |= {(number, limit in ("max", "above")) for limit, number in wanted.items()}
        else:
            kept.add(column)
    # A resident who moved out would have been in for as long as the current stay.
    cuts["nf_days_spell"] |= cuts["institutional_days_before_move"]
    kept -= {"cell"}
    return sorted(kept), {column: sorted(found) for column, found in sorted(cuts.items()) if column not in kept}


def _band(value: ibis.Value, cuts: list[tuple[float, bool]]) -> ibis.Value:
    """Count the limits a number has passed: numbers of one count are alike to every condition."""
    passed = [(value > number if is_below else value >= number).cast("int64") for number, is_below in cuts]
    return sum(passed, ibis.literal(0)).fill_null(-1)


def _with_payments(months, programs, counter):
    """Add what each program pays, once for all programs of one liability window."""
    payments, known = {}, []
    for program in programs:
        if program["liability"] not in known:
            known.append(program["liability"])
            paid = plan_payments(months, program["liability"], counter)
            months = months.mutate(**{f"{name}_{len(known) - 1}": value for name, value in paid.items()})
        place = known.index(program["liability"])
        payments[program["program"]] = {name: f"{name}_{place}" for name in PAYMENTS if name != BENEFIT}
        if benefit := program.get("capped_benefit"):
            column = f"{BENEFIT}_{program['program']}"
            months = add_capped_benefit(months, benefit).rename({column: BENEFIT})
            payments[program["program"]][BENEFIT] = column
    return months, payments


def _total(months, column):
    total = months[column].sum()
    return total if column in COUNTS or "_days" in column else total.cast(WHOLE_USD)
