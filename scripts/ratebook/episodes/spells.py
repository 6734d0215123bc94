"""Contacts with a navigator to spells of engagement, on one clock in both arms."""

from __future__ import annotations

import ibis

from ratebook.tables import hold

CHAIN = ["person_id", "program", "chain"]
"""What one sequence of contacts belongs to; `chain` is the organisation where spells are told apart by it."""
ORDER = ["contact_date", "contact_id"]
OTHER_CLOCKS = ("admin_length_days", "admin_end_reason", "floor_length_days", "floor_end_reason")


def build_spells(
    contacts: ibis.Table,
    cohort: ibis.Table,
    spell_gap_days: int,
    readmission_ends_spell: bool,
    spell_by_provider: bool = False,
) -> ibis.Table:
    """Join each person's valid contacts after discharge, program by program, into spells of engagement.

    A contact belongs to the open spell while the silence before it is at most `spell_gap_days`; the first
    contact after a longer silence opens the next. A spell lasts from its first to its last contact, both
    counted. Its end was seen only if the person was observed for more than `spell_gap_days` after the last
    contact; otherwise it is censored by what ended observation, for a contact could still have come. A seen
    end is `graduated` where the program says within that time that it was completed, `lost` where it says that
    the client was lost, else `disengaged`.

    Two other clocks stand beside the contacts', for a program that records enrolment. The administrative clock
    runs from enrolment to its end, within the time after discharge in which the person was observed. The floor
    counts of it only what contacts bear out: calendar months in a row with a valid contact in each, the least
    that a paid month can be worth where nothing but payments is known.

    Parameters
    ----------
    contacts : Contacts
        Any order; contacts that are none (attempts, office work) are left out.
    cohort : Cohort
        Time zero and the end of observation.
    spell_gap_days : int
        Longest silence, in days, within one spell.
    readmission_ends_spell : bool
        Another detox admission ends observation.
    spell_by_provider : bool
        Contacts of two organisations make two spells, which may overlap; numbered by their first day.

    Returns
    -------
    Spells
        One row per person, program and spell; contacts of nobody in the cohort, up to the discharge, or after
        the end of observation make none. A contact on the last day observed, the day of death included, counts.

    References
    ----------
    methods.md, B7; H23 to H25.
    """
    return _join_contacts(_observe(contacts, cohort, readmission_ends_spell, spell_by_provider), spell_gap_days)


def _join_contacts(seen: ibis.Table, spell_gap_days: int) -> ibis.Table:
    seen = _number_runs(seen, _silence_days, spell_gap_days, "run")
    within_run = ibis.window(group_by=[*CHAIN, "run"], order_by=ORDER)
    seen = seen.mutate(opens=ibis.row_number().over(within_run) == 0)
    spells = seen.group_by(*CHAIN, "run", "observed_end_date", "observed_end_reason").agg(
        provider_id=seen.provider_id.max(where=seen.opens),
        first_date=seen.contact_date.min(),
        last_date=seen.contact_date.max(),
        contacts=seen.count(),
        contact_days=seen.contact_date.nunique(),
        minutes=seen.minutes.sum(),
        billable_units=seen.billable_units.sum(),
        source=seen.source.max(where=seen.opens),
        completion_date=seen.disenrollment_date.max(where=seen.disenrollment_reason == "completed"),
        loss_date=seen.disenrollment_date.max(where=seen.disenrollment_reason == "lost"),
        **{name: seen[name].max(where=seen.opens) for name in OTHER_CLOCKS},
    )
    is_event = spells.observed_end_date.delta(spells.last_date, unit="day") > spell_gap_days

    def said(date: ibis.Value) -> ibis.Value:
        return is_event & date.delta(spells.last_date, unit="day").between(0, spell_gap_days).fill_null(False)

    by_first_day = ibis.window(group_by=["person_id", "program"], order_by=["first_date", "chain"])
    return spells.mutate(
        spell=ibis.row_number().over(by_first_day) + 1,
        length_days=spells.last_date.delta(spells.first_date, unit="day") + 1,
        is_event=is_event,
        end_reason=ibis.cases(
            (said(spells.completion_date), "graduated"),
            (said(spells.loss_date), "lost"),
            (is_event, "disengaged"),
            else_=spells.observed_end_reason,
        ),
    ).drop("observed_end_date", "observed_end_reason", "completion_date", "loss_date", "chain", "run")


def build_spells_by_gap(
    contacts: ibis.Table,
    cohort: ibis.Table,
    gaps_days: list[int],
    readmission_ends_spell: bool,
    spell_by_provider: bool = False,
) -> ibis.Table:
    """Build the spells under each of several longest silences, to show what the choice does.

    Returns
    -------
    SpellsByGap
    """
    seen = hold(_observe(contacts, cohort, readmission_ends_spell, spell_by_provider))
    return ibis.union(
        *[_join_contacts(seen, gap).mutate(spell_gap_days=ibis.literal(gap, "int64")) for gap in gaps_days]
    )


def _number_runs(seen: ibis.Table, distance, longest: int, name: str) -> ibis.Table:
    """Number runs of contacts: 1, and one more wherever the distance from the contact before is over `longest`."""
    in_order = ibis.window(group_by=CHAIN, order_by=ORDER)
    far = distance(seen, seen.contact_date.lag().over(in_order))
    seen = seen.mutate(opens_run=(far.isnull() | (far > longest)).cast("int64"))
    return seen.mutate(**{name: seen.opens_run.cumsum().over(in_order)}).drop("opens_run")


def _silence_days(seen: ibis.Table, before: ibis.Value) -> ibis.Value:
    return seen.contact_date.delta(before, unit="day")


def _months_apart(seen: ibis.Table, before: ibis.Value) -> ibis.Value:
    return (seen.contact_date.year() - before.year()) * 12 + seen.contact_date.month() - before.month()


def _observation(cohort: ibis.Table, readmission_ends_spell: bool) -> ibis.Table:
    """Say of each person until when spells can be seen, and what ends that."""
    readmitted = (cohort.readmission_date <= cohort.follow_end_date).fill_null(False) & readmission_ends_spell
    return cohort.select(
        "discharge_date",
        client=cohort.person_id,
        observed_end_date=ibis.ifelse(readmitted, cohort.readmission_date, cohort.follow_end_date),
        observed_end_reason=ibis.ifelse(readmitted, "readmitted", cohort.follow_end_reason),
    )


def _observe(
    contacts: ibis.Table, cohort: ibis.Table, readmission_ends_spell: bool, spell_by_provider: bool
) -> ibis.Table:
    """Keep the valid contacts in observed time, with their chain and the clocks of their enrolment."""
    observation = _observation(cohort, readmission_ends_spell)
    valid = contacts.filter(contacts.is_contact)
    valid = valid.mutate(chain=valid.provider_id if spell_by_provider else ibis.literal(""))
    seen = valid.join(
        observation,
        [
            valid.person_id == observation.client,
            valid.contact_date > observation.discharge_date,
            valid.contact_date <= observation.observed_end_date,
        ],
    )
    has_left = (seen.disenrollment_date <= seen.observed_end_date).fill_null(False)
    seen = seen.mutate(
        has_left=has_left,
        enrolled_date=ibis.greatest(seen.enrollment_date, (seen.discharge_date + ibis.interval(days=1)).cast("date")),
        left_date=ibis.ifelse(has_left, seen.disenrollment_date, seen.observed_end_date),
    )
    seen = seen.mutate(
        admin_length_days=_where_enrolled(seen, _length_days(seen.enrolled_date, seen.left_date)),
        admin_end_reason=_where_enrolled(seen, ibis.ifelse(seen.has_left, "ended", seen.observed_end_reason)),
    )
    return _add_floor(seen)


def _add_floor(seen: ibis.Table) -> ibis.Table:
    """Add the floor clock: from a contact's month on, the enrolled days of months in a row with a contact in each.

    The run ended where the enrolment did, or where a whole month without a contact was observed after it.
    """
    seen = _number_runs(seen, _months_apart, 1, "months_run")
    last_contact = seen.contact_date.max().over(ibis.window(group_by=[*CHAIN, "months_run"]))
    next_month = last_contact.truncate("M") + ibis.interval(months=1)
    seen = seen.mutate(
        month_end_date=(next_month - ibis.interval(days=1)).cast("date"),
        silent_date=(next_month + ibis.interval(months=1) - ibis.interval(days=1)).cast("date"),
    )
    first = ibis.greatest(seen.enrolled_date, seen.contact_date.truncate("M").cast("date"))
    last = ibis.least(seen.left_date, seen.month_end_date)
    is_over = (seen.has_left & (seen.left_date <= seen.month_end_date)) | (seen.silent_date <= seen.observed_end_date)
    return seen.mutate(
        floor_length_days=_where_enrolled(seen, _length_days(first, last)),
        floor_end_reason=_where_enrolled(seen, ibis.ifelse(is_over, "ended", seen.observed_end_reason)),
    )


def _length_days(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    return ibis.greatest(last.delta(first, unit="day") + 1, 1)


def _where_enrolled(seen: ibis.Table, value: ibis.Value) -> ibis.Value:
    return ibis.ifelse(seen.enrollment_date.isnull(), ibis.null(value.type()), value)
