"""Mean cost per member as paid beside the same at the prices of one year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost import COSTS
from ratebook.contracts.cost_panels import DOLLARS, PriceComparison
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.resample import contrast, draw_providers, means_of, quantile, replicate, summary
from ratebook.cost.total_cost import PRIMARY, too_few_observed
from ratebook.tables import empty_frame, frame_of

NOT_REPRICED = "no cost stands at another year's prices: cost.prices.form is nominal, or no code has a price"
WIDE_GAP_DAYS = 90
"""Medians of the arms' index discharges further apart than this make nominal dollars hard to compare (H43)."""


def compare_prices(
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    client_intervals: pd.DataFrame,
    total_cost: pd.DataFrame,
    settings: dict,
) -> pd.DataFrame:
    """Put the arms' mean cost per member as paid beside the same at the base year's prices.

    The nominal rows are the partitioned ones of `total_cost`; the real ones rest on the same replicates. Where the
    arms' median index discharges are more than 90 days apart, `needs_repricing` says that nominal dollars compare
    two price levels, and the real row is the one to read.

    Parameters
    ----------
    follow_up, person_costs, client_intervals, total_cost : pandas.DataFrame
        As `FollowUp`, `PersonCosts`, `ClientIntervals`, `TotalCost`.
    settings : dict
        Those of `estimate_total_cost`.

    Returns
    -------
    pandas.DataFrame
        As `PriceComparison`; without a row where an arm has no member.

    References
    ----------
    methods.md, D7 and H43.
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    repriced = person_costs.assign(cost_usd=person_costs.real_cost_usd)
    panels = build_panels(follow_up, repriced, client_intervals, edges)
    if len(panels) < len(ARMS):
        return empty_frame(PriceComparison)
    days = pd.to_datetime(follow_up.discharge_date)
    medians = {arm: days[follow_up.arm == arm].median() for arm in ARMS}
    gap = (medians["RSN"] - medians["CSP"]) / pd.Timedelta(days=1)
    told = {"index_gap_days": gap, "needs_repricing": bool(np.abs(gap) > WIDE_GAP_DAYS)}
    nominal = total_cost[total_cost.method == PRIMARY].to_dict("records")
    is_repriced = (repriced.cost_usd != person_costs.cost_usd).any()
    real = _rows(panels, "" if is_repriced else NOT_REPRICED, settings)
    return frame_of(
        [told | {"dollars": dollars} | row for dollars, rows in zip(DOLLARS, (nominal, real)) for row in rows],
        PriceComparison,
    )


def _rows(panels: dict[str, Panel], unchanged: str, settings: dict) -> list[dict]:
    """Estimate every cost as `total_cost` does, at the prices the panels are in."""
    weights = draw_providers(panels, settings["boot_reps"], settings["seed"])
    draws = {arm: replicate(panels[arm], means_of(COSTS), [weights[arm]]) for arm in ARMS}
    absent = {arm: too_few_observed(panels[arm], settings["min_observed_share"]) or unchanged for arm in ARMS}
    rows = []
    for name in COSTS:
        values = {arm: draws[arm][name] for arm in ARMS}
        values["difference"] = contrast(*values.values())[0]
        for row, drawn in values.items():
            behind = [arm for arm in ARMS if row in (arm, "difference")]
            chosen = [panels[arm] for arm in behind]
            reason = next(filter(None, [absent[arm] for arm in behind]), "")
            found = summary(drawn, reason, quantile(*chosen), is_positive=row != "difference")
            found["estimate_usd"] = found.pop("estimate")
            counts = {count: sum(getattr(panel, count) for panel in chosen) for count in ("persons", "clusters")}
            rows.append({"estimand": name, "arm": row, **counts, **found})
    return rows
