"""One service, two lines: identical copies, conflicting copies, and the same service under another claim."""

from __future__ import annotations

import ibis

from ratebook.clean.chains import RECORD
from ratebook.clean.lines import CLAIM, LINE, MONEY_ONLY, denial_rule, record_rule, with_told
from ratebook.tables import fingerprint, hold

NOT_CONTENT = ("source_file", "load_sequence", "source_table", "adjustment", "raw_usd")
"""Where a copy may differ from its like."""
CODES = ["hcpcs_code", "hcpcs_modifier_1", "revenue_center_code"]
SERVICE = ["person_id", "billing_npi", "rendering_npi", "claim_start_date", "claim_line_start_date", *CODES]
SERVICE += ["service_unit_quantity", "raw_usd"]
"""What makes two lines of different claims the same service."""


def with_copies(lines: ibis.Table) -> ibis.Table:
    """Mark identical and conflicting copies; `is_open` says no rule has taken the line so far.

    Of byte-identical lines the first loaded stays (A3.1). Of lines with one key and different content none can be
    believed (A3.2). A copy may stand in another file than its like.

    References
    ----------
    methods.md, A3.
    """
    # Two fingerprints of sixty-four bits, in either order of the cells: that two lines of one claim agree on both by
    # chance is out of the question, and they cost a fraction of comparing eighty cells as text.
    cells = [name for name in lines.columns if name not in NOT_CONTENT]
    lines = lines.mutate(forth=fingerprint(lines, cells), back=fingerprint(lines, cells[::-1]))
    same = ibis.window(group_by=[*CLAIM, "forth", "back"], order_by="load_sequence")
    file = lines.source_file.fill_null("")
    lines = lines.mutate(
        early=record_rule(lines),
        denied=denial_rule(lines),
        is_copy=ibis.row_number().over(same) > 0,
        is_across_files=file != file.first().over(same),
    )
    is_open = lines.early.isnull() & lines.denied.isnull() & ~lines.is_copy
    lines = lines.mutate(is_open=is_open)
    key = ibis.window(group_by=[*RECORD, "original_claim_id", "claim_line_number", "takes_back"])
    contends = lines.is_open & lines.claim_line_number.notnull() & lines.adjustment.notin(MONEY_ONLY)
    lines = lines.mutate(contends=contends, takes_back=lines.raw_usd < 0)
    rivals = lines.contends.cast("int64").sum().over(key)
    conflicting = lines.contends & (rivals > 1)
    return lines.mutate(
        rule_id=ibis.cases((lines.is_copy, "A3.1"), (conflicting, "A3.2"), else_=ibis.null("string")),
        is_open=lines.is_open & ~conflicting,
    ).drop("forth", "back", "takes_back")


def with_near_duplicates(lines: ibis.Table, per_diem_codes: list[str], action: dict[str, str]) -> ibis.Table:
    """Flag the lines whose service another final claim bills too: same person, provider, day, codes, units, dollars.

    Where the action says `drop_later`, the claim paid first keeps the service and rule A6 takes it from the others:
    a day at one facility cannot be lived twice, a visit may.

    References
    ----------
    methods.md, A6.
    """
    paid = lines.filter(lines.is_open & is_paid_service(lines) & lines.adjustment.notin(MONEY_ONLY))
    paid = paid.select(*LINE, "claim_id", "paid_date", *SERVICE, service=fingerprint(paid, SERVICE))
    often = paid.group_by("service").agg(lines=paid.count()).filter(lambda t: t.lines > 1)
    again = paid.semi_join(often, "service")
    in_order = ibis.window(group_by=SERVICE, order_by=["paid_date", "load_sequence"])
    again = again.mutate(kept_claim=again.claim_id.first().over(in_order))
    again = again.mutate(is_later=again.claim_id != again.kept_claim)
    near = again.mutate(is_near=again.is_later.any().over(ibis.window(group_by=SERVICE))).filter(lambda t: t.is_near)
    drops = {name: ibis.literal(way == "drop_later") for name, way in action.items()}
    may_drop = ibis.ifelse(near.hcpcs_code.isin(per_diem_codes).fill_null(False), drops["per_diem"], drops["other"])
    lines = with_told(lines, hold(near.select(*LINE, is_dropped=near.is_later & may_drop)))
    is_dropped = lines.is_dropped.fill_null(False)
    return lines.mutate(
        is_near_duplicate=(~lines.is_dropped).fill_null(False),
        rule_id=ibis.ifelse(is_dropped, "A6", lines.rule_id),
        is_open=lines.is_open & ~is_dropped,
    ).drop("is_dropped")


def is_paid_service(lines: ibis.Table) -> ibis.Value:
    """Say whether a line pays for a coded service on a known day: only such can be billed twice."""
    coded = lines.hcpcs_code.notnull() | lines.revenue_center_code.notnull()
    return (lines.raw_usd > 0) & coded & lines.claim_start_date.notnull()
