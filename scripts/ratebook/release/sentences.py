"""Sentences of the report: every number and every direction is read from a released table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ratebook.release.wording import direction, is_missing, phrase, spell

Tables = dict[str, pd.DataFrame]
SENTENCES: dict[str, Callable[[Tables, dict], list[str]]] = {}
NO_COHORT = (
    "No member met the rules of the study cohort, so nothing that rests on it could be estimated; "
    "the flow of members shows at which rule the last one left."
)


def section(name: str):
    """Register the sentences of a section."""

    def register(function):
        SENTENCES[name] = function
        return function

    return register


def pick(frame: pd.DataFrame, **where) -> dict | None:
    """Give the one row that meets the conditions; None where there is none."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame.iloc[0].to_dict() if len(frame) else None


def persons_of(tables: Tables, arm: str):
    """Give the persons of an arm of the cohort: those of any characteristic, its levels together."""
    rows = tables["cohort"]
    rows = rows[rows.arm == arm]
    if rows.empty:
        return None
    sums = rows.groupby("characteristic", sort=False).persons.agg(lambda n: n.sum() if n.notna().all() else None)
    known = sums.dropna()
    return None if known.empty else known.max()


@section("summary")
def say_summary(tables: Tables, settings: dict) -> list[str]:
    """Answer the question in three sentences: longer, cheaper by the month, dearer in all, or not."""
    length = primary_length(tables)
    price = pick(tables["pmpm"], variant="P1", numerator="program", arm="difference", month_rule="exact")
    total = pick(tables["total_cost"], estimand="total_sud", arm="difference", method="partitioned")
    if length is None and price is None and total is None:
        return [NO_COHORT]
    said = []
    if length is not None:
        tau = int(length["tau_days"])
        scope = f"within {tau} days of the first contact, among members who engaged, unadjusted"
        subject = f"The difference in engagement {scope},"
        text = f"{scope}, clients of RSN stayed engaged {{word}} than clients of CSP, by {{size}}"
        said.append(contrast(length, subject, text, ("longer", "for a shorter time", "no longer"), "", "days"))
    if price is not None:
        subject = "The difference in what a month of engagement cost"
        text = (
            "a month of engagement cost {word} under RSN than under CSP, by {size} (P1: paid to the navigator, per "
            "engaged month)"
        )
        said.append(contrast(price, subject, text, ("more", "less", "no more"), "usd"))
        said += _with_outside(tables)
    if total is not None:
        subject = f"The difference in total SUD cost per member over {int(total['horizon_days'])} days"
        text = f"total SUD cost per member over {int(total['horizon_days'])} days was {{word}} under RSN, by {{size}}"
        said.append(contrast(total, subject, text, ("higher", "lower", "no higher"), "usd"))
    return said


def _with_outside(tables: Tables) -> list[str]:
    """Say what becomes of the price of a month where the payer bears cost outside claims."""
    key = {"perspective": "payer", "estimand": "program", "per": "engaged_month"}
    row, arms = pick(tables["perspectives"], arm="difference", **key), tables["perspectives"]
    borne = arms.outside_usd[(arms.perspective == "payer") & (arms.estimand == "program")]
    if row is None or not (borne > 0).any():
        return []
    text = "counting what the payer paid for the programs outside claims, it cost {word} under RSN, by {size}"
    subject = "The difference counting what the payer paid outside claims"
    return [contrast(row, subject, text, ("more", "less", "no more"), "usd")]


def contrast(row: dict, subject: str, text: str, words: tuple[str, str, str], unit: str, noun: str = "") -> str:
    """Say which arm has more and by how much; where nothing was estimated, no direction is named."""
    estimate = row["estimate"] if "estimate" in row else row.get("estimate_usd")
    if is_missing(estimate):
        return f"{subject} {phrase(row, unit, noun)}."
    said = text.format(word=direction(row, *words), size=phrase(row, unit, noun, absolute=True)) + ratio_phrase(row)
    return said[0].upper() + said[1:] + "."


def value_of(subject: str, row: dict, unit: str = "", noun: str = "") -> str:
    """Say what something is, or that it could not be estimated and why."""
    is_known = not is_missing(row["estimate"] if "estimate" in row else row.get("estimate_usd"))
    return f"{subject} {'is ' if is_known else ''}{phrase(row, unit, noun)}."


def primary_length(tables: Tables) -> dict | None:
    """Give the headline contrast of engagement: contacts, Kaplan-Meier, the longest horizon with an estimate."""
    rows = tables["engagement"]
    rows = rows[(rows.estimand == "rmst_difference") & (rows.clock == "contact") & (rows.method == "kaplan_meier")]
    rows = rows.sort_values("tau_days")
    known = rows[rows.estimate.notna()]
    rows = known if len(known) else rows
    return rows.iloc[-1].to_dict() if len(rows) else None


def ratio_phrase(row: dict) -> str:
    """Print the ratio of the arms with its interval, where there is one."""
    if is_missing(row.get("ratio")):
        return ""
    text = f"; a ratio of {row['ratio']:.2f}"
    if is_missing(row.get("ratio_lower")) or is_missing(row.get("ratio_upper")):
        return text
    return f"{text} (95% CI {row['ratio_lower']:.2f} to {row['ratio_upper']:.2f})"


def _rows_worth(rows, paid_usd) -> str:
    """Say how many rows there are and what they are worth; a count that would show a small one is not said."""
    count = "the rows" if is_missing(rows) else f"{spell(rows)} rows"
    return f"{count} worth {spell(paid_usd, 'usd')}" if paid_usd else count


@section("data")
def say_data(tables: Tables, settings: dict) -> list[str]:
    """Say what was read, what left on the way, and whether the dollars add up."""
    said = []
    for table, steps in tables["attrition"].sort_values("step").groupby("source_table", sort=False):
        first, last = steps.iloc[0], steps.iloc[-1]
        came, stays = (
            _rows_worth(*side) for side in ((first.rows_in, first.paid_in_usd), (last.rows_out, last.paid_out_usd))
        )
        said.append(f"Of {came} of {table.replace('_', ' ')}, {stays} remain after {len(steps)} rules.")
    totals = tables["reconciliation"]
    if totals.difference_share.notna().any():
        worst, broken = totals.difference_share.max(), totals.status.isin(["warn", "fail"]).sum()
        said.append(
            f"Against {len(totals)} control totals of the supplier the largest difference is "
            f"{spell(worst, 'share')}; {spell(int(broken)) if broken else 'none'} of them is beyond the limit."
        )
    else:
        said.append("The source came without control totals, so it could not be reconciled to its supplier.")
    checked = tables["qa"]
    failed = checked[checked.passed == False]  # noqa: E712
    said.append(f"{len(checked)} checks of quality were made; {len(failed)} found more than their limit.")
    return said


@section("flow")
def say_flow(tables: Tables, settings: dict) -> list[str]:
    """Say how many members entered the flow and how many are the cohort."""
    flow = tables["cohort_flow"].sort_values("step")
    if flow.empty or flow.persons_in.iloc[0] == 0:
        return ["No member had a detoxification in these data, so there is no cohort to flow into."]
    nodes = [flow.persons_in.iloc[0], *flow.persons_out]
    shown = [count for count in nodes if not is_missing(count)]
    if is_missing(nodes[-1]):
        return ["The cohort is a small count, and hidden."]
    enter = "entered the flow" if not is_missing(nodes[0]) else "remained at the first step whose count may be shown"
    return [f"{spell(shown[0])} members {enter}, and {spell(nodes[-1])} are the cohort."]


@section("table_1")
def say_cohort(tables: Tables, settings: dict) -> list[str]:
    """Say how large the arms are, and how alike."""
    sizes = {arm: persons_of(tables, arm) for arm in ("RSN", "CSP", "none")}
    if not any(sizes.values()):
        return [NO_COHORT]
    said = [
        f"{spell(sizes['RSN'])} members engaged with RSN and {spell(sizes['CSP'])} with CSP; "
        f"{spell(sizes['none'])} with neither within the time allowed."
    ]
    balance = tables["balance"]
    if balance.smd_before.notna().any():
        before, after = balance.smd_before.abs().max(), balance.smd_after.abs().max()
        said.append(
            f"The largest standardised difference between the arms is {before:.2f} before weighting and "
            f"{after:.2f} after overlap weighting."
        )
    return said


OF_FAULTS = ("recall", "precision", "dollars that stand")
"""What is told of every kind of fault planted in claims."""


def kind_of(quantity: str) -> str:
    """Name the kind of a planted quantity: what stands before its arm, category or comparison."""
    return quantity.split(",")[0]


@section("review")
def say_review(tables: Tables, settings: dict) -> list[str]:
    """Count what was checked, what changed sign, and what of the planted truth was found."""
    counts = tables["checklist"].status.value_counts()
    said = [
        f"Of {len(tables['checklist'])} errors reviewers look for, {counts.get('pass', 0)} are absent, "
        f"{counts.get('warn', 0)} call for a remark, {counts.get('fail', 0)} are present, and "
        f"{counts.get('na', 0)} could not be looked for."
    ]
    changes = tables["sensitivity"].sign_change.dropna()
    if len(changes):
        said.append(f"Of {len(changes)} variations of a choice, {int(changes.sum())} change the sign of a headline.")
    recovery = tables["recovery"]
    is_fault = recovery.quantity.map(kind_of).isin(OF_FAULTS)
    told = recovery.covered[~is_fault & recovery.lower.notna()].dropna()
    fault = recovery.quantity[is_fault].map(lambda quantity: quantity.split(", ")[1])
    faults = recovery.covered[is_fault].groupby(fault).all()
    if len(told):
        missed = recovery.quantity[told.index[~told.astype(bool)]].map(kind_of).value_counts(sort=False)
        of_kind = ", ".join(f"{kind} ({count})" for kind, count in sorted(missed.items()))
        said.append(
            f"Of {len(told)} planted quantities with a 95% interval, {int(told.sum())} lie inside it, where "
            f"{spell(0.95, 'share')} were expected{f'; outside are {of_kind}' if of_kind else ''}."
        )
        said.append(
            f"Of {len(faults)} kinds of fault planted in claims, {int(faults.sum())} came out as they should: every record "
            "found, no other taken for it, and the dollars that stand to the cent."
        )
    else:
        said.append("Nothing was planted in these data, so recovery of a known truth could not be shown.")
    return said
