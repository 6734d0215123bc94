"""Do the arms differ, does the difference change with time, and how strong would a hidden cause have to be."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, norm

from ratebook.contracts.engagement import CONTRAST, EngagementModels
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.aft import aft_rows, check_aft, fit_families
from ratebook.engagement.competing import competing_rows
from ratebook.engagement.cox import Cox, fit_cox, test_proportionality
from ratebook.engagement.e_values import e_value, risk_ratio_of_hazard
from ratebook.engagement.few_clusters import wild_rows
from ratebook.engagement.frailty import frailty_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.model_rows import NAN, TOO_FEW, Study, cox_coefficient, model_row, study_of
from ratebook.engagement.piecewise import discrete_row, piecewise_rows
from ratebook.engagement.recurrent import recurrent_rows
from ratebook.engagement.resampling import cluster_codes
from ratebook.engagement.survival import greenwood, log_rank, risk_table, rmst, survival_of, value_at
from ratebook.tables import frame_of

COMMON_OUTCOME = 0.15
"""Share with the outcome above which a hazard ratio is not a risk ratio (methods.md, C9)."""
AT_ONCE = "all ends come on one day: no change with time to test"
COMPARED = (
    "log_rank", "gehan", "log_rank_by_region", "cox_unadjusted", "cox_adjusted", "ph_test_unadjusted", "ph_test_adjusted",
    "crossing", "piecewise_exponential", "discrete_time", "aft_weibull", "aft_lognormal", "aft_loglogistic",
    "aft_generalised_gamma", "cause_specific", "fine_gray", "andersen_gill", "pwp_gap_time", "frailty", "permutation",
    "wild_bootstrap", "e_value",
)  # fmt: skip
"""Models that need both arms: without one, each has a row that says so."""


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
    are cause-specific, but for fine_gray. Errors are clustered by provider, with Student's t for the number of
    providers. The log-rank test takes persons as independent and is shown for the record; the permutation test
    moves whole providers between the arms, which is how the arms came about.

    Returns
    -------
    EngagementModels
        Rows of `COMPARED`, of censoring, and of the adjusted models; without both arms, each with its reason.

    References
    ----------
    methods.md, C2, C4 to C7, C9; D5 for few providers.
    """
    persons = engaged_persons(cohort, spells, end_reasons, spell_gap_days)
    absent = [arm for arm in ARMS if not (persons.arm == arm).any()]
    if absent:
        reason = "no person in " + " and ".join(absent)
        return frame_of([model_row(name, CONTRAST, persons, reason=reason) for name in COMPARED], EngagementModels)
    study = study_of(persons, covariates)
    unadjusted, rows_u = _cox_rows("unadjusted", study, study.arm)
    _, rows_a = _cox_rows("adjusted", study, study.matrix)
    rows = [*_log_rank_rows(study), *rows_u, *rows_a, _crossing_row(study)]
    rows += [*piecewise_rows(study, hazard_cuts_days), discrete_row(study), *aft_rows(study), *competing_rows(study)]
    rows += recurrent_rows(study, cohort, spells, end_reasons, spell_gap_days)
    rows += frailty_rows(study, hazard_cuts_days)
    rows += _permutation_rows(persons, study.treated, horizons_days, permutations, seed)
    rows += wild_rows(study, horizons_days, permutations, seed)
    rows += [_censoring_row(persons, end_reasons)]
    rows += [_e_value_row(study, unadjusted)]
    return frame_of(rows, EngagementModels)


def overlay_families(
    cohort: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    end_reasons: dict[str, str],
    spell_gap_days: int,
    horizons_days: list[int],
) -> pd.DataFrame:
    """Lay the curve of every parametric family over the Kaplan-Meier, to the longest horizon.

    Returns
    -------
    AftCheck
        Empty without both arms.

    References
    ----------
    methods.md, C5.
    """
    study = study_of(engaged_persons(cohort, spells, end_reasons, spell_gap_days), [])
    fitted = fit_families(study) if len(set(study.treated)) == len(ARMS) else {}
    return check_aft(study, fitted, max(horizons_days))


def _log_rank_rows(study: Study) -> list[dict]:
    region = study.persons.region.astype("object").fillna("unknown")
    kinds = {"log_rank": {}, "gehan": {"weighting": "gehan"}, "log_rank_by_region": {"strata": region}}
    rows = []
    for name, options in kinds.items():
        if not study.event.any():
            rows.append(model_row(name, CONTRAST, study.persons, reason="no event"))
            continue
        found = log_rank(study.days, study.event, study.persons.arm, **options)
        test = {"statistic": found.chi2, "degrees": found.df, "p_value": found.p_value}
        rows.append(model_row(name, CONTRAST, study.persons, **test))
    return rows


def _cox_rows(name: str, study: Study, matrix: pd.DataFrame) -> tuple[Cox | None, list[dict]]:
    fitted = fit_cox(study.days, study.event, matrix, study.cluster)
    if isinstance(fitted, str):
        names = (f"cox_{name}", f"ph_test_{name}")
        return None, [model_row(model, CONTRAST, study.persons, reason=fitted) for model in names]
    rows = [
        model_row(f"cox_{name}", term, study.persons, **cox_coefficient(fitted, study.degrees, place))
        for place, term in enumerate(fitted.terms)
    ]
    tested = test_proportionality(study.days, study.event, matrix, fitted.beta)
    for term, statistic, degrees, p_value in zip(*tested):
        test = {"statistic": statistic, "degrees": degrees, "p_value": p_value}
        test |= {} if np.isfinite(statistic) else {"degrees": None, "reason": AT_ONCE}
        rows.append(model_row(f"ph_test_{name}", term, study.persons, **test))
    return fitted, rows


def _crossing_row(study: Study) -> dict:
    """Say on which day the arms' curves cross for good to see.

    They cross where the difference of the curves changes sign between a day on which it is above 0 and one on which
    it is below, both by more than 1.96 standard errors: curves that touch by chance do not cross.

    References
    ----------
    methods.md, C4: one hazard ratio or the restricted mean.
    """
    if study.degrees == 0:
        return model_row("crossing", CONTRAST, study.persons, scale="identity", reason=TOO_FEW)
    tables = [
        risk_table(study.days[chosen], study.event[chosen]).total() for chosen in (study.treated, ~study.treated)
    ]
    last = min(study.days[chosen].max() for chosen in (study.treated, ~study.treated))
    day = np.unique(np.concatenate([table.time for table in tables]))
    day = day[day <= last]
    gap = np.subtract(*(value_at(table.time, survival_of(table), day) for table in tables))
    error = np.sqrt(sum(value_at(table.time, greenwood(table), day, 0.0) for table in tables))
    told = np.flatnonzero(np.abs(gap) > norm.ppf(0.975) * error)
    turns = np.flatnonzero(np.diff(np.sign(gap[told])) != 0)
    if not len(turns):
        return model_row("crossing", CONTRAST, study.persons, scale="identity", reason="the curves do not cross")
    before, after = told[turns[0]], told[turns[0] + 1]
    between = np.flatnonzero(np.sign(gap[before : after + 1]) == np.sign(gap[after]))
    found = {"scale": "identity", "estimate": float(day[before + between[0]])}
    return model_row("crossing", CONTRAST, study.persons, **found, reason="the day of a crossing has no interval")


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
        return [
            model_row("permutation", f"rmst difference, {tau} days", persons, reason=reason) for tau in horizons_days
        ]
    table = risk_table(persons.days, ended, unit=cluster, units=groups)
    generator = np.random.default_rng(seed)
    labels = np.vstack([home, generator.permuted(np.tile(home, (permutations, 1)), axis=1)]).astype(float)
    curves = [survival_of(table.total(chosen)) for chosen in (labels, 1 - labels)]
    rows = []
    for tau in horizons_days:
        gaps = np.abs(np.subtract(*(rmst(table.time, curve, tau) for curve in curves)))
        p_value = float((gaps >= gaps[0] - 1e-9).mean())
        rows.append(model_row("permutation", f"rmst difference, {tau} days", persons, p_value=p_value))
    return rows


def _censoring_row(persons: pd.DataFrame, end_reasons: dict[str, str]) -> dict:
    """Are unseen ends alike in the arms: chi-squared of arm by end reason among the censored."""
    censored = [reason for reason, role in end_reasons.items() if role == "censor"]
    counts = pd.crosstab(persons.end_reason[persons.end_reason.isin(censored)], persons.arm)
    if min(counts.shape, default=0) < 2:
        return model_row(
            "censoring", "end reason by arm", persons, reason="fewer than two kinds of censoring, or arms"
        )
    statistic, p_value, degrees, _ = chi2_contingency(counts.sort_index(), correction=False)
    return model_row("censoring", "end reason by arm", persons, statistic=statistic, degrees=degrees, p_value=p_value)


def _e_value_row(study: Study, fitted: Cox | None) -> dict:
    """Judge the unadjusted hazard ratio by its interval, the one of its row; without one there is no limit."""
    if fitted is None:
        return model_row("e_value", CONTRAST, study.persons, reason="no hazard ratio to judge")
    found = cox_coefficient(fitted, study.degrees)
    ratios = [found[name] for name in ("ratio", "ratio_lower", "ratio_upper")]
    if study.event.mean() > COMMON_OUTCOME:
        ratios = [risk_ratio_of_hazard(ratio) for ratio in ratios]
    is_limited = bool(np.isfinite(ratios).all())
    point, limit = e_value(*(ratios if is_limited else ratios[:1] * 3))
    reason = "lower is the E-value of the confidence limit nearer 1; there is no upper" if is_limited else TOO_FEW
    cells = {"scale": "identity", "estimate": point, "lower": limit if is_limited else NAN, "reason": reason}
    return model_row("e_value", CONTRAST, study.persons, **cells)
