"""Rows of the table of models: a coefficient with its interval, a test, or the reason why there is neither."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ratebook.contracts.engagement import CONTRAST
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.cox import Cox, fit_cox
from ratebook.engagement.design import design_matrix
from ratebook.engagement.resampling import cluster_codes

NAN = float("nan")
A_TEST = "a test has no estimate"
TOO_FEW = "fewer than two providers in an arm: no clustered error"


class Study(NamedTuple):
    """The engaged persons and what every model of them needs; `arm` and `matrix` are design matrices."""

    persons: pd.DataFrame
    days: np.ndarray
    event: np.ndarray
    treated: np.ndarray
    cluster: np.ndarray
    arm: pd.DataFrame
    matrix: pd.DataFrame

    @property
    def designs(self) -> dict[str, pd.DataFrame]:
        """The arm alone, and the arm beside the covariates; by what the model's name ends in."""
        return {"": self.arm, "_adjusted": self.matrix}

    @property
    def degrees(self) -> float:
        """Degrees of freedom of an effect of the arm, as `arm_degrees` counts them."""
        return arm_degrees(self.cluster, self.treated)


def study_of(persons: pd.DataFrame, covariates: list[str]) -> Study:
    """Lay out the persons of `engaged_persons` for the models; the event is the config's `event`."""
    treated = (persons.arm == ARMS[0]).to_numpy()
    arm = pd.DataFrame({CONTRAST: treated.astype(float)})
    matrix = pd.concat([arm, design_matrix(persons, covariates)], axis=1)
    event = (persons.role == "event").to_numpy()
    return Study(persons, persons.days.to_numpy(), event, treated, cluster_codes(persons.provider_id), arm, matrix)


def model_row(model: str, term: str, persons: pd.DataFrame, **values) -> dict:
    """Give a row with everything that is not known left out, `values` over it."""
    row = {
        "model": model,
        "term": term,
        "scale": "test",
        "persons": len(persons),
        "events": int((persons.role == "event").sum()),
        "clusters": int(persons.provider_id.nunique()),
        "reason": A_TEST,
    }
    return {**row, **values}


def arm_degrees(cluster: np.ndarray, treated: np.ndarray) -> float:
    """Count how many equally large providers would tell as much, less one for each arm; at least 1.

    0 where an arm has fewer than two: its spread cannot be seen. As `Resampling.quantile` counts them.
    """
    sizes = [np.unique(cluster[chosen], return_counts=True)[1] for chosen in (treated, ~treated)]
    if min(len(size) for size in sizes) < 2:
        return 0.0
    return max(sum(size.sum() ** 2 / (size**2).sum() for size in sizes) - len(ARMS), 1.0)


def coefficient(estimate: float, error: float, degrees: float, naive: float = NAN, scale: str = "log") -> dict:
    """Give an effect's cells: interval and p by Student's t; without degrees of freedom only estimate and reason."""
    known = np.isfinite(error) and error > 0 and degrees > 0
    error, naive = (error if known else NAN), (naive if np.isfinite(naive) else NAN)
    reach = float(student.ppf(0.975, max(degrees, 1))) * error
    statistic = estimate / error
    found = {
        "scale": scale,
        "estimate": estimate,
        "std_error": error,
        "lower": estimate - reach,
        "upper": estimate + reach,
        "naive_std_error": naive,
        "statistic": statistic,
        "degrees": 1 if known else None,
        "p_value": 2 * student.sf(abs(statistic), max(degrees, 1)),
        "reason": None if known else TOO_FEW,
    }
    if scale == "log":
        ratios = {"ratio": "estimate", "ratio_lower": "lower", "ratio_upper": "upper"}
        found |= {name: np.exp(found[of]) for name, of in ratios.items()}
    return found


def cox_coefficient(fitted: Cox, degrees: float, place: int = 0) -> dict:
    """Give the cells of a Cox model's coefficient, by default of the first.

    For the providers' own part in what they are compared with the model allows as for G equal ones, G / (G - 1). Here
    it is as for those that would tell as much, in each arm: with six unequal ones an arm a true null was rejected in
    nearly 10% of programs.
    """
    robust, naive = np.sqrt(fitted.robust[place, place]), np.sqrt(fitted.naive[place, place])
    equal = fitted.clusters / max(fitted.clusters - 1, 1)
    unequal = (degrees + len(ARMS)) / max(degrees, 1.0)
    return coefficient(fitted.beta[place], robust * np.sqrt(unequal / equal), degrees, naive)


def arm_row(model: str, term: str, persons: pd.DataFrame, days, event, design, cluster, **process) -> dict:
    """Fit a Cox model and give the row of the arm, the first column of the design.

    Parameters
    ----------
    persons : DataFrame
        Whom the row counts; the other arrays may have several rows a person.
    process : arrays
        entry, weight, strata of `fit_cox`.
    """
    event = np.asarray(event, bool)
    treated = design.iloc[:, 0].to_numpy() > 0
    counted = {"events": int(event.sum())}
    if not event.any():
        return model_row(model, term, persons, **counted, reason="no event")
    if not (event[treated].any() and event[~treated].any()):
        return model_row(model, term, persons, **counted, reason="no event in an arm: the ratio has no limit")
    fitted = fit_cox(days, event, design, cluster, **process)
    if isinstance(fitted, str):
        return model_row(model, term, persons, **counted, reason=fitted)
    return model_row(model, term, persons, **{**counted, **cox_coefficient(fitted, arm_degrees(cluster, treated))})
