"""Hazards interval by interval and month by month: what one hazard ratio averages over."""

from __future__ import annotations

import itertools

import numpy as np

from ratebook.contracts.engagement import CONTRAST
from ratebook.dates import MONTH_DAYS
from ratebook.engagement.cox import ITERATIONS, STILL
from ratebook.engagement.model_rows import NAN, Study, coefficient, model_row


def piecewise_rows(study: Study, cuts: list[int]) -> list[dict]:
    """Hazard ratio within each interval, the hazard constant in it: events / person-days, RSN over CSP.

    The saturated Poisson model has this closed form; its error sums each provider's residuals. An interval goes
    from the day after a cut to the next cut.

    References
    ----------
    methods.md, C4 and C6.
    """
    rows = []
    for low, high in itertools.pairwise([0, *cuts, np.inf]):
        term = f"days {low + 1}-{high}" if np.isfinite(high) else f"days over {low}"
        time = np.clip(study.days, low, high) - low
        ends = study.event & (study.days > low) & (study.days <= high)
        rows.append(_interval_row(term, study, time, ends))
    return rows


def _interval_row(term: str, study: Study, time: np.ndarray, ends: np.ndarray) -> dict:
    scores, rates = [], []
    counted = {"events": int(ends.sum())}
    arms = (study.treated, ~study.treated)
    for chosen in arms:
        events, exposure = ends[chosen].sum(), time[chosen].sum()
        if events == 0:
            reason = "no event of an arm in the interval"
            return model_row("piecewise_exponential", term, study.persons, **counted, reason=reason)
        rates.append(events / exposure)
        scores.append(np.where(chosen, (ends - rates[-1] * time) / events, 0.0))
    sums = np.bincount(study.cluster, scores[0] - scores[1])
    groups = len(sums)
    robust = float(np.sqrt((sums**2).sum() * groups / (groups - 1))) if groups > 1 else NAN
    naive = float(np.sqrt(sum(1 / ends[chosen].sum() for chosen in arms)))
    found = coefficient(float(np.log(rates[0] / rates[1])), robust, study.degrees, naive)
    return model_row("piecewise_exponential", term, study.persons, **{**found, **counted})


def discrete_row(study: Study) -> dict:
    """Compare monthly hazards, the complementary log-log of each a month's level plus the arm's effect.

    Grouped proportional hazards: the effect is the log hazard ratio of the Cox model, seen month by month. Who is
    censored within a month counts for the part of it that was seen. Months without an end, or in which all end,
    say nothing. Errors are clustered by provider.

    References
    ----------
    methods.md, C6; Prentice & Gloeckler 1978.
    """
    model = "discrete_time"
    if not all(study.event[chosen].any() for chosen in (study.treated, ~study.treated)):
        return model_row(model, CONTRAST, study.persons, reason="no event in an arm: the ratio has no limit")
    person, month, ends, seen = person_months(study.days, study.event)
    treated = study.treated[person].astype(float)
    if len(set(treated[ends])) < 2:
        return model_row(model, CONTRAST, study.persons, reason="no month in which the arms can be compared")
    design = np.column_stack([treated, month[:, None] == np.unique(month)]).astype(float)
    fitted = fit_complementary_log_log(ends, design, seen, study.cluster[person])
    if fitted is None:
        return model_row(model, CONTRAST, study.persons, reason="the likelihood has no maximum")
    beta, naive, robust = fitted
    found = coefficient(beta[0], np.sqrt(robust[0, 0]), study.degrees, np.sqrt(naive[0, 0]))
    return model_row(model, CONTRAST, study.persons, **found)


def person_months(days, event) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give a row per person and month begun: person, month (from 0), whether it ended then, share of it seen.

    Months in which nobody, or everybody at risk, ends are left out.
    """
    days, event = np.asarray(days, float), np.asarray(event, bool)
    months = int(np.ceil(days.max() / MONTH_DAYS))
    starts = np.arange(months) * MONTH_DAYS
    person, month = np.nonzero(days[:, None] > starts)
    lived = days[person] - starts[month]
    ends = event[person] & (lived <= MONTH_DAYS)
    seen = np.where(ends, 1.0, np.minimum(lived / MONTH_DAYS, 1.0))
    at_risk, ended = np.bincount(month, minlength=months), np.bincount(month, ends, months)
    told = ((ended > 0) & (ended < at_risk))[month]
    return person[told], month[told], ends[told], seen[told]


def fit_complementary_log_log(
    ends: np.ndarray, design: np.ndarray, seen: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Fit P(end) = 1 - exp(-seen · exp(xβ)) by scoring; coefficients, and both covariances, or None without a maximum.

    The clustered covariance has the factor G / (G - 1), as that of `fit_cox`.
    """
    beta = np.linalg.lstsq(design, np.full(len(ends), np.log(max(ends.mean(), 1e-6))), rcond=None)[0]
    for _ in range(ITERATIONS):
        mean = seen * np.exp(np.clip(design @ beta, -50, 5))
        weight = mean / np.expm1(mean)
        score = np.where(ends, weight, -mean)
        information = (design * (mean * weight)[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ score)
        except np.linalg.LinAlgError:
            return None
        beta = beta + step
        if np.abs(step).max() < STILL:
            break
    else:
        return None
    naive = np.linalg.inv(information)
    codes, names = np.unique(cluster, return_inverse=True)
    sums = np.column_stack([np.bincount(names, column * score) for column in design.T])
    factor = len(codes) / (len(codes) - 1) if len(codes) > 1 else NAN
    return beta, naive, naive @ (sums.T @ sums) @ naive * factor
