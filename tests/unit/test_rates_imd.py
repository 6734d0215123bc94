"""A month with a long stay in an institution for mental diseases leaves the base of capitation, and its cost with it."""

from __future__ import annotations

import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.clean import CATEGORIES, Claims, Persons
from ratebook.contracts.exposure import MemberMonths, Spans
from ratebook.contracts.intake import Facilities
from ratebook.exposure.institutions import add_imd_days
from ratebook.exposure.months import build_member_months
from ratebook.rates import base

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SETTINGS = CONFIG["rates"] | {"min_cell_member_months": 0}
LIMIT, AGES = (CONFIG["exposure"][name]["value"] for name in ("imd_days_limit", "imd_ages"))


@pytest.mark.parametrize(
    ("birth_date", "discharge", "status"),
    [
        pytest.param("1980-06-15", "2017-03-16", "included", id="fifteen days are within the limit"),
        pytest.param("1980-06-15", "2017-03-17", "imd", id="sixteen are beyond it"),
        pytest.param("1996-04-15", "2017-03-31", "included", id="20 all month"),
        pytest.param("1996-03-01", "2017-03-31", "imd", id="21 from the first day"),
        pytest.param("1952-04-01", "2017-03-31", "imd", id="64 to the last day"),
        pytest.param("1952-03-01", "2017-03-31", "included", id="65 from the first day"),
    ],
)
def test_the_base_keeps_a_month_by_its_days_and_the_members_age(table, run, birth_date, discharge, status):
    persons = table(f"person_id | birth_date\nA | {birth_date}", Persons)
    spans = table("person_id | start_date | end_date\nA | 2017-03-01 | 2017-03-31", Spans)
    claims = table(
        "admission_date | discharge_date | facility_npi\n" + f"2017-03-01 | {discharge} | I", Claims, person_id="A"
    )
    facilities = table("facility_npi | kind\nI | IMD", Facilities)
    months = add_imd_days(build_member_months(spans, persons), claims, facilities, persons, [], AGES, LIMIT)
    rows = run(base.place_members(months, SETTINGS, "any_day", True))
    assert [row["status"] for row in rows] == [status]


MONTHS = """\
person_id | service_month | plan | payer    | aid_category | dual_group | age_years | mm_any_day | is_retro | is_imd_excluded
A         | 2017-01-01    | BHP  | medicaid | adult        | none       | 30        | 1          | false    | true
A         | 2017-02-01    | BHP  | medicaid | adult        | none       | 30        | 1          | false    | false
B         | 2017-01-01    | BHP  | medicaid | adult        | none       | 30        | 1          | true     | true
C         | 2017-01-01    | BHP  | medicaid | adult        | full       | 30        | 1          | false    | true
"""
LINES = """\
person_id | claim_id | category | service_start_date | cost_usd | units
A         | 1        | OP_SUD   | 2017-01-28         | 10.00    | 1
A         | 2        | OP_SUD   | 2017-02-15         | 20.00    | 1
"""


def test_what_left_for_another_reason_left_once_and_the_cost_follows_its_month(table, run):
    members = base.place_members(table(MONTHS, MemberMonths), SETTINGS, "any_day", True)
    category_of = base.map_categories(SETTINGS["category_groups"], CATEGORIES)
    lines = base.place_claims(table(LINES, Claims), members, category_of, SETTINGS)
    rows = {row["status"]: row for row in run(base.build_exclusions(members, lines, SETTINGS))}
    amounts = {
        status: tuple(float(row[name]) for name in ("member_months", "imd_member_months", "paid_usd"))
        for status, row in rows.items()
    }
    assert amounts == {
        "included": (1, 0, 20),
        "imd": (1, 1, 10),
        "retroactive": (1, 1, 0),
        "excluded_dual": (1, 1, 0),
    }
    experience = base.build_experience(members, lines, SETTINGS, ("2014-01-01", "2017-12-31"))
    assert sum(float(row["paid_usd"]) for row in run(experience)) == 20
