"""One service, two lines: identical copies, conflicting copies, and the same service under another claim."""

from __future__ import annotations

import functools

import ibis

from ratebook.clean.chains import CLAIM, RECORD
from ratebook.clean.lines import MONEY_ONLY, denial_rule, record_rule

NOT_CONTENT = ("source_file", "load_sequence", "source_table", "adjustment", "raw_usd")
"""Where a copy may differ from its like."""
CODES = ["hcpcs_code", "hcpcs_modifier_1", "revenue_center_code"]
SERVICE = ["person_id", "billing_npi", "rendering_npi", "claim_start_date", *CODES, "service_unit_quantity", "raw_usd"]
"""What makes two lines of different claims the same service."""


def find_repeated(keys: ibis.Table) -> ibis.Table:
    """List the claims that hold a line number twice, or none."""
    lines = keys.group_by([*CLAIM, "claim_line_number"]).agg(copies=keys.count())
    return lines.filter((lines.copies > 1) | lines.claim_line_number.isnull()).select(CLAIM)


def find_near(keys: ibis.Table) -> ibis.Table:
    """List the claims that bill a service another claim bills too."""
    paid = keys.filter(keys.adjustment == "original", _is_paid_service(keys))
    services = paid.group_by(SERVICE).agg(first=paid.claim_id.min(), last=paid.claim_id.max())
    twice = services.filter(services.first != services.last)
    parts = [
        twice.select(source_table=ibis.literal("medical_claims"), claim_id=twice[end]) for end in ("first", "last")
    ]
    return parts[0].union(parts[1])


def with_copies(lines: ibis.Table) -> ibis.Table:
    """Mark identical and conflicting copies; `is_open` says no rule has taken the line so far.

    Of byte-identical lines the first loaded stays (A3.1). Of lines with one key and different content none can be
    believed (A3.2). A copy may stand in another file than its like.

    References
    ----------
    methods.md, A3.
    """
    cells = [lines[name].cast("string").fill_null("") for name in lines.columns if name not in NOT_CONTENT]
    content = functools.reduce(lambda a, b: a + "|" + b, cells)
    same = ibis.window(group_by=[*CLAIM, content], order_by="load_sequence")
    lines = lines.mutate(early=record_rule(lines), denied=denial_rule(lines), is_copy=ibis.row_number().over(same) > 0)
    is_open = lines.early.isnull() & lines.denied.isnull() & ~lines.is_copy
    lines = lines.mutate(is_open=is_open)
    key = ibis.window(group_by=[*RECORD, "original_claim_id", "claim_line_number"])
    contends = lines.is_open & lines.claim_line_number.notnull() & lines.adjustment.notin(MONEY_ONLY)
    lines = lines.mutate(contends=contends)
    rivals = lines.contends.cast("int64").sum().over(key)
    conflicting = lines.contends & (rivals > 1)
    return lines.mutate(
        rule_id=ibis.cases((lines.is_copy, "A3.1"), (conflicting, "A3.2"), else_=ibis.null("string")),
        is_open=lines.is_open & ~conflicting,
    )


def with_near_duplicates(lines: ibis.Table) -> ibis.Table:
    """Flag the lines whose service another final claim bills too: same person, provider, day, codes, units, dollars.

    References
    ----------
    methods.md, A6.
    """
    same = ibis.window(group_by=[*SERVICE, "is_candidate"])
    lines = lines.mutate(is_candidate=lines.is_open & _is_paid_service(lines))
    lines = lines.mutate(first_claim=lines.claim_id.min().over(same), last_claim=lines.claim_id.max().over(same))
    return lines.mutate(is_near_duplicate=lines.is_candidate & (lines.first_claim != lines.last_claim))


def _is_paid_service(lines: ibis.Table) -> ibis.Value:
    coded = lines.hcpcs_code.notnull() | lines.revenue_center_code.notnull()
    return (lines.raw_usd > 0) & coded & lines.claim_start_date.notnull()
