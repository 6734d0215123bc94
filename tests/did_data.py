"""Programs for tests of costs over time: members with twelve months on both sides of their index stay."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.cost.event_study import ArmMonths

MONTHS = np.arange(-12, 12)


def tables(seed: int = 1, persons: int = 90, providers: int = 6, effect: float = 0.0):
    """Follow-up, costs and covered days by interval, as the pipeline writes them; the arm `none` among them."""
    rng = np.random.default_rng(seed)
    follow_up, costs, covered = [], [], []
    for n in range(persons):
        person, arm = f"P{n:03d}", ("RSN", "CSP", "none")[n % 3]
        provider = "unknown" if arm == "none" else f"{arm}-{rng.integers(providers)}"
        day = pd.Timestamp("2015-06-01") + pd.Timedelta(days=int(rng.integers(0, 200)))
        follow_up.append(
            {
                "person_id": person,
                "arm": arm,
                "provider_id": provider,
                "discharge_date": day,
                "followed_days": 365,
                "is_complete": True,
            }
        )
        last = int(rng.integers(4, 13))
        for interval in [*range(-12, 0), *range(1, last + 1)]:
            window = "pre" if interval < 0 else "post"
            days = int(rng.integers(15, 32))
            key = {"person_id": person, "window": window, "interval": interval}
            covered.append({**key, "eligible_days": days})
            base = 100.0 + (effect if arm == "RSN" and interval > 0 else 0.0)
            for category in ("OP_SUD", "IP_MEDICAL"):
                usd = round(float(rng.gamma(1.0, base)), 2)
                both = {"cost_usd": usd, "real_cost_usd": round(usd * 1.1, 2)}
                costs.append({**key, "category": category, **both, "engaged_cost_usd": 0.0, "units": 1.0})
    return pd.DataFrame(follow_up), pd.DataFrame(costs), pd.DataFrame(covered)


def drawn_arms(seed, providers=(20, 20), effect=0.0, drift=0.0, level=300.0, spread=60.0) -> dict[str, ArmMonths]:
    """Two arms of unequal providers alike within; `effect` on RSN after, `drift` on RSN's months before, in USD."""
    rng = np.random.default_rng(seed)
    arms, total, first = {}, sum(providers), 0
    for arm, many in zip(("RSN", "CSP"), providers):
        mine = np.arange(first, first + many)
        first += many
        size = rng.integers(5, 40, many).astype(float)
        provider = rng.normal(0, 30, (many, 1)) + rng.normal(0, 25, (many, 1)) * (MONTHS >= 0)
        mean = level + provider + rng.normal(0, spread, (many, len(MONTHS))) / np.sqrt(size)[:, None] * 3
        if arm == "RSN":
            mean = mean + effect * (MONTHS >= 0) + drift * np.where(MONTHS < 0, MONTHS + 12, 0)
        months, dollars, persons = np.zeros((total, 24)), np.zeros((total, 24)), np.zeros(total)
        months[mine] = size[:, None] * rng.uniform(0.7, 1.0, (many, 24))
        dollars[mine] = months[mine] * mean
        persons[mine] = size
        arms[arm] = ArmMonths(MONTHS, months, {"total_sud": dollars}, persons, np.full(24, size.sum()))
    return arms


def staggered(seed=None, per_group=6, periods=16, starts=(4, 7, 10, None), growth=10.0, noise=0.0) -> pd.DataFrame:
    """Units that start at different times, an effect that grows with time since the start, and effects of unit and period."""
    rng = np.random.default_rng(seed)
    rows = []
    for group, start in enumerate(starts):
        for n in range(per_group):
            own = 50.0 * group + 7.0 * n + (rng.normal(0, noise) if noise else 0.0)
            for period in range(periods):
                since = period - start if start is not None else -1
                effect = growth * (since + 1) if since >= 0 else 0.0
                shock = rng.normal(0, noise) if noise else 0.0
                outcome = 400 + own + 3.0 * period**1.5 + effect + shock
                row = {"unit": f"U{group}-{n}", "period": period, "group": start if start is not None else np.nan}
                rows.append({**row, "outcome": outcome, "weight": 1.0, "effect": effect})
    return pd.DataFrame(rows)
