"""Accelerated failure time: by what factor the arm stretches engagement, in four families of distributions.

The libraries at hand do not cluster the errors of these models, and the generalised gamma often fails in them.
One likelihood serves all four.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import gammainc, gammaincc, gammaln, log_ndtr

from ratebook.contracts.engagement import CONTRAST, AftCheck
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.model_rows import NAN, Study, coefficient, model_row
from ratebook.engagement.survival import risk_table, survival_of, value_at
from ratebook.tables import frame_of

STEP = 1e-4
SMALLEST = 1e-300
NEARLY_NORMAL = 1e-3
"""A generalised gamma whose |q| is below this is computed as if at it: the log-normal is its limit."""


class Family(NamedTuple):
    """Log density and log survival of the standardised log time z = (log T - xβ) / σ."""

    log_density: Callable
    log_survival: Callable


def _gamma_parts(z, q):
    q = np.copysign(max(abs(q), NEARLY_NORMAL), q)
    return q, q**-2.0, np.exp(np.minimum(q * z, 500))


def _gamma_density(z, q):
    q, k, grown = _gamma_parts(z, q)
    # Stirling's series where k is so large that its logarithms would cancel.
    stirling = 0.5 * np.log(k / (2 * np.pi)) - 1 / (12 * k)
    scale = stirling if k > 1e4 else k * np.log(k) - gammaln(k) - k
    return np.log(abs(q)) + scale + k * (q * z - (grown - 1))


def _gamma_survival(z, q):
    q, k, grown = _gamma_parts(z, q)
    left = gammaincc(k, k * grown) if q > 0 else gammainc(k, k * grown)
    return np.log(np.maximum(left, SMALLEST))


FAMILIES = {
    "weibull": Family(lambda z: z - np.exp(z), lambda z: -np.exp(z)),
    "lognormal": Family(lambda z: -0.5 * z**2 - 0.5 * np.log(2 * np.pi), lambda z: log_ndtr(-z)),
    "loglogistic": Family(lambda z: z - 2 * np.logaddexp(0, z), lambda z: -np.logaddexp(0, z)),
    "generalised_gamma": Family(_gamma_density, _gamma_survival),
}
"""By name; the generalised gamma (Prentice) has a shape q besides."""


class Aft(NamedTuple):
    """A fitted model: intercept and coefficients, log σ and, of the generalised gamma, q; with both covariances."""

    family: str
    theta: np.ndarray
    naive: np.ndarray
    robust: np.ndarray
    log_likelihood: float
    clusters: int
    columns: int

    @property
    def sigma(self) -> float:
        """Spread of the log time."""
        return float(np.exp(self.theta[self.columns]))

    @property
    def aic(self) -> float:
        """Akaike's criterion: the smaller, the better."""
        return 2 * len(self.theta) - 2 * self.log_likelihood

    def survival(self, days, x: np.ndarray) -> np.ndarray:
        """Share still engaged after `days`, for covariates x (n, p)."""
        beta, rest = self.theta[: self.columns], self.theta[self.columns :]
        z = (np.log(np.asarray(days, float)) - np.column_stack([np.ones(len(x)), x]) @ beta) / self.sigma
        return np.exp(FAMILIES[self.family].log_survival(z, *rest[1:]))


def fit_aft(days, event, covariates: pd.DataFrame, cluster, family: str) -> Aft | str:
    """Fit log T = xβ + σ ε by maximum likelihood, errors clustered by provider as in `fit_cox`.

    exp(β) is a time ratio: an arm's engagement lasts so many times as long. Of the Weibull exp(-β/σ) is the
    hazard ratio as well. The generalised gamma holds the Weibull (q = 1) and the log-normal (q → 0).

    Parameters
    ----------
    days : array (n,)
        All above 0.
    event, cluster : array (n,)
    covariates : DataFrame (n, p)
        Without a column of ones.
    family : str
        One of `FAMILIES`.

    Returns
    -------
    Aft or str
        The reason, where no model can be fitted.

    References
    ----------
    methods.md, C5; Prentice 1974.
    """
    days, event = np.asarray(days, float), np.asarray(event, bool)
    x = np.column_stack([np.ones(len(days)), covariates.to_numpy(float)])
    if not event.any():
        return "no event"
    if np.linalg.matrix_rank(x.T @ x, tol=1e-9 * len(x)) < x.shape[1]:
        return "the covariates do not vary, or repeat each other"
    data = (np.log(days), event, x, FAMILIES[family])
    best = min((_climb(start, data) for start in _starts(data, family)), key=lambda found: found.fun)
    with np.errstate(all="ignore"):
        curvature = _curvature(best.x, data)
    is_found = np.isfinite(best.fun) and np.isfinite(curvature).all()
    if not is_found or np.abs(best.jac).max() > 1e-3 * len(days) ** 0.5:
        return "the likelihood's maximum was not found"
    if np.linalg.eigvalsh(curvature).min() <= 1e-8:
        return "the likelihood has no single maximum"
    naive = np.linalg.inv(curvature)
    codes, names = pd.factorize(np.asarray(cluster))
    sums = np.zeros((len(names), len(best.x)))
    np.add.at(sums, codes, _scores(best.x, data))
    factor = len(names) / (len(names) - 1) if len(names) > 1 else np.nan
    robust = naive @ (sums.T @ sums) @ naive * factor
    value = float(-best.fun - np.log(days[event]).sum())
    return Aft(family, best.x, naive, robust, value, len(names), x.shape[1])


def _starts(data, family: str) -> list[np.ndarray]:
    """Begin at least squares; the generalised gamma at the Weibull's and the log-normal's maxima, which it holds."""
    log_days, _, x, _ = data
    beta = np.linalg.lstsq(x, log_days, rcond=None)[0]
    least = np.append(beta, np.log(max((log_days - x @ beta).std(), 0.1)))
    if family != "generalised_gamma":
        return [least]
    inside = {"weibull": 1.0, "lognormal": 0.1}
    return [np.append(_climb(least, (*data[:3], FAMILIES[name])).x, q) for name, q in inside.items()]


def _climb(start: np.ndarray, data):
    with np.errstate(all="ignore"):
        return minimize(
            lambda theta: -np.nan_to_num(_each(theta, data).sum(), nan=-1e12),
            start,
            jac=lambda theta: -np.nan_to_num(_scores(theta, data).sum(0)),
            method="BFGS",
            options={"gtol": 1e-5 * len(data[0]) ** 0.5},
        )


def _each(theta: np.ndarray, data, shift: float = 0.0) -> np.ndarray:
    """Log likelihood of every row; `shift` is added to every row's xβ."""
    log_days, event, x, family = data
    columns = x.shape[1]
    z = (log_days - x @ theta[:columns] - shift) / np.exp(theta[columns])
    shape = theta[columns + 1 :]
    found = np.empty(len(z))
    found[event] = family.log_density(z[event], *shape) - theta[columns]
    found[~event] = family.log_survival(z[~event], *shape)
    return found


def _scores(theta: np.ndarray, data) -> np.ndarray:
    """Slope of every row's log likelihood: central differences in xβ, log σ and q, and β by the chain rule."""
    x = data[2]
    by_line = (_each(theta, data, STEP) - _each(theta, data, -STEP)) / (2 * STEP)
    rest = []
    for place in range(x.shape[1], len(theta)):
        step = np.zeros(len(theta))
        step[place] = STEP
        rest.append((_each(theta + step, data) - _each(theta - step, data)) / (2 * STEP))
    return np.column_stack([x * by_line[:, None], *rest])


def _curvature(theta: np.ndarray, data) -> np.ndarray:
    steps = np.eye(len(theta)) * STEP
    slopes = [(_scores(theta - step, data).sum(0) - _scores(theta + step, data).sum(0)) / (2 * STEP) for step in steps]
    return (np.array(slopes) + np.array(slopes).T) / 2


def fit_families(study: Study) -> dict[str, Aft | str]:
    """Fit every family with the arm alone."""
    return {name: fit_aft(study.days, study.event, study.arm, study.cluster, name) for name in FAMILIES}


def aft_rows(study: Study) -> list[dict]:
    """Give each family's time ratio and fit; and the time ratio adjusted, in the family of the smallest criterion.

    References
    ----------
    methods.md, C5.
    """
    fitted = fit_families(study)
    rows = []
    for name, found in fitted.items():
        model = f"aft_{name}"
        rows.append(_effect_row(study, model, CONTRAST, found))
        if isinstance(found, str):
            continue
        rows.append(_number_row(study, model, "Akaike's criterion", found.aic, "a criterion has no interval"))
        gap = cox_snell_gap(found, study)
        rows.append(_number_row(study, model, "largest gap of Cox-Snell residuals", gap, "a distance has no interval"))
    if not isinstance(fitted["weibull"], str):
        rows.append(_hazard_row(study, fitted["weibull"]))
    whole = {name: found for name, found in fitted.items() if not isinstance(found, str)}
    if not whole:
        return rows
    chosen = min(whole, key=lambda name: whole[name].aic)
    adjusted = fit_aft(study.days, study.event, study.matrix, study.cluster, chosen)
    return [*rows, _effect_row(study, "aft_adjusted", f"{CONTRAST}, {chosen}", adjusted)]


def _effect_row(study: Study, model: str, term: str, found: Aft | str) -> dict:
    if isinstance(found, str):
        return model_row(model, term, study.persons, reason=found)
    robust, naive = np.sqrt(found.robust[1, 1]), np.sqrt(found.naive[1, 1])
    return model_row(model, term, study.persons, **coefficient(found.theta[1], robust, study.degrees, naive))


def _number_row(study: Study, model: str, term: str, value: float, reason: str) -> dict:
    return model_row(model, term, study.persons, scale="identity", estimate=value, reason=reason)


def _hazard_row(study: Study, found: Aft) -> dict:
    """Give the Weibull's hazard ratio exp(-β/σ), its error by the delta method."""
    slope = np.zeros(len(found.theta))
    effect = -found.theta[1] / found.sigma
    slope[1], slope[found.columns] = -1 / found.sigma, -effect
    robust, naive = (float(np.sqrt(slope @ covariance @ slope)) for covariance in (found.robust, found.naive))
    cells = coefficient(effect, robust, study.degrees, naive)
    return model_row("aft_weibull", "hazard ratio, exp(-b/sigma)", study.persons, **cells)


def cox_snell_gap(found: Aft, study: Study) -> float:
    """Largest gap, over ends, of the Kaplan-Meier of residuals -ln S(T) from exp(-residual), which a true model has.

    Both sides of each step count, as in Kolmogorov's distance.
    """
    residual = -np.log(np.maximum(found.survival(study.days, study.arm.to_numpy()), SMALLEST))
    table = risk_table(residual, study.event).total()
    kept = survival_of(table)
    meant = np.exp(-table.time)
    before = np.concatenate([[1.0], kept[:-1]])
    return float(np.maximum(np.abs(kept - meant), np.abs(before - meant)).max()) if len(kept) else NAN


def check_aft(study: Study, fitted: dict[str, Aft | str], last_day: int, step_days: int = 7) -> pd.DataFrame:
    """Lay each family's curve over the Kaplan-Meier of the event, arm by arm, every `step_days`.

    Returns
    -------
    AftCheck
        No row of a family that could not be fitted, nor after the last day anybody of the arm was observed.
    """
    rows = []
    for arm, chosen in zip(ARMS, (study.treated, ~study.treated)):
        if not chosen.any():
            continue
        table = risk_table(study.days[chosen], study.event[chosen]).total()
        day = np.arange(0, min(last_day, study.days[chosen].max()) + 1, step_days)
        known = {
            "arm": arm,
            "day": day,
            "at_risk": (study.days[chosen][:, None] >= day).sum(0),
            "survival": value_at(table.time, survival_of(table), day),
        }
        x = np.full((len(day), 1), float(arm == ARMS[0]))
        for name, found in fitted.items():
            if not isinstance(found, str):
                rows.append(pd.DataFrame({**known, "model": name, "model_survival": _from_one(found, day, x)}))
    return frame_of(pd.concat(rows, ignore_index=True) if rows else [], AftCheck)


def _from_one(found: Aft, day: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.where(day > 0, found.survival(np.maximum(day, 0.5), x), 1.0)
