"""A small synthetic cohort with a known engagement, in the contracts' columns, and what is estimated of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from conftest import one_row
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement.estimate import estimate_survival
from ratebook.tables import empty_frame

END_REASONS = {
    "disengaged": "event",
    "lost": "event",
    "graduated": "event",
    "death": "competing",
    "readmitted": "competing",
    "disenrolled": "censor",
    "end_of_data": "censor",
}
COVARIATES = ["age_years", "sex", "region", "sud_cost_before_usd", "is_ama", "discharge_date"]
CAUSES = ["disengaged", "readmitted"]
"""The ways of ending that are drawn."""
SETTINGS = {
    "end_reasons": END_REASONS,
    "spell_gap_days": 30,
    "horizons_days": [90, 180, 365],
    "min_observed_share": 0.1,
    "survival_months": 24,
    "covariates": COVARIATES,
    "boot_reps": 60,
    "seed": 1,
}
MODEL_SETTINGS = {
    "end_reasons": END_REASONS,
    "spell_gap_days": 30,
    "covariates": COVARIATES,
    "hazard_cuts_days": [30, 90, 180],
    "horizons_days": [90, 180],
    "permutations": 99,
    "seed": 1,
}
QUICK = {**MODEL_SETTINGS, "permutations": 9, "horizons_days": [90]}


def study(persons=400, mean_days=(180.0, 60.0), providers=12, frailty=0.0, censor_days=900.0, seed=7):
    """Draw a cohort and its spells: exponential engagement, weekly contacts, ends seen after 30 days of silence."""
    rng = np.random.default_rng(seed)
    provider = rng.integers(0, 2 * providers, persons)
    is_rsn = provider < providers
    scale = np.where(is_rsn, *mean_days) * np.exp(frailty * rng.standard_normal(2 * providers))[provider]
    ends, observed = np.ceil(rng.exponential(scale)), 30 + np.ceil(rng.exponential(censor_days, persons))
    seen = ends + 30 < observed
    length = np.where(seen, ends, np.minimum(ends, np.maximum(observed - rng.integers(0, 7, persons), 1))).astype(int)
    reason = np.where(seen, np.where(rng.random(persons) < 0.15, "readmitted", "disengaged"), "end_of_data")
    discharge = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 365, persons), unit="D")
    first = discharge + pd.to_timedelta(rng.integers(1, 40, persons), unit="D")
    last = first + pd.to_timedelta(length - 1, unit="D")
    admin = np.minimum(length + np.where(is_rsn, 20, 5), observed).astype(int)
    arm = np.where(is_rsn, "RSN", "CSP")
    cohort = pd.DataFrame(
        {
            "person_id": [f"P{n:05d}" for n in range(persons)],
            "episode": 1,
            "index_admission_date": discharge - pd.Timedelta(days=5),
            "discharge_date": discharge,
            "facility_id": [f"F{n % 20:02d}" for n in provider],
            "arm": arm,
            "site_arm": arm,
            "provider_id": [f"O{n:02d}" for n in provider],
            "first_contact_date": first,
            "age_years": rng.integers(20, 64, persons) + 3 * is_rsn,
            "sex": rng.choice(["female", "male"], persons),
            "race": "unknown",
            "region": rng.choice(["east", "west", "north"], persons, p=[0.5, 0.3, 0.2]),
            "dx_class": rng.choice(["alcohol", "opioid"], persons),
            "los_days": 5,
            "is_ama": rng.random(persons) < 0.2,
            "n12": 2,
            "enrolled_days_before": 365,
            "sud_cost_before_usd": rng.gamma(2.0, 1500.0, persons).round(2),
            "total_cost_before_usd": 5000.0,
            "is_moud_before": False,
            "is_mental_before": False,
            "is_prior_program": False,
            "is_both_programs": False,
            "follow_end_date": first + pd.to_timedelta(observed - 1, unit="D"),
            "follow_end_reason": "end_of_data",
            "death_date": pd.NaT,
            "readmission_date": pd.NaT,
        }
    )
    spells = pd.DataFrame(
        {
            "person_id": cohort.person_id,
            "program": arm,
            "spell": 1,
            "provider_id": cohort.provider_id,
            "first_date": first,
            "last_date": last,
            "contacts": length // 7 + 1,
            "contact_days": length // 7 + 1,
            "minutes": 45,
            "billable_units": 3.0,
            "length_days": length,
            "admin_length_days": admin,
            "admin_end_reason": np.where(admin < observed, "ended", "end_of_data"),
            "floor_length_days": np.minimum(admin, -(-length // 30) * 30),
            "floor_end_reason": np.where(admin < observed, "ended", "end_of_data"),
            "source": "log",
            "end_reason": reason,
            "is_event": reason == "disengaged",
        }
    )
    dates = ["death_date", "readmission_date", "follow_end_date"]
    cohort = cohort.astype({name: "datetime64[s]" for name in dates})
    return cohort.reindex(columns=list(Cohort.types())), spells.reindex(columns=list(Spells.types()))


def nobody():
    """Give a cohort and spells without a row."""
    return empty_frame(Cohort), empty_frame(Spells)


def one_arm(base):
    """Keep RSN alone."""
    cohort, spells = base
    return cohort[cohort.arm == "RSN"], spells[spells.program == "RSN"]


def one_member(base):
    """Keep one member of RSN, and CSP."""
    cohort, spells = base
    keep = cohort.person_id.isin([*cohort.person_id[cohort.arm == "RSN"][:1], *cohort.person_id[cohort.arm == "CSP"]])
    return cohort[keep], spells[keep]


def one_provider(base):
    """Give everybody the same provider, whatever the arm."""
    cohort, spells = base
    return cohort.assign(provider_id="O1"), spells.assign(provider_id="O1")


def all_censored(base):
    """Let no spell's end be seen."""
    cohort, spells = base
    return cohort, spells.assign(end_reason="end_of_data", is_event=False)


def estimate(cohort, spells, **changes):
    """Estimate engagement by the usual settings, any of them changed."""
    return estimate_survival(cohort, spells, **{**SETTINGS, **changes})


def row(table, estimand, arm="RSN vs CSP", tau=180, clock="contact", method="kaplan_meier"):
    """Give the one row of an estimand: the headline's clock, method and contrast unless said otherwise."""
    return one_row(table, estimand=estimand, arm=arm, tau_days=tau, clock=clock, method=method)
