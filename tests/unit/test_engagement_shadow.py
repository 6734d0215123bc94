"""Ends too late to be seen: the shadow that the gap casts before observation ends, and how far the dead were to be followed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import END_REASONS, study
from ratebook.engagement.frame import engaged_persons, followed_to


def last_days(silence):
    """One client of each arm whose last contact came `silence` days before observation ended."""
    cohort, spells = study(persons=2, providers=1, seed=2)
    observed = cohort.first_contact_date + pd.Timedelta(days=99)
    last = observed - pd.Timedelta(days=silence)
    spells = spells.assign(last_date=last, length_days=100 - silence, end_reason="end_of_data")
    return cohort.assign(follow_end_date=observed), spells


@pytest.mark.parametrize(
    ("silence", "days"),
    [
        pytest.param(0, 69, id="still in contact: a last contact after day 69 of 100 could not have shown as one"),
        pytest.param(29, 69, id="in the shadow of the gap"),
        pytest.param(30, 69, id="last contact as the shadow begins"),
    ],
)
def test_a_censored_spell_leaves_the_risk_set_before_ends_turn_invisible(silence, days):
    persons = engaged_persons(*last_days(silence), END_REASONS, 30)
    assert persons.days.tolist() == [days, days]
    assert engaged_persons(*last_days(silence), END_REASONS).days.tolist() == [100 - silence] * 2


def test_who_came_too_late_for_an_end_to_show_counts_for_nothing():
    cohort, spells = last_days(0)
    late = cohort.assign(follow_end_date=cohort.first_contact_date + pd.Timedelta(days=20))
    assert engaged_persons(late, spells.assign(length_days=21), END_REASONS, 30).days.tolist() == [0.5, 0.5]


def leavers(persons, dead):
    """So many persons of one arm: `dead` of them on day 100, of the others every fifth leaves on day 110."""
    place = np.arange(persons)
    day = np.where(place < dead, 100, np.where(place % 5 == 0, 110, 400))
    discharge = pd.Series(pd.Timestamp("2020-01-01"), index=place)
    ids = np.random.default_rng(1).permutation(persons).astype(str)
    frame = pd.DataFrame({"person_id": ids, "arm": "RSN", "discharge_date": discharge})
    return frame.assign(follow_end_date=discharge + pd.to_timedelta(day, unit="D")), pd.Series(place >= dead)


def test_of_the_dead_as_many_would_have_left_as_of_the_living():
    cohort, is_seen = leavers(1100, 100)
    day = (followed_to(cohort, is_seen) - cohort.discharge_date).dt.days
    assert day[is_seen].equals((cohort.follow_end_date - cohort.discharge_date).dt.days[is_seen])
    assert day[~is_seen].value_counts().to_dict() == {400: 80, 110: 20}
    shuffled = cohort.sample(frac=1.0, random_state=2)
    assert followed_to(shuffled, is_seen[shuffled.index]).sort_index().equals(followed_to(cohort, is_seen))


def test_where_nobody_living_was_followed_longer_the_dead_would_have_been_to_the_end():
    cohort, _ = leavers(10, 10)
    later = pd.concat([cohort, cohort[:1].assign(person_id="late", arm="CSP", follow_end_date="2021-02-04")])
    later = later.astype({"follow_end_date": cohort.follow_end_date.dtype}).reset_index(drop=True)
    found = followed_to(later, pd.Series([False] * 10 + [True]))
    assert (found == pd.Timestamp("2021-02-04")).all()


def test_a_death_in_the_shadow_of_the_gap_is_no_end_where_the_dead_would_have_left():
    """Two alike clients: one leaves coverage, one dies on a day after which whoever lived would have left."""
    cohort, spells = last_days(0)
    both = [table.assign(person_id=table.person_id + "x") for table in (cohort, spells)]
    died = cohort.assign(follow_end_reason="death", follow_end_date=cohort.follow_end_date - pd.Timedelta(days=1))
    cohort = pd.concat([died, both[0].assign(follow_end_reason="disenrolled")], ignore_index=True)
    far = cohort[:1].assign(person_id="far", arm="none", follow_end_date=pd.Timestamp("2030-01-01"))
    spells = pd.concat([spells.assign(length_days=99, end_reason="death"), both[1]], ignore_index=True)
    persons = engaged_persons(pd.concat([cohort, far], ignore_index=True), spells, END_REASONS, 30)
    assert persons.role.tolist() == ["censor"] * 4
    assert persons.days.tolist() == [69] * 4
