"""What left a table and why: the waterfall to the cent, the supplier's control totals, and quality checks."""

from __future__ import annotations

from decimal import Decimal

import ibis
import pandas as pd

from ratebook.clean.missing import count_missing, count_where
from ratebook.contracts.clean import Attrition
from ratebook.dates import month_of
from ratebook.errors import RatebookError
from ratebook.tables import frame_of

RULES = {
    "A7.4": "Count a header amount repeated on every line once",
    "A0.1": "No claim id",
    "A0.2": "A cell nobody can read",
    "A1.1": "Capitation, supplemental and other records that are no service",
    "A2.4": "Placeholder ids",
    "A2.3": "Ids of no known member",
    "A3.1": "Identical copies",
    "A3.2": "One key with different content",
    "A4.1": "Denied claims",
    "A4.2": "Denied lines of paid claims",
    "A5.3a": "Voids and what they void",
    "A5.3b": "Claims a later one replaces",
    "A5.4": "Gross adjustments signed as money back or out",
    "A5.5": "Voids of nothing in the extract",
    "A5.6": "Debits and the credits that take them back",
    "A5.7": "Records the payer itself calls superseded",
    "A6": "Services billed again",
    "A7.1": "Header amounts spread over lines that have none",
    "A7.3": "Header amounts where they differ from the lines'",
    "A8.3": "Unexplained negative amounts",
    "A9.1": "No date of service",
    "A9.2": "End before start",
    "A9.3": "Service before birth",
    "A9.4": "Service after payment",
    "A9.5": "Service after the extract",
    "A9.6": "Service after death",
    "A9.7": "Longer than a claim can be",
    "A1.2": "Unpaid encounters at their fee-for-service equivalent",
}
"""Every rule that takes a line or changes its amount, in the order they apply (methods.md A).

Repeated header amounts come first: they say what a source's number means, before any rule adds numbers up.
"""
LOG_RULES = {
    "A0.2": "A cell nobody can read",
    "A3.1": "Entries with one id",
    "A2.3": "Ids of no known member",
    "A1.1": "Neither of the two programs",
    "A9.1": "No date",
    "A9.5": "After the extract",
    "A9.6": "After death",
}
FAULTS = ("A0.1", "A0.2", "A2.3", "A2.4", "A3.2", "A8.3", *[rule for rule in RULES if rule.startswith("A9")])
"""Rules that take rows because the data is wrong, and not because of what the payer decided."""
COST_RULE = "A1.2"


TALLIED = ("paid_amount", "charge_amount", "header_paid_amount")
"""Raw columns that no rule of a line reads and the exhibits count."""
TALLIED_BY = ("source_table", "source_file", "paid_month", "claim_type", "record_type", "adjustment", "rule_id")
TALLIED_BY += ("amount_rule_id", "is_orphan_replacement", "is_near_duplicate", "is_across_files", "is_crossover")
TALLIED_BY += ("final_action_flag", "stands_by_records")
"""What every exhibit of the raw lines is made from: no exhibit reads the lines again."""


def tally_lines(marked: ibis.Table) -> ibis.Table:
    """Count rows and dollars by everything the waterfall, the exhibits and the checks tell apart, in one pass.

    Parameters
    ----------
    marked : ibis.Table
        As `mark_lines` gives them, with the columns of `TALLIED`.

    Returns
    -------
    ibis.Table
        The columns of `TALLIED_BY`; `rows`, `raw_usd`, `paid_usd`, `cost_usd`, `largest_usd`; counts of rows with
        dates that were swapped, with a service soon after death, allowed more than was billed, and of stays; per
        field of `missing.FIELDS` the rows in which it is missing. A few thousand rows.
    """
    marked = marked.mutate(paid_month=month_of(marked.paid_date), stands_by_records=marked.record_verdict.isnull())
    return marked.group_by(TALLIED_BY).agg(
        rows=marked.count(),
        raw_usd=marked.raw_usd.sum(),
        paid_usd=marked.paid_usd.sum(),
        cost_usd=marked.cost_usd.sum(),
        largest_usd=marked.paid_usd.abs().max(),
        swapped_rows=count_where((marked["first"] > marked["last"]) & (marked.service_start_date == marked["last"])),
        after_death_rows=count_where(marked.service_start_date > marked.death_date),
        above_billed_rows=count_where(marked.allowed_amount > marked.charge_amount + 1),
        **count_missing(marked),
    )


def unite_persons(claims: ibis.Table, rejected: ibis.Table) -> ibis.Table:
    """List who stays and who left, for `count_persons`: the persons of final lines, once each, and every line taken.

    Persons are counted from what cleaning wrote; the raw lines need not be marked a second time.
    """
    drugs = claims.claim_type == "pharmacy"
    stays = claims.select(
        source_table=ibis.ifelse(drugs, "pharmacy_claims", "medical_claims"),
        rule_id=ibis.null("string"),
        person_id=claims.person_id,
        source_person_id=ibis.null("string"),
    )
    return stays.distinct().union(rejected.select(*stays.columns))


def count_persons(rows: ibis.Table, rules: dict[str, str]) -> ibis.Table:
    """Count persons by the last rule at which they still lose a row; null for those who keep one.

    Returns
    -------
    ibis.Table
        `source_table`, `last_place` (place of the rule in `rules`), `persons`.
    """
    place = rows.rule_id.cases(*[(rule, n) for n, rule in enumerate(rules)], else_=len(rules))
    who = ibis.coalesce(rows.person_id, rows.source_person_id)
    placed = rows.select("source_table", who=who, place=place).filter(lambda t: t.who.notnull())
    last = placed.group_by("source_table", "who").agg(last_place=placed.place.max())
    return last.group_by("source_table", "last_place").agg(persons=last.count())


def build_attrition(flows: list[tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]]) -> pd.DataFrame:
    """Put the waterfalls of several flows, each with rules of its own, into one table.

    Parameters
    ----------
    flows : list of (counts, persons, rules)
        As `build_waterfall` takes them.

    Returns
    -------
    Attrition
    """
    return pd.concat([build_waterfall(*flow) for flow in flows], ignore_index=True)


def build_waterfall(counts: pd.DataFrame, persons: pd.DataFrame, rules: dict[str, str]) -> pd.DataFrame:
    """Lay out the waterfall: a row per source table and rule, each beginning where the one before ends.

    A rule's change in dollars is what it changes in amounts less the dollars of the rows it takes; the last
    line ends at the cost of `Claims`, to the cent.

    Parameters
    ----------
    counts : pandas.DataFrame
        Rows and dollars, as decimals, by source table and rules: as `tally_lines` gives them, or coarser.
    persons : pandas.DataFrame
        As `count_persons`, with places in the order of `rules`.
    rules : dict
        Rule to description, in their order.

    Returns
    -------
    Attrition

    Raises
    ------
    RatebookError
        If a row bears a rule that is not in `rules`, or raw and deltas do not make final: a fault of the code.

    References
    ----------
    methods.md, A13 T1 and H1.
    """
    strange = (set(counts.rule_id.dropna()) | set(counts.amount_rule_id.dropna())) - set(rules)
    if strange:
        raise RatebookError(f"rules without a place in the waterfall: {sorted(strange)}")
    counts = _amounts_in_order(counts, rules)
    found = []
    for table, part in counts.groupby("source_table", sort=True):
        people = persons[persons.source_table == table]
        found += _waterfall(table, part, people, rules)
    return frame_of(found, Attrition)


def _amounts_in_order(counts: pd.DataFrame, rules: dict[str, str]) -> pd.DataFrame:
    """Leave a row's amount as it was where the rule that takes it comes before the rule that changes it."""
    place = {rule: n for n, rule in enumerate(rules)}
    gone = counts.rule_id.map(place) < counts.amount_rule_id.map(place)
    counts = counts.assign(paid_usd=counts.paid_usd.where(~gone, counts.raw_usd))
    return counts.assign(amount_rule_id=counts.amount_rule_id.where(~gone, None))


def _waterfall(table: str, counts: pd.DataFrame, persons: pd.DataFrame, rules: dict[str, str]) -> list[dict]:
    zero = Decimal("0.00")
    kept = counts[counts.rule_id.isna()]
    rows, paid = int(counts.rows.sum()), sum(counts.raw_usd, zero)
    people = int(persons.persons.sum())
    found = []
    for place, (rule, description) in enumerate(rules.items()):
        taken = counts[counts.rule_id == rule]
        changed = counts[counts.amount_rule_id == rule]
        delta = sum(changed.paid_usd, zero) - sum(changed.raw_usd, zero) - sum(taken.paid_usd, zero)
        if rule == COST_RULE:
            delta += sum(kept.cost_usd, zero) - sum(kept.paid_usd, zero)
        left = int(taken.rows.sum())
        gone = int(persons.persons[persons.last_place == place].sum())
        found.append(
            {
                "source_table": table,
                "step": place + 1,
                "rule_id": rule,
                "description": description,
                "rows_in": rows,
                "rows_out": rows - left,
                "persons_in": people,
                "persons_out": people - gone,
                "paid_in_usd": paid,
                "delta_usd": delta,
                "paid_out_usd": paid + delta,
            }
        )
        rows, people, paid = rows - left, people - gone, paid + delta
    if paid != sum(kept.cost_usd, zero) or rows != int(kept.rows.sum()):
        raise RatebookError(
            f"{table}: the raw dollars and the changes of every rule do not make the final ones, to the cent; a rule "
            "changed an amount or took a row and did not say so"
        )
    return found


def check_rejected_share(attrition: pd.DataFrame, max_rejected_share: float) -> None:
    """Stop where more rows than allowed are there because the data is wrong.

    Raises
    ------
    RatebookError
        With the count of rows per rule.
    """
    claims = attrition[attrition.source_table != "navigator_log"]
    faults = claims[claims.rule_id.isin(FAULTS)]
    taken = (faults.rows_in - faults.rows_out).groupby(faults.rule_id).sum()
    raw = claims.groupby("source_table").rows_in.first().sum()
    if raw and taken.sum() / raw > max_rejected_share:
        listed = ", ".join(f"{rule}: {n}" for rule, n in taken[taken > 0].items())
        raise RatebookError(
            f"{taken.sum()} of {raw} rows break a rule of data quality, more than intake.max_rejected_share "
            f"{max_rejected_share}; rows per rule: {listed}"
        )
