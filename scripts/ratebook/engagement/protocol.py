"""The protocol of the target trial, and how the data emulate it, in the words of the settings in force."""

from __future__ import annotations

import pandas as pd

from ratebook.engagement.weights import LEAST


def write_protocol(
    cohort_flow: pd.DataFrame,
    assignment_days: int,
    horizons_days: list[int],
    landmark_days: list[int],
    grace_days: list[int],
    covariates: list[str],
    boot_reps: int,
) -> list[dict]:
    """Write one row per element of the protocol.

    Eligibility is the cohort's flow, rule by rule; a rule that looks ahead of discharge says by how many days.

    Returns
    -------
    list of dict
        Rows of `Protocol`.

    References
    ----------
    methods.md, B9; Hernán & Robins 2016.
    """
    grace = grace_days[0]
    rules = cohort_flow.sort_values("step")
    ahead = [f"{row.rule_id} ({row.days_ahead} d)" for row in rules.itertuples() if row.days_ahead > 0]
    rows = {
        "eligibility": (
            "Adults leaving detoxification alive, with detoxifications before, free to be referred to either program.",
            f"{'; '.join(rules.description)}. Rules that look beyond discharge: {', '.join(ahead) or 'none'}.",
            "episodes; results/episodes/cohort_flow",
        ),
        "strategies": (
            f"Start RSN, and no other program before it, within {grace} days of discharge unless readmitted before; start "
            "CSP so; start neither.",
            f"The program of the first valid contact on days 1 to {grace}. What follows the start, also contacts with "
            "the other program, belongs to the strategy. 'Neither' is described by who met nobody, and not contrasted.",
            "engagement.grace_days",
        ),
        "assignment": (
            "At random at discharge, not blinded.",
            "Taken as random given the covariates known at discharge and readmission so far: "
            f"{', '.join(covariates)}. By site: taken as random between sites. A first contact up to day "
            f"{assignment_days} names a member's program.",
            "engagement.covariates; episodes.assignment_days",
        ),
        "time_zero": (
            "Discharge: eligibility, assignment and the start of follow-up are one moment.",
            "Discharge from the index episode, for every member and every clone.",
            "results/episodes/cohort: discharge_date",
        ),
        "outcomes": (
            "Days engaged with a navigator; continued care, readmission and cost.",
            "Days within spells of contacts, first to last; 0 after death. Continued care and readmission in the tables "
            "of episodes, cost in those of cost, by the program first met.",
            "episodes.spell_gap_days",
        ),
        "follow_up": (
            f"{_days(horizons_days)} days from discharge, or to death.",
            f"{_days(horizons_days)} days. Who is disenrolled, or reaches the end of the data, leaves the days after to "
            "those still observed; the last silence that could not show its end is not counted as observed.",
            "engagement.horizons_days",
        ),
        "contrasts": (
            "RSN less CSP: by assignment (intention to treat) and as if everybody kept to the strategy (per protocol).",
            "By site stands for assignment: the kind of site that discharged the member, whoever was met. Clones stand "
            f"for the strategies; {_landmarks(landmark_days)} for a trial among those still there.",
            "engagement.landmark_days; results/episodes/cohort: site_arm",
        ),
        "analysis": (
            "Means of days engaged, by arm as assigned.",
            "Each member is a clone in either arm, censored on the day it deviates, and weighted for it: within grace by "
            "1 / the probability of not having started the other program (daily logistic hazards), beyond it so that "
            "those who kept to the strategy are, together, everybody followed, in number, covariates and readmissions "
            f"within grace; none stands for more than {1 / LEAST:.0f}. Errors resample providers {boot_reps} times, "
            "clones of a member together, all weights made anew.",
            "engagement.boot_reps",
        ),
        "sensitivity": (
            "Other grace periods; days with the strategy's own program alone.",
            f"Grace of {_days(grace_days)} days; landmarks; own_engaged_days. The effect is of the whole program: payment "
            "by case rate, training and client incentives came together.",
            "engagement.grace_days",
        ),
    }
    return [
        {"place": place, "element": element, "target_trial": trial, "emulation": emulation, "settings": settings}
        for place, (element, (trial, emulation, settings)) in enumerate(rows.items(), start=1)
    ]


def _days(days: list[int]) -> str:
    return ", ".join(f"{number}" for number in days)


def _landmarks(landmark_days: list[int]) -> str:
    return f"landmarks at day {' and '.join(f'{number}' for number in landmark_days)}"
