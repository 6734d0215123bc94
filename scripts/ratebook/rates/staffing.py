"""The staffing build-up: a worker's year over the clients carried, those assumed and those the log has time for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.case_rates import StaffingBuild
from ratebook.contracts.episodes import ARMS
from ratebook.rates import build_up
from ratebook.rates.expected import Stays, expect, limits
from ratebook.tables import empty_frame

ASSUMED = "built from assumptions: no sampling error"
NO_LOG = "no minutes logged for clients of this arm: no caseload can be observed"
YEAR = ("salary", "fringe", "overhead", "supervision", "travel")


def client_minutes(expected: pd.DataFrame | None) -> np.ndarray | None:
    """Give the minutes logged for a client per engaged month, with replicates; None without an expectation."""
    if expected is None:
        return None
    return (expected.minutes / expected.months.where(expected.months > 0)).to_numpy()


def observed_caseload(
    minutes: np.ndarray | None, arm: str, staffing: pd.DataFrame, settings: dict
) -> np.ndarray | None:
    """Give the clients a full worker has time for: minutes worked a month over those a client month takes.

    A client month takes the minutes logged for the client, and its part of all that names no client (training,
    coaching), in proportion. None where the log shows no minutes.
    """
    ratio = staffing[staffing.program == arm].time_per_client_time.astype(float).dropna()
    if minutes is None or ratio.empty or not minutes[0] > 0:
        return None
    taken = np.where(minutes > 0, minutes, np.nan) * ratio.iloc[0]
    return settings["worked_minutes"]["value"] / taken


def staffing_rates(arm: str, minutes: np.ndarray | None, staffing: pd.DataFrame, settings: dict) -> dict:
    """Give the monthly rate before load under the caseload assumed and the one observed, and why one has no limits.

    Returns
    -------
    dict
        Basis to (rate, reason): the rate an array with its replicates after it, of length 1 where nothing is
        estimated; None where the log does not say.

    References
    ----------
    methods.md, E7.
    """
    costs = {name: entry["value"] for name, entry in settings["staffing"].items()}
    observed = observed_caseload(minutes, arm, staffing, settings)
    seen = None if observed is None else build_up.staffing_rate(**{**costs, "caseload": observed})
    return {
        "staffing": (np.array([build_up.staffing_rate(**costs)]), ASSUMED),
        "staffing_observed": (seen, NO_LOG if seen is None else None),
    }


def derive_staffing_build(arms: dict[str, Stays], staffing: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Lay out the staffing rate step by step: a worker's year, the places left empty, and the load.

    Each part of the year is shared over 12 months of a full caseload; empty places raise the sum by their share of
    those filled, and the load makes it 1 / (1 - load). The steps add up to the loaded monthly rate of `case_rates`.

    Returns
    -------
    StaffingBuild

    References
    ----------
    methods.md, E7.
    """
    costs = {name: entry["value"] for name, entry in settings["staffing"].items()}
    year = dict(zip(YEAR, (costs["salary"], costs["salary"] * costs["fringe_share"], *(costs[n] for n in YEAR[2:]))))
    load = settings["load_share"]["value"]
    rows = []
    for arm in (name for name in ARMS if name in arms):
        stays, minutes = arms[arm], None
        if len(stays.still):
            columns = pd.DataFrame({"minutes": stays.rows.minutes.astype(float), "months": 1.0})
            minutes = client_minutes(expect(stays, columns, stays.providers))
        observed = observed_caseload(minutes, arm, staffing, settings)
        for basis, caseload in (("staffing", np.array([float(costs["caseload"])])), ("staffing_observed", observed)):
            if caseload is None:
                continue
            parts = {name: usd / (12 * caseload) for name, usd in year.items()}
            filled = sum(parts.values())
            parts["empty places"] = filled / costs["occupancy_share"] - filled
            parts["load"] = filled / costs["occupancy_share"] * (1 / (1 - load) - 1)
            for step, (part, usd) in enumerate(parts.items(), start=1):
                lower, upper = limits(usd, stays.providers)
                rows.append(
                    {
                        "arm": arm,
                        "basis": basis,
                        "step": step,
                        "part": part,
                        "clients": stays.clients,
                        "caseload": float(caseload[0]),
                        "worker_year_usd": year.get(part),
                        "client_month_usd": float(usd[0]),
                        "lower": lower,
                        "upper": upper,
                        "reason": ASSUMED
                        if basis == "staffing"
                        else None
                        if lower is not None
                        else "too few to resample",
                    }
                )
    return pd.DataFrame(rows, columns=list(StaffingBuild.types())) if rows else empty_frame(StaffingBuild)
