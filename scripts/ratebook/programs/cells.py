"""Sort member months into populations, rate cells and comparison groups, and reduce them to sums."""

from __future__ import annotations

import functools
import operator

import ibis

from ratebook.contracts.programs import SERVICES, ComparisonGroups
from ratebook.money import upto
from ratebook.programs.definitions import EVERYWHERE, frames_of

COUNTERS = {"cumulative": "nf_days_cumulative", "per_spell": "nf_days_spell", "lifetime": "nf_days_lifetime"}
SUMS = (*SERVICES, "applied_income_usd", "nf_gross_usd", "nf_net_usd", "nf_liable_usd", "capped_benefit_usd")
NEVER = ibis.literal(None, "string")


def meets(months: ibis.Table, when: dict) -> ibis.Value:
    """Say of each member month whether it meets every condition; a missing value meets none.

    A condition is a value, a list of values, or limits: `min` and `max` include the limit, `above` and `below`
    do not.
    """
    limits = {"min": operator.ge, "max": operator.le, "above": operator.gt, "below": operator.lt}
    found = ibis.literal(True)
    for column, wanted in when.items():
        value = months[column]
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

    A comparison group is the program's population where the group's conditions are met; `enrolled` is the whole
    population, `common` the part of it in the common population. Months covered only retroactively stay out,
    because no plan can be paid a capitation for them. A month may be in many groups.

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
    parts = []
    for program in programs:
        paid = sort_months(months, program, counter)
        parts += [_reduce_frame(paid, program, name, frame, common) for name, frame in frames_of(program).items()]
    return ibis.union(*parts, distinct=False) if len(parts) > 1 else parts[0]


def sort_months(months: ibis.Table, program: dict, counter: str) -> ibis.Table:
    """Add what the program pays of a month's facility days, and its capped benefit."""
    months = add_capped_benefit(months, program.get("capped_benefit"))
    days = plan_days(months, program["liability"], counter)
    months = months.mutate(
        plan_nf_days=days, plan_nf_days_per_spell=plan_days(months, program["liability"], "per_spell")
    )
    paid = upto(months.nf_net_usd, months.plan_nf_days, ibis.greatest(months.nf_days, 1))
    return months.mutate(nf_liable_usd=ibis.ifelse(months.nf_days > 0, paid, 0))


def _reduce_frame(months, program, name, frame, common):
    months = months.filter(meets(months, frame["population"]))
    months = months.mutate(cell=assign_cell(months, frame["cells"]))
    months = months.filter(months.cell.notnull())
    here = meets(months, {"county": frame["counties"]} if frame["counties"] else {})
    tags = [_tag("enrolled", here, months.cell), _tag("common", here & meets(months, common), months.cell)]
    for group, rule in frame["groups"].items():
        inside = ibis.literal(True) if rule.get("statewide") else here
        column = months[rule["by"]] if "by" in rule else ibis.literal(EVERYWHERE)
        tags.append(_tag(group, inside & meets(months, rule["when"]), column))
    months = months.mutate(tag=ibis.array(tags).unnest())
    months = months.filter(months.tag.notnull())
    first = ibis.window(group_by=["tag", "person_id"], order_by="service_month")
    months = months.mutate(is_first=(ibis.row_number().over(first) == 0).cast("int64"))
    found = months.group_by("tag", "period", "replicate").agg(
        member_months=months.count(),
        persons=months.person_id.nunique(),
        new_persons=months.is_first.sum(),
        **{days: months[days].sum() for days in ("nf_days", "plan_nf_days", "plan_nf_days_per_spell")},
        conversion_months_max=months.months_since_conversion.max(),
        **{column: months[column].sum() for column in SUMS},
        per_diem_usd=months.per_diem_usd.sum().fill_null(0),
        ancillary_usd=months.ancillary_usd.sum(where=months.per_diem_usd.notnull()).fill_null(0),
        per_diem_months=months.per_diem_usd.count(),
    )
    parts = found.tag.split("|")
    found = found.mutate(program=ibis.literal(program["program"]), frame=ibis.literal(name))
    found = found.mutate(comparison_group=parts[0], cell=parts[1])
    return found.select(**{column: found[column].cast(kind) for column, kind in ComparisonGroups.types().items()})


def _tag(group, is_in, cell):
    return ibis.ifelse(is_in, ibis.literal(group + "|") + cell, NEVER)
