"""Every table of the rate book, one step after the other."""

from __future__ import annotations

import pandas as pd

from ratebook.rates.assumptions import list_assumptions
from ratebook.rates.derive import (
    derive_corridor,
    derive_credibility,
    derive_plan_rates,
    derive_rate_build,
    derive_rates,
    place_cells,
)
from ratebook.rates.pooling import derive_pooling
from ratebook.rates.relativities import derive_relativities
from ratebook.rates.risk_sharing import derive_risk_sharing
from ratebook.rates.trace import derive_rate_trace
from ratebook.rates.uncertainty import estimate_uncertainty, with_limits

POOLING = ("attachment_usd", "coinsurance_share")


def derive_rate_book(
    read: dict[str, pd.DataFrame], settings: dict, data_note: str, seed: int
) -> dict[str, pd.DataFrame]:
    """Pool the base, carry it to the rating period, weigh, load and smooth it, redraw it, trace it, and share its risk.

    Parameters
    ----------
    read : dict of DataFrame
        The tables of `contracts.rate_book.READ`.
    settings : dict
        `config.yaml` rates.
    data_note : str
        `config.yaml` study.data_note: where it calls the data real, a stand-in among the settings is refused.
    seed : int

    Returns
    -------
    dict of DataFrame
        The tables of `contracts.rate_book.WRITTEN`.

    Raises
    ------
    RatebookError
        If the data are real and an assumption still is a placeholder.
    """
    assumptions = list_assumptions(settings, data_note)
    experience, completion, trend = read["experience"], read["base_completion"], read["trend"]
    pooling = derive_pooling(read["excess"], *(settings["pooling"][name]["value"] for name in POOLING))
    build = derive_rate_build(experience, read["moments"], completion, trend, pooling, settings)
    credibility = derive_credibility(experience, read["moments"], settings)
    rates = derive_rates(build, credibility, completion, trend, place_cells(experience), settings)
    uncertainty, tornado = estimate_uncertainty(
        build, rates, completion, read["ultimates"], trend, read["cell_groups"], read["group_months"], settings, seed
    )
    rates = with_limits(rates, uncertainty)
    plan_rates = derive_plan_rates(experience, rates, settings)
    return {
        "pooling": pooling,
        "rate_build": build,
        "credibility": credibility,
        "rates": rates,
        "relativities": derive_relativities(rates, settings),
        "rate_trace": derive_rate_trace(experience, build, rates, settings),
        "uncertainty": uncertainty,
        "tornado": tornado,
        "plan_rates": plan_rates,
        "corridor": derive_corridor(settings),
        "risk_sharing": derive_risk_sharing(rates, plan_rates, settings),
        "assumptions": assumptions,
    }
