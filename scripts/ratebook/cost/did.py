"""Arms before and after the index stay: what each changed by, and the difference of the two changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ratebook.cost.event_study import (
    ArmMonths,
    contrast,
    covariance,
    degrees,
    joint_test,
    rates,
    with_limits,
)
from ratebook.engagement.few_clusters import wild_cluster_test

PAIRS = {"RSN-CSP": ("RSN", "CSP"), "RSN-none": ("RSN", "none")}
NO_ARM = "no member in an arm"
ZERO = "an arm costs nothing before or after: no ratio"
FLAT = "fewer than two months before admission: no slope"


def estimate_contrasts(
    arms: dict[str, ArmMonths], estimand: str, months: str, run_up: int, reps: int, seed: int
) -> list[dict]:
    """Lay out each arm's change and the arms' difference in differences, on dollars and on the log scale.

    The saturated regression of cost per month on arm, period and their product, weighted by months, gives the
    difference of cell means exactly, so cell means are what is computed. On the log scale the arms share a ratio:
    `ratio_of_ratios`, and `att_log` is what the treated arm cost beyond its own cost before times the other arm's
    ratio, E[Y11] - E[Y11] exp(-b). `pre_trend_slope` is the difference of the arms' linear trends before
    admission; `pre_trend_test` asks whether any month before differs from the reference month.

    Parameters
    ----------
    arms : dict
        As `event_study.arm_months` gives them.
    months : str
        all, or without_run_up: the `run_up` months before admission left out of both arms.

    References
    ----------
    methods.md, D6 and H42.
    """
    rows = []
    for name, arm in arms.items():
        before, after = periods(arm, months, run_up)
        rate = rates(arm, estimand, [before, after])
        facts = _facts([arm], [before | after])
        for quantity, by in {"before": [1, 0], "after": [0, 1], "change": [-1, 1]}.items():
            found = with_limits(*contrast([(rate, np.array(by, dtype=float))]))
            rows.append({"contrast": name, "quantity": quantity, **facts, **found})
    for name, pair in PAIRS.items():
        if all(arm in arms for arm in pair):
            both = [arms[arm] for arm in pair]
            found = _pair(both, estimand, months, run_up, reps, seed)
            facts = _facts(both, [np.logical_or(*periods(arm, months, run_up)) for arm in both])
        else:
            found = {quantity: {"reason": NO_ARM} for quantity in OF_PAIRS}
            facts = {"member_months": 0.0, "persons": 0, "clusters": 0}
        rows += [{"contrast": name, "quantity": quantity, **facts, **cells} for quantity, cells in found.items()]
    key = {"estimand": estimand, "months": months}
    return [key | row for row in rows]


OF_PAIRS = ("difference_in_differences", "ratio_of_ratios", "att_log", "pre_trend_slope", "pre_trend_test")


def periods(arm: ArmMonths, months: str, run_up: int) -> tuple[np.ndarray, np.ndarray]:
    """Say which event months are before and after; without the run-up, the last `run_up` months before are neither."""
    last = -run_up if months == "without_run_up" else 0
    return arm.event_month < last, arm.event_month >= 0


def _pair(both: list[ArmMonths], estimand: str, months: str, run_up: int, reps: int, seed: int) -> dict:
    cells = [periods(arm, months, run_up) for arm in both]
    rate = [rates(arm, estimand, list(cell)) for arm, cell in zip(both, cells)]
    change = np.array([-1.0, 1.0])
    did = with_limits(*contrast([(rate[0], change), (rate[1], -change)]))
    if did["reason"] is None:
        did |= _wild(both, estimand, cells, reps, seed)
    return {
        "difference_in_differences": did,
        **_log_link(rate),
        "pre_trend_slope": _slope(both, estimand, cells),
        "pre_trend_test": _pre_trend(both, estimand, cells),
    }


def _log_link(rate: list) -> dict:
    (y10, y11), (y00, y01) = (arm.value for arm in rate)
    if not (np.isfinite([y10, y11, y00, y01]).all() and min(y10, y11, y00, y01) > 0):
        return {name: {"reason": ZERO} for name in ("ratio_of_ratios", "att_log")}
    log_parts = [(rate[0], np.array([-1 / y10, 1 / y11])), (rate[1], np.array([1 / y00, -1 / y01]))]
    _, error, df = contrast(log_parts)
    b = float(np.log(y11 / y10) - np.log(y01 / y00))
    ratio = with_limits(b, error, df)
    ratio |= {name: float(np.exp(ratio[name])) for name in ("estimate", "lower", "upper") if name in ratio}
    growth = y01 / y00
    by = [(rate[0], np.array([-growth, 1.0])), (rate[1], np.array([y10 * y01 / y00**2, -y10 / y00]))]
    _, error, df = contrast(by)
    return {"ratio_of_ratios": ratio, "att_log": with_limits(float(y11 - y11 * np.exp(-b)), error, df)}


def _by_month(arm: ArmMonths, estimand: str, chosen: np.ndarray):
    """Give rates of single event months."""
    return rates(arm, estimand, list(np.eye(len(arm.event_month), dtype=bool)[chosen]))


def _slope(both: list[ArmMonths], estimand: str, cells: list) -> dict:
    before = cells[0][0]
    month = both[0].event_month[before].astype(float)
    if len(month) < 2:
        return {"reason": FLAT}
    centred = month - month.mean()
    line = centred / (centred @ centred)
    rate = [_by_month(arm, estimand, before) for arm in both]
    return with_limits(*contrast([(rate[0], line), (rate[1], -line)]))


def _pre_trend(both: list[ArmMonths], estimand: str, cells: list) -> dict:
    rate = [_by_month(arm, estimand, cells[0][0]) for arm in both]
    if not np.isfinite([arm.value for arm in rate]).all() or min(arm.clusters for arm in rate) < 2:
        return {"reason": "an arm has fewer than two providers, or none covered in a month before"}
    leads = max(len(rate[0].value) - 1, 0)
    against = np.column_stack([np.eye(leads), -np.ones(leads)])
    value, spread = covariance([(rate[0], against), (rate[1], -against)])
    return joint_test(value, spread, degrees(rate))


def _wild(both: list[ArmMonths], estimand: str, cells: list, reps: int, seed: int) -> dict:
    """Test the difference in differences with whole providers' residuals, so that few of them suffice."""
    rows = []
    for treated, arm, cell in zip((1.0, 0.0), both, cells):
        for after, chosen in zip((0.0, 1.0), cell):
            months = arm.months[:, chosen].sum(axis=1)
            dollars = arm.dollars[estimand][:, chosen].sum(axis=1)
            keep = np.flatnonzero(months > 0)
            root = np.sqrt(months[keep])
            same = np.ones(len(keep))
            rows.append([dollars[keep] / root, root, root * treated * same, root * after * same, keep])
    outcome, one, treated, after, cluster = (np.concatenate(column) for column in zip(*rows))
    product = np.where(one > 0, treated * after / one, 0.0)
    numbers = np.unique(cluster, return_inverse=True)[1]
    found = wild_cluster_test(outcome, product, np.column_stack([one, treated, after]), numbers, reps, seed)
    if isinstance(found, str):
        return {}
    return {"wild_p_value": found.p_value, "wild_lower": found.lower, "wild_upper": found.upper}


def event_rows(arms: dict[str, ArmMonths], estimand: str, run_up: int) -> list[dict]:
    """Lay out cost per month around the index stay, by arm and as the arms' difference against a reference month.

    The reference is the last month before the run-up to admission: the run-up is part of what brings people in.
    """
    rows = []
    for name in (*arms, *PAIRS):
        pair = PAIRS.get(name, (name,))
        if not all(arm in arms for arm in pair):
            continue
        both = [arms[arm] for arm in pair]
        month = both[0].event_month
        candidates = month[month < -run_up]
        reference = int(candidates.max()) if len(candidates) else None
        rate = [_by_month(arm, estimand, np.full(len(month), True)) for arm in both]
        for place, event_month in enumerate(month):
            by = np.zeros(len(month))
            by[place] = 1.0
            is_reference = event_month == reference
            if len(pair) == 2 and reference is not None:
                by[month == reference] -= 1.0
            if len(pair) == 2 and reference is None:
                found = {"reason": "no month before the run-up to admission: no reference"}
            elif len(pair) == 2 and is_reference:
                found = {"estimate": 0.0, "std_error": 0.0, "lower": 0.0, "upper": 0.0, "reason": None}
            else:
                used = [np.flatnonzero(by)] * len(pair)
                parts = [(_only(one, at), sign * by[at]) for one, at, sign in zip(rate, used, (1.0, -1.0))]
                found = with_limits(*contrast(parts))
            found["estimate_usd"] = found.pop("estimate", None)
            rows.append(
                {name: found.get(name) for name in ("estimate_usd", "std_error", "lower", "upper", "reason")}
                | {"estimand": estimand, "contrast": name, "event_month": int(event_month)}
                | {"is_reference": bool(is_reference)}
                | {"member_months": float(sum(arm.months[:, place].sum() for arm in both))}
                | {"persons": int(min(arm.persons_by_month[place] for arm in both))}
            )
    return rows


def _only(rate, at: np.ndarray):
    """Keep some cells, so that a month without a member in one arm does not hide the others."""
    return replace(rate, value=rate.value[at], influence=rate.influence[:, at])


def _facts(arms: list[ArmMonths], chosen: list[np.ndarray]) -> dict:
    return {
        "member_months": float(sum(arm.months[:, months].sum() for arm, months in zip(arms, chosen))),
        "persons": int(min(arm.persons.sum() for arm in arms)),
        "clusters": int((sum(arm.persons for arm in arms) > 0).sum()),
    }
