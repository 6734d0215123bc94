"""The recovery study in small: few programs, limits widened by their noise, and estimators broken on purpose that fail.

`make recovery` is the study itself. Programs come from tests/recovery/world.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement import frame
from ratebook.engagement.frame import engaged_persons
from ratebook.tables import read_table, write_table
from recovery import estimators, study, truth, world
from recovery.world import GAP_DAYS, World, live, tables, watch

NOISE = 3.0
LATE = pd.Timestamp("2030-01-01")
CENSORED = World(persons=6000, providers=(100, 100), frailty=0.1, disenrolment_rate=1 / 120)
"""Half leave coverage within three months, and there are persons enough to see a bias in eight programs."""
PROGRAMS = {"proportional": 24, "observed": 8}


@pytest.fixture(scope="module", autouse=True)
def small():
    """Fewer lives behind a truth, and fewer replicates: their noise stays far below that of so few programs."""
    lives, replicates = truth.PERSONS, estimators.REPLICATES
    truth.PERSONS, estimators.REPLICATES = truth.BATCH, 200
    yield
    truth.PERSONS, estimators.REPLICATES = lives, replicates
    truth.truth_of.cache_clear()


def judged(part: str, change=lambda cohort, spells: (cohort, spells), of: World | None = None) -> pd.DataFrame:
    """Run some programs of a part, each changed before it is estimated, and hold them against the truth."""
    plan, programs = study.PARTS[part], PROGRAMS[part] if of != CENSORED else 8
    plan = plan if of is None else replace(plan, world=of)
    found = []
    for seed in range(programs):
        changed = change(*tables(plan.world, seed))
        found += [ask(*changed, seed).assign(part=part, seed=seed) for ask in plan.asked]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(study.PARTS, part, plan)
        return study.judge(pd.concat(found, ignore_index=True), NOISE)


def broken(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.verdict.str.startswith("broken")]


def test_curves_means_and_incidences_recover_what_was_planted():
    table = judged("proportional")
    assert len(table[table.verdict == "kept"]) >= 35
    assert not len(broken(table)), study.printed(broken(table))


def test_weights_and_clones_recover_what_the_estimate_as_treated_does_not():
    table = judged("observed")
    assert not len(broken(table)), study.printed(broken(table))
    naive = table[(table.method == "naive") & (table.estimand == "engaged_days_difference") & (table.tau_days == 365)]
    assert naive.bias_share.item() > 0.3 and naive.verdict.item() == "kept"


def ends_at_once(cohort, spells):
    unseen = spells.end_reason.isin(["disenrolled", "end_of_data"])
    return cohort, spells.assign(end_reason=spells.end_reason.where(~unseen, "disengaged"))


def biased(table: pd.DataFrame) -> set[str]:
    return set(table[table.verdict.str.contains("bias")].estimand)


def test_heavy_censoring_is_no_excuse():
    assert not biased(judged("proportional", of=CENSORED))


def test_censoring_at_the_last_contact_would_not_pass(monkeypatch):
    monkeypatch.setattr(estimators, "GAP_DAYS", 0)
    assert {"rmst", "survival"} <= biased(judged("proportional", of=CENSORED))


def test_deaths_among_those_no_longer_followed_would_not_pass(monkeypatch):
    """Left at risk to the end of the data, the dead show where the living beside them have left coverage."""
    monkeypatch.setattr(frame, "followed_to", lambda persons, is_seen: persons.follow_end_date.where(is_seen, LATE))
    assert "incidence of death" in biased(judged("proportional", of=CENSORED))


def test_a_silence_taken_for_an_end_at_once_would_not_pass(monkeypatch):
    monkeypatch.setattr(estimators, "GAP_DAYS", 0)
    assert {"rmst", "rmst_difference"} <= biased(judged("proportional", ends_at_once, of=CENSORED))


def test_an_end_nobody_could_have_seen_is_not_believed():
    """The silence rule is the estimator's own: a spell called ended within the gap of the data's end is censored."""
    assert not biased(judged("proportional", ends_at_once, of=CENSORED))


def test_errors_of_persons_taken_one_by_one_would_not_pass():
    def alone(cohort, spells):
        return cohort.assign(provider_id=cohort.person_id), spells

    table = judged("proportional", alone, of=World(frailty=0.9))
    assert table.verdict.str.contains("coverage").any()


def test_tables_drawn_keep_their_contracts_and_a_provider_without_clients_does_no_harm(tmp_path):
    drawn = []
    for table, contract in zip(tables(World(persons=60, providers=(40, 40)), 3), (Cohort, Spells)):
        write_table(table, tmp_path / "table.parquet", contract)
        drawn.append(read_table(tmp_path / "table.parquet", contract))
    cohort, spells = drawn
    persons = engaged_persons(cohort, spells, estimators.END_REASONS, GAP_DAYS)
    assert len(persons) == cohort.arm.isin(["RSN", "CSP"]).sum()


def test_the_same_seed_draws_the_same_program():
    one, other = (tables(World(persons=200), 5) for _ in range(2))
    for mine, theirs in zip(one, other):
        pd.testing.assert_frame_equal(mine, theirs)


def test_who_is_forced_into_an_arm_waits_as_those_do_who_start_in_time():
    """The forced wait is the natural one of those who start within the period, whatever else befalls them."""
    rng = np.random.default_rng(1)
    plan = World(mean_wait_days=(20.0, 5.0))
    forced = live(plan, rng, 200_000, rsn=True, wait_within=14)
    natural = live(plan, rng, 400_000, rsn=True)
    in_time = natural.wait[natural.wait <= 14]
    assert forced.wait.mean() == pytest.approx(in_time.mean(), rel=0.01)
    assert forced.wait.max() == 14 and forced.wait.min() == 1


def test_a_life_without_frailty_or_loss_is_geometric():
    """One check of the truth that needs no simulation: constant hazard r, so P(stay > t) = exp(-r t)."""
    plan = World(frailty=0.0, readmission_rate=1e-9, death_rate=1e-9)
    first, _, _ = watch(live(plan, np.random.default_rng(2), 300_000, rsn=True))
    days = first.days[first.exists]
    rate = plan.early_rate[0]
    exact = (1 - np.exp(-rate * 180)) / (1 - np.exp(-rate))
    assert np.minimum(days, 180).mean() == pytest.approx(exact, rel=0.005)
    assert world.TURN_DAYS < 180
