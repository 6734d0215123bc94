"""A small made-up program, and the stage of rates run on it from door to door."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import yaml

from conftest import ROOT
from ratebook.contracts import case_rates, rate_book, rate_uncertainty, risk_sharing
from ratebook.contracts import rates as contracts
from ratebook.contracts.clean import CashLedger, Claims, Contacts, WorkerTime
from ratebook.contracts.engagement import SurvivalByMonth
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.contracts.exposure import MemberMonths
from ratebook.tables import read_table, write_table

FIGURES = (
    "completion",
    "lag_triangle",
    "trend",
    "rate_build_waterfall",
    "case_rate",
    "staffing_build",
    "provider_risk",
    "corridor",
    "completion_diagonals",
    "rate_uncertainty",
)
OUTPUTS = {
    "build_base": {
        "experience": contracts.BaseExperience,
        "moments": contracts.CellMoments,
        "exclusions": contracts.BaseExclusions,
        "triangles": contracts.Triangles,
        "service_months": rate_uncertainty.ServiceMonths,
        "cell_groups": rate_uncertainty.CellGroups,
        "group_months": rate_uncertainty.GroupMonths,
        "excess": risk_sharing.MemberYearExcess,
    },
    "estimate_completion": {
        "completion": contracts.Completion,
        "ultimates": contracts.Ultimates,
        "base_completion": contracts.BaseCompletion,
        "diagonals": rate_uncertainty.CompletionDiagonals,
    },
    "estimate_trend": {"trend": contracts.Trend},
    "derive_rates": rate_book.WRITTEN,
    "derive_case_rates": {
        "engaged_months": case_rates.EngagedMonths,
        "staffing": case_rates.Staffing,
        "case_rates": case_rates.CaseRates,
        "staffing_build": case_rates.StaffingBuild,
        "case_terms": case_rates.CaseTerms,
        "provider_risk": case_rates.ProviderRisk,
        "panel_loss": case_rates.PanelLoss,
    },
}
INPUTS = {
    "claims": Claims,
    "ledger": CashLedger,
    "member_months": MemberMonths,
    "cohort": Cohort,
    "spells": Spells,
    "contacts": Contacts,
    "worker_time": WorkerTime,
    "survival": SurvivalByMonth,
}


def config() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def rows_of(contract, rows: list[dict]) -> pd.DataFrame:
    """Complete rows into the contract's columns, the rest null or a neutral value."""
    neutral = {"string": "none", "int64": 0, "boolean": False, "float64": 0.0}
    frame = pd.DataFrame(rows).reindex(columns=list(contract.types()))
    for name, field in contract.fields().items():
        if not field.nullable and frame[name].isna().any():
            blank = field.isin[0] if field.isin else neutral.get(field.type, 0)
            frame[name] = frame[name].astype(object).where(frame[name].notna(), blank).infer_objects(copy=False)
        elif frame[name].isna().all():
            frame[name] = None
        if field.type.startswith("decimal"):
            frame[name] = frame[name].astype(float)
    return frame


def small_program(persons: int = 60, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Four years of a plan: an outpatient line and a detox night now and then, paid some months later."""
    draw = np.random.default_rng(seed)
    months = pd.date_range("2014-01-01", "2017-12-01", freq="MS")
    served = [(p, m) for p in range(persons) for m in months]
    member_months = rows_of(
        MemberMonths,
        [
            {
                "person_id": f"p{p}",
                "service_month": m,
                "plan": "BHP",
                "payer": "medicaid",
                "aid_category": "adult",
                "dual_group": "full" if p == 0 else "none",
                "eligible_days": m.days_in_month,
                "days_in_month": m.days_in_month,
                "mm_any_day": 1,
                "mm_fractional": 1,
                "age_years": 20 + p % 3 * 15,
                "is_retro": p == 1,
            }
            for p, m in served
        ],
    )
    lines = []
    for p, m in served:
        growth = 1.03 ** ((m.year - 2014) + m.month / 12)
        for category, chance, cost, units in (("OP_SUD", 0.8, 60.0, 1), ("WM_RES", 0.15, 900.0, 4)):
            if draw.random() < chance:
                paid = round(cost * growth * draw.uniform(0.8, 1.2), 2)
                lines.append((f"p{p}", category, m, paid, units, m + pd.Timedelta(days=int(draw.exponential(40)))))
    claims = rows_of(
        Claims,
        [
            {
                "person_id": p,
                "claim_id": f"c{n}",
                "line_number": 1,
                "load_sequence": n + 1,
                "record_type": "ffs",
                "cost_basis": "paid",
                "category": category,
                "service_start_date": m,
                "service_end_date": m,
                "paid_date": paid_on,
                "units": units,
                "paid_usd": paid,
                "cost_usd": paid,
            }
            for n, (p, category, m, paid, units, paid_on) in enumerate(lines)
        ],
    )
    ledger = rows_of(
        CashLedger,
        claims.assign(incurred_date=claims.service_start_date, signed_usd=claims.cost_usd).to_dict("records"),
    )
    stays = [(f"p{n}", ("RSN", "CSP")[n % 2], 20 + 15 * (n % 9)) for n in range(30)]
    start = pd.Timestamp("2016-03-01")
    spells = [
        {
            "person_id": p,
            "program": arm,
            "spell": 1,
            "first_date": start,
            "last_date": start + pd.Timedelta(days=days - 1),
            "length_days": days,
            "contacts": 1,
            "contact_days": 1,
            "end_reason": "disengaged",
            "is_event": True,
        }
        for p, arm, days in stays
    ]
    cohort = [
        {
            "person_id": p,
            "arm": arm,
            "index_admission_date": start,
            "discharge_date": start,
            "follow_end_date": start,
            "follow_end_reason": "end_of_data",
        }
        for p, arm, _ in stays
    ]
    contacts = [
        {
            "person_id": p,
            "program": arm,
            "contact_id": f"{p}.{day}",
            "contact_date": start + pd.Timedelta(days=day),
            "is_contact": True,
            "source": "log",
            "minutes": 60,
            "billable_units": 4,
            "worker_id": f"w{arm}",
            "provider_id": "x",
        }
        for p, arm, days in stays
        for day in range(0, days, 10)
    ]
    time = [{**c, "log_id": c["contact_id"], "activity_date": c["contact_date"], "activity": "face"} for c in contacts]
    survival = [
        {"arm": arm, "month": m, "at_risk": 15, "survival_start": 0.8 ** (m - 1), "hazard": 0.2}
        for arm in ("RSN", "CSP")
        for m in range(1, 7)
    ]
    return {
        "claims": claims,
        "ledger": ledger,
        "member_months": member_months,
        "cohort": rows_of(Cohort, cohort),
        "spells": rows_of(Spells, spells),
        "contacts": rows_of(Contacts, contacts),
        "worker_time": rows_of(WorkerTime, time),
        "survival": rows_of(SurvivalByMonth, survival),
    }


def pooled_beyond(usd: float) -> dict:
    """Give the settings under which some member years of the small program are beyond the attachment point."""
    parts = {"attachment_usd": usd, "coinsurance_share": 0.9}
    return {"pooling": {name: {"value": value, "unit": "test", "source": "test"} for name, value in parts.items()}}


def run_stage(folder: Path, tables: dict[str, pd.DataFrame], settings: dict | None = None) -> dict[str, pd.DataFrame]:
    """Call the doors in the order of the rules; give every table they wrote."""
    whole, paths = config(), {name: folder / f"{name}.parquet" for name in INPUTS}
    chosen = {**whole["rates"], "min_cell_member_months": 100, **pooled_beyond(2500.0), **(settings or {})}
    for name, table in tables.items():
        write_table(table, paths[name], INPUTS[name])
    params = SimpleNamespace(
        window=[whole["study"]["window_start"], whole["study"]["window_end"]],
        extract_date=whole["study"]["extract_date"],
        base_months=[chosen["base_start"], chosen["base_end"]],
        mm_rule="any_day",
        exclude_retro_from_base=True,
        seed=1,
        data_note="made up",
    )
    parts = {"estimate_completion": "completion", "estimate_trend": "trend", "derive_case_rates": "case_rate"}
    for rule, outputs in OUTPUTS.items():
        made = {name: folder / f"{name}.parquet" for name in outputs}
        params.settings = chosen[parts[rule]] if rule in parts else chosen
        door = importlib.import_module(f"rates.{rule}")
        door.main(SimpleNamespace(input=SimpleNamespace(**paths), output=SimpleNamespace(**made), params=params))
        paths.update(made)
    return {
        name: read_table(paths[name], contract) for outputs in OUTPUTS.values() for name, contract in outputs.items()
    }


def draw_stage(folder: Path) -> list[Path]:
    tables = {name: folder / f"{name}.parquet" for outputs in OUTPUTS.values() for name in outputs}
    drawn = {f"{name}_{kind}": folder / f"{name}.{kind}" for name in FIGURES for kind in ("svg", "png")}
    door = importlib.import_module("rates.plot_rates")
    params = SimpleNamespace(data_note="made up", suppress_below=11)
    door.main(SimpleNamespace(input=tables, output=SimpleNamespace(**drawn), params=params))
    return list(drawn.values())
