"""GT-4 of methods.md (B7): five contacts in 2022, observed to 31 May."""

from __future__ import annotations

import pytest

from ratebook.contracts.clean import Contacts
from ratebook.contracts.episodes import Cohort
from ratebook.episodes.spells import build_spells


@pytest.mark.parametrize(
    ("spell_gap_days", "expected"),
    [
        (
            30,
            [
                ("01-05", "01-12", 8, True, "disengaged"),
                ("02-20", "03-01", 10, True, "disengaged"),
                ("05-15", "05-15", 1, False, "end_of_data"),
            ],
        ),
        (60, [("01-05", "03-01", 56, True, "disengaged"), ("05-15", "05-15", 1, False, "end_of_data")]),
    ],
)
def test_spells_of_five_contacts(table, run, spell_gap_days, expected):
    contacts = table(
        """\
        contact_id | contact_date
        1          | 2022-01-05
        2          | 2022-01-12
        3          | 2022-02-20
        4          | 2022-03-01
        5          | 2022-05-15
        """,
        Contacts,
        person_id="A",
        program="CSP",
        provider_id="P",
        is_contact="true",
        minutes=15,
        billable_units=1,
    )
    cohort = table(
        "person_id | discharge_date | follow_end_date | follow_end_reason\nA | 2022-01-01 | 2022-05-31 | end_of_data",
        Cohort,
    )
    rows = run(build_spells(contacts, cohort, spell_gap_days, False).order_by("spell"))
    found = [
        (
            f"{row['first_date']:%m-%d}",
            f"{row['last_date']:%m-%d}",
            row["length_days"],
            row["is_event"],
            row["end_reason"],
        )
        for row in rows
    ]
    assert found == expected
    assert sum(row["contacts"] for row in rows) == 5
