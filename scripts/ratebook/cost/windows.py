"""What each cohort member cost before, in and after the index stay, spread by day and exact to the cent."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.cost.intervals import interval_days, pre_interval_days
from ratebook.cost.periods import build_bins, count_days, count_eligible, overlap, plus_days
from ratebook.cost.population import population_costs, population_months
from ratebook.cost.prices import price_index, reprice_claims
from ratebook.cost.site_quarters import build_site_quarters
from ratebook.dates import days_in_month, month_of, months_between
from ratebook.money import upto

WITHDRAWAL = ("WM_HOSP", "WM_RES")
SPREAD = {"cost_usd": "decimal(14, 2)", "real_cost_usd": "decimal(14, 2)", "units": "decimal(18, 4)"}
"""What of a line is spread over its days."""


def build_windows(
    claims: ibis.Table,
    contacts: ibis.Table,
    cohort: ibis.Table,
    spells: ibis.Table,
    spans: ibis.Table,
    member_months: ibis.Table,
    program_costs: ibis.Table,
    episodes: ibis.Table,
    settings: dict,
    index: pd.DataFrame | None = None,
) -> dict[str, ibis.Table]:
    """Reduce claims, logs and coverage to the person-scale tables that every cost estimate reads.

    Parameters
    ----------
    claims, contacts, cohort, spells, spans, member_months, program_costs, episodes : ibis.Table
        As `Claims`, `Contacts`, `Cohort`, `Spells`, `Spans`, `MemberMonths`, `ProgramCosts`, `Episodes` declare them.
    settings : dict
        `horizon_days`, `intervals`, `pre_days`, `runout_months`, `extract_date`, `window_start`, `window_end`,
        `mm_rule`, `min_contacts`, `prices`, `discount_rate`, `sites`.
    index : pandas.DataFrame, optional
        A price index of the user's (`prices.reprice_claims`).

    Returns
    -------
    dict
        The tables of `contracts.cost.WINDOW_TABLES` and of `contracts.cost_panels.BUILT_TABLES`, by name.

    References
    ----------
    methods.md, D1, D2 and D7.
    """
    window = settings["window_start"], settings["window_end"]
    prices = price_index(claims, settings["prices"], index)
    claims = reprice_claims(claims, settings["prices"], index)
    members = select_members(cohort, settings["horizon_days"], settings["extract_date"], settings["runout_months"])
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    pre_edges = pre_interval_days(settings["pre_days"], settings["horizon_days"], settings["intervals"])
    bins = build_bins(members, edges, pre_edges, settings["discount_rate"])
    engaged = merge_spells(spells, members)
    log = select_log(contacts, members)
    return {
        "person_costs": spread_costs(claims, members, bins, engaged),
        "client_intervals": count_intervals(log, bins, engaged),
        "follow_up": count_months(members, spans, engaged, log, settings["mm_rule"], settings["min_contacts"]),
        "population_costs": population_costs(claims, member_months, settings["mm_rule"], *window),
        "population_months": population_months(member_months, settings["mm_rule"], *window),
        "outside_costs": outside_costs(program_costs, contacts, *window),
        "member_intervals": count_eligible(bins, spans),
        "price_index": prices,
        "site_quarters": build_site_quarters(claims, contacts, episodes, spans, settings),
    }


def select_members(cohort: ibis.Table, horizon_days: int, extract_date: str, runout_months: int) -> ibis.Table:
    """Say until when the cost of each cohort member was observed.

    The day of discharge is day 0 and the horizon is the first day not counted. Observation ends with the
    earliest of the horizon, the end of coverage, death, and the last day whose claims had `runout_months` to
    arrive. Death and the horizon complete it; the end of engagement has no say.
    """
    data_end = ibis.date(str((pd.Timestamp(extract_date) - pd.DateOffset(months=runout_months)).date()))
    horizon_end = plus_days(cohort.discharge_date, horizon_days - 1)
    last_date = ibis.least(cohort.follow_end_date, horizon_end, data_end)
    reached = last_date == horizon_end
    seen = last_date == cohort.follow_end_date
    reason = ibis.cases(
        (seen & (cohort.follow_end_reason == "death"), "death"),
        (reached, "horizon"),
        (seen, cohort.follow_end_reason),
        else_="end_of_data",
    )
    return cohort.select(
        "person_id",
        "arm",
        "index_admission_date",
        "discharge_date",
        provider_id=cohort.provider_id.fill_null("unknown"),
        last_date=last_date,
        horizon_date=horizon_end,
        followed_days=ibis.greatest(last_date.delta(cohort.discharge_date, unit="day") + 1, 0),
        end_reason=reason,
        is_complete=reason.isin(["death", "horizon"]),
    )


def merge_spells(spells: ibis.Table, members: ibis.Table) -> ibis.Table:
    """Join each member's spells with either program, within follow-up, into periods that do not overlap."""
    mine = spells.inner_join(members.select("person_id", "last_date", "discharge_date"), "person_id")
    mine = mine.select(
        "person_id",
        start_date=ibis.greatest(mine.first_date, mine.discharge_date),
        end_date=ibis.least(mine.last_date, mine.last_date_right),
    ).filter(lambda t: t.start_date <= t.end_date)
    order = {"group_by": "person_id", "order_by": ["start_date", "end_date"]}
    mine = mine.mutate(reach=mine.end_date.max().over(**order, rows=(None, 0)))
    mine = mine.mutate(before=mine.reach.lag().over(ibis.window(**order)))
    opens = mine.before.isnull() | (mine.start_date > mine.before)
    mine = mine.mutate(opens=opens.cast("int64"))
    mine = mine.mutate(period=mine.opens.sum().over(**order, rows=(None, 0)))
    periods = mine.group_by("person_id", "period").agg(start_date=mine.start_date.min(), end_date=mine.end_date.max())
    return periods.mutate(engaged_days=count_days(periods.start_date, periods.end_date))


def select_log(contacts: ibis.Table, members: ibis.Table) -> ibis.Table:
    """Keep the log entries of a member's follow-up."""
    joined = contacts.inner_join(members.select("person_id", "discharge_date", "last_date"), "person_id")
    inside = joined.contact_date.between(joined.discharge_date, joined.last_date)
    return joined.filter(inside).select("person_id", "contact_date", "is_contact", "billable_units")


def spread_costs(claims: ibis.Table, members: ibis.Table, bins: ibis.Table, engaged: ibis.Table) -> ibis.Table:
    """Put each line's cost into the windows its days fall in; the withdrawal lines of the index stay stay whole.

    A line's days run from its start to its end, without the day of discharge of a stay. A withdrawal line that
    starts between index admission and discharge belongs to `index` with all its dollars, so that no arm carries
    part of its index stay into follow-up.
    """
    lines = claims.inner_join(members.select("person_id", "index_admission_date", "discharge_date"), "person_id")
    leaves = (lines.service_end_date == lines.discharge_date) & (lines.service_start_date < lines.discharge_date)
    of_index = lines.category.isin(WITHDRAWAL) & lines.service_start_date.between(
        lines.index_admission_date, lines.discharge_date_right
    )
    lines = lines.select(
        "person_id",
        "category",
        "cost_usd",
        "real_cost_usd",
        units=lines.units.fill_null(1),
        first_date=lines.service_start_date,
        last_date=leaves.fill_null(False).ifelse(plus_days(lines.service_end_date, -1), lines.service_end_date),
        is_index=of_index,
    )
    stay = lines.filter(lines.is_index)
    whole = {"window": ibis.literal("index"), "interval": ibis.literal(0, "int64")}
    stay = stay.select("person_id", "category", "cost_usd", "real_cost_usd", "units", **whole)
    others = lines.filter(~lines.is_index)
    while_engaged = overlap(bins.filter(bins.window == "post"), engaged)
    keys, sums = ["person_id", "window", "interval", "category"], ["cost_usd", "real_cost_usd", "units"]
    all_days = ibis.union(_spread(others, bins).select(*keys, *sums), stay.select(*keys, *sums))
    no_cost, no_units = ibis.literal(0).cast("decimal(14, 2)"), ibis.literal(0).cast("decimal(18, 4)")
    all_days = all_days.mutate(engaged_cost_usd=no_cost)
    of_engaged = _spread(others, while_engaged).select(*keys, engaged_cost_usd="cost_usd")
    of_engaged = of_engaged.mutate(cost_usd=no_cost, real_cost_usd=no_cost, units=no_units)
    columns = [*keys, *sums, "engaged_cost_usd"]
    both = ibis.union(all_days.select(*columns), of_engaged.select(*columns))
    return both.group_by(keys).agg(**{name: both[name].sum() for name in [*sums, "engaged_cost_usd"]})


def count_intervals(log: ibis.Table, bins: ibis.Table, engaged: ibis.Table) -> ibis.Table:
    """Count engaged days, spells begun, contacts and billable units in each interval since discharge."""
    post = bins.filter(bins.window == "post")
    pieces = overlap(post, engaged)
    entries = log.inner_join(post, "person_id").filter(lambda t: t.contact_date.between(t.start_date, t.end_date))
    none, no_units = ibis.literal(0, "int64"), ibis.literal(0).cast("decimal(18, 4)")
    days = pieces.select(
        "person_id",
        "interval",
        engaged_days=count_days(pieces.start_date, pieces.end_date),
        spells=(pieces.start_date == pieces.period_start_date).cast("int64"),
        contacts=none,
        billable_units=no_units,
    )
    logged = entries.select(
        "person_id",
        "interval",
        engaged_days=none,
        spells=none,
        contacts=entries.is_contact.cast("int64"),
        billable_units=entries.billable_units,
    )
    both = ibis.union(days, logged)
    counted = ["engaged_days", "spells", "contacts", "billable_units"]
    return both.group_by("person_id", "interval").agg(**{name: both[name].sum() for name in counted})


def count_months(
    members: ibis.Table, spans: ibis.Table, engaged: ibis.Table, log: ibis.Table, mm_rule: str, min_contacts: int
) -> ibis.Table:
    """Count each member's months: eligible by the member-month rule, engaged by two conventions, and with contacts.

    A spell of 56 days from 5 January to 1 March touches 3 calendar months and is 2 months of 30 days rounded up.
    """
    touched = _months(engaged).select("person_id", "service_month").distinct()
    touched = touched.group_by("person_id").agg(engaged_calendar_months=touched.count())
    rounded = engaged.group_by("person_id").agg(
        engaged_ceil30_months=((engaged.engaged_days + 29) // 30).sum().cast("int64")
    )
    met = log.filter(log.is_contact).mutate(service_month=month_of(log.contact_date))
    met = met.group_by("person_id", "service_month").agg(contacts=met.count())
    met = met.filter(met.contacts >= min_contacts)
    met = met.group_by("person_id").agg(contact_months=met.count())
    eligible = eligible_months(members, spans, mm_rule)
    table = members
    for part in (eligible, touched, rounded, met):
        table = table.left_join(part, "person_id").drop("person_id_right")
    months = ["eligible_months", "engaged_calendar_months", "engaged_ceil30_months", "contact_months"]
    return table.select(
        "person_id",
        "arm",
        "provider_id",
        "discharge_date",
        "followed_days",
        "end_reason",
        "is_complete",
        **{name: table[name].fill_null(0) for name in months},
    )


def eligible_months(members: ibis.Table, spans: ibis.Table, mm_rule: str) -> ibis.Table:
    """Count each member's eligible months within follow-up, by the rule every member month is counted with."""
    joined = spans.inner_join(members.select("person_id", "discharge_date", members_last="last_date"), "person_id")
    covered = joined.select(
        "person_id",
        start_date=ibis.greatest(joined.start_date, joined.discharge_date),
        end_date=ibis.least(joined.end_date, joined.members_last),
    ).filter(lambda t: t.start_date <= t.end_date)
    parts = _months(covered)
    month, middle = parts.service_month, plus_days(parts.service_month, 14)
    parts = parts.mutate(
        days=count_days(parts.start_date, parts.end_date),
        has_first=(parts.start_date == month).cast("int64"),
        has_15=((parts.start_date <= middle) & (parts.end_date >= middle)).cast("int64"),
    )
    months = parts.group_by("person_id", "service_month").agg(
        days=parts.days.sum(), has_first=parts.has_first.max(), has_15=parts.has_15.max()
    )
    length = days_in_month(months.service_month)
    weight = {
        "any_day": ibis.literal(1),
        "first_day": months.has_first,
        "day_15": months.has_15,
        "full_month": (months.days == length).cast("int64"),
        "fractional": months.days.cast("float64") / length.cast("float64"),
    }[mm_rule]
    months = months.mutate(weight=weight.cast("decimal(18, 12)"))
    return months.group_by("person_id").agg(eligible_months=months.weight.sum().cast("float64"))


def outside_costs(program_costs: ibis.Table, contacts: ibis.Table, window_start: str, window_end: str) -> ibis.Table:
    """Sum what the programs cost outside claims in the study window, and spread it over all their clients there."""
    window = ibis.date(window_start), ibis.date(window_end)
    inside = program_costs.filter(program_costs.month.between(*window))
    sums = inside.group_by("program", "item", "perspective").agg(amount_usd=inside.amount.sum())
    met = contacts.filter(contacts.is_contact & contacts.contact_date.between(*window))
    clients = met.group_by("program").agg(persons=met.person_id.nunique())
    table = sums.left_join(clients, "program")
    persons = table.persons.fill_null(0)
    return table.select(
        "program",
        "item",
        "perspective",
        "amount_usd",
        persons=persons,
        client_usd=table.amount_usd.cast("float64") / persons.nullif(0).cast("float64"),
        reason=(persons == 0).ifelse(
            ibis.literal("no client of the program in the study window"), ibis.null("string")
        ),
    )


def _spread(lines: ibis.Table, bins: ibis.Table) -> ibis.Table:
    """Give each line's dollars and units to the bins its days fall in, in proportion to the days."""
    joined = lines.inner_join(bins, "person_id")
    joined = joined.filter((joined.first_date <= joined.end_date) & (joined.last_date >= joined.start_date))
    days = ibis.greatest(count_days(joined.first_date, joined.last_date), 1)
    before = ibis.greatest(joined.start_date.delta(joined.first_date, unit="day"), 0)
    through = ibis.least(count_days(joined.first_date, joined.end_date), days)
    joined = joined.mutate(
        real_cost_usd=(joined.real_cost_usd.cast("float64") * joined.present_value).cast("decimal(14, 2)")
    )
    return joined.select(
        "person_id",
        "window",
        "interval",
        "category",
        **{
            name: (upto(joined[name], through, days) - upto(joined[name], before, days)).cast(kind)
            for name, kind in SPREAD.items()
        },
    )


def _months(periods: ibis.Table) -> ibis.Table:
    """Cut closed periods at the ends of calendar months, a row a month."""
    crossed = months_between(periods.start_date, periods.end_date).cast("int64")
    rows = periods.mutate(step=ibis.range(0, crossed + 1).unnest())
    rows = rows.mutate(
        service_month=(month_of(rows.start_date) + rows.step.cast("int32").as_interval("M")).cast("date")
    )
    month_end = plus_days(rows.service_month, days_in_month(rows.service_month) - 1)
    return rows.mutate(
        start_date=ibis.greatest(rows.start_date, rows.service_month), end_date=ibis.least(rows.end_date, month_end)
    ).drop("step")
