"""The tables of engagement: contracts and bytes, sums, and what stays or turns when the rows do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conftest import one_row
from engagement_data import SETTINGS, estimate, row, study
from ratebook.contracts import engagement as contracts
from ratebook.dates import MONTH_DAYS
from ratebook.engagement.estimate import estimate_survival
from ratebook.tables import write_table


@pytest.fixture(scope="module")
def base():
    return study()


@pytest.fixture(scope="module")
def found(base):
    return estimate(*base)


def test_every_table_keeps_its_contract_and_its_bytes(base, found, tmp_path):
    again = estimate(*base)
    for name in found._fields:
        contract = getattr(contracts, "".join(part.title() for part in name.split("_")))
        for n, tables in enumerate((found, again)):
            write_table(getattr(tables, name), tmp_path / f"{n}.parquet", contract)
        assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()


def test_the_order_of_the_rows_changes_nothing(base, found):
    shuffled = estimate(*(part.sample(frac=1, random_state=5) for part in base))
    pd.testing.assert_frame_equal(shuffled.engagement, found.engagement, rtol=1e-9)


def test_every_missing_estimate_or_interval_has_a_reason(found):
    for table in (found.engagement, found.survival, found.cumulative_incidence):
        estimate_column = {"survival", "incidence", "estimate"} & set(table.columns)
        complete = table[[*estimate_column, "lower", "upper"]].notna().all(axis=1)
        assert (complete == table.reason.isna()).all()


def test_an_interval_holds_its_estimate(found):
    rows = found.engagement[found.engagement.lower.notna()]
    assert ((rows.lower <= rows.estimate) & (rows.estimate <= rows.upper)).all()


def test_months_multiply_to_the_curve_and_start_at_one(found):
    for _, months in found.survival_by_month.groupby("arm"):
        assert months.survival_start.iloc[0] == 1
        product = (1 - months.hazard).cumprod().to_numpy()[:-1]
        assert months.survival_start.to_numpy()[1:] == pytest.approx(product)
        inside = months[months.lower.notna()]
        assert len(inside) and inside.survival_start.between(inside.lower, inside.upper).all()
        assert inside.lower.ge(0).all() and inside.upper.le(1).all()


def test_causes_and_the_still_engaged_sum_to_one(found):
    ended = found.cumulative_incidence.groupby(["arm", "day"]).incidence.sum()
    curve = found.survival.set_index(["arm", "day"]).survival.reindex(ended.index)
    assert (ended + curve).dropna().to_numpy() == pytest.approx(1)


def test_the_persons_ended_for_a_reason_are_whole_and_carry_its_incidence(found):
    causes = found.cumulative_incidence.groupby(["arm", "end_reason"])
    assert (causes.cause_persons.nunique() == 1).all()
    assert ((causes.cause_persons.first() > 0) == (causes.incidence.last() > 0)).all()
    per_arm = causes.cause_persons.first().groupby("arm").sum()
    assert (per_arm <= causes.at_risk.first().groupby("arm").first()).all()


def test_the_contrast_is_the_difference_of_the_arms(found):
    table = found.engagement
    for method in ("kaplan_meier", "overlap_weighted", "competing_censored"):
        arms = [row(table, "rmst", arm, method=method).estimate for arm in ("RSN", "CSP")]
        assert row(table, "rmst_difference", method=method).estimate == pytest.approx(arms[0] - arms[1])
        assert row(table, "rmst_ratio", method=method).estimate == pytest.approx(arms[0] / arms[1])


def test_relabelling_the_arms_flips_the_sign(base, found):
    swap = {"RSN": "CSP", "CSP": "RSN"}
    cohort = base[0].assign(arm=base[0].arm.map(swap), site_arm=base[0].site_arm.map(swap))
    other = estimate(cohort, base[1].assign(program=base[1].program.map(swap))).engagement
    for method in ("kaplan_meier", "overlap_weighted"):
        before = row(found.engagement, "rmst_difference", method=method).estimate
        assert row(other, "rmst_difference", method=method).estimate == pytest.approx(-before)


def test_shifting_all_dates_by_a_week_changes_nothing(base, found):
    week = pd.Timedelta(days=7)
    moved = [
        part.assign(**{name: part[name] + week for name in part.columns if name.endswith("_date")}) for part in base
    ]
    pd.testing.assert_frame_equal(estimate(*moved).engagement, found.engagement, rtol=1e-6)


def test_the_measurement_gap_is_what_the_administrative_clock_adds(found):
    """The cohort's enrolment outlasts the last contact by 20 days with RSN and by 5 with CSP."""
    table = found.engagement
    gaps = {arm: row(table, "measurement_gap", arm, tau=365, clock="admin").estimate for arm in ("RSN", "CSP")}
    assert 15 < gaps["RSN"] < 20
    assert 4 < gaps["CSP"] < 6
    difference = row(table, "measurement_gap_difference", tau=365, clock="admin").estimate
    assert difference == pytest.approx(gaps["RSN"] - gaps["CSP"])


def test_contacts_are_counted_over_the_days_in_which_they_were_made():
    """Weekly contacts are weekly however many of the last days leave the risk set."""
    cohort, spells = study(120, providers=4)
    spells = spells.assign(contacts=spells.length_days // 7 + 1)
    early = cohort.assign(follow_end_date=spells.last_date.to_numpy() + np.timedelta64(5, "D"))
    unseen = spells.assign(end_reason="end_of_data")
    for members, theirs in ((cohort, spells), (early, unseen)):
        table = estimate_survival(members, theirs, **{**SETTINGS, "boot_reps": 20}).engagement
        found = one_row(table, estimand="contacts_per_engaged_month", arm="RSN")
        mine = theirs[theirs.program == "RSN"]
        assert found.estimate == pytest.approx(mine.contacts.sum() / (mine.length_days.sum() / MONTH_DAYS))
