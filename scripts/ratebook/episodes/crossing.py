"""Who was reached by both programs, when, and by whom: what blurs the line between the arms."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.contracts.spells import Contamination, Crossover
from ratebook.episodes.clustered import NOBODY, clustered_ratio
from ratebook.tables import frame_of

PROGRAMS = {(True, False): "RSN only", (False, True): "CSP only", (True, True): "both", (False, False): "neither"}
"""Reached by RSN, reached by CSP: the column of the crossover matrix."""
NO_TIME_BEFORE = "no CSP member of an RSN site was discharged before the first RSN contact: nothing to compare with"
ALL_COUNTED = "every one is counted: nothing was sampled, so no interval"


def build_navigators(contacts: ibis.Table) -> ibis.Table:
    """Count the valid contacts of every organisation and every known worker in each program.

    Returns
    -------
    Navigators
    """
    valid = contacts.filter(contacts.is_contact)
    units = []
    for unit, column in (("provider", valid.provider_id), ("worker", valid.worker_id)):
        known = valid.mutate(unit=ibis.literal(unit), unit_id=column).filter(column.notnull())
        is_rsn = known.program == "RSN"
        units.append(
            known.group_by("unit", "unit_id").agg(
                rsn_contacts=is_rsn.cast("int64").sum(),
                csp_contacts=(~is_rsn).cast("int64").sum(),
                first_rsn_date=known.contact_date.min(where=is_rsn),
            )
        )
    return ibis.union(*units)


def build_crossing(contacts: ibis.Table, cohort: ibis.Table) -> ibis.Table:
    """Find for every cohort member the first contact with each program in follow-up, and whether one mixed them.

    Follow-up runs from the day after discharge to the last day observed. An organisation or a worker is mixed that
    has valid contacts in both programs, with whomever and whenever.

    Returns
    -------
    Crossing
        A row for every member, those nobody reached included.

    References
    ----------
    methods.md, B8.
    """
    units = build_navigators(contacts)
    mixed = units.filter((units.rsn_contacts > 0) & (units.csp_contacts > 0))
    providers = mixed.filter(mixed.unit == "provider").select(mixed_provider="unit_id")
    workers = mixed.filter(mixed.unit == "worker").select(mixed_worker="unit_id")
    valid = contacts.filter(contacts.is_contact)
    valid = valid.left_join(providers, valid.provider_id == providers.mixed_provider)
    valid = valid.left_join(workers, valid.worker_id == workers.mixed_worker)
    members = cohort.select("discharge_date", "follow_end_date", client=cohort.person_id)
    seen = valid.join(
        members,
        [
            valid.person_id == members.client,
            valid.contact_date > members.discharge_date,
            valid.contact_date <= members.follow_end_date,
        ],
    )
    days = seen.contact_date.delta(seen.discharge_date, unit="day")
    found = seen.group_by("client").agg(
        rsn_days=days.min(where=seen.program == "RSN"),
        csp_days=days.min(where=seen.program == "CSP"),
        is_provider_mixed=seen.mixed_provider.notnull().any(),
        is_worker_mixed=seen.mixed_worker.notnull().any(),
    )
    all_members = cohort.left_join(found, cohort.person_id == found.client)
    return all_members.select(
        "person_id",
        "arm",
        "rsn_days",
        "csp_days",
        cross_days=all_members.arm.cases(
            ("RSN", all_members.csp_days), ("CSP", all_members.rsn_days), else_=ibis.null("int64")
        ),
        is_prior_program="is_prior_program",
        is_provider_mixed=all_members.is_provider_mixed.fill_null(False),
        is_worker_mixed=all_members.is_worker_mixed.fill_null(False),
    )


def estimate_crossover(cohort: pd.DataFrame, crossing: pd.DataFrame) -> pd.DataFrame:
    """Lay the first program against the programs that ever reached the member in follow-up.

    Returns
    -------
    Crossover
        Every cell, empty ones too. Members without a program in time stand alone as their own providers.

    References
    ----------
    methods.md, B8; H20.
    """
    members = crossing.merge(cohort[["person_id", "provider_id"]], on="person_id")
    reached = [PROGRAMS[key] for key in zip(members.rsn_days.notna(), members.csp_days.notna())]
    members = members.assign(programs=reached)
    rows = []
    for first in (*ARMS, "none"):
        mine = members[members.arm == first]
        for programs in PROGRAMS.values():
            here = mine.programs == programs
            found = clustered_ratio(here, pd.Series(1, index=mine.index), mine.provider_id, is_share=True)
            days = mine.cross_days[here].dropna()
            rows.append(
                {
                    "first_program": first,
                    "programs": programs,
                    "persons": int(here.sum()),
                    "share": found.pop("estimate"),
                    "median_cross_days": float(days.median()) if len(days) else None,
                    **found,
                }
            )
    return frame_of(rows, Crossover)


def estimate_contamination(
    cohort: pd.DataFrame, crossing: pd.DataFrame, navigators: pd.DataFrame, spells: pd.DataFrame
) -> pd.DataFrame:
    """Count every way in which one program may have reached the other's clients.

    Spillover would show in CSP clients of the sites that refer to RSN: if those sites learned from RSN, their CSP
    clients stay differently after its start than before. Where RSN ran from the first discharge on there is no
    time before, and the row says so.

    Parameters
    ----------
    cohort : Cohort
    crossing : Crossing
    navigators : Navigators
    spells : Spells

    Returns
    -------
    Contamination

    References
    ----------
    methods.md, B8; H20.
    """
    columns = ["person_id", "provider_id", "site_arm", "discharge_date"]
    members = crossing.merge(cohort[columns], on="person_id")
    rows = []
    for arm in ARMS:
        mine = members[members.arm == arm]
        at_known_site = mine[mine.site_arm.notna()]
        for measure, looked_at, is_true in (
            ("both_programs", mine, mine.cross_days.notna()),
            ("other_site", at_known_site, at_known_site.site_arm != arm),
            ("prior_program", mine, mine.is_prior_program.astype(bool)),
            ("mixed_provider", mine, mine.is_provider_mixed.astype(bool)),
            ("mixed_worker", mine, mine.is_worker_mixed.astype(bool)),
        ):
            one = pd.Series(1, index=looked_at.index)
            found = clustered_ratio(is_true, one, looked_at.provider_id, is_share=True)
            rows.append(_row(measure, arm, "persons", len(looked_at), int(is_true.sum()), found))
    for unit in ("provider", "worker"):
        mine = navigators[navigators.unit == unit]
        both = int(((mine.rsn_contacts > 0) & (mine.csp_contacts > 0)).sum())
        share = both / len(mine) if len(mine) else None
        found = {"estimate": share, "lower": None, "upper": None, "reason": ALL_COUNTED if len(mine) else NOBODY}
        rows.append(_row(f"mixed_{unit}s", "all", f"{unit}s", len(mine), both, found))
    return frame_of(rows + _spillover(members, navigators, spells), Contamination)


def _spillover(members: pd.DataFrame, navigators: pd.DataFrame, spells: pd.DataFrame) -> list[dict]:
    first = spells[(spells.spell == 1) & (spells.program == "CSP")]
    at_rsn_sites = members[(members.arm == "CSP") & (members.site_arm == "RSN")]
    mine = at_rsn_sites.merge(first[["person_id", "length_days"]], on="person_id")
    is_after = mine.discharge_date >= navigators.first_rsn_date.min()
    rows = []
    for period, part in (("before", mine[~is_after]), ("after", mine[is_after])):
        found = clustered_ratio(part.length_days, pd.Series(1, index=part.index), part.provider_id)
        if part.empty and period == "before":
            found["reason"] = NO_TIME_BEFORE
        rows.append(_row("csp_days", "CSP", "persons", len(part), len(part), found, period))
    before, after = rows
    fewer = min(before["looked_at"], after["looked_at"])
    return [*rows, _row("csp_days", "CSP", "persons", fewer, fewer, _change(before, after), "change")]


def _change(before: dict, after: dict) -> dict:
    """Take the mean before from that after; the limits treat them as independent, which is wide where providers last."""
    if before["estimate"] is None or after["estimate"] is None:
        reason = before["reason"] if before["estimate"] is None else after["reason"]
        return {"estimate": None, "lower": None, "upper": None, "reason": reason}
    half = [(row["upper"] - row["lower"]) / 2 if row["lower"] is not None else None for row in (before, after)]
    change = after["estimate"] - before["estimate"]
    if None in half:
        return {"estimate": change, "lower": None, "upper": None, "reason": before["reason"] or after["reason"]}
    reach = (half[0] ** 2 + half[1] ** 2) ** 0.5
    return {"estimate": change, "lower": change - reach, "upper": change + reach, "reason": None}


def _row(measure, arm, unit, looked_at, counted, found, period="all") -> dict:
    what = {"measure": measure, "period": period, "arm": arm, "unit": unit}
    return {**what, "looked_at": looked_at, "counted": counted, **found}
