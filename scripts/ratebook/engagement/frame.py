"""The persons studied here: cohort members with a navigator, and how their first spell went."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.survival import risk_table, survival_of, value_at

DAY = np.timedelta64(1, "D")
SHORTEST_DAYS = 0.5
GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, without their whole part, fill the way from 0 to 1 evenly however many there are."""


def engaged_persons(
    cohort: pd.DataFrame, spells: pd.DataFrame, end_reasons: dict[str, str], spell_gap_days: int = 0
) -> pd.DataFrame:
    """Give one row per cohort member with an arm and a spell: the first spell with the arm's own program.

    Whether an end counts is the config's choice: an `event` is what is studied, a `competing` end closes the
    spell too but for another cause, a `censor` end was not seen.

    An end shows only after a silence of `spell_gap_days`, so in the last days of observation none can be seen.
    A spell whose last contact is later than that leaves the risk set on the last day on which an end could have
    shown: left in it up to its last contact it would add days in which nobody can fail, and lengthen engagement by
    several percent. That goes for a spell closed by a competing end as well. A death shows at once, but those who
    would have stood beside it at risk are gone: counted in the last days of observation, deaths would come out too
    frequent by as many as leave coverage within the gap. The day on which the dead would have left is drawn
    (`followed_to`).

    Parameters
    ----------
    cohort : Cohort
    spells : Spells
    end_reasons : dict
        End reason to event, competing or censor.
    spell_gap_days : int
        The silence that ends a spell; 0 censors at the last contact.

    Returns
    -------
    DataFrame
        The cohort's columns and `days`, `end_reason`, `role`, `contacts`, `provider_id`; `admin_days` and
        `floor_days` (null where not known) with `admin_end_reason` and `floor_end_reason`; ordered by person.

    References
    ----------
    methods.md, B7 and C.
    """
    first = spells[spells.spell == 1].rename(columns={"program": "arm", "provider_id": "spell_provider_id"})
    columns = ["person_id", "arm", "spell_provider_id", "first_date", "length_days", "end_reason", "contacts"]
    columns += ["source", "admin_length_days", "admin_end_reason", "floor_length_days", "floor_end_reason"]
    cohort = cohort.assign(followed_to=followed_to(cohort, cohort.follow_end_reason.map(end_reasons) == "censor"))
    persons = cohort[cohort.arm.isin(ARMS)].merge(first.reindex(columns=columns), on=["person_id", "arm"])
    role = persons.end_reason.map(end_reasons)
    readmitted = persons.end_reason == "readmitted"
    observed_to = persons.follow_end_date.where(~readmitted, persons.readmission_date)
    is_followed = persons.follow_end_reason.map(end_reasons) == "censor"
    closes = persons.followed_to.where(role != "censor", observed_to)
    visible_days = (closes - persons.first_date) / DAY - spell_gap_days
    is_hidden = persons.length_days > visible_days if spell_gap_days else role == "censor"
    seen_days = np.minimum(persons.length_days, visible_days) if spell_gap_days else persons.length_days
    unseen_for = persons.end_reason.where(
        role == "censor", persons.follow_end_reason.where(is_followed, "end_of_data")
    )
    return persons.assign(
        provider_id=persons.provider_id.where(persons.provider_id.notna(), persons.spell_provider_id),
        days=seen_days.clip(lower=SHORTEST_DAYS).astype(float),
        admin_days=persons.admin_length_days.astype(float).clip(lower=SHORTEST_DAYS),
        floor_days=persons.floor_length_days.astype(float).clip(lower=SHORTEST_DAYS),
        end_reason=persons.end_reason.where(~is_hidden, unseen_for),
        role=role.where(~is_hidden, "censor"),
    ).sort_values("person_id", kind="stable", ignore_index=True)


def followed_to(persons: pd.DataFrame, is_seen: pd.Series) -> pd.Series:
    """Say to which day each person's coverage would have been followed, had nothing but leaving it ended it.

    Known (`is_seen`) of those who left or were there on the last day of the data. Of the dead it is drawn from the
    days on which those of their arm left who were still covered when they died: the Kaplan-Meier of leaving since
    discharge, or the last day of the data if that comes first. The draws are spread evenly over the dead of an arm
    in the order of their keys, which says nothing of time: of a hundred dead of whom 7% would have left within the
    gap seven are said to, early ones and late ones.

    Returns
    -------
    Series
        Dates, as the rows of `persons`.

    References
    ----------
    methods.md, B7 and C7; Ruan & Gray 2008, imputing the potential censoring of those who ended otherwise.
    """
    order = persons.person_id.argsort(kind="stable").to_numpy()
    followed = (persons.follow_end_date - persons.discharge_date).to_numpy() / DAY
    last_day = (persons.follow_end_date.max() - persons.discharge_date).to_numpy() / DAY
    is_seen, arm, to_day = is_seen.to_numpy(bool), persons.arm.to_numpy(), followed.copy()
    for name in np.unique(arm):
        mine = order[arm[order] == name]
        dead = mine[~is_seen[mine]]
        leaving = risk_table(followed[mine], is_seen[mine] & (followed < last_day)[mine]).total()
        stays = survival_of(leaving)
        level = (GOLDEN * np.arange(1, len(dead) + 1) % 1) * value_at(leaving.time, stays, followed[dead])
        drawn = np.append(leaving.time, np.inf)[np.searchsorted(-stays, -level)]
        to_day[dead] = np.minimum(drawn, last_day[dead])
    return persons.discharge_date + pd.to_timedelta(to_day, unit="D")


def daily_engagement(
    persons: pd.DataFrame, spells: pd.DataFrame, start: pd.Series, horizon_days: int, spell_gap_days: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say of each person and day since `start` whether it was observed, whether a spell ran, and who died.

    A spell runs from its first to its last contact; a person with two spells on a day is engaged once. The last
    `spell_gap_days` of observation do not count as observed: whether a silence will be broken shows only after
    them. That goes for the dead as for the others, as if they had left on a day drawn for them (`followed_to`): their
    last days are known, but not those of whoever left as they died.

    Parameters
    ----------
    persons : DataFrame (n,)
        With `person_id`, `follow_end_date` and `follow_end_reason`.
    spells : Spells
        Any order; spells of other persons are ignored.
    start : Series (n,)
        Each person's day 0.

    Returns
    -------
    tuple of arrays (n, horizon_days)
        observed, engaged, died; bool.
    """
    count = len(persons)
    place = pd.Series(np.arange(count), index=persons.person_id.to_numpy())
    mine = spells[spells.person_id.isin(place.index)]
    row = place.reindex(mine.person_id).to_numpy(int)
    zero = start.to_numpy()[row]
    begins = np.clip((mine.first_date.to_numpy() - zero) / DAY, 0, horizon_days).astype(int)
    ends = np.clip((mine.last_date.to_numpy() - zero) / DAY + 1, 0, horizon_days).astype(int)
    steps = np.zeros((count, horizon_days + 1), np.int16)
    np.add.at(steps, (row, begins), 1)
    np.add.at(steps, (row, np.maximum(ends, begins)), -1)
    dies = (persons.follow_end_reason == "death").to_numpy()
    covered_to = followed_to(persons, persons.follow_end_reason != "death").to_numpy()
    shows_to, follow_end = (
        ((dates - start.to_numpy()) / DAY).astype(int) for dates in (covered_to, persons.follow_end_date.to_numpy())
    )
    last = np.minimum(shows_to - spell_gap_days, follow_end)
    days = np.arange(horizon_days)
    observed = days <= last[:, None]
    died = (days == follow_end[:, None]) & dies[:, None] & observed
    return observed, observed & (np.cumsum(steps, axis=1)[:, :-1] > 0), died
