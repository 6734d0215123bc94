"""Losing coverage is not like the end of the data: curves weighted by the chance of still being observed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.cox import fit_cox
from ratebook.engagement.curves import unknown_to
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.survival import RiskTable, risk_table, rmst, survival_of

END_OF_DATA = "end_of_data"
FEWEST = 10
"""Losses in an arm below which its losses are not modelled."""
TOO_FEW_LOST = "fewer than 10 lost in either arm: nothing to weigh"
NOT_MODELLED = "nothing known at discharge foretells the losses, or they cannot be modelled: nobody is weighed"
LARGEST = 20.0
"""A weight above this is set to it."""


def ipcw_rows(persons, draws, curves, covariates, end_reasons, horizons_days, min_observed_share) -> list[dict]:
    """Restricted means were the persons who lost coverage like those, alike at discharge, who kept it.

    In each arm the hazard of being lost (an end the config censors, other than the end of the data) is a Cox
    model of the covariates. Whoever is still observed at t weighs K₀(t-) / K(t- | covariates): the chance in
    the arm as a whole over the own one (stabilised), no more than 20. The weights stay as they are in the
    replicates, which leaves out their own uncertainty. In an arm that loses fewer than 10 nobody is weighed.

    Returns
    -------
    list of dict
        Rows of `Engagement`, method `ipcw`; null with a reason where neither arm's losses can be modelled.

    References
    ----------
    methods.md, C3, H33; Robins & Finkelstein 2000.
    """
    lost_to = [reason for reason, role in end_reasons.items() if role == "censor" and reason != END_OF_DATA]
    lost = persons.end_reason.isin(lost_to).to_numpy()
    matrix = design_matrix(persons, covariates)
    means, weighed, many = {}, False, False
    for arm in ARMS:
        mine = np.flatnonzero((persons.arm == arm).to_numpy())
        means[arm], is_weighed = _means(persons.iloc[mine], lost[mine], matrix.iloc[mine], draws, mine, horizons_days)
        weighed, many = weighed or is_weighed, many or lost[mine].sum() >= FEWEST
    nothing = None if weighed else NOT_MODELLED if many else TOO_FEW_LOST
    rows = []
    for place, tau in enumerate(horizons_days):
        found = {}
        for arm, curve in curves.items():
            reason = unknown_to(curve, tau, min_observed_share) or nothing
            mean = means[arm][:, place]
            found[arm] = Measured(NAN if reason else float(mean[0]), mean[1:], len(curve.days), reason=reason)
        rows += contrast_rows("rmst", tau, "contact", "ipcw", found, draws)
    return rows


def _means(persons, lost, matrix: pd.DataFrame, draws, mine, horizons_days) -> tuple[np.ndarray, bool]:
    """Give one arm's weighted restricted means (1 + reps, horizons), the whole sample's first; and whether any weighs."""
    unit, counts = draws.among(mine)
    days, ended = persons.days.to_numpy(), (persons.role != "censor").to_numpy()
    at = np.unique(days[ended & (days <= max(horizons_days))])
    weight = observed_weights(days, lost, matrix, at)
    member = csr_matrix((np.ones(len(unit)), (unit, np.arange(len(unit)))), (counts.shape[1], len(unit)))
    at_risk = member @ (weight * (days[:, None] >= at))
    ends = member @ (weight * ((days[:, None] == at) & ended[:, None]))
    counts = np.vstack([np.ones(counts.shape[1]), counts])
    survival = survival_of(RiskTable(at, counts @ at_risk, (counts @ ends)[None]))
    return np.stack([rmst(at, survival, tau) for tau in horizons_days], axis=1), bool((weight != 1).any())


def observed_weights(days, lost, covariates: pd.DataFrame, at: np.ndarray) -> np.ndarray:
    """Weigh persons still observed just before each of the days `at` as those alike who were lost would have.

    Parameters
    ----------
    days, lost : array (n,)
        Time, and whether it ended in a loss: an end of another kind comes before a loss on the same day.
    covariates : DataFrame (n, p)
    at : array (J,)

    Returns
    -------
    array (n, J)
        K₀(t-) / K(t- | covariates), at most 20; 1 with fewer than 10 losses or where no model can be fitted.
    """
    ones = np.ones((len(days), len(at)))
    covariates = covariates.loc[:, covariates.std(ddof=0) > 0]
    if lost.sum() < FEWEST or covariates.empty:
        return ones
    fitted = fit_cox(days, lost, covariates, np.arange(len(days)))
    if isinstance(fitted, str):
        return ones
    risk = np.exp((covariates - covariates.mean()).to_numpy() @ fitted.beta)
    counted = risk_table(days, lost).total()
    weighed = risk_table(days, lost, weight=risk).total()
    before = np.searchsorted(counted.time, at, side="left")
    hazard = np.append(0.0, np.cumsum(counted.ends[0] / weighed.at_risk))[before]
    marginal = np.append(0.0, np.cumsum(counted.ends[0] / counted.at_risk))[before]
    return np.minimum(np.exp(risk[:, None] * hazard - marginal), LARGEST)
