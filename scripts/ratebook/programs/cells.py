"""What a program says of one member month: does it meet conditions, which cell is it in, which days does the plan pay."""

from __future__ import annotations

import functools
import operator

import ibis

from ratebook.money import upto

COUNTERS = {"cumulative": "nf_days_cumulative", "per_spell": "nf_days_spell", "lifetime": "nf_days_lifetime"}
NEVER = ibis.literal(None, "string")
MEDICARE_DAYS = 100
"""Days of skilled facility care Medicare pays in a spell of illness (42 CFR 409.61)."""


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


def add_capped_benefit(months: ibis.Table, benefit: dict) -> ibis.Table:
    """Add `capped_benefit_usd`: what a capped benefit pays in each month of a person's enrolment.

    Nothing in the first `wait_months`; then use, until `year_usd` is reached in the benefit year and
    `lifetime_usd` over the enrolment.

    References
    ----------
    methods.md, F5 (GT-29).
    """
    number = months.enrollment_month_number
    use = functools.reduce(operator.add, [months[f"{service}_usd"] for service in benefit["services"]])
    by_year = (number - 1) // 12 if benefit["year"] == "enrolment" else months.service_month.year()
    # Months that use nothing move no running total: only the others are put in order.
    used = months.filter((number > benefit["wait_months"]) & (use > 0))
    used = used.select("person_id", "service_month", "enrollment_month", use=use, benefit_year=by_year)
    used = used.mutate(in_year=_paid_below(used, "use", benefit["year_usd"], "benefit_year"))
    used = used.mutate(capped_benefit_usd=_paid_below(used, "in_year", benefit["lifetime_usd"]))
    paid = used.select("person_id", "service_month", "capped_benefit_usd")
    months = months.left_join(paid, ["person_id", "service_month"]).drop("person_id_right", "service_month_right")
    return months.mutate(capped_benefit_usd=months.capped_benefit_usd.fill_null(0).cast("decimal(14, 2)"))


def _paid_below(months, column, limit, *keys):
    """What of each month's amount lies below a limit on the running total."""
    so_far = ibis.cumulative_window(group_by=["person_id", "enrollment_month", *keys], order_by="service_month")
    reached = months[column].sum().over(so_far)
    return ibis.least(reached, limit) - ibis.least(reached - months[column], limit)


def plan_payments(months: ibis.Table, liability: dict, counter: str) -> dict[str, ibis.Value]:
    """Give what a plan pays of a month's facility care.

    Its days, and what they would be counted anew for each stay; their net cost; and of that what lies in the first
    `MEDICARE_DAYS` of a stay of skilled care, which Medicare would pay after a stay in hospital.
    """
    days = plan_days(months, liability, counter)
    skilled = plan_days(months, {**liability, "window": "first_days", "days": MEDICARE_DAYS}, "per_spell")
    skilled = ibis.ifelse((months.nf_level == "SNF").fill_null(False), ibis.least(days, skilled), 0)

    def cost(part):
        return ibis.ifelse(months.nf_days > 0, upto(months.nf_net_usd, part, ibis.greatest(months.nf_days, 1)), 0)

    return {
        "plan_nf_days": days,
        "plan_nf_days_per_spell": plan_days(months, liability, "per_spell"),
        "nf_liable_usd": cost(days),
        "medicare_nf_usd": cost(skilled),
    }
