"""The cohort's rules as the tests take them, over two years drawn small: two persons, and one member alone."""

from __future__ import annotations

from functools import partial

import ibis

from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.episodes import Cohort, Episodes
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import CohortRules, select_candidates, select_cohort
from ratebook.tables import hold

EPISODES = """\
    person_id | episode | admission_date | discharge_date | n12 | days_to_next
    A         | 1       | 2022-03-01     | 2022-03-05     | 1   | 88
    A         | 2       | 2022-06-01     | 2022-06-05     | 2   | 100
    A         | 3       | 2022-09-13     | 2022-09-20     | 3   |
    B         | 1       | 2022-06-01     | 2022-06-05     | 2   |
    """
SPANS = """\
    person_id | start_date | end_date   | dual_group
    A         | 2020-01-01 | 2023-12-31 | none
    B         | 2020-01-01 | 2022-12-31 | none
    """
PERSONS = """\
    person_id | birth_date | sex    | race    | region
    A         | 1980-01-01 | female | unknown | east
    B         | 1990-01-01 | male   | unknown | west
    """
CONTACTS = "person_id | contact_date | program | provider_id | is_contact\nA | 2022-06-10 | RSN | P1 | true"
CLAIMS = "person_id | service_start_date | category | cost_usd\nA | 2022-05-01 | OP_SUD | 10.00"
USUAL_PERSON = {
    "from": "2020-01-01", "to": "2023-12-31", "dual": "none", "born": "1980-01-01", "died": "", "contact": "",
    "program": "RSN", "facility": "F1",
}  # fmt: skip


def cohort_rules(**changes) -> CohortRules:
    """Give the rules with any of them changed."""
    usual = {
        "window_start": "2022-01-01",
        "window_end": "2023-12-31",
        "seed": 1,
        "unit": "episode",
        "min_detox_12m": 2,
        "count_index": True,
        "index_rule": "first",
        "age_min_years": 18,
        "age_max_years": 64,
        "exclude_full_duals": True,
        "exclude_hospice": True,
        "facilities": [],
        "enrolled_days_before": 365,
        "enrolled_gap_days": 45,
        "prior_contact_days": 180,
        "assignment_days": 90,
        "follow_up_days": 0,
    }
    return CohortRules(**{**usual, **changes})


def draw_study(
    table, episodes=EPISODES, spans=SPANS, persons=PERSONS, contacts=CONTACTS, claims=CLAIMS, **rules
) -> tuple:
    """Build candidates and cohort; every table has a default and any may be redrawn, any rule changed."""
    chosen = cohort_rules(**rules)
    usual = {"last_facility_id": "F1", "los_days": 4, "is_ama": "false", "is_died": "false"}
    drawn = {name: value for name, value in usual.items() if name not in episodes}
    numbered = table(contacts, Contacts).mutate(contact_id=ibis.row_number().cast("string"))
    lines = table(claims, Claims)
    of_persons = table(spans, Spans), table(persons, Persons)
    candidates = hold(select_candidates(table(episodes, Episodes, **drawn), *of_persons, lines, chosen))
    return candidates, select_cohort(candidates, numbered, lines, chosen), chosen


def people(cases: dict[str, dict]) -> dict[str, str]:
    """Draw one person a case, named by it: in detox 1 to 5 June 2022 for the second time, usual in all else."""
    header = {
        "episodes": "person_id | episode | admission_date | discharge_date | n12 | last_facility_id",
        "spans": "person_id | start_date | end_date | dual_group",
        "persons": "person_id | birth_date | death_date",
        "contacts": "person_id | contact_date | program | provider_id | is_contact",
    }
    row = {
        "episodes": "{name} | 1 | 2022-06-01 | 2022-06-05 | 2 | {facility}",
        "spans": "{name} | {from} | {to} | {dual}",
        "persons": "{name} | {born} | {died}",
        "contacts": "{name} | {contact} | {program} | P1 | true",
    }
    values = [{**USUAL_PERSON, "name": name, **changes} for name, changes in cases.items()]
    return {table: "\n".join([header[table], *(row[table].format(**v) for v in values)]) for table in header}


def study_drawer(table):
    """Draw studies with this drawer of tables: the fixture `study` of the files that ask for it."""
    return partial(draw_study, table)


def cohort_drawer(study, run):
    """Draw studies, and give the cohort's rows by person: the fixture `cohort_of`."""

    def make(**changes):
        return {row["person_id"]: row for row in run(study(**changes)[1])}

    return make


def draw_member(table, **changes) -> ibis.Table:
    """Draw one cohort member, followed through 2024 unless said otherwise."""
    values = {
        "person_id": "A",
        "discharge_date": "2024-01-01",
        "follow_end_date": "2024-12-31",
        "follow_end_reason": "end_of_data",
        "facility_id": "F1",
        **changes,
    }
    return table(" | ".join(values) + "\n" + " | ".join(values.values()), Cohort)
