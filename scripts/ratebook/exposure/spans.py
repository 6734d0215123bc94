"""Enrolment records, as they overlap and disagree, to spans that do neither."""

from __future__ import annotations

import ibis

from ratebook.clean.members import with_person
from ratebook.contracts.exposure import CoverageColumns

DUAL_GROUP = {
    "full": ["02", "04", "08"],
    "partial": ["01", "03", "05", "06"],
    "none": ["00", "07"],
}
"""Dual codes of T-MSIS by what Medicaid pays (methods.md, A12.5); every other code is 'other', none is 'none'."""
ATTRIBUTES = list(CoverageColumns.types())
LONG_AGO, FAR_OFF = ibis.date("1900-01-01"), ibis.date("9999-12-31")


def clean_eligibility(
    eligibility: ibis.Table, identity: ibis.Table, persons: ibis.Table, extract_date: str
) -> ibis.Table:
    """Put person, closed dates and attributes on every enrolment record, and say why a record cannot count.

    An open record ends with the extract; no record outlives the extract or its person, and a record that
    starts after either ends before it starts. A record of which a cell does not parse cannot count: an end date
    that is lost would leave it open. `drop_reason` is null for a record that counts; otherwise it is the first of
    `unparsed`, `unknown_person`, `no_start_date`, `ends_before_start` that applies.

    Parameters
    ----------
    eligibility : Eligibility
        Raw records, any order.
    identity : Identity
        Source ids to persons.
    persons : Persons
        For the date of death.
    extract_date : str
        Last day the data can speak of.

    Returns
    -------
    ibis.Table
        One row per raw record: person_id, start_date, end_date, record_added_date, drop_reason and the
        columns of `CoverageColumns`.

    References
    ----------
    methods.md, A12.1 and A12.5.
    """
    known = identity.left_join(persons.select("person_id", "death_date"), "person_id").drop("person_id_right")
    records = with_person(eligibility, known, eligibility.enrollment_start_date)
    last_day = ibis.least(
        records.enrollment_end_date.fill_null(FAR_OFF),
        ibis.literal(extract_date).cast("date"),
        records.death_date.fill_null(FAR_OFF),
    )
    start = records.enrollment_start_date
    return records.select(
        person_id=records.person_id,
        start_date=start,
        end_date=last_day,
        record_added_date=records.record_added_date,
        drop_reason=ibis.cases(
            (records.cells_unparsed > 0, "unparsed"),
            (records.person_id.isnull(), "unknown_person"),
            (start.isnull(), "no_start_date"),
            (last_day < start, "ends_before_start"),
        ),
        plan=records.plan.fill_null("ffs"),
        payer=records.payer.fill_null("unknown"),
        aid_category=records.aid_category.fill_null("unknown"),
        medicaid_class=_medicaid_class(records),
        dual_group=_dual_group(records.dual_status_code),
        waiver=records.waiver,
        patient_liability_usd=records.monthly_patient_liability,
    )


def build_spans(
    eligibility: ibis.Table,
    identity: ibis.Table,
    persons: ibis.Table,
    extract_date: str,
    plan_priority: list[str],
    bridge_gap_days: int,
) -> ibis.Table:
    """Make spans of coverage that do not overlap: split at every change, settle conflicts, join equal neighbours.

    Where records disagree about a day, the plan that stands first in `plan_priority` is believed, plans not in it
    less than any that is; of equally trusted ones the record entered last (one with no such date is the oldest),
    then the first in alphabetical order. A day is covered retroactively only if every record of it was entered
    after it. Neighbours with equal attributes are one span; so are two with up to `bridge_gap_days` uncovered
    days between, which then count as covered.

    Parameters
    ----------
    eligibility, identity, persons, extract_date
        As `clean_eligibility` takes them.
    plan_priority : list of str
        Plans, the most trusted first; with none, the date of entry decides alone.
    bridge_gap_days : int
        Uncovered days that data entry may leave within a span; 0 bridges none.

    Returns
    -------
    Spans

    References
    ----------
    methods.md, A12.1 to A12.5.
    """
    records = clean_eligibility(eligibility, identity, persons, extract_date)
    records = records.filter(records.drop_reason.isnull()).drop("drop_reason")
    return _join_neighbours(_settle_conflicts(records, _split_at_changes(records), plan_priority), bridge_gap_days)


def join_gaps(spans: ibis.Table, longest_gap_days: int) -> ibis.Table:
    """Join a person's spans, whatever their attributes, over gaps of up to `longest_gap_days` days.

    Returns
    -------
    ibis.Table
        One row per person and unbroken period: person_id, start_date, end_date.

    References
    ----------
    methods.md, A12.3.
    """
    in_order = ibis.window(group_by="person_id", order_by="start_date")
    gap_days = spans.start_date.delta(spans.end_date.lag().over(in_order), unit="day") - 1
    spans = spans.mutate(opens_period=(gap_days.isnull() | (gap_days > longest_gap_days)).cast("int64"))
    spans = spans.mutate(period=spans.opens_period.cumsum().over(in_order))
    periods = spans.group_by("person_id", "period").agg(
        start_date=spans.start_date.min(), end_date=spans.end_date.max()
    )
    return periods.drop("period")


def _medicaid_class(records: ibis.Table) -> ibis.Value:
    is_medicaid = records.payer.lower().contains("medicaid").fill_null(False)
    return records.medicaid_class.fill_null(ibis.ifelse(is_medicaid, "other", "none"))


def _dual_group(code: ibis.Value) -> ibis.Value:
    bare = code.strip()
    # Padding cuts what is longer than two: 002 would become 00, and other people's spending a non-dual's.
    padded = ibis.ifelse(bare.length() < 2, bare.lpad(2, "0"), bare)
    known = [(padded.isin(codes), group) for group, codes in DUAL_GROUP.items()]
    return ibis.cases((code.isnull() | (bare == ""), "none"), *known, else_="other")


def _split_at_changes(records: ibis.Table) -> ibis.Table:
    """List each person's pieces of time within which no record starts, ends or becomes known."""
    added = records.filter(records.record_added_date.between(records.start_date, records.end_date))
    changes = ibis.union(
        records.select("person_id", piece_start=records.start_date),
        records.select("person_id", piece_start=(records.end_date + ibis.interval(days=1)).cast("date")),
        added.select("person_id", piece_start=added.record_added_date),
        distinct=True,
    )
    in_order = ibis.window(group_by="person_id", order_by="piece_start")
    next_start = changes.piece_start.lead().over(in_order)
    pieces = changes.mutate(piece_end=(next_start - ibis.interval(days=1)).cast("date"))
    return pieces.filter(pieces.piece_end.notnull()).rename(piece_person="person_id")


def _settle_conflicts(records: ibis.Table, pieces: ibis.Table, plan_priority: list[str]) -> ibis.Table:
    """Keep of the records that cover a piece the one to believe; count the days on which they disagree."""
    covering = pieces.join(
        records,
        [
            pieces.piece_person == records.person_id,
            pieces.piece_start >= records.start_date,
            pieces.piece_start <= records.end_date,
        ],
    )
    rank = {plan: place for place, plan in enumerate(plan_priority)}
    trust = covering.plan.cases(*rank.items(), else_=len(rank)) if rank else ibis.literal(0)
    covering = covering.mutate(
        entered_date=covering.record_added_date.fill_null(LONG_AGO),
        trust=trust,
        attributes=ibis.struct({name: covering[name] for name in ATTRIBUTES}),
    )
    believed_first = ibis.window(
        group_by=["person_id", "piece_start"],
        order_by=[covering.trust, covering.entered_date.desc(), *[covering[name] for name in ATTRIBUTES]],
    )
    covering = covering.mutate(place=ibis.row_number().over(believed_first))
    settled = covering.group_by("person_id", "piece_start", "piece_end").agg(
        attributes=covering.attributes.argmin(covering.place),
        first_entered_date=covering.entered_date.min(),
        is_conflict=covering.attributes.nunique() > 1,
        is_plan_conflict=covering.plan.nunique() > 1,
    )
    days = settled.piece_end.delta(settled.piece_start, unit="day") + 1
    return settled.mutate(
        is_retro=settled.first_entered_date > settled.piece_start,
        conflict_days=ibis.ifelse(settled.is_conflict, days, 0),
        plan_conflict_days=ibis.ifelse(settled.is_plan_conflict, days, 0),
    )


def _join_neighbours(pieces: ibis.Table, bridge_gap_days: int) -> ibis.Table:
    in_order = ibis.window(group_by="person_id", order_by="piece_start")
    gap_days = pieces.piece_start.delta(pieces.piece_end.lag().over(in_order), unit="day") - 1
    differs = ~pieces.attributes.identical_to(pieces.attributes.lag().over(in_order))
    # Retroactive days must come first in a span, so that one date says which they are.
    turns_retro = pieces.is_retro & ~pieces.is_retro.lag().over(in_order)
    opens_span = gap_days.isnull() | (gap_days > bridge_gap_days) | differs | turns_retro
    pieces = pieces.mutate(opens_span=opens_span.cast("int64"))
    pieces = pieces.mutate(span=pieces.opens_span.cumsum().over(in_order))
    spans = pieces.group_by("person_id", "span").agg(
        start_date=pieces.piece_start.min(),
        end_date=pieces.piece_end.max(),
        retro_through_date=pieces.piece_end.max(where=pieces.is_retro),
        conflict_days=pieces.conflict_days.sum(),
        plan_conflict_days=pieces.plan_conflict_days.sum(),
        attributes=pieces.attributes.argmin(pieces.piece_start),
    )
    return spans.unpack("attributes").drop("span")
