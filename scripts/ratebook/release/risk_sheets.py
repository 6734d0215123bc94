"""Sheets of who bears what: ranges, loss ratio and withhold of every rate, corridor, and plans adjusted for risk."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.rates.derive import BAND_WIDTH, RANGE_WIDTH
from ratebook.release.sheets import Column

NEAR = 1e-6
"""What nine digits of a table may be off, relatively, once they are added up."""
OF_CELL = "=SUMPRODUCT(--({rates_cell}={cell}),{rates_%s})"
OF_RISK = "=SUMPRODUCT(--({risk_cell}={cell}),{risk_%s})"
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
    *(
        Column(f"plan_{name}", label, formula=OF_RISK % name + "*{normalised_score}")
        for name, label in (
            ("benefit_usd", "Services"),
            ("fixed_pmpm_usd", "Care management"),
            ("admin_usd", "Administration"),
            ("tax_usd", "Taxes and fees"),
        )
    ),
    Column("lower", "Lower 95%, as first computed", "usd", "usd"),
    Column("upper", "Upper 95%, as first computed", "usd", "usd"),
    Column("reason", "Why not", width=40),
]


OF_PLAN = "=SUMPRODUCT(--({plans_plan}={plan}),{plans_member_months},{plans_%s})"
PREMIUM_LEFT = "({premium_usd}-{unearned_usd}+{corridor_usd}-{tax_usd})"
SUMS = {
    "premium_usd": "plan_rate_usd",
    "target_usd": "plan_benefit_usd",
    "care_management_usd": "plan_fixed_pmpm_usd",
    "admin_usd": "plan_admin_usd",
    "tax_usd": "plan_tax_usd",
}
"""Sum over a plan's cells to the amount per member month it adds up."""
UNCERTAINTY = [
    Column("cell", "Rate cell", width=34),
    Column("members", "Members", "count"),
    Column("rate_usd", "Rate per member month", formula=OF_CELL % "rate_usd"),
    Column("lower", "Lower 95%", "usd", "usd", "={rate_usd}*EXP(-1.95996398454005*{std_error_share})"),
    Column("upper", "Upper 95%", "usd", "usd", "={rate_usd}*EXP(1.95996398454005*{std_error_share})"),
    Column("std_error_share", "Standard error of its logarithm", "share", "share", is_input=True),
    Column("members_error_share", "Of chance among members", "share", "share"),
    Column("completion_error_share", "Of completion", "share", "share"),
    Column("trend_error_share", "Of trend", "share", "share"),
    Column("credibility_error_share", "Of credibility", "share", "share"),
    Column("sum_lower", "Lower, were variances added", "usd", "usd"),
    Column("sum_upper", "Upper, were variances added", "usd", "usd"),
    Column("replicates", "Redrawn so often", "count"),
    Column("reason", "Why not", width=40),
]
TORNADO = [
    Column("cell", "Rate cell", width=34),
    Column("rank", "Place", "count", width=8),
    Column("factor", "Factor", width=30),
    Column("low_usd", "Rate at its lower end"),
    Column("high_usd", "Rate at its upper end"),
    Column("swing_usd", "Rate moves by"),
    Column("is_sampled", "Ends are 95% limits"),
    Column("reason", "What the ends are", width=50),
]


def risk_frame(rates: pd.DataFrame) -> pd.DataFrame:
    """Give the rates with what they were before rounding."""
    kept = 1 - rates.admin_share - rates.margin_share - rates.tax_share
    return rates.assign(unrounded_usd=(rates.blended_pmpm_usd + rates.fixed_pmpm_usd) / kept * rates.f_smoothing)


def plans_frame(plans: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Give plans their cells' parts of the rate, times their score."""
    parts = rates.set_index("cell").reindex(plans.cell)
    names = ("benefit_usd", "fixed_pmpm_usd", "admin_usd", "tax_usd")
    score = plans.normalised_score.to_numpy(dtype=float)
    rated = parts.rate_usd.notna().to_numpy(dtype=bool)
    return plans.assign(
        **{f"plan_{name}": np.where(rated, parts[name].to_numpy(dtype=float) * score, np.nan) for name in names}
    )


def settlement_frame(settled: pd.DataFrame, plans: pd.DataFrame) -> pd.DataFrame:
    """Give every sum over a plan's cells its formula, where the cells shown add up to it."""
    rows = settled.copy()
    for name, part in SUMS.items():
        made = (plans.member_months * plans[part]).groupby(plans.plan).sum().reindex(rows.plan).to_numpy()
        near = np.abs(made - rows[name]) <= NEAR * np.abs(made)
        rows[f"{name}_formula"] = pd.Series(OF_PLAN % part, rows.index, dtype=object).where(near, "")
    judged = rows.mlr_credibility.notna()
    returned = f"=MAX(0,min_mlr-{{adjusted_mlr}})*{PREMIUM_LEFT}"
    return rows.assign(remittance_formula=pd.Series(returned, rows.index, dtype=object).where(judged, ""))


def settlement_columns(bands: list[dict]) -> list[Column]:
    """Give the columns of a plan's settlement: live in its rates, the withhold, the corridor and the least loss ratio."""
    return [
        Column("plan", "Plan"),
        Column("actual_to_target", "Cost over target", "share", "share", is_input=True),
        Column("member_months", "Member months"),
        Column("premium_usd", "Member months × rates", by_row="premium_usd_formula"),
        Column("target_usd", "Claims the rates pay for", by_row="target_usd_formula"),
        Column("claims_usd", "Actual claims", formula="={actual_to_target}*{target_usd}"),
        Column("care_management_usd", "Care management", by_row="care_management_usd_formula"),
        Column("admin_usd", "Administration", by_row="admin_usd_formula"),
        Column("tax_usd", "Taxes and fees", by_row="tax_usd_formula"),
        Column("unearned_usd", "Withheld and not earned", formula="={premium_usd}*withheld_share*(1-earned_share)"),
        Column("corridor_usd", "Corridor: state pays", formula=f"={{target_usd}}*{state_share(bands)}"),
        Column("mlr", "Loss ratio", "share", "share", f"=({{claims_usd}}+{{care_management_usd}})/{PREMIUM_LEFT}"),
        Column("mlr_credibility", "Added for few members", "share", "share", is_input=True),
        Column("adjusted_mlr", "Loss ratio judged", "share", "share", "={mlr}+{mlr_credibility}"),
        Column("remittance_usd", "Paid back", by_row="remittance_formula"),
        Column(
            "state_pays_usd", "State pays", formula="={premium_usd}-{unearned_usd}+{corridor_usd}-{remittance_usd}"
        ),
        Column(
            "plan_result_usd",
            "Plan is left with",
            formula="={state_pays_usd}-{claims_usd}-{care_management_usd}-{admin_usd}-{tax_usd}",
        ),
        Column("reason", "Why no interval", width=60),
    ]


def state_share(bands: list[dict]) -> str:
    """Write what the state carries of a miss, as share of the target, in the bands of the summary."""
    miss, below, terms = "ABS({actual_to_target}-1)", "0", []
    for number, band in enumerate(bands, start=1):
        upto = miss if band["upto_share"] is None else f"MIN({miss},corridor_upto_{number})"
        terms.append(f"corridor_state_{number}*MAX(0,{upto}-{below})")
        below = f"corridor_upto_{number}"
    return f"SIGN({{actual_to_target}}-1)*({'+'.join(terms) or 0})"


def corridor_columns(bands: list[dict]) -> list[Column]:
    """Give the corridor's columns; what the state carries is live in the bands of the summary."""
    return [
        Column("actual_to_target", "Cost over target", "share", "share", is_input=True, width=18),
        Column(
            "state_share_of_target",
            "State pays the plan (negative: is paid)",
            "share",
            "share of target",
            f"={state_share(bands)}",
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
