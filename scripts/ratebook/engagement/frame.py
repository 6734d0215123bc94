"""The persons studied here: cohort members with a navigator, and how their first spell went."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS

DAY = np.timedelta64(1, "D")
SHORTEST_DAYS = 0.5


def engaged_persons(
    cohort: pd.DataFrame, spells: pd.DataFrame, end_reasons: dict[str, str], spell_gap_days: int = 0
) -> pd.DataFrame:
    """Give one row per cohort member with an arm and a spell: the first spell with the arm's own program.

    Whether an end counts is the config's choice: an `event` is what is studied, a `competing` end closes the
    spell too but for another cause, a `censor` end was not seen.

    An end shows only after a silence of `spell_gap_days`, so in the last days of observation none can be seen.
    A spell whose last contact is later than that leaves the risk set on the last day on which an end could have
    shown: left in it up to its last contact it would add days in which nobody can fail, and lengthen engagement by
    several percent. That goes for a spell closed by a competing end as well. A death in the last days of the data
    shows at once, but those who would have stood beside it at risk are gone: counted, it would come out too
    frequent by a few percent. A death is taken to end nobody's observation but its own: the dead would have been
    seen to the last day of the data.

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
    persons = cohort[cohort.arm.isin(ARMS)].merge(first.reindex(columns=columns), on=["person_id", "arm"])
    role = persons.end_reason.map(end_reasons)
    readmitted = persons.end_reason == "readmitted"
    observed_to = persons.follow_end_date.where(~readmitted, persons.readmission_date)
    is_followed = persons.follow_end_reason.map(end_reasons) == "censor"
    could_be_seen_to = persons.follow_end_date.where(is_followed, cohort.follow_end_date.max())
    closes = could_be_seen_to.where(role != "censor", observed_to)
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


def daily_engagement(
    persons: pd.DataFrame, spells: pd.DataFrame, start: pd.Series, horizon_days: int, spell_gap_days: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say of each person and day since `start` whether it was observed, whether a spell ran, and who died.

    A spell runs from its first to its last contact; a person with two spells on a day is engaged once. The last
    `spell_gap_days` of observation do not count as observed: whether a silence will be broken shows only after
    them. Up to a death everything is known.

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
    last = ((persons.follow_end_date.to_numpy() - start.to_numpy()) / DAY).astype(int) - np.where(
        dies, 0, spell_gap_days
    )
    days = np.arange(horizon_days)
    observed = days <= last[:, None]
    died = (days == last[:, None]) & dies[:, None]
    return observed, observed & (np.cumsum(steps, axis=1)[:, :-1] > 0), died
