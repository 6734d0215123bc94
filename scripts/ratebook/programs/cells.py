"""Sort member months into populations, rate cells and comparison groups, and reduce them to sums."""

from __future__ import annotations

import functools
import operator

import ibis

from ratebook.contracts.programs import SERVICES, ComparisonGroups
from ratebook.money import upto
from ratebook.programs.definitions import EVERYWHERE, frames_of

COUNTERS = {"cumulative": "nf_days_cumulative", "per_spell": "nf_days_spell", "lifetime": "nf_days_lifetime"}
SUMS = (*SERVICES, "applied_income_usd", "nf_gross_usd", "nf_net_usd", "medicare_paid_usd", "tpl_usd")
PAYMENTS = ("plan_nf_days", "plan_nf_days_per_spell", "nf_liable_usd", "capped_benefit_usd")
NEVER = ibis.literal(None, "string")


def meets(months: ibis.Table, when: dict, cell: ibis.Value = NEVER) -> ibis.Value:
    """Say of each member month whether it meets every condition; a missing value meets none.

    A condition is a value, a list of values, or limits: `min` and `max` include the limit, `above` and `below`
    do not. `cell` is the row of the decision table the month is in, for conditions on that.
    """
    limits = {"min": operator.ge, "max": operator.le, "above": operator.gt, "below": operator.lt}
    found = ibis.literal(True)
    for column, wanted in when.items():
        value = cell if column == "cell" else months[column]
        if isinstance(wanted, dict):
            for limit, number in wanted.items():
                found &= limits[limit](value, number).fill_null(False)
        else:
            found &= value.isin(wanted if isinstance(wanted, list) else [wanted]).fill_null(False)
    return found


def assign_cell(months: ibis.Table, cells: list[dict]) -> ibis.Value:
    """Give the rate cell: of the rows of the decision table, the first whose conditions are met.

    `by` cuts a cell further by columns: `all` by age band and sex becomes `all/75_84/female`. A month no row
    takes has no cell.

    References
    ----------
    methods.md, F0.
    """

    def name(row):
        parts = [months[column].cast("string").fill_null("unknown") for column in row.get("by", [])]
        return functools.reduce(lambda left, right: left + "/" + right, parts, ibis.literal(row["cell"]))

    return ibis.cases(*[(meets(months, row["when"]), name(row)) for row in cells], else_=NEVER)


def plan_days(months: ibis.Table, liability: dict, counter: str) -> ibis.Value:
    """Count the facility days of a month that fall in the plan's liability window.

    `all`: every day. `first_days`: days 1 to `days` by the counter. `anniversary`: days of the enrolment year
    the stay began in. Where `enrolled_in_nf` is `state`, a stay the person already was in at enrolment is the
    State's, whatever the window.

    References
    ----------
    methods.md, F0 (GT-24) and F6.
    """
    days = months.nf_days
    if liability["window"] == "first_days":
        before = ibis.greatest(months[COUNTERS[counter]] - days, 0)
        days = ibis.least(ibis.greatest(liability["days"] - before, 0), days)
    elif liability["window"] == "anniversary":
        days = ibis.ifelse(months.is_past_anniversary, 0, days)
    if liability["enrolled_in_nf"] == "state":
        days = ibis.ifelse(months.is_enrolled_in_nf, 0, days)
    return days.cast("int64")


def add_capped_benefit(months: ibis.Table, benefit: dict | None) -> ibis.Table:
    """Add `capped_benefit_usd`: what a capped benefit pays in each month of a person's enrolment.

    Nothing in the first `wait_months`; then use, until `year_usd` is reached in the benefit year and
    `lifetime_usd` over the enrolment. A program without such a benefit pays nothing.

    References
    ----------
    methods.md, F5 (GT-29).
    """
    if benefit is None:
        return months.mutate(capped_benefit_usd=ibis.literal(0).cast("decimal(14, 2)"))
    number = months.enrollment_month_number
    use = functools.reduce(operator.add, [months[f"{service}_usd"] for service in benefit["services"]])
    by_year = (number - 1) // 12 if benefit["year"] == "enrolment" else months.service_month.year()
    months = months.mutate(use=ibis.ifelse(number > benefit["wait_months"], use, 0), benefit_year=by_year)
    months = months.mutate(in_year=_paid_below(months, "use", benefit["year_usd"], "benefit_year"))
    months = months.mutate(capped_benefit_usd=_paid_below(months, "in_year", benefit["lifetime_usd"]))
    return months.drop("use", "benefit_year", "in_year")


def _paid_below(months, column, limit, *keys):
    """What of each month's amount lies below a limit on the running total."""
    so_far = ibis.cumulative_window(group_by=["person_id", "enrollment_month", *keys], order_by="service_month")
    reached = months[column].sum().over(so_far)
    return ibis.least(reached, limit) - ibis.least(reached - months[column], limit)


def build_comparison_groups(
    months: ibis.Table, programs: list[dict], common: dict, counter: str, replicates: int, keeps_retro: bool
) -> ibis.Table:
    """Reduce member months to sums by program, frame, comparison group, cell, period and replicate.

    A comparison group is the program's population where the group's conditions are met. Every frame has four of
    its own: `enrolled`, the population by cell, and `population`, all of it; `common` by cell, and
    `common_population`, its part in the common population. Months covered only retroactively stay out, because
    no plan can be paid a capitation for them. A month may be in many groups.

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

    Returns
    -------
    ComparisonGroups

    References
    ----------
    methods.md, F0 and F1.
    """
    months = months if keeps_retro else months.filter(~months.is_retro)
    number = ibis.dense_rank().over(order_by=months.person_id)
    months = months.mutate(replicate=(number % replicates).cast("int64"))
    tags = []
    for place, program in enumerate(programs):
        months = add_capped_benefit(months, program.get("capped_benefit"))
        payments = plan_payments(months, program, counter)
        months = months.mutate(**{f"{name}_{place}": value for name, value in payments.items()})
        for name, frame in frames_of(program).items():
            key = f"{program['program']}|{name}"
            months = _sort_into_frame(months, key, frame)
            tags += [(key, *rule) for rule in _rules_of(frame, common)]
    months = months.mutate(tags=ibis.literal(";").join([_tag(months, *rule) for rule in tags]))
    return _reduce(months, [program["program"] for program in programs])


def plan_payments(months: ibis.Table, program: dict, counter: str) -> dict[str, ibis.Value]:
    """Give what the program pays of a month: facility days by two counters, their net cost, its capped benefit."""
    days = plan_days(months, program["liability"], counter)
    paid = upto(months.nf_net_usd, days, ibis.greatest(months.nf_days, 1))
    return {
        "plan_nf_days": days,
        "plan_nf_days_per_spell": plan_days(months, program["liability"], "per_spell"),
        "nf_liable_usd": ibis.ifelse(months.nf_days > 0, paid, 0),
        "capped_benefit_usd": months.capped_benefit_usd,
    }


def _sort_into_frame(months, key, frame):
    """Add the decision table's row and the full cell of each month; null outside the frame's population."""
    inside = meets(months, frame["population"])
    plain = [{**row, "by": []} for row in frame["cells"]]
    return months.mutate(
        **{
            f"row {key}": ibis.ifelse(inside, assign_cell(months, plain), NEVER),
            f"cell {key}": ibis.ifelse(inside, assign_cell(months, frame["cells"]), NEVER),
        }
    )


def _rules_of(frame, common):
    """List a frame's groups: name, conditions, and the column that cuts it, if any."""
    here = {"county": frame["counties"]} if frame["counties"] else {}
    rules = [("enrolled", here, "cell"), ("population", here, None)]
    rules += [("common", common | here, "cell"), ("common_population", common | here, None)]
    for group, rule in frame["groups"].items():
        rules.append((group, rule["when"] | ({} if rule.get("statewide") else here), rule.get("by")))
    return rules


def _tag(months, key, group, when, by):
    row = months[f"row {key}"]
    cell = months[f"cell {key}"]
    cut = ibis.coalesce((cell.substr(row.length() + 1)).nullif(""), EVERYWHERE)
    part = {None: ibis.literal(EVERYWHERE), "cell": cell, "cut": cut, "plan": months.plan}[by]
    return ibis.ifelse(row.notnull() & meets(months, when, row), ibis.literal(f"{key}|{group}|") + part, NEVER)


def _reduce(months, names):
    """Sum a person's months of equal tags first, so that few rows are multiplied by the groups they are in."""
    payments = [f"{name}_{place}" for place in range(len(names)) for name in PAYMENTS]
    summed = [*SUMS, "nf_days", "member_months", "per_diem_usd", "ancillary_usd", "per_diem_months", *payments]
    has_diem = months.per_diem_usd.notnull()
    months = months.mutate(
        member_months=ibis.literal(1),
        per_diem_months=has_diem.cast("int64"),
        per_diem_usd=months.per_diem_usd.fill_null(0),
        ancillary_usd=ibis.ifelse(has_diem, months.ancillary_usd.fill_null(0), 0),
    )
    rows = months.group_by("person_id", "period", "replicate", "tags").agg(
        conversion_months_max=months.months_since_conversion.max(), **{name: months[name].sum() for name in summed}
    )
    rows = rows.mutate(tag=rows.tags.split(";").unnest())
    rows = rows.filter(rows.tag != "")
    rows = rows.mutate(first_period=rows.period.min().over(group_by=["tag", "person_id"]))
    found = rows.group_by("tag", "period", "replicate").agg(
        persons=rows.person_id.nunique(),
        new_persons=rows.person_id.nunique(where=rows.period == rows.first_period),
        conversion_months_max=rows.conversion_months_max.max(),
        **{name: rows[name].sum() for name in summed},
    )
    parts = found.tag.split("|")
    found = found.mutate(program=parts[0], frame=parts[1], comparison_group=parts[2], cell=parts[3])
    found = found.mutate(
        **{
            name: found.program.cases(*[(program, found[f"{name}_{place}"]) for place, program in enumerate(names)])
            for name in PAYMENTS
        }
    )
    return found.select(**{column: found[column].cast(kind) for column, kind in ComparisonGroups.types().items()})
