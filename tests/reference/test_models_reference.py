"""Models of engagement beside R's survival (`survival.R` makes `survival_r.csv`) and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_lung

from ratebook.engagement.aft import FAMILIES, fit_aft
from ratebook.engagement.competing import expand_subdistribution
from ratebook.engagement.cox import fit_cox, test_proportionality
from ratebook.engagement.frailty import fit_frailty
from ratebook.engagement.piecewise import fit_complementary_log_log, person_months
from ratebook.engagement.survival import (
    greenwood,
    log_log_interval,
    log_rank,
    median_interval,
    median_of,
    risk_table,
    survival_of,
    value_at,
)
from survival_data import made, made_spells, ovarian, reference, times

AML = {
    "x=Maintained": "9 13 13+ 18 23 28+ 31 34 45+ 48 161+",
    "x=Nonmaintained": "5 5 8 8 12 16+ 23 27 30 33 43 45",
}


@pytest.fixture(scope="module")
def r():
    return reference()


@pytest.fixture(scope="module")
def drawn():
    return made()


@pytest.fixture(scope="module")
def lung():
    return load_lung().assign(event=lambda t: t.status == 1)


def assert_cox(fitted, expected, terms, rel=1e-6):
    """Coefficients, both errors and both likelihoods; R sums clusters without the factor G / (G - 1)."""
    groups = fitted.clusters
    of = {"coef": fitted.beta, "naive": np.sqrt(np.diag(fitted.naive))}
    if any(item.startswith("robust") for item in expected):
        of["robust"] = np.sqrt(np.diag(fitted.robust) * (groups - 1) / groups)
    for kind, found in of.items():
        assert found == pytest.approx([expected[f"{kind} {term}"] for term in terms], rel=rel), kind
    assert fitted.log_likelihood == pytest.approx(expected["loglik"], abs=1e-6)
    assert fitted.null_log_likelihood == pytest.approx(expected["null"], abs=1e-6)


def test_the_made_data_are_those_of_r(drawn, r):
    assert {name: drawn[name].sum() for name in r["made"]} == r["made"]


# Curves


@pytest.mark.parametrize("arm", AML)
def test_our_interval_is_rs_log_log_and_not_its_default(arm, r):
    """C1: R's default is the log scale, whose upper limit may pass 1 and is cut there."""
    table = risk_table(*times(AML[arm])).total()
    kept, error = survival_of(table), np.sqrt(greenwood(table))
    limits = zip(("lower", "upper"), log_log_interval(kept, error))
    for side, limit in limits:
        found = value_at(table.time, limit, [13, 23, 31])
        names = [f"{side} {day}" for day in (13, 23, 31)]
        assert found == pytest.approx([r[f"aml log-log {arm}"][name] for name in names])
        assert not np.allclose(found, [r[f"aml log {arm}"][name] for name in names], atol=0.01)


@pytest.mark.parametrize("sex", [1, 2])
def test_the_median_and_its_limits_by_inverting_pointwise_limits(lung, sex, r):
    """GT-6: 270 (210 to 306) and 426 (345 to 524) on the log-log scale."""
    part = lung[lung.sex == (0 if sex == 2 else 1)] if set(lung.sex) == {0, 1} else lung[lung.sex == sex]
    table = risk_table(part.time, part.event).total()
    kept = survival_of(table)
    found = (median_of(table.time, kept), *median_interval(table.time, kept, greenwood(table)))
    assert found == tuple(r["lung median log-log"][f"{name} {sex}"] for name in ("median", "lower", "upper"))


def test_late_entry_and_weights(drawn, r):
    for what, options in {"late entry": {"entry": drawn.late}, "weighted": {"weight": drawn.weight}}.items():
        table = risk_table(drawn.time, drawn.ended, **options).total()
        found = value_at(table.time, survival_of(table), [20, 60, 120])
        assert found == pytest.approx([r[what][str(day)] for day in (20, 60, 120)]), what


def test_log_rank_within_strata(drawn, lung, r):
    assert log_rank(lung.time, lung.event, lung.sex).chi2 == pytest.approx(r["survdiff lung"]["chisq"])
    found = log_rank(drawn.time, drawn.ended, drawn.arm, strata=drawn.region)
    assert found.chi2 == pytest.approx(r["survdiff made"]["chisq"])


# Cox


@pytest.mark.parametrize(("ties", "beta"), [("breslow", np.log(1.5 + np.sqrt(33) / 2)), ("efron", 1.676857)])
def test_tied_ends_by_hand(ties, beta, r):
    """C4: the first example of the validation chapter; by Breslow ln(1.5 + √33 / 2) exactly."""
    x = pd.DataFrame({"x": [0.0, 1, 1, 1, 0, 0]})
    fitted = fit_cox([9, 1, 1, 6, 6, 8], [1, 1, 0, 1, 1, 0], x, np.arange(6), ties=ties)
    assert fitted.beta[0] == pytest.approx(beta, abs=1e-6)
    assert_cox(fitted, r[f"cox test1 {ties}"], ["x"])


def test_the_leukaemia_trial(r):
    """GT-5: beta .915532, se .511934, LRT 3.38445."""
    parts = [times(text) for text in AML.values()]
    x = pd.DataFrame({"xNonmaintained": np.repeat([0.0, 1.0], [len(part[0]) for part in parts])})
    fitted = fit_cox(*(np.concatenate(of) for of in zip(*parts)), x, np.arange(len(x)))
    assert_cox(fitted, r["cox aml"], list(x))
    assert 2 * (fitted.log_likelihood - fitted.null_log_likelihood) == pytest.approx(3.38445, abs=1e-5)
    assert np.exp(fitted.beta[0]) == pytest.approx(2.4981, abs=5e-5)


def test_lung_by_age_and_sex(lung, r):
    """GT-6."""
    fitted = fit_cox(lung.time, lung.event, lung[["age", "sex"]].astype(float), np.arange(len(lung)))
    assert_cox(fitted, r["cox lung"], ["age", "sex"])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_late_entry_weights_strata_and_clusters_together(drawn, ties, r):
    fitted = fit_cox(
        drawn.time,
        drawn.ended,
        drawn[["arm", "x"]],
        drawn.provider,
        entry=drawn.late,
        weight=drawn.weight,
        strata=drawn.region,
        ties=ties,
    )
    assert_cox(fitted, r[f"cox process {ties}"], ["arm", "x"])


def test_errors_clustered_by_provider(drawn, r):
    assert_cox(fit_cox(drawn.time, drawn.ended, drawn[["arm", "x"]], drawn.provider), r["cox cluster"], ["arm", "x"])


def test_proportional_hazards_of_the_ovarian_trial(r):
    """GT-8: the exact score test; lifelines' approximation gives .849 and 2.555 instead."""
    women = ovarian()
    x = women[["age", "ecog.ps"]]
    beta = fit_cox(women.futime, women.fustat, x, np.arange(26)).beta
    found = test_proportionality(women.futime, women.fustat, x, beta)
    assert found.terms == list(r["zph ovarian"])
    assert found.chi2 == pytest.approx([0.698, 2.371, 3.633], abs=5e-4)
    assert found.chi2 == pytest.approx(list(r["zph ovarian"].values()), rel=1e-5)
    assert list(found.degrees) == [1, 1, 2]


# Competing causes


@pytest.mark.parametrize("cause", [1, 2])
def test_the_hazard_of_one_cause(drawn, cause, r):
    fitted = fit_cox(drawn.time, drawn.cause == cause, drawn[["arm", "x"]], drawn.provider)
    assert_cox(fitted, r[f"cause {cause}"], ["arm", "x"])


@pytest.mark.parametrize("cause", [1, 2])
def test_fine_and_gray(drawn, cause, r):
    wide = expand_subdistribution(drawn.time, drawn.cause, cause)
    rows = drawn.iloc[wide.row]
    fitted = fit_cox(wide.stop, wide.event, rows[["arm", "x"]], rows.provider, entry=wide.start, weight=wide.weight)
    assert_cox(fitted, r[f"fine gray {cause}"], ["arm", "x"])


def test_the_weights_of_the_fine_and_gray_example(r):
    """GT-10: person 2 keeps 1, 11/12, .733333, .305556; person 7 goes on with 5/12 and person 11 with 1/2."""
    days = [1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12]
    wide = expand_subdistribution(days, [1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0], 1)
    of = {person: wide.weight[wide.row == person - 1].tolist() for person in range(1, 15)}
    assert of[2] == pytest.approx([1, 11 / 12, 11 / 15, 11 / 36])
    assert of[7] == pytest.approx([1, 5 / 12]) and of[11] == pytest.approx([1, 1 / 2])
    assert all(weights == [1] for person, weights in of.items() if person not in (2, 7, 11))


# Accelerated failure time


@pytest.mark.parametrize("family", ["weibull", "lognormal", "loglogistic"])
def test_accelerated_failure_time(lung, drawn, family, r):
    fitted = fit_aft(lung.time, lung.event, lung[["age", "sex"]], np.arange(len(lung)), family)
    expected = r[f"survreg {family}"]
    beta = [expected[f"coef {name}"] for name in ("(Intercept)", "age", "sex")]
    assert fitted.theta[:3] == pytest.approx(beta, rel=1e-4)
    assert fitted.sigma == pytest.approx(expected["scale"], rel=1e-5)
    assert fitted.log_likelihood == pytest.approx(expected["loglik"], abs=1e-5)
    assert np.sqrt(fitted.naive[2, 2]) == pytest.approx(expected["se sex"], rel=1e-4)
    fitted = fit_aft(drawn.time, drawn.ended, drawn[["arm"]], drawn.provider, family)
    expected = r[f"survreg made {family}"]
    assert fitted.theta[1] == pytest.approx(expected["coef arm"], rel=1e-4)
    assert np.sqrt(fitted.robust[1, 1] * 19 / 20) == pytest.approx(expected["robust arm"], rel=1e-4)


def test_the_generalised_gamma_holds_the_weibull_and_the_log_normal(lung):
    z = np.linspace(-4, 2, 13)
    for name, q, tolerance in (("weibull", 1.0, 1e-12), ("lognormal", 1e-3, 2e-2)):
        for found, expected in zip(FAMILIES["generalised_gamma"], FAMILIES[name]):
            assert found(z, q) == pytest.approx(expected(z), abs=tolerance)
    x = lung[["age", "sex"]]
    of = {name: fit_aft(lung.time, lung.event, x, np.arange(len(lung)), name) for name in FAMILIES}
    assert of["generalised_gamma"].log_likelihood >= max(of[n].log_likelihood for n in ("weibull", "lognormal")) - 1e-6


def test_the_generalised_gamma_without_covariates_is_that_of_lifelines(lung):
    from lifelines import GeneralizedGammaFitter

    days = lung.time.to_numpy(float)
    other = GeneralizedGammaFitter().fit(days, lung.event)
    nothing = pd.DataFrame(index=lung.index)
    fitted = fit_aft(days, lung.event, nothing, np.arange(len(days)), "generalised_gamma")
    assert fitted.log_likelihood == pytest.approx(other.log_likelihood_, abs=1e-3)
    assert fitted.survival([100, 300, 600], np.zeros((3, 0))) == pytest.approx(
        other.survival_function_at_times([100, 300, 600]).to_numpy(), abs=1e-3
    )


# Months, spells, frailty


def test_monthly_hazards_are_those_of_statsmodels(drawn):
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM

    person, month, ends, seen = person_months(drawn.time, drawn.ended)
    design = np.column_stack([drawn.arm.to_numpy()[person], month[:, None] == np.unique(month)]).astype(float)
    cluster = drawn.provider.to_numpy()[person]
    beta, naive, robust = fit_complementary_log_log(ends, design, seen, cluster)
    link = families.Binomial(link=families.links.CLogLog())
    model = GLM(ends.astype(float), design, family=link, offset=np.log(seen))
    other = model.fit(tol=1e-12)
    assert beta == pytest.approx(other.params, rel=1e-6)
    assert np.sqrt(naive[0, 0]) == pytest.approx(other.bse[0], rel=1e-5)
    scores = other.model.score_obs(other.params)
    sums = np.vstack([scores[cluster == provider].sum(0) for provider in range(20)])
    inverse = np.linalg.inv(-other.model.hessian(other.params, observed=False))
    assert robust == pytest.approx(inverse @ (sums.T @ sums) @ inverse * 20 / 19, rel=1e-4)


def test_monthly_hazards_tell_the_hazard_ratio_of_the_days(drawn):
    """C6: the complementary log-log with months comes within 5% of the Cox model."""
    person, month, ends, seen = person_months(drawn.time, drawn.ended)
    design = np.column_stack([drawn.arm.to_numpy()[person], month[:, None] == np.unique(month)]).astype(float)
    beta, *_ = fit_complementary_log_log(ends, design, seen, person)
    cox = fit_cox(drawn.time, drawn.ended, drawn[["arm"]], drawn.index)
    assert beta[0] == pytest.approx(cox.beta[0], rel=0.05)


def test_spells_that_come_again(r):
    rows = made_spells()
    x = rows[["arm", "x"]]
    fitted = fit_cox(rows.stop, rows.event, x, rows.provider, entry=rows.start)
    assert_cox(fitted, r["andersen gill"], ["arm", "x"])
    fitted = fit_cox(rows.stop - rows.start, rows.event, x, rows.provider, strata=rows.spell)
    assert_cox(fitted, r["gap time"], ["arm", "x"])


def test_shared_frailty_agrees_with_a_free_baseline(drawn, r):
    """R leaves the baseline free; ours is constant by piece, so the two agree closely and not to the digit."""
    fitted = fit_frailty(
        drawn.time, drawn.ended, drawn[["arm", "x"]].to_numpy(), drawn.provider, [15, 30, 60, 90, 150]
    )
    assert fitted.beta[0] == pytest.approx(r["frailty"]["coef arm"], abs=0.02)
    assert fitted.beta[1] == pytest.approx(r["frailty"]["coef x"], abs=0.07)
    assert np.sqrt(fitted.covariance[0, 0]) == pytest.approx(r["frailty"]["se arm"], rel=0.02)
    assert fitted.variance == pytest.approx(r["frailty"]["theta"], rel=0.05)
    assert fitted.lower < r["frailty"]["theta"] < fitted.upper
