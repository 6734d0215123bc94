"""Cheaper by the month and dearer by the member: the identity that lets both be true, and the payment behind it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost_identity import NUMERATORS, FixedAndMonthly, Paradox
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Sample
from ratebook.cost.drawn import Drawn, same_length
from ratebook.cost.resample import named, per, replicate, summary
from ratebook.tables import frame_of

MONTHS = "engaged_months"
NO_MONTH = "an arm without an engaged month: no cost per month"
NO_SLOPE = "members' engaged months do not differ: no amount by the month"


def derive_paradox(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """Split the ratio of totals into that per month and that of months, and each arm's cost into F + v × months.

    Parameters
    ----------
    drawn : Drawn
        Both arms.

    Returns
    -------
    dict
        `paradox`, `fixed_and_monthly`.

    References
    ----------
    methods.md, D3: with C(D) = F + v·D the cost per engaged month is v + F / D, and the total ratio is the PMPM ratio
    × the duration ratio when the same costs are in both numerators.
    """
    seen = {arm: replicate(drawn.panels[arm], _observed, [drawn.weights[arm]]) for arm in ARMS}
    draws = {arm: drawn.means[arm] | seen[arm] for arm in ARMS}
    both, absent = same_length(list(draws.values())), drawn.absent
    together = {"persons": drawn.persons("difference")}
    identity = [together | _identity(name, *both, absent, drawn.reach("difference")) for name in NUMERATORS]
    shapes = [
        {"arm": arm, "persons": drawn.persons(arm), **_shape(name, own, absent, drawn.reach(arm))}
        for name in NUMERATORS
        for arm, own in draws.items()
    ]
    return {"paradox": frame_of(identity, Paradox), "fixed_and_monthly": frame_of(shapes, FixedAndMonthly)}


def _observed(sample: Sample) -> dict[str, np.ndarray]:
    """Give sums of observed follow-up, and what a month more adds, by replicate."""
    months = sample.panel.amounts[MONTHS].sum(axis=1)
    found = {f"observed {MONTHS}": sample.total(months)}
    centre = per(sample.total(months), sample.size)
    spread = sample.total(months**2) - sample.size * centre**2
    is_flat = spread <= 1e-9 * sample.total(months**2)
    for name in NUMERATORS:
        cost = sample.panel.amounts[name].sum(axis=1)
        together = sample.total(months * cost) - centre * sample.total(cost)
        found[f"observed {name}"] = sample.total(cost)
        found[f"slope of {name}"] = per(together, np.where(is_flat, 0.0, spread))
    return found


def _identity(name: str, rsn: dict, csp: dict, absent: str, reach: float) -> dict:
    duration, total = per(rsn[MONTHS], csp[MONTHS]), per(rsn[name], csp[name])
    month = per(per(rsn[name], rsn[MONTHS]), per(csp[name], csp[MONTHS]))
    observed = [per(arm[f"observed {name}"][:1], arm[f"observed {MONTHS}"][:1]) for arm in (rsn, csp)]
    row, reasons = {"numerator": name}, []
    for stem, draws in {"month_ratio": month, "duration_ratio": duration, "total_ratio": total}.items():
        found = summary(draws, absent or ("" if np.isfinite(draws[0]) else NO_MONTH), reach, is_positive=True)
        row |= named(found, stem)
        reasons.append(found["reason"])
    if np.isfinite(row["month_ratio"]):
        row["residual"] = row["total_ratio"] - row["month_ratio"] * row["duration_ratio"]
        row["is_paradox"] = (row["month_ratio"] < 1) != (row["total_ratio"] < 1)
    row["observed_month_ratio"] = np.nan if absent else per(*observed)[0]
    return row | {"reason": next(filter(None, reasons), None)}


def _shape(name: str, own: dict, absent: str, reach: float) -> dict:
    months, cost, slope = own[MONTHS], own[name], own[f"slope of {name}"]
    row, reasons = {"numerator": name}, []
    for stem, draws, is_positive, why in (
        ("engaged_months", months, True, ""),
        ("member_usd", cost, True, ""),
        ("month_usd", per(cost, months), True, NO_MONTH),
        ("fixed_usd", cost - slope * months, False, NO_SLOPE),
        ("further_month_usd", slope, False, NO_SLOPE),
    ):
        found = summary(draws, absent or ("" if np.isfinite(draws[0]) else why), reach, is_positive)
        row |= named(found, stem)
        reasons.append(found["reason"])
    return row | {"reason": next(filter(None, reasons), None)}
