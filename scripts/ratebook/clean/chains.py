"""Chains: families of claims that void and replace one another, and what of each family stands."""

from __future__ import annotations

import ibis

from ratebook.clean.groups import find_ends
from ratebook.clean.lines import ADJUSTING, CLAIM, MONEY_ONLY, denial_rule, record_rule
from ratebook.tables import hold

ADDITIVE = ("late_charge", "interim")
OWN = ("claim_id", "paid_date", "patient_control_number")
RANKS = (("original", 0), ("resubmission", 1), ("replacement", 2), ("void", 3))
"""Which of two records of one day came later."""
RECORD = [*CLAIM, "adjustment", "paid_date"]
"""What tells the records of a feed apart, also one whose adjustments keep the claim's number."""


def select_adjusting(keys: ibis.Table) -> ibis.Table:
    """Select the lines that adjust a claim, name one they adjust, or of which the payer says that they are not final."""
    is_said = (~keys.final_action_flag).fill_null(False)
    return keys.filter((keys.adjustment != "original") | keys.original_claim_id.notnull() | is_said)


def find_unnamed(keys: ibis.Table, adjusting: ibis.Table) -> ibis.Table:
    """Find what a coded void or replacement adjusts that names no claim, and whose number no other record bears.

    It is the claim of the same person, billing provider, first and last day and kind, and of the same number of the
    provider's own where both have one, that was paid last before it; of several the last by number.

    Parameters
    ----------
    keys, adjusting : ibis.Table
        Raw lines, and those of `select_adjusting`.

    Returns
    -------
    ibis.Table
        `source_table`, `claim_id`, `target_id`.

    References
    ----------
    methods.md, A5.1: the fallback family key.
    """
    unnamed = adjusting.filter(adjusting.adjustment.isin(ADJUSTING), adjusting.original_claim_id.isnull())
    alike = ["source_table", "person_id", "billing_npi", "claim_start_date", "claim_end_date", "claim_type"]
    unnamed = hold(unnamed.select(*alike, *OWN).distinct())
    is_taken = record_rule(keys).notnull() | denial_rule(keys).notnull()
    plain = keys.filter(keys.adjustment.notin([*ADJUSTING, *MONEY_ONLY])).select(*alike, *OWN, is_taken=is_taken)
    # The few persons concerned first: the many other lines are then not compared at all.
    plain = hold(plain.semi_join(unnamed, "person_id"))
    asked = unnamed.anti_join(plain, CLAIM)
    asked = asked.select(*[asked[name].name(f"asked_{name}") for name in [*alike, *OWN]])
    beside = plain.join(asked, [plain[name] == asked[f"asked_{name}"] for name in alike])
    before = (beside.paid_date <= beside.asked_paid_date).fill_null(True)
    differ = (beside.patient_control_number != beside.asked_patient_control_number).fill_null(False)
    beside = beside.filter(before & ~differ & ~beside.is_taken)
    latest = beside.paid_date.cast("string").fill_null("") + " " + beside.claim_id
    found = beside.group_by("source_table", claim_id="asked_claim_id").agg(latest=latest.max())
    return found.select(*CLAIM, target_id=found.latest.re_replace("^[0-9-]* ", ""))


def find_families(adjusting: ibis.Table, named: ibis.Table) -> ibis.Table:
    """Put claims that adjust one another into one family, and name its first.

    Parameters
    ----------
    adjusting : ibis.Table
        Lines of `select_adjusting`. Denied records adjust nothing; interim bills, late charges and gross adjustments join no family.
    named : ibis.Table
        `source_table`, `claim_id`, `target_id`: what records adjust that do not say so themselves.

    Returns
    -------
    ibis.Table
        `id`, `end_id`: table and number of claims.

    References
    ----------
    methods.md, A5.1.
    """
    pointing = adjusting.filter(
        adjusting.original_claim_id.notnull(),
        adjusting.adjustment.notin([*ADDITIVE, *MONEY_ONLY]),
        record_rule(adjusting).isnull() & denial_rule(adjusting).isnull(),
    )
    said = pointing.select("source_table", "claim_id", target_id="original_claim_id").union(named)
    return find_ends(said.select(id=_node(said, "claim_id"), next_id=_node(said, "target_id")))


def with_chains(
    lines: ibis.Table, families: ibis.Table, include_gross_adjustments: bool, use_final_action_flag: bool
) -> ibis.Table:
    """Find the final record of each family of claims.

    Claims that void, replace or resubmit one another are one family. Its records are ordered by paid date, then
    original, resubmission, replacement, void, then load; the last stands, and a void leaves nothing (A5.3). A void
    of nothing in the extract goes (A5.5), a replacement of nothing stays and is flagged. Interim bills and late
    charges add to a claim: only a void or replacement of them ends them. Gross adjustments stay as money beside
    their family, unless they are not to be counted (A5.4). Lines of one claim that is no institution's, paid on
    different days and under numbers of their own, are parts of it and supersede nothing. Where the payer itself says which record is final, and is
    to be believed, it is: what it calls final stands, a void excepted, and the rest goes (A5.7); `record_verdict` is
    what the records alone would say.

    References
    ----------
    methods.md, A5.
    """
    lines = lines.mutate(node=_node(lines, "claim_id"))
    runs = lines.filter(lines.is_open & lines.adjustment.notin(MONEY_ONLY))
    # Some payers date the payment of every line: such lines are one claim, and not versions of it.
    day = _text(runs.paid_date)
    of_line = ibis.window(group_by=["node", "adjustment", "claim_line_number"])
    of_claim = ibis.window(group_by=["node", "adjustment"])
    runs = runs.mutate(
        is_part=(runs.adjustment == "original")
        & (runs.claim_type != "institutional")
        & runs.claim_line_number.notnull()
        & (day.min().over(of_claim) != day.max().over(of_claim))
        & (day.min().over(of_line) == day.max().over(of_line))
    )
    records = runs.group_by([*RECORD, "node"]).agg(sequence=runs.load_sequence.min(), is_part=runs.is_part.all())
    ends = families.rename(end_of="id")
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
    lines = lines.mutate(record_verdict=lines.verdict)
    said = lines.final_action_flag if use_final_action_flag else ibis.null("boolean")
    is_run = lines.is_open & lines.adjustment.notin(MONEY_ONLY)
    lines = lines.mutate(
        verdict=ibis.cases(
            (is_run & (said & (lines.adjustment != "void")).fill_null(False), ibis.null("string")),
            (is_run & (~said).fill_null(False) & lines.verdict.isnull(), "A5.7"),
            else_=lines.verdict,
        )
    )
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
    adds = records.adjustment.isin(ADDITIVE) | records.is_part
    ends_any = records.adjustment.isin(["void", "replacement", "resubmission"])
    none = ibis.null("string")
    records = records.mutate(told_chain=ibis.ifelse(adds, none, told), told_end=ibis.ifelse(ends_any, told, none))
    later = ibis.window(group_by="family", order_by="place", rows=(1, None))
    next_told = ibis.ifelse(
        records.adjustment.isin(ADDITIVE) | records.is_part,
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


def _node(claims: ibis.Table, number: str) -> ibis.Value:
    return claims.source_table + " " + claims[number]


def _text(date: ibis.Value) -> ibis.Value:
    return date.cast("string").fill_null("")
