"""What the claims say of a person before an admission and at its end: cost, treatment, hospice, the next hospital."""

from __future__ import annotations

import ibis

from ratebook.contracts.clean import SUD_CATEGORIES
from ratebook.dates import days_from

MOUD = ["MOUD_DRUG", "OTP"]
ACUTE = ["IP_MEDICAL", "IP_SUD_MEDICAL"]
TO_HOSPITAL = "02"
COST_DAYS, MOUD_DAYS = 365, 90
"""Days before admission in which cost and medication are read: the windows of methods.md, D1 and C8."""


def add_hospice(episodes: ibis.Table, claims: ibis.Table) -> ibis.Table:
    """Mark episodes of who was in hospice care in the year up to the discharge, the day itself included."""
    hospice = claims.filter(claims.ltc_service == "hospice")
    hospice = hospice.select("person_id", "service_start_date", "service_end_date")
    key = episodes.select("person_id", "episode", "discharge_date").join(hospice, "person_id")
    since = days_from(key.discharge_date, -COST_DAYS)
    found = key.filter(key.service_start_date <= key.discharge_date, key.service_end_date >= since)
    found = found.select("person_id", "episode", is_hospice=True).distinct()
    joined = episodes.left_join(found, ["person_id", "episode"]).drop("person_id_right", "episode_right")
    return joined.mutate(is_hospice=joined.is_hospice.fill_null(False))


def add_acute_transfer(index: ibis.Table, claims: ibis.Table) -> ibis.Table:
    """Mark who left for a hospital's medical care: by the status of discharge, or by a stay there that follows on.

    The stay begins in the episode or by the day after its discharge, and goes on beyond that day. Whether detox
    follows it is not asked: a denominator that looked at the outcome would depend on it.

    References
    ----------
    methods.md, B4.
    """
    acute = claims.filter(claims.category.isin(ACUTE), claims.admission_date.notnull())
    acute = acute.select("person_id", from_date=acute.admission_date, until_date=acute.discharge_date)
    key = index.select("person_id", "admission_date", "discharge_date").join(acute, "person_id")
    day_after = days_from(key.discharge_date, 1)
    follows = key.filter(key.from_date.between(key.admission_date, day_after), key.until_date >= day_after)
    follows = follows.select("person_id", is_followed=True).distinct()
    joined = index.left_join(follows, "person_id").drop("person_id_right")
    to_hospital = (joined.discharge_status == TO_HOSPITAL).fill_null(False)
    return joined.mutate(is_acute_transfer=to_hospital | joined.is_followed.fill_null(False))


def add_history(index: ibis.Table, claims: ibis.Table) -> ibis.Table:
    """Add cost, medication and mental-health care of the days before admission; zero and false where there is no claim."""
    key = index.select("person_id", index_date=index.admission_date)
    lines = claims.select("person_id", "service_start_date", "category", "cost_usd")
    lines = key.join(lines, "person_id")
    lines = lines.filter(
        lines.service_start_date.between(days_from(lines.index_date, -COST_DAYS), days_from(lines.index_date, -1))
    )
    is_recent = lines.service_start_date >= days_from(lines.index_date, -MOUD_DAYS)
    history = lines.group_by("person_id").agg(
        sud_cost_before_usd=lines.cost_usd.sum(where=lines.category.isin(SUD_CATEGORIES)),
        total_cost_before_usd=lines.cost_usd.sum(),
        is_moud_before=(lines.category.isin(MOUD) & is_recent).any(),
        is_mental_before=(lines.category == "OTHER_BH").any(),
    )
    index = index.left_join(history, "person_id").drop("person_id_right")
    return index.mutate(
        sud_cost_before_usd=index.sud_cost_before_usd.fill_null(0),
        total_cost_before_usd=index.total_cost_before_usd.fill_null(0),
        is_moud_before=index.is_moud_before.fill_null(False),
        is_mental_before=index.is_mental_before.fill_null(False),
    )
