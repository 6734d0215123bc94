"""Small worlds of long-term care, drawn: member months from claims, comparison groups from amounts."""

from __future__ import annotations

import functools

import pandas as pd
import yaml

from conftest import ROOT
from ratebook.contracts.clean import Claims, Identity
from ratebook.contracts.exposure import MemberMonths
from ratebook.contracts.intake import Assessments, Facilities
from ratebook.contracts.programs import ComparisonGroups, MemberYears
from ratebook.programs.definitions import read_programs
from ratebook.programs.groups import build_comparison_groups, build_member_years, sort_frames
from ratebook.programs.member_months import build_ltc_member_months
from ratebook.programs.profiles import reduce_months
from ratebook.programs.rates import derive_program_rates
from ratebook.tables import read_table, write_table

NAMES = ("pace", "altcs", "starplus", "msho", "ccn", "modern")
NF = "person_id | claim_id | line_number | ltc_service | service_start_date | service_end_date | cost_usd"
FACILITIES = """\
facility_npi | kind | nf_level | per_diem | ancillary_amount | valid_from | valid_to | county
F1           | NF   | SNF      | 120.00   | 200.00           | 1990-01-01 |          | West
F2           | NF   | ICF      | 90.00    | 100.00           | 1990-01-01 |          | West
F3           | NF   | ICF      | 80.00    | 100.00           | 1990-01-01 |          | West
"""
A_MONTH = {
    "plan": "ffs", "payer": "medicaid", "aid_category": "aged", "dual_group": "full", "eligible_days": 30,
    "days_in_month": 30, "sex": "female", "county": "West", "region": "W", "is_retro": "false", "medicaid_class": "SSI",
}  # fmt: skip
SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())["programs"]


def covered(first: str, months: int, person: str = "A", **attributes) -> list[dict]:
    """Member months of one person, unbroken from `first`."""
    year, month = (int(part) for part in first.split("-")[:2])
    steps = [divmod(year * 12 + month - 1 + step, 12) for step in range(months)]
    attributes = {"age_years": 80} | attributes
    return [{"person_id": person, "service_month": f"{y}-{m + 1:02d}-01", **attributes} for y, m in steps]


def drawn(rows: list[dict]) -> str:
    """Rows as a drawn table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "\n".join(["|".join(names), *("|".join(str(row.get(name, "")) for name in names) for row in rows)])


def ltc_months(table, claims: str, months: list[dict], assessments: str = "", **settings):
    """Member months of long-term care from drawn claims; every other table has a quiet default."""
    persons = dict.fromkeys(["A", "B", *(row["person_id"] for row in months)])
    identity = "\n".join(["source_person_id | person_id", "old-A | A", *(f"{name} | {name}" for name in persons)])
    return build_ltc_member_months(
        table(
            claims, Claims, category="LTSS", record_type="ffs", cost_basis="paid", is_crossover="false",
            is_subcapitated="false", is_sud_diagnosis="false", claim_type="institutional",
        ),
        table(drawn([A_MONTH | row for row in months]), MemberMonths),
        table(assessments or "person_id | assessment_date", Assessments),
        table(FACILITIES, Facilities),
        table(identity, Identity, valid_from="1900-01-01", valid_to="9999-12-31"),
        **{"aged_from_years": 65, "disabled_aid_categories": [], "contract_start": "2017-01-01"} | settings,
    )  # fmt: skip


def months_of_a_path(table):
    """Home, a year and a half in a facility, home again; and a neighbour at home throughout."""
    claims = f"""\
        {NF}
        A | 1 | 1 | personal_care | 2015-01-01 | 2015-03-31 | 900
        A | 2 | 1 | nursing_facility | 2015-04-01 | 2016-09-20 | 53900.55
        A | 3 | 1 | personal_care | 2016-10-01 | 2017-12-31 | 4500
        B | 4 | 1 | adult_day_care | 2015-01-01 | 2017-12-31 | 7200
        """
    months = covered("2015-01-01", 36) + covered("2015-01-01", 36, "B", waiver="EW")
    return ltc_months(table, claims, months)


@functools.cache
def program(name: str, **settings) -> dict:
    """One of the project's programs, under the project's settings except those given."""
    files = [ROOT / f"workflow/programs/{name}.yaml"]
    schema, scope = ROOT / "workflow/schemas/program.schema.yaml", ROOT / "workflow/programs/benefit_scope.csv"
    return read_programs(files, schema, scope, SETTINGS | settings, {})[0]


def reduced_groups(months, programs: list[dict], folder) -> pd.DataFrame:
    """Comparison groups of member months, by two replicates; the members' years lie in the folder beside them."""
    common = SETTINGS["common_population"]
    reduced = reduce_months(months, programs, common, "cumulative", 2, False)
    frames = sort_frames(reduced, programs, common)
    write_table(build_comparison_groups(reduced, frames), folder / "groups.parquet", ComparisonGroups)
    write_table(build_member_years(reduced, frames), folder / "years.parquet", MemberYears)
    return read_table(folder / "groups.parquet", ComparisonGroups)


def groups(program: str, frame: str, amounts: str) -> pd.DataFrame:
    """Comparison groups drawn as `group | cell | months | amounts`, amounts per month as `column=usd …`."""
    lines = [[cell.strip() for cell in line.split("|")] for line in amounts.strip().splitlines()]
    rows = []
    for group, cell, months, costs in lines:
        named = {name: float(usd) for name, usd in (cost.split("=") for cost in costs.split())}
        for replicate in (0, 1):
            row = {name: 0 for name in ComparisonGroups.types()}
            row |= {f"{name}_usd": usd * int(months) for name, usd in named.items()}
            row |= {"program": program, "frame": frame, "comparison_group": group, "cell": cell, "period": "base"}
            has_diem = "per_diem" in named
            row |= {"replicate": replicate, "member_months": int(months), "persons": 20, "new_persons": 20}
            rows.append(row | {"per_diem_months": int(months) * has_diem})
    return pd.DataFrame(rows)


def rates(
    name: str, frame: str, amounts: str, state: str, era: str = "all", year_days: float = 365, **settings
) -> pd.Series:
    """A state's rates by cell, of drawn amounts; areas of one state share them."""
    table = derive_program_rates(groups(name, frame, amounts), [program(name, **settings)], year_days, 2, 36_000)
    table = table[(table.state == state) & (table.era == era)]
    return table.set_index(["area", "cell"]).rate_usd.xs(table.area.iloc[0])
