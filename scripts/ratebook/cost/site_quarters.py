"""Detox facilities by calendar quarter: what the months after a discharge cost, and how many met a navigator."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.contracts.clean import SUD_CATEGORIES
from ratebook.dates import days_from


def build_site_quarters(
    claims: ibis.Table, contacts: ibis.Table, episodes: ibis.Table, spans: ibis.Table, settings: dict
) -> ibis.Table:
    """Follow discharges of people in detox again, site by site, so that quarters before the program can be compared.

    A discharge counts when the person's last detox ended at most `again_days` before this admission, and the
    `outcome_days` from discharge are covered and, for the whole quarter, had `runout_months` for claims to arrive. A contact counts
    for the site when it is the person's first with RSN in `again_days`, by `outcome_days` after discharge and before
    the next admission: later ones are another discharge's doing.

    Parameters
    ----------
    claims : ibis.Table
        As `prices.reprice_claims` gives them.
    contacts, episodes, spans : ibis.Table
        As `Contacts`, `Episodes`, `Spans` declare them.
    settings : dict
        `extract_date`, `runout_months`, and `sites`: `again_days`, `outcome_days`.

    Returns
    -------
    ibis.Table
        As `SiteQuarters`.

    References
    ----------
    methods.md, D6.
    """
    again, within = settings["sites"]["again_days"], settings["sites"]["outcome_days"]
    data_end = pd.Timestamp(settings["extract_date"]) - pd.DateOffset(months=settings["runout_months"])
    in_order = ibis.window(group_by="person_id", order_by="episode")
    before = episodes.discharge_date.lag().over(in_order)
    following = episodes.admission_date.lead().over(in_order)
    found = episodes.select(
        "person_id",
        "episode",
        "discharge_date",
        facility_id=episodes.last_facility_id,
        gap_days=episodes.admission_date.delta(before, unit="day"),
        last_date=days_from(episodes.discharge_date, within - 1),
        next_date=following,
        quarter_date=episodes.discharge_date.truncate("Q").cast("date"),
    )
    # Only whole quarters: the last one's first weeks would be compared with whole ones of other years.
    begins_by = (data_end - pd.Timedelta(days=within - 1) + pd.Timedelta(days=1) - pd.DateOffset(months=3)).date()
    found = found.filter((found.gap_days <= again) & (found.quarter_date <= ibis.date(str(begins_by))))
    found = _covered(found, spans, within)
    of_site = _sum_costs(found, claims).left_join(_met(found, contacts, again), ["person_id", "episode"])
    of_site = found.left_join(of_site.drop("person_id_right", "episode_right"), ["person_id", "episode"])
    nothing = ibis.literal(0).cast("decimal(14, 2)")
    return of_site.group_by("facility_id", "quarter_date").agg(
        discharges=of_site.count(),
        persons=of_site.person_id.nunique(),
        met_discharges=of_site.met.fill_null(0).sum(),
        sud_cost_usd=of_site.cost_usd.fill_null(nothing).sum(),
        real_sud_cost_usd=of_site.real_cost_usd.fill_null(nothing).sum(),
    )


def _covered(found: ibis.Table, spans: ibis.Table, days: int) -> ibis.Table:
    """Keep the discharges covered on each of so many days."""
    joined = found.inner_join(spans.select("person_id", "start_date", "end_date"), "person_id")
    first = ibis.greatest(joined.discharge_date, joined.start_date)
    inside = ibis.least(joined.last_date, joined.end_date).delta(first, unit="day") + 1
    joined = joined.mutate(inside=ibis.greatest(inside, 0))
    covered = joined.group_by("person_id", "episode").agg(covered_days=joined.inside.sum())
    return found.semi_join(covered.filter(covered.covered_days >= days), ["person_id", "episode"])


def _sum_costs(found: ibis.Table, claims: ibis.Table) -> ibis.Table:
    """Sum the SUD lines that begin on the days followed; a discharge without one still has its row."""
    lines = claims.filter(claims.category.isin(SUD_CATEGORIES))
    lines = lines.select("person_id", "service_start_date", "cost_usd", "real_cost_usd")
    joined = found.left_join(
        lines,
        [
            found.person_id == lines.person_id,
            lines.service_start_date >= found.discharge_date,
            lines.service_start_date <= found.last_date,
        ],
    )
    return joined.group_by("person_id", "episode").agg(
        cost_usd=joined.cost_usd.sum(), real_cost_usd=joined.real_cost_usd.sum()
    )


def _met(found: ibis.Table, contacts: ibis.Table, again: int) -> ibis.Table:
    """Mark the discharges after which RSN first met the person."""
    met = contacts.filter(contacts.is_contact & (contacts.program == "RSN")).select("person_id", "contact_date")
    in_order = ibis.window(group_by="person_id", order_by="contact_date")
    since = met.contact_date.delta(met.contact_date.lag().over(in_order), unit="day")
    met = met.mutate(is_first=since.isnull() | (since > again)).filter(lambda t: t.is_first)
    joined = found.inner_join(met, "person_id")
    inside = joined.contact_date.between(joined.discharge_date, joined.last_date)
    own = joined.next_date.isnull() | (joined.contact_date <= joined.next_date)
    met = joined.filter(inside & own).select("person_id", "episode").distinct()
    return met.mutate(met=ibis.literal(1, "int64"))
