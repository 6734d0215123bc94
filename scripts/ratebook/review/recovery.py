"""Recovery: what the simulation planted beside what the pipeline made of it."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import pandas as pd

from ratebook.contracts.review import Recovery
from ratebook.review.marks import NO_FAULT
from ratebook.tables import empty_frame, frame_of

ARMS = ("RSN", "CSP")
COUNTED = "every record is counted: no interval"
CENT = 0.005
SHOWN_LAGS = (3,)
"""Months after service at which the share paid is held against what was planted."""


def read_truth(path: str) -> dict:
    """Read what was planted; nothing where the data are not simulated."""
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}


def check_recovery(
    truth: dict,
    fault_counts: pd.DataFrame,
    engagement: pd.DataFrame,
    pmpm: pd.DataFrame,
    total_cost: pd.DataFrame,
    completion: pd.DataFrame,
    trend: pd.DataFrame,
    category_groups: dict[str, list[str]],
) -> pd.DataFrame:
    """Set every planted quantity beside its estimate, and say whether the interval holds it.

    Unweighted estimates are held against the arms as the sites referred them, overlap-weighted ones against the
    arms forced on everybody. Of every kind of fault, recall is the share of its records that bear the mark they
    must and came out as they should; precision is the share of the records with that mark which were planted for
    it, by this kind or another; and the dollars are those that end up as final. A kind that must bear no mark has
    no precision. No record may be taken or changed that has no fault.

    Returns
    -------
    Recovery
        Empty where nothing was planted.

    References
    ----------
    methods.md, G: synthetic-truth tests.
    """
    if not truth.get("engagement"):
        return empty_frame(Recovery)
    rows = [*_engagement_rows(truth, engagement), *_cost_rows(truth, pmpm, total_cost)]
    rows += [*_trend_rows(truth, trend, category_groups), *_completion_rows(truth, completion, category_groups)]
    rows += _fault_rows(truth, fault_counts)
    return frame_of(rows, Recovery)


def _engagement_rows(truth: dict, engagement: pd.DataFrame):
    contact = engagement[engagement.clock == "contact"]
    for tau in truth["engagement"]["RSN"]["contact_clock"]:
        at = contact[contact.tau_days == int(tau)]
        referred = {arm: truth["engagement"][f"{arm}_as_referred"]["contact_clock"][tau] for arm in ARMS}
        for arm in ARMS:
            found = at[(at.estimand == "rmst") & (at.arm == arm) & (at.method == "kaplan_meier")]
            yield _row(f"days engaged within {tau}, {arm} as referred", referred[arm], found)
        gap = at[(at.estimand == "rmst_difference") & (at.method == "kaplan_meier")]
        yield _row(f"difference in days engaged within {tau}, as referred", referred["RSN"] - referred["CSP"], gap)
        forced = truth["engagement"]["difference"]["contact_clock"][tau]
        weighted = at[(at.estimand == "rmst_difference") & (at.method == "overlap_weighted")]
        yield _row(f"difference in days engaged within {tau}, overlap weighted", forced, weighted)


def _cost_rows(truth: dict, pmpm: pd.DataFrame, total_cost: pd.DataFrame):
    cost = {arm: truth["cost"][f"{arm}_as_referred"] for arm in ARMS}
    price = pmpm[(pmpm.variant == "P1") & (pmpm.numerator == "program") & (pmpm.month_rule == "exact")]
    total = total_cost[(total_cost.estimand == "total_sud") & (total_cost.method == "partitioned")]
    for arm in ARMS:
        yield _row(f"program cost per engaged month, {arm}, usd", cost[arm]["p1_usd"], price[price.arm == arm])
        yield _row(f"total SUD cost per member, {arm}, usd", cost[arm]["total_sud_usd"], total[total.arm == arm])
    ratio = total[total.arm == "difference"]
    ratio = ratio.assign(estimate=ratio.ratio, lower=ratio.ratio_lower, upper=ratio.ratio_upper)
    planted = cost["RSN"]["total_sud_usd"] / cost["CSP"]["total_sud_usd"]
    yield _row("total SUD cost per member, RSN over CSP", planted, ratio)


def _trend_rows(truth: dict, trend: pd.DataFrame, category_groups: dict[str, list[str]]):
    """Compare the trends of groups all of whose categories were given one."""
    for component in ("utilisation", "unit_cost"):
        planted = truth["rates"][f"{component}_trend"]
        of_group = {
            group: fmean(planted[category] for category in members)
            for group, members in category_groups.items()
            if set(members) <= set(planted)
        }
        # Every fit is held against the truth, also one that floor, cap or assumption keeps from use.
        fitted = trend[(trend.component == component) & trend.fitted_trend.notna() & trend.category.isin(of_group)]
        for row in fitted.sort_values("category").to_dict("records"):
            limits = {"lower": row["fitted_lower"], "upper": row["fitted_upper"]}
            found = pd.DataFrame([{**row, "estimate": row["fitted_trend"], **limits, "reason": None}])
            yield _row(f"annual trend of {component}, {row['category']}", of_group[row["category"]], found)


def _completion_rows(truth: dict, completion: pd.DataFrame, category_groups: dict[str, list[str]]):
    """Compare the share paid so many months after service, a group's categories weighed by what they cost."""
    cost: dict[str, float] = {}
    for plan in truth["rates"]["ultimate_usd"].values():
        for category, months in plan.items():
            cost[category] = cost.get(category, 0.0) + sum(months.values())
    paid = truth["rates"]["completion"]
    for group, lags in completion.groupby("category"):
        members = [category for category in category_groups[group] if cost.get(category)]
        whole = sum(cost[category] for category in members)
        for lag in SHOWN_LAGS if whole else ():
            so_far = sum(cost[category] * paid[category][min(lag, len(paid[category]) - 1)] for category in members)
            found = lags[lags.lag_months == lag]
            found = found.assign(estimate=found.completion_factor)
            yield _row(f"share paid {lag} months after service, {group}", so_far / whole, found)


def _fault_rows(truth: dict, fault_counts: pd.DataFrame):
    due = truth.get("due_usd", {})
    for row in fault_counts.sort_values("kind").to_dict("records"):
        kind = row["kind"]
        if kind == NO_FAULT:
            yield _counted("records taken or changed that have no fault", 0.0, row["marked"] - row["explained"])
            continue
        yield _counted(f"recall, {kind}", 1.0, row["met"] / row["planted"])
        if isinstance(row["mark"], str):
            precision = row["explained"] / row["marked"] if row["marked"] else None
            yield _counted(f"precision, {kind}", 1.0, precision)
        if kind in due:
            yield _counted(f"dollars that stand, {kind}, usd", due[kind], row["paid_usd"])


def _counted(quantity: str, planted: float, found: float | None) -> dict:
    """Set a count beside what it must be, to the cent; null where nothing bears the mark."""
    missing = found is None
    return {
        "quantity": quantity,
        "planted": planted,
        "estimate": found,
        "lower": None,
        "upper": None,
        "covered": None if missing else abs(found - planted) < CENT,
        "reason": "no record bears the mark" if missing else COUNTED,
    }


def _row(quantity: str, planted, found: pd.DataFrame) -> dict:
    """Set one planted number beside the one row that estimates it."""
    if found.empty:
        row = {"estimate": None, "lower": None, "upper": None, "reason": "no such estimate is made"}
    else:
        row = found.iloc[0].to_dict()
        row["estimate"] = row.get("estimate", row.get("estimate_usd"))
    limits = [row["lower"], row["upper"]]
    known = not pd.isna(limits).any() and planted is not None
    return {
        "quantity": quantity,
        "planted": planted,
        "estimate": row["estimate"],
        "lower": limits[0],
        "upper": limits[1],
        "covered": bool(limits[0] <= planted <= limits[1]) if known else None,
        "reason": row.get("reason"),
    }
