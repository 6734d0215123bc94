"""Cost per member month around the index stay, by arm, as sums of providers: what every contrast is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ratebook.cost.panels import MEMBERS_OF
from ratebook.dates import MONTH_DAYS

NO_MONTH = "no covered month in an arm"
NO_CLUSTERS = "fewer than two providers in an arm: no limits"


@dataclass(frozen=True)
class ArmMonths:
    """One arm: dollars and months by provider and event month.

    Attributes
    ----------
    event_month : numpy.ndarray (K,)
        -1, -2, … before admission, 0, 1, … since discharge, in order.
    months : numpy.ndarray (G, K)
        Covered member months of each provider's members. Providers are numbered over all arms, so that one that
        serves two counts once in the error of their contrast; those without a member in the arm have only zeros.
    dollars : dict of str to numpy.ndarray (G, K)
        Their cost, by estimand.
    persons : numpy.ndarray (G,)
        Members of each provider.
    persons_by_month : numpy.ndarray (K,)
        Members with a covered day in the month.
    """

    event_month: np.ndarray
    months: np.ndarray
    dollars: dict[str, np.ndarray]
    persons: np.ndarray
    persons_by_month: np.ndarray

    @property
    def clusters(self) -> int:
        """Providers; members, in the arm that has none."""
        return int((self.persons > 0).sum())

    @property
    def equals(self) -> float:
        """Number of equally large providers that would tell as much."""
        return float(self.persons.sum() ** 2 / (self.persons**2).sum())


@dataclass(frozen=True)
class Rates:
    """Dollars per month in several cells of one arm, and what each provider adds to their error.

    `influence` (G, P): the rates' derivatives by each provider's weight, with G / (G - 1) for the arm's G providers
    taken in as its root; `clusters` and `equals` as in `ArmMonths`.
    """

    value: np.ndarray
    influence: np.ndarray
    clusters: int
    equals: float


def arm_months(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    member_intervals: pd.DataFrame,
    column: str,
    estimands: tuple[str, ...],
) -> dict[str, ArmMonths]:
    """Sum cost and covered months by arm, provider and month around the index stay, which is in none of them.

    A member of the arm `none` has no provider and stands alone.

    Parameters
    ----------
    follow_up, person_costs, member_intervals : pandas.DataFrame
        As `FollowUp`, `PersonCosts`, `MemberIntervals`.
    column : str
        cost_usd or real_cost_usd.
    """
    if follow_up.empty:
        return {}
    members = follow_up.sort_values("person_id", kind="stable")
    people = pd.Index(members.person_id)
    own = ("person " + members.person_id.astype(str)).where(members.arm == "none", members.provider_id.astype(str))
    cluster, names = pd.factorize(own, sort=True)
    arm_of, arms = pd.factorize(members.arm, sort=True)
    covered = member_intervals[member_intervals.person_id.isin(people)]
    costs = person_costs[person_costs.window.isin(["pre", "post"]) & person_costs.person_id.isin(people)]
    event_month = np.unique(_event_month(covered))
    shape = (len(arms), len(names), len(event_month))

    is_covered = np.zeros((len(people), len(event_month)), dtype=bool)

    def places(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        place = np.searchsorted(event_month, _event_month(rows))
        return people.get_indexer(rows.person_id), np.minimum(place, max(len(event_month) - 1, 0))

    is_covered[places(covered)] = True

    def sums(rows: pd.DataFrame, values: pd.Series) -> np.ndarray:
        member, place = places(rows)
        # Cost of a month without a covered day has no month to be divided by.
        keep = np.isin(_event_month(rows), event_month)
        keep[keep] = is_covered[member[keep], place[keep]]
        at = np.ravel_multi_index((arm_of[member[keep]], cluster[member[keep]], place[keep]), shape)
        return np.bincount(at, values.to_numpy(float)[keep], np.prod(shape, dtype=int)).reshape(shape)

    months = sums(covered, covered.eligible_days / MONTH_DAYS)
    persons = np.stack([np.bincount(cluster[arm_of == at], minlength=len(names)) for at in range(len(arms))])
    by_month = sums(covered, covered.eligible_days > 0).sum(axis=1)
    dollars = {}
    for name in estimands:
        rows = costs[costs.category.isin(MEMBERS_OF[name])]
        dollars[name] = sums(rows, rows[column])
    return {
        arm: ArmMonths(
            event_month=event_month,
            months=months[at],
            dollars={name: dollars[name][at] for name in estimands},
            persons=persons[at].astype(float),
            persons_by_month=by_month[at],
        )
        for at, arm in enumerate(arms)
    }


def rates(arm: ArmMonths, estimand: str, cells: list[np.ndarray]) -> Rates:
    """Divide the dollars of each cell of event months by its member months: the weighted cell mean.

    Parameters
    ----------
    cells : list of bool arrays (K,)
        Which event months are in each cell.
    """
    chosen = np.array(cells, dtype=float).T
    dollars, months = arm.dollars[estimand] @ chosen, arm.months @ chosen
    whole = months.sum(axis=0)
    whole = np.where(whole > 0, whole, np.nan)
    value = dollars.sum(axis=0) / whole
    root = np.sqrt(arm.clusters / max(arm.clusters - 1, 1))
    return Rates(value, root * (dollars - months * value) / whole, arm.clusters, arm.equals)


def contrast(parts: list[tuple[Rates, np.ndarray]]) -> tuple[float, float, float]:
    """Estimate a sum of linear combinations of arms' rates, its error and Student's degrees of freedom.

    The error is that of the saturated regression, clustered by provider, with G / (G - 1) within each arm; the
    degrees of freedom are the arms' effective numbers of providers, less one for each arm.

    Parameters
    ----------
    parts : list of (Rates, array (P,))
        Each arm's rates and their coefficients.
    """
    estimate = sum(float(rate.value @ by) for rate, by in parts)
    if any(rate.clusters < 2 for rate, _ in parts):
        return estimate, np.nan, np.nan
    total = sum(rate.influence @ by for rate, by in parts)
    return estimate, float(np.sqrt(total @ total)), degrees([rate for rate, _ in parts])


def covariance(parts: list[tuple[Rates, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Estimate several contrasts at once: values (Q,) and their covariance (Q, Q); coefficients are (Q, P)."""
    total = sum(rate.influence @ by.T for rate, by in parts)
    return sum(by @ rate.value for rate, by in parts), total.T @ total


def degrees(rates_of_arms: list[Rates]) -> float:
    """Effective providers of the arms less one for each arm, at least 1."""
    return max(sum(rate.equals for rate in rates_of_arms) - len(rates_of_arms), 1.0)


def joint_test(value: np.ndarray, spread: np.ndarray, df: float) -> dict:
    """Test that several contrasts are all zero, with Hotelling's F: the covariance is itself estimated.

    With as many contrasts as degrees of freedom there is nothing to test with, and the reason says so.
    """
    many = len(value)
    below = df - many + 1
    if many == 0:
        return {"reason": "no month before the reference month: no test of a pre-trend"}
    if not below >= 1 or np.linalg.matrix_rank(spread) < many:
        return {"reason": "too few providers for the number of months before"}
    statistic = float(value @ np.linalg.solve(spread, value)) * below / (df * many)
    found = {"statistic": statistic, "degrees_above": float(many), "degrees_below": below}
    return {**found, "p_value": float(special.fdtrc(many, below, statistic)), "reason": None}


def with_limits(estimate: float, error: float, df: float, null: float = 0.0) -> dict:
    """Lay out an estimate with Student's limits and test, or the reason there are none."""
    if not np.isfinite(estimate):
        return {"reason": NO_MONTH}
    if not np.isfinite(error):
        return {"estimate": estimate, "reason": NO_CLUSTERS}
    reach = float(special.stdtrit(df, 0.975)) * error
    found = {"estimate": estimate, "std_error": error, "lower": estimate - reach, "upper": estimate + reach}
    if error > 0:
        statistic = (estimate - null) / error
        p_value = float(2 * special.stdtr(df, -abs(statistic)))
        found |= {"statistic": statistic, "degrees_below": df, "p_value": p_value}
    return {**found, "reason": None}


def _event_month(rows: pd.DataFrame) -> np.ndarray:
    """Number the months: intervals since discharge count from 1, months from 0; before admission both from -1."""
    interval = rows.interval.to_numpy()
    return np.where(interval > 0, interval - 1, interval)
