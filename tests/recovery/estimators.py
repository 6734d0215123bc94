"""What is asked of one program: the pipeline's own functions, and of their rows what a truth is known for.

Each estimator takes the cohort, its spells and a seed, and gives rows with estimand, method, tau_days, arm, estimate,
lower, upper, std_error, p_value and fewest_persons, the persons without whom a share would tell of few. Wherever it is affordable the stage's entry is called as its door calls it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from ratebook.contracts.episodes import CohortFlow
from ratebook.engagement.curves import curves_by_arm, incidence_rows, rmst_rows
from ratebook.engagement.estimate import estimate_survival
from ratebook.engagement.few_clusters import wild_rows
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.model_rows import arm_row, study_of
from ratebook.engagement.models import _permutation_rows
from ratebook.engagement.resampling import resample
from ratebook.engagement.trial import estimate_trial
from ratebook.tables import empty_frame
from recovery.world import COVARIATES, GAP_DAYS

HORIZONS_DAYS = (90, 180, 365)
INCIDENCE_DAYS = (28, 91, 182, 364)
LANDMARK_DAYS = 30
GRACE_DAYS = 14
TEST_DAYS = 180
REPLICATES = 300
"""The default run has 500; so many make an interval of one program noisier, not shorter."""
END_REASONS = {
    "disengaged": "event",
    "graduated": "event",
    "lost": "event",
    "death": "competing",
    "readmitted": "competing",
    "disenrolled": "censor",
    "end_of_data": "censor",
}
CAUSES = [reason for reason, role in END_REASONS.items() if role != "censor"]
MIN_OBSERVED_SHARE = 0.1
COLUMNS = [
    "estimand",
    "method",
    "tau_days",
    "arm",
    "estimate",
    "lower",
    "upper",
    "std_error",
    "p_value",
    "fewest_persons",
]


def curves(cohort, spells, seed) -> pd.DataFrame:
    """Kaplan-Meier and Aalen-Johansen with their provider bootstrap: the headline and nothing else."""
    persons = engaged_persons(cohort, spells, END_REASONS, GAP_DAYS)
    draws = resample(persons.arm, persons.provider_id, REPLICATES, seed)
    found = curves_by_arm(persons, persons.days, draws, CAUSES)
    rows = rmst_rows(found, draws, "contact", "kaplan_meier", list(HORIZONS_DAYS), MIN_OBSERVED_SHARE)
    incidence = incidence_rows(found, draws, CAUSES, max(HORIZONS_DAYS))
    return _tidy([*rows, *_incidences(pd.DataFrame(incidence))])


def survival(cohort, spells, seed, covariates=COVARIATES) -> pd.DataFrame:
    """Everything the door of `estimate_survival` makes: plain, weighted and regressed restricted means."""
    found = estimate_survival(
        cohort,
        spells,
        end_reasons=END_REASONS,
        spell_gap_days=GAP_DAYS,
        horizons_days=list(HORIZONS_DAYS),
        min_observed_share=MIN_OBSERVED_SHARE,
        survival_months=12,
        covariates=list(covariates),
        boot_reps=REPLICATES,
        seed=seed,
    )
    rows = found.engagement[found.engagement.clock == "contact"].to_dict("records")
    return _tidy([*rows, *_incidences(found.cumulative_incidence)])


def trial(cohort, spells, seed, covariates=COVARIATES, more_days=()) -> pd.DataFrame:
    """Everything the door of `estimate_trial` makes: as treated, from the landmark, by weighted clones.

    `more_days` are further landmarks and periods of grace.
    """
    found = estimate_trial(
        cohort,
        empty_frame(CohortFlow),
        spells,
        spell_gap_days=GAP_DAYS,
        assignment_days=90,
        horizons_days=list(HORIZONS_DAYS),
        landmark_days=[LANDMARK_DAYS, *more_days],
        grace_days=[GRACE_DAYS, *more_days],
        covariates=list(covariates),
        boot_reps=REPLICATES,
        seed=seed,
    )
    return _tidy(found.trial.to_dict("records"))


def tests(cohort, spells, seed) -> pd.DataFrame:
    """Is there a difference: every test of the arms the pipeline prints, and two that ignore who the provider is."""
    persons = engaged_persons(cohort, spells, END_REASONS, GAP_DAYS)
    draws = resample(persons.arm, persons.provider_id, REPLICATES, seed)
    found = curves_by_arm(persons, persons.days, draws, CAUSES)
    rows = pd.DataFrame(rmst_rows(found, draws, "contact", "kaplan_meier", [TEST_DAYS], MIN_OBSERVED_SHARE))
    headline = rows[rows.estimand == "rmst_difference"].iloc[0]
    degrees = sum(draws.equals.values()) - 2
    model = study_of(persons, [])
    cox = arm_row("cox", "RSN vs CSP", persons, model.days, model.event, model.arm, model.cluster)
    wild = {row["term"]: row["p_value"] for row in wild_rows(model, [TEST_DAYS], 999, seed)}
    moved = _permutation_rows(persons, model.treated, [TEST_DAYS], 499, seed)[0]
    p_values = {
        "provider bootstrap, restricted mean": 2 * student.sf(abs(headline.estimate) / headline.std_error, degrees),
        "persons independent, restricted mean": 2 * norm.sf(abs(headline.estimate) / headline.naive_std_error),
        "clustered Cox": cox["p_value"],
        "persons independent, Cox": 2 * norm.sf(abs(cox["estimate"]) / cox["naive_std_error"]),
        "permuted providers, restricted mean": moved["p_value"],
        **{f"wild bootstrap, {term}": p_value for term, p_value in wild.items()},
    }
    return _tidy(
        {"estimand": "p_value", "method": method, "tau_days": TEST_DAYS, "arm": "RSN vs CSP", "p_value": p_value}
        for method, p_value in p_values.items()
    )


def _incidences(incidence: pd.DataFrame) -> list[dict]:
    mine = incidence[incidence.day.isin(INCIDENCE_DAYS)]
    names = "incidence of " + mine.end_reason
    named = mine.assign(estimand=names, method="aalen_johansen", tau_days=mine.day, estimate=mine.incidence)
    named["fewest_persons"] = mine.ended
    return named.to_dict("records")


def _tidy(rows) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows)).reindex(columns=COLUMNS)
    ratio = frame.estimand.str.endswith("_ratio")
    return frame[~ratio].astype({name: float for name in COLUMNS[4:]}).astype({"tau_days": "float"})


def known(rows: pd.DataFrame, truth: dict) -> pd.DataFrame:
    """Keep the rows a truth is known for, with it; a method's truth may go by its family's name."""
    family = rows.method.map(TRUTH_OF_METHOD).fillna(rows.method)
    key = list(zip(rows.estimand, family, rows.tau_days.fillna(0).astype(int), rows.arm))
    found = rows.assign(truth=[truth.get(one, np.nan) for one in key])
    return found[found.truth.notna()]


TRUTH_OF_METHOD = {
    f"landmark_{LANDMARK_DAYS}": "landmark",
    f"clone_censor_weight_{GRACE_DAYS}": "clone_censor_weight",
    "naive": "clone_censor_weight",
    "by_site": "clone_censor_weight",
    "ipcw": "kaplan_meier",
    "pseudo_values": "overlap_weighted",
    "competing_censored": "no truth: the ends it censors are not independent",
}
"""What each method is held against; `naive` against what sending everybody to the arm would do."""
