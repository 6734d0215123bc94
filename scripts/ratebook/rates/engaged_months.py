"""What clients were delivered in each month engaged, and how navigators' time was filled: claims-scale tables in."""

from __future__ import annotations

import ibis

from ratebook.contracts.episodes import ARMS
from ratebook.dates import MONTH_DAYS, month_of


def build_engaged_months(
    cohort: ibis.Table, spells: ibis.Table, contacts: ibis.Table, claims: ibis.Table, horizon_months: int
) -> ibis.Table:
    """Lay out each client's first spell with their arm's program, a row a month, with what was delivered and paid.

    Month 1 begins with the first contact; months are 30.4375 days. A client is engaged at the start of each month
    the spell reaches. Work and payments count in the month they fall in, up to the spell's last day; payments count
    to the end of its last month, since a monthly bill may follow the last contact.

    Returns
    -------
    EngagedMonths

    References
    ----------
    methods.md, E7.
    """
    in_arm = cohort.filter(cohort.arm.isin(ARMS)).select("person_id", "arm", "n12")
    first = spells.filter(spells.spell == 1)
    stays = first.inner_join(in_arm, [first.person_id == in_arm.person_id, first.program == in_arm.arm]).select(
        "person_id", "arm", "provider_id", "n12", "first_date", "last_date", "length_days", "is_event"
    )
    stays = stays.mutate(stay_months=_month_number(stays.length_days - 1))
    counts = ibis.range(1, horizon_months + 1).unnest().name("engaged_month").as_table()
    months = stays.cross_join(counts).filter(lambda t: t.engaged_month <= t.stay_months)
    logged = contacts.select("person_id", "program", "is_contact", "minutes", "billable_units", day="contact_date")
    work = _within(stays, logged)
    work = work.group_by("person_id", "arm", "engaged_month").agg(
        contacts=work.is_contact.sum(), minutes=work.minutes.sum(), units=work.billable_units.sum()
    )
    bills = claims.filter(claims.category == "NAVIGATOR")
    paid = _within(stays, bills.select("person_id", "program", "cost_usd", day="service_start_date"))
    paid = paid.group_by("person_id", "arm", "engaged_month").agg(paid_usd=paid.cost_usd.sum())
    key = ["person_id", "arm", "engaged_month"]
    joined = months.left_join(work, key).select(months, work.contacts, work.minutes, work.units)
    joined = joined.left_join(paid, key).select(joined, paid.paid_usd)
    return joined.select(
        *key,
        "provider_id",
        "n12",
        is_event=joined.is_event & (joined.engaged_month == joined.stay_months),
        is_last=joined.engaged_month == joined.stay_months,
        contacts=joined.contacts.fill_null(0),
        minutes=joined.minutes.fill_null(0),
        units=joined.units.fill_null(0),
        paid_usd=joined.paid_usd.fill_null(0),
    )


def _month_number(days: ibis.Value) -> ibis.Value:
    return (days / MONTH_DAYS).floor().cast("int64") + 1


def _within(stays: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Join a client's rows whose `day` falls in the months of the stay, and number the month."""
    joined = stays.inner_join(rows, [stays.person_id == rows.person_id, stays.arm == rows.program])
    joined = joined.filter(joined.day >= joined.first_date)
    joined = joined.mutate(engaged_month=_month_number(joined.day.delta(joined.first_date, unit="day")))
    return joined.filter(joined.engaged_month <= joined.stay_months)


def build_staffing(worker_time: ibis.Table) -> ibis.Table:
    """Sum up navigators' logs by program: caseload, and where the time went.

    Work that names no client (training, coaching) is shared out over the client months, as a rate has to pay it. A
    client month is a calendar month in which an entry names the client.

    Returns
    -------
    Staffing

    References
    ----------
    methods.md, E7.
    """
    logged = worker_time.filter(worker_time.worker_id.notnull())
    logged = logged.mutate(month=month_of(logged.activity_date))
    each = logged.group_by("program", "worker_id", "month").agg(
        clients=logged.person_id.nunique(where=logged.is_contact), minutes=logged.minutes.sum()
    )
    sums = each.group_by("program").agg(
        workers=each.worker_id.nunique(),
        worker_months=each.count(),
        clients=each.clients.sum(),
        minutes=each.minutes.sum(),
    )
    named = logged.filter(logged.person_id.notnull())
    of_clients = named.select("program", "person_id", "month").distinct()
    months = of_clients.group_by("program").agg(client_months=of_clients.count())
    names_client, no_units = logged.person_id.notnull(), logged.billable_units.fill_null(0) == 0
    spent = logged.group_by("program").agg(
        contact_minutes=logged.minutes.sum(where=logged.is_contact).fill_null(0),
        client_minutes=logged.minutes.sum(where=names_client).fill_null(0),
        unbilled_minutes=logged.minutes.sum(where=no_units).fill_null(0),
        training_minutes=logged.minutes.sum(where=logged.activity == "training").fill_null(0),
        coaching_minutes=logged.minutes.sum(where=logged.activity == "coaching").fill_null(0),
    )
    joined = sums.left_join(months, "program").drop("program_right").left_join(spent, "program")
    minutes = joined.minutes.cast("float64").nullif(0)
    client_months = joined.client_months.cast("float64").nullif(0)
    return joined.select(
        "program",
        "workers",
        "worker_months",
        clients_per_worker=joined.clients.cast("float64") / joined.worker_months,
        minutes_per_worker_month=joined.minutes.cast("float64") / joined.worker_months,
        client_time_share=joined.contact_minutes / minutes,
        non_billable_share=joined.unbilled_minutes / minutes,
        time_per_client_time=minutes / joined.client_minutes.cast("float64").nullif(0),
        contact_minutes_per_client_month=joined.contact_minutes / client_months,
        other_client_minutes_per_client_month=(joined.client_minutes - joined.contact_minutes) / client_months,
        training_minutes_per_client_month=joined.training_minutes / client_months,
        coaching_minutes_per_client_month=joined.coaching_minutes / client_months,
    )
