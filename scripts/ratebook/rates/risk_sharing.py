"""What moves between state and plan when cost misses its target: withhold, corridor, loss ratio and remittance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.risk_sharing import RiskSharing
from ratebook.rates.build_up import settle_corridor
from ratebook.tables import empty_frame

RATIOS = np.round(np.arange(0.80, 1.2001, 0.02), 2)
GIVEN = "what would be settled at this ratio, the rates taken as known: no interval"
TOO_SMALL = "too few member months to judge the loss ratio: it is taken as met; rates taken as known: no interval"
CREDIBILITY = (
    (5_400, 0.084),
    (12_000, 0.057),
    (24_000, 0.040),
    (48_000, 0.029),
    (96_000, 0.020),
    (192_000, 0.015),
    (380_000, 0.010),
)
"""Member months to what is added to the loss ratio of a Medicaid plan so large; methods.md, E6."""


def mlr_credibility(member_months: float) -> float:
    """Give what is added to a plan's loss ratio because chance moves that of few members.

    Between the table's sizes it is interpolated. Below the smallest the plan is not credible: not a number, and its
    loss ratio is taken as met. Beyond the largest it is fully credible: 0.

    References
    ----------
    methods.md, E6; 42 CFR 438.8(h).
    """
    months, added = zip(*CREDIBILITY)
    return float(np.interp(member_months, months, added, left=np.nan, right=0.0))


def remittance(adjusted_mlr, min_mlr: float, revenue_usd):
    """Give what a plan pays back: the shortfall of its loss ratio times revenue net of taxes; 0 where it is not judged."""
    return np.nan_to_num(np.maximum(min_mlr - np.asarray(adjusted_mlr, dtype=float), 0.0)) * revenue_usd


def derive_risk_sharing(rates: pd.DataFrame, plan_rates: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Settle a year like the base, plan by plan, at every ratio of cost to target from 80% to 120%.

    The plan has its rates, loses what it does not earn of the withhold, settles the corridor on its claims, and pays
    back what its loss ratio falls short. The corridor counts as revenue in the loss ratio, so that what it
    took back is not paid back twice.

    Parameters
    ----------
    rates : Rates
        cell, rate_usd, benefit_usd, fixed_pmpm_usd, admin_usd, tax_usd.
    plan_rates : PlanRates
        cell, plan, member_months, normalised_score, plan_rate_usd.
    settings : dict
        `config.yaml` rates.

    Returns
    -------
    RiskSharing

    References
    ----------
    methods.md, E5, E6 and E9.
    """
    parts = ["benefit_usd", "fixed_pmpm_usd", "admin_usd", "tax_usd"]
    rated = rates[rates.rate_usd.notna()][["cell", *parts]]
    cells = plan_rates[plan_rates.plan_rate_usd.notna()].merge(rated, on="cell").sort_values(["plan", "cell"])
    rows = [_settle(plan, of_plan, settings) for plan, of_plan in cells.groupby("plan", sort=True)]
    return pd.concat(rows, ignore_index=True)[list(RiskSharing.types())] if rows else empty_frame(RiskSharing)


def _settle(plan: str, cells: pd.DataFrame, settings: dict) -> pd.DataFrame:
    months = cells.member_months.astype(float)
    # A plan's risk scales every part of its rate alike.
    exposed = months * cells.normalised_score
    premium = float((months * cells.plan_rate_usd.astype(float)).sum())
    target, care, admin, tax = (
        float((exposed * cells[part]).sum()) for part in ("benefit_usd", "fixed_pmpm_usd", "admin_usd", "tax_usd")
    )
    withheld, earned = (settings["withhold"][name]["value"] for name in ("withheld_share", "earned_share"))
    unearned = premium * withheld * (1 - earned)
    claims = RATIOS * target
    corridor = settle_corridor(claims, target, settings["corridor"]["value"]) if target > 0 else np.zeros(len(RATIOS))
    revenue = premium - unearned + corridor - tax
    mlr = (claims + care) / np.where(revenue > 0, revenue, np.nan)
    added = mlr_credibility(months.sum())
    returned = remittance(mlr + added, settings["min_mlr"], revenue)
    state_pays = premium - unearned + corridor - returned
    return pd.DataFrame(
        {
            "plan": plan,
            "actual_to_target": RATIOS,
            "member_months": float(months.sum()),
            "premium_usd": premium,
            "target_usd": target,
            "claims_usd": claims,
            "care_management_usd": care,
            "admin_usd": admin,
            "tax_usd": tax,
            "unearned_usd": unearned,
            "corridor_usd": corridor,
            "mlr": mlr,
            "mlr_credibility": added,
            "adjusted_mlr": mlr + added,
            "remittance_usd": returned,
            "state_pays_usd": state_pays,
            "plan_result_usd": state_pays - claims - care - admin - tax,
            "reason": TOO_SMALL if np.isnan(added) else GIVEN,
        }
    )
