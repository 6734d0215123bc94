"""At which rate the case-rate program costs what the unit program costs, and dollars per extra engaged month."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost import COSTS, BreakEven, Increments, NetBenefit
from ratebook.cost.drawn import Drawn
from ratebook.cost.resample import named, per
from ratebook.dates import MONTH_DAYS
from ratebook.tables import frame_of


def value_grid(values_usd: list[float]) -> list[float]:
    """Give the values of one more engaged month at which a curve is drawn: those asked for, and even ones between.

    Eighty steps from the least to the largest, so a curve over 0 to 2,000 dollars has a point every 25.
    """
    even = np.linspace(min(values_usd), max(values_usd), 81) if values_usd else []
    return sorted({float(value) for value in [*values_usd, *np.round(even, 6)]})


def derive_break_even(drawn: Drawn, enrolment_usd: float, month_usd: float) -> pd.DataFrame:
    """Find the case rates, and the length of engagement, at which RSN costs as much per member as CSP.

    Program: navigator cost alone. Payer: other SUD cost counted too; when RSN members cost more elsewhere than
    CSP members cost in all, no rate breaks even and the row says so.

    Parameters
    ----------
    drawn : Drawn
        Both arms.
    enrolment_usd, month_usd : float
        Amount per episode and per month of the hybrid form.

    References
    ----------
    methods.md, D8.
    """
    rsn, csp = drawn.pair
    program = csp["program"]
    payer = csp["total_sud"] - rsn["other_sud"]
    months, spells = rsn["engaged_months"], rsn["spells"]
    questions = [
        (f"rate_{form}", perspective, unit, per(budget - fixed, use))
        for perspective, budget in {"program": program, "payer": payer}.items()
        for form, unit, fixed, use in [
            ("per_month", "USD per engaged month of all spells", 0.0, months),
            ("per_day", "USD per engaged day of all spells", 0.0, months * MONTH_DAYS),
            (
                "hybrid",
                f"USD per engaged month of all spells, beside {enrolment_usd:g} USD per spell",
                enrolment_usd * spells,
                months,
            ),
            ("per_episode", "USD per spell", 0.0, spells),
        ]
    ]
    duration = (program - enrolment_usd * spells) / month_usd if month_usd > 0 else np.full(len(program), np.nan)
    questions.append(("duration", "program", f"engaged months of all spells at {month_usd:g} USD a month", duration))
    rows = [
        {
            "quantity": quantity,
            "perspective": perspective,
            "unit": unit,
            "persons": drawn.persons("difference"),
            **_positive(drawn, draws),
        }
        for quantity, perspective, unit, draws in questions
    ]
    return frame_of(rows, BreakEven)


def derive_increments(drawn: Drawn) -> pd.DataFrame:
    """Give extra dollars, extra engaged months, the quadrant, and dollars per extra month with Fieller's limits.

    Engaged months are those of all spells from discharge to the horizon, adjusted for censoring: every dollar of the
    numerator falls in the same time. They are not the restricted mean of the first spell.

    References
    ----------
    methods.md, D8 and H45.
    """
    rsn, csp = drawn.pair
    months = rsn["engaged_months"] - csp["engaged_months"]
    rows = []
    for name in COSTS:
        dollars = rsn[name] - csp[name]
        row = {"estimand": name, "persons": drawn.persons("difference"), "reason": drawn.absent or None}
        if not drawn.absent:
            row |= named(drawn.found(dollars, "difference"), "difference_usd", "difference")
            row |= named(drawn.found(months, "difference"), "difference_months", "months")
            row |= icer(dollars, months, drawn.reach("difference"))
        rows.append(row)
    return frame_of(rows, Increments)


def derive_net_benefit(drawn: Drawn, month_values_usd: list[float]) -> pd.DataFrame:
    """Value the extra months, take off the extra dollars, and count the replicates in which something is left.

    References
    ----------
    methods.md, D8.
    """
    rsn, csp = drawn.pair
    months = rsn["engaged_months"] - csp["engaged_months"]
    rows = []
    for name in COSTS:
        for value in month_values_usd:
            benefit = value * months - (rsn[name] - csp[name])
            found = drawn.found(benefit, "difference")
            has_limits = found["reason"] is None
            rows.append(
                {
                    "estimand": name,
                    "month_value_usd": float(value),
                    "net_benefit_usd": found["estimate"],
                    "positive_share": float((benefit[1:] > 0).mean()) if has_limits else np.nan,
                    "persons": drawn.persons("difference"),
                    **{key: found[key] for key in ("lower", "upper", "reason")},
                }
            )
    return frame_of(rows, NetBenefit)


def icer(dollars: np.ndarray, months: np.ndarray, reach: float) -> dict:
    """Divide extra dollars by extra months, never without the quadrant; limits by Fieller.

    Fieller's limits are the ratios that the difference in means does not contradict. Where the extra months
    cannot be told from none they are not an interval, and are not given. `reach` is the quantile they are made with.
    """
    quadrant = ("N" if dollars[0] >= 0 else "S") + ("E" if months[0] >= 0 else "W")
    found = {"quadrant": quadrant, "icer_usd": np.nan, "lower": np.nan, "upper": np.nan}
    if months[0] == 0:
        return {**found, "reason": "no extra engaged month: no ratio"}
    found["icer_usd"] = dollars[0] / months[0]
    if len(dollars) < 3:
        return {**found, "reason": "fewer than two clusters: no limits"}
    (var_c, cov), (_, var_e) = np.cov(dollars[1:], months[1:])
    a = months[0] ** 2 - reach**2 * var_e
    b = dollars[0] * months[0] - reach**2 * cov
    c = dollars[0] ** 2 - reach**2 * var_c
    if a <= 0:
        return {**found, "reason": "extra months cannot be told from none: no finite limits"}
    half = np.sqrt(max(b**2 - a * c, 0.0))
    return {**found, "lower": (b - half) / a, "upper": (b + half) / a, "reason": None}


def _positive(drawn: Drawn, draws: np.ndarray) -> dict:
    """Keep a break-even only where it is a price somebody could pay; one that might be none is taken as it is."""
    found = drawn.found(draws, "difference", is_positive=bool((draws > 0).all()))
    row = {"value": found["estimate"], "lower": found["lower"], "upper": found["upper"], "reason": found["reason"]}
    if np.isfinite(row["value"]) and row["value"] < 0:
        nothing = {"value": np.nan, "lower": np.nan, "upper": np.nan}
        return {**nothing, "reason": "no break-even: RSN costs more before the rate is paid"}
    if np.isfinite(row["lower"]) and row["lower"] < 0:
        return {**row, "lower": np.nan, "reason": "lower limit below zero: no rate breaks even there"}
    return row
