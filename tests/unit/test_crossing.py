"""Who crossed over, what ended spells and what another gap rule does: drawn as tables, at their limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import END_REASONS, nobody, study
from ratebook.contracts.clean import Contacts
from ratebook.contracts.episodes import Cohort
from ratebook.contracts.spells import Contamination, Crossing, Crossover, GapSensitivity, Navigators, SpellEnds
from ratebook.disclosure import disclose
from ratebook.episodes.clustered import ALIKE, EDGE, NOBODY, ONE_PROVIDER, clustered_median, clustered_ratio
from ratebook.episodes.crossing import (
    NO_TIME_BEFORE,
    build_crossing,
    build_navigators,
    estimate_contamination,
    estimate_crossover,
)
from ratebook.episodes.spell_tables import compare_gaps, estimate_spell_ends
from ratebook.episodes.spells import build_spells
from ratebook.tables import empty_frame, read_table, write_table

CONTACTS = """\
    contact_id | person_id | program | provider_id | worker_id | contact_date | is_contact
    1          | A         | RSN     | P           | W1        | 2024-01-02   | true
    2          | A         | CSP     | Q           | W2        | 2024-02-01   | true
    3          | B         | CSP     | Q           | W3        | 2024-01-11   | true
    4          | B         | RSN     | P           | W3        | 2024-03-01   | false
    5          | C         | RSN     | P           | W1        | 2024-01-01   | true
    6          | C         | RSN     | R           | W4        | 2024-07-01   | true
    7          | X         | CSP     | R           | W4        | 2023-01-01   | true
    """
MEMBERS = """\
    person_id | arm  | provider_id | is_prior_program | discharge_date | follow_end_date
    A         | RSN  | P           | true             | 2024-01-01     | 2024-12-31
    B         | CSP  | Q           | false            | 2024-01-01     | 2024-12-31
    C         | none |             | false            | 2024-01-01     | 2024-06-30
    D         | none |             | false            | 2024-01-01     | 2024-12-31
    """


@pytest.fixture
def crossing(table, run):
    def make(contacts=CONTACTS):
        found = run(build_crossing(table(contacts, Contacts), table(MEMBERS, Cohort)))
        return {row["person_id"]: row for row in found}

    return make


def test_the_day_a_member_crosses_over_counts_from_discharge(crossing):
    rows = crossing()
    assert (rows["A"]["rsn_days"], rows["A"]["csp_days"], rows["A"]["cross_days"]) == (1, 31, 31)
    assert rows["A"]["is_prior_program"]


def test_an_attempt_is_no_crossing_and_a_contact_out_of_follow_up_is_none(crossing):
    rows = crossing()
    assert rows["B"]["cross_days"] is None
    assert (rows["C"]["rsn_days"], rows["C"]["csp_days"]) == (None, None), "on the day of discharge, and after the end"
    assert set(rows) == {"A", "B", "C", "D"}, "members nobody reached stay"


def test_whoever_delivers_both_programs_is_mixed(table, run, crossing):
    units = {
        (row["unit"], row["unit_id"]): (row["rsn_contacts"], row["csp_contacts"])
        for row in run(build_navigators(table(CONTACTS, Contacts)))
    }
    assert units["provider", "R"] == units["worker", "W4"] == (1, 1)
    assert units["worker", "W3"] == (0, 1), "an attempt in the other program does not make a worker mixed"
    assert not any(row["is_worker_mixed"] for row in crossing().values())
    both = crossing(CONTACTS.replace("W2 ", "W1 "))
    assert both["A"]["is_worker_mixed"] and not both["A"]["is_provider_mixed"]


def members(providers=4, each=5, crossed=0):
    count = 2 * providers * each
    arm = np.repeat(["RSN", "CSP"], count // 2)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{n:03d}" for n in range(count)],
            "arm": arm,
            "provider_id": [f"{arm[n]}{n % providers}" for n in range(count)],
            "site_arm": "RSN",
            "discharge_date": pd.Timestamp("2024-01-01") + pd.to_timedelta(range(count), unit="D"),
        }
    )
    rsn = np.where((arm == "RSN") | (np.arange(count) < count // 2 + crossed), 5, np.nan)
    csp = np.where((arm == "CSP") | (np.arange(count) < crossed), 9, np.nan)
    found = cohort[["person_id", "arm"]].assign(
        rsn_days=rsn,
        csp_days=csp,
        cross_days=np.where(arm == "RSN", csp, rsn),
        is_prior_program=False,
        is_provider_mixed=False,
        is_worker_mixed=False,
    )
    spells = cohort[["person_id"]].assign(program=arm, spell=1, length_days=range(1, count + 1))
    return cohort, found, spells


def test_a_row_of_the_matrix_adds_up_to_its_arm(tmp_path):
    cohort, crossing, _ = members(crossed=3)
    matrix = estimate_crossover(cohort, crossing)
    assert matrix.groupby("first_program").persons.sum().to_dict() == {"RSN": 20, "CSP": 20, "none": 0}
    cell = matrix.set_index(["first_program", "programs"])
    assert cell.loc[("RSN", "both"), "persons"] == cell.loc[("CSP", "both"), "persons"] == 3
    assert cell.loc[("RSN", "both"), "median_cross_days"] == 9
    assert cell.loc[("none", "both"), "reason"] == NOBODY
    write_table(matrix, tmp_path / "matrix.parquet", Crossover)


def units_seen(first_rsn):
    return pd.DataFrame(
        {
            "unit": ["provider", "provider", "worker"],
            "unit_id": ["P", "Q", "W"],
            "rsn_contacts": [3, 1, 5],
            "csp_contacts": [2, 0, 0],
            "first_rsn_date": pd.Timestamp(first_rsn),
        }
    )


def test_contamination_is_counted_in_persons_providers_and_workers(tmp_path):
    cohort, crossing, spells = members(crossed=3)
    found = estimate_contamination(cohort, crossing, units_seen("2023-01-01"), spells)
    rows = found[found.period == "all"].set_index(["measure", "arm"]).sort_index()
    assert rows.loc[("both_programs", "RSN"), "estimate"] == 3 / 20
    assert rows.loc[("other_site", "CSP"), "estimate"] == 1 and rows.loc[("other_site", "CSP"), "reason"] == EDGE
    assert rows.loc[("mixed_providers", "all"), ["counted", "looked_at"]].tolist() == [1, 2]
    assert rows.loc[("mixed_workers", "all"), "estimate"] == 0
    spillover = found[found.measure == "csp_days"].set_index("period")
    assert spillover.loc[["before", "change"], "reason"].tolist() == [NO_TIME_BEFORE] * 2
    write_table(found, tmp_path / "contamination.parquet", Contamination)


def test_spillover_compares_csp_clients_of_rsn_sites_before_and_after_its_start():
    cohort, crossing, spells = members()
    found = estimate_contamination(cohort, crossing, units_seen("2024-01-31"), spells)
    rows = found[found.measure == "csp_days"].set_index("period")
    assert rows.loc[["before", "after"], "looked_at"].tolist() == [10, 10]
    assert rows.loc["change", "estimate"] == 10
    assert rows.loc["change", "lower"] < 10 < rows.loc["change", "upper"]
    shown = disclose(found, Contamination, 11)
    assert shown[shown.measure == "csp_days"].looked_at.isna().all(), "few before: those after would tell how few"


def test_nobody_leaves_reasons_and_no_zero_share(tmp_path):
    cohort, spells = nobody()
    by_gap = spells.assign(spell_gap_days=pd.Series(dtype="int64"))
    tables = [
        (estimate_spell_ends(cohort, spells, END_REASONS), SpellEnds, "share"),
        (compare_gaps(cohort, by_gap, [14, 30]), GapSensitivity, "estimate"),
        (estimate_crossover(cohort, empty_frame(Crossing)), Crossover, "share"),
        (
            estimate_contamination(cohort, empty_frame(Crossing), empty_frame(Navigators), spells),
            Contamination,
            "estimate",
        ),
    ]
    for number, (frame, contract, value) in enumerate(tables):
        assert len(frame) and frame[value].isna().all() and frame.reason.notna().all()
        write_table(frame, tmp_path / f"{number}.parquet", contract)
        assert len(read_table(tmp_path / f"{number}.parquet", contract)) == len(frame)


def test_ends_add_up_to_the_arm_and_say_what_they_count_as():
    cohort, spells = study(persons=200)
    ends = estimate_spell_ends(cohort, spells, END_REASONS)
    assert ends.groupby("arm").persons.sum().to_dict() == cohort.arm.value_counts().to_dict()
    assert ends.groupby("arm").share.sum().tolist() == pytest.approx([1, 1])
    assert dict(zip(ends.end_reason, ends.role)) == END_REASONS
    shuffled = estimate_spell_ends(
        cohort.sample(frac=1, random_state=1), spells.sample(frac=1, random_state=2), END_REASONS
    )
    pd.testing.assert_frame_equal(ends, shuffled)


def test_gap_measures_are_those_of_the_spells():
    cohort, spells = study(persons=200)
    by_gap = pd.concat([spells.assign(spell_gap_days=gap) for gap in (14, 30)])
    found = compare_gaps(cohort, by_gap, [30, 14]).set_index(["spell_gap_days", "arm", "measure"])
    mine = spells[spells.program == "RSN"]
    assert found.loc[(30, "RSN", "spells_per_person"), "estimate"] == 1
    assert found.loc[(30, "RSN", "mean_days"), "estimate"] == pytest.approx(mine.length_days.mean())
    assert found.loc[(30, "RSN", "median_days"), "estimate"] == mine.length_days.median()
    assert found.loc[(30, "RSN", "censored_share"), "counted"] == (~mine.is_event).sum()
    limits = found.loc[(30, "RSN", "median_days"), ["lower", "upper"]].astype(float)
    assert limits.lower < mine.length_days.median() < limits.upper


def test_with_one_person_a_provider_the_ratio_is_the_plain_mean_with_its_students_interval():
    values = pd.Series([3.0, 5.0, 4.0, 8.0])
    found = clustered_ratio(values, pd.Series(1, index=values.index), pd.Series([None] * 4))
    assert found["estimate"] == 5
    assert found["upper"] - 5 == pytest.approx(3.182446 * values.std() / 2, rel=1e-6)


def test_twice_the_persons_of_every_provider_adds_no_certainty():
    values, provider = pd.Series([3.0, 5.0, 4.0, 8.0, 1.0, 2.0]), pd.Series([*"aabbcc"])
    once = clustered_ratio(values, pd.Series(1, index=values.index), provider)
    twice = pd.concat([values, values], ignore_index=True)
    again = clustered_ratio(twice, pd.Series(1, index=twice.index), pd.concat([provider, provider], ignore_index=True))
    assert again == pytest.approx(once)


@pytest.mark.parametrize(
    ("values", "providers", "reason"),
    [
        pytest.param([], [], NOBODY, id="nobody"),
        pytest.param([1, 0], ["a", "a"], ONE_PROVIDER, id="one provider"),
        pytest.param([1, 0, 1, 0], ["a", "a", "b", "b"], ALIKE, id="providers alike"),
        pytest.param([0, 0], ["a", "b"], EDGE, id="none of them"),
    ],
)
def test_what_cannot_have_an_interval_says_why(values, providers, reason):
    values = pd.Series(values, dtype=float)
    found = clustered_ratio(
        values, pd.Series(1, index=values.index), pd.Series(providers, dtype=object), is_share=True
    )
    assert (found["lower"], found["upper"], found["reason"]) == (None, None, reason)
    assert (found["estimate"] is None) == (reason == NOBODY)


def test_limits_of_a_median_are_values_of_the_sample():
    values = pd.Series(np.arange(1, 102, dtype=float))
    found = clustered_median(values, pd.Series([None] * 101))
    assert found["estimate"] == 51
    assert {found["lower"], found["upper"]} <= set(values)
    assert 51 - found["lower"] == pytest.approx(10, abs=1.5), "1.98 standard errors of a half of 101, in ranks"


def test_a_program_known_from_claims_alone_has_spells_on_the_contact_clock_and_no_other(table, run):
    contacts = table(
        """\
        contact_id | person_id | program | provider_id | contact_date | enrollment_date | source
        1          | A         | RSN     | P           | 2024-01-02   | 2024-01-02      | log
        2          | A         | RSN     | P           | 2024-01-20   | 2024-01-02      | log
        c-1        | B         | CSP     | Q           | 2024-01-02   |                 | claim
        c-2        | B         | CSP     | Q           | 2024-01-20   |                 | claim
        """,
        Contacts,
        is_contact="true",
        minutes=15,
        billable_units=1,
    )
    cohort = MEMBERS.replace("follow_end_date", "follow_end_date | follow_end_reason").replace(
        "-31\n", "-31 | death\n"
    )
    rows = run(build_spells(contacts, table(cohort.replace("-30\n", "-30 | death\n"), Cohort), 30, False))
    found = {row["program"]: row for row in rows}
    assert {row["length_days"] for row in rows} == {19}, "one clock for both arms"
    assert (found["RSN"]["source"], found["CSP"]["source"]) == ("log", "claim")
    assert (found["RSN"]["floor_length_days"], found["RSN"]["floor_end_reason"]) == (30, "ended")
    assert found["CSP"]["admin_length_days"] is None and found["CSP"]["floor_end_reason"] is None
