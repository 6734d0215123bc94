"""Two persons, one under two ids, one who died; the extract's day; and rows of spans or months as plain tuples."""

from __future__ import annotations

import datetime as dt

from ratebook.contracts.clean import Identity, Persons

EXTRACT = "2023-03-31"


def draw_people(table):
    """Draw whose id is whose, and the persons: the fixture `people` of the files that ask for it."""
    identity = table(
        "source_person_id | person_id\nA | A\nA2 | A\nB | B", Identity, valid_from="1900-01-01", valid_to="9999-12-31"
    )
    persons = table(
        """\
        person_id | birth_date | death_date | sex    | county | region
        A         | 1980-06-15 |            | female | Essex  | east
        B         |            | 2022-02-10 | male   | Essex  | east
        """,
        Persons,
    )
    return identity, persons


def days(rows, *names):
    """Give columns of rows as tuples, dates in words."""
    return [
        tuple(row[name].isoformat() if isinstance(row[name], dt.date) else row[name] for name in names) for row in rows
    ]
