"""The monthly exhibit of services: how far a month is paid by its age, claims and dollars beside members, and drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratebook.contracts.clean import Claims
from ratebook.exposure.plots import plot_monthly_claims, plot_monthly_pmpm
from ratebook.exposure.services import build_monthly_services, completion_by_age, tally_services
from ratebook.tables import read_counts


def lags(rows, category="OTP"):
    frame = pd.DataFrame(rows, columns=["service_month", "lag_months", "signed_usd"]).assign(category=category)
    return frame.astype({"service_month": "datetime64[us]", "lag_months": "Int64"})


def test_the_chain_ladder_by_hand():
    # Cumulative: January 40 60 80, February 60 90, March 50; links 150 / 100 and 80 / 60.
    rows = [("2022-01-01", 0, 40), ("2022-01-01", 1, 20), ("2022-01-01", 2, 20)]
    rows += [("2022-02-01", 0, 60), ("2022-02-01", 1, 30), ("2022-03-01", 0, 50), ("2022-03-01", 1, 999)]
    found = completion_by_age(lags(rows), pd.Period("2022-03", "M"))
    assert found == pytest.approx([1 / 1.5 / (80 / 60), 60 / 80, 1])
    early = lags([("2022-01-01", -1, 15), ("2022-01-01", 0, 25), *rows[1:]])
    assert completion_by_age(early, pd.Period("2022-03", "M")) == pytest.approx(found)


def test_a_month_paid_too_little_to_speak_for_others_changes_no_share():
    rows = [("2022-01-01", 0, 1), ("2022-01-01", 3, 9)]
    for month in ("2022-02-01", "2022-03-01", "2022-04-01"):
        rows += [(month, 0, 100)]
    found = completion_by_age(lags(rows), pd.Period("2022-04", "M"))
    assert found == pytest.approx([201 / 201, 1, 1, 1])


def test_nothing_paid_early_leaves_young_months_unsaid_and_no_payment_leaves_all():
    late = completion_by_age(lags([("2022-01-01", 1, 50), ("2022-02-01", 1, 50)]), pd.Period("2022-03", "M"))
    assert np.isnan(late[0]) and late[1:].tolist() == [1, 1]
    assert len(completion_by_age(lags([]), pd.Period("2022-03", "M"))) == 0


@pytest.fixture
def exhibit(table):
    text = """\
    person_id | claim_type   | claim_id | line_number | category | service_start_date | cost_usd | is_money_only
    A         | professional | 1        | 1           | OTP      | 2022-01-03         | 10.00    | false
    A         | professional | 1        | 2           | OTP      | 2022-01-04         | 10.00    | false
    A         | professional | 1        | 3           | OTHER    | 2022-01-04         | 5.00     | false
    B         | pharmacy     | 1        | 1           | OTP      | 2022-01-09         | 20.00    | false
    B         | professional | 2        | 1           | OTP      | 2022-03-31         | 40.00    | false
    B         | professional | 3        | 1           | OTP      | 2022-03-31         | -4.00    | true
    """
    paid = [
        ("2022-01-01", 0, 50),
        ("2022-01-01", 1, 50),
        ("2022-02-01", 0, 50),
        ("2022-02-01", 1, 50),
        ("2022-03-01", 0, 36),
    ]
    months = pd.DataFrame({"service_month": pd.to_datetime(["2022-01-01", "2022-01-01", "2022-03-01"])})
    months = months.assign(member_months=[1.5, 0.5, 2.0])

    def make(extract="2022-03-31", limit=0.9):
        counted = read_counts(tally_services(table(text, Claims)))
        return build_monthly_services(counted, months, lags(paid), "2022-01-01", extract, limit)

    return make


def test_claims_and_dollars_stand_beside_members_and_completion(exhibit):
    rows = exhibit().set_index(["category", "service_month"])
    otp = rows.loc["OTP"]
    assert otp.claims.tolist() == [2, 0, 1] and otp.lines.tolist() == [3, 0, 1]
    assert otp.persons.tolist() == [2, 0, 1] and otp.cost_usd.tolist() == [40, 0, 36]
    assert otp.claims_per_1000.fillna(-1).tolist() == [1000, -1, 500]
    assert otp.pmpm_usd.fillna(-1).tolist() == [20, -1, 18]
    assert otp.completion_share.tolist() == [1, 1, 0.5]
    assert otp.completed_pmpm_usd.iloc[2] == 36 and otp.completed_claims_per_1000.iloc[2] == 1000
    assert otp.is_reportable.tolist() == [True, True, False]
    other = rows.loc["OTHER"]
    assert other.claims.tolist() == [1, 0, 0], "a claim counts once in each category it has a line of"
    assert other.completion_share.isna().all() and other.reason.str.contains("no paid dates").all()
    assert other.is_reportable.isna().all()


@pytest.mark.parametrize(("limit", "reportable"), [(0.5, True), (0.51, False)])
def test_a_month_completed_to_the_limit_is_reportable(exhibit, limit, reportable):
    rows = exhibit(limit=limit)
    assert rows[(rows.category == "OTP") & (rows.service_month == "2022-03-01")].is_reportable.tolist() == [reportable]


def test_the_month_of_an_extract_taken_before_its_end_is_not_judged(exhibit):
    march = exhibit(extract="2022-03-30").query("category == 'OTP' and service_month == '2022-03-01'")
    assert march.completion_share.isna().all() and march.reason.str.contains("not over").all()


@pytest.mark.parametrize(("persons", "drawn"), [(10, False), (11, True), (0, True)])
def test_a_month_of_few_persons_is_not_drawn(persons, drawn):
    months = pd.date_range("2022-01-01", periods=4, freq="MS")
    frame = pd.DataFrame({"service_month": months, "category": "OTP", "persons": [50, persons, 60, 70]})
    numbers = ["claims_per_1000", "pmpm_usd", "completed_claims_per_1000", "completed_pmpm_usd"]
    frame = frame.assign(claims=1, lines=1, cost_usd=1.0, completion_share=0.95, **dict.fromkeys(numbers, 7.0))
    fig = plot_monthly_claims(frame, "2022-12-31", 0.9, 11)
    line = max(fig.axes[0].lines, key=lambda line: line.get_linewidth() * (line.get_marker() == "."))
    assert bool(np.isfinite(line.get_ydata()[1])) == drawn


def test_without_paid_dates_the_figure_still_spans_what_was_observed(exhibit):
    rows = exhibit().query("category == 'OTHER'").assign(persons=50)
    fig = plot_monthly_pmpm(rows, "2022-12-31", 0.9, 11)
    assert fig.axes[0].get_ylim()[1] == pytest.approx(1.12 * 2.5)
