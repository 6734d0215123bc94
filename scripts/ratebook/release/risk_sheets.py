"""Sheets of who bears what: ranges, loss ratio and withhold of every rate, corridor, and plans adjusted for risk."""

from __future__ import annotations

import pandas as pd

from ratebook.rates.derive import BAND_WIDTH, RANGE_WIDTH
from ratebook.release.sheets import Column

OF_CELL = "=SUMPRODUCT(--({rates_cell}={cell}),{rates_%s})"
RISK = [
    Column("cell", "Rate cell", width=34),
    Column("rate_usd", "Rate per member month", formula=OF_CELL % "rate_usd"),
    Column("blended_pmpm_usd", "Blended cost", formula=OF_CELL % "blended_pmpm_usd"),
    Column("fixed_pmpm_usd", "Care management", formula=OF_CELL % "fixed_pmpm_usd"),
    Column("f_smoothing", "Smoothing along ages", formula=OF_CELL % "f_smoothing"),
    Column(
        "unrounded_usd",
        "Rate before rounding",
        formula="=({blended_pmpm_usd}+{fixed_pmpm_usd})/(1-admin_share-margin_share-tax_share)*{f_smoothing}",
    ),
    Column(
        "benefit_usd",
        "Services",
        formula="={unrounded_usd}*(1-admin_share-margin_share-tax_share)-{fixed_pmpm_usd}",
    ),
    Column("admin_usd", "Administration", formula="={unrounded_usd}*admin_share"),
    Column("margin_usd", "Margin", formula="={unrounded_usd}*margin_share"),
    Column("tax_usd", "Taxes and fees", formula="={unrounded_usd}*tax_share"),
    Column(
        "projected_mlr",
        "Loss ratio",
        "share",
        "share",
        "=({blended_pmpm_usd}+{fixed_pmpm_usd})/({rate_usd}*(1-tax_share))",
    ),
    Column("is_mlr_met", "Loss ratio met", formula="={projected_mlr}>=min_mlr"),
    Column("band_low_usd", "Lowest rate without a new certification", formula="={unrounded_usd}*(1-band_width)"),
    Column("band_high_usd", "Highest without a new certification", formula="={unrounded_usd}*(1+band_width)"),
    Column("range_upper_usd", "Upper end of a certified range", formula="={unrounded_usd}*(1+range_width)"),
    Column("withhold_usd", "Withheld", formula="={rate_usd}*withheld_share"),
    Column(
        "rate_after_withhold_usd",
        "Rate after what of it is not earned",
        formula="={rate_usd}-{rate_usd}*withheld_share*(1-earned_share)",
    ),
    Column(
        "is_withhold_sound",
        "Still covers cost, administration and taxes",
        formula="={rate_after_withhold_usd}>={benefit_usd}+{fixed_pmpm_usd}+{admin_usd}+{tax_usd}-0.01",
    ),
]
PLANS = [
    Column("cell", "Rate cell", width=34),
    Column("plan", "Plan"),
    Column("member_months", "Member months"),
    Column("risk_score", "Mean risk score", is_input=True),
    Column(
        "normalised_score",
        "Score over the cell's mean",
        formula="={risk_score}*SUMPRODUCT(--({cell_all}={cell}),{member_months_all})"
        "/SUMPRODUCT(--({cell_all}={cell}),{member_months_all},{risk_score_all})",
    ),
    Column("plan_rate_usd", "Plan's rate", formula=(OF_CELL % "rate_usd") + "*{normalised_score}"),
    Column("lower", "Lower 95%, as first computed", "usd", "usd"),
    Column("upper", "Upper 95%, as first computed", "usd", "usd"),
    Column("reason", "Why not", width=40),
]


def risk_frame(rates: pd.DataFrame) -> pd.DataFrame:
    """Give the rates with what they were before rounding."""
    kept = 1 - rates.admin_share - rates.margin_share - rates.tax_share
    return rates.assign(unrounded_usd=(rates.blended_pmpm_usd + rates.fixed_pmpm_usd) / kept * rates.f_smoothing)


def corridor_columns(bands: list[dict]) -> list[Column]:
    """Give the corridor's columns; what the state carries is live in the bands of the summary."""
    miss, below, terms = "ABS({actual_to_target}-1)", "0", []
    for number, band in enumerate(bands, start=1):
        upto = miss if band["upto_share"] is None else f"MIN({miss},corridor_upto_{number})"
        terms.append(f"corridor_state_{number}*MAX(0,{upto}-{below})")
        below = f"corridor_upto_{number}"
    return [
        Column("actual_to_target", "Cost over target", "share", "share", is_input=True, width=18),
        Column(
            "state_share_of_target",
            "State pays the plan (negative: is paid)",
            "share",
            "share of target",
            f"=SIGN({{actual_to_target}}-1)*({'+'.join(terms) or 0})",
            width=18,
        ),
        Column(
            "plan_share_of_target",
            "Plan carries (negative: keeps)",
            "share",
            "share of target",
            "={actual_to_target}-1-{state_share_of_target}",
            width=18,
        ),
    ]


def risk_inputs(settings: dict) -> list[tuple]:
    """List the named inputs of risk sharing: key, value, unit, source."""
    rows = [
        ("min_mlr", settings["min_mlr"], "services over premium net of taxes", "config.yaml rates.min_mlr"),
        ("range_width", RANGE_WIDTH, "share of the lower rate", "42 CFR 438.4(c)"),
        ("band_width", BAND_WIDTH, "share of the rate, either way", "42 CFR 438.7(c)(3)"),
    ]
    for name in ("withheld_share", "earned_share"):
        entry = settings["withhold"][name]
        rows.append((name, entry["value"], entry["unit"], entry["source"]))
    source = settings["corridor"]["source"]
    for number, band in enumerate(settings["corridor"]["value"], start=1):
        if band["upto_share"] is not None:
            rows.append((f"corridor_upto_{number}", band["upto_share"], "share of target, upper end of band", source))
        rows.append((f"corridor_state_{number}", band["state_share"], "share of the band the state carries", source))
    return rows
