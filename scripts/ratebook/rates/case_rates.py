"""Case rates for navigators: what a flat payment must be, by who stays how long and by what workers cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.case_rates import FORMS, CaseRates
from ratebook.contracts.episodes import ARMS
from ratebook.rates import build_up
from ratebook.rates.expected import Stays, expect, limits
from ratebook.rates.staffing import client_minutes, staffing_rates
from ratebook.tables import empty_frame

NO_SURVIVAL = "no survival of engagement for this arm"
TOO_FEW = "fewer than two clients to resample: no interval"


def derive_case_rates(arms: dict[str, Stays], staffing: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Derive the flat payments that cover what a client of each arm is expected to cost.

    The actuarial basis multiplies the share still engaged at the start of each month (Kaplan-Meier, from the
    engagement stage) with the cost of what is delivered to those engaged: units at the price of the unit form. The
    staffing basis prices a worker's year over the clients carried: those assumed, and those for whom the service
    log leaves time. Limits come from resampling providers with their clients inside, Student's t by the effective
    number of providers; those of resampled clients stand beside them. Over 200 simulated programs of twelve unequal
    providers an arm the former held the planted rate 92 to 95 times in 100, the latter 37 to 64 times.

    Parameters
    ----------
    arms : dict of Stays
        As `expected.read_stays` gives them.
    staffing : Staffing
    settings : dict
        `config.yaml` rates.case_rate.

    Returns
    -------
    CaseRates

    References
    ----------
    methods.md, E7.
    """
    rows = [row for arm in ARMS if arm in arms for row in _arm_rates(arm, arms[arm], staffing, settings)]
    return pd.DataFrame(rows, columns=list(CaseRates.types())) if rows else empty_frame(CaseRates)


def costs(rows: pd.DataFrame, unit_price: float) -> pd.DataFrame:
    """Give the columns every form of payment rests on: cost and month engaged, and the same of the first month alone."""
    first = (rows.engaged_month == 1).astype(float)
    cost = rows.units.astype(float) * unit_price
    return pd.DataFrame({"cost": cost, "months": 1.0, "first_cost": cost * first, "first_months": first})


def price_forms(expected: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Give, for each form, the payment at enrolment and the payment per episode, month or day that pay the same episode.

    The hybrid pays the mean cost of the months after the first each month, and the first month's extra work at
    enrolment; with no later month everything is paid monthly.
    """
    episode, months = expected.cost.to_numpy(), expected.months.to_numpy()
    none = np.zeros(len(episode))
    level = build_up.level_payment(episode, months)
    later = months - expected.first_months.to_numpy()
    has_later = later > 1e-12
    monthly = np.where(
        has_later,
        (episode - expected.first_cost.to_numpy()) / np.where(has_later, later, 1.0),
        expected.first_cost.to_numpy(),
    )
    return {
        "per_episode": (none, episode),
        "per_month": (none, level),
        "per_day": (none, build_up.per_day(level)),
        "hybrid": (np.where(has_later, expected.first_cost.to_numpy() - monthly, 0.0), monthly),
    }


def _arm_rates(arm: str, stays: Stays, staffing: pd.DataFrame, settings: dict) -> list[dict]:
    price, load = settings["unit_price_usd"]["value"], settings["load_share"]["value"]
    rows = stays.rows
    shared = {
        "arm": arm,
        "clients": stays.clients,
        "load_share": load,
        "units_per_month": float(rows.units.sum()) / len(rows),
        "unit_price_usd": price,
        "paid_per_month_usd": float(rows.paid_usd.sum()) / len(rows),
        "error_unit": stays.providers.error_unit,
        "error_units": stays.providers.size,
    }
    found, of_forms, of_persons, expected, months = [], {}, {}, None, None
    if len(stays.still):
        columns = costs(rows, price).assign(minutes=rows.minutes.astype(float))
        expected, by_person = (expect(stays, columns, units) for units in (stays.providers, stays.persons))
        of_forms, of_persons, months = price_forms(expected), price_forms(by_person), expected.months.to_numpy()
    for form in FORMS:
        row = {**shared, "basis": "actuarial", "form": form, "reason": NO_SURVIVAL}
        if form in of_forms:
            enrolment, value = of_forms[form]
            row |= _priced(enrolment, value, of_forms["per_month"][1], stays, shared)
            row["client_lower"], row["client_upper"] = limits(of_persons[form][1], stays.persons)
            row["expected_months"] = float(months[0])
        found.append(row)
    for basis, (monthly, reason) in staffing_rates(arm, client_minutes(expected), staffing, settings).items():
        for form in FORMS[:3]:
            row = {**shared, "basis": basis, "form": form, "reason": reason or NO_SURVIVAL}
            value = _spread(form, monthly, months)
            if value is not None:
                row |= _priced(np.zeros(len(value)), value, monthly, stays, shared)
                row["reason"] = row["reason"] and (reason or row["reason"])
            row["expected_months"] = None if months is None else float(months[0])
            found.append(row)
    return found


def _spread(form: str, monthly: np.ndarray | None, months: np.ndarray | None) -> np.ndarray | None:
    """Turn a monthly rate into the form's: an episode is as long as expected, and unknown where that is."""
    if monthly is None or (form == "per_episode" and months is None):
        return None
    if form == "per_episode":
        return monthly * months
    return monthly if form == "per_month" else build_up.per_day(monthly)


def _priced(enrolment: np.ndarray, value: np.ndarray, monthly: np.ndarray, stays: Stays, shared: dict) -> dict:
    """Give a form's amounts with their limits, with load, and the price of a unit they come to."""
    keep, units, price = 1 - shared["load_share"], shared["units_per_month"], shared["unit_price_usd"]
    lower, upper = limits(value, stays.providers)
    enrolment_lower, enrolment_upper = limits(enrolment, stays.providers, is_price=False)
    implied = float(monthly[0]) / keep / units if units > 0 else None
    return {
        "enrolment_usd": float(enrolment[0]),
        "enrolment_lower": enrolment_lower,
        "enrolment_upper": enrolment_upper,
        "value_usd": float(value[0]),
        "lower": lower,
        "upper": upper,
        "loaded_usd": float(value[0]) / keep,
        "loaded_lower": None if lower is None else lower / keep,
        "loaded_upper": None if upper is None else upper / keep,
        "implied_unit_price_usd": implied,
        "is_unit_equivalent": None if implied is None else bool(0.5 <= implied / price <= 2.0),
        "reason": TOO_FEW if lower is None else None,
    }
