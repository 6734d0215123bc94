"""How plans of several sizes end: the spread of members' margins, and the chance that a plan loses."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ratebook.contracts.designs import PlanRisk
from ratebook.programs.comparison import AS_IS, RESPONSE, Design, respond
from ratebook.programs.primitives import MONTHS_OF_YEAR
from ratebook.programs.replicates import NO_MONTHS, estimate, first, ratio
from ratebook.tables import frame_of

LEVELLED = "levelled"
DESIGN = ["program", "state", "area", "era"]
SAFETY = 0.95
"""Chance of no loss the safety margin buys."""


def rates_by_cell(designs: list[Design]) -> pd.DataFrame:
    """List each design's rates on the common population, by frame and cell; a cell without one is left out."""
    rows = [
        {**design.key, "frame": design.scheme["frame"], "cell": cell, "rate_usd": first(rate)}
        for design in designs
        for cell, rate in design.rates.items()
    ]
    found = pd.DataFrame(rows, columns=[*DESIGN, "frame", "cell", "rate_usd"])
    return found[found.rate_usd.notna()].astype({"rate_usd": "float64"})


def sum_margins(years: ibis.Table, rates: pd.DataFrame) -> ibis.Table:
    """Sum the margins of persons' years under every design, their squares and cubes, by replicate.

    A margin is the year's months times the rates of their cells, less what the plan pays. Months in a cell without
    a rate are left out, as they are of the mean rate.

    Parameters
    ----------
    years : MemberYears
    rates : pandas.DataFrame
        As `rates_by_cell` gives them.

    Returns
    -------
    ibis.Table
        One row per design and replicate: `years` of persons, their `months`, `margin` in cents, its squares and cubes
        in dollars; `known` of those with a year before, `low` of those of low cost in it.
    """
    joined = years.join(ibis.memtable(rates), ["program", "frame", "cell"])
    # In whole cents, and powers in whole dollars: sums come out alike in whatever order an engine adds.
    paid = (joined.member_months * joined.rate_usd * 100).round().cast("int64")
    joined = joined.mutate(cents=paid - (joined.plan_usd * 100).cast("int64"))
    people = joined.group_by(*DESIGN, "person_id", "replicate", "year").agg(
        months=joined.member_months.sum(), cents=joined.cents.sum().cast("int64"), low=joined.was_low_cost.arbitrary()
    )
    people = people.mutate(usd=(people.cents / 100).round().cast("int64"))
    known, low = people.low.notnull(), people.low.fill_null(False)
    return people.group_by(*DESIGN, "replicate").agg(
        years=people.count(),
        months=people.months.sum(),
        margin=people.cents.sum(),
        margin_2=(people.usd * people.usd).sum(),
        margin_3=(people.usd * people.usd * people.usd).sum(),
        known_months=people.months.sum(where=known).fill_null(0),
        known_margin=people.cents.sum(where=known).fill_null(0),
        low_months=people.months.sum(where=low).fill_null(0),
        low_margin=people.cents.sum(where=low).fill_null(0),
    )


class Margins:
    """Moments of members' yearly margins by design, each an array of all persons and of all but each replicate."""

    def __init__(self, sums: pd.DataFrame, replicates: int):
        self.replicates = replicates
        self.found = {key: self._arrays(rows) for key, rows in sums.groupby(DESIGN)}

    def _arrays(self, rows):
        rows = rows.set_index("replicate").drop(columns=DESIGN).astype(float)
        rows = rows.assign(**{name: rows[name] / 100 for name in rows if name.endswith("margin")})
        each = rows.reindex(range(self.replicates), fill_value=0.0)
        return {name: np.concatenate([[column.sum()], column.sum() - column]) for name, column in each.items()}

    def of(self, key: dict[str, str]) -> dict[str, np.ndarray]:
        """Give the sums of a design; unknown where it has no member with a rate."""
        names = (
            "years",
            "months",
            "margin",
            "margin_2",
            "margin_3",
            "known_months",
            "known_margin",
            "low_months",
            "low_margin",
        )
        nothing = {name: np.full(self.replicates + 1, np.nan) for name in names}
        return self.found.get(tuple(key[name] for name in DESIGN), nothing)

    def low_cost_gain(self, key: dict[str, str]) -> np.ndarray:
        """Give the margin a month of those who cost little the year before, less that of all with a year before."""
        found = self.of(key)
        return ratio(found["low_margin"], found["low_months"]) - ratio(found["known_margin"], found["known_months"])


def loss_chance(mean, sd, skewness, shift=0.0):
    """Give the chance that a sum of independent margins is below zero: the normal curve, corrected for skewness.

    Parameters
    ----------
    mean, sd, skewness
        Of the sum; `shift` is added to the mean. Without spread a sum is a loss or is none.

    References
    ----------
    First-order Edgeworth expansion; Daykin, Pentikäinen and Pesonen, Practical Risk Theory for Actuaries, 1994, 4.2.
    """
    mean, spread = np.asarray(mean + shift, dtype=float), np.where(np.asarray(sd) > 0, sd, np.nan)
    z = -mean / spread
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    chance = np.clip(ndtr(z) - skewness / 6 * (z**2 - 1) * density, 0.0, 1.0)
    return np.where(np.asarray(sd) == 0, np.where(np.isfinite(mean), mean < 0, np.nan), chance)


def estimate_plan_risk(
    designs: list[Design], margins: Margins, avoided_share: float, margin_share: float, plan_sizes: list[int]
) -> pd.DataFrame:
    """Say how far a plan's yearly result strays from its mean, by size, and how often it is a loss.

    A plan of n members is n x 12 member months of persons' years drawn independently from the common population. The
    safety margin is what a plan must be paid above its expected cost, a month, to lose in one year of twenty. Under
    the response the mean moves by what avoided facility days save; the spread stays. Levelled, every rate of a design
    is moved by one amount, so that all designs keep the same share of cost and differ in risk alone.

    Parameters
    ----------
    designs : list of Design
        As `price_designs` gives them.
    margins : Margins
    avoided_share : float
        Share of facility days avoided under the response.
    margin_share : float
        Share of its cost a levelled plan keeps, on average.
    plan_sizes : list of int
        Members.

    Returns
    -------
    PlanRisk

    References
    ----------
    methods.md, F6 and E7 (chance of loss).
    """
    rows = []
    for design in designs:
        moments, cost = margins.of(design.key), respond(design, 0.0)["plan"]
        gains = {
            AS_IS: cost * 0,
            RESPONSE: cost - respond(design, avoided_share)["plan"],
            LEVELLED: margin_share * cost - ratio(moments["margin"], moments["months"]),
        }
        rows += [_risk_row(design, name, moments, gains[name], size) for name in gains for size in plan_sizes]
    return frame_of(rows, PlanRisk)


def _risk_row(design, scenario, moments, gain, members):
    pmpm, sd, skewness = plan_spread(moments, members)
    found = estimate(loss_chance(pmpm, sd, skewness, gain))
    limits = {name: None if found[name] is None else float(np.clip(found[name], 0, 1)) for name in ("lower", "upper")}
    return {
        **design.key,
        "scenario": scenario,
        "plan_members": members,
        "persons": design.persons,
        "margin_pmpm_usd": first(pmpm + gain),
        "sd_pmpm_usd": first(sd),
        "safety_margin_pmpm_usd": first(safety_margin(sd, skewness)),
        "loss_probability": found["estimate"],
        **limits,
        "reason": found["reason"] if design.months else NO_MONTHS,
    }


def plan_spread(moments: dict[str, np.ndarray], members: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give mean, standard deviation and skewness of a plan's margin per member month."""
    n = moments["years"]
    mean = ratio(moments["margin"], n)
    second, third = ratio(moments["margin_2"], n), ratio(moments["margin_3"], n)
    variance = np.maximum(second - mean**2, 0.0)
    central = third - 3 * mean * second + 2 * mean**3
    months = ratio(moments["months"], n)
    years = members * MONTHS_OF_YEAR / months
    skewness = ratio(central, variance**1.5) / np.sqrt(years)
    return mean / months, np.sqrt(variance / years) / months, skewness


def safety_margin(sd: np.ndarray, skewness: np.ndarray) -> np.ndarray:
    """Give what must be added to the expected cost to lose with chance 1 - `SAFETY`: Cornish-Fisher of the normal quantile."""
    z = ndtri(1 - SAFETY)
    return -sd * (z + skewness / 6 * (z**2 - 1))
