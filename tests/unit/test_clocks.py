"""The arms on several clocks: what the clock adds, what a comparison across clocks manufactures, and honest nulls."""

from __future__ import annotations

import pandas as pd
import pytest

from engagement_data import END_REASONS, nobody, study
from ratebook.contracts.engagement import Clocks
from ratebook.engagement.clocks import NO_ENROLMENT, clock_rows, compare_clocks, time_by_clocks
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import resample
from ratebook.engagement.work_figures import plot_clocks
from ratebook.tables import read_table, write_table

KEY = ["comparison", "tau_days", "arm", "clock", "other_arm", "other_clock"]


def compare(cohort, spells, horizons=(90,), reps=40):
    persons = engaged_persons(cohort, spells, END_REASONS, 30)
    draws = resample(persons.arm, persons.provider_id, reps, 1)
    timed = time_by_clocks(persons, draws, END_REASONS)
    return compare_clocks(timed, draws, list(horizons), 0.1), clock_rows(timed, draws, list(horizons), 0.1)


def days(table, *key):
    return table.set_index(KEY).estimate_days.loc[key]


def without_clocks(spells, arm):
    mine = spells.program == arm
    names = ["admin_length_days", "admin_end_reason", "floor_length_days", "floor_end_reason"]
    return spells.assign(**{name: spells[name].astype(object).where(~mine) for name in names}).astype(
        {"admin_length_days": float, "floor_length_days": float}
    )


def test_a_contrast_across_clocks_is_that_on_one_clock_and_the_gap():
    table, _ = compare(*study(persons=400))
    same = days(table, "same_clock", 90, "RSN", "contact", "CSP", "contact")
    gap = days(table, "measurement_gap", 90, "RSN", "admin", "RSN", "contact")
    assert gap > 0
    assert days(table, "cross_clock", 90, "RSN", "admin", "CSP", "contact") == pytest.approx(same + gap)


def test_every_arm_meets_every_clock_and_every_pair_of_clocks():
    table, _ = compare(*study(persons=200), horizons=(30, 90))
    assert table.comparison.value_counts().to_dict() == {
        "mean": 12, "cross_clock": 12, "measurement_gap": 8, "same_clock": 6,
    }  # fmt: skip
    assert not table.duplicated(KEY).any()
    assert (table.persons == table.arm_persons).all()


def test_equal_clocks_leave_no_gap():
    cohort, spells = study(persons=200, censor_days=9_000)
    spells = spells.assign(
        admin_length_days=spells.length_days, admin_end_reason="ended", end_reason="disengaged", is_event=True
    )
    table, rows = compare(cohort, spells)
    for arm in ("RSN", "CSP"):
        assert days(table, "measurement_gap", 90, arm, "admin", arm, "contact") == pytest.approx(0)
    gap = next(row for row in rows if row["estimand"] == "measurement_gap" and row["clock"] == "admin")
    assert gap["estimate"] == pytest.approx(0) and gap["reason"], "nothing varies: no interval, and why"


def test_relabelling_the_arms_flips_the_contrasts_of_one_clock():
    cohort, spells = study(persons=300)
    other = {"RSN": "CSP", "CSP": "RSN"}
    swapped = cohort.assign(arm=cohort.arm.map(other)), spells.assign(program=spells.program.map(other))
    here, there = compare(cohort, spells)[0], compare(*swapped)[0]
    for clock in ("contact", "admin", "floor"):
        key = ("same_clock", 90, "RSN", clock, "CSP", clock)
        assert days(here, *key) == pytest.approx(-days(there, *key))


def test_an_arm_without_enrolment_keeps_the_contact_clock_and_the_contrast_its_billing_allows():
    cohort, spells = study(persons=300)
    whole, part = compare(cohort, spells)[0], compare(cohort, without_clocks(spells, "CSP"))[0]
    key = ("cross_clock", 90, "RSN", "floor", "CSP", "contact")
    assert days(part, *key) == pytest.approx(days(whole, *key))
    lost = part[(part.arm == "CSP") & (part.clock == "admin") | (part.other_clock == "admin")]
    assert lost.estimate_days.isna().all() and (lost.reason == NO_ENROLMENT).all()
    assert (lost.persons[lost.arm == "CSP"] == 0).all() and (lost.arm_persons > 0).all()


def test_the_source_of_each_arm_is_said():
    cohort, spells = study(persons=200)
    spells = spells.assign(source=spells.program.map({"RSN": "log", "CSP": "claim"}))
    table = compare(cohort, spells)[0]
    assert set(table.source[table.comparison == "same_clock"]) == {"log / claim"}
    assert set(table.source[(table.comparison == "mean") & (table.arm == "CSP")]) == {"claim"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(nobody(), id="nobody"),
        pytest.param(tuple(frame.iloc[:1] for frame in study(persons=4)), id="one member"),
        pytest.param(study(persons=60, providers=1), id="one provider an arm"),
    ],
)
def test_what_cannot_be_compared_is_null_with_a_reason(data, tmp_path):
    table, rows = compare(*data)
    write_table(table, tmp_path / "clocks.parquet", Clocks)
    read = read_table(tmp_path / "clocks.parquet", Clocks)
    assert len(read) == 19 and read.reason[read.lower.isna()].notna().all()
    assert all(row["reason"] for row in rows if pd.isna(row["lower"]))
    plot_clocks(read, 11)


def test_the_order_of_rows_changes_nothing():
    cohort, spells = study(persons=200)
    shuffled = cohort.sample(frac=1, random_state=1), spells.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(compare(cohort, spells)[0], compare(*shuffled)[0])
