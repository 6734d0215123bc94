"""The tornado: headline contrasts of RSN with CSP under every other choice that could have been made."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.review import Sensitivity
from ratebook.tables import empty_frame

LENGTH = "length of engagement"
PRICE = "program cost per engaged month"
TOTAL = "total SUD cost per member"
CHOICES = ("gap rule", "single-contact spells", "disenrolment", "readmission", "informative censoring")
"""Analyses of the length of engagement that vary a choice or an assumption (methods.md, C9)."""


def estimate_sensitivity(
    engagement: pd.DataFrame, engagement_sensitivity: pd.DataFrame, pmpm: pd.DataFrame, total_cost: pd.DataFrame
) -> pd.DataFrame:
    """Set the headline contrasts beside what other choices give.

    The headlines are the difference in restricted mean engagement (contacts, Kaplan-Meier, longest horizon that
    could be estimated), in program cost per engaged month, and in total SUD cost per member adjusted for
    censoring. Varied are the gap rule, single-contact spells, disenrolment, what became of those censored, the
    horizon, the clock, the estimator, how months are counted, and whether the navigator's own cost is in the total. `sign_change` says that an estimate has
    the other sign than the headline; an estimate of exactly zero has none.

    Parameters
    ----------
    engagement, engagement_sensitivity, pmpm, total_cost : Engagement, EngagementSensitivity, Pmpm, TotalCost

    Returns
    -------
    Sensitivity

    References
    ----------
    methods.md, C9, H24, H34, H69.
    """
    means = engagement[(engagement.arm == "RSN vs CSP") & (engagement.estimand == "rmst_difference")]
    base = means[(means.clock == "contact") & (means.method == "kaplan_meier")].sort_values("tau_days")
    known = base[base.estimate.notna()]
    rows = []
    if len(base):
        headline = (known if len(known) else base).iloc[-1]
        tau = int(headline.tau_days)
        rows += _rows(LENGTH, "horizon", base, base.tau_days.astype(int).astype(str) + " days", headline)
        same = means[(means.tau_days == tau) & (means.clock == "contact")]
        rows += _rows(LENGTH, "estimator", same, same.method, headline)
        clocks = means[(means.tau_days == tau) & (means.method == "kaplan_meier")]
        rows += _rows(LENGTH, "clock", clocks, clocks.clock, headline)
        for choice in CHOICES:
            own = engagement_sensitivity[engagement_sensitivity.analysis == choice]
            rows += [
                _row(
                    LENGTH,
                    choice,
                    row.variant,
                    row.estimate,
                    row.lower,
                    row.upper,
                    headline.estimate,
                    row.reason,
                    row.is_base,
                )
                for row in own.itertuples()
            ]
    price = pmpm[(pmpm.variant == "P1") & (pmpm.numerator == "program") & (pmpm.arm == "difference")]
    headline = price[price.month_rule == "exact"]
    rows += _rows(PRICE, "months", price, price.month_rule, headline.iloc[0] if len(headline) else None)
    cost = total_cost[(total_cost.arm == "difference") & (total_cost.method == "partitioned")]
    sud = total_cost[(total_cost.arm == "difference") & (total_cost.estimand == "total_sud")]
    headline = sud[sud.method == "partitioned"]
    headline = headline.iloc[0] if len(headline) else None
    rows += _rows(TOTAL, "estimator", sud, sud.method, headline)
    rows += _rows(TOTAL, "what is counted", cost, cost.estimand, headline)
    if not rows:
        return empty_frame(Sensitivity)
    return pd.DataFrame(rows).drop_duplicates(["quantity", "factor", "setting"], ignore_index=True)


def _rows(quantity: str, factor: str, found: pd.DataFrame, settings: pd.Series, headline) -> list[dict]:
    """Turn rows of an estimate table into rows of the tornado; the headline's own row is the base."""
    name = "estimate" if "estimate" in found else "estimate_usd"
    centre = np.nan if headline is None else headline[name]
    return [
        _row(
            quantity,
            factor,
            setting,
            row[name],
            row.lower,
            row.upper,
            centre,
            row.reason,
            headline is not None and row.name == headline.name,
        )
        for (_, row), setting in zip(found.iterrows(), settings)
    ]


def _row(quantity, factor, setting, estimate, lower, upper, centre, reason, is_base) -> dict:
    can_tell = not (pd.isna(estimate) or pd.isna(centre))
    return {
        "quantity": quantity,
        "factor": factor,
        "setting": str(setting),
        "is_base": bool(is_base),
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "sign_change": bool(estimate * centre < 0) if can_tell else None,
        "unit": "days" if quantity == LENGTH else "usd",
        "reason": reason,
    }
