"""A small rate book worked out by hand, and as much of a spreadsheet as it takes to run its formulas."""

from __future__ import annotations

import re

import numpy as np
import openpyxl
import pandas as pd
import yaml

from conftest import ROOT
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.rates import build_up
from ratebook.rates.case_rates import price_forms
from ratebook.rates.derive import derive_corridor
from ratebook.rates.risk_sharing import derive_risk_sharing
from ratebook.rates.trace import derive_rate_trace
from ratebook.release.workbook import release_workbook
from ratebook.tables import empty_frame

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())
ON_LEVEL = {"share": 0.3, "change": 0.1, "months_in_effect": 0}
SETTINGS["rates"]["base_changes"] = {"detox": {"value": ON_LEVEL, "unit": "share, share, months", "source": "worked"}}
"""Its factor is 1.03, live in its parts; of the other categories 1.03 is an input."""
LOADS = {"admin_share": 0.075, "margin_share": 0.015, "tax_share": 0.02}
TRENDS = {"detox": (0.01, 0.03), "medical": (0.04, 0.02), "residential": (0.03, 0.02)}
PAID = {("young", "detox"): 4_800_000.0, ("young", "residential"): 1_440_000.0,
        ("old", "detox"): 900_000.0, ("old", "residential"): 700_000.0,
        ("other", "detox"): 200_000.0, ("other", "medical"): 1_500_000.0}  # fmt: skip
MONTHS = {"young": 24_000.0, "old": 3_000.0, "other": 5_000.0}
COMPLETE = {"detox": (980.0, 1000.0), "medical": (900.0, 1000.0), "residential": (965.0, 1000.0)}
Z = {"young": 1.0, "old": 0.3, "other": 0.6}
POOLED = {"young": 0.98, "old": 1.05, "other": 1.0}
SMOOTHED = {"young": 0.997, "old": 1.02, "other": 1.0}
POOLS = {"young": "BHP", "old": "BHP", "other": "FFS"}
STAYS = np.array([1, 0.8, 0.65, 0.5, 0.4, 0.3])
COSTS = np.array([420.0, 300, 240, 200, 180, 160])


def complete_columns(name: str, rows) -> pd.DataFrame:
    return pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))


def small_book():
    """Two pools, three cells, three categories: the columns a rate needs, computed here by hand."""
    tables = {name: empty_frame(released.contract) for name, released in RELEASED.items()}
    build = []
    for (cell, category), paid in PAID.items():
        use, price = TRENDS[category]
        factor = COMPLETE[category][0] / COMPLETE[category][1]
        trend = ((1 + use) * (1 + price)) ** (36 / 12)
        row = {"cell": cell, "category": category, "member_months": MONTHS[cell], "base_usd": paid}
        row |= {"members": 500, "units": 1.0, "paid_pmpm_usd": paid / MONTHS[cell], "completion_factor": factor}
        row |= {"completed_pmpm_usd": paid / MONTHS[cell] / factor, "trend_utilisation": use, "trend_unit_cost": price}
        row |= {"trend_months": 36.0, "f_trend": trend, "f_program": 1.02, "f_managed_care": 0.97, "reason": "why"}
        row |= {"f_missing": 1.01, "f_pooling": POOLED[cell], "f_base_changes": 1.03}
        row["projected_pmpm_usd"] = row["completed_pmpm_usd"] * 1.01 * POOLED[cell] * 1.03 * trend * 1.02 * 0.97
        build.append(
            {
                **row,
                **{name: "why" for name in RELEASED["rate_build"].contract.types() if name.startswith("rationale_")},
            }
        )
    tables["rate_build"] = build = pd.DataFrame(build)
    rates = small_rates(build)
    tables["rates"] = complete_columns("rates", rates)
    tables["credibility"] = complete_columns("credibility", rates)
    tables["base_completion"] = complete_columns(
        "base_completion",
        [
            {"category": c, "paid_usd": p, "ultimate_usd": u, "completion_factor": p / u}
            for c, (p, u) in COMPLETE.items()
        ],
    )
    parts = [
        {"category": c, "component": name, "annual_trend": value, "source": "experience"}
        for c, (use, price) in TRENDS.items()
        for name, value in (("utilisation", use), ("unit_cost", price), ("pmpm", (1 + use) * (1 + price) - 1))
    ]
    tables["trend"] = complete_columns("trend", parts)
    lines = build.assign(service_month=pd.Timestamp("2017-01-01"), claim_lines=100)
    tables["rate_trace"] = derive_rate_trace(lines, build, tables["rates"], SETTINGS["rates"])
    tables["corridor"] = derive_corridor(SETTINGS["rates"])
    rate = rates.set_index("cell").rate_usd["young"]
    plans = pd.DataFrame(
        {"cell": "young", "plan": ["A", "B"], "member_months": [14e3, 10e3], "risk_score": [1.05, 0.97]}
    )
    score = build_up.normalise_scores(plans.member_months, plans.risk_score)
    tables["plan_rates"] = complete_columns(
        "plan_rates", plans.assign(normalised_score=score, plan_rate_usd=rate * score)
    )
    tables["risk_sharing"] = derive_risk_sharing(tables["rates"], tables["plan_rates"], SETTINGS["rates"])
    sure = rates[["cell", "members", "rate_usd"]].assign(std_error_share=[0.02, 0.05, 0.2])
    reach = np.exp(1.95996398454005 * sure.std_error_share)
    tables["rate_uncertainty"] = complete_columns(
        "rate_uncertainty", sure.assign(lower=sure.rate_usd / reach, upper=sure.rate_usd * reach)
    )
    return tables | small_cases()


def small_rates(build: pd.DataFrame) -> pd.DataFrame:
    rates = build.groupby("cell", as_index=False, sort=False).projected_pmpm_usd.sum()
    rates["member_months"], rates["members"] = rates.cell.map(MONTHS), 500
    rates["f_tpl"], rates["tpl_pmpm_usd"] = 1.0, rates.projected_pmpm_usd
    rates["credibility_z"], rates["pool"], rates["manual_source"] = rates.cell.map(Z), rates.cell.map(POOLS), "pooled"
    total = (rates.tpl_pmpm_usd * rates.member_months).groupby(rates.pool).transform("sum")
    manual = total / rates.groupby("pool").member_months.transform("sum")
    raw = rates.credibility_z * rates.tpl_pmpm_usd + (1 - rates.credibility_z) * manual
    neutral = total / (raw * rates.member_months).groupby(rates.pool).transform("sum")
    rates = rates.assign(
        manual_pmpm_usd=manual, f_neutral=neutral, blended_pmpm_usd=raw * neutral, fixed_pmpm_usd=12.0
    )
    rates = rates.assign(f_smoothing=rates.cell.map(SMOOTHED), **LOADS)
    whole = (rates.blended_pmpm_usd + 12) / (1 - sum(LOADS.values())) * rates.f_smoothing
    rates["benefit_usd"] = whole * (1 - sum(LOADS.values())) - 12
    rates["rate_usd"] = whole.round(2)
    rates["lower"], rates["upper"] = rates.rate_usd - 9, rates.rate_usd + 9
    for part, share in LOADS.items():
        rates[part.replace("_share", "_usd")] = whole * share
    rates["projected_mlr"] = (rates.blended_pmpm_usd + 12) / (rates.rate_usd * (1 - LOADS["tax_share"]))
    rates["is_mlr_met"], rates["is_withhold_sound"] = rates.projected_mlr >= 0.85, True
    rates["range_upper_usd"], rates["band_low_usd"], rates["band_high_usd"] = (
        whole * 1.05,
        whole * 0.985,
        whole * 1.015,
    )
    rates["withhold_usd"] = rates.rate_usd * 0.02
    rates["rate_after_withhold_usd"] = build_up.rate_after_withhold(rates.rate_usd, 0.02, 0.70)
    return rates


def expected_stay() -> pd.DataFrame:
    """Give what a client of GT-22 is expected to cost, and how long to stay."""
    first = {"first_cost": [STAYS[0] * COSTS[0]], "first_months": [STAYS[0]]}
    return pd.DataFrame({"cost": [STAYS @ COSTS], "months": [STAYS.sum()], **first})


def small_cases() -> dict[str, pd.DataFrame]:
    """Give GT-22 as case rates of one program, with the months they rest on."""
    months = np.arange(1, 7)
    shared = {"arm": "RSN", "clients": 300, "load_share": 0.1, "expected_months": STAYS.sum(), "units_per_month": 20.0}
    monthly = {"actuarial": STAYS @ COSTS / STAYS.sum(), "staffing": 75000 / 270}
    rows = [
        {**shared, "basis": "actuarial", "form": form, "enrolment_usd": enrolment[0], "value_usd": value[0]}
        for form, (enrolment, value) in price_forms(expected_stay()).items()
    ]
    for form, times in (("per_month", 1.0), ("per_day", 12 / 365), ("per_episode", STAYS.sum())):
        rows.append(
            {**shared, "basis": "staffing", "form": form, "enrolment_usd": 0.0, "value_usd": 75000 / 270 * times}
        )
    rates = pd.DataFrame(rows)
    rates["loaded_usd"] = rates.value_usd / 0.9
    rates["implied_unit_price_usd"] = rates.basis.map(monthly) / 0.9 / 20
    risk = {"arm": "RSN", "form": "per_month", "stay_months": months, "cost_usd": COSTS.cumsum(), "clients": 50}
    return {
        "case_rates": complete_columns("case_rates", rates),
        "survival_by_month": complete_columns(
            "survival_by_month", {"arm": "RSN", "month": months, "survival_start": STAYS}
        ),
        "provider_risk": complete_columns("provider_risk", risk),
    }


def write_book(path, tables=None):
    """Write the rate book of some tables, the small ones if none are given."""
    release_workbook(str(path), small_book() if tables is None else tables, SETTINGS, empty_frame(SourceManifest))
    return path


class Calculator:
    """As much of a spreadsheet as the rate book uses, so that its formulas are run and not only read."""

    def __init__(self, path):
        self.path, self.book = path, openpyxl.load_workbook(path)
        self.changed: dict[tuple[str, str], float] = {}
        self.known: dict[tuple[str, str], object] = {}

    def set_name(self, name, value):
        sheet, cell = self.book.defined_names[name].attr_text.replace("'", "").replace("$", "").split("!")
        self.changed[(sheet, cell)] = value
        self.known.clear()

    def value(self, sheet, cell):
        key = (sheet, cell)
        if key in self.changed:
            return self.changed[key]
        if key not in self.known:
            content = self.book[sheet][cell].value
            is_formula = isinstance(content, str) and content.startswith("=")
            self.known[key] = self.compute(content[1:], sheet) if is_formula else content
        return self.known[key]

    def area(self, sheet, first, last):
        return [self.value(sheet, cell.coordinate) for row in self.book[sheet][f"{first}:{last}"] for cell in row]

    def compute(self, formula, sheet):
        scope = {"ROUND": round, "SUMPRODUCT": self.sumproduct, "V": self.value, "A": self.area, "EQ": self.equal}
        scope |= {
            "ABS": abs,
            "MIN": min,
            "MAX": max,
            "SIGN": np.sign,
            "EXP": np.exp,
            "IF": lambda test, yes, no: yes if test else no,
            "INDEX": lambda area, row: area[row - 1],
        }
        text = formula.replace("$", "").replace("^", "**")
        ref = r"(?:'([^']+)'!)?([A-Z]{1,2}\d+)(?::([A-Z]{1,2}\d+))?(?![\w(])"
        held = []

        def hold(match):
            where, first, last = match[1] or sheet, match[2], match[3]
            held.append(f"A({where!r},{first!r},{last!r})" if last else f"V({where!r},{first!r})")
            return f"\x00{len(held) - 1}\x00"

        text = re.sub(ref, hold, text)
        for name, defined in self.book.defined_names.items():
            where, cell = defined.attr_text.replace("'", "").replace("$", "").split("!")
            held.append(f"V({where!r},{cell!r})")
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w(])", f"\x00{len(held) - 1}\x00", text)
        text = re.sub(r"--\((\x00\d+\x00)=(\x00\d+\x00|\"[^\"]*\"|\d+)\)", r"EQ(\1,\2)", text)
        text = re.sub(r"\x00(\d+)\x00", lambda m: held[int(m[1])], text)
        return eval(text, {"__builtins__": {}}, scope)

    def off(self, sheet=None):
        """Name the formulas, of one sheet or of all, that do not compute to the value written beside them."""
        cached = openpyxl.load_workbook(self.path, data_only=True)
        found = []
        for where in [self.book[sheet]] if sheet else self.book.worksheets:
            for cell in (cell for row in where.iter_rows() for cell in row):
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    value = cached[where.title][cell.coordinate].value
                    if not np.isclose(self.value(where.title, cell.coordinate), value, rtol=1e-6, atol=1e-6):
                        found.append(f"{where.title}!{cell.coordinate}")
        return found

    def column(self, sheet, label):
        """Give every value of a column, as its formulas compute it."""
        letter = column_of(self.book, sheet, label)
        return [self.value(sheet, f"{letter}{row}") for row in range(6, self.book[sheet].max_row + 1)]

    @staticmethod
    def equal(area, value):
        return [float(cell == value) for cell in area]

    @staticmethod
    def sumproduct(*areas):
        total = 0.0
        for cells in zip(*areas):
            part = 1.0
            for cell in cells:
                part *= cell if isinstance(cell, int | float) else 0.0
            total += part
        return total


def column_of(book, sheet, label):
    return next(cell.column_letter for cell in book[sheet][4] if cell.value == label)


def book_writer(tmp_path):
    """Write books into the test's own folder."""
    return lambda tables=None, name="book.xlsx": write_book(tmp_path / name, tables)
