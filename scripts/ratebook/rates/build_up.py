"""The arithmetic of a rate, one function a step, for plain numbers and whole columns alike.

Nothing here reads a table or a setting, so an actuary can check each line against the worksheet it stands for.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.errors import NoExposure, RatebookError

FACTORS = ("f_missing", "f_pooling", "f_base_changes", "f_trend", "f_program", "f_managed_care")
"""What carries a completed base to the rating period, in the fixed order of methods.md E4."""


def months_of_trend(base_start: str, base_end: str, rating_start: str, rating_end: str) -> float:
    """Count the months from the middle of the base period to the middle of the rating period.

    Both periods are whole calendar months, first and last day given; calendar 2022 to calendar 2025 is 36.

    Raises
    ------
    RatebookError
        If a period does not run from the first day of a month to the last day of one, or ends before it starts.

    References
    ----------
    methods.md, E3.
    """
    first, last = _whole_months(base_start, base_end)
    rating_first, rating_last = _whole_months(rating_start, rating_end)
    return ((rating_first - first) + (rating_last - last)) / 2


def months_of_base(base_start: str, base_end: str) -> int:
    """Count the months of the base period, first and last day given."""
    first, last = _whole_months(base_start, base_end)
    return last - first + 1


def _whole_months(start: str, end: str) -> tuple[int, int]:
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if not (first.is_month_start and last.is_month_end and first < last):
        raise RatebookError("config.yaml rates: base and rating period must be whole months, start before end")
    return first.year * 12 + first.month, last.year * 12 + last.month


def trend_factor(utilisation, unit_cost, months):
    """Compound the annual trends of use and price over the trend period: ((1+u)(1+c))^(months/12), never u+c."""
    return ((1 + utilisation) * (1 + unit_cost)) ** (months / 12)


def program_factor(share: float, change: float, months_in_effect: float) -> float:
    """Turn a fee or benefit change into a factor: the share of cost it touches, by how much, for how much of the year."""
    return 1 + share * change * months_in_effect / 12


def on_level_factor(share, change, months_in_effect, base_months):
    """Bring a base in which a change came halfway to the level of a base that had it from its first month.

    Paid holds the change for `months_in_effect` of the base's months; the whole base is to hold it. A change in
    effect all through is paid already: factor 1; one that came on the last day of the base counts whole.

    References
    ----------
    methods.md, E4 (program changes to base date).
    """
    return (1 + share * change) / (1 + share * change * months_in_effect / base_months)


def projected_pmpm(base_usd, member_months, completion_factor, *factors):
    """Carry base dollars to the rating period: paid per member month, completed, times every one of `FACTORS`.

    References
    ----------
    methods.md, E4 (the order is fixed) and E10.
    """
    cost = base_usd / member_months / completion_factor
    for factor in factors:
        cost = cost * factor
    return cost


def blend(experience, manual, credibility_z):
    """Weigh a cell's own experience by its credibility, and the manual rate by the rest."""
    return credibility_z * experience + (1 - credibility_z) * manual


def load_rate(benefit, fixed, admin_share, margin_share, tax_share, tax_on_everything: bool = False):
    """Gross a cost up to a rate of which the loads are shares: divide, never multiply by one plus the shares.

    A tax levied on the whole premium, the loads included, divides once more (`tax_on_everything`).

    References
    ----------
    methods.md, E5.
    """
    if tax_on_everything:
        return (benefit + fixed) / (1 - admin_share - margin_share) / (1 - tax_share)
    return (benefit + fixed) / (1 - admin_share - margin_share - tax_share)


def projected_mlr(benefit, fixed, rate, tax_share):
    """Give the projected medical loss ratio: claims and care management over premium net of taxes."""
    return (benefit + fixed) / (rate * (1 - tax_share))


def rate_after_withhold(rate, withhold_share, earned_share):
    """Give what a plan can reasonably expect of a rate when part is withheld and part of that is earned back."""
    return rate - rate * withhold_share * (1 - earned_share)


def settle_corridor(actual_usd, target_usd, bands: list[dict]):
    """Give what the state pays the plan (negative: the plan pays back) when cost misses its target.

    Each band takes the slice of the deviation between the band below and `upto_share` (null: no limit), and the
    state carries `state_share` of it. A gain settles as the mirror of a loss; inside a first band the plan
    carries alone nothing settles.

    References
    ----------
    methods.md, E9.
    """
    deviation = np.abs(np.asarray(actual_usd, dtype=float) / target_usd - 1)
    settled, below = np.zeros_like(deviation), 0.0
    for band in bands:
        upto = np.inf if band["upto_share"] is None else band["upto_share"]
        settled = settled + band["state_share"] * (np.clip(deviation, below, upto) - below)
        below = upto
    return np.sign(np.asarray(actual_usd, dtype=float) - target_usd) * settled * target_usd


def normalise_scores(member_months: pd.Series, risk_score: pd.Series) -> pd.Series:
    """Divide risk scores by their exposure-weighted mean, so that risk adjustment moves money and makes none.

    Raises
    ------
    NoExposure
        If no member month stands behind the scores.
    """
    if not member_months.sum() > 0:
        raise NoExposure("risk scores without a member month cannot be normalised")
    return risk_score / ((member_months * risk_score).sum() / member_months.sum())


def episode_cost(survival: np.ndarray, month_cost: np.ndarray) -> tuple[float, float]:
    """Give a client's expected cost over an episode, and the expected months, from who still is engaged.

    `survival` is the share engaged at the start of each month (1 in the first); `month_cost` what a client engaged
    at its start costs in it.

    References
    ----------
    methods.md, E7.
    """
    return float(np.dot(survival, month_cost)), float(np.sum(survival))


def level_payment(expected_usd, times):
    """Give the payment which, made so many times, comes to an expected cost; not a number where it is never made."""
    times = np.asarray(times, dtype=float)
    return np.asarray(expected_usd, dtype=float) / np.where(times > 0, times, np.nan)


def staffing_rate(salary, fringe_share, overhead, supervision, travel, caseload, occupancy_share):
    """Price a client-month by what a worker costs a year, over the clients a worker really carries.

    References
    ----------
    methods.md, E7.
    """
    return (salary * (1 + fringe_share) + overhead + supervision + travel) / (12 * caseload * occupancy_share)


def per_day(month_rate):
    """Turn a monthly rate into a daily one: twelve months are 365 days."""
    return month_rate * 12 / 365
