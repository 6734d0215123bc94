"""Contacts with a navigator to spells of engagement, on one clock in both arms."""

from __future__ import annotations

import ibis


def build_spells(
    contacts: ibis.Table, cohort: ibis.Table, spell_gap_days: int, readmission_ends_spell: bool
) -> ibis.Table:
    """Join each person's valid contacts after discharge, program by program, into spells of engagement.

    A contact belongs to the open spell while the silence before it is at most `spell_gap_days`; the first
    contact after a longer silence opens the next. A spell lasts from its first to its last contact, both
    counted. Its end was seen only if the person was observed for more than `spell_gap_days` after the last
    contact; otherwise it is censored by what ended observation, for a contact could still have come. A seen
    end is `graduated` where the program was completed within that time, else `disengaged`.

    The administrative clock runs from enrolment in the program to its end, within the time after discharge in
    which the person was observed. Only a program that records enrolment has one, so it compares no arms.

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

    Returns
    -------
    Spells
        One row per person, program and spell; contacts of nobody in the cohort, up to the discharge, or after
        the end of observation make none.

    References
    ----------
    methods.md, B7; H23 to H25.
    """
    seen = _observe(contacts, _observation(cohort, readmission_ends_spell))
    in_order = ibis.window(group_by=["person_id", "program"], order_by=["contact_date", "contact_id"])
    silence = seen.contact_date.delta(seen.contact_date.lag().over(in_order), unit="day")
    opens_spell = silence.isnull() | (silence > spell_gap_days)
    seen = seen.mutate(opens_spell=opens_spell.cast("int64"))
    seen = seen.mutate(spell=seen.opens_spell.cumsum().over(in_order))
    within_spell = ibis.window(group_by=["person_id", "program", "spell"], order_by=["contact_date", "contact_id"])
    seen = seen.mutate(opens=ibis.row_number().over(within_spell) == 0)
    spells = seen.group_by("person_id", "program", "spell", "observed_end_date", "observed_end_reason").agg(
        provider_id=seen.provider_id.max(where=seen.opens),
        first_date=seen.contact_date.min(),
        last_date=seen.contact_date.max(),
        contacts=seen.count(),
        contact_days=seen.contact_date.nunique(),
        minutes=seen.minutes.sum(),
        billable_units=seen.billable_units.sum(),
        admin_length_days=seen.admin_length_days.max(where=seen.opens),
        completion_date=seen.completion_date.max(),
    )
    is_event = spells.observed_end_date.delta(spells.last_date, unit="day") > spell_gap_days
    days_to_completion = spells.completion_date.delta(spells.last_date, unit="day")
    is_graduated = days_to_completion.between(0, spell_gap_days).fill_null(False)
    return spells.mutate(
        length_days=spells.last_date.delta(spells.first_date, unit="day") + 1,
        is_event=is_event,
        end_reason=ibis.cases(
            (is_event & is_graduated, "graduated"), (is_event, "disengaged"), else_=spells.observed_end_reason
        ),
    ).drop("observed_end_date", "observed_end_reason", "completion_date")


def build_spells_by_gap(
    contacts: ibis.Table, cohort: ibis.Table, gaps_days: list[int], readmission_ends_spell: bool
) -> ibis.Table:
    """Build the spells under each of several longest silences, to show what the choice does.

    Returns
    -------
    SpellsByGap
    """
    return ibis.union(
        *[
            build_spells(contacts, cohort, gap, readmission_ends_spell).mutate(
                spell_gap_days=ibis.literal(gap, "int64")
            )
            for gap in gaps_days
        ]
    )


def _observation(cohort: ibis.Table, readmission_ends_spell: bool) -> ibis.Table:
    """Say of each person until when spells can be seen, and what ends that."""
    readmitted = (cohort.readmission_date <= cohort.follow_end_date).fill_null(False) & readmission_ends_spell
    return cohort.select(
        "discharge_date",
        client=cohort.person_id,
        observed_end_date=ibis.ifelse(readmitted, cohort.readmission_date, cohort.follow_end_date),
        observed_end_reason=ibis.ifelse(readmitted, "readmitted", cohort.follow_end_reason),
    )


def _observe(contacts: ibis.Table, observation: ibis.Table) -> ibis.Table:
    valid = contacts.filter(contacts.is_contact)
    seen = valid.join(
        observation,
        [
            valid.person_id == observation.client,
            valid.contact_date > observation.discharge_date,
            valid.contact_date <= observation.observed_end_date,
        ],
    )
    enrolled = ibis.greatest(seen.enrollment_date, (seen.discharge_date + ibis.interval(days=1)).cast("date"))
    left = ibis.least(seen.disenrollment_date.fill_null(seen.observed_end_date), seen.observed_end_date)
    admin_length = ibis.greatest(left.delta(enrolled, unit="day") + 1, 1)
    return seen.mutate(
        admin_length_days=ibis.ifelse(seen.enrollment_date.isnull(), ibis.null("int64"), admin_length),
        completion_date=ibis.ifelse(
            seen.disenrollment_reason == "completed", seen.disenrollment_date, ibis.null("date")
        ),
    )
