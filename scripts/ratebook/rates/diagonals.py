"""Completion by month of payment: a break in how claims are processed shows on a diagonal of the triangle."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr

from ratebook.contracts.rate_uncertainty import CompletionDiagonals
from ratebook.rates.completion import cumulate, develop
from ratebook.tables import empty_frame

LAGS = 12
"""Months after service whose links are added up; later ones pay little."""
EARLY = 2
"""Months after service at which the share paid is told (`early_share`)."""
CHANCE = 0.05
"""Of a category without any break, the chance that some month is called one (Bonferroni)."""


def compare_diagonals(triangles: pd.DataFrame, last_paid_month: str, settings: dict) -> pd.DataFrame:
    """Hold what each month of payment paid against what the development factors expect of it.

    A backlog or a faster clearing house touches every month of service at once, in one month of payment. Its sum over
    lags is compared with what was paid before times the links less 1, in standard errors by Mack's variances; their
    squares together test for any effect of the calendar. `early_share` says it in plain words: how much of the month
    of service two months before has been paid. A category in `flat_categories` has no diagonals.

    Parameters
    ----------
    triangles : Triangles
    last_paid_month : str
        Last complete month of payments, any day of it.
    settings : dict
        `config.yaml` rates.completion.

    Returns
    -------
    CompletionDiagonals

    References
    ----------
    methods.md, E2.
    """
    last_paid, parts = pd.Period(last_paid_month, "M"), []
    for category, mine in triangles[triangles.lag_months >= 0].groupby("category"):
        if category not in settings["flat_categories"]:
            months = pd.PeriodIndex(mine.incurred_month, freq="M")
            grid = cumulate(mine, months.min(), months.max(), last_paid)
            parts.append(_of_category(category, grid, months.min(), settings))
    if not parts:
        return empty_frame(CompletionDiagonals)
    return pd.concat(parts, ignore_index=True)[list(CompletionDiagonals.types())]


def _of_category(category: str, grid: np.ndarray, first: pd.Period, settings: dict) -> pd.DataFrame:
    found = develop(grid, settings["n_diagonals"], settings["sigma_rule"], settings["average"])
    months, lags = grid.shape
    latest = (~np.isnan(grid)).sum(axis=1) - 1
    ultimate = grid[np.arange(months), latest] * found.to_ultimate[latest]
    lag = np.arange(1, min(LAGS, lags - 1) + 1)
    service, lag = (part.ravel() for part in np.meshgrid(np.arange(months), lag, indexing="ij"))
    before, after = grid[service, lag - 1], grid[service, lag]
    seen = ~np.isnan(after) & (before > 0)
    service, lag, before, after = service[seen], lag[seen], before[seen], after[seen]
    at = service + lag
    sums = [
        np.bincount(at, weight, lags)
        for weight in (
            np.ones(len(at)),
            after - before,
            before * (found.link[lag - 1] - 1),
            before * found.sigma2[lag - 1],
        )
    ]
    links, paid, expected, variance = (part[1:] for part in sums)
    known = variance > 0
    z = np.where(known, (paid - expected) / np.sqrt(np.where(known, variance, 1.0)), np.nan)
    payment = np.arange(1, lags)
    behind = payment - EARLY
    inside = (behind >= 0) & (behind < months)
    at_lag = grid[behind.clip(0, months - 1), EARLY] if lags > EARLY else np.full(len(payment), np.nan)
    whole = ultimate[behind.clip(0, months - 1)]
    early = np.where(inside & (whole > 0), at_lag / np.where(whole > 0, whole, 1.0), np.nan)
    judged = int(known.sum())
    return pd.DataFrame(
        {
            "category": category,
            "payment_month": [(first + int(month)).to_timestamp() for month in payment],
            "links": links.astype(int),
            "paid_usd": paid,
            "expected_usd": expected,
            "paid_to_expected": np.where(expected > 0, paid / np.where(expected > 0, expected, 1.0), np.nan),
            "z": z,
            "early_share": early,
            "is_break": np.where(known, 2 * ndtr(-np.abs(np.nan_to_num(z))) < CHANCE / max(judged, 1), False),
            "calendar_p_value": float(chdtrc(judged, np.nansum(z**2))) if judged else np.nan,
            "reason": np.where(known, None, "nothing had been paid before, or no spread of links is known"),
        }
    )
