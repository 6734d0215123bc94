"""Lines of 24-hour care to stays in one facility, and stays of withdrawal management to episodes across facilities."""

from __future__ import annotations

import logging

import ibis
import pandas as pd

log = logging.getLogger("ratebook")
STAY = ["person_id", "facility_id", "level", "record_type", "is_crossover"]
"""What one stay has one of (CMS's rule for inpatient stays): a payer's second record of it is another stay."""
RECORD = [*STAY, "admission_date", "discharge_date"]
STILL_PATIENT = "30"
DIED = ["20", "40", "41", "42"]
AGAINST_ADVICE = "07"
ACUTE_OF = {"H0010": "H0011", "H0008": "H0009"}
"""The acute code beside each sub-acute one."""
STEP_DOWN_SHARE = 0.3
"""A code of whose stays more than this share follow an acute stay at once is a step down."""
AGAIN_WITHIN_DAYS = 30
"""Days after discharge in which the next episode is counted where gaps are compared."""
LONGEST_DAYS = 21
"""Lengths of episodes are counted up to here; the few longer ones stand together."""


def build_stays(claims: ibis.Table, stay_levels: list[str], require_sud_dx: bool) -> ibis.Table:
    """Join the lines of 24-hour care into stays: unbroken periods in one facility at one level of care.

    A line covers admission to discharge; a line with neither, as of care billed by the day, covers its days of
    service and is discharged on the morning after the last. In the order of admission, a line opens the next
    stay if it is admitted more than one day after the latest discharge so far, or on that day or the day after
    where the patient had been discharged: where the status of that discharge is known and not 30, still a
    patient. A line that lies within another never does. So interim bills, late lines and lines within others add to
    a stay, and make none; nor does a professional's line, which has no level of 24-hour care of its own.

    Parameters
    ----------
    claims : Claims
        Final-action lines, any order.
    stay_levels : list of str
        Levels of 24-hour care.
    require_sud_dx : bool
        Leave out lines without a substance use diagnosis.

    Returns
    -------
    Stays

    References
    ----------
    methods.md, B2 and B3.
    """
    lines = _select_lines(claims, stay_levels, require_sud_dx)
    records = _number_stays(_collapse_records(lines))
    lines = lines.join(records, RECORD)
    stays = lines.group_by([*STAY, "stay_of_facility"]).agg(
        admission_date=lines.admission_date.min(),
        discharge_date=lines.discharge_date.max(),
        discharge_status=lines.last_status.max(where=lines.is_last),
        dx_class=lines.first_class.max(where=lines.is_first),
        claims=lines.claim_id.nunique(),
        cost_usd=lines.cost_usd.sum(),
    )
    in_order = ibis.window(group_by="person_id", order_by=["admission_date", "discharge_date", *STAY[1:]])
    return stays.mutate(
        stay=ibis.row_number().over(in_order) + 1,
        los_days=days_of_care(stays),
    ).drop("stay_of_facility")


def build_episodes(
    stays: ibis.Table, detox_levels: list[str], episode_gap_days: int, unit: str = "episode"
) -> ibis.Table:
    """Join a person's stays of withdrawal management, in whatever facility, into episodes.

    A stay continues the episode if it begins at most `episode_gap_days` after the latest discharge so far: a
    transfer. A later one opens the next episode: a readmission. Where the unit is the stay, every stay opens one:
    then a transfer is one more admission, counts in `n12` and is followed by the next on the same day or the next.

    Parameters
    ----------
    stays : Stays
        Any order; stays of other levels are not withdrawal management and neither make nor bridge episodes.
    detox_levels : list of str
        Levels of withdrawal management, the highest first.
    episode_gap_days : int
        Longest time in days between discharge and admission within one episode.
    unit : str
        `episode`, or `stay` for one admission a stay.

    Returns
    -------
    Episodes
        How it ended (facility, status, against advice, died) is read from the stay discharged last.

    References
    ----------
    methods.md, B3 and B5 (`n12`, the index included).
    """
    stays = stays.filter(stays.level.isin(detox_levels))
    stays = _number_episodes(stays, episode_gap_days, unit)
    rank = {level: place for place, level in enumerate(detox_levels)}
    episodes = stays.group_by("person_id", "episode").agg(
        admission_date=stays.admission_date.min(),
        discharge_date=stays.discharge_date.max(),
        stays=stays.count(),
        facilities=stays.facility_id.nunique(),
        first_facility_id=stays.facility_id.max(where=stays.is_first),
        last_facility_id=stays.facility_id.max(where=stays.is_last),
        discharge_status=stays.discharge_status.max(where=stays.is_last),
        highest=stays.level.cases(*rank.items()).min(),
        is_ama=(stays.discharge_status == AGAINST_ADVICE).fill_null(False).any(where=stays.is_last),
        is_died=stays.discharge_status.isin(DIED).fill_null(False).any(where=stays.is_last),
        dx_class=stays.dx_class.max(where=stays.is_first),
    )
    day = episodes.admission_date.delta(ibis.date("1970-01-01"), unit="day")
    episodes = episodes.mutate(day=day)
    year_up_to = ibis.range_window(group_by="person_id", order_by="day", preceding=365, following=0)
    in_order = ibis.window(group_by="person_id", order_by=["day", "episode"])
    next_admission = episodes.admission_date.lead().over(in_order)
    days_to_next = next_admission.delta(episodes.discharge_date, unit="day")
    return episodes.mutate(
        los_days=days_of_care(episodes),
        is_transfer=episodes.facilities > 1,
        max_level=episodes.highest.cases(*[(place, level) for level, place in rank.items()]),
        n12=episodes.person_id.count().over(year_up_to),
        # Only where a stay is the unit can the next begin before this one ends.
        days_to_next=ibis.ifelse(days_to_next < 0, 0, days_to_next),
    ).drop("day", "highest")


def count_by_gap(
    stays: ibis.Table, detox_levels: list[str], episode_gap_days: int, gaps_days: list[int]
) -> ibis.Table:
    """Count episodes, transfers and readmissions under other gaps that join stays.

    A longer gap never makes more episodes; what it takes from readmissions it may give to transfers.

    Parameters
    ----------
    stays : Stays
    detox_levels : list of str
    episode_gap_days : int
        The gap in force, counted too where `gaps_days` lacks it.
    gaps_days : list of int

    Returns
    -------
    EpisodesByGap
        One row per gap, zeros where there is no stay.

    References
    ----------
    methods.md, B3 (sensitivity of the gap) and B4.
    """
    parts = []
    for gap in sorted({*gaps_days, episode_gap_days}):
        episodes = build_episodes(stays, detox_levels, gap)
        is_again = (episodes.days_to_next <= AGAIN_WITHIN_DAYS).fill_null(False)
        counts = episodes.aggregate(
            persons=episodes.person_id.nunique(),
            episodes=episodes.count(),
            transfers=episodes.is_transfer.sum().fill_null(0),
            readmissions=is_again.sum().fill_null(0),
        )
        parts.append(
            counts.mutate(episode_gap_days=ibis.literal(gap), is_chosen=ibis.literal(gap == episode_gap_days))
        )
    return ibis.union(*parts)


def count_detox_codes(claims: ibis.Table, stay_levels: list[str], require_sud_dx: bool) -> ibis.Table:
    """Ask of every sub-acute code whether its stays follow an acute one at once: then it is a step down, not detox.

    Stays are built code by code, in one facility. A stay follows at once if it is admitted on the day of an acute
    discharge or on the day after, in whatever facility.

    Parameters
    ----------
    claims : Claims
    stay_levels : list of str
        Levels of 24-hour care.
    require_sud_dx : bool
        As for `build_stays`.

    Returns
    -------
    DetoxCodes
        A row per sub-acute code and level it is read as; none where the code does not occur.

    References
    ----------
    methods.md, B1: over `STEP_DOWN_SHARE`, H0010 looks like a step down.
    """
    codes = [*ACUTE_OF, *ACUTE_OF.values()]
    lines = claims.filter(claims.hcpcs_code.isin(codes))
    lines = lines.mutate(level=lines.hcpcs_code + ":" + lines.level)
    stays = build_stays(lines, [f"{code}:{level}" for code in codes for level in stay_levels], require_sud_dx)
    stays = stays.mutate(code=stays.level.split(":")[0], level=stays.level.split(":")[1])
    later = stays.filter(stays.code.isin([*ACUTE_OF])).mutate(acute_code=lambda t: t.code.cases(*ACUTE_OF.items()))
    acute = stays.select(of_person="person_id", of_code="code", until_date="discharge_date")
    days = later.admission_date.delta(acute.until_date, unit="day")
    at_once = later.semi_join(
        acute, [later.person_id == acute.of_person, later.acute_code == acute.of_code, days.between(0, 1)]
    )
    at_once = at_once.select("person_id", "stay", after_acute=ibis.literal(1))
    asked = later.left_join(at_once, ["person_id", "stay"]).drop("person_id_right", "stay_right")
    counts = asked.group_by("code", "level").agg(
        persons=asked.person_id.nunique(),
        stays=asked.count(),
        stays_after_acute=asked.after_acute.sum().fill_null(0),
    )
    share = counts.stays_after_acute / counts.stays
    return counts.mutate(share=share, is_step_down=share > STEP_DOWN_SHARE)


def warn_of_step_downs(codes: pd.DataFrame, detox_levels: list[str]) -> list[str]:
    """Log, and list, the codes of `DetoxCodes` that look like a step down and are read as withdrawal management."""
    misread = sorted(codes.code[codes.is_step_down & codes.level.isin(detox_levels)].unique())
    for code in misread:
        log.warning("%s looks like step-down, not detox: correct its level in workflow/codes/services.csv", code)
    return misread


def count_lengths(episodes: ibis.Table) -> ibis.Table:
    """Count episodes by days of care and transfer; those of `LONGEST_DAYS` or more stand together.

    Returns
    -------
    EpisodeLengths
    """
    lengths = episodes.mutate(los_days=ibis.least(episodes.los_days, LONGEST_DAYS))
    return lengths.group_by("los_days", "is_transfer").agg(
        episodes=lengths.count(),
        persons=lengths.person_id.nunique(),
    )


def days_of_care(stays: ibis.Table) -> ibis.Value:
    """Give discharge less admission in days, at least 1: the day of discharge is no day of care."""
    return ibis.greatest(stays.discharge_date.delta(stays.admission_date, unit="day"), 1)


def _select_lines(claims: ibis.Table, stay_levels: list[str], require_sud_dx: bool) -> ibis.Table:
    lines = claims.filter(claims.level.isin(stay_levels))
    lines = lines.filter(lines.is_sud_diagnosis) if require_sud_dx else lines
    morning_after = (lines.service_end_date + ibis.interval(days=1)).cast("date")
    admission = lines.admission_date.fill_null(lines.service_start_date)
    return lines.select(
        "person_id",
        "level",
        "record_type",
        "is_crossover",
        "claim_id",
        "dx_class",
        "cost_usd",
        "discharge_status",
        facility_id=ibis.coalesce(lines.facility_npi, lines.billing_npi, lines.rendering_npi, "unknown"),
        admission_date=admission,
        discharge_date=ibis.greatest(lines.discharge_date.fill_null(morning_after), admission),
    )


def _collapse_records(lines: ibis.Table) -> ibis.Table:
    """Give one row per distinct period; where lines of one discharge disagree, a discharged patient has left."""
    records = lines.group_by(RECORD).agg(
        left=lines.discharge_status.min(where=lines.discharge_status != STILL_PATIENT),
        stayed=lines.discharge_status.max(where=lines.discharge_status == STILL_PATIENT),
        first_class=lines.dx_class.min(),
    )
    same_discharge = ibis.window(group_by=[*STAY, "discharge_date"])
    left = records.left.min().over(same_discharge)
    records = records.mutate(
        last_status=ibis.coalesce(left, records.stayed.max().over(same_discharge)), has_left=left.notnull()
    )
    return records.drop("left", "stayed")


def _number_stays(records: ibis.Table) -> ibis.Table:
    # Of two records admitted on one day the longer comes first: the other lies within it.
    order = [ibis.asc("admission_date"), ibis.desc("discharge_date")]
    before = ibis.window(group_by=STAY, order_by=order, between=(None, -1))
    until = records.discharge_date.max().over(before)
    gap_days = records.admission_date.delta(until, unit="day")
    had_left = records.has_left.argmax(records.discharge_date).over(before)
    is_within = records.discharge_date <= until
    opens_stay = gap_days.isnull() | (gap_days > 1) | ((gap_days >= 0) & had_left & ~is_within)
    records = records.mutate(opens_stay=opens_stay.cast("int64"))
    stay = records.opens_stay.cumsum().over(ibis.window(group_by=STAY, order_by=order))
    return _mark_ends(
        records.mutate(stay_of_facility=stay).drop("opens_stay"), [*STAY, "stay_of_facility"], order, "admission_date"
    )


def _number_episodes(stays: ibis.Table, episode_gap_days: int, unit: str) -> ibis.Table:
    before = ibis.window(group_by="person_id", order_by="stay", between=(None, -1))
    gap_days = stays.admission_date.delta(stays.discharge_date.max().over(before), unit="day")
    opens_episode = gap_days.isnull() | (gap_days > episode_gap_days) | (unit == "stay")
    stays = stays.mutate(opens_episode=opens_episode.cast("int64"))
    episode = stays.opens_episode.cumsum().over(ibis.window(group_by="person_id", order_by="stay"))
    return _mark_ends(stays.mutate(episode=episode), ["person_id", "episode"], ["stay"], "stay")


def _mark_ends(rows: ibis.Table, group: list[str], order: list, latest: str) -> ibis.Table:
    """Mark the first row of a group in its order, and the one that ends last: of two, the one with the latest `latest`."""
    last = [ibis.desc("discharge_date"), ibis.desc(latest)]
    return rows.mutate(
        is_first=ibis.row_number().over(ibis.window(group_by=group, order_by=order)) == 0,
        is_last=ibis.row_number().over(ibis.window(group_by=group, order_by=last)) == 0,
    )
