"""Who bears the risk of a flat payment: a provider's margin by length of stay, and how a panel of clients ends."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.case_rates import PanelLoss, ProviderRisk
from ratebook.contracts.episodes import ARMS
from ratebook.rates.case_rates import TOO_FEW, costs
from ratebook.rates.expected import Stays, limits, month_means
from ratebook.tables import empty_frame

PANELS_DRAWN = 4000
ALIKE = "every client ends alike: no panel differs"
SMALLEST_LOSS_USD = 1e-6


def derive_provider_risk(arms: dict[str, Stays], case_rates: pd.DataFrame) -> pd.DataFrame:
    """Show what a provider gains or loses on a stay of each length.

    Revenue follows the form at its loaded actuarial value, so it includes the load; cost is what clients of the arm are
    delivered by month, without overhead. The margin shown is therefore before overhead, which it has to pay. The
    limits take the rate as set, and the cost as uncertain.

    Returns
    -------
    ProviderRisk

    References
    ----------
    methods.md, E7.
    """
    rows = []
    for rate, stays in _priced(case_rates, arms):
        cost = costs(stays.rows, rate.unit_price_usd)[["cost"]]
        spent = np.cumsum(month_means(stays, cost, stays.providers)[:, :, 0], axis=1)
        month = np.arange(1, spent.shape[1] + 1)
        revenue = revenue_of(rate, month) / (1 - rate.load_share)
        found = [limits(column, stays.providers, is_price=False) for column in (revenue - spent).T]
        reached = stays.rows.groupby("engaged_month").person_id.nunique().reindex(month, fill_value=0)
        rows.append(
            pd.DataFrame(
                {
                    "arm": rate.arm,
                    "form": rate.form,
                    "stay_months": month,
                    "clients": reached.to_numpy(),
                    "revenue_usd": revenue,
                    "cost_usd": spent[0],
                    "margin_usd": revenue - spent[0],
                    "lower": [lower for lower, _ in found],
                    "upper": [upper for _, upper in found],
                    "reason": [TOO_FEW if lower is None else None for lower, _ in found],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)[list(ProviderRisk.types())] if rows else empty_frame(ProviderRisk)


def derive_panel_loss(
    arms: dict[str, Stays], case_rates: pd.DataFrame, panel_clients: list[int], seed: int
) -> pd.DataFrame:
    """Show how often a panel of clients loses money, by form and by the panel's size.

    A panel is drawn from clients whose stay is known to its end or to the horizon, each counted for those like it whose
    end was not seen (the inverse of the chance of being seen so long). Before overhead the provider has the loaded
    rate; after it, the rate before load. The limits take the rate as set and its clients as a sample of
    providers: mean margin over its spread is resampled, and the shape of the panels' distribution kept.

    Returns
    -------
    PanelLoss

    References
    ----------
    methods.md, E7.
    """
    rows = []
    for rate, stays in _priced(case_rates, arms):
        known = known_stays(stays, rate.unit_price_usd)
        draw = np.random.default_rng(seed)
        largest = max(panel_clients)
        chosen = draw.choice(len(known), p=known.weight / known.weight.sum(), size=(PANELS_DRAWN, largest))
        for is_after, keep in ((False, 1 - rate.load_share), (True, 1.0)):
            margin = (revenue_of(rate, known.stay_months) / keep - known.cost).to_numpy()
            spread = _margin_limits(margin, known, stays)
            running = np.cumsum(margin[chosen], axis=1)
            rows += [
                {
                    "arm": rate.arm,
                    "form": rate.form,
                    "panel_clients": size,
                    "is_after_overhead": is_after,
                    "clients": stays.clients,
                    **_panel(running[:, size - 1] / size, size, spread),
                }
                for size in sorted(panel_clients)
            ]
    return pd.DataFrame(rows, columns=list(PanelLoss.types())) if rows else empty_frame(PanelLoss)


def revenue_of(rate, months):
    """Give what a form pays for a stay of so many months, before load."""
    times = {"per_episode": np.ones(np.shape(months)), "per_day": months * 365 / 12}.get(rate.form, months)
    return rate.enrolment_usd + rate.value_usd * times


def known_stays(stays: Stays, unit_price: float) -> pd.DataFrame:
    """Give each client whose stay is known to its end, or to the last month looked at: its length, cost and weight.

    The weight is one over the chance that a stay so long is seen to its end: of those engaged at the start of a month
    and not ending in it, the share whose record goes on, multiplied over the months before.

    Returns
    -------
    DataFrame
        stay_months, cost, weight, unit (of `stays.providers`); clients ordered by person_id.
    """
    horizon = len(stays.still)
    rows = stays.rows.assign(cost=costs(stays.rows, unit_price).cost, unit=stays.providers.unit)
    rows = rows[rows.engaged_month <= horizon]
    of_client = rows.groupby("person_id").agg(
        stay_months=("engaged_month", "max"),
        cost=("cost", "sum"),
        is_event=("is_event", "max"),
        unit=("unit", "first"),
    )
    last = of_client.stay_months.to_numpy()
    complete = of_client.is_event.to_numpy(dtype=bool) | (last == horizon)
    at_risk = np.bincount(last, minlength=horizon + 1)[::-1].cumsum()[::-1][1:]
    ended, lost = (np.bincount(last[seen], minlength=horizon + 1)[1:] for seen in (complete, ~complete))
    goes_on = 1 - lost / np.maximum(at_risk - ended, 1)
    seen_so_long = np.concatenate([[1.0], np.cumprod(goes_on)[:-1]])
    found = of_client[complete].drop(columns="is_event")
    return found.assign(weight=1 / seen_so_long[last[complete] - 1]).reset_index(drop=True)


def _priced(case_rates: pd.DataFrame, arms: dict[str, Stays]):
    """Give every actuarial rate that has a value, in order, with the stays of its arm."""
    rates = case_rates[(case_rates.basis == "actuarial") & case_rates.value_usd.notna()]
    for arm in ARMS:
        for rate in rates[rates.arm == arm].itertuples():
            yield rate, arms[arm]


def _margin_limits(margin: np.ndarray, known: pd.DataFrame, stays: Stays) -> dict:
    """Give the expected margin per client and its spread, and limits of the margin and of its ratio to the spread."""
    counts, unit = stays.providers.counts, known.unit.to_numpy()
    sums = [
        np.bincount(unit, weights=known.weight * power, minlength=counts.shape[1])
        for power in (np.ones(len(margin)), margin, margin**2)
    ]
    size, first, second = (counts @ column for column in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first / size
        deviation = np.sqrt(np.maximum(second / size - mean**2, 0))
        ratio = np.where(deviation > SMALLEST_LOSS_USD, mean / deviation, np.nan)
    return {
        "mean": float(mean[0]),
        "deviation": float(deviation[0]),
        "limits": limits(mean, stays.providers, is_price=False),
        "ratio": limits(ratio, stays.providers, is_price=False),
    }


def _panel(margins: np.ndarray, size: int, spread: dict) -> dict:
    """Describe the panels of one size by margin per client, and move their distribution to the limits of the mean."""
    (lower, upper), (worst, best) = spread["limits"], spread["ratio"]
    row = {
        "margin_usd": spread["mean"],
        "lower": lower,
        "upper": upper,
        "margin_p05_usd": float(np.quantile(margins, 0.05)),
        "margin_p95_usd": float(np.quantile(margins, 0.95)),
        "probability_of_loss": float(np.mean(margins < -SMALLEST_LOSS_USD)),
        "reason": TOO_FEW if lower is None else ALIKE if worst is None else None,
    }
    if worst is not None:
        around = (margins - spread["mean"]) / spread["deviation"]
        row["probability_lower"], row["probability_upper"] = (float(np.mean(around < -end)) for end in (best, worst))
    return row
