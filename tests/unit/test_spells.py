"""Spells of engagement at their limits."""

from __future__ import annotations

import datetime as dt
from functools import partial

import ibis
import pytest

from cohort_data import draw_member
from ratebook.contracts.clean import Contacts
from ratebook.contracts.episodes import Cohort, Spells, SpellsByGap
from ratebook.episodes.spells import build_spells, build_spells_by_gap
from ratebook.tables import empty_frame, write_table

USUAL = {
    "person_id": "A",
    "program": "RSN",
    "provider_id": "P",
    "is_contact": "true",
    "minutes": 20,
    "billable_units": 2,
}


@pytest.fixture
def contacts(table):
    def make(text: str) -> ibis.Table:
        drawn = text.strip().splitlines()[0]
        usual = {name: value for name, value in USUAL.items() if name not in drawn}
        return table(text, Contacts, **usual).mutate(contact_id=ibis.row_number().cast("string"))

    return make


@pytest.fixture
def member(table):
    return partial(draw_member, table)


@pytest.fixture
def spells_of(contacts, member, run):
    def make(text, gap=30, readmission_ends_spell=False, **changes):
        spells = build_spells(contacts(text), member(**changes), gap, readmission_ends_spell)
        return run(spells.order_by("program", "spell"))

    return make


@pytest.mark.parametrize(
    ("second", "spells"),
    [
        pytest.param("2024-03-01", 1, id="silence of 29 days keeps the spell open"),
        pytest.param("2024-03-02", 1, id="silence of 30 days, the limit, still belongs"),
        pytest.param("2024-03-03", 2, id="silence of 31 days opens the next spell"),
    ],
)
def test_silence_rule(spells_of, second, spells):
    assert len(spells_of(f"contact_date\n2024-02-01\n{second}")) == spells


@pytest.mark.parametrize(
    ("end", "is_event", "reason"),
    [
        pytest.param("2024-03-01", False, "disenrolled", id="29 days observed after the last contact"),
        pytest.param("2024-03-02", False, "disenrolled", id="30 days: a contact could still have come"),
        pytest.param("2024-03-03", True, "disengaged", id="31 days of silence seen"),
    ],
)
def test_an_end_counts_only_if_the_silence_was_seen(spells_of, end, is_event, reason):
    [row] = spells_of("contact_date\n2024-02-01", follow_end_date=end, follow_end_reason="disenrolled")
    assert (row["is_event"], row["end_reason"]) == (is_event, reason)


@pytest.mark.parametrize("reason", ["death", "disenrolled", "end_of_data"])
def test_a_censored_spell_says_what_ended_observation(spells_of, reason):
    [row] = spells_of("contact_date\n2024-02-01", follow_end_date="2024-02-10", follow_end_reason=reason)
    assert (row["is_event"], row["end_reason"]) == (False, reason)


@pytest.mark.parametrize(
    ("completed", "reason"),
    [
        pytest.param("2024-02-01", "graduated", id="on the day of the last contact"),
        pytest.param("2024-03-02", "graduated", id="30 days after"),
        pytest.param("2024-03-03", "disengaged", id="31 days after"),
    ],
)
def test_completing_the_program_is_graduation(spells_of, completed, reason):
    text = f"contact_date | disenrollment_date | disenrollment_reason\n2024-02-01 | {completed} | completed"
    assert spells_of(text)[0]["end_reason"] == reason
    lost = "lost" if reason == "graduated" else "disengaged"
    assert spells_of(text.replace("| completed", "| lost"))[0]["end_reason"] == lost
    assert spells_of(text.replace("| completed", "| moved"))[0]["end_reason"] == "disengaged"


def test_readmission_ends_a_spell_only_if_it_is_asked_to(spells_of):
    text = "contact_date\n2024-02-01\n2024-02-20"
    [row] = spells_of(text, readmission_date="2024-02-10")
    assert (row["contacts"], row["end_reason"]) == (2, "disengaged")
    [row] = spells_of(text, readmission_date="2024-02-10", readmission_ends_spell=True)
    assert (row["contacts"], row["end_reason"], row["is_event"]) == (1, "readmitted", False)


def test_contacts_that_do_not_count(spells_of):
    [row] = spells_of(
        """\
        person_id | contact_date | is_contact
        A         | 2024-01-01   | true
        A         | 2024-01-02   | true
        A         | 2024-01-03   | false
        A         | 2024-12-31   | false
        B         | 2024-01-02   | true
        """
    )
    assert (row["first_date"], row["length_days"], row["contacts"]) == (dt.date(2024, 1, 2), 1, 1)


def test_two_contacts_on_a_day_are_one_day_of_contact(spells_of):
    [row] = spells_of("contact_date | program\n2024-01-02 | CSP\n2024-01-02 | CSP\n2024-01-09 | CSP")
    assert (row["contacts"], row["contact_days"], row["length_days"]) == (3, 2, 8)
    assert (row["minutes"], row["billable_units"]) == (60, 6)


def test_programs_have_their_own_spells(spells_of):
    rows = spells_of("contact_date | program\n2024-01-02 | CSP\n2024-01-09 | RSN\n2024-01-20 | CSP")
    assert [(row["program"], row["spell"], row["contacts"]) for row in rows] == [("CSP", 1, 2), ("RSN", 1, 1)]


@pytest.mark.parametrize(
    ("enrolled", "left", "days"),
    [
        pytest.param("2024-01-10", "2024-03-09", 60, id="enrolment to its end, both counted"),
        pytest.param("2023-06-01", "2024-01-31", 30, id="the clock starts after discharge"),
        pytest.param("2024-01-10", "", 357, id="still enrolled: to the end of observation"),
        pytest.param("", "", None, id="a program that records no enrolment has no such clock"),
    ],
)
def test_the_administrative_clock(spells_of, enrolled, left, days):
    [row] = spells_of(f"contact_date | enrollment_date | disenrollment_date\n2024-01-15 | {enrolled} | {left}")
    assert row["admin_length_days"] == days
    assert row["length_days"] == 1, "the contact clock does not see it"


def test_contacts_on_the_last_day_observed_and_on_the_day_of_death_count(spells_of):
    text = "contact_date\n2024-02-01\n2024-02-10\n2024-02-11"
    [row] = spells_of(text, follow_end_date="2024-02-10", follow_end_reason="death")
    assert (row["contacts"], row["length_days"], row["is_event"], row["end_reason"]) == (2, 10, False, "death")


def test_one_contact_is_a_spell_of_one_day(spells_of):
    [row] = spells_of("contact_date\n2024-02-01")
    assert (row["length_days"], row["contacts"], row["is_event"]) == (1, 1, True)


def test_spells_may_be_told_apart_by_organisation(contacts, member, run):
    drawn = contacts(
        """\
        contact_date | provider_id
        2024-01-02   | P
        2024-01-09   | Q
        2024-01-16   | P
        2024-01-30   | Q
        """
    )
    [together] = run(build_spells(drawn, member(), 30, False))
    assert (together["contacts"], together["provider_id"]) == (4, "P")
    apart = run(build_spells(drawn, member(), 30, False, spell_by_provider=True).order_by("spell"))
    found = [(row["spell"], row["provider_id"], row["length_days"], row["contacts"]) for row in apart]
    assert found == [(1, "P", 15, 2), (2, "Q", 22, 2)]


@pytest.mark.parametrize(
    ("contact_dates", "left", "days", "reason"),
    [
        pytest.param("01-15 03-20", "", 22, "ended", id="February is silent: enrolment counts to January's end"),
        pytest.param("01-15 02-20 03-01", "", 82, "ended", id="three months in a row, April silent"),
        pytest.param("01-15 02-20", "2024-02-25", 47, "ended", id="the enrolment ends within the month"),
        pytest.param("01-15 02-20", "2024-05-25", 51, "ended", id="nothing in March: the floor ends before enrolment"),
    ],
)
def test_the_floor_counts_months_in_a_row_with_a_contact(spells_of, contact_dates, left, days, reason):
    lines = [f"2024-{day} | 2024-01-10 | {left}" for day in contact_dates.split()]
    row = spells_of("contact_date | enrollment_date | disenrollment_date\n" + "\n".join(lines), gap=60)[0]
    assert (row["floor_length_days"], row["floor_end_reason"]) == (days, reason)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        pytest.param("2024-02-28", "death", id="February was not observed whole"),
        pytest.param("2024-02-29", "ended", id="a whole month without a contact was seen"),
    ],
)
def test_the_end_of_the_floor_counts_only_if_a_silent_month_was_seen(spells_of, end, reason):
    text = "contact_date | enrollment_date\n2024-01-15 | 2024-01-10"
    [row] = spells_of(text, follow_end_date=end, follow_end_reason="death")
    assert (row["floor_length_days"], row["floor_end_reason"]) == (22, reason)
    assert row["admin_end_reason"] == "death"


def test_no_clock_of_an_arm_is_shorter_on_enrolment_than_on_the_floor(spells_of):
    header, *days = SCATTER.splitlines()
    lines = [f"{day} | 2024-01-02 | 2024-10-01" for day in days]
    rows = spells_of(f"{header} | enrollment_date | disenrollment_date\n" + "\n".join(lines))
    assert all(row["floor_length_days"] <= row["admin_length_days"] for row in rows)


SCATTER = "contact_date\n" + "\n".join(
    (dt.date(2024, 1, 2) + dt.timedelta(days=day)).isoformat() for day in (0, 3, 17, 33, 34, 80, 126, 130, 220, 340)
)


def test_a_longer_gap_never_makes_more_spells_and_loses_no_contact(spells_of):
    found = [spells_of(SCATTER, gap) for gap in (0, 14, 45, 46, 120)]
    counts = [len(rows) for rows in found]
    assert counts == sorted(counts, reverse=True)
    assert all(sum(row["contacts"] for row in rows) == 10 for rows in found)


def test_the_order_of_contacts_changes_nothing(spells_of):
    header, *rows = SCATTER.splitlines()
    assert spells_of("\n".join([header, *reversed(rows)])) == spells_of(SCATTER)


def test_a_shift_of_seven_days_changes_no_length(spells_of):
    def later(day):
        return (dt.date.fromisoformat(day) + dt.timedelta(days=7)).isoformat()

    header, *rows = SCATTER.splitlines()
    moved = spells_of(
        "\n".join([header, *map(later, rows)]), discharge_date="2024-01-08", follow_end_date=later("2024-12-31")
    )
    same = ("spell", "length_days", "contacts", "is_event", "end_reason")
    assert [[row[name] for name in same] for row in moved] == [
        [row[name] for name in same] for row in spells_of(SCATTER)
    ]


def test_spells_by_gap_hold_the_spells_of_every_gap(contacts, member, spells_of, run):
    by_gap = run(build_spells_by_gap(contacts(SCATTER), member(), [14, 30, 60], False))
    for gap in (14, 30, 60):
        rows = [row for row in by_gap if row["spell_gap_days"] == gap]
        assert sorted(row["length_days"] for row in rows) == sorted(r["length_days"] for r in spells_of(SCATTER, gap))


def test_nobody_gives_empty_tables(tmp_path):
    empty = {c: ibis.memtable(empty_frame(c), schema=c.types()) for c in (Cohort, Contacts)}
    write_table(build_spells(empty[Contacts], empty[Cohort], 30, False), tmp_path / "spells.parquet", Spells)
    by_gap = build_spells_by_gap(empty[Contacts], empty[Cohort], [14, 30], False)
    write_table(by_gap, tmp_path / "by_gap.parquet", SpellsByGap)
