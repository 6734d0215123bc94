"""What the pipeline says of single records: every mark, and whether a planted fault stands behind it."""

from __future__ import annotations

import functools

import ibis
import pandas as pd

from ratebook.clean.contacts import mark_log
from ratebook.clean.members import with_person
from ratebook.contracts import clean, exposure, intake
from ratebook.contracts.review import FaultCounts
from ratebook.exposure.matches import tag_coverage
from ratebook.exposure.spans import clean_eligibility
from ratebook.tables import empty_frame

MARKED_IN = {
    "medical_claims": intake.MedicalClaims,
    "members": intake.Members,
    "eligibility": intake.Eligibility,
    "navigator_log": intake.NavigatorLog,
    "adjusted_lines": clean.AdjustedLines,
    "identity": clean.Identity,
    "persons": clean.Persons,
    "claims": clean.Claims,
    "rejected": clean.Rejected,
    "contacts": clean.Contacts,
    "spans": exposure.Spans,
}
"""The tables `mark_records` reads."""
CHANGES = ("A5.4", "A7.1", "A7.3", "A7.4", "A1.2")
"""Marks of a record whose amount is not the source's; every mark of a rejected record counts as well."""
CLAIM_IDS = ("C", "D")
"""Ids of claims and dispensings begin so."""
NO_FAULT = "records without a fault"
"""The row that counts what the rules took or changed and nobody planted."""
PLANTED = {"kind": "string", "mark": "string", "outcome": "string", "fault_id": "string", "owner_id": "string"}


def mark_records(tables: dict[str, ibis.Table], extract_date: str) -> ibis.Table:
    """List every mark of every record: a rule that took it, an amount it was given, a flag it bears.

    Marks are named by the rule of methods.md, with a word where one rule says several things:

    - a rejected line's rule; `A7.…` where its amount is the header's, `A5.4` where it is money and no service;
    - `A5.5 kept` replaces nothing in the extract; `A6` near duplicate; `A1.2` sub-capitated; `A1.3` crossover;
      `A10 scale`, `A10 maximum`; `A9 discharge` a discharge filled in for a patient who left; `A9 swap` dates
      exchanged; `A2.1` counted for another id than the one it bears; `A12.7` served outside coverage;
    - persons: `A12.1` a record ends before it starts; `A12.2 disputed` days on which records disagree;
      `A12.2 merged` days that several records cover and do not dispute; `A12.4` retroactive days; `A2.5` a
      record outvoted by the person's others; `B8` contacts of both programs;
    - log entries: the rule that took them.

    Parameters
    ----------
    tables : dict
        Those of `MARKED_IN`: raw tables, and what cleaning and exposure made of them.
    extract_date : str
        Last day the data can speak of.

    Returns
    -------
    ibis.Table
        `mark`, `record_id` (of a claim, person or log entry), `takes`: the record or its amount is not what the
        source says. Each pair once.

    References
    ----------
    methods.md, A and G.
    """
    rejected = tables["rejected"]
    parts = [
        _marks(rejected, rejected.rule_id, "claim_id"),
        _of_lines(tables["claims"]),
        _of_amounts(tables),
        _of_raw(tables),
        _of_coverage(tables),
        _of_enrolment(tables, extract_date),
        _of_members(tables),
        _of_log(tables, extract_date),
    ]
    marks = functools.reduce(lambda a, b: a.union(b), parts)
    marks = marks.filter(marks.mark.notnull(), marks.record_id.notnull()).distinct()
    of_claims = rejected.select("rule_id").distinct()
    takes = marks.mark.isin(CHANGES) | marks.mark.isin(of_claims.rule_id)
    return marks.mutate(takes=takes & marks.record_id.substr(0, 1).isin([*CLAIM_IDS, "N"]))


def count_faults(marks: ibis.Table, claims: ibis.Table, truth: dict) -> ibis.Table:
    """Count, by kind of fault, what was planted, what of it was found, and what else bears the same mark.

    A record of a kind is found if it bears the kind's mark and comes out as it should: `gone` leaves no final
    line; a claim with any other outcome stands, each of its lines once, and under its person's own id where the
    truth knows it. A kind without a mark is found if nothing takes or changes its records. Persons and log
    entries need the mark alone.

    Returns
    -------
    FaultCounts
        One row more, `NO_FAULT`: records taken or changed, and those of them planted so. Empty where nothing was
        planted: real data are not read for it.

    References
    ----------
    methods.md, G: planted data faults.
    """
    if not truth:
        return ibis.memtable(empty_frame(FaultCounts), schema=FaultCounts.types())
    planted = ibis.memtable(_planted(truth), schema=PLANTED)
    lines = claims.group_by("claim_id", "line_number").agg(
        copies=claims.count(), paid_usd=claims.paid_usd.sum(), holder=claims.person_id.min()
    )
    final = lines.group_by(final_id="claim_id").agg(
        copies=lines.copies.max(), paid_usd=lines.paid_usd.sum(), holder=lines.holder.min()
    )
    found = planted.left_join(final, planted.fault_id == final.final_id)
    pairs = marks.select(found_mark="mark", found_id="record_id")
    found = found.left_join(pairs, [found.mark == pairs.found_mark, found.fault_id == pairs.found_id])
    touched = marks.filter(marks.takes).select(touched_id="record_id").distinct()
    found = found.left_join(touched, found.fault_id == touched.touched_id)
    is_claim = found.fault_id.substr(0, 1).isin(CLAIM_IDS)
    bears = ibis.ifelse(found.mark.isnull(), found.touched_id.isnull(), found.found_mark.notnull())
    stands = (found.copies == 1).fill_null(False) & (found.owner_id.isnull() | (found.owner_id == found.holder))
    came_out = ibis.ifelse(found.outcome == "gone", found.copies.isnull(), stands) | ~is_claim
    found = found.mutate(met=(bears & came_out).fill_null(False), has_mark=found.found_mark.notnull())
    kinds = found.filter(found.outcome != "stands")
    counted = kinds.group_by("kind", "mark").agg(planted=kinds.count(), met=kinds.met.sum())
    dollars = found.group_by(paid_kind="kind").agg(paid_usd=found.paid_usd.sum().fill_null(0).cast("float64"))
    counted = counted.join(dollars, counted.kind == dollars.paid_kind)
    # A mark may speak of claims, dispensings, persons or entries: each is held against what was planted among its own.
    listed = planted.filter(planted.outcome != "stands", planted.mark.notnull())
    listed = listed.select(listed_mark="mark", listed_id="fault_id").distinct()
    known = marks.left_join(listed, [marks.mark == listed.listed_mark, marks.record_id == listed.listed_id])
    known = known.mutate(known_sort=known.record_id.substr(0, 1), is_listed=known.listed_id.notnull())
    by_mark = known.group_by("known_sort", known_mark="mark").agg(
        marked=known.count(), explained=known.is_listed.sum()
    )
    sorts = kinds.group_by(sorted_kind="kind").agg(sort=kinds.fault_id.substr(0, 1).min())
    counted = counted.join(sorts, counted.kind == sorts.sorted_kind)
    counted = counted.left_join(by_mark, [counted.mark == by_mark.known_mark, counted.sort == by_mark.known_sort])
    counted = counted.mutate(marked=counted.marked.fill_null(0), explained=counted.explained.fill_null(0))
    taken = known.filter(known.takes)
    whole = taken.aggregate(marked=taken.count(), explained=taken.is_listed.sum().fill_null(0)).mutate(
        kind=ibis.literal(NO_FAULT), mark=ibis.null("string"), planted=ibis.literal(0).cast("int64"), met=ibis.literal(0).cast("int64"),
        paid_usd=ibis.literal(0.0),
    )  # fmt: skip
    names = list(FaultCounts.types())
    return counted.select(names).union(whole.select(names))


def _planted(truth: dict) -> pd.DataFrame:
    """Lay out the truth, a row per record; those that stand beside a fault bear the outcome `stands`.

    Of persons of whom nothing must be said there is nothing to find here.
    """
    owners, rows = truth.get("owners", {}), []
    for kind, expected in truth.get("expected", {}).items():
        for fault_id in truth["faults"].get(kind, []):
            if expected["rule"] is None and not fault_id.startswith(CLAIM_IDS):
                continue
            rows.append((kind, expected["rule"], expected["outcome"], fault_id, owners.get(fault_id)))
        rows += [(kind, None, "stands", claim, None) for claim in truth["stands"].get(kind, [])]
    return pd.DataFrame(rows, columns=list(PLANTED))


def _marks(records: ibis.Table, mark: ibis.Value | str, record_id: str) -> ibis.Table:
    mark = ibis.literal(mark) if isinstance(mark, str) else mark
    return records.select(mark=mark.cast("string"), record_id=records[record_id])


def _of_lines(claims: ibis.Table) -> ibis.Table:
    """Read the flags of final lines in one pass."""
    was_filled = claims.discharge_source.isin(["header_end", "line_end"]).fill_null(False)
    flags = {
        "A6": claims.is_near_duplicate,
        "A1.2": claims.is_subcapitated,
        "A1.3": claims.is_crossover,
        "A5.4": claims.is_money_only,
        "A10 scale": claims.units_flag == "scale_error",
        "A10 maximum": claims.units_flag == "above_max",
        # A patient who is still there has no discharge to be missed.
        "A9 discharge": was_filled & (claims.discharge_status.fill_null("") != "30"),
    }
    borne = [ibis.ifelse(flag.fill_null(False), mark, ibis.null("string")) for mark, flag in flags.items()]
    return claims.select(record_id="claim_id", mark=ibis.array(borne).unnest()).select("mark", "record_id")


def _of_amounts(tables: dict[str, ibis.Table]) -> ibis.Table:
    """Say which final lines have their header's amount, and which replace nothing in the extract."""
    adjusted = tables["adjusted_lines"]
    adjusted = adjusted.filter(
        adjusted.rule_id.isnull(), adjusted.amount_rule_id.notnull() | adjusted.is_orphan_replacement
    )
    raw = tables["medical_claims"].select("load_sequence", "claim_id")
    adjusted = adjusted.filter(adjusted.source_table == "medical_claims").join(raw, "load_sequence")
    orphans = adjusted.filter(adjusted.is_orphan_replacement)
    return _marks(adjusted, adjusted.amount_rule_id, "claim_id").union(_marks(orphans, "A5.5 kept", "claim_id"))


def _of_raw(tables: dict[str, ibis.Table]) -> ibis.Table:
    """Compare final lines with their raw rows where these bear another id, or dates in the wrong order."""
    raw, claims = tables["medical_claims"], tables["claims"]
    claims = claims.filter(claims.claim_type != "pharmacy")
    current = claims.select(current_id="person_id").distinct()
    former = raw.anti_join(current, raw.person_id == current.current_id).select(
        "load_sequence", raw_person_id="person_id"
    )
    former = claims.join(former, "load_sequence")
    former = former.filter(former.person_id != former.raw_person_id)
    turned = raw.filter(raw.claim_line_start_date > raw.claim_line_end_date)
    turned = turned.select("load_sequence", last_date="claim_line_start_date")
    turned = claims.join(turned, "load_sequence")
    turned = turned.filter(turned.service_end_date == turned.last_date)
    return _marks(former, "A2.1", "claim_id").union(_marks(turned, "A9 swap", "claim_id"))


def _of_coverage(tables: dict[str, ibis.Table]) -> ibis.Table:
    tagged = tag_coverage(tables["claims"], tables["spans"])
    return _marks(tagged.filter(tagged.coverage == "outside"), "A12.7", "claim_id")


def _of_enrolment(tables: dict[str, ibis.Table], extract_date: str) -> ibis.Table:
    """Compare each person's enrolment records with the spans made of them."""
    records = clean_eligibility(tables["eligibility"], tables["identity"], tables["persons"], extract_date)
    reversed_ones = records.filter(records.drop_reason == "ends_before_start")
    kept = records.filter(records.drop_reason.isnull())
    recorded = kept.group_by("person_id").agg(recorded_days=_days(kept).sum())
    spans = tables["spans"]
    covered = spans.group_by("person_id").agg(
        covered_days=_days(spans).sum(),
        disputed_days=spans.conflict_days.sum(),
        retro_through_date=spans.retro_through_date.max(),
    )
    both = covered.join(recorded, "person_id")
    merged = both.filter(both.disputed_days == 0, both.recorded_days > both.covered_days)
    parts = [
        _marks(reversed_ones, "A12.1", "person_id"),
        _marks(both.filter(both.disputed_days > 0), "A12.2 disputed", "person_id"),
        _marks(merged, "A12.2 merged", "person_id"),
        _marks(both.filter(both.retro_through_date.notnull()), "A12.4", "person_id"),
    ]
    return functools.reduce(lambda a, b: a.union(b), parts)


def _of_members(tables: dict[str, ibis.Table]) -> ibis.Table:
    records = tables["members"].select("person_id", recorded_date="birth_date")
    records = with_person(records, tables["identity"], ibis.null("date"))
    records = records.join(tables["persons"].select("person_id", "birth_date"), "person_id")
    outvoted = records.filter(records.recorded_date != records.birth_date)
    contacts = tables["contacts"].filter(tables["contacts"].is_contact)
    served = contacts.group_by("person_id").agg(programs=contacts.program.nunique())
    return _marks(outvoted, "A2.5", "person_id").union(_marks(served.filter(served.programs > 1), "B8", "person_id"))


def _of_log(tables: dict[str, ibis.Table], extract_date: str) -> ibis.Table:
    log = mark_log(tables["navigator_log"], tables["identity"], tables["persons"], extract_date)
    return _marks(log, log.rule_id, "log_id")


def _days(spans: ibis.Table) -> ibis.Value:
    return spans.end_date.delta(spans.start_date, unit="day") + 1
