"""The rate book: from paid dollars to the rate, every step a live formula of cells an actuary may change."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.rates.build_up import FACTORS, on_level_factor, program_factor
from ratebook.release.case_sheets import (
    CASE_RATES,
    MONTHS,
    STAFFING_BUILD,
    case_frame,
    months_frame,
    staffing_frame,
)
from ratebook.release.report import label_of
from ratebook.release.risk_sheets import (
    PLANS,
    RISK,
    TORNADO,
    UNCERTAINTY,
    corridor_columns,
    plans_frame,
    risk_frame,
    settlement_columns,
    settlement_frame,
)
from ratebook.release.sheets import Book, Column
from ratebook.release.summary_sheet import base_months, inputs_frame, write_summary
from ratebook.release.term_sheets import PANELS, TERMS, terms_frame
from ratebook.release.trace_sheet import IN_BUILD, IN_RATES, TRACE, trace_frame
from ratebook.settings import walk_assumptions

COMPLETION = [
    Column("category", "Category", width=24),
    Column("paid_usd", "Paid by the ledger", width=16),
    Column("ultimate_usd", "Expected once all is paid", is_input=True, width=16),
    Column("completion_factor", "Completion factor", formula="={paid_usd}/{ultimate_usd}", named="completion_{}"),
    Column("lower", "Lower 95%", "factor"),
    Column("upper", "Upper 95%", "factor"),
    Column("method", "Method", width=20),
    Column("reason", "Why not", width=40),
]
TREND = [
    Column("category", "Category", width=24),
    Column("utilisation", "Trend of use", "share", "a year", is_input=True, named="trend_use_{}"),
    Column("unit_cost", "Trend of price", "share", "a year", is_input=True, named="trend_price_{}"),
    Column("pmpm", "Together", "share", "a year", "=(1+{utilisation})*(1+{unit_cost})-1"),
    Column("lower", "Lower 95%, not held to floor or cap", "share", "a year"),
    Column("upper", "Upper 95%, not held to floor or cap", "share", "a year"),
    Column("source", "Source", width=34),
    Column("reason", "Why not", width=40),
]
BUILD = [
    Column("cell", "Rate cell", width=34),
    Column("category", "Category", width=22),
    Column("member_months", "Member months"),
    Column("base_usd", "Base cost, paid"),
    Column("paid_pmpm_usd", "Paid per member month", formula="={base_usd}/{member_months}"),
    Column("completion_factor", "Completion factor", formula="=completion_{_key}"),
    Column("completed_pmpm_usd", "Completed", formula="={paid_pmpm_usd}/{completion_factor}"),
    Column("f_missing", "What is missing", formula="=missing_{_key}"),
    Column("f_pooling", "Pooling", is_input=True),
    Column("f_base_changes", "Changes in the base", formula="=base_changes_{_key}"),
    Column("trend_utilisation", "Trend of use", "share", "a year", "=trend_use_{_key}"),
    Column("trend_unit_cost", "Trend of price", "share", "a year", "=trend_price_{_key}"),
    Column("f_trend", "Trend factor", formula="=((1+{trend_utilisation})*(1+{trend_unit_cost}))^(trend_months/12)"),
    Column("f_program", "Program changes", formula="=program_{_key}"),
    Column("f_managed_care", "Managed care", formula="=managed_care_{_key}"),
    Column(
        "projected_pmpm_usd",
        "Projected per member month",
        formula="={completed_pmpm_usd}" + "".join(f"*{{{factor}}}" for factor in FACTORS),
    ),
    Column("rationale_completion", "Why this completion", width=30),
    Column("rationale_missing", "Why this much is missing", width=30),
    Column("rationale_pooling", "Why this pooling", width=30),
    Column("rationale_base_changes", "Why these changes", width=30),
    Column("rationale_trend", "Why this trend", width=30),
    Column("rationale_program", "Why this change", width=30),
    Column("rationale_managed_care", "Why this adjustment", width=30),
]
CHANGES = [
    Column("category", "Category", width=24),
    Column("f_missing", "What is missing", is_input=True, named="missing_{}"),
    Column("rationale_missing", "Why", width=40),
    Column("base_share", "Share of cost a change in the base touches", "share", "share", is_input=True),
    Column("base_change", "By how much", "share", "share", is_input=True),
    Column("base_months_in_effect", "Months of the base with it", is_input=True),
    Column(
        "f_base_changes",
        "Changes in the base",
        formula="=(1+{base_share}*{base_change})/(1+{base_share}*{base_change}*{base_months_in_effect}/base_months)",
        named="base_changes_{}",
    ),
    Column("rationale_base_changes", "Why", width=40),
    Column("share", "Share of cost a change touches", "share", "share", is_input=True),
    Column("change", "By how much", "share", "share", is_input=True),
    Column("months_in_effect", "Months in the rating year", is_input=True),
    Column("f_program", "Program changes", formula="=1+{share}*{change}*{months_in_effect}/12", named="program_{}"),
    Column("rationale_program", "Why", width=40),
    Column("f_managed_care", "Managed care", is_input=True, named="managed_care_{}"),
    Column("rationale_managed_care", "Why", width=40),
]
POOL = '--({pool_all}={pool}),--({manual_source_all}="pooled"),{member_months_all}'
DRAWN = f"SUMPRODUCT({POOL},{{raw_blend_usd_all}})"
"""What the pool's cells would cost once blended; nothing, where the pool had no cost."""
RATES = [
    Column("cell", "Rate cell", width=34),
    Column("pool", "Pool"),
    Column("member_months", "Member months"),
    Column(
        "projected_pmpm_usd",
        "Projected per member month",
        formula="=SUMPRODUCT(--({build_cell}={cell}),{build_projected_pmpm_usd})",
    ),
    Column("f_tpl", "Left after other insurance", is_input=True),
    Column("tpl_pmpm_usd", "After other insurance", formula="={projected_pmpm_usd}*{f_tpl}"),
    Column("credibility_z", "Credibility", formula="=credibility_{_key}"),
    Column("manual_source", "Manual rate is"),
    Column(
        "manual_pmpm_usd",
        "Manual rate",
        formula=f"=SUMPRODUCT({POOL},{{tpl_pmpm_usd_all}})/SUMPRODUCT({POOL})",
        only=("manual_source", "pooled"),
    ),
    Column(
        "raw_blend_usd",
        "Blend by credibility",
        formula="={credibility_z}*{tpl_pmpm_usd}+(1-{credibility_z})*{manual_pmpm_usd}",
    ),
    Column(
        "f_neutral",
        "Keeps the pool's total",
        formula=f"=IF({DRAWN}>0,SUMPRODUCT({POOL},{{tpl_pmpm_usd_all}})/{DRAWN},1)",
        only=("manual_source", "pooled"),
    ),
    Column("blended_pmpm_usd", "Blended cost", formula="={raw_blend_usd}*{f_neutral}"),
    Column("fixed_pmpm_usd", "Care management", is_input=True),
    Column("f_smoothing", "Smoothing along ages", is_input=True),
    Column(
        "rate_usd",
        "Rate per member month",
        formula="=ROUND(({blended_pmpm_usd}+{fixed_pmpm_usd})/(1-admin_share-margin_share-tax_share)*{f_smoothing},2)",
    ),
    Column("lower", "Lower 95%", "usd", "usd"),
    Column("upper", "Upper 95%", "usd", "usd"),
    Column(
        "projected_mlr",
        "Loss ratio",
        "share",
        formula="=({blended_pmpm_usd}+{fixed_pmpm_usd})/({rate_usd}*(1-tax_share))",
    ),
    Column("reason", "Why not", width=40),
]
CREDIBILITY = [
    Column("cell", "Rate cell", width=34),
    Column("members", "Members", "count"),
    Column("member_months", "Member months"),
    Column("paid_pmpm_usd", "Paid per member month"),
    Column("lower", "Lower 95%", "usd", "usd"),
    Column("upper", "Upper 95%", "usd", "usd"),
    Column("std_error_usd", "Standard error"),
    Column("full_standard_member_months", "Months for full credibility"),
    Column("limited_fluctuation_z", "Limited fluctuation"),
    Column("buhlmann_straub_z", "Bühlmann-Straub"),
    Column("credibility_z", "In force", is_input=True, named="credibility_{}"),
    Column("reason", "Why not", width=40),
]
PREFIXES = {
    "risk": "Risk sharing",
    "plans": "Plan rates",
    "months": "Case months",
    "staff": "Staffing",
    "cases": "Case rate",
}
"""What formulas of later sheets call a sheet."""
ASSUMPTIONS = [
    Column("key", "Setting", width=40),
    Column("value", "Value", width=40),
    Column("unit", "Unit", width=26),
    Column("assumption_source", "Source", width=60),
    Column("is_placeholder", "Stands in for the demonstration", width=16),
]


def release_workbook(path: str, tables: dict[str, pd.DataFrame], settings: dict, sources: pd.DataFrame) -> None:
    """Write the rate book.

    Changing an input (blue on yellow) carries through: the ultimate of a category moves its completion factor, a
    trend or a load moves every rate it stands in, and with it ranges, loss ratio, withhold, plans and the trace.
    Intervals stay as they were computed. Cached values are the pipeline's own, so the book reads the same before it
    is recalculated. Where a count is hidden, the cells that rest on it are empty.

    Parameters
    ----------
    path : str
        Where the workbook goes.
    tables : dict of DataFrame
        Released tables.
    settings : dict
        The config in force.
    sources : SourceManifest

    References
    ----------
    methods.md, E1 (the build-up must multiply again), E4, E5, E10.
    """
    study, chosen = settings["study"], settings["rates"]
    title = f"Rate book: {study['name']}"
    book = Book(path, title, study["data_note"])
    summary = book.add_sheet("Summary", title, "Blue on yellow is an input; everything else follows from it.")
    build = book.write_table(
        book.add_sheet(
            "Build-up by cell",
            "Build-up by rate cell and category",
            "Paid per member month ÷ completion × missing × pooling × changes in the base × trend × program changes × managed care.",
        ),
        tables["rate_build"],
        BUILD,
        "category",
    )
    build = {
        f"build_{name}": build[f"{name}_all"]
        for name in ("cell", "category", "paid_pmpm_usd", "projected_pmpm_usd", *IN_BUILD)
    }
    rates = book.write_table(
        book.add_sheet(
            "Rates", "Rates by cell", "(Blended cost + care management) ÷ (1 − loads) × smoothing, rounded at the end."
        ),
        rates_frame(tables),
        RATES,
        "cell",
        **build,
    )
    rates = {f"rates_{name}": rates[f"{name}_all"] for name in ("cell", "blended_pmpm_usd", *IN_RATES)}
    months = months_frame(tables, chosen["case_rate"]["unit_price_usd"]["value"])
    cases = case_frame(tables, months, chosen["case_rate"])
    staffing = staffing_frame(tables["staffing_build"], chosen["case_rate"])
    plans, bands = plans_frame(tables["plan_rates"], tables["rates"]), chosen["corridor"]["value"]
    found = {}
    for name, heading, remark, frame, columns in (
        ("Completion", "Completion of the base period", "Paid over what is expected once all is paid.", completion_frame(tables), COMPLETION),
        ("Trend", "Annual trends", "From experience where it is long and steady enough, held to a floor and a cap, else assumed.", trend_frame(tables["trend"]), TREND),
        ("Changes", "What is missing, changes in and after the base, managed care", "1 + share of cost × change × months in effect ÷ 12.", changes_frame(tables["rate_build"], chosen), CHANGES),
        ("Credibility", "Credibility", "How far a cell's own experience is believed.", tables["credibility"], CREDIBILITY),
        ("Risk sharing", "Ranges, loss ratio and withhold", "Of every rate; the shares are inputs of the summary.", risk_frame(tables["rates"]), RISK),
        ("Corridor", "Risk corridor", "Who carries it when cost misses its target; the bands are inputs of the summary.", tables["corridor"], corridor_columns(bands)),
        ("Plan rates", "Rates of plans, adjusted for risk", "Scores are normalised in each cell: member months times rates stay equal.", plans, PLANS),
        ("Settlement", "Settlement by plan and ratio", "A year like the base, the rates taken as known: withhold, corridor and least loss ratio are inputs of the summary.", settlement_frame(tables["risk_sharing"], plans), settlement_columns(bands)),
        ("Uncertainty", "How sure each rate is", "Persons, completion and trend redrawn together; limits follow the rate, errors stay as computed.", tables["rate_uncertainty"], UNCERTAINTY),
        ("Tornado", "What moves each rate", "One factor at a time, the others as they stand; as first computed.", tables["rate_tornado"].sort_values(["cell", "rank"]), TORNADO),
        ("Case months", "Engagement month by month", "Who still is engaged, and what is delivered to them; months few clients reached are one row.", months, MONTHS),
        ("Staffing", "Staffing build-up of a client month", "A worker's year over the clients carried: those assumed, or those for whom the service log leaves time.", staffing, STAFFING_BUILD),
        ("Case rate", "Case rates", "Flat payments that cover a client's expected stay.", cases, CASE_RATES),
        ("Case terms", "Terms of a case rate", "Each term pays the same expected episode; tiers and what is recovered are inputs.", terms_frame(tables), TERMS),
        ("Panels", "How a panel of clients ends", "At the loaded actuarial rate; panels are drawn, and stand as first computed.", tables["panel_loss"], PANELS),
        ("Programs", "Five long-term-care programs", "Published amounts stand beside ours; no row reproduces one.", tables["program_rates"], plain_columns("program_rates")),
        ("Trace", "From every rate back to dollars and lines", "Each part of a rate is a product of steps; the parts add up to the rate.", trace_frame(tables["rate_trace"], tables["rate_build"], tables["rates"]), TRACE),
        ("Assumptions", "Assumptions", "Numbers that are not counted from the data, as configured.", assumptions_frame(settings), ASSUMPTIONS),
        ("Provenance", "Provenance", "What was read; fingerprints of every file stand in manifest.json.", sources, [Column(n, label_of(n), width=22) for n in sources]),
    ):  # fmt: skip
        sheet = book.add_sheet(name, heading, remark)
        found[name] = book.write_table(sheet, frame, columns, columns[0].name, **build, **rates, **named_ranges(found))
    write_summary(book, summary, tables, inputs_frame(tables, chosen), found["Risk sharing"])
    book.close()


def named_ranges(found: dict[str, dict[str, str]]) -> dict[str, str]:
    """Give the columns of sheets already written the names under which later sheets call them."""
    return {
        f"{prefix}_{name.removesuffix('_all')}": place
        for prefix, sheet in PREFIXES.items()
        for name, place in found.get(sheet, {}).items()
    }


def changes_frame(build: pd.DataFrame, chosen: dict) -> pd.DataFrame:
    """List what is assumed of every category: of a change its parts, where they make its factor."""
    rows = build.drop_duplicates("category").sort_values("category", ignore_index=True)
    before = change_parts(rows.category, chosen["base_changes"])
    made = on_level_factor(before.share, before.change, before.months_in_effect, base_months(chosen))
    rows = rows.join(before.where((made - rows.f_base_changes).abs() < 1e-8).add_prefix("base_"))
    after = change_parts(rows.category, chosen["program_changes"])
    made = program_factor(after.share, after.change, after.months_in_effect)
    return rows.join(after.where((made - rows.f_program).abs() < 1e-8))


def change_parts(categories: pd.Series, changes: dict) -> pd.DataFrame:
    """Give the share, size and months of each category's change; 0 where there is none."""
    none = {"share": 0.0, "change": 0.0, "months_in_effect": 0.0}
    parts = [changes.get(name, {"value": none})["value"] for name in categories]
    return pd.DataFrame(parts, columns=list(none)).astype(float)


def completion_frame(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List every category of the build-up; one whose completion could not be measured has factor 1, an input."""
    base, build = tables["base_completion"], tables["rate_build"]
    rows = base.merge(build[["category"]].drop_duplicates(), on="category", how="outer").sort_values("category")
    measured = rows.completion_factor.notna()
    return rows.assign(
        completion_factor=rows.completion_factor.fillna(1.0),
        paid_usd=rows.paid_usd.where(measured),
        ultimate_usd=rows.ultimate_usd.where(measured),
    )


def trend_frame(trend: pd.DataFrame) -> pd.DataFrame:
    """Set the two trends of a category side by side, with the limits of their compound and where each comes from."""
    rows = []
    for category, parts in trend.groupby("category"):
        parts = parts.set_index("component")
        source = "; ".join(f"{name}: {parts.source[name]}" for name in ("utilisation", "unit_cost"))
        whole = parts.loc["pmpm"]
        rows.append(
            {
                "category": category,
                **parts.annual_trend.to_dict(),
                "lower": whole.lower,
                "upper": whole.upper,
                "source": source,
                "reason": whole.reason,
            }
        )
    return pd.DataFrame(rows, columns=[column.name for column in TREND])


def rates_frame(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Give the rates with the blend before it is scaled to the pool's total."""
    rates = tables["rates"]
    blend = rates.credibility_z * rates.tpl_pmpm_usd + (1 - rates.credibility_z) * rates.manual_pmpm_usd
    return rates.assign(raw_blend_usd=blend)


def plain_columns(table: str) -> list[Column]:
    """Give a sheet's columns for a released table as it is, texts wide."""
    fields = RELEASED[table].contract.fields()
    return [Column(name, label_of(name), width=30 if field.type == "string" else 14) for name, field in fields.items()]


def assumptions_frame(settings: dict) -> pd.DataFrame:
    """List the assumptions of the config, of every stage."""
    rows = list(walk_assumptions(settings))
    return pd.DataFrame(rows, columns=[column.name for column in ASSUMPTIONS])
