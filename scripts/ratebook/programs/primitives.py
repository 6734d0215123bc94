"""The arithmetic programs are written in: every function works on a number or, alike, on an array of replicates."""

from __future__ import annotations

import numpy as np

from ratebook.errors import RatebookError

MONTHS_OF_YEAR = 12


def blend(costs: dict[str, np.ndarray], weights: dict[str, np.ndarray]) -> np.ndarray:
    """Weigh the comparison groups' costs; a group of weight 0 does not count, even where its cost is unknown."""
    total = 0.0
    for group, weight in weights.items():
        weight = np.asarray(weight, dtype=float)
        total = total + np.where(weight == 0, 0.0, weight * np.where(weight == 0, 0.0, costs[group]))
    return total


def observed_weights(member_months: dict[str, np.ndarray], reweight: dict[str, float] | None = None) -> dict:
    """Weigh groups by their member months, some of them more or less by a factor, summing to 1.

    Unknown (nan) where no group has a member month.
    """
    factors = reweight or {}
    scaled = {
        group: np.asarray(months, dtype=float) * factors.get(group, 1.0) for group, months in member_months.items()
    }
    total = np.asarray(sum(scaled.values()), dtype=float)
    total = np.where(total > 0, total, np.nan)
    return {group: value / total for group, value in scaled.items()}


def set_weight(weights: dict[str, np.ndarray], group: str, share) -> dict:
    """Give a group a weight, at most 1; the others share the rest in proportion, or alike where they weigh nothing."""
    share = np.minimum(share, 1.0)
    rest = {name: np.asarray(weight, dtype=float) for name, weight in weights.items() if name != group}
    total = np.asarray(sum(rest.values()), dtype=float)
    scaled = {
        name: (1 - share) * np.where(total > 0, weight / np.where(total > 0, total, 1.0), 1 / len(rest))
        for name, weight in rest.items()
    }
    return {name: share if name == group else scaled[name] for name in weights}


def limit_weight(weights: dict[str, np.ndarray], group: str, most: float) -> dict:
    """Hold a group's weight to the greatest it may have; what is beyond goes to the others.

    A weight at the limit stands, and nothing changes then.
    """
    return set_weight(weights, group, np.minimum(weights[group], most))


def mean_known(amounts: dict[str, np.ndarray], member_months: dict[str, np.ndarray]) -> np.ndarray:
    """Average over cells by their member months; a cell whose amount is unknown is left out of both sums."""
    weights = {cell: np.where(np.isfinite(amounts[cell]), months, 0.0) for cell, months in member_months.items()}
    return blend(amounts, observed_weights(weights))


def apply_discounts(amount, discounts: list[float]):
    """Take each discount d in turn as a factor 1 - d.

    Raises
    ------
    RatebookError
        If a discount is a half or more: "discounted at 98 percent of cost" is a discount of 0.02.
    """
    for discount in discounts:
        if not 0 <= discount < 0.5:
            raise RatebookError("a program's discount is below 0 or at least 0.5: state 0.02 for '98 percent of cost'")
        amount = amount * (1 - discount)
    return amount


def facility_month(per_diem, ancillary, year_days: float):
    """Give a facility's month: a twelfth of a year of per diems, and the ancillary cost of a month."""
    return per_diem * year_days / MONTHS_OF_YEAR + ancillary


def evaluate_bid(bid, low, high, position: float):
    """Take a bid as it is, unless it is above the top of the range: then the point at `position` in the range.

    A position of 0.5 is the midpoint. Offsets are negative amounts, so that "above" means a smaller offset.
    A bid at the top or below the range stands. The ends may be given in either order.
    """
    low, high = np.minimum(low, high), np.maximum(low, high)
    return np.where(np.asarray(bid) > high, low + position * (high - low), bid)


def blend_projection(projected, current, weight: float):
    """Blend a plan's projection with the fee-for-service equivalent, never above the latter."""
    return np.minimum(weight * projected + (1 - weight) * current, current)


def cap_rate(rate, cap):
    """Hold a rate to a cap: the lower of both. Where the cap is unknown, so is the rate."""
    return np.minimum(rate, cap)


def pay_net_of_share(rate, share_of_cost):
    """Give what the State pays where it leaves the enrollee's average share of cost to the plan to collect."""
    return rate - share_of_cost


def months_at_risk(impaired_month: int) -> int:
    """Count the months of the enrolment year left after the month a person became impaired in."""
    return max(MONTHS_OF_YEAR - impaired_month, 0)


def settle_mix(assumed, actual, dearer, cheaper, member_months, share: float, deadband: float = 0.0):
    """Settle a mix of dearer and cheaper care that came otherwise than assumed.

    The part of the deviation beyond the deadband moves that share of member months from one cost to the other;
    `share` of it is settled. Positive: the State pays the plan.
    """
    deviation = actual - assumed
    beyond = np.sign(deviation) * np.maximum(np.abs(deviation) - deadband, 0.0)
    return beyond * (dearer - cheaper) * member_months * share


def settle_cost(assumed, actual, member_months, share: float):
    """Settle a cost per member month: the plan gets back what it spent beyond the assumption."""
    return (actual - assumed) * member_months * share


def settle_offset(assumed, actual, member_months, share: float):
    """Settle an amount the plan collects itself: it gets back what it was assumed to collect and did not."""
    return (assumed - actual) * member_months * share


def normalise_risk(scores: np.ndarray, member_months: np.ndarray) -> np.ndarray:
    """Scale plans' scores so that their mean by member months is 1: paying by them moves money, and adds none."""
    return scores * member_months.sum() / (scores * member_months).sum()


def beyond_limit(months_in_cell: int, limit: int | None) -> int:
    """Count months a person spent in a cell beyond its limit; no limit, none beyond."""
    return 0 if limit is None else max(months_in_cell - limit, 0)
