"""Every program on the same people: what it pays, what the plan risks, what the State saves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ratebook.contracts.designs import ProgramComparison
from ratebook.programs import primitives
from ratebook.programs.definitions import EVERYWHERE
from ratebook.programs.liability import plan_costs
from ratebook.programs.rates import Costs, cost_schemes, price_rate, rate_of
from ratebook.programs.replicates import NO_MONTHS, estimate, first, ratio
from ratebook.tables import frame_of

HOME = ("hcbs", "adult_day", "assisted_living", "case_management")
AS_IS, RESPONSE = "as_is", "response"


@dataclass(frozen=True)
class Design:
    """A scheme on the common population; every amount is an array of all persons and of all but each replicate.

    Months in a cell without a rate, for want of a comparison cost, are left out of everything.
    """

    program: dict
    scheme: dict
    costs: Costs
    months: dict[str, np.ndarray]
    """Cell to member months."""
    rates: dict[str, np.ndarray]
    """Cell to rate; no cell without one."""

    @property
    def key(self) -> dict[str, str]:
        """Name the design in every table."""
        return {"program": self.program["program"]} | {name: self.scheme[name] for name in ("state", "area", "era")}

    @property
    def persons(self) -> int:
        """Count the persons of the common population the program would enrol."""
        return self.costs.sums.count("common_population", EVERYWHERE, "new_persons")

    @property
    def unpriced_share(self) -> float | None:
        """Give the share of the common population's months in cells without a rate."""
        whole = self.costs.sums.total("common_population", EVERYWHERE, "member_months")[0]
        return 1 - sum(self.months.values(), self.whole)[0] / whole if whole else None

    @property
    def whole(self) -> np.ndarray:
        """A zero of every replicate."""
        return np.zeros(self.costs.sums.replicates + 1)

    def rate(self, weights: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """Average the rates of cells, by the population's months or by others."""
        weights = self.months if weights is None else weights
        if not weights:
            return self.whole * np.nan
        return primitives.mean_known({cell: self.rates[cell] for cell in weights}, weights) + self.whole

    def cells(self, group: str) -> dict[str, np.ndarray]:
        """Give the member months of a group of the common population by cell."""
        sums = self.costs.sums
        return {cell: sums.total(group, cell, "member_months") for cell in sums.cells(group) if cell in self.rates}

    def paid(self, group: str) -> dict[str, np.ndarray]:
        """Add up what is paid for a group by cell, as `plan_costs`."""
        return plan_costs(self.program, self.costs.sums, group, list(self.cells(group)))

    def home_month(self) -> np.ndarray:
        """Give a month of the plan's services for the common population's people at home."""
        paid = self.paid("common_at_home")
        return ratio(paid["services"], paid["months"])

    def home_day(self) -> np.ndarray:
        """Give a day of the covered home services, over all days of the common population outside a facility."""
        sums = self.costs.sums
        services = {
            cell: [name for component in HOME for name in self.costs.services(component, cell)] for cell in self.months
        }
        total = sum((sums.total("common", cell, f"{n}_usd") for cell in services for n in services[cell]), self.whole)
        days = sum(self.months.values(), self.whole) * self.costs.year_days / primitives.MONTHS_OF_YEAR
        return ratio(total, days - sum((sums.total("common", cell, "nf_days") for cell in self.months), self.whole))


def price_designs(groups: pd.DataFrame, programs: list[dict], year_days: float, replicates: int) -> list[Design]:
    """Price every scheme of every program on the common population, as `derive_program_rates` prices it.

    Parameters
    ----------
    groups, programs, year_days, replicates
        As `derive_program_rates` takes them; among the groups the common population.
    """
    found = []
    for program, scheme, costs in cost_schemes(groups, programs, year_days, replicates):
        cells = costs.sums.cells("common")
        every = dict.fromkeys([*cells, *costs.sums.cells("common_moved")])
        rates = {cell: price_rate(rate_of(scheme, cell), cell, costs)["rate"] for cell in every}
        rates = {cell: rate for cell, rate in rates.items() if np.isfinite(rate[0])}
        months = {cell: costs.months("common", cell) for cell in cells if cell in rates}
        found.append(Design(program, scheme, costs, months, rates))
    return found


def respond(design: Design, avoided_share: float) -> dict[str, np.ndarray]:
    """Give what plan and State pay where a share of facility days becomes days at home.

    The plan pays a day of home services for every day avoided, also where the State paid the facility; cells and
    rates stay as they are, as they would until the next base period.

    Returns
    -------
    dict of arrays
        `plan`, `state` and today's `ffs`, USD per member month.
    """
    paid = design.paid("common")
    days = paid["nf_days"] * avoided_share
    # Nothing avoided asks for no price of a day at home, which may be unknown.
    at_home = days * np.where(days > 0, design.home_day(), 0.0)
    kept = 1 - avoided_share
    plan = paid["services"] + at_home + kept * (paid["window_nf"] + paid["funded_nf"])
    amounts = {"plan": plan, "state": kept * paid["state_nf"], "ffs": paid["ffs"]}
    return {name: ratio(amount, paid["months"]) for name, amount in amounts.items()}


def compare_programs(designs: list[Design], avoided_share: float) -> pd.DataFrame:
    """Set the programs side by side on the people all of them would enrol.

    The rates are those of `derive_program_rates`; the people are the common population. As it is, use of services is
    held as under fee-for-service, so a margin is what the method alone gives or takes; under the response, plans turn
    `avoided_share` of all facility days into days at home.

    Parameters
    ----------
    designs : list of Design
        As `price_designs` gives them.
    avoided_share : float
        Share of facility days a plan would avoid.

    Returns
    -------
    ProgramComparison

    References
    ----------
    methods.md, F6 and E9.
    """
    rows = []
    for design in designs:
        rows += [_row(design, AS_IS, 0.0), _row(design, RESPONSE, avoided_share)]
    return frame_of(rows, ProgramComparison)


def _row(design, scenario, avoided_share):
    paid = design.paid("common")
    amounts, rate = respond(design, avoided_share), design.rate()
    saving = estimate(amounts["ffs"] - rate - amounts["state"])
    margin = estimate(rate - amounts["plan"])
    share = ratio(paid["plan_nf_days"] + paid["funded_nf_days"], paid["nf_days"])
    return {
        **design.key,
        "scenario": scenario,
        "name": design.program["name"],
        "persons": design.persons,
        "member_months": round(paid["months"][0]),
        "unpriced_share": design.unpriced_share,
        "avoided_share": avoided_share,
        "rate_pmpm_usd": first(rate),
        "plan_cost_pmpm_usd": first(amounts["plan"]),
        "plan_margin_pmpm_usd": margin["estimate"],
        "margin_lower": margin["lower"],
        "margin_upper": margin["upper"],
        "state_ffs_pmpm_usd": first(amounts["ffs"]),
        "state_remainder_pmpm_usd": first(amounts["state"]),
        "state_saving_pmpm_usd": saving["estimate"],
        "plan_nf_day_share": first(share),
        "nf_risk": design.program["nf_risk"],
        "medicare": design.program["medicare"],
        "lower": saving["lower"],
        "upper": saving["upper"],
        "reason": saving["reason"] if design.months else NO_MONTHS,
    }
