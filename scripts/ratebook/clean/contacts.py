"""Navigators' logs to contacts with clients and to time spent; unit claims where a program keeps no log."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.clean.members import with_person
from ratebook.contracts.clean import Contacts, WorkerTime

PROGRAMS = ("RSN", "CSP")
UNIT_MINUTES = 15


def mark_log(log: ibis.Table, identity: ibis.Table, persons: ibis.Table, extract_date: str) -> ibis.Table:
    """Mark each log entry with the rule that takes it; an entry for no one client needs no person.

    Of entries with one id the earliest stays. Adds `rule_id`, `source_person_id`, and the person's own key.
    """
    dates = persons.select("person_id", "death_date")
    log = with_person(log, identity.join(dates, "person_id"), log.contact_date)
    same = ibis.window(group_by="log_id", order_by=[name for name in log.columns if name != "log_id"])
    log = log.mutate(copy=ibis.row_number().over(same))
    extract = ibis.literal(extract_date).cast("date")
    return log.mutate(
        source_table=ibis.literal("navigator_log"),
        rule_id=ibis.cases(
            (log.cells_unparsed > 0, "A0.2"),
            (log.copy > 0, "A3.1"),
            (log.source_person_id.notnull() & log.person_id.isnull(), "A2.3"),
            (log.program.notin(PROGRAMS).fill_null(True), "A1.1"),
            (log.contact_date.isnull(), "A9.1"),
            (log.contact_date > extract, "A9.5"),
            ((log.contact_date > log.death_date) & log.source_person_id.notnull(), "A9.6"),
            else_=ibis.null("string"),
        ),
    ).drop("copy", "death_date")


def count_log(marked: ibis.Table) -> ibis.Table:
    """Count log entries by the rule that takes them, in the columns of the claims' waterfall: they bear no dollars."""
    none = ibis.literal(0).cast("decimal(14, 2)")
    counted = marked.group_by("source_table", "rule_id").agg(rows=marked.count())
    return counted.mutate(amount_rule_id=ibis.null("string"), raw_usd=none, paid_usd=none, cost_usd=none)


def clean_worker_time(marked: ibis.Table, contact_types: list[str]) -> ibis.Table:
    """Give every valid log entry, with or without a client: what navigators did with their time.

    Returns
    -------
    WorkerTime
    """
    valid = marked.filter(marked.rule_id.isnull())
    return (
        valid.mutate(**_entry(valid, contact_types))
        .rename(activity_date="contact_date", activity="contact_type")
        .select(*WorkerTime.types())
    )


def clean_contacts(
    marked: ibis.Table, claims: ibis.Table, services: pd.DataFrame, contact_types: list[str]
) -> ibis.Table:
    """Give every log entry with a client, and say whether it counts as engagement.

    An entry is a contact when it is marked successful and is of one of `contact_types`; attempts and
    administration are not. A program that has claims and not one log entry is seen through its claims: each line
    billed in units of 15 minutes is a contact on its day of service. A case rate's monthly line never is.

    Parameters
    ----------
    marked : ibis.Table
        As `mark_log` gives it.
    claims : Claims
    services : pandas.DataFrame
        Code table, for the codes billed in units of 15 minutes.
    contact_types : list of str
        Types that count.

    Returns
    -------
    Contacts

    References
    ----------
    methods.md, B7.
    """
    valid = marked.filter(marked.rule_id.isnull(), marked.person_id.notnull())
    logged = valid.mutate(**_entry(valid, contact_types), contact_id=valid.log_id, source=ibis.literal("log")).select(
        *Contacts.types()
    )
    units = services[(services.program != "") & (services.unit == "15_minutes")]
    billed = claims.filter(
        claims.program.isin(sorted(set(units.program))),
        claims.hcpcs_code.isin(sorted(set(units.code))),
        ~claims.is_money_only,
    )
    with_log = marked.select(logged_program="program").distinct()
    billed = billed.anti_join(with_log, billed.program == with_log.logged_program)
    fifteen = billed.units.fill_null(0)
    from_claims = billed.select(
        contact_id=billed.claim_id + "-" + billed.line_number.cast("string"),
        person_id="person_id",
        program="program",
        provider_id=billed.billing_npi.fill_null("unknown"),
        worker_id=billed.rendering_npi,
        contact_date="service_start_date",
        contact_type=ibis.literal("face"),
        is_contact=ibis.literal(True),
        minutes=(fifteen * UNIT_MINUTES).cast("int64"),
        billable_units=fifteen,
        enrollment_date=ibis.null("date"),
        disenrollment_date=ibis.null("date"),
        disenrollment_reason=ibis.null("string"),
        source=ibis.literal("claim"),
    )
    return logged.union(from_claims.select(*Contacts.types()))


def _entry(log: ibis.Table, contact_types: list[str]) -> dict:
    reached = log.successful.fill_null(False) & log.contact_type.isin(contact_types).fill_null(False)
    return {
        "provider_id": log.provider_id.fill_null("unknown"),
        "contact_type": log.contact_type.fill_null("unknown"),
        "is_contact": reached & log.person_id.notnull(),
        "minutes": ibis.greatest(log.minutes.fill_null(0), 0),
        "billable_units": ibis.greatest(log.billable_units.fill_null(0), 0),
    }
