"""How late payments come: the distribution of lags, and how complete a month of service is by its age."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.quality import LagCompletion, LagDistribution
from ratebook.dates import month_index
from ratebook.tables import frame_of

LONGEST_AGE = 36
"""Months by which a month of service counts as complete."""
MATURE_MONTHS = 12
"""Age of the months of service whose lags are described: younger ones lack their late payments."""
QUANTILES = {"p10_months": 0.1, "p50_months": 0.5, "p90_months": 0.9}
WITHIN = {f"within_{months}_share": months for months in (1, 3, 6, 12)}
WEIGHTS = {"dollars": "signed_usd", "entries": "entries"}
ALL = "all"


def build_lag_distribution(lags: pd.DataFrame, extract_date: str) -> pd.DataFrame:
    """Describe the months from service to payment by category, weighted by dollars and by entries.

    Only months of service at least a year older than the extract count: of younger ones only early payments are
    known. Dollars back are subtracted at their own lag. A payment before its service has lag 0. The q-quantile is the
    first month by which the share paid reaches q, and stays there.

    Parameters
    ----------
    lags : PaidLags
    extract_date : str
        Last day on which a payment could be in the data.

    Returns
    -------
    LagDistribution
        A row per category with a mature month and per weight, and `all`; empty where there is none.

    References
    ----------
    methods.md, A13 T6.
    """
    known = _with_all(lags[lags.lag_months.notna()])
    age = month_index(pd.Series(pd.Timestamp(extract_date), known.index)) - month_index(known.service_month)
    known = known[age >= MATURE_MONTHS]
    found = []
    for category, part in known.groupby("category", sort=True):
        by_lag = part.groupby("lag")[["entries", "signed_usd"]].sum()
        by_lag = by_lag.reindex(range(int(by_lag.index.max()) + 1), fill_value=0)
        totals = {"entries": int(by_lag.entries.sum()), "signed_usd": by_lag.signed_usd.sum().round(2)}
        for weight, column in WEIGHTS.items():
            found.append({"category": category, "weight": weight, **totals, **_describe(by_lag[column])})
    return frame_of(found, LagDistribution)


def _describe(paid: pd.Series) -> dict:
    """Describe a distribution given as what is paid at lags 0, 1, 2, …"""
    if paid.sum() <= 0:
        return {"reason": "no dollars stand"}
    share = paid.cumsum() / paid.sum()
    # Where money goes back late the share may fall again: a quantile is reached for good.
    least = share[::-1].cummin()[::-1] + 1e-12
    return {
        "mean_months": float((paid * paid.index).sum() / paid.sum()),
        **{name: int((least >= q).idxmax()) for name, q in QUANTILES.items()},
        **{name: float(share[share.index <= months].iloc[-1]) for name, months in WITHIN.items()},
    }


def build_lag_completion(lags: pd.DataFrame, extract_date: str) -> pd.DataFrame:
    """Estimate which share of a month's final dollars is paid by its age, by category: a chain ladder.

    From each age to the next, dollars grow by the ratio of the sums over all months of service seen at both ages;
    the completion at an age is one over the growth still to come.

    Returns
    -------
    LagCompletion
        Ages 0 to the oldest seen, at most 36; empty where the source has no paid dates.

    References
    ----------
    methods.md, A13 T6 and E2.
    """
    known = _with_all(lags[lags.lag_months.notna()])
    found = []
    for category, part in known.groupby("category", sort=True):
        growth, seen = _growth(part, extract_date)
        with np.errstate(divide="ignore", invalid="ignore"):
            completion = 1 / growth[::-1].cumprod()[::-1]
        for age, (share, months) in enumerate(zip(completion, seen)):
            standing = share if np.isfinite(share) and share > 0 else None
            found.append((category, age, int(months), standing))
    return frame_of(found, LagCompletion).astype({"completion": float})


def _growth(part: pd.DataFrame, extract_date: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the growth of dollars from each age to the next, 1 at the last, and the months of service seen at each."""
    wide = part.pivot_table(index="service_month", columns="lag", values="signed_usd", aggfunc="sum", fill_value=0)
    extract = pd.Timestamp(extract_date)
    age = (extract.year * 12 + extract.month - month_index(wide.index.to_series())).clip(0, LONGEST_AGE)
    ages = np.arange(int(age.max()) + 1)
    wide.columns = wide.columns.astype(int)
    paid = wide.T.groupby(np.minimum(wide.columns, ages[-1])).sum().T.reindex(columns=ages, fill_value=0)
    upto = paid.cumsum(axis=1).to_numpy()
    at_age = ages[None, :] <= age.to_numpy()[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        later = (upto[:, 1:] * at_age[:, 1:]).sum(axis=0)
        growth = later / (upto[:, :-1] * at_age[:, 1:]).sum(axis=0)
    return np.append(growth, 1.0), at_age.sum(axis=0)


def count_runout(lags: pd.DataFrame, window_end: str, extract_date: str) -> int | None:
    """Count the months of payments after the last month of service studied; null where no payment has a date.

    The last month with a payment says how far the data reach; the extract's own month is their end at most.
    """
    known = lags[lags.lag_months.notna()]
    if known.empty:
        return None
    paid = int((month_index(known.service_month) + known.lag_months).max())
    end, extract = (pd.Timestamp(date).year * 12 + pd.Timestamp(date).month for date in (window_end, extract_date))
    return max(min(paid, extract) - end, 0)


def count_immature(completion: pd.DataFrame, window_start: str, window_end: str, extract_date: str, least: float):
    """Count the months of the study window that are complete to less than `least`, all categories together.

    Returns
    -------
    int or None
        None where the completion is not known.
    """
    known = completion[completion.category == ALL].set_index("age_months").completion
    if known.empty:
        return None
    months = pd.Series(pd.date_range(window_start, window_end, freq="MS"))
    extract = pd.Timestamp(extract_date)
    age = (extract.year * 12 + extract.month - month_index(months)).clip(0, known.index.max())
    return int((age.map(known) < least).sum())


def _with_all(known: pd.DataFrame) -> pd.DataFrame:
    known = known.assign(lag=known.lag_months.clip(lower=0).astype("int64"))
    return pd.concat([known, known.assign(category=ALL)], ignore_index=True)
