"""Are the arms alike after weighting, and was either arm possible for everybody."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import Balance, Positivity, Propensity, Weights, WeightSummary
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.design import balance_columns, design_matrix, strata_of
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.logit import propensity
from ratebook.engagement.weights import (
    WEIGHTINGS,
    effective_size,
    standardised_difference,
    weighted_mean,
)
from ratebook.tables import empty_frame, frame_of

PASS, WARN = 0.10, 0.25
"""Limits of |standardised difference| (methods.md, C8)."""
ALIKE = (0.5, 2.0)
"""Limits of a ratio of variances."""
RARE = 0.05
"""A propensity below this, or above one less it, is outside the region where both arms are seen."""
NUMBERS = ("mean", "log", "squared", "product")
"""What a number is compared on; any other level is a share."""
CHANCES = np.linspace(0, 1, 21)
RELATIVE = np.array([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 10, 20, np.inf])
"""Edges of the bins of a propensity, and of a weight over its arm's mean."""


def estimate_balance(
    cohort: pd.DataFrame, spells: pd.DataFrame, end_reasons: dict[str, str], covariates: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compare the arms on everything known at discharge, before and after overlap weighting.

    Numbers are compared on their means, squares or logarithms, and products two by two. The spread in a
    standardised difference is that of the unweighted arms, before and after alike; up to 0.10 passes, up to 0.25 is
    a warning, and so is a ratio of variances outside 0.5 to 2. Without persons in both arms there is nothing to weigh: the weights are
    empty, the comparison says why.

    Returns
    -------
    tuple
        Balance, Weights, WeightSummary.

    References
    ----------
    methods.md, C8.
    """
    persons = engaged_persons(cohort, spells, end_reasons)
    treated = (persons.arm == ARMS[0]).to_numpy()
    if treated.all() or not treated.any():
        lonely = "no person in " + " and ".join(arm for arm in ARMS if arm not in set(persons.arm))
        return _unbalanced(persons, covariates, lonely), empty_frame(Weights), _no_summary(persons, lonely)
    chance, _ = propensity(design_matrix(persons, covariates).to_numpy(), treated)
    weights = _weights(persons, chance, treated)
    rows = [
        _balance_row(name, level, values.to_numpy(float), treated, weights.overlap.to_numpy())
        for (name, level), values in balance_columns(persons, covariates).items()
    ]
    return pd.DataFrame(rows), weights, _summary(weights)


def _weights(persons: pd.DataFrame, chance: np.ndarray, treated: np.ndarray) -> pd.DataFrame:
    known = {"person_id": persons.person_id, "arm": persons.arm, "propensity": chance}
    return pd.DataFrame(known | {name: weigh(chance, treated) for name, weigh in WEIGHTINGS.items()})


def _balance_row(name: str, level: str, values, treated, weight) -> dict:
    ones = np.ones(len(values))
    is_share = level not in NUMBERS
    before = standardised_difference(values, treated)
    after = standardised_difference(values, treated, weight)
    known = ~np.isnan(values)
    ratio = float("nan") if is_share else _variance_ratio(values, weight, known, treated)
    return {
        "covariate": name,
        "level": level,
        "rsn_mean": weighted_mean(values, ones, known & treated),
        "csp_mean": weighted_mean(values, ones, known & ~treated),
        "rsn_weighted_mean": weighted_mean(values, weight, known & treated),
        "csp_weighted_mean": weighted_mean(values, weight, known & ~treated),
        "smd_before": before,
        "smd_after": after,
        "variance_ratio_after": ratio,
        "status": _status(abs(after), ratio),
        "rsn_persons": int(values[treated].sum()) if is_share else int((known & treated).sum()),
        "csp_persons": int(values[~treated].sum()) if is_share else int((known & ~treated).sum()),
        "reason": "the covariate does not vary" if np.isnan(after) else None,
    }


def _status(size: float, ratio: float) -> str:
    if np.isnan(size):
        return "na"
    if size > WARN:
        return "fail"
    return "warn" if size > PASS or ratio < ALIKE[0] or ratio > ALIKE[1] else "pass"


def _variance_ratio(values, weight, known, treated) -> float:
    spread = []
    for chosen in (known & treated, known & ~treated):
        centre = weighted_mean(values, weight, chosen)
        spread.append(weighted_mean((values - centre) ** 2, weight, chosen))
    return spread[0] / spread[1] if spread[1] > 1e-12 else float("nan")


def _summary(weights: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for weighting in WEIGHTINGS:
        for arm in ARMS:
            mine = weights[weights.arm == arm]
            weight = mine[weighting].to_numpy()
            rare = ~mine.propensity.between(RARE, 1 - RARE)
            usable = weight.sum() > 0
            rows.append(
                {
                    "weighting": weighting,
                    "arm": arm,
                    "persons": len(mine),
                    "effective_persons": effective_size(weight) if usable else float("nan"),
                    "largest_weight": weight.max() / weight.mean() if usable else float("nan"),
                    "outside_share": rare.mean(),
                    "reason": None if usable else "every weight is zero: the covariates tell the arms apart",
                }
            )
    return pd.DataFrame(rows)


def _no_summary(persons: pd.DataFrame, reason: str) -> pd.DataFrame:
    rows = [
        {"weighting": w, "arm": arm, "persons": int((persons.arm == arm).sum()), "reason": reason}
        for w in WEIGHTINGS
        for arm in ARMS
    ]
    return frame_of(rows, WeightSummary)


def _unbalanced(persons: pd.DataFrame, covariates: list[str], reason: str) -> pd.DataFrame:
    rows = [
        {
            "covariate": name,
            "level": "mean",
            "status": "na",
            "rsn_persons": int((persons.arm == ARMS[0]).sum()),
            "csp_persons": int((persons.arm == ARMS[1]).sum()),
            "reason": reason,
        }
        for name in covariates
    ]
    return frame_of(rows, Balance)


def describe_overlap(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    end_reasons: dict[str, str],
    covariates: list[str],
    weights: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count persons by propensity and by weight, and find the strata in which hardly anybody got the other arm.

    A weight is taken over its arm's mean. Numbers are cut into quarters. Without both arms there is no propensity
    and both tables are empty.

    Parameters
    ----------
    cohort, spells, end_reasons, covariates
        As for `estimate_balance`.
    weights : Weights
        As `estimate_balance` gives them.

    Returns
    -------
    tuple
        Propensity, Positivity.

    References
    ----------
    methods.md, C8, H32.
    """
    if weights.empty:
        return empty_frame(Propensity), empty_frame(Positivity)
    persons = engaged_persons(cohort, spells, end_reasons)
    chance = weights.set_index("person_id").propensity.reindex(persons.person_id).to_numpy()
    treated = (persons.arm == ARMS[0]).to_numpy()
    return pd.DataFrame(_bins(weights)), pd.DataFrame(_strata(persons, covariates, chance, treated))


def _bins(weights: pd.DataFrame) -> list[dict]:
    rows = []
    for quantity, edges in {"propensity": CHANCES, **dict.fromkeys(WEIGHTINGS, RELATIVE)}.items():
        for arm in ARMS:
            values = weights[quantity][weights.arm == arm].to_numpy()
            if quantity != "propensity":
                values = values / values.mean() if values.mean() > 0 else np.zeros(len(values))
            counts, _ = np.histogram(values, edges)
            rows += [
                {
                    "quantity": quantity,
                    "arm": arm,
                    "low": low,
                    "high": high if np.isfinite(high) else float("nan"),
                    "persons": count,
                }
                for low, high, count in zip(edges, edges[1:], counts)
            ]
    return rows


def _strata(persons, covariates, chance, treated) -> list[dict]:
    outside = (chance < RARE) | (chance > 1 - RARE)
    rows = []
    for name in covariates:
        strata = strata_of(persons[name])
        for level in sorted(strata.unique()):
            mine = (strata == level).to_numpy()
            share = treated[mine].mean()
            rows.append(
                {
                    "covariate": name,
                    "level": level,
                    "rsn_share": share,
                    "is_one_sided": bool(share < RARE or share > 1 - RARE),
                    "outside_share": outside[mine].mean(),
                    "lowest_propensity": np.quantile(chance[mine], 0.05),
                    "highest_propensity": np.quantile(chance[mine], 0.95),
                    "rsn_persons": int((mine & treated).sum()),
                    "csp_persons": int((mine & ~treated).sum()),
                }
            )
    return rows
