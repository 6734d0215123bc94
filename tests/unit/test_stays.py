"""Stays and episodes at their limits, and what must not change them."""

from __future__ import annotations

import datetime as dt

import ibis
import pytest

from ratebook.contracts.clean import Claims
from ratebook.contracts.episodes import EpisodeLengths, Episodes, Stays
from ratebook.episodes.stays import build_episodes, build_stays, count_lengths
from ratebook.tables import empty_frame, write_table

DETOX = ["WM_HOSP", "WM_RES"]
ALWAYS = {
    "person_id": "A",
    "line_number": 1,
    "record_type": "ffs",
    "is_crossover": "false",
    "is_sud_diagnosis": "true",
    "cost_usd": "100.00",
}


@pytest.fixture
def bills(table):
    """Draw lines of 24-hour care; what is not drawn is one payer's, one person's, one facility's."""

    def make(text: str, **constants) -> ibis.Table:
        drawn = text.strip().splitlines()[0]
        usual = {"level": "WM_RES", "facility_npi": "F1", **ALWAYS, **constants}
        return table(text, Claims, **{name: value for name, value in usual.items() if name not in drawn})

    return make


def stays_of(claims, levels=DETOX):
    return build_stays(claims, levels, True)


@pytest.mark.parametrize(
    ("admission", "status", "stays"),
    [
        pytest.param("2024-01-05", "30", 1, id="same day, still a patient"),
        pytest.param("2024-01-05", "", 1, id="same day, status not known"),
        pytest.param("2024-01-05", "01", 2, id="same day, discharged"),
        pytest.param("2024-01-06", "30", 1, id="next day, still a patient: the limit"),
        pytest.param("2024-01-06", "07", 2, id="next day, left against advice"),
        pytest.param("2024-01-07", "30", 2, id="a day between parts stays whatever the status"),
        pytest.param("2024-01-04", "01", 1, id="overlap joins whatever the status"),
    ],
)
def test_when_a_bill_continues_a_stay(bills, run, admission, status, stays):
    claims = bills(
        f"""\
        claim_id | admission_date | discharge_date | discharge_status
        c1       | 2024-01-01     | 2024-01-05     | {status}
        c2       | {admission}    | 2024-01-09     | 01
        """
    )
    assert run(stays_of(claims).count()) == stays


def test_a_bill_within_another_adds_to_its_cost_and_hides_no_later_stay(bills, run):
    claims = bills(
        """\
        claim_id | admission_date | discharge_date | discharge_status
        c1       | 2024-01-01     | 2024-01-10     | 01
        c2       | 2024-01-02     | 2024-01-03     | 01
        c3       | 2024-01-10     | 2024-01-12     | 01
        """
    )
    rows = run(stays_of(claims).order_by("stay"))
    assert [(row["los_days"], row["claims"], float(row["cost_usd"])) for row in rows] == [(9, 2, 200), (2, 1, 100)]


def test_two_lines_of_a_stay_without_a_night_are_one_stay(bills, run):
    claims = bills(
        """\
        claim_id | line_number | admission_date | discharge_date | discharge_status
        c1       | 1           | 2024-01-01     | 2024-01-01     | 01
        c1       | 2           | 2024-01-01     | 2024-01-01     | 01
        """
    )
    assert [(row["stay"], row["los_days"], row["claims"]) for row in run(stays_of(claims))] == [(1, 1, 1)]


@pytest.mark.parametrize(
    ("third_day", "stays"),
    [
        pytest.param("2024-01-03", 1, id="billed every day"),
        pytest.param("2024-01-04", 1, id="one night not billed"),
        pytest.param("2024-01-05", 2, id="two nights not billed"),
    ],
)
def test_care_billed_by_the_day(bills, run, third_day, stays):
    claims = bills(
        f"""\
        claim_id | service_start_date | service_end_date
        c1       | 2024-01-01         | 2024-01-01
        c2       | 2024-01-02         | 2024-01-02
        c3       | {third_day}        | {third_day}
        """
    )
    rows = run(stays_of(claims).order_by("stay"))
    morning_after = dt.date.fromisoformat(third_day) + dt.timedelta(days=1)
    assert len(rows) == stays
    assert rows[-1]["discharge_date"] == morning_after


@pytest.mark.parametrize(("require_sud_dx", "stays"), [(True, 0), (False, 1)])
def test_a_line_without_a_substance_use_diagnosis(bills, run, require_sud_dx, stays):
    claims = bills(
        "claim_id | admission_date | discharge_date\nc1 | 2024-01-01 | 2024-01-05", is_sud_diagnosis="false"
    )
    assert run(build_stays(claims, DETOX, require_sud_dx).count()) == stays


@pytest.mark.parametrize(
    ("admission", "gap", "episodes"),
    [
        pytest.param("2024-01-05", 0, 1, id="same-day transfer at gap 0"),
        pytest.param("2024-01-06", 0, 2, id="next day above gap 0"),
        pytest.param("2024-01-06", 1, 1, id="next-day transfer at the limit"),
        pytest.param("2024-01-07", 1, 2, id="above the limit"),
        pytest.param("2024-01-07", 2, 1, id="a longer gap joins it"),
    ],
)
def test_the_gap_that_parts_episodes(bills, run, admission, gap, episodes):
    claims = bills(
        f"""\
        claim_id | facility_npi | admission_date | discharge_date | discharge_status
        c1       | F1           | 2024-01-01     | 2024-01-05     | 01
        c2       | F2           | {admission}    | 2024-01-09     | 01
        """
    )
    rows = run(build_episodes(stays_of(claims), DETOX, gap).order_by("episode"))
    assert len(rows) == episodes
    assert [row["is_transfer"] for row in rows] == [True] * (episodes == 1) or [False, False]


def test_how_an_episode_ended_is_read_from_the_stay_discharged_last(bills, run):
    claims = bills(
        """\
        claim_id | facility_npi | level   | admission_date | discharge_date | discharge_status | dx_class
        c1       | F1           | WM_RES  | 2024-01-01     | 2024-01-20     | 07               | opioid
        c2       | F2           | WM_HOSP | 2024-01-05     | 2024-01-09     | 01               | alcohol
        """
    )
    [row] = run(build_episodes(stays_of(claims), DETOX, 1))
    assert row["is_ama"] and not row["is_died"]
    assert (row["first_facility_id"], row["last_facility_id"], row["max_level"]) == ("F1", "F1", "WM_HOSP")
    assert (row["dx_class"], row["los_days"]) == ("opioid", 19)


def test_step_down_care_is_a_stay_but_neither_makes_nor_bridges_an_episode(bills, run):
    claims = bills(
        """\
        claim_id | level  | admission_date | discharge_date | discharge_status
        c1       | WM_RES | 2024-01-01     | 2024-01-05     | 01
        c2       | RES35  | 2024-01-05     | 2024-01-19     | 01
        c3       | WM_RES | 2024-01-19     | 2024-01-22     | 01
        """
    )
    stays = stays_of(claims, [*DETOX, "RES35"])
    assert run(stays.count()) == 3
    assert [row["days_to_next"] for row in run(build_episodes(stays, DETOX, 1).order_by("episode"))] == [14, None]


@pytest.mark.parametrize(
    ("second", "n12"),
    [pytest.param("2024-12-31", 2, id="365 days after the first"), pytest.param("2025-01-01", 1, id="366 days after")],
)
def test_a_year_of_detox_counts_back_365_days(bills, run, second, n12):
    claims = bills(
        f"""\
        claim_id | admission_date | discharge_date
        c1       | 2024-01-01     | 2024-01-05
        c2       | {second}       | 2025-01-09
        """
    )
    assert run(build_episodes(stays_of(claims), DETOX, 1).order_by("episode"))[1]["n12"] == n12


BILLS = """\
claim_id | facility_npi | admission_date | discharge_date | discharge_status
c1       | F1           | 2022-01-01     | 2022-01-05     | 01
c2       | F1           | 2022-01-05     | 2022-01-09     | 01
c3       | F2           | 2022-01-10     | 2022-01-18     | 01
c4       | F1           | 2022-02-20     | 2022-02-24     | 07
c5       | F3           | 2022-03-10     | 2022-03-13     | 01
"""


@pytest.fixture
def episodes_of(bills, run):
    def make(text, gap=1):
        return run(build_episodes(stays_of(bills(text)), DETOX, gap).order_by("episode"))

    return make


def test_the_order_of_bills_changes_nothing(episodes_of):
    header, *rows = BILLS.splitlines()
    assert episodes_of("\n".join([header, *reversed(rows)])) == episodes_of(BILLS)


def test_a_shift_of_seven_days_moves_dates_and_nothing_else(bills, run, episodes_of):
    week = ibis.interval(days=7)
    claims = bills(BILLS)
    later = claims.mutate(
        admission_date=(claims.admission_date + week).cast("date"),
        discharge_date=(claims.discharge_date + week).cast("date"),
    )
    moved = run(build_episodes(stays_of(later), DETOX, 1).order_by("episode"))
    dates = ("admission_date", "discharge_date")
    back = [{**row, **{name: row[name] - dt.timedelta(days=7) for name in dates}} for row in moved]
    assert back == episodes_of(BILLS)


def test_interim_bills_leave_episodes_as_they_are(episodes_of):
    whole = "c3       | F2           | 2022-01-10     | 2022-01-18     | 01"
    parts = "c3a | F2 | 2022-01-10 | 2022-01-13 | 30\nc3b | F2 | 2022-01-13 | 2022-01-15 | 30\nc3c | F2 | 2022-01-16 | 2022-01-18 | 01"
    assert episodes_of(BILLS.replace(whole, parts)) == episodes_of(BILLS)


def test_a_longer_gap_never_makes_more_episodes(episodes_of):
    counts = [len(episodes_of(BILLS, gap)) for gap in (0, 1, 14, 33)]
    assert counts == sorted(counts, reverse=True)
    assert counts[1] > counts[-1] == 1


def test_lengths_add_up_to_the_episodes(bills, run):
    episodes = build_episodes(stays_of(bills(BILLS)), DETOX, 1)
    lengths = run(count_lengths(episodes))
    assert sum(row["episodes"] for row in lengths) == run(episodes.count())


def test_no_line_of_detox_gives_empty_tables(tmp_path):
    stays = stays_of(ibis.memtable(empty_frame(Claims), schema=Claims.types()))
    episodes = build_episodes(stays, DETOX, 1)
    for name, table, contract in [
        ("stays", stays, Stays),
        ("episodes", episodes, Episodes),
        ("lengths", count_lengths(episodes), EpisodeLengths),
    ]:
        write_table(table, tmp_path / f"{name}.parquet", contract)
