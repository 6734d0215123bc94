"""How much of a month's cost has been paid by now: development factors, Mack's errors, Bornhuetter-Ferguson.

The link ratios and errors are some sixty lines of numpy and not a library's. A library of reserving takes seconds
to import, wants its own triangle type, and would still leave the blend with expected cost to us. The published RAA
triangle holds these lines to its numbers, and a test holds them to the `chainladder` library.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.rates import BaseCompletion, Completion, Ultimates
from ratebook.rates.trend import SEASONS_FROM, seasonal_design
from ratebook.tables import empty_frame

NO_DATES = "no paid dates: completion cannot be measured"
CARRIED_FROM = 36
"""Latest months from which season and trend are carried to the youngest."""
AVERAGES = ("volume", "simple", "middle")
Z95 = 1.959963984540054


class Development(NamedTuple):
    """What a triangle says of payment over lags; arrays by lag, the last of the factors to ultimate."""

    link: np.ndarray
    sigma2: np.ndarray
    link_error2: np.ndarray
    to_ultimate: np.ndarray
    factor_error: np.ndarray


def mean_link(before: np.ndarray, after: np.ndarray, average: str) -> float:
    """Average the links of one lag.

    `volume` is the sum of what was paid through the next lag over the sum through this one; `simple` the mean of the
    months' own links; `middle` alike without the highest and the lowest, where more than two months have one.
    """
    if average == "volume":
        return after.sum() / before.sum()
    paid = before > 0
    links = np.sort(after[paid] / before[paid])
    return links[1:-1].mean() if average == "middle" and len(links) > 2 else links.mean()


def develop(cumulative: np.ndarray, n_diagonals: int, sigma_rule: str, average: str = "volume") -> Development:
    """Estimate link ratios over the last diagonals, with Mack's variances.

    A lag with nothing paid before it keeps a link of 1. The tail after the last lag is 1. Errors are those of
    volume-weighted links, whatever the average.

    Parameters
    ----------
    cumulative : numpy.ndarray
        Months of service, oldest first, by lag; NaN where not yet seen.
    n_diagonals : int
        How many of the latest payment months count.
    sigma_rule : str
        How the variance of a lag seen once follows from those before it: 'mack' or 'log_linear'.
    average : str
        'volume', 'simple' or 'middle', as `mean_link` says.

    Returns
    -------
    Development
        Links, their variance per dollar and as estimates, factors to ultimate, and each factor's relative error.

    References
    ----------
    methods.md, E2.
    """
    lags = cumulative.shape[1]
    latest = (~np.isnan(cumulative)).sum(axis=1) - 1
    link, sigma2, volume = np.ones(lags - 1), np.full(lags - 1, np.nan), np.zeros(lags - 1)
    for lag in range(lags - 1):
        used = (latest > lag) & (latest - lag - 1 < n_diagonals)
        before, after = cumulative[used, lag], cumulative[used, lag + 1]
        if before.sum() <= 0 or after.sum() <= 0:
            sigma2[lag] = 0.0
            continue
        volume[lag], link[lag] = before.sum(), mean_link(before, after, average)
        paid = before > 0
        if paid.sum() > 1:
            surprise = after[paid] - link[lag] * before[paid]
            sigma2[lag] = (surprise**2 / before[paid]).sum() / (paid.sum() - 1)
    sigma2 = _fill_sigma2(sigma2, sigma_rule)
    with np.errstate(divide="ignore", invalid="ignore"):
        link_error2 = np.where(volume > 0, sigma2 / volume, 0.0)
    to_ultimate = np.append(np.cumprod(link[::-1])[::-1], 1.0)
    error2 = np.append(np.cumsum((link_error2 / link**2)[::-1])[::-1], 0.0)
    return Development(link, sigma2, link_error2, to_ultimate, np.sqrt(error2))


def _fill_sigma2(sigma2: np.ndarray, rule: str) -> np.ndarray:
    known = np.flatnonzero(~np.isnan(sigma2) & (sigma2 > 0))
    filled = sigma2.copy()
    for lag in np.flatnonzero(np.isnan(sigma2)):
        if rule == "log_linear" and len(known) > 1:
            slope, level = np.polyfit(known, np.log(np.sqrt(sigma2[known])), 1)
            filled[lag] = np.exp(level + slope * lag) ** 2
        elif lag > 1 and filled[lag - 2] > 0:
            filled[lag] = min(filled[lag - 1] ** 2 / filled[lag - 2], filled[lag - 1], filled[lag - 2])
        else:
            filled[lag] = filled[lag - 1] if lag else 0.0
    return filled


def paid_as_incurred(lags: int) -> Development:
    """Give the development of what is paid in full at once: every factor 1, every error 0."""
    ones, zeros = np.ones(lags), np.zeros(lags)
    return Development(ones[1:], zeros[1:], zeros[1:], ones, zeros)


def mack_error(found: Development, latest_usd: np.ndarray, latest_lag: np.ndarray) -> tuple[np.ndarray, float]:
    """Give Mack's standard error of each month's ultimate, and of their sum.

    Months share the links still ahead of both, so their errors move together: the sum's error is more than the
    root of the squares.

    Parameters
    ----------
    found : Development
        The triangle's development.
    latest_usd, latest_lag : numpy.ndarray
        What each month has paid, and through which lag.
    """
    ultimate = latest_usd * found.to_ultimate[latest_lag]
    estimate2 = found.link_error2 / found.link**2
    own2 = np.zeros(len(ultimate))
    for month, (paid, lag) in enumerate(zip(latest_usd, latest_lag)):
        for ahead in range(lag, len(found.link)):
            process2 = found.sigma2[ahead] / found.link[ahead] ** 2 / paid if paid > 0 else 0.0
            own2[month] += ultimate[month] ** 2 * (process2 + estimate2[ahead])
            paid *= found.link[ahead]
    ahead2 = np.append(np.cumsum(estimate2[::-1])[::-1], 0.0)
    shared = ahead2[np.maximum.outer(latest_lag, latest_lag)] * np.outer(ultimate, ultimate)
    total2 = own2.sum() + shared.sum() - np.diag(shared).sum()
    return np.sqrt(own2), float(np.sqrt(max(total2, 0.0)))


def bornhuetter_ferguson(latest_usd, completion_factor, expected_usd):
    """Add to what is paid the part still unpaid of what was expected: for months too young to speak for themselves."""
    return latest_usd + expected_usd * (1 - completion_factor)


def cumulate(triangle: pd.DataFrame, first: pd.Period, last: pd.Period, last_paid: pd.Period) -> np.ndarray:
    """Lay payments out as service month by lag, cumulated, with NaN after the last month of payment seen."""
    months = pd.period_range(first, last, freq="M")
    lags = (last_paid - first).n + 1
    grid = np.zeros((len(months), lags))
    row = [(month - first).n for month in pd.PeriodIndex(triangle.incurred_month, freq="M")]
    np.add.at(grid, (row, triangle.lag_months.to_numpy()), triangle.paid_usd.to_numpy(dtype=float))
    unseen = np.add.outer(np.arange(len(months)), np.arange(lags)) >= lags
    return np.where(unseen, np.nan, grid.cumsum(axis=1))


def estimate_completion(
    triangles: pd.DataFrame,
    experience: pd.DataFrame,
    base_months: tuple[str, str],
    last_paid_month: str,
    settings: dict,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Estimate, for each category, what each month of service will have cost once everything is paid.

    The chain ladder speaks for a month paid at least to `cf_floor` and seen beyond its second month; a younger one
    takes the unpaid part from what was expected of it (Bornhuetter-Ferguson): mean completed cost per member month of
    the months at `prior_lags`, carried to it by season and trend, times its member months. A category in `flat_categories` is paid as it is incurred:
    factor 1. A category with no paid date has no factor, and says so.

    Parameters
    ----------
    triangles : Triangles
    experience : BaseExperience
        For the member months of each service month, and for which categories exist.
    base_months : tuple of str
        First and last day of the base period.
    last_paid_month : str
        Last complete month of payments, any day of it.
    settings : dict
        `config.yaml` rates.completion.

    Returns
    -------
    Completion, Ultimates, BaseCompletion

    References
    ----------
    methods.md, A11 and E2.
    """
    months = experience.drop_duplicates(["cell", "pool", "plan", "service_month"])
    exposure = months.groupby("service_month").member_months.sum()
    exposure.index = exposure.index.to_period("M")
    last_paid = pd.Period(last_paid_month, "M")
    seen = triangles[triangles.lag_months >= 0]
    factors, ultimates, bases = [], [], []
    for category in sorted(set(experience.category) | set(triangles.category)):
        of_category = seen[seen.category == category]
        if of_category.empty:
            factors.append({"category": category, "lag_months": 0, "method": "none", "reason": NO_DATES})
            bases.append({"category": category, "method": "none", "reason": NO_DATES})
            continue
        first = pd.PeriodIndex(of_category.incurred_month, freq="M").min()
        last = pd.PeriodIndex(of_category.incurred_month, freq="M").max()
        flat = category in settings["flat_categories"]
        cumulative = cumulate(of_category, first, last, last_paid)
        found = (
            paid_as_incurred(cumulative.shape[1])
            if flat
            else develop(cumulative, settings["n_diagonals"], settings["sigma_rule"], settings["average"])
        )
        others = {
            average: found if flat else develop(cumulative, settings["n_diagonals"], settings["sigma_rule"], average)
            for average in AVERAGES
        }
        factors.append(_factor_rows(category, found, flat, others))
        ultimate, base = _ultimate_rows(category, cumulative, found, first, exposure, base_months, settings)
        ultimates.append(ultimate)
        bases.append(base)
    return (
        _frame(factors, Completion),
        _frame(ultimates, Ultimates),
        _frame(bases, BaseCompletion),
    )


def carry(pmpm_usd: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Say how dear each month is expected to be beside the others: its season, times the trend of the known months.

    Both are fitted to the logarithms of the latest known months, three years of them at most. With fewer than two
    years, or a month without cost among them, neither can be told from chance: every month is expected alike.

    Parameters
    ----------
    pmpm_usd : numpy.ndarray
        Completed cost per member month, in order of months.
    known : numpy.ndarray of bool
        Months old enough to learn from.

    References
    ----------
    methods.md, E2.
    """
    month = np.arange(len(pmpm_usd))
    learned = month[known & ~np.isnan(pmpm_usd)][-CARRIED_FROM:]
    if len(learned) < SEASONS_FROM or not (pmpm_usd[learned] > 0).all():
        return np.ones(len(pmpm_usd))
    design = seasonal_design(month, [], True)
    coefficient, *_ = np.linalg.lstsq(design[learned], np.log(pmpm_usd[learned]), rcond=None)
    return np.exp((design - design[learned].mean(axis=0)) @ coefficient)


def _factor_rows(category: str, found: Development, flat: bool, others: dict[str, Development]) -> pd.DataFrame:
    factor, error = 1 / found.to_ultimate, found.factor_error
    return pd.DataFrame(
        {
            "category": category,
            "lag_months": np.arange(len(factor)),
            "link_factor": np.append(found.link, np.nan),
            "factor_to_ultimate": found.to_ultimate,
            "completion_factor": factor,
            "lower": factor * np.exp(-Z95 * error),
            "upper": factor * np.exp(Z95 * error),
            **{f"{average}_factor": 1 / other.to_ultimate for average, other in others.items()},
            "method": "flat" if flat else "chainladder",
            "reason": "paid as incurred, by rates.completion.flat_categories" if flat else None,
        }
    )


def _ultimate_rows(category, cumulative, found, first, exposure, base_months, settings):
    months = pd.period_range(first, periods=len(cumulative), freq="M")
    lag = (~np.isnan(cumulative)).sum(axis=1) - 1
    paid = cumulative[np.arange(len(months)), lag]
    factor = 1 / found.to_ultimate[lag]
    error, _ = mack_error(found, paid, lag)
    ladder = paid / factor
    young = (factor < settings["cf_floor"]) | ((lag <= 1) & (factor < 1))
    low, high = settings["prior_lags"]
    prior = (lag >= low) & (lag <= high) & ~young
    member_months = exposure.reindex(months).to_numpy(dtype=float)
    weight = np.where(member_months > 0, member_months, np.nan)
    usable = prior & ~np.isnan(weight)
    blended = young & ~np.isnan(weight) & usable.any()
    expected = np.zeros(len(months))
    if usable.any():
        like = carry(ladder / weight, (lag >= low) & ~young)
        rate = ladder[usable].sum() / (weight * like)[usable].sum()
        spread = np.std((ladder / weight / like)[usable], ddof=1) if usable.sum() > 1 else 0.0
        expected = np.nan_to_num(weight) * rate * like
        uncertain = np.hypot(
            expected * factor * found.factor_error[lag], (1 - factor) * np.nan_to_num(weight) * spread
        )
        error = np.where(blended, uncertain, error)
    ultimate = np.where(blended, bornhuetter_ferguson(paid, factor, expected), ladder)
    rows = pd.DataFrame(
        {
            "category": category,
            "incurred_month": months.to_timestamp(),
            "lag_months": lag,
            "paid_usd": paid,
            "completion_factor": factor,
            "ultimate_usd": ultimate,
            "ibnr_usd": ultimate - paid,
            "std_error_usd": error,
            "lower": ultimate - Z95 * error,
            "upper": ultimate + Z95 * error,
            "method": np.where(blended, "bornhuetter_ferguson", "chainladder"),
            "reason": np.where(young & ~blended, "too young, and no completed month to expect from", None),
        }
    )
    base = (months >= pd.Period(base_months[0], "M")) & (months <= pd.Period(base_months[1], "M"))
    return rows, _base_row(category, rows[base], found, blended[base])


def _base_row(category: str, rows: pd.DataFrame, found: Development, blended: np.ndarray) -> dict:
    """Sum the base months; the errors of those the chain ladder speaks for move together."""
    ultimate, paid = rows.ultimate_usd.sum(), rows.paid_usd.sum()
    if ultimate <= 0 or paid <= 0:
        return {"category": category, "method": "none", "reason": "nothing paid in the base period"}
    ladder = rows[~blended]
    _, together = mack_error(found, ladder.paid_usd.to_numpy(), ladder.lag_months.to_numpy())
    error = np.hypot(together, np.sqrt((rows.std_error_usd[blended] ** 2).sum()))
    factor, relative = paid / ultimate, error / ultimate
    return {
        "category": category,
        "paid_usd": paid,
        "ultimate_usd": ultimate,
        "std_error_usd": error,
        "completion_factor": factor,
        "lower": factor * np.exp(-Z95 * relative),
        "upper": factor * np.exp(Z95 * relative),
        "method": "chainladder" if not blended.any() else "bornhuetter_ferguson",
    }


def _frame(parts: list, contract) -> pd.DataFrame:
    """Stack rows and frames into the contract's columns; no part, an empty table."""
    if not parts:
        return empty_frame(contract)
    frames = [part if isinstance(part, pd.DataFrame) else pd.DataFrame([part]) for part in parts]
    return pd.concat(frames, ignore_index=True).reindex(columns=list(contract.types()))
