"""How use and price grow: log-linear trends of completed months, and when experience is too thin to say.

What is fitted is the growth of like members using like services. Members who move between cells, and services that
take the place of cheaper ones, would otherwise pass for use or price; the first is held still by the weights of cells,
the second by counting use at constant prices. What a program brings by starting or winding down is neither: its
volume follows enrolment, and the fit bends. Such a fit has wide limits, and a benchmark beside it says how far it lies.
"""

from __future__ import annotations

from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ratebook.contracts.rates import TREND_SOURCES, Trend
from ratebook.tables import empty_frame

COMPONENTS = ("utilisation", "unit_cost")
SEASONS_FROM = 24
GEARY_KHAMIS_ROUNDS = 40
MOST_ALIKE = 0.8
"""Correlation of neighbouring residuals beyond which a few months could not tell it from a trend."""
REMAINDER = "\0cells not seen in every month"
HELD = {
    "floor": "the fit is below the floor: the floor is used, the limits are the fit's",
    "cap": "the fit is above the cap: the cap is used, the limits are the fit's",
}
TURNED = "floor and cap would turn the sign of the fitted cost trend: the assumption is used, the fit stands beside it"


class Fit(NamedTuple):
    """Logarithm of an annual trend, its standard error, degrees of freedom, and what makes them."""

    slope: float
    error: float
    freedom: int
    row: np.ndarray
    """Weights of the months' logarithms whose sum is the slope."""


def seasonal_design(month: np.ndarray, break_months: list[int], is_seasonal: bool) -> np.ndarray:
    """Lay out a level, years since the first month, a step at each break, and levels of the months of the year."""
    columns = [np.ones(len(month)), (month - month[0]) / 12]
    columns += [(month >= step).astype(float) for step in break_months]
    if is_seasonal:
        columns += [(month % 12 == season).astype(float) for season in range(1, 12)]
    return np.column_stack(columns)


def fit_months(month: np.ndarray, value: np.ndarray, break_months: list[int]) -> Fit:
    """Fit ln(value) on the month, with a level for each month of the year and a step at each break.

    Months of the year get levels of their own only where two years of months stand; breaks (a program change,
    a new fee schedule) keep its step out of the trend. A value of 500 growing 6% a year gives ln 1.06 exactly. Months
    that err alike their neighbours tell less than as many apart: the error grows by the root of (1+r)/(1-r), r the
    correlation of a residual with the next, where that is positive.

    Parameters
    ----------
    month : numpy.ndarray
        Numbers of calendar months, ascending.
    value : numpy.ndarray
        Positive values.
    break_months : list of int
        First months after a break, numbered alike.

    Returns
    -------
    Fit
        Error NaN where no degree of freedom is left.

    References
    ----------
    methods.md, E3.
    """
    design = seasonal_design(month, break_months, len(month) >= SEASONS_FROM)
    inverse = np.linalg.pinv(design)
    freedom = len(month) - int(np.linalg.matrix_rank(design))
    coefficient = inverse @ np.log(value)
    slope = float(coefficient[1])
    if freedom < 1:
        return Fit(slope, float("nan"), freedom, inverse[1])
    residual = np.log(value) - design @ coefficient
    spread = (inverse[1] @ inverse[1]) * (residual @ residual) / freedom
    alike = np.clip((residual[1:] @ residual[:-1]) / max(residual @ residual, 1e-300), 0.0, MOST_ALIKE)
    return Fit(slope, float(np.sqrt(max(spread, 0.0) * (1 + alike) / (1 - alike))), freedom, inverse[1])


def fit_trend(month: np.ndarray, value: np.ndarray, break_months: list[int]) -> tuple[float, float, int]:
    """Give the logarithm of the annual trend, its standard error and degrees of freedom, as `fit_months` finds them."""
    return fit_months(month, value, break_months)[:3]


def build_service_months(lines: ibis.Table) -> ibis.Table:
    """Sum cost and units of the lines a rate must pay by category, service and month.

    Parameters
    ----------
    lines : ibis.Table
        As `base.place_claims` gives them.

    Returns
    -------
    ServiceMonths
    """
    counted = lines.filter(lines.status == "included")
    return counted.group_by("service_month", "service", category=counted.rate_category).agg(
        paid_usd=counted.cost_usd.sum(), units=counted.units.fill_null(0).sum()
    )


def price_of_mix(services: pd.DataFrame) -> pd.DataFrame:
    """Say how dear each month's mix of services is, at prices that stand still.

    The constant price of a service is its cost over its units, each month's cost first taken back by that month's
    level of prices; the level is cost over the units at constant prices. The two define each other (the index of
    Geary and Khamis), so that a service used early only does not count as a cheap one. A month's mix is the mean
    constant price of its units, over that of all months: above 1 where dearer services take the place of cheaper ones.

    Parameters
    ----------
    services : ServiceMonths

    Returns
    -------
    pandas.DataFrame
        category, service_month, mix.
    """
    rows = services.astype({"paid_usd": float, "units": float})
    rows = rows[(rows.units > 0) & (rows.paid_usd > 0)]
    found = []
    for category, mine in rows.groupby("category"):
        units, cost = (
            mine.pivot_table(index="service_month", columns="service", values=name, aggfunc="sum", fill_value=0.0)
            for name in ("units", "paid_usd")
        )
        level = np.ones(len(units))
        for _ in range(GEARY_KHAMIS_ROUNDS):
            constant = (cost.to_numpy() / level[:, None]).sum(axis=0) / units.to_numpy().sum(axis=0)
            level = cost.to_numpy().sum(axis=1) / (units.to_numpy() @ constant)
            level = level / level[0]
        mix = (units.to_numpy() @ constant) / units.to_numpy().sum(axis=1)
        whole = (units.to_numpy() @ constant).sum() / units.to_numpy().sum()
        found.append(pd.DataFrame({"category": category, "service_month": units.index, "mix": mix / whole}))
    if not found:
        return pd.DataFrame({"category": [], "service_month": pd.to_datetime([]), "mix": []})
    return pd.concat(found, ignore_index=True)


def like_members(experience: pd.DataFrame) -> pd.DataFrame:
    """Weigh the cells of every month as they stand in all months together, so that nobody's moving counts as growth.

    A cell without exposure in some month of its category cannot be weighed there: such cells are taken as one.

    Returns
    -------
    pandas.DataFrame
        category, service_month, units and paid_usd per member month.
    """
    sums = experience.groupby(["category", "cell", "service_month"], as_index=False)[
        ["paid_usd", "units", "member_months"]
    ].sum()
    key = ["category", "cell"]
    seen = sums[sums.member_months > 0].groupby(key).service_month.nunique()
    whole = sums.groupby("category").service_month.nunique()
    always = seen == whole.reindex(seen.index.get_level_values("category")).to_numpy()
    kept = always.reindex(pd.MultiIndex.from_frame(sums[key])).fillna(False).to_numpy(dtype=bool)
    sums["cell"] = sums.cell.where(kept, REMAINDER)
    sums = sums.groupby([*key, "service_month"], as_index=False)[["paid_usd", "units", "member_months"]].sum()
    sums = sums[sums.member_months > 0]
    total = sums.groupby(key).member_months.transform("sum") / sums.member_months
    sums["units"], sums["paid_usd"] = sums.units * total, sums.paid_usd * total
    sums["weight"] = sums.member_months * total
    months = sums.groupby(["category", "service_month"])[["units", "paid_usd", "weight"]].sum()
    return months[["units", "paid_usd"]].div(months.weight, axis=0).reset_index()


def monthly_components(
    experience: pd.DataFrame, ultimates: pd.DataFrame, reportable: float, services: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Complete each month's cost, and split cost per member month into use and price.

    Members are weighed alike in every month, and use is counted at constant prices where `services` are given. Use,
    like cost, is completed: a claim not yet paid is not yet counted either. Months less complete than
    `reportable` are left out; a month whose completion cannot be measured stands as paid.

    Returns
    -------
    pandas.DataFrame
        category, month (consecutive number), utilisation (units per 1,000 members a year, each at the price of the
        mean unit), unit_cost, pmpm; utilisation / 12,000 * unit_cost = pmpm.
    """
    sums = like_members(experience)
    known = ultimates.rename(columns={"incurred_month": "service_month"}).copy()
    known["complete"] = (known.paid_usd / known.ultimate_usd).where(known.ultimate_usd > 0)
    sums = sums.merge(known[["category", "service_month", "complete"]], on=["category", "service_month"], how="left")
    sums = sums[sums.complete.fillna(1.0) >= reportable]
    if services is None or services.empty:
        sums["mix"] = 1.0
    else:
        sums = sums.merge(price_of_mix(services), on=["category", "service_month"], how="left")
    complete, units = sums.complete.fillna(1.0), sums.units * sums.mix.fillna(1.0)
    return pd.DataFrame(
        {
            "category": sums.category,
            "month": sums.service_month.dt.year * 12 + sums.service_month.dt.month,
            "utilisation": units / complete * 12000,
            "unit_cost": (sums.paid_usd / units).where(units > 0),
            "pmpm": sums.paid_usd / complete,
        }
    )


def estimate_trend(
    experience: pd.DataFrame, ultimates: pd.DataFrame, settings: dict, services: pd.DataFrame | None = None
) -> pd.DataFrame:
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
    services : ServiceMonths, optional
        What use is counted at constant prices by; without it a unit is a unit.

    Returns
    -------
    Trend
        Of a category with a benchmark, also how far the fit of its cost lies from it.

    References
    ----------
    methods.md, E3.
    """
    monthly = monthly_components(experience, ultimates, settings["reportable_completion"], services)
    breaks = [pd.Timestamp(day).year * 12 + pd.Timestamp(day).month for day in settings["break_months"]]
    rows = []
    for category in sorted(set(experience.category)):
        months = monthly[monthly.category == category].sort_values("month")
        months = months[(months[[*COMPONENTS, "pmpm"]] > 0).all(axis=1)].tail(settings["fit_months"])
        parts = [_component(category, name, months, breaks, settings) for name in COMPONENTS]
        whole = _fit(months, "pmpm", breaks, settings)
        if whole and any(part["source"] in HELD for part in parts) and _together(parts) * whole["fitted_trend"] < 0:
            parts = [part | _assumed(part["component"], settings, TURNED) for part in parts]
        rows += [*parts, _compound(category, months, whole, parts) | _beside_benchmark(category, whole, settings)]
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
        "freedom": freedom,
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
    """Compound use and price; the limits lie around what was fitted, also where floor or cap is used.

    The logarithm of cost is that of use plus that of price: where both were fitted, their sum has the error of the fit
    of cost itself, in which months of much use at low prices cancel. Otherwise the parts err each on its own.
    """
    whole = whole or {}
    is_fitted = all(part["source"] != "assumption" for part in parts)
    error = whole["std_error"] if is_fitted else float(np.hypot(*[part["std_error"] for part in parts]))
    freedom = whole["freedom"] if is_fitted else np.inf
    centre = sum(np.log1p(part["fitted_trend" if part["source"] in HELD else "annual_trend"]) for part in parts)
    reasons = "; ".join(f"{part['component']}: {part['reason']}" for part in parts if part["reason"])
    return {
        "category": category,
        "component": "pmpm",
        "annual_trend": _together(parts),
        **{name: whole.get(name) for name in ("fitted_trend", "fitted_lower", "fitted_upper")},
        "std_error": error,
        **_limits(centre, error, freedom),
        "months": len(months),
        "source": max((part["source"] for part in parts), key=TREND_SOURCES.index),
        "reason": reasons or None,
    }


def _beside_benchmark(category: str, whole: dict | None, settings: dict) -> dict:
    """Put the benchmark of a category beside the fit of its cost."""
    known = settings.get("benchmarks", {}).get(category)
    if known is None:
        return {}
    away = whole["fitted_trend"] - known["value"] if whole else None
    return {"benchmark_trend": known["value"], "from_benchmark": away, "benchmark_source": known["source"]}


def _limits(log_trend: float, error: float, freedom: float) -> dict:
    reach = stdtrit(freedom, 0.975) * error if freedom >= 1 else np.nan
    return {"lower": float(np.expm1(log_trend - reach)), "upper": float(np.expm1(log_trend + reach))}
