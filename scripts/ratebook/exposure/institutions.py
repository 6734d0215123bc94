"""Days in institutions for mental diseases, for which Medicaid's capitation is limited."""

from __future__ import annotations

import ibis

from ratebook.dates import month_of
from ratebook.exposure.months import ONE_DAY, age_on
from ratebook.exposure.spans import FAR_OFF, LONG_AGO
from ratebook.tables import hold

KIND = "IMD"
STILL_PATIENT = "30"


def add_imd_days(
    months: ibis.Table,
    claims: ibis.Table,
    facilities: ibis.Table,
    persons: ibis.Table,
    stay_levels: list[str],
    ages: list[int],
    days_limit: int,
) -> ibis.Table:
    """Say of every member month how many of its days were spent in an institution for mental diseases.

    A month with `days_limit` days may still be capitated, one with a day more may not. Days count whether or not
    the person was covered on them: the limit speaks of the length of the stay within the month.

    Parameters
    ----------
    months : ibis.Table
        As `build_member_months` gives them.
    claims, facilities, persons, stay_levels, ages
        As `count_imd_days` takes them.
    days_limit : int
        Longest stay in a month, in days, that capitation may cover.

    Returns
    -------
    MemberMonths

    References
    ----------
    methods.md, A12.8 and H60; 42 CFR 438.6(e).
    """
    # Held, so that the engine knows how few they are before it joins all months with them.
    stayed = hold(count_imd_days(claims, facilities, persons, stay_levels, ages))
    stayed = stayed.rename(imd_person_id="person_id", imd_month="service_month")
    same = [months.person_id == stayed.imd_person_id, months.service_month == stayed.imd_month]
    joined = months.left_join(stayed, same)
    imd_days = joined.imd_days.fill_null(0)
    return joined.select(months, imd_days=imd_days, is_imd_excluded=imd_days > days_limit)


def count_imd_days(
    claims: ibis.Table, facilities: ibis.Table, persons: ibis.Table, stay_levels: list[str], ages: list[int]
) -> ibis.Table:
    """Count each person's days in an institution for mental diseases, by calendar month.

    A stay is one person's admission to one facility, with whatever claims bill it; care without an admission, as
    it is billed by the day, counts by its days of service. The day of discharge is no day of care unless the
    patient stayed on (status 30) or came that day. A day counts once, whoever bills it, if the facility was such
    an institution and the person of the ages on that day; a person of unknown birth date is of no age.

    Parameters
    ----------
    claims : Claims
        Final lines, any order.
    facilities : Facilities
        Those of kind IMD count, from `valid_from` to `valid_to`, both included; null is open.
    persons : Persons
        For the date of birth.
    stay_levels : list of str
        Levels of 24-hour care: a line of one is a stay even where it says no admission.
    ages : list of int
        Youngest and oldest age in completed years.

    Returns
    -------
    ibis.Table
        One row per person and month with such a day: person_id, service_month, imd_days.
    """
    imd = facilities.filter(facilities.kind == KIND)
    stays = _select_stays(claims, imd.select(imd_npi="facility_npi").distinct(), stay_levels)
    after = (stays.last_day.cast("timestamp") + ONE_DAY).cast("timestamp")
    days = stays.mutate(day=ibis.range(stays.first_day.cast("timestamp"), after, ONE_DAY).unnest().cast("date"))
    periods = imd.select(
        valid_npi="facility_npi",
        first_valid=imd.valid_from.fill_null(LONG_AGO),
        last_valid=imd.valid_to.fill_null(FAR_OFF),
    )
    in_force = [
        days.imd_npi == periods.valid_npi,
        days.day >= periods.first_valid,
        days.day <= periods.last_valid,
    ]
    days = days.join(periods, in_force).select("person_id", "day").distinct()
    born = persons.select(born_id="person_id", birth_date="birth_date")
    days = days.join(born, days.person_id == born.born_id)
    days = days.filter(age_on(days.day, days.birth_date).between(*ages))
    return days.group_by("person_id", service_month=month_of(days.day)).agg(imd_days=days.count())


def _select_stays(claims: ibis.Table, imd: ibis.Table, stay_levels: list[str]) -> ibis.Table:
    lines = claims.mutate(npi=ibis.coalesce(claims.facility_npi, claims.billing_npi))
    lines = lines.filter(lines.admission_date.notnull() | lines.level.isin(stay_levels).fill_null(False))
    lines = lines.join(imd, lines.npi == imd.imd_npi)
    first_day = lines.admission_date.fill_null(lines.service_start_date)
    day_before = (lines.discharge_date - ONE_DAY).cast("date")
    stayed_on = (lines.discharge_status == STILL_PATIENT).fill_null(False)
    last_day = ibis.ifelse(stayed_on, lines.discharge_date, day_before).fill_null(lines.service_end_date)
    lines = lines.select("person_id", "imd_npi", first_day=first_day, last_day=ibis.greatest(last_day, first_day))
    return lines.group_by("person_id", "imd_npi", "first_day").agg(last_day=lines.last_day.max())
