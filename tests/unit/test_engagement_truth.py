"""What was drawn is found again: restricted means with their intervals, and the hazard ratio."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import CAUSES, END_REASONS, MODEL_SETTINGS, row, study
from ratebook.engagement.curves import curves_by_arm, rmst_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.models import fit_models
from ratebook.engagement.resampling import resample

HEADLINE = ("contact", "kaplan_meier")


def test_the_adjusted_hazard_ratio_recovers_what_was_drawn():
    """Exponential engagement of 180 and 60 days: a hazard ratio of 1/3, constant in time."""
    models = fit_models(*study(persons=3000, seed=11), **MODEL_SETTINGS)
    adjusted = models[(models.model == "cox_adjusted") & (models.term == "RSN vs CSP")].iloc[0]
    assert adjusted.ratio_lower < 1 / 3 < adjusted.ratio_upper
    pieces = models[models.model == "piecewise_exponential"]
    assert (pieces.lower <= np.log(1 / 3)).all() and (np.log(1 / 3) <= pieces.upper).all()
    assert models[(models.model == "ph_test_unadjusted") & (models.term == "GLOBAL")].p_value.iloc[0] > 0.01
    assert models[models.model == "permutation"].p_value.max() <= 0.02


def test_restricted_means_recover_the_truth_and_intervals_cover_it():
    """Exponential engagement in whole days, providers unlike each other, ends seen after 30 days of silence.

    The mean of min(T, 180) is a geometric sum; the frailty of a provider is normal with spread 0.2 and its
    effect on the mean is integrated numerically. Censoring at the last contact would be several days too long.
    """
    truth = {arm: _mean_days(mean, 0.2, 180) for arm, mean in (("RSN", 180), ("CSP", 60))}
    planted = truth["RSN"] - truth["CSP"]
    estimates, covered, naive, late = [], [], [], []
    for seed in range(100):
        cohort, spells = study(persons=400, providers=20, frailty=0.2, censor_days=400.0, seed=seed)
        persons = engaged_persons(cohort, spells, END_REASONS, 30)
        draws = resample(persons.arm, persons.provider_id, 60, seed)
        headline = row(_means(persons, persons.days, draws), "rmst_difference")
        estimates.append(headline.estimate)
        covered.append(headline.lower <= planted <= headline.upper)
        naive.append(abs(headline.estimate - planted) <= 1.96 * headline.naive_std_error)
        late.append(row(_means(persons, persons.length_days, draws), "rmst", "CSP").estimate)
    assert np.mean(estimates) == pytest.approx(planted, rel=0.03)
    assert 0.89 <= np.mean(covered) <= 0.99
    assert np.mean(naive) < np.mean(covered)
    assert np.mean(late) > 1.03 * truth["CSP"]


def _means(persons, days, draws):
    curves = curves_by_arm(persons, days, draws, CAUSES)
    return pd.DataFrame(rmst_rows(curves, draws, *HEADLINE, [180], 0.1))


def _mean_days(mean, frailty, tau):
    """Integrate the mean of min(T, tau) over the providers, T in whole days."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    scale = mean * np.exp(frailty * nodes)
    return np.average((1 - np.exp(-tau / scale)) / (1 - np.exp(-1 / scale)), weights=weights)
