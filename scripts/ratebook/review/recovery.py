"""Recovery: what the simulation planted beside what the pipeline made of it."""

from __future__ import annotations

import json
from pathlib import Path

import ibis
import pandas as pd

from ratebook.contracts.review import FaultCounts, Recovery
from ratebook.tables import empty_frame

ARMS = ("RSN", "CSP")
CLAIM_IDS = ("C", "D")
"""Ids of claims and dispensings begin so; those of persons and log entries do not, and are checked elsewhere."""
SHOWN_LAGS = (3,)
"""Months after service at which the share paid is held against what was planted."""


def read_truth(path: str) -> dict:
    """Read what was planted; nothing where the data are not simulated."""
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}


def count_faults(claims: ibis.Table, cash_ledger: ibis.Table, rejected: ibis.Table, truth: dict) -> ibis.Table:
    """Count, by kind of fault, how many planted claims came out as they should.

    A claim that should be `gone` is not among the final claims; `money` without a service is in the ledger; every
    other claim stands, each of its lines once. The row 'all_rejected' counts claims the rules of quality
    rejected, and those of them that had a fault.

    Returns
    -------
    FaultCounts

    References
    ----------
    methods.md, G: planted data faults.
    """
    outcome = {kind: expected["outcome"] for kind, expected in truth.get("expected", {}).items()}
    faults = [
        (kind, claim, outcome.get(kind, "kept"))
        for kind, ids in truth.get("faults", {}).items()
        for claim in ids
        if claim.startswith(CLAIM_IDS)
    ]
    schema = {"kind": "string", "fault_id": "string", "outcome": "string"}
    planted = ibis.memtable(pd.DataFrame(faults, columns=list(schema)), schema=schema)
    lines = claims.group_by("claim_id", "line_number").agg(copies=claims.count())
    final = lines.group_by("claim_id").agg(copies=lines.copies.max())
    paid = cash_ledger.select(ledger_id="claim_id").distinct()
    joined = planted.left_join(final, planted.fault_id == final.claim_id)
    joined = joined.left_join(paid, joined.fault_id == paid.ledger_id)
    met = ibis.cases(
        (joined.outcome == "gone", joined.copies.isnull()),
        (joined.outcome == "money", joined.ledger_id.notnull()),
        else_=(joined.copies == 1).fill_null(False),
    )
    by_kind = joined.group_by("kind").agg(planted=joined.count(), met=met.sum())
    taken = rejected.group_by("claim_id").agg(rows=rejected.count())
    known = planted.select("fault_id").distinct()
    taken = taken.left_join(known, taken.claim_id == known.fault_id)
    whole = taken.aggregate(planted=taken.count(), met=taken.fault_id.notnull().sum())
    whole = whole.select(kind=ibis.literal("all_rejected"), planted="planted", met=whole.met.fill_null(0))
    return ibis.union(by_kind.select(*FaultCounts.types()), whole.select(*FaultCounts.types()))


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
    arms forced on everybody. A fault counts as recovered when every planted claim came out as it should.

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
    rows += [*_trend_rows(truth, trend), *_completion_rows(truth, completion, category_groups)]
    rows += _fault_rows(fault_counts)
    return pd.DataFrame(rows, columns=list(Recovery.types()))


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


def _trend_rows(truth: dict, trend: pd.DataFrame):
    for component in ("utilisation", "unit_cost"):
        planted = truth["rates"][f"{component}_trend"]
        # Every fit is held against the truth, also one that floor, cap or assumption keeps from use.
        fitted = trend[(trend.component == component) & trend.fitted_trend.notna()]
        for row in fitted.sort_values("category").to_dict("records"):
            limits = {"lower": row["fitted_lower"], "upper": row["fitted_upper"]}
            found = pd.DataFrame([{**row, "estimate": row["fitted_trend"], **limits, "reason": None}])
            yield _row(f"annual trend of {component}, {row['category']}", planted, found)


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


def _fault_rows(fault_counts: pd.DataFrame):
    for row in fault_counts[fault_counts.planted > 0].sort_values("kind").to_dict("records"):
        share = row["met"] / row["planted"]
        name = f"fault {row['kind']}: share handled as it should be"
        if row["kind"] == "all_rejected":
            name = "share of rejected claims that had a planted fault"
        found = {"planted": 1.0, "estimate": share, "lower": None, "upper": None, "covered": share == 1.0}
        yield {"quantity": name, **found, "reason": "every planted claim is counted: no interval"}


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
