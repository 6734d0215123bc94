"""A benefit with caps, counted by year of enrolment: each person once, in its area, against the year it is capped by."""

from __future__ import annotations

import pandas as pd
import pytest

from ltc_population import draw_months
from ltc_world import program, reduced_groups
from ratebook.contracts.programs import SERVICES, LtcMemberMonths
from ratebook.programs.benefits import count_capped_benefits, derive_capped_benefits
from ratebook.programs.rates import derive_program_rates
from ratebook.tables import open_table, write_table

HEAD = "person_id | service_month | enrollment_month | enrollment_month_number | county | is_retro | meals_usd"
A_MONTH = {
    "period": "base", "plan": "ffs", "region": "W", "facility_id": "none", "age_years": 80, "age_band": "75_84",
    "sex": "female", "dual_group": "full", "medicaid_class": "SSI", "aid_category": "aged", "is_nhc": "false",
    "is_aged_or_disabled": "true", "is_waiver": "false", "setting": "COMM_other", "nf_days": 0, "nf_days_cumulative": 0,
    "nf_days_spell": 0, "nf_days_lifetime": 0, "nf_months_in_year": 0, "institutional_days_before_move": 0,
    "months_since_conversion": 0, "is_enrolled_in_nf": "false", "is_past_anniversary": "false",
} | {service: 0 for service in SERVICES if service != "meals_usd"}  # fmt: skip


def enrolment(first, months, usd, county="West", retro=()):
    """One person's unbroken enrolment, the same use in every month."""
    start = pd.Period(first, "M")
    return [
        f"A | {start + n}-01 | {start}-01 | {n + 1} | {county} | {'true' if n + 1 in retro else 'false'} | {usd}"
        for n in range(months)
    ]


@pytest.fixture
def years(table, run):
    def count(*enrolments, keeps_retro=False, counties=None, **settings):
        chosen = program("ccn", **settings)
        chosen = chosen | {"schemes": [scheme | {"counties": counties} for scheme in chosen["schemes"]]}
        months = table("\n".join([HEAD, *(row for rows in enrolments for row in rows)]), LtcMemberMonths, **A_MONTH)
        counts = pd.DataFrame(run(count_capped_benefits(months, [chosen], 2, keeps_retro)))
        if counts.empty:
            return counts
        return derive_capped_benefits(counts, [chosen], 2).set_index("benefit_year")

    return count


def test_who_enrols_twice_is_one_person_at_the_cap(years):
    """Both first years use 500 dollars a month after the wait: 2,600 are paid in each."""
    found = years(enrolment("2014-01", 12, 500), enrolment("2016-01", 12, 500)).loc[1]
    assert (found.persons, found.member_months) == (1, 24)
    assert (found.at_year_cap_share, found.at_lifetime_cap_share) == (1.0, 0.0)
    assert found.paid_pmpm_usd == pytest.approx(2 * 2600 / 24)


def test_a_cap_by_calendar_year_is_reached_in_the_calendar_year(years):
    """Enrolled in July, the wait ends with December: 1,800 of 2016 in year 1, and 800 more in year 2 fill that cap."""
    halves = enrolment("2015-07", 18, 300)
    by_calendar = years(halves, ccn_year="calendar")
    assert by_calendar.at_year_cap_share.to_dict() == {1: 0.0, 2: 1.0}
    assert by_calendar.paid_pmpm_usd.to_dict() == pytest.approx({1: 1800 / 12, 2: 800 / 6})
    assert years(halves).at_year_cap_share.to_dict() == {1: 0.0, 2: 0.0}, "1,800 in each year of the enrolment"


def test_nobody_outside_the_area_is_counted(years):
    assert years(enrolment("2015-01", 12, 300, "East"), counties=["West"]).empty
    assert years(enrolment("2015-01", 12, 300, "West"), counties=["West"]).persons.tolist() == [1]


@pytest.mark.parametrize(("keeps_retro", "months"), [(False, 9), (True, 12)])
def test_retroactive_months_count_where_all_rates_count_them(years, keeps_retro, months):
    found = years(enrolment("2015-01", 12, 300, retro=(1, 2, 3)), keeps_retro=keeps_retro)
    assert found.member_months.tolist() == [months]


def test_years_add_up_to_the_benefit_priced_with_the_rates(tmp_path, run):
    """Two ways to the same sums: by year from the months, and through the comparison groups."""
    chosen = program("ccn")
    write_table(draw_months(60, 30, 7), tmp_path / "m.parquet", LtcMemberMonths)
    months = open_table(tmp_path / "m.parquet", LtcMemberMonths)
    by_year = pd.DataFrame(run(count_capped_benefits(months, [chosen], 2, False)))
    rates = derive_program_rates(reduced_groups(months, [chosen], tmp_path), [chosen], 365, 2, 36_000)
    row = rates[rates.cell == "capped_benefit"].iloc[0]
    assert by_year.member_months.sum() == row.member_months > 0
    assert by_year.paid_usd.sum() == pytest.approx(row.base_usd * row.member_months, abs=0.01)
