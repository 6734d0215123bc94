"""A drawn population of long-term care: months of every kind, so that every condition of a program is met and missed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.programs import AGE_BANDS, SERVICES, SETTINGS, LtcMemberMonths

CHOICES = {
    "plan": ["ffs", "North"], "county": ["East", "West"], "region": ["E", "W"], "facility_id": ["F1", "F2"],
    "age_band": AGE_BANDS[1:5], "sex": ["female", "male"], "dual_group": ["none", "full", "partial"],
    "medicaid_class": ["SSI", "MAO", "none"], "aid_category": ["aged", "blind_disabled"], "setting": SETTINGS,
}  # fmt: skip
NUMBERS = {
    "age_years": (20, 90), "nf_days_cumulative": (0, 366), "nf_days_spell": (0, 400), "nf_days_lifetime": (0, 900),
    "nf_months_in_year": (0, 13), "institutional_days_before_move": (0, 300), "months_since_conversion": (0, 20),
}  # fmt: skip
FLAGS = ("is_aged_or_disabled", "is_retro", "is_waiver", "is_nhc", "is_enrolled_in_nf", "is_past_anniversary")
AMOUNTS = ("applied_income_usd", "nf_gross_usd", "nf_net_usd", "medicare_paid_usd", "tpl_usd")


def draw_months(persons: int, months: int, seed: int) -> pd.DataFrame:
    """Draw so many persons and months, every column by itself: no life anyone lives, but every case."""
    rng = np.random.default_rng(seed)
    rows = persons * months
    dates = pd.date_range("2015-06-01", periods=months, freq="MS")
    found = pd.DataFrame({"person_id": np.repeat([f"P{n:03d}" for n in range(persons)], months)})
    found["service_month"] = np.tile(dates, persons)
    found["period"] = np.where(found.service_month < "2017-01-01", "base", "contract")
    for name, values in CHOICES.items():
        found[name] = rng.choice(list(values), rows)
    for name, (low, high) in NUMBERS.items():
        found[name] = rng.integers(low, high, rows)
    for name in FLAGS:
        found[name] = rng.random(rows) < (0.1 if name == "is_retro" else 0.5)
    found["nf_days"] = np.where(found.setting == "NF", rng.integers(1, 29, rows), 0)
    found["nf_days_cumulative"] = np.maximum(found.nf_days_cumulative, found.nf_days)
    found["nf_level"] = np.where(found.setting == "NF", rng.choice(["SNF", "ICF", "unrated"], rows), None)
    found["dms1_level"] = pd.array(rng.choice([1, 2, 3, pd.NA], rows), dtype="Int64")
    found["enrollment_month"], found["enrollment_month_number"] = dates[0], np.tile(np.arange(1, months + 1), persons)
    for name in (*SERVICES, *AMOUNTS):
        found[name] = rng.integers(0, 200_000, rows) * (rng.random(rows) < 0.4) / 100
    found["per_diem_usd"] = np.where(found.setting == "NF", 120.25, np.nan)
    found["ancillary_usd"] = np.where(found.setting == "NF", 90.5, np.nan)
    return found[list(LtcMemberMonths.types())]
