"""Do the arms differ, does the difference change with time, and how strong would a hidden cause have to be."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, norm
from scipy.stats import t as student

from ratebook.contracts.engagement import EngagementModels
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.cox import Cox, fit_cox, test_proportionality
from ratebook.engagement.design import design_matrix
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import cluster_codes
from ratebook.engagement.survival import log_rank, risk_table, rmst, survival_of
from ratebook.tables import empty_frame

NAN = float("nan")
A_TEST = "a test has no estimate"
COMMON_OUTCOME = 0.15
"""Share with the outcome above which a hazard ratio is not a risk ratio (methods.md, C9)."""


def fit_models(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    end_reasons: dict[str, str],
    spell_gap_days: int,
    covariates: list[str],
    hazard_cuts_days: list[int],
    horizons_days: list[int],
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare the arms' hazard of ending engagement, and say how far a single hazard ratio can be trusted.

    The event is what the config calls `event`; competing ends and censorings leave the risk set, so the hazards
    are cause-specific. Errors are clustered by provider, with Student's t for the number of providers. The
    log-rank test takes persons as independent and is shown for the record; the permutation test moves whole
    providers between the arms, which is how the arms came about.

    Returns
    -------
    EngagementModels
        Rows of log_rank, cox_unadjusted, cox_adjusted, ph_test_unadjusted, ph_test_adjusted,
        piecewise_exponential, permutation, censoring and e_value; without both arms, each with its reason.

    References
    ----------
    methods.md, C2, C4, C6, C9; D5 for few providers.
    """
    persons = engaged_persons(cohort, spells, end_reasons, spell_gap_days)
    absent = [arm for arm in ARMS if not (persons.arm == arm).any()]
    if absent:
        reason = "no person in " + " and ".join(absent)
        names = ("log_rank", "cox_unadjusted", "cox_adjusted", "piecewise_exponential", "permutation", "e_value")
        return _frame([_row(name, "RSN vs CSP", persons, reason=reason) for name in names])
    event = (persons.role == "event").to_numpy()
    treated = (persons.arm == ARMS[0]).to_numpy()
    cluster = cluster_codes(persons.provider_id)
    arm = pd.DataFrame({"RSN vs CSP": treated.astype(float)})
    matrix = pd.concat([arm, design_matrix(persons, covariates)], axis=1)
    unadjusted, rows_u = _cox_rows("unadjusted", persons, event, arm, cluster)
    _, rows_a = _cox_rows("adjusted", persons, event, matrix, cluster)
    rows = [*_log_rank_rows(persons, event), *rows_u, *rows_a]
    rows += _piecewise_rows(persons, event, treated, cluster, hazard_cuts_days)
    rows += _permutation_rows(persons, treated, horizons_days, permutations, seed)
    rows += [_censoring_row(persons, end_reasons)]
    rows += _e_value_rows(persons, event, unadjusted)
    return _frame(rows)


def _frame(rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows).reindex(columns=list(EngagementModels.types()))
    whole = [name for name, kind in EngagementModels.types().items() if kind == "int64"]
    return frame.astype({name: "Int64" for name in whole}) if len(frame) else empty_frame(EngagementModels)


def _row(model: str, term: str, persons: pd.DataFrame, **values) -> dict:
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


def _coefficient(estimate: float, error: float, quantile: float, naive: float, scale: str = "log") -> dict:
    low, high = estimate - quantile * error, estimate + quantile * error
    found = {"estimate": estimate, "std_error": error, "lower": low, "upper": high, "naive_std_error": naive}
    known = np.isfinite(error) and error > 0
    statistic = estimate / error if known else NAN
    found |= {"scale": scale, "statistic": statistic, "degrees": 1 if known else None}
    found["reason"] = None if known else "one provider: no clustered error"
    if scale == "log":
        found |= {"ratio": np.exp(estimate), "ratio_lower": np.exp(low), "ratio_upper": np.exp(high)}
    return found


def _log_rank_rows(persons: pd.DataFrame, event) -> list[dict]:
    if not event.any():
        return [_row("log_rank", "RSN vs CSP", persons, reason="no event")]
    rows = []
    for weighting in ("log_rank", "gehan"):
        found = log_rank(persons.days, event, persons.arm, weighting)
        test = {"statistic": found.chi2, "degrees": found.df, "p_value": found.p_value}
        rows.append(_row(weighting, "RSN vs CSP", persons, **test))
    return rows


def _cox_rows(name: str, persons: pd.DataFrame, event, matrix: pd.DataFrame, cluster) -> tuple[Cox | None, list[dict]]:
    days = persons.days.to_numpy()
    fitted = fit_cox(days, event, matrix, cluster)
    if isinstance(fitted, str):
        return None, [_row(f"cox_{name}", "RSN vs CSP", persons, reason=fitted)]
    quantile = float(student.ppf(0.975, max(fitted.clusters - 2, 1)))
    rows = []
    for place, term in enumerate(fitted.terms):
        errors = np.sqrt(fitted.robust[place, place]), np.sqrt(fitted.naive[place, place])
        found = _coefficient(fitted.beta[place], errors[0], quantile, errors[1])
        p_value = 2 * student.sf(abs(found["statistic"]), max(fitted.clusters - 2, 1))
        rows.append(_row(f"cox_{name}", term, persons, **{**found, "p_value": p_value}))
    tested = test_proportionality(days, event, matrix, fitted.beta)
    for term, statistic, degrees, p_value in zip(*tested):
        test = {"statistic": statistic, "degrees": degrees, "p_value": p_value}
        rows.append(_row(f"ph_test_{name}", term, persons, **test))
    return fitted, rows


def _piecewise_rows(persons: pd.DataFrame, event, treated, cluster, cuts: list[int]) -> list[dict]:
    """Hazard ratio within each interval, the hazard constant in it: events / person-days, RSN over CSP.

    The saturated Poisson model has this closed form; its error sums each provider's residuals.
    """
    edges = [0, *cuts, np.inf]
    days = persons.days.to_numpy()
    rows = []
    for low, high in itertools.pairwise(edges):
        term = f"days {low + 1}-{high}" if np.isfinite(high) else f"days over {low}"
        time = np.clip(days, low, high) - low
        ends = event & (days > low) & (days <= high)
        rows.append(_interval_row(term, persons, time, ends, treated, cluster))
    return rows


def _interval_row(term: str, persons, time, ends, treated, cluster) -> dict:
    scores = []
    rates = []
    for chosen in (treated, ~treated):
        events, exposure = ends[chosen].sum(), time[chosen].sum()
        if events == 0:
            reason = "no event of an arm in the interval"
            return _row("piecewise_exponential", term, persons, events=int(ends.sum()), reason=reason)
        rates.append(events / exposure)
        scores.append(np.where(chosen, (ends - rates[-1] * time) / events, 0.0))
    per_person = scores[0] - scores[1]
    sums = np.bincount(cluster, per_person)
    groups = len(sums)
    robust = float(np.sqrt((sums**2).sum() * groups / (groups - 1))) if groups > 1 else NAN
    naive = float(np.sqrt(sum(1 / ends[chosen].sum() for chosen in (treated, ~treated))))
    degrees = max(groups - 2, 1)
    found = _coefficient(float(np.log(rates[0] / rates[1])), robust, float(student.ppf(0.975, degrees)), naive)
    p_value = 2 * student.sf(abs(found["statistic"]), degrees)
    return _row("piecewise_exponential", term, persons, **{**found, "events": int(ends.sum()), "p_value": p_value})


def _permutation_rows(persons, treated, horizons_days, permutations, seed) -> list[dict]:
    """Move whole providers between the arms: how often is the difference of restricted means as large by chance.

    A provider that serves both arms moves with the arm of most of its clients, and counts there in full.
    """
    cluster = cluster_codes(persons.provider_id)
    ended = (persons.role != "censor").to_numpy()
    groups = int(cluster.max()) + 1
    home = np.bincount(cluster, treated, groups) / np.bincount(cluster, minlength=groups) > 0.5
    if min(home.sum(), (~home).sum()) < 2:
        reason = "fewer than two providers in an arm: nothing to permute"
        return [_row("permutation", f"rmst difference, {tau} days", persons, reason=reason) for tau in horizons_days]
    table = risk_table(persons.days, ended, unit=cluster, units=groups)
    generator = np.random.default_rng(seed)
    labels = np.vstack([home, generator.permuted(np.tile(home, (permutations, 1)), axis=1)]).astype(float)
    curves = [survival_of(table.total(chosen)) for chosen in (labels, 1 - labels)]
    rows = []
    for tau in horizons_days:
        gaps = np.abs(np.subtract(*(rmst(table.time, curve, tau) for curve in curves)))
        p_value = float((gaps >= gaps[0] - 1e-9).mean())
        rows.append(_row("permutation", f"rmst difference, {tau} days", persons, p_value=p_value))
    return rows


def _censoring_row(persons: pd.DataFrame, end_reasons: dict[str, str]) -> dict:
    """Are unseen ends alike in the arms: chi-squared of arm by end reason among the censored."""
    censored = [reason for reason, role in end_reasons.items() if role == "censor"]
    counts = pd.crosstab(persons.end_reason[persons.end_reason.isin(censored)], persons.arm)
    if min(counts.shape, default=0) < 2:
        return _row("censoring", "end reason by arm", persons, reason="fewer than two kinds of censoring, or arms")
    statistic, p_value, degrees, _ = chi2_contingency(counts.sort_index(), correction=False)
    return _row("censoring", "end reason by arm", persons, statistic=statistic, degrees=degrees, p_value=p_value)


def e_value(ratio: float, lower: float, upper: float) -> tuple[float, float]:
    """Give how strong a hidden cause would have to be to explain a risk ratio, and to explain its nearer limit.

    Both ties, to the arm and to the outcome, would have to be at least this risk ratio. 1 for a limit on the
    other side of 1: there chance alone is enough.

    References
    ----------
    methods.md, C9; VanderWeele & Ding 2017.
    """
    if ratio < 1:
        ratio, lower, upper = 1 / ratio, 1 / upper, 1 / lower
    nearer = max(lower, 1.0)
    return tuple(float(value + np.sqrt(value * (value - 1))) for value in (ratio, nearer))


def risk_ratio_of_hazard(ratio: float) -> float:
    """Turn the hazard ratio of a common outcome into a risk ratio (methods.md, C9)."""
    return float((1 - 0.5 ** np.sqrt(ratio)) / (1 - 0.5 ** np.sqrt(1 / ratio)))


def _e_value_rows(persons, event, fitted: Cox | None) -> list[dict]:
    if fitted is None:
        return [_row("e_value", "RSN vs CSP", persons, reason="no hazard ratio to judge")]
    error = np.sqrt(fitted.robust[0, 0])
    error = error if np.isfinite(error) else np.sqrt(fitted.naive[0, 0])
    ratios = np.exp(fitted.beta[0] + norm.ppf([0.5, 0.025, 0.975]) * error)
    if event.mean() > COMMON_OUTCOME:
        ratios = [risk_ratio_of_hazard(ratio) for ratio in ratios]
    point, limit = e_value(*ratios)
    reason = "lower is the E-value of the confidence limit nearer 1; there is no upper"
    found = {"scale": "identity", "estimate": point, "lower": limit, "reason": reason}
    return [_row("e_value", "RSN vs CSP", persons, **found)]
