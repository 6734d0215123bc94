"""The synthetic world as data: codes, prices, rates and places. None of it describes a real program.

What an analyst may want to change (effects, sizes, fault rates) stands in `config.yaml`, section `simulate`; the
numbers here give the world its shape. Dollar levels are invented; those of long-term care lie near the published
rates of 1998 so that programs can be compared with them. Provider numbers begin with 99, which no real one does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CATEGORIES = (
    *("WM_HOSP", "WM_RES", "RES35", "RES31", "IOP_PHP", "OP_SUD", "MOUD_DRUG", "OTP", "NAVIGATOR", "ED_SUD"),
    *("IP_SUD_MEDICAL", "OTHER_BH", "IP_MEDICAL", "ED_OTHER", "OP_PROFESSIONAL", "PHARMACY_OTHER", "LTSS", "OTHER"),
)
SUD_CATEGORIES = CATEGORIES[:11]
PROGRAM_CATEGORY = "NAVIGATOR"

_words: dict[str, int] = {}


def word(text: str) -> int:
    """Number a word; the same text always has the same number within a process."""
    return _words.setdefault(text, len(_words))


def words(texts) -> np.ndarray:
    """Number several words."""
    return np.array([word(text) for text in texts], dtype=np.int32)


def vocabulary() -> np.ndarray:
    """Give every word numbered so far, in the order of the numbers."""
    return np.array(list(_words), dtype=object)


def npi(kind: int, number: int) -> str:
    """Invent a provider number: a kind and a number within it."""
    return f"99{kind:02d}{number:06d}"


PROVIDER_KINDS = {
    "detox_unit": 28,
    "hospital": 12,
    "RSN": 28,
    "CSP": 28,
    "clinic": 60,
    "nursing_home": 36,
    "assisted_living": 12,
    "adult_day_care": 10,
    "home_agency": 30,
    "pharmacy": 30,
    "physician": 150,
}
"""Kind of provider to how many there are."""
PROVIDERS = {
    kind: [npi(k, n) for n in range(count)] for k, (kind, count) in enumerate(PROVIDER_KINDS.items(), start=1)
}
IMD_EVERY = 7
"""Of so many detoxification units one is freestanding and has more than 16 beds."""
COUNTIES = ("Marlow", "Eastmere", "Northfield", "Quarry", "Monrose", "Harbor")
COUNTY_SHARES = (0.28, 0.22, 0.16, 0.12, 0.12, 0.10)
REGIONS = {"Marlow": "Metro", "Eastmere": "Metro", "Northfield": "North", "Quarry": "North", "Monrose": "West"} | {
    "Harbor": "Coast"
}

DIAGNOSES = {
    "opioid": ("F1120", "F1123", "F1110"),
    "alcohol": ("F1020", "F10239", "F1010"),
    "other": ("F1420", "F1320", "F1520"),
    "mental": ("F329", "F411", "F319", "F4310", "F209"),
    "medical": ("I10", "E119", "J449", "M545", "N390", "R0789", "S93401A", "K219"),
    "frail": ("G309", "I639", "G20", "M6281", "I509", "E1165", "R2689", "F0390"),
}
"""Pool of ICD-10-CM codes a service draws its principal diagnosis from; the first three are a person's drug."""
SUD_CLASSES = ("opioid", "alcohol", "other")
SUD_SHARES = (0.52, 0.36, 0.12)


class Service(NamedTuple):
    """A service that comes at random: for whom, how often, and how it is billed."""

    category: str
    who: str
    per_year: float
    hcpcs: tuple[str, ...]
    place: str
    units: tuple[int, ...]
    price_usd: float
    spread: float
    diagnosis: str
    provider: str
    span_days: int = 1


BEHAVIOURAL_SERVICES = (
    Service("OP_PROFESSIONAL", "all", 3.2, ("99213", "99214", "99203"), "11", (1,), 78, 0.30, "medical", "clinic"),
    Service("OP_PROFESSIONAL", "all", 1.2, ("80053", "85025", "81001"), "81", (1,), 18, 0.25, "medical", "clinic"),
    Service("OTHER_BH", "all", 1.1, ("90834", "90837"), "11", (1,), 82, 0.15, "mental", "clinic"),
    Service("OTHER", "all", 0.15, ("A0429",), "41", (1,), 210, 0.30, "medical", "hospital"),
    Service("OP_SUD", "user", 2.0, ("H0004",), "11", (3, 4), 14, 0.05, "sud", "clinic"),
    Service("OP_SUD", "user", 2.4, ("H0005",), "11", (1,), 24, 0.05, "sud", "clinic"),
    Service("OTP", "opioid_user", 1.6, ("H0020",), "58", (7,), 11, 0.02, "sud", "clinic", 7),
    Service("OP_SUD", "engaged", 44.0, ("H0004",), "11", (3, 4), 14, 0.05, "sud", "clinic"),
    Service("OP_SUD", "engaged", 30.0, ("H0005",), "11", (1,), 24, 0.05, "sud", "clinic"),
    Service("IOP_PHP", "engaged", 36.0, ("H0015",), "22", (1,), 64, 0.05, "sud", "clinic"),
    Service("OTP", "opioid_engaged", 10.0, ("H0020",), "58", (7,), 11, 0.02, "sud", "clinic", 7),
)
"""Services of the behavioural-health carve-out, in dollars of the first year."""

RESIDENTIAL = {
    "RES35": {"hcpcs": ("H0010",), "share": 0.15, "nights": 11, "price_usd": 92.0},
    "RES31": {"hcpcs": ("H0019", "H2034"), "share": 0.03, "nights": 45, "price_usd": 58.0},
}
"""Step-down after a detoxification: share of discharges, mean nights, price a night."""
DETOX = {
    "hospital_share": 0.16,
    "night_usd": 104.0,
    "hospital_night_usd": 250.0,
    "nights": 3.6,
    "transfer_share": 0.07,
    "against_advice_share": 0.16,
    "price_spread": 0.06,
}

ACUTE = {
    "none": {"ed": 0.55, "inpatient": 0.035, "sud": 0.02},
    "user": {"ed": 1.25, "inpatient": 0.10, "sud": 0.45},
    "dual": {"ed": 0.60, "inpatient": 0.40, "sud": 0.01},
    "medicaid_only": {"ed": 0.70, "inpatient": 0.42, "sud": 0.02},
}
"""Kind of person: emergency visits and hospital stays a year, and the share with a substance-use diagnosis."""
HOSPITAL_LINES = (("0120", 0.38), ("0250", 0.16), ("0300", 0.14), ("0270", 0.10), ("0360", 0.12), ("0420", 0.05))
MEDICAL_DRGS = ("193", "291", "392", "603", "690", "871")
SUD_DRGS = ("896", "897")

DRUGS = {
    "moud": ("12496120803", "12496121203", "00054018813", "00054017713", "63459030042", "00406117003"),
    "other": ("00093005801", "00378180510", "00591041505", "16714029801", "65862001301", "68180098001"),
}
"""National drug codes; those of `moud` stand in workflow/codes/services.csv."""

LAGS = {
    "institutional": {"median_days": 42, "sigma": 0.60, "tail_share": 0.07, "tail_days": 330},
    "professional": {"median_days": 30, "sigma": 0.65, "tail_share": 0.06, "tail_days": 360},
    "pharmacy": {"median_days": 12, "sigma": 0.45, "tail_share": 0.01, "tail_days": 120},
}
"""Days from the end of service to payment: log-normal, with a share of stragglers spread evenly over a tail."""
SEASON = (1.04, 1.02, 1.04, 1.01, 1.00, 0.98, 0.97, 0.98, 0.98, 1.00, 0.99, 0.99)
"""Use of services in each calendar month beside the year's mean."""

SETTINGS = ("NF", "HCBS_waiver", "COMM_other", "ALF", "ADC")
START_SHARES = (0.48, 0.28, 0.12, 0.05, 0.07)
SETTING_DAYS = {"NF": 1000, "HCBS_waiver": 800, "COMM_other": 500, "ALF": 700, "ADC": 600}
"""Mean days in a setting before a move."""
MOVES = {
    "NF": (0.0, 0.62, 0.14, 0.14, 0.10),
    "HCBS_waiver": (0.72, 0.0, 0.06, 0.12, 0.10),
    "COMM_other": (0.30, 0.48, 0.0, 0.09, 0.13),
    "ALF": (0.60, 0.25, 0.15, 0.0, 0.0),
    "ADC": (0.38, 0.42, 0.20, 0.0, 0.0),
}
"""Where a person goes from each setting, in the order of SETTINGS."""


class MonthlyService(NamedTuple):
    """A long-term-care service billed once a month for a stretch of it."""

    setting: str
    hcpcs: str
    chance: float
    units_per_month: float
    price_usd: float
    provider: str
    by_need: float


LONG_TERM_SERVICES = (
    MonthlyService("HCBS_waiver", "T1019", 0.92, 245, 3.10, "home_agency", 0.80),
    MonthlyService("HCBS_waiver", "S5130", 0.60, 80, 2.60, "home_agency", 0.30),
    MonthlyService("HCBS_waiver", "S5170", 0.40, 24, 4.50, "home_agency", 0.0),
    MonthlyService("HCBS_waiver", "T2022", 0.95, 1, 110.0, "home_agency", 0.0),
    MonthlyService("HCBS_waiver", "S5102", 0.35, 10, 42.0, "adult_day_care", 0.0),
    MonthlyService("HCBS_waiver", "S5150", 0.12, 40, 2.80, "home_agency", 0.2),
    MonthlyService("HCBS_waiver", "T1021", 0.35, 9, 48.0, "home_agency", 0.6),
    MonthlyService("COMM_other", "T1019", 0.38, 50, 3.10, "home_agency", 0.3),
    MonthlyService("COMM_other", "T1021", 0.12, 4, 48.0, "home_agency", 0.3),
    MonthlyService("COMM_other", "T2003", 0.15, 3, 18.0, "home_agency", 0.0),
    MonthlyService("ALF", "T2031", 1.0, 30.4, 38.0, "assisted_living", 0.2),
    MonthlyService("ALF", "T2022", 0.60, 1, 110.0, "home_agency", 0.0),
    MonthlyService("ADC", "S5102", 0.98, 15, 42.0, "adult_day_care", 0.15),
    MonthlyService("ADC", "T1019", 0.45, 70, 3.10, "home_agency", 0.3),
    MonthlyService("ADC", "T2022", 0.60, 1, 110.0, "home_agency", 0.0),
    MonthlyService("ADC", "T2003", 0.40, 12, 18.0, "home_agency", 0.0),
)
LONG_TERM_VISITS = {"dual": 6.0, "medicaid_only": 6.0}
"""Physician visits a year that Medicaid sees."""
LONG_TERM_DRUGS = {"dual": 12.0, "medicaid_only": 12.0}
"""Dispensings a year."""
PER_DIEM_USD = {"SNF": (84.0, 106.0), "ICF": (70.0, 88.0), "ALF": (36.0, 42.0), "ADC": (40.0, 46.0)}
"""Range of facilities' per diems in the first year."""
ACUTE_USD = {"ed": 165.0, "inpatient": 3600.0, "long_term_inpatient": 5000.0, "coinsurance_share": 0.26}
DRUG_USD = {"moud": 118.0, "other": 21.0, "long_term": 72.0}
