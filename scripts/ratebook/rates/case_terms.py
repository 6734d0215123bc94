"""Terms of a case-rate contract, each priced so that it pays the same episode: tiers, rules, limits, withhold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ratebook.contracts.case_rates import BEYOND, CaseTerms
from ratebook.contracts.episodes import ARMS
from ratebook.rates.build_up import level_payment
from ratebook.rates.case_rates import NO_SURVIVAL, TOO_FEW, costs
from ratebook.rates.expected import Stays, expect, limits
from ratebook.tables import empty_frame

SAME_AS_LEVEL = "the limits include the level monthly rate: the tier is not told apart"


class Part(NamedTuple):
    """One part of a payment: how often it is paid per client and how much each time, replicates after the estimate.

    `measure` names the column that says for whom it is paid, where the arm is divided; `at_level` is what the part would
    bring at the level rate.
    """

    term: str
    name: str
    measure: str | None
    times: np.ndarray
    value: np.ndarray
    at_level: np.ndarray | None


def derive_case_terms(arms: dict[str, Stays], settings: dict) -> pd.DataFrame:
    """Price the terms a contract may add to a case rate, each neutral to the expected cost of an episode.

    A tier's price is the mean cost of its own months. A month that misses the contacts asked for, or comes after the
    last month paid, is not paid (or paid back), so the others are paid more. Beyond a limit in dollars or units a
    client's cost is recovered (its share `stop_loss_share`) and all pay a charge: the expected recovery. A withhold is
    grossed up for the part that is not expected to be earned.

    Parameters
    ----------
    arms : dict of Stays
        As `expected.read_stays` gives them.
    settings : dict
        `config.yaml` rates.case_rate.

    Returns
    -------
    CaseTerms

    References
    ----------
    methods.md, E7 and D3.
    """
    rows = [row for arm in ARMS if arm in arms for row in _arm_terms(arm, arms[arm], settings)]
    return pd.DataFrame(rows, columns=list(CaseTerms.types())) if rows else empty_frame(CaseTerms)


def measure(rows: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Give every engaged month what the terms ask of it: its cost, its tier, whether it is paid, its excess.

    Parameters
    ----------
    rows : DataFrame
        Engaged months of one arm, ordered by client and month.
    settings : dict
        `config.yaml` rates.case_rate.

    Returns
    -------
    DataFrame
        One row per row: cost and months, in all and of the first month; for each tier its cost and months; months with
        enough contacts, months paid at most, and for both stop-losses the dollars beyond and the month of passing.
    """
    terms = {name: entry["value"] for name, entry in settings["terms"].items()}
    price = settings["unit_price_usd"]["value"]
    found = costs(rows, price)
    found["later_cost"], found["later_months"] = found.cost - found.first_cost, found.months - found.first_months
    for name, of_tier in severity_tiers(rows.n12, terms["severity_from"]).items():
        found[f"cost {name}"], found[f"months {name}"] = found.cost * of_tier, of_tier.astype(float)
    found["enough_contacts"] = (rows.contacts >= terms["minimum_contacts"]).astype(float)
    found["within"] = (rows.engaged_month <= terms["maximum_months"]).astype(float)
    units = rows.units.astype(float)
    for name, amount, usd in (("usd", found.cost, 1.0), ("units", units, price)):
        attachment = terms[f"stop_loss_{name}"]
        so_far = amount.groupby(rows.person_id).cumsum()
        before = so_far - amount
        found[f"excess_{name}"] = usd * (np.maximum(so_far - attachment, 0) - np.maximum(before - attachment, 0))
        found[f"passed_{name}"] = ((so_far > attachment) & (before <= attachment)).astype(float)
    return found


def severity_tiers(n12: pd.Series, lower_limits: list[int]) -> dict[str, pd.Series]:
    """Say which rows belong to each tier of earlier detoxifications: '2-3 detoxifications' for limits 2 and 4."""
    limits_of = sorted(lower_limits)
    ends = [*(str(low - 1) for low in limits_of[1:]), None]
    tiers = {}
    for low, high in zip(limits_of, ends):
        name = f"{low} or more" if high is None else str(low) if str(low) == high else f"{low}-{high}"
        upto = np.inf if high is None else int(high)
        # What lies below the lowest limit belongs to the lowest tier: no client is without a price.
        from_here = -np.inf if low == limits_of[0] else low
        tiers[f"{name} detoxifications"] = (n12 >= from_here) & (n12 <= upto)
    return tiers


def price_terms(e: pd.DataFrame, settings: dict) -> list[Part]:
    """Price every part of every term from the expected values of the measures.

    Parameters
    ----------
    e : DataFrame
        Expected value per client of each column of `measure`: the estimate and its replicates.
    settings : dict
        `config.yaml` rates.case_rate.
    """
    terms = {name: entry["value"] for name, entry in settings["terms"].items()}
    level = level_payment(e.cost.to_numpy(), e.months.to_numpy())
    once = np.ones(len(e))

    def own(term: str, name: str, paid: str, cost: str, counted: str | None = None) -> Part:
        """Give a part that pays some months the given cost."""
        times = e[paid].to_numpy()
        return Part(term, name, counted, times, level_payment(e[cost].to_numpy(), times), times * level)

    tiers = [name.removeprefix("months ") for name in e if name.startswith("months ")]
    asked = f"months with {terms['minimum_contacts']} or more contacts"
    parts = [
        own("tier_month", "month 1", "first_months", "first_cost"),
        own("tier_month", "each later month", "later_months", "later_cost"),
        *(own("tier_severity", name, f"months {name}", f"cost {name}", f"months {name}") for name in tiers),
        own("minimum_contact", asked, "enough_contacts", "cost"),
        own("maximum_months", f"months 1 to {terms['maximum_months']}", "within", "cost"),
    ]
    for unit in ("usd", "units"):
        term, share = f"stop_loss_{unit}", terms["stop_loss_share"]
        recovered, passed = share * e[f"excess_{unit}"].to_numpy(), e[f"passed_{unit}"].to_numpy()
        parts += [
            Part(term, "episode, before the charge", None, once, e.cost.to_numpy(), e.cost.to_numpy()),
            Part(term, "charge", None, once, -recovered, None),
            Part(term, BEYOND, f"passed_{unit}", passed, level_payment(recovered, passed), None),
        ]
    withheld, earned = terms["withhold_share"], terms["earned_share"]
    gross, months = level / (1 - withheld * (1 - earned)), e.months.to_numpy()
    return [
        *parts,
        Part("withhold", "paid each month", None, months, gross * (1 - withheld), months * level * (1 - withheld)),
        Part("withhold", "earned, each month", None, months, gross * withheld * earned, months * level * withheld * earned),
    ]  # fmt: skip


def _arm_terms(arm: str, stays: Stays, settings: dict) -> list[dict]:
    columns = measure(stays.rows, settings)
    if not len(stays.still):
        blank = price_terms(pd.DataFrame(np.nan, index=[0], columns=columns.columns), settings)
        shared = {"arm": arm, "clients": stays.clients, "reason": NO_SURVIVAL}
        return [{**shared, "term": part.term, "part": part.name} for part in blank]
    expected = expect(stays, columns, stays.providers)
    level = expected.cost[0] / expected.months[0]
    return [_row(arm, part, columns, stays, level) for part in price_terms(expected, settings)]


def _row(arm: str, part: Part, columns: pd.DataFrame, stays: Stays, level: float) -> dict:
    times, value = float(part.times[0]), float(part.value[0])
    row = {
        "arm": arm,
        "term": part.term,
        "part": part.name,
        "clients": stays.rows.person_id[columns[part.measure] > 0].nunique() if part.measure else stays.clients,
        "times_per_client": times,
        "expected_usd": 0.0,
        "reason": "paid to nobody: nothing of the kind was seen",
    }
    if not np.isfinite(value):
        return row
    lower, upper = limits(part.value, stays.providers)
    row |= {"value_usd": value, "lower": lower, "upper": upper, "expected_usd": times * value, "reason": None}
    row["at_level_usd"] = None if part.at_level is None else float(part.at_level[0])
    if lower is None:
        row["reason"] = TOO_FEW
    elif part.term == "tier_severity" and lower <= level <= upper:
        row["reason"] = SAME_AS_LEVEL
    return row
