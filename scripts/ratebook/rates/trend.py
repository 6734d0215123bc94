"""How use and price grow: log-linear trends of completed months, and when experience is too thin to say."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ratebook.contracts.rates import TREND_SOURCES, Trend
from ratebook.tables import empty_frame

COMPONENTS = ("utilisation", "unit_cost")
SEASONS_FROM = 24
HELD = {
    "floor": "the fit is below the floor: the floor is used, the limits are the fit's",
    "cap": "the fit is above the cap: the cap is used, the limits are the fit's",
}
TURNED = "floor and cap would turn the sign of the fitted cost trend: the assumption is used, the fit stands beside it"


def fit_trend(month: np.ndarray, value: np.ndarray, break_months: list[int]) -> tuple[float, float, int]:
    """Fit ln(value) on the month, with a level for each month of the year and a step at each break.

    Months of the year get levels of their own only where two years of months stand; breaks (a program change,
    a new fee schedule) keep its step out of the trend. A value of 500 growing 6% a year gives ln 1.06 exactly.

    Parameters
    ----------
    month : numpy.ndarray
        Consecutive numbers of calendar months.
    value : numpy.ndarray
        Positive values.
    break_months : list of int
        First months after a break, numbered alike.

    Returns
    -------
    tuple
        Logarithm of the annual trend, its standard error, and degrees of freedom; error NaN where none are left.

    References
    ----------
    methods.md, E3.
    """
    columns = [np.ones(len(month)), (month - month[0]) / 12]
    columns += [(month >= step).astype(float) for step in break_months]
    if len(month) >= SEASONS_FROM:
        columns += [(month % 12 == season).astype(float) for season in range(1, 12)]
    design = np.column_stack(columns)
    coefficient, _, rank, _ = np.linalg.lstsq(design, np.log(value), rcond=None)
    freedom = len(month) - rank
    if freedom < 1:
        return float(coefficient[1]), float("nan"), freedom
    residual = np.log(value) - design @ coefficient
    spread = np.linalg.pinv(design.T @ design)[1, 1] * (residual @ residual) / freedom
    return float(coefficient[1]), float(np.sqrt(max(spread, 0.0))), freedom


def monthly_components(experience: pd.DataFrame, ultimates: pd.DataFrame, reportable: float) -> pd.DataFrame:
    """Complete each month's cost, and split cost per member month into use and price.

    Use, like cost, is completed: a claim not yet paid is not yet counted either. Months less complete than
    `reportable` are left out; a month whose completion cannot be measured stands as paid.

    Returns
    -------
    pandas.DataFrame
        category, month (consecutive number), utilisation (units per 1,000 members a year), unit_cost, pmpm.
    """
    sums = experience.groupby(["category", "service_month"], as_index=False)[["paid_usd", "units", "member_months"]]
    sums = sums.sum()
    known = ultimates.rename(columns={"incurred_month": "service_month"}).copy()
    known["complete"] = (known.paid_usd / known.ultimate_usd).where(known.ultimate_usd > 0)
    sums = sums.merge(known[["category", "service_month", "complete"]], on=["category", "service_month"], how="left")
    sums = sums[sums.complete.fillna(1.0) >= reportable]
    complete = sums.complete.fillna(1.0)
    exposure = sums.member_months.where(sums.member_months > 0)
    return pd.DataFrame(
        {
            "category": sums.category,
            "month": sums.service_month.dt.year * 12 + sums.service_month.dt.month,
            "utilisation": sums.units / complete / exposure * 12000,
            "unit_cost": (sums.paid_usd / sums.units).where(sums.units > 0),
            "pmpm": sums.paid_usd / complete / exposure,
        }
    )


def estimate_trend(experience: pd.DataFrame, ultimates: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Estimate each category's annual trend of use and of price, and their compound.

    The latest `fit_months` completed months with cost are fitted. Experience speaks where at least `min_months` of
    them stand and its upper 95% limit is no further than `max_half_width` from it; otherwise the assumption does.
    What is used never leaves `floor` and `cap`; the limits are then those of the fit, not held to anything. The
    compound is (1+u)(1+c)-1. Where holding its parts turns its sign against the trend fitted to cost itself, use and
    price cannot be told apart, and the assumption is used for both.

    Parameters
    ----------
    experience : BaseExperience
    ultimates : Ultimates
    settings : dict
        `config.yaml` rates.trend.

    Returns
    -------
    Trend

    References
    ----------
    methods.md, E3.
    """
    monthly = monthly_components(experience, ultimates, settings["reportable_completion"])
    breaks = [pd.Timestamp(day).year * 12 + pd.Timestamp(day).month for day in settings["break_months"]]
    rows = []
    for category in sorted(set(experience.category)):
        months = monthly[monthly.category == category].sort_values("month")
        months = months[(months[[*COMPONENTS, "pmpm"]] > 0).all(axis=1)].tail(settings["fit_months"])
        parts = [_component(category, name, months, breaks, settings) for name in COMPONENTS]
        whole = _fit(months, "pmpm", breaks, settings)
        if whole and any(part["source"] in HELD for part in parts) and _together(parts) * whole["fitted_trend"] < 0:
            parts = [part | _assumed(part["component"], settings, TURNED) for part in parts]
        rows += [*parts, _compound(category, months, whole, parts)]
    return pd.DataFrame(rows, columns=list(Trend.types())) if rows else empty_frame(Trend)


def _component(category: str, component: str, months: pd.DataFrame, breaks: list[int], settings: dict) -> dict:
    row = {"category": category, "component": component, "months": len(months)}
    fit = _fit(months, component, breaks, settings)
    if not fit:
        reason = f"{len(months)} completed months with cost; {settings['min_months']} are needed"
        return {**row, **_assumed(component, settings, reason)}
    fitted = {name: fit[name] for name in ("fitted_trend", "fitted_lower", "fitted_upper")}
    if not fit["fitted_upper"] - fit["fitted_trend"] <= settings["max_half_width"]:
        reason = f"95% limit more than {settings['max_half_width']:.0%} from the fit: noise"
        return {**row, **fitted, **_assumed(component, settings, reason)}
    used = min(max(fit["fitted_trend"], settings["floor"]), settings["cap"])
    source = "floor" if used > fit["fitted_trend"] else "cap" if used < fit["fitted_trend"] else "experience"
    return {
        **row,
        **fitted,
        "annual_trend": used,
        "std_error": fit["std_error"],
        "lower": fit["fitted_lower"],
        "upper": fit["fitted_upper"],
        "source": source,
        "reason": HELD.get(source),
    }


def _fit(months: pd.DataFrame, column: str, breaks: list[int], settings: dict) -> dict | None:
    """Fit one column where enough months stand: the trend, its limits, and its error on the logarithm."""
    if len(months) < settings["min_months"]:
        return None
    slope, error, freedom = fit_trend(months.month.to_numpy(), months[column].to_numpy(), breaks)
    limits = _limits(slope, error, freedom)
    return {
        "fitted_trend": float(np.expm1(slope)),
        "fitted_lower": limits["lower"],
        "fitted_upper": limits["upper"],
        "std_error": error,
    }


def _assumed(component: str, settings: dict, reason: str) -> dict:
    """Give the assumption of the settings in place of a fit, with why."""
    trend, error = settings[f"assumed_{component}"]["value"], settings["assumed_std_error"]["value"]
    limits = _limits(np.log1p(trend), error, np.inf)
    return {"annual_trend": trend, "std_error": error, **limits, "source": "assumption", "reason": reason}


def _together(parts: list[dict]) -> float:
    use, price = parts
    return (1 + use["annual_trend"]) * (1 + price["annual_trend"]) - 1


def _compound(category: str, months: pd.DataFrame, whole: dict | None, parts: list[dict]) -> dict:
    """Compound use and price; the limits lie around what was fitted, also where floor or cap is used."""
    whole = whole or {}
    error = float(np.hypot(*[part["std_error"] for part in parts]))
    centre = sum(np.log1p(part["fitted_trend" if part["source"] in HELD else "annual_trend"]) for part in parts)
    reasons = "; ".join(f"{part['component']}: {part['reason']}" for part in parts if part["reason"])
    return {
        "category": category,
        "component": "pmpm",
        "annual_trend": _together(parts),
        **{name: whole.get(name) for name in ("fitted_trend", "fitted_lower", "fitted_upper")},
        "std_error": error,
        **_limits(centre, error, np.inf),
        "months": len(months),
        "source": max((part["source"] for part in parts), key=TREND_SOURCES.index),
        "reason": reasons or None,
    }


def _limits(log_trend: float, error: float, freedom: float) -> dict:
    reach = stdtrit(freedom, 0.975) * error if freedom >= 1 else np.nan
    return {"lower": float(np.expm1(log_trend - reach)), "upper": float(np.expm1(log_trend + reach))}
