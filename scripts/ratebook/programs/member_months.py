"""Member months of long-term care: where a person lived, for how many days, and what Medicaid paid for what."""

from __future__ import annotations

import ibis

from ratebook.clean.members import with_person
from ratebook.contracts.programs import SERVICES, LtcMemberMonths
from ratebook.dates import month_of, months_between
from ratebook.money import upto
from ratebook.programs.stays import count_nf_days, explode_months

SERVICE_OF_CATEGORY = {
    "IP_MEDICAL": "acute",
    "ED_OTHER": "acute",
    "OP_PROFESSIONAL": "acute",
    "PHARMACY_OTHER": "prescribed_drugs",
    "MOUD_DRUG": "prescribed_drugs",
    "LTSS": "other",
    "OTHER": "other",
}
"""Benefit of a line that is no long-term-care service; every category not listed is behavioural health."""
SPLIT = {
    "cost_usd": "cost_usd", "own_usd": "patient_liability_usd", "medicare_paid_usd": "medicare_paid_usd", "tpl_usd": "tpl_usd",
}  # fmt: skip
"""Amounts of a line that are split over its days, by what the line calls them."""
ADULT_DAY = ("adult_day_care_usd", "adult_day_health_usd")
CARE_AT_HOME = (
    "home_health_usd", "personal_care_usd", "homemaker_usd", "home_health_aide_usd", "habilitation_usd",
    "respite_usd", "in_home_support_usd", "meals_usd",
)  # fmt: skip


def build_ltc_member_months(
    claims: ibis.Table,
    member_months: ibis.Table,
    assessments: ibis.Table,
    facilities: ibis.Table,
    identity: ibis.Table,
    aged_from_years: int,
    disabled_aid_categories: list[str],
    contract_start: str,
) -> ibis.Table:
    """Say of every covered month of a long-term-care person where they lived, for how long, and at what cost.

    A person belongs here with any long-term-care service, any level-of-care assessment, any month at
    `aged_from_years` or older, or any month in a disabled aid category. A month is a nursing-facility month
    where at least half of its covered days are facility days. Costs of a line that crosses months are split
    by days, to the cent; a cost in a month without coverage has no member month and is not counted.

    Parameters
    ----------
    claims : Claims
    member_months : MemberMonths
    assessments : Assessments
        Under source ids; `identity` leads to persons.
    facilities : Facilities
    identity : Identity
    aged_from_years : int
        Age from which everyone belongs.
    disabled_aid_categories : list of str
        Aid categories whose members all belong.
    contract_start : str
        First day of the contract period, ISO; everything before is the base period.

    Returns
    -------
    LtcMemberMonths
        One row per person and covered month.

    References
    ----------
    methods.md, F0.
    """
    assessed = _levels_of_care(assessments, identity)
    months = _select_persons(claims, member_months, assessed, aged_from_years, disabled_aid_categories)
    months = _enrollment(months)
    months = count_nf_days(months, claims.semi_join(months.select("person_id").distinct(), "person_id"))
    months = _join_month(months, _service_dollars(claims, months))
    months = _nf_dollars(months)
    months = _settings(months, assessed)
    months = _history(months)
    months = _facility(months, facilities)
    start = ibis.date(contract_start)
    months = months.mutate(period=ibis.ifelse(months.service_month >= start, "contract", "base"))
    return months.select(*LtcMemberMonths.types())


def _select_persons(claims, member_months, assessed, aged_from_years, disabled):
    served = claims.filter(claims.category == "LTSS").select("person_id")
    aged = (member_months.age_years >= aged_from_years).fill_null(False)
    seen = member_months.filter(aged | member_months.aid_category.isin(disabled)).select("person_id")
    persons = ibis.union(served, seen, assessed.select("person_id")).distinct()
    months = member_months.semi_join(persons, "person_id")
    age = months.age_years
    return months.mutate(
        age_band=ibis.cases(
            (age.isnull(), "unknown"), (age < 55, "under_55"), (age < 65, "55_64"), (age < 75, "65_74"),
            (age < 85, "75_84"), else_="85_up",
        ),
        is_waiver=months.waiver.notnull() & (months.waiver != ""),
        is_aged_or_disabled=((age >= aged_from_years) | months.aid_category.isin(disabled)).fill_null(False),
        liability_usd=months.patient_liability_usd.fill_null(0),
    )  # fmt: skip


def _enrollment(months):
    """Number the months of unbroken coverage: a month without coverage begins a new enrolment."""
    by_person = ibis.window(group_by="person_id", order_by="service_month")
    gap = months_between(months.service_month.lag().over(by_person), months.service_month)
    months = months.mutate(opens=(gap.isnull() | (gap > 1)).cast("int64"))
    months = months.mutate(enrollment=months.opens.cumsum().over(by_person))
    months = months.mutate(
        enrollment_month=months.service_month.min().over(group_by=["person_id", "enrollment"]),
    )
    number = months_between(months.enrollment_month, months.service_month) + 1
    return months.mutate(enrollment_month_number=number, enrollment_year=(number - 1) // 12 + 1)


def _levels_of_care(assessments, identity):
    """Give each assessment the days it speaks for: until the next one.

    Where no level was scored, certifiable people are levelled by thirds of the functional score: the cut points
    of the published model were never published.
    """
    found = with_person(assessments, identity, assessments.assessment_date)
    found = found.filter(found.person_id.notnull()).rename(
        certifiable="nursing_home_certifiable", level="dms1_level", score="functional_score"
    )
    found = found.group_by("person_id", "assessment_date").agg(
        certifiable=found.certifiable.max(), level=found.level.max(), score=found.score.max()
    )
    scored = found.certifiable.fill_null(False) & found.score.notnull()
    by_score = ibis.window(group_by=scored, order_by=[found.score, found.person_id, found.assessment_date])
    third = ibis.ntile(3).over(by_score) + 1
    by_person = ibis.window(group_by="person_id", order_by="assessment_date")
    return found.mutate(
        level=ibis.coalesce(found.level, ibis.ifelse(scored, third, None)),
        until_date=found.assessment_date.lead().over(by_person),
    )


def _service_dollars(claims, months):
    """Sum each service by person and month, a line that crosses months split by its days."""
    lines = claims.semi_join(months.select("person_id").distinct(), "person_id")
    plain = lines.category.cases(*SERVICE_OF_CATEGORY.items(), else_="behavioral_health")
    lines = lines.mutate(service=ibis.coalesce(lines.ltc_service, plain))
    lines = lines.group_by("person_id", "service", "service_start_date", "service_end_date").agg(
        **{name: lines[source].fill_null(0).sum() for name, source in SPLIT.items()}
    )
    parts = _by_month(lines)
    named = {
        column: parts.cost_usd.sum(where=parts.service == column.removesuffix("_usd")).fill_null(0)
        for column in SERVICES
        if column != "other_usd"
    }
    known = [*(column.removesuffix("_usd") for column in named), "nursing_facility"]
    facility = parts.service == "nursing_facility"
    return parts.group_by("person_id", "service_month").agg(
        **named,
        other_usd=parts.cost_usd.sum(where=parts.service.notin(known)).fill_null(0),
        nf_net_usd=parts.cost_usd.sum(where=facility).fill_null(0),
        own_usd=parts.own_usd.sum(where=facility).fill_null(0),
        medicare_paid_usd=parts.medicare_paid_usd.sum(),
        tpl_usd=parts.tpl_usd.sum(),
    )


def _by_month(lines):
    lines = explode_months(lines, "service_start_date", "service_end_date")
    days = lines.service_end_date.delta(lines.service_start_date, unit="day") + 1
    before = lines.service_month.delta(lines.service_start_date, unit="day")
    after = (lines.service_month + ibis.interval(months=1)).cast("date").delta(lines.service_start_date, unit="day")
    lines = lines.mutate(days=days, before=ibis.greatest(before, 0), after=ibis.least(after, days))

    def part(amount):
        return upto(amount, lines.after, lines.days) - upto(amount, lines.before, lines.days)

    return lines.mutate(**{name: part(lines[name]) for name in SPLIT})


def _join_month(months, dollars):
    joined = months.left_join(dollars, ["person_id", "service_month"])
    return joined.drop("person_id_right", "service_month_right").mutate(
        **{
            column: joined[column].fill_null(0)
            for column in [*SERVICES, "nf_net_usd", "own_usd", "medicare_paid_usd", "tpl_usd"]
        }
    )


def _nf_dollars(months):
    """Applied income is what the claims say; where they are silent, eligibility's monthly share of a resident."""
    silent = (months.own_usd == 0) & (months.nf_net_usd > 0)
    applied = ibis.ifelse(silent, months.liability_usd, months.own_usd)
    months = months.mutate(applied_income_usd=applied)
    return months.mutate(nf_gross_usd=months.nf_net_usd + months.applied_income_usd)


def _settings(months, assessed):
    month_end = (months.service_month + ibis.interval(months=1)).cast("date")
    months = months.mutate(month_end=month_end)
    speaks = (
        (months.person_id == assessed.person_id)
        & (assessed.assessment_date < months.month_end)
        & (assessed.until_date.isnull() | (assessed.until_date >= months.month_end))
    )
    joined = months.left_join(
        assessed.select("person_id", "assessment_date", "until_date", "certifiable", "level"), speaks
    )
    joined = joined.drop("person_id_right", "assessment_date", "until_date", "month_end")
    adult_day = sum(joined[column] for column in ADULT_DAY)
    at_home = sum(joined[column] for column in CARE_AT_HOME)
    joined = joined.mutate(
        setting=ibis.cases(
            ((joined.nf_days > 0) & (joined.nf_days * 2 >= joined.eligible_days), "NF"),
            (joined.assisted_living_usd > 0, "ALF"),
            ((adult_day > 0) & (adult_day >= at_home), "ADC"),
            (joined.is_waiver, "HCBS_waiver"),
            else_="COMM_other",
        )
    )
    lives_as_certified = (joined.setting == "NF") | joined.is_waiver
    return joined.mutate(
        is_nhc=ibis.coalesce(joined.certifiable, lives_as_certified), dms1_level=joined.level.cast("int64")
    )


def _history(months):
    """Count what a rate cell remembers: days so far by three counters, and months since a move home."""
    in_nf = months.nf_days > 0
    began = months_between(months.enrollment_month, month_of(months.stay_start_date)) // 12 + 1
    months = months.mutate(
        stay_year=ibis.ifelse(in_nf, ibis.greatest(began, 1), months.enrollment_year),
        is_nf=(months.setting == "NF").cast("int64"),
        calendar_year=months.service_month.year(),
    )
    moved = (months.is_nf == 0) & months.stay_end_date.notnull()
    moved &= months.stay_end_date < (months.service_month + ibis.interval(months=1)).cast("date")
    months = months.mutate(is_moved=moved.fill_null(False))

    def so_far(*keys):
        return ibis.cumulative_window(group_by=list(keys), order_by="service_month")

    return months.mutate(
        nf_days_cumulative=months.nf_days.sum().over(so_far("person_id", "enrollment", "stay_year")),
        nf_days_lifetime=months.nf_days.sum().over(so_far("person_id", "enrollment")),
        nf_months_in_year=months.is_nf.sum().over(group_by=["person_id", "calendar_year"]),
        institutional_days_before_move=ibis.ifelse(months.is_moved, months.stay_days, 0),
        months_since_conversion=ibis.ifelse(
            months.is_moved, months.is_moved.cast("int64").sum().over(so_far("person_id", "stay")), 0
        ),
        is_enrolled_in_nf=(in_nf & (months.stay_start_date <= months.enrollment_month)).fill_null(False),
        is_past_anniversary=(in_nf & (months.enrollment_year > months.stay_year)).fill_null(False),
    )


def _facility(months, facilities):
    """Give a month the level, per diem and ancillary cost of the facility of the current or latest stay."""
    homes = facilities.filter(facilities.kind == "NF")
    houses = months.select("facility_id", "service_month").distinct()
    in_force = [
        houses.facility_id == homes.facility_npi,
        homes.valid_from.isnull() | (homes.valid_from <= houses.service_month),
        homes.valid_to.isnull() | (homes.valid_to >= houses.service_month),
    ]
    known = houses.join(homes.drop("county", "kind"), in_force)
    known = known.group_by("facility_id", "service_month").agg(
        rated=known.nf_level.max(), per_diem_usd=known.per_diem.max(), ancillary_usd=known.ancillary_amount.max()
    )
    months = months.left_join(known, ["facility_id", "service_month"])
    months = months.drop("facility_id_right", "service_month_right")
    return months.mutate(nf_level=ibis.ifelse(months.is_nf == 1, months.rated.fill_null("unrated"), None))
