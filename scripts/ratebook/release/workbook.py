"""The rate book: from paid dollars to the rate, every step a live formula of cells an actuary may change."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.released import RELEASED
from ratebook.release.report import label_of, list_assumptions
from ratebook.release.sheets import Book, Column

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
    Column("trend_utilisation", "Trend of use", "share", "a year", "=trend_use_{_key}"),
    Column("trend_unit_cost", "Trend of price", "share", "a year", "=trend_price_{_key}"),
    Column("f_trend", "Trend factor", formula="=((1+{trend_utilisation})*(1+{trend_unit_cost}))^(trend_months/12)"),
    Column("f_program", "Program changes", is_input=True),
    Column("f_managed_care", "Managed care", is_input=True),
    Column(
        "projected_pmpm_usd",
        "Projected per member month",
        formula="={completed_pmpm_usd}*{f_trend}*{f_program}*{f_managed_care}",
    ),
    Column("rationale_completion", "Why this completion", width=30),
    Column("rationale_trend", "Why this trend", width=30),
    Column("rationale_program", "Why this change", width=30),
    Column("rationale_managed_care", "Why this adjustment", width=30),
]
POOL = '--({pool_all}={pool}),--({manual_source_all}="pooled"),{member_months_all}'
RATES = [
    Column("cell", "Rate cell", width=34),
    Column("pool", "Pool"),
    Column("member_months", "Member months"),
    Column(
        "projected_pmpm_usd",
        "Projected per member month",
        formula="=SUMPRODUCT(--({build_cell}={cell}),{build_projected})",
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
        formula=f"=SUMPRODUCT({POOL},{{tpl_pmpm_usd_all}})/SUMPRODUCT({POOL},{{raw_blend_usd_all}})",
        only=("manual_source", "pooled"),
    ),
    Column("blended_pmpm_usd", "Blended cost", formula="={raw_blend_usd}*{f_neutral}"),
    Column("fixed_pmpm_usd", "Care management", is_input=True),
    Column(
        "rate_usd",
        "Rate per member month",
        formula="=ROUND(({blended_pmpm_usd}+{fixed_pmpm_usd})/(1-admin_share-margin_share-tax_share),2)",
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
CASE_RATES = [
    Column("arm", "Program"),
    Column("basis", "Basis"),
    Column("form", "Form"),
    Column("clients", "Clients", "count"),
    Column("enrolment_usd", "At enrolment, before load"),
    Column("value_usd", "Before load", is_input=True),
    Column("lower", "Lower 95%", "usd", "usd"),
    Column("upper", "Upper 95%", "usd", "usd"),
    Column("load_share", "Load, share of the rate", is_input=True),
    Column("loaded_usd", "With load", formula="={value_usd}/(1-{load_share})"),
    Column("loaded_lower", "With load, lower 95%", "usd", "usd", "={lower}/(1-{load_share})"),
    Column("loaded_upper", "With load, upper 95%", "usd", "usd", "={upper}/(1-{load_share})"),
    Column("expected_months", "Months a client stays"),
    Column("units_per_month", "Units per engaged month", "number"),
    Column("implied_unit_price_usd", "Implied price of a unit"),
    Column("paid_per_month_usd", "Paid today per engaged month"),
    Column("reason", "Why not", width=40),
]
INPUTS = [
    Column("key", "Input", width=34),
    Column("value", "Value", "number", is_input=True, named="{}"),
    Column("unit", "Unit", width=22),
    Column("source", "Source", width=60),
]
ASSUMPTIONS = [
    Column("key", "Setting", width=40),
    Column("value", "Value", width=40),
    Column("unit", "Unit", width=26),
    Column("source", "Source", width=60),
]


def release_workbook(path: str, tables: dict[str, pd.DataFrame], settings: dict, sources: pd.DataFrame) -> None:
    """Write the rate book.

    Changing an input (blue on yellow) carries through: the ultimate of a category moves its completion factor, a
    trend or a load moves every rate. Cached values are the pipeline's own, so the book reads the same before it
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
    study = settings["study"]
    book = Book(path, f"Rate book: {study['name']}", study["data_note"])
    title = f"Rate book: {study['name']}"
    summary = book.add_sheet("Summary", title, "Blue on yellow is an input; everything else follows from it.")
    build = book.write_table(
        book.add_sheet(
            "Build-up by cell",
            "Build-up by rate cell and category",
            "Paid per member month ÷ completion × trend × program changes × managed care. Nothing is rounded on the way.",
        ),
        tables["rate_build"],
        BUILD,
        "category",
    )
    rates = book.write_table(
        book.add_sheet(
            "Rates", "Rates by cell", "(Blended cost + care management) ÷ (1 − loads), rounded at the end."
        ),
        rates_frame(tables),
        RATES,
        "cell",
        build_cell=build["cell_all"],
        build_projected=build["projected_pmpm_usd_all"],
    )
    for name, heading, remark, frame, columns in (
        ("Completion", "Completion of the base period", "Paid over what is expected once all is paid.", completion_frame(tables), COMPLETION),
        ("Trend", "Annual trends", "From experience where it is long and steady enough, held to a floor and a cap, else assumed.", trend_frame(tables["trend"]), TREND),
        ("Credibility", "Credibility", "How far a cell's own experience is believed.", tables["credibility"], CREDIBILITY),
        ("Case rate", "Case rates", "Flat payments that cover a client's expected stay.", tables["case_rates"], CASE_RATES),
        ("Programs", "Five long-term-care programs", "Published amounts stand beside ours; no row reproduces one.", tables["program_rates"], plain_columns("program_rates")),
        ("Assumptions", "Assumptions", "Numbers that are not counted from the data.", assumptions_frame(settings), ASSUMPTIONS),
        ("Provenance", "Provenance", "What was read; fingerprints of every file stand in manifest.json.", sources, [Column(n, label_of(n), width=22) for n in sources]),
    ):  # fmt: skip
        book.write_table(book.add_sheet(name, heading, remark), frame, columns, columns[0].name)
    write_summary(book, summary, tables, rates)
    book.close()


def write_summary(book: Book, summary, tables: dict[str, pd.DataFrame], rates: dict[str, str]) -> None:
    """Write the inputs every rate shares, and under them the rates, live."""
    shared = inputs_frame(tables)
    book.write_table(summary, shared, INPUTS, "key")
    bold, money = book.look(bold=True, top=1, bottom=1), book.look(num_format="#,##0.00")
    top = 7 + len(shared)
    for place, label in enumerate(("Rate cell", "Rate per member month", "95% interval")):
        summary.write(top, place, label, bold)
    for row, record in enumerate(tables["rates"].to_dict("records"), start=top + 1):
        summary.write(row, 0, record["cell"])
        if not pd.isna(record["rate_usd"]):
            formula = f"=SUMPRODUCT(--({rates['cell_all']}=$A{row + 1}),{rates['rate_usd_all']})"
            summary.write_formula(row, 1, formula, money, float(record["rate_usd"]))
        if not (pd.isna(record["lower"]) or pd.isna(record["upper"])):
            summary.write(row, 2, f"{record['lower']:,.2f} to {record['upper']:,.2f}")
    summary.print_area(0, 0, top + 1 + len(tables["rates"]), 3)


def inputs_frame(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List the numbers all rates share: months of trend and the loads."""
    build, rates = tables["rate_build"], tables["rates"]
    if build.empty or rates.empty:
        return pd.DataFrame(columns=["key", "value", "unit", "source"])
    rows = [
        ("trend_months", build.trend_months.iloc[0], "months", "middle of the base to middle of the rating period")
    ]
    for name in ("admin_share", "margin_share", "tax_share"):
        rows.append((name, rates[name].iloc[0], "share of the rate", "config.yaml rates.loads"))
    return pd.DataFrame(rows, columns=["key", "value", "unit", "source"])


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
    return pd.DataFrame(list_assumptions(settings), columns=["key", "value", "unit", "source"])
