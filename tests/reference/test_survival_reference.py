"""Survival estimates beside published ones. Data: lifelines' lung, and rows of R's survival tests typed in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.datasets import load_lung

from ratebook.engagement.cox import fit_cox, test_proportionality
from ratebook.engagement.survival import (
    cumulative_incidence,
    log_rank,
    median_of,
    risk_table,
    rmst,
    rmst_variance,
    survival_of,
    value_at,
)

MAINTAINED = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"
NONMAINTAINED = "5 5 8 8 12 16+ 23 27 30 33 43 45"


def times(text):
    marks = text.split()
    return np.array([float(m.rstrip("+")) for m in marks]), np.array([not m.endswith("+") for m in marks])


def curve(days, event, **options):
    table = risk_table(days, event, **options).total()
    return table, survival_of(table)


@pytest.fixture(scope="module")
def aml():
    parts = [times(MAINTAINED), times(NONMAINTAINED)]
    group = np.repeat([0.0, 1.0], [len(part[0]) for part in parts])
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), group


@pytest.fixture(scope="module")
def lung():
    return load_lung().assign(event=lambda t: t.status == 1)


def test_kaplan_meier_of_the_leukaemia_trial():
    """GT-5, R survival `aml`: survfit(Surv(time, status) ~ x)."""
    table, kept = curve(*times(MAINTAINED))
    assert list(table.time) == [9, 13, 18, 23, 31, 34, 48]
    assert kept == pytest.approx([0.90909, 0.81818, 0.71591, 0.61364, 0.49091, 0.36818, 0.18409], abs=5e-6)
    assert median_of(table.time, kept) == 31
    table, kept = curve(*times(NONMAINTAINED))
    assert kept == pytest.approx([0.83333, 0.66667, 0.58333, 0.48611, 0.38889, 0.29167, 0.19444, 0.09722, 0], abs=5e-6)
    assert median_of(table.time, kept) == 23


def test_log_rank_of_the_leukaemia_trial(aml):
    """GT-5: survdiff prints 3.4 on 1 degree of freedom, p = 0.07."""
    days, event, group = aml
    found = log_rank(days, event, group)
    assert found.observed == pytest.approx([7, 11])
    assert found.expected == pytest.approx([10.69, 7.31], abs=0.005)
    assert found.chi2 == pytest.approx(3.396389, abs=1e-6)
    assert found.p_value == pytest.approx(0.065339, abs=1e-6)
    assert log_rank(days, event, group, "gehan").chi2 == pytest.approx(2.723312, abs=1e-6)


def test_cox_of_the_leukaemia_trial(aml):
    """GT-5: coxph with Efron's ties."""
    days, event, group = aml
    fitted = fit_cox(days, event, pd.DataFrame({"x": group}), np.arange(len(days)))
    assert fitted.beta[0] == pytest.approx(0.915532, abs=2e-6)
    assert fitted.naive[0, 0] ** 0.5 == pytest.approx(0.511934, abs=2e-6)
    assert fitted.log_likelihood == pytest.approx(-41.032616, abs=1e-6)


def test_tied_ends_by_hand():
    """C4, the first example of the validation chapter of R's survival: its row without x is left out."""
    days, event, x = [9, 1, 1, 6, 6, 8], [1, 1, 0, 1, 1, 0], [0.0, 1, 1, 1, 0, 0]
    fitted = fit_cox(days, event, pd.DataFrame({"x": x}), np.arange(6))
    assert fitted.beta[0] == pytest.approx(1.676856, abs=5e-6)


def test_lung_by_sex(lung):
    """GT-6, lifelines load_lung."""
    found = log_rank(lung.time, lung.event, lung.sex)
    assert (len(lung), lung.event.sum()) == (228, 165)
    assert found.chi2 == pytest.approx(10.326742, abs=1e-6)
    assert found.p_value == pytest.approx(0.0013112, abs=1e-7)
    assert median_of(*_medians(lung)) == 310
    assert [median_of(*_medians(part)) for _, part in lung.groupby("sex")] in ([270, 426], [426, 270])
    fitted = fit_cox(lung.time, lung.event, lung[["age", "sex"]].astype(float), np.arange(228))
    assert fitted.beta == pytest.approx([0.017045, -0.513217], abs=2e-6)
    assert np.sqrt(np.diag(fitted.naive)) == pytest.approx([0.009223, 0.167458], abs=1e-6)
    assert fitted.log_likelihood == pytest.approx(-742.8482, abs=5e-5)


def _medians(part):
    table, kept = curve(part.time, part.event)
    return table.time, kept


@pytest.mark.parametrize(
    ("chosen", "tau", "mean", "std_error"),
    [
        ("`ph.ecog` == 0", 730, 428.5833, 32.1571),
        ("`ph.ecog` == 1", 730, 366.2657, 22.4157),
        ("`ph.ecog` == 2", 730, 255.6205, 29.9562),
    ],
)
def test_restricted_mean_by_performance_status(lung, chosen, tau, mean, std_error):
    """GT-7: R survival prints 429 (32.2), 366 (22.4), 256 (30.0)."""
    part = lung.query(chosen)
    table, kept = curve(part.time, part.event)
    assert rmst(table.time, kept, tau) == pytest.approx(mean, abs=5e-5)
    assert rmst_variance(table, tau) ** 0.5 == pytest.approx(std_error, abs=5e-5)


def test_restricted_mean_by_sex(lung):
    """GT-7, at 365 days."""
    found = []
    for _, part in lung.groupby("sex"):
        table, kept = curve(part.time, part.event)
        found.append((rmst(table.time, kept, 365), rmst_variance(table, 365) ** 0.5))
    expected = [(241.4951, 10.3582), (297.4654, 10.7913)]
    assert np.array(sorted(found)) == pytest.approx(np.array(expected), abs=5e-5)


@pytest.mark.parametrize(
    ("text", "mean", "std_error"), [(MAINTAINED, 30.738636, 4.114086), (NONMAINTAINED, 22.708333, 4.180941)]
)
def test_restricted_mean_of_the_leukaemia_trial(text, mean, std_error):
    """GT-7 at 45: the squared error is 16.93, not the 170.488 that the spread of min(T, 45) gives."""
    table, kept = curve(*times(text))
    assert rmst(table.time, kept, 45) == pytest.approx(mean, abs=1e-6)
    assert rmst_variance(table, 45) ** 0.5 == pytest.approx(std_error, abs=1e-6)


def test_proportional_hazards_of_lung(lung):
    """GT-8: cox.zph since survival 3, the exact score test on the Kaplan-Meier time scale."""
    x = lung[["age", "sex"]].astype(float)
    beta = fit_cox(lung.time, lung.event, x, np.arange(228)).beta
    found = test_proportionality(lung.time, lung.event, x, beta)
    assert found.terms == ["age", "sex", "GLOBAL"]
    assert found.chi2 == pytest.approx([0.209, 2.608, 2.771], abs=5e-4)
    assert list(found.degrees) == [1, 1, 2]


def test_the_clustered_error_is_that_of_lifelines_times_its_missing_factor(lung):
    """Institutions as clusters: the same sandwich, with G / (G - 1)."""
    part = lung[lung.inst.notna()].drop_duplicates("time")
    x = part[["age", "sex"]].astype(float)
    fitted = fit_cox(part.time, part.event, x, part.inst)
    frame = x.assign(t=part.time, e=part.event, c=part.inst)
    other = CoxPHFitter().fit(frame, "t", "e", cluster_col="c")
    groups = part.inst.nunique()
    assert np.sqrt(np.diag(fitted.robust) * (groups - 1) / groups) == pytest.approx(
        other.standard_errors_.to_numpy(), rel=1e-4
    )


def test_competing_risks_of_the_fine_and_gray_example():
    """GT-10, R survival finegray: two causes, ties with censorings."""
    days = [1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12]
    cause = np.array([1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0])
    table = risk_table(days, cause, causes=2).total()
    kept, shares = survival_of(table), cumulative_incidence(table)
    first, second = (value_at(table.time, share, [1, 4, 5, 10], 0.0) for share in shares)
    assert first == pytest.approx([0.071429, 0.149351, 0.246753, 0.480519], abs=5e-7)
    assert value_at(table.time, shares[1], [2, 5, 8], 0.0) == pytest.approx([0.071429, 0.168831, 0.285714], abs=5e-7)
    assert kept[-1] == pytest.approx(0.233766, abs=5e-7)
    assert shares.sum(0) + kept == pytest.approx(np.ones(len(kept)))
    naive = survival_of(risk_table(days, cause == 1).total())
    assert 1 - naive[-1] == pytest.approx(0.630682, abs=5e-7)
    assert second[-1] <= 1
