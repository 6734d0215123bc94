"""Months of people who move between home and facility: the expected cell, month by month, under every program."""

from __future__ import annotations

from collections import Counter

import pytest

from ltc_world import NAMES, covered, ltc_months, program, reduced_groups
from ratebook.programs.cells import NEVER, assign_cell, meets
from ratebook.programs.definitions import frames_of
from ratebook.programs.rates import base_cell, cut_of
from ratebook.tables import engine

MONTHS = 36
PEOPLE = {
    # In and out of the skilled facility: 183 days by September, past the anniversary, home on 20 September 2016.
    "returns": {"level": 2, "stay": ("2015-04-01", "2016-09-20", "F1")},
    # Stays on both sides of a limit: 152 and 153 days, 179 and 180, and 181 in one enrolment year.
    "stays_152": {"level": 1, "stay": ("2015-02-01", "2015-07-03", "F2"), "medicaid_class": "MAO"},
    "stays_153": {"level": 1, "stay": ("2015-02-01", "2015-07-04", "F2"), "medicaid_class": "MAO"},
    "stays_179": {"level": 3, "stay": ("2015-02-01", "2015-07-30", "F2"), "medicaid_class": "MAO"},
    "stays_180": {"level": 3, "stay": ("2015-02-01", "2015-07-31", "F2"), "medicaid_class": "MAO"},
    "stays_181": {"level": 3, "stay": ("2015-02-01", "2015-08-01", "F2"), "medicaid_class": "MAO"},
    # Enrolled from a facility; and a waiver client, never scored, who enters one in month 12 and stays past month 13.
    "enrols_in_nf": {"level": 2, "stay": ("2014-12-01", "2016-02-20", "F2"), "medicaid_class": "MAO"},
    "over_anniversary": {"stay": ("2015-12-01", "2016-02-28", "F3"), "medicaid_class": "MAO", "waiver": "EW"},
    # People Medicaid alone covers, and younger ones.
    "medicaid_ssi": {"level": 1, "stay": ("2015-04-01", "2015-07-01", "F1"), "dual_group": "none"},
    "medicaid_mao": {
        "level": 1, "stay": ("2015-04-01", "2015-07-01", "F1"), "dual_group": "none", "medicaid_class": "MAO", "waiver": "EW",
    },
    "young_dual": {"level": 1, "age_years": 60, "aid_category": "blind_disabled", "medicaid_class": "MAO"},
    "young_medicaid": {"level": 1, "age_years": 60, "aid_category": "blind_disabled", "dual_group": "none"},
    "other_dual": {"level": 1, "age_years": 60, "aid_category": "expansion", "medicaid_class": "other"},
    "other_medicaid": {"level": 1, "age_years": 60, "aid_category": "expansion", "dual_group": "none"},
    # Nobody who needs a facility.
    "well_ssi": {"medicaid_class": "SSI"},
    "well_mao": {"medicaid_class": "MAO"},
    "well_other": {"medicaid_class": "other", "age_years": 70, "sex": "male"},
}  # fmt: skip
# Program and frame to person to cells in turn, each with its months. A cell named without its cut may have any.
PATHS = {
    ("pace", "all"): {"returns": "all*36", "young_dual": "all*36", "well_ssi": "-*36"},
    ("pace", "California"): {"returns": "all/75_84/female/W*36", "young_dual": "all/55_64/female/W*36"},
    ("pace", "Maryland"): {
        "returns": "medicare_ssi*36",
        "stays_180": "medicare_other*36",
        "medicaid_ssi": "medicaid_only_ssi*36",
        "medicaid_mao": "medicaid_only_other*36",
    },
    ("pace", "New York"): {
        "returns": "community*3 skilled*18 community*15",
        "stays_180": "community*1 intermediate*6 community*29",
        "over_anniversary": "community*11 intermediate*3 community*22",
    },
    ("pace", "Virginia"): {
        "returns": "aged_medicare*36",
        "medicaid_ssi": "aged_medicaid_only*36",
        "young_dual": "disabled_medicare*36",
        "young_medicaid": "disabled_medicaid_only*36",
        "other_dual": "other_medicare*36",
        "other_medicaid": "other_medicaid_only*36",
    },
    ("pace", "Wisconsin"): {"returns": "all/75_84*36", "young_dual": "all/55_64*36"},
    ("altcs", "all"): {"returns": "all/West*36", "well_ssi": "-*36"},
    ("starplus", "all"): {
        "returns": "dual_other_community*3 dual_nf_ssi*18 dual_other_community*15",
        "stays_180": "dual_other_community*1 dual_nf_mao*6 dual_other_community*29",
        "over_anniversary": "dual_waiver*11 dual_nf_mao*3 dual_waiver*22",
        "medicaid_ssi": "medicaid_other_community*3 medicaid_nf_ssi*3 medicaid_other_community*30",
        "medicaid_mao": "medicaid_waiver*3 medicaid_nf_mao*3 medicaid_waiver*30",
    },
    ("msho", "all"): {
        "returns": "community_nhc/75_84/female*8 institutional/75_84/female*13 nhc_conversion*12 community_nhc*3",
        "stays_179": "community_nhc*36",
        "stays_180": "community_nhc*7 nhc_conversion*12 community_nhc*17",
        "stays_181": "community_nhc*6 institutional*1 nhc_conversion*12 community_nhc*17",
        "enrols_in_nf": "institutional*14 nhc_conversion*12 community_nhc*10",
        "over_anniversary": "community_nhc*36",
        "well_ssi": "community_non_nhc*36",
        "medicaid_ssi": "-*36",
    },
    ("ccn", "all"): {
        "returns": "community_nhc_level_2*12 institutional/F1*9 nhc_conversion/F1*15",
        "stays_152": "community_nhc_level_1*36",
        "stays_153": "community_nhc_level_1*6 nhc_conversion/F2*30",
        "stays_180": "community_nhc_level_3*7 nhc_conversion/F2*29",
        "enrols_in_nf": "institutional/F2*14 nhc_conversion/F2*22",
        "over_anniversary": "community_nhc_unscored*12 institutional/F3*2 community_nhc_unscored*22",
        "well_ssi": "community_non_nhc_ssi*36",
        "well_mao": "community_non_nhc_mao*36",
        "well_other": "community_non_nhc_other/65_74*36",
        "young_dual": "-*36",
        "medicaid_ssi": "-*36",
    },
    ("modern", "all"): {"returns": "all*36", "young_dual": "all*36"},
    ("modern", "Maryland"): {
        "returns": "medicare_65_up/W*36",
        "young_dual": "medicare_under_65/W*36",
        "medicaid_ssi": "medicaid_only_65_up/W*36",
        "young_medicaid": "medicaid_only_under_65/W*36",
    },
    ("modern", "Virginia"): {"returns": "medicare/W*36", "medicaid_ssi": "medicaid_only/W*36"},
}
FOUND: dict = {}
SHIPPED = [(name, frame) for name in NAMES for frame in frames_of(program(name))]


def claims() -> str:
    """A stay of each who has one, and a meal of each who has none, so that all are people of long-term care."""
    lines = ["person_id | claim_id | ltc_service | service_start_date | service_end_date | discharge_date | "
             "discharge_status | facility_npi | cost_usd"]  # fmt: skip
    for n, (name, person) in enumerate(PEOPLE.items()):
        first, last, facility = person.get("stay", ("2015-01-01", "2015-01-01", ""))
        service = "nursing_facility" if facility else "meals"
        lines.append(f"{name} | {n} | {service} | {first} | {last} | {last} | 01 | {facility} | 100")
    return "\n".join(lines)


def assessments() -> str:
    rows = [f"{name} | 2015-01-01 | true | {p['level']}" for name, p in PEOPLE.items() if "level" in p]
    return "\n".join(["person_id | assessment_date | nursing_home_certifiable | dms1_level", *rows])


@pytest.fixture
def months(table):
    kept = {name: {k: v for k, v in p.items() if k not in ("level", "stay")} for name, p in PEOPLE.items()}
    rows = [row for name in PEOPLE for row in covered("2015-01-01", MONTHS, name, **kept[name])]
    return ltc_months(table, claims(), rows, assessments())


@pytest.fixture
def cells(months):
    """The cells of every person, month by month, under every frame; found once, for the engine takes its time."""
    if not FOUND:
        found, named = months.order_by("person_id", "service_month"), {}
        for name, place in SHIPPED:
            frame = frames_of(program(name))[place]
            cell = meets(found, frame["population"]).ifelse(assign_cell(found, frame["cells"]), NEVER)
            named[f"{name}|{place}"] = cell.fill_null("-")
        rows = engine().to_pyarrow(found.select("person_id", **named)).to_pandas()
        FOUND.update({person: part.drop(columns="person_id") for person, part in rows.groupby("person_id")})
    return FOUND


@pytest.mark.parametrize(("name", "frame"), SHIPPED)
def test_each_month_of_a_path_has_its_cell(cells, name, frame):
    for person, path in PATHS[(name, frame)].items():
        steps = [step.rsplit("*", 1) for step in path.split()]
        expected = [cell for cell, months in steps for _ in range(int(months))]
        assert len(expected) == MONTHS, (name, frame, person)
        found = cells[person][f"{name}|{frame}"]
        named = [cell if "/" in wanted else base_cell(cell) for cell, wanted in zip(found, expected, strict=True)]
        assert named == expected, (name, frame, person)


@pytest.mark.parametrize(("name", "frame"), SHIPPED)
def test_every_cell_has_a_path_through_it(name, frame):
    cells = {row["cell"] for row in frames_of(program(name))[frame]["cells"]}
    stated = {step.split("*")[0].split("/")[0] for path in PATHS[(name, frame)].values() for step in path.split()}
    assert stated - {"-"} == cells


def test_no_path_is_of_a_program_that_is_gone():
    assert set(PATHS) == set(SHIPPED)


def test_a_group_cut_like_its_cell_is_summed_by_what_cuts_it(months, cells, tmp_path):
    """Residents and neighbours of one age and sex, in whatever cell: the same months, counted both ways."""
    rows = reduced_groups(months, [program("msho")], tmp_path)
    counted = rows.groupby(["comparison_group", "cell"]).member_months.sum()
    named = [cell for part in cells.values() for cell in part["msho|all"] if cell != "-"]
    for group in ("residents", "community"):
        wanted = program("msho")["groups"][group]["when"]["cell"]
        cuts = Counter(cut_of(cell) for cell in named if base_cell(cell) in wanted)
        assert len(cuts) == {"residents": 1, "community": 2}[group]
        assert counted[group].to_dict() == cuts
