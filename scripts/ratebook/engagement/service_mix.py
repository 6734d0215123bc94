"""What navigators' time went into, and what the same log would earn under the other form of payment."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.dates import month_of

BY_CLIENT = "a case rate pays for clients, not for activities"
NO_UNIT_PRICE = "no claim of the unit form to take a price from"
NO_CASE_RATE = "no claim of a case rate to take a price from"
WHOLE_LOG = "every entry of the log is counted: nothing was sampled, so no interval"


def build_service_mix(worker_time: ibis.Table, prices: ibis.Table) -> ibis.Table:
    """Sum the log by program and activity, and price it both ways.

    The unit form pays each billable 15 minutes; paperwork, training and failed attempts earn nothing. A case rate
    pays for each client who is enrolled, and again for each calendar month (or day) with a contact, whatever is
    done in it. Both prices are what the claims paid on average, so that each program's log can be read under the
    other's payment; a form that no claim used has no price, and the amount is missing.

    Parameters
    ----------
    worker_time : WorkerTime
    prices : ibis.Table
        As `payment_prices` gives them.

    Returns
    -------
    ServiceMix

    References
    ----------
    methods.md, D3 and E7; design.md, section 6.
    """
    month = month_of(worker_time.activity_date).cast("string")
    time = worker_time.mutate(
        worker_month=worker_time.worker_id + "|" + month,
        worker_client=worker_time.worker_id + "|" + month + "|" + worker_time.person_id,
        client_month=worker_time.person_id + "|" + month,
        client_day=worker_time.person_id + "|" + worker_time.activity_date.cast("string"),
    )
    activities = time.group_by("program", "activity").agg(**_sums(time))
    whole = time.group_by("program").agg(**_sums(time))
    of_program = whole.select("program", program_minutes="minutes")
    rows = activities.union(whole.mutate(activity=ibis.literal("all")).select(*activities.columns))
    rows = rows.inner_join(of_program, "program").cross_join(prices)
    unit_usd = rows.billable_units.cast("float64") * rows.unit_price_usd
    is_whole = rows.activity == "all"
    case_usd, is_priced = case_form_usd(rows), has_case_rate(rows)
    return rows.select(
        "program",
        "activity",
        "entries",
        "minutes",
        minutes_share=_share(rows.minutes, rows.program_minutes),
        billable_minutes_share=_share(rows.billable_minutes, rows.minutes),
        contacts="contacts",
        billable_units=rows.billable_units.cast("float64"),
        worker_months="worker_months",
        contacts_per_worker_month=_share(rows.contacts, rows.worker_months),
        caseload=_share(rows.worker_clients, rows.worker_months),
        clients="clients",
        client_months="client_months",
        unit_form_usd=unit_usd.round(2).cast("decimal(14, 2)"),
        case_form_usd=ibis.ifelse(is_whole & is_priced, case_usd.round(2).cast("decimal(14, 2)"), ibis.null()),
        unit_price_usd="unit_price_usd",
        reason=ibis.cases(
            (rows.unit_price_usd.isnull(), f"{NO_UNIT_PRICE}; {WHOLE_LOG}"),
            (~is_whole, f"{BY_CLIENT}; {WHOLE_LOG}"),
            (~is_priced, f"{NO_CASE_RATE}; {WHOLE_LOG}"),
            else_=WHOLE_LOG,
        ),
    )


def _sums(time: ibis.Table) -> dict[str, ibis.Value]:
    return {
        **work_done(time),
        "entries": time.count(),
        "worker_months": time.worker_month.nunique(),
        "worker_clients": time.worker_client.nunique(),
        "clients": time.person_id.nunique(),
        "client_months": time.client_month.nunique(where=time.is_contact),
        "client_days": time.client_day.nunique(where=time.is_contact),
    }


def work_done(time: ibis.Table) -> dict[str, ibis.Value]:
    """Sum minutes, those billed, contacts and 15-minute units of the log."""
    return {
        "minutes": time.minutes.sum(),
        "billable_minutes": time.minutes.sum(where=time.billable_units > 0).fill_null(0),
        "contacts": time.is_contact.cast("int64").sum(),
        "billable_units": time.billable_units.sum(),
    }


def case_form_usd(rows: ibis.Table) -> ibis.Value:
    """Give what clients, their months and their days earn at the case rate's prices; a price nobody paid adds nothing."""
    parts = (("clients", "episode_usd"), ("client_months", "month_usd"), ("client_days", "day_usd"))
    return sum((rows[count].cast("float64") * rows[price]).fill_null(0) for count, price in parts)


def has_case_rate(rows: ibis.Table) -> ibis.Value:
    """Say whether any claim of a case rate stands behind the prices."""
    return ibis.coalesce(rows.episode_usd, rows.month_usd, rows.day_usd).notnull()


def _share(part: ibis.Value, whole: ibis.Value) -> ibis.Value:
    return part.cast("float64") / whole.cast("float64").nullif(0)


def payment_prices(claims: ibis.Table, services: pd.DataFrame) -> ibis.Table:
    """Give one row: what navigators' claims paid per 15 minutes, enrolment, month and day; null where none did.

    A price is dollars paid over units paid for, of the codes whose unit it is.

    Parameters
    ----------
    claims : Claims
    services : DataFrame
        The code list, for the unit each navigator code pays.
    """
    codes = services[services.program != ""]
    key = claims.hcpcs_code + "|" + claims.hcpcs_modifier_1.fill_null("")
    unit_of = {f"{row.code}|{row.modifier}": row.unit for row in codes.itertuples()}
    plain = {row.code: row.unit for row in codes.itertuples() if row.modifier == ""}
    lines = claims.filter(claims.category == "NAVIGATOR")
    lines = lines.mutate(
        payment_unit=ibis.coalesce(key.cases(*unit_of.items()), claims.hcpcs_code.cases(*plain.items()))
    )

    def price(unit: str) -> ibis.Value:
        mine = (lines.payment_unit == unit) & (lines.units > 0)
        return _share(lines.paid_usd.sum(where=mine), lines.units.sum(where=mine))

    return lines.agg(
        unit_price_usd=price("15_minutes"),
        episode_usd=price("episode"),
        month_usd=price("month"),
        day_usd=price("day"),
    )
