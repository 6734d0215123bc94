"""Chains: ids that point to the next, and families of claims that void and replace one another."""

from __future__ import annotations

import ibis

from ratebook.clean.lines import MONEY_ONLY

DOUBLINGS = 6
"""Each doubling follows twice as many pointers: 6 cover chains of 64."""
ADDITIVE = ("late_charge", "interim")
RANKS = (("original", 0), ("resubmission", 1), ("replacement", 2), ("void", 3))
"""Which of two records of one day came later."""
CLAIM = ["source_table", "claim_id"]
RECORD = [*CLAIM, "adjustment", "paid_date"]
"""What tells the records of a feed apart, also one whose adjustments keep the claim's number."""


def find_ends(pointers: ibis.Table) -> ibis.Table:
    """Follow every id's pointers to the end of its chain.

    An id with several pointers follows the smallest. Ids that point to each other in a circle end at the
    smallest id of the circle. A chain of up to 64 pointers has one end; a longer one may have several.

    Parameters
    ----------
    pointers : ibis.Table
        `id`, `next_id`; an id that is only pointed to need have no row.

    Returns
    -------
    ibis.Table
        `id`, `end_id`: one row per id on either side.

    References
    ----------
    methods.md, A2.2 and A5.1.
    """
    pointers = pointers.filter(pointers.id.notnull(), pointers.next_id.notnull(), pointers.id != pointers.next_id)
    pairs = pointers.select("id", "next_id").union(pointers.select(id="next_id", next_id="next_id"))
    # A root points to itself, and only a root does: any other pointer of an id goes before its own.
    pairs = pairs.mutate(onward=ibis.ifelse(pairs.next_id == pairs.id, ibis.null("string"), pairs.next_id))
    chain = pairs.group_by("id").agg(next_id=pairs.onward.min())
    chain = chain.select("id", next_id=ibis.coalesce(chain.next_id, chain.id))
    chain = chain.mutate(smallest=ibis.least(chain.id, chain.next_id))
    for _ in range(DOUBLINGS):
        ahead = chain.select(ahead_id="id", ahead_next="next_id", ahead_smallest="smallest")
        joined = chain.join(ahead, chain.next_id == ahead.ahead_id).select("id", "smallest", *ahead.columns)
        chain = joined.select("id", next_id="ahead_next", smallest=ibis.least(joined.smallest, joined.ahead_smallest))
    # The end is a root, with nothing on its way but itself, or lies in a circle, whose smallest id is its label.
    ends = chain.select(last_id="id", end_id="smallest")
    return chain.join(ends, chain.next_id == ends.last_id).select("id", "end_id")


def with_chains(lines: ibis.Table, include_gross_adjustments: bool) -> ibis.Table:
    """Find the final record of each family of claims.

    Claims that void, replace or resubmit one another are one family. Its records are ordered by paid date, then
    original, resubmission, replacement, void, then load; the last stands, and a void leaves nothing (A5.3). A void
    of nothing in the extract goes (A5.5), a replacement of nothing stays and is flagged. Interim bills and late
    charges add to a claim: only a void or replacement of them ends them. Gross adjustments stay as money beside
    their family, unless they are not to be counted (A5.4).

    References
    ----------
    methods.md, A5.
    """
    node = lines.source_table + " " + lines.claim_id
    lines = lines.mutate(node=node, target=lines.source_table + " " + lines.original_claim_id)
    runs = lines.filter(lines.is_open & lines.adjustment.notin(MONEY_ONLY))
    records = runs.group_by([*RECORD, "node"]).agg(sequence=runs.load_sequence.min(), target=runs.target.min())
    pointing = records.filter(records.adjustment.notin(ADDITIVE), records.target.notnull())
    ends = find_ends(pointing.select(id="node", next_id="target")).rename(end_of="id")
    records = records.left_join(ends, records.node == ends.end_of).select(records, "end_id")
    records = records.mutate(family=ibis.coalesce(records.end_id, records.node))
    records = _with_verdict(records)
    verdicts = records.select(
        at_node="node",
        at_adjustment="adjustment",
        at_date=_text(records.paid_date),
        verdict="verdict",
        reversed_date="reversed_date",
        family="family",
        is_orphan_replacement="is_orphan_replacement",
    )
    same = [
        lines.node == verdicts.at_node,
        lines.adjustment == verdicts.at_adjustment,
        _text(lines.paid_date) == verdicts.at_date,
        lines.is_open,
    ]
    joined = lines.left_join(verdicts, same)
    lines = joined.select(lines, "verdict", "reversed_date", "family", "is_orphan_replacement")
    money = ibis.literal(not include_gross_adjustments) & lines.is_open & lines.adjustment.isin(MONEY_ONLY)
    taken = ibis.coalesce(lines.verdict, ibis.ifelse(money, "A5.4", ibis.null("string")))
    return lines.mutate(
        rule_id=ibis.coalesce(lines.rule_id, taken),
        is_open=lines.is_open & taken.isnull(),
        family_id=ibis.coalesce(
            lines.family.re_replace("^[a-z_]+ ", ""),
            ibis.ifelse(lines.adjustment.isin(MONEY_ONLY), lines.original_claim_id, ibis.null("string")),
            lines.claim_id,
        ),
        is_orphan_replacement=lines.is_orphan_replacement.fill_null(False),
    )


def _with_verdict(records: ibis.Table) -> ibis.Table:
    """Order each family's records and say what became of each: what comes next decides."""
    family = ibis.window(group_by="family")
    # A record with no paid date is as late as the latest of its family: its kind decides.
    records = records.mutate(
        day=ibis.coalesce(records.paid_date, records.paid_date.max().over(family)),
        rank=records.adjustment.cases(*RANKS, else_=0),
        stands=(records.adjustment != "void").cast("int64").sum().over(family),
    )
    in_order = ibis.window(group_by="family", order_by=["day", "rank", "sequence"])
    records = records.mutate(place=ibis.row_number().over(in_order))
    told = records.place.cast("string").lpad(6, "0") + records.adjustment.substr(0, 1) + _text(records.paid_date)
    adds = records.adjustment.isin(ADDITIVE)
    ends_any = records.adjustment.isin(["void", "replacement", "resubmission"])
    none = ibis.null("string")
    records = records.mutate(told_chain=ibis.ifelse(adds, none, told), told_end=ibis.ifelse(ends_any, told, none))
    later = ibis.window(group_by="family", order_by="place", rows=(1, None))
    next_told = ibis.ifelse(
        records.adjustment.isin(ADDITIVE),
        records.told_end.min().over(later),
        records.told_chain.min().over(later),
    )
    records = records.mutate(next_told=next_told)
    next_is_void = records.next_told.substr(6, 1) == "v"
    is_void = records.adjustment == "void"
    return records.mutate(
        verdict=ibis.cases(
            (is_void & (records.stands == 0), "A5.5"),
            (is_void | next_is_void, "A5.3a"),
            (records.next_told.notnull(), "A5.3b"),
            else_=none,
        ),
        reversed_date=records.next_told.substr(7).nullif("").cast("date"),
        is_orphan_replacement=(records.adjustment == "replacement") & (records.place == 0),
    )


def _text(date: ibis.Value) -> ibis.Value:
    return date.cast("string").fill_null("")
