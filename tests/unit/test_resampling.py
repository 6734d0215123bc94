"""Providers drawn again: how often each is there, who is drawn where there are none, and the error that follows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import estimate, one_provider, row, study
from ratebook.engagement.resampling import resample


@pytest.fixture(scope="module")
def base():
    return study(120, providers=4)


def test_clients_of_one_provider_being_alike_widens_the_interval():
    table = estimate(*study(persons=800, frailty=0.8), boot_reps=200).engagement
    headline = row(table, "rmst_difference")
    assert headline.error_unit == "provider"
    assert headline.std_error > 1.5 * headline.naive_std_error


def test_one_provider_an_arm_resamples_persons_and_says_so():
    headline = row(estimate(*one_provider(study())).engagement, "rmst_difference")
    assert headline.error_unit == "person"
    assert headline.std_error == pytest.approx(headline.naive_std_error, rel=0.4)


def test_resampling_counts_each_provider_once_on_average():
    arm = pd.Series(np.repeat(["RSN", "CSP"], 30))
    cluster = pd.Series(np.repeat(range(12), 5)).astype(str)
    draws = resample(arm, cluster, 4000, 1)
    assert draws.sizes == {"RSN": 6, "CSP": 6}
    assert draws.counts.mean(0) == pytest.approx(np.ones(12), abs=0.06)
    assert draws.counts.sum(1) == pytest.approx(12)


def test_unequal_providers_are_resampled_to_the_error_of_their_arms_mean():
    """Of persons all alike, variance 1, the arm's mean has variance 1 / persons, however unequal their providers."""
    rng = np.random.default_rng(5)
    for size in ([30] * 8, [200, 90, 60, 20, 10, 10, 5, 5]):
        size = np.array(size)
        cluster = pd.Series(np.repeat(np.arange(len(size)), size).astype(str))
        draws = resample(pd.Series(["RSN"] * size.sum()), cluster, 4000, 1)
        assert (draws.counts >= 0).all()
        mean = rng.standard_normal((3000, len(size))) / np.sqrt(size)
        share = size / size.sum()
        apart = share * (mean - (mean @ share)[:, None])
        # Linear in the counts, as every estimate is to first order.
        variance = ((draws.counts - 1) @ apart.T).var(0).mean()
        assert variance == pytest.approx(1 / size.sum(), rel=0.05)


def test_one_member_without_a_navigator_does_not_make_providers_into_persons(base):
    cohort = base[0]
    arm = pd.concat([cohort.arm, pd.Series(["none"])], ignore_index=True)
    provider = pd.concat([cohort.provider_id, pd.Series([None])], ignore_index=True)
    draws = resample(arm, provider, 30, 1)
    assert draws.error_unit == "provider"
    assert (draws.counts[:, draws.unit[-1]] == 1).all(), "alone, it is in every replicate"


def test_persons_without_a_provider_are_not_called_providers(base):
    arm = base[0].arm
    draws = resample(arm, pd.Series([None] * len(arm)), 30, 1)
    assert draws.error_unit == "person"
    some = base[0].provider_id.where(arm == "RSN")
    assert resample(arm, some, 30, 1).error_unit == "person", "one arm has none"
