"""Gray's test: the log-rank where nothing competes, Gray's own terms where something does, right as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from ratebook.engagement.competing import gray_test
from ratebook.engagement.survival import log_rank

# GT-10's fourteen persons, in two arms.
DAYS = np.array([1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12])
CAUSE = np.array([1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0])
TREATED = np.arange(14) % 2 == 0


def drawn(rng, n=120, shift=0.0):
    """Draw persons of two arms: cause 1 comes faster in the first by `shift`, cause 2 and censoring alike."""
    treated = rng.permutation(np.arange(n) % 2 == 0)
    one, two, lost = rng.exponential(100 * np.exp(-shift * treated)), rng.exponential(150, n), rng.exponential(200, n)
    days = np.ceil(np.minimum(np.minimum(one, two), lost))
    return days, np.where(lost <= np.minimum(one, two), 0, np.where(one <= two, 1, 2)), treated


def by_definition(days, cause, treated):
    """Gray's score, person by person and day by day: ends of the first arm less those expected of its R."""
    score = 0.0
    state = {arm: {"survival": 1.0, "ended": 0.0} for arm in (True, False)}
    for day in np.unique(days[cause > 0]):
        kept, ends = {}, {}
        for arm, now in state.items():
            here = (treated == arm) & (days >= day)
            kept[arm] = here.sum() * (1 - now["ended"]) / now["survival"] if here.any() else 0.0
            ends[arm] = (here & (days == day) & (cause == 1)).sum()
        total = sum(kept.values())
        score += ends[True] - (kept[True] / total * sum(ends.values()) if total else 0.0)
        for arm, now in state.items():
            here = (treated == arm) & (days >= day)
            if here.any():
                now["ended"] += now["survival"] * ends[arm] / here.sum()
                now["survival"] *= 1 - (here & (days == day) & (cause > 0)).sum() / here.sum()
    return score


def test_the_score_is_grays_by_its_definition():
    days, cause, treated = drawn(np.random.default_rng(3), shift=0.5)
    for rows in ((DAYS, CAUSE, TREATED), (days, cause, treated)):
        assert gray_test(*rows, np.arange(len(rows[0]))).score == pytest.approx(by_definition(*rows), abs=1e-9)


def test_without_competing_ends_it_is_the_log_rank_test():
    days, cause, treated = drawn(np.random.default_rng(5), n=600, shift=0.3)
    alone = np.where(cause == 1, 1, 0)
    found, usual = gray_test(days, alone, treated, np.arange(600)), log_rank(days, alone == 1, treated)
    assert found.score == pytest.approx(usual.observed[1] - usual.expected[1], abs=1e-9)
    assert found.chi2 == pytest.approx(usual.chi2, rel=0.05)


def test_it_agrees_with_a_permutation_of_the_arms():
    days, cause, treated = drawn(np.random.default_rng(11), n=200, shift=0.25)
    found, rng, every = gray_test(days, cause, treated, np.arange(200)), np.random.default_rng(1), np.arange(200)
    scores = [gray_test(days, cause, rng.permutation(treated), every).score for _ in range(400)]
    assert found.p_value == pytest.approx(np.mean(np.abs(scores) >= abs(found.score)), abs=0.05)


def test_a_true_null_is_rejected_in_about_five_percent():
    rng = np.random.default_rng(2)
    p = [gray_test(*drawn(rng), np.arange(120)).p_value for _ in range(400)]
    assert 0.025 <= np.mean(np.array(p) < 0.05) <= 0.085


def test_relabelled_arms_turn_the_score_and_keep_the_test():
    days, cause, treated = drawn(np.random.default_rng(4), shift=0.4)
    one, other = (gray_test(days, cause, arm, np.arange(120) // 4) for arm in (treated, ~treated))
    assert (one.score, one.chi2) == (pytest.approx(-other.score), pytest.approx(other.chi2))


def test_persons_entered_twice_in_their_cluster_say_no_more():
    days, cause, treated = drawn(np.random.default_rng(6), shift=0.4)
    cluster = np.arange(120) // 4
    once, twice = (
        gray_test(days, cause, treated, cluster),
        gray_test(*(np.tile(v, 2) for v in (days, cause, treated, cluster))),
    )
    assert (twice.score, twice.chi2) == (pytest.approx(2 * once.score), pytest.approx(once.chi2))


def test_one_cluster_in_an_arm_gives_no_test():
    found = gray_test(DAYS, CAUSE, TREATED, np.where(TREATED, 0, np.arange(14)))
    assert np.isnan(found.chi2) and np.isnan(found.p_value)
