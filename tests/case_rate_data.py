"""A small made-up arm or two for the tests of case rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml

from conftest import ROOT
from ratebook.contracts.case_rates import Staffing
from ratebook.contracts.released import RELEASED
from ratebook.rates.case_rates import derive_case_rates
from ratebook.rates.case_terms import derive_case_terms
from ratebook.rates.expected import read_stays
from ratebook.rates.provider_risk import derive_panel_loss, derive_provider_risk
from ratebook.rates.staffing import derive_staffing_build
from ratebook.release.tables import release_tables
from release_data import no_rows

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]["case_rate"]
HORIZON = 12


def engaged_months(clients: int = 120, providers: int = 8, seed: int = 3, lost_share: float = 0.04) -> pd.DataFrame:
    """Draw stays of both arms, some of them lost to follow-up at any time, with units, contacts and minutes by month."""
    draw = np.random.default_rng(seed)
    rows = []
    for arm, stop in (("RSN", 0.15), ("CSP", 0.4)):
        for client in range(clients):
            whole, seen = min(draw.geometric(stop), 20), draw.geometric(lost_share) if lost_share else 99
            stay, is_seen = min(whole, seen), whole <= seen
            n12, style = int(draw.integers(2, 7)), draw.gamma(8, 1 / 8)
            for month in range(1, min(stay, HORIZON) + 1):
                units = float(draw.poisson(style * (20 if month == 1 else 12)))
                rows.append(
                    {
                        "person_id": f"{arm}{client:04d}",
                        "arm": arm,
                        "engaged_month": month,
                        "provider_id": f"{arm}{client % providers}",
                        "n12": n12,
                        "is_event": month == stay and is_seen,
                        "is_last": month == stay,
                        "contacts": int(draw.integers(0, 6)),
                        "minutes": int(units * 15 + 20),
                        "units": units,
                        "paid_usd": 150.0,
                    }
                )
    return pd.DataFrame(rows)


def survival_of(engaged: pd.DataFrame) -> pd.DataFrame:
    """Give the share still engaged at the start of each month: who ends in a month is seen, whoever else is lost in it."""
    rows = []
    for arm, months in engaged.groupby("arm"):
        by_month = months.groupby("engaged_month").is_event.mean().reindex(range(1, HORIZON + 1)).fillna(1.0)
        kept = np.concatenate([[1.0], np.cumprod(1 - by_month.to_numpy())[:-1]])
        rows += [{"arm": arm, "month": m, "survival_start": s} for m, s in enumerate(kept, start=1)]
    return pd.DataFrame(rows, columns=["arm", "month", "survival_start"])


def stays_of(engaged: pd.DataFrame, survival: pd.DataFrame | None = None, resamples: int = 200, seed: int = 1):
    """Give the arms as the doors read them."""
    return read_stays(engaged, survival_of(engaged) if survival is None else survival, HORIZON, resamples, seed)


def staffing_log(time_per_client_time: float = 1.5) -> pd.DataFrame:
    """Give what the log shows of both programs; only the ratio of all time to clients' time matters for a rate."""
    row = dict.fromkeys(Staffing.types(), 1.0) | {"time_per_client_time": time_per_client_time}
    return pd.DataFrame([{**row, "program": arm} for arm in ("CSP", "RSN")])


def released_cases(clients: int = 400) -> dict[str, pd.DataFrame]:
    """Give every table of case rates of both arms as it is released: of months that few reached, none is shown."""
    engaged = engaged_months(clients=clients)
    survival = survival_of(engaged)
    arms, log = stays_of(engaged, survival), staffing_log()
    rates = derive_case_rates(arms, log, SETTINGS)
    found = {
        "case_rates": rates,
        "staffing_build": derive_staffing_build(arms, log, SETTINGS),
        "case_terms": derive_case_terms(arms, SETTINGS),
        "provider_risk": derive_provider_risk(arms, rates),
        "panel_loss": derive_panel_loss(arms, rates, [10, 25], seed=1),
        "survival_by_month": survival.assign(at_risk=500, events=500),
    }
    typed = {name: frame.reindex(columns=list(RELEASED[name].contract.types())) for name, frame in found.items()}
    return {**no_rows(), **release_tables(typed, 11)}
