"""Every program on the same people: what it pays, what the plan risks, what the State saves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.programs import ProgramComparison
from ratebook.programs import primitives
from ratebook.programs.definitions import EVERYWHERE
from ratebook.programs.liability import plan_costs
from ratebook.programs.rates import Costs, cost_schemes, price_rate, rate_of
from ratebook.programs.replicates import NO_MONTHS, estimate, ratio
from ratebook.tables import frame_of

HOME = ("hcbs", "adult_day", "assisted_living", "case_management")


def compare_programs(groups: pd.DataFrame, programs: list[dict], year_days: float, replicates: int) -> pd.DataFrame:
    """Set the programs side by side on the people all of them would enrol.

    The rates are those of `derive_program_rates`; the people are the common population. Use of services is held
    as it is under fee-for-service, so a margin here is what the method alone gives or takes, before any change
    of care.

    Parameters
    ----------
    groups, programs, year_days, replicates
        As `derive_program_rates` takes them; among the groups the common population.

    Returns
    -------
    ProgramComparison

    References
    ----------
    methods.md, F6 and E9.
    """
    rows = [_row(*of_scheme) for of_scheme in cost_schemes(groups, programs, year_days, replicates)]
    return frame_of(rows, ProgramComparison)


def _row(program, scheme, costs):
    cells = costs.sums.cells("common")
    months = {cell: costs.months("common", cell) for cell in cells}
    rates = {cell: price_rate(rate_of(scheme, cell), cell, costs)["rate"] for cell in cells}
    whole = np.zeros(costs.sums.replicates + 1)
    rate = primitives.mean_known(rates, months) + whole if cells else whole * np.nan
    paid = plan_costs(program, costs.sums, "common", cells)
    plan, state, ffs = (ratio(paid[name], paid["months"]) for name in ("plan", "state_nf", "ffs"))
    saving = estimate(ffs - rate - state)
    per_day = ratio(paid["window_nf"] + paid["funded_nf"], paid["nf_days"])
    share = ratio(paid["plan_nf_days"] + paid["funded_nf_days"], paid["nf_days"])
    return {
        "program": program["program"],
        "name": program["name"],
        "state": scheme["state"],
        "area": scheme["area"],
        "era": scheme["era"],
        "persons": costs.sums.count("common_population", EVERYWHERE, "new_persons"),
        "member_months": round(paid["months"][0]),
        "rate_pmpm_usd": _number(rate),
        "plan_cost_pmpm_usd": _number(plan),
        "plan_margin_pmpm_usd": _number(rate - plan),
        "state_ffs_pmpm_usd": _number(ffs),
        "state_remainder_pmpm_usd": _number(state),
        "state_saving_pmpm_usd": saving["estimate"],
        "plan_nf_day_share": _number(share),
        "nf_risk": program["nf_risk"],
        "gain_per_nf_day_avoided_usd": _number(per_day - home_day(costs, year_days=costs.year_days)),
        "lower": saving["lower"],
        "upper": saving["upper"],
        "reason": saving["reason"] if cells else NO_MONTHS,
    }


def home_day(costs: Costs, year_days: float) -> np.ndarray:
    """Give a day of home and community care of the common population's people at home, by their own months.

    Month cost of the covered home services over all months that are not facility days, as days.
    """
    total = sum(
        costs.sums.total("common", cell, f"{service}_usd")
        for cell in costs.sums.cells("common")
        for component in HOME
        for service in costs.services(component, cell)
    ) + np.zeros(costs.sums.replicates + 1)
    months = sum(costs.months("common", cell) for cell in costs.sums.cells("common"))
    facility = sum(costs.sums.total("common", cell, "nf_days") for cell in costs.sums.cells("common"))
    days = months * year_days / primitives.MONTHS_OF_YEAR - facility + np.zeros(costs.sums.replicates + 1)
    return ratio(total, days)


def _number(values):
    value = float(np.ravel(values)[0])
    return value if np.isfinite(value) else None
