"""Which claims deserve a look beyond the single line: found by grouping all lines by fingerprints, in few passes."""

from __future__ import annotations

import ibis

from ratebook.clean.copies import SERVICE, is_paid_service
from ratebook.clean.lines import CLAIM, MONEY_ONLY, denial_rule
from ratebook.tables import fingerprint, hold

PROVEN_LINES = 60
"""Up to so many lines of a claim, the bits of one number prove that they are numbered 1, 2, 3, …"""
NO_HEADER = -10_000_000_000
"""Stands for no header amount in a sum: with it, a sum is the lines' number times their largest only if all are equal."""


def find_irregular(keys: ibis.Table) -> ibis.Table:
    """Find the claims that are not one record of lines 1, 2, 3, … under one header that their amounts make: one pass.

    Parameters
    ----------
    keys : ibis.Table
        Raw lines.

    Returns
    -------
    ibis.Table
        `claim`, the fingerprint of table and number; `is_differing`: several records, or header and lines that differ;
        `is_unproven`: the numbers of the lines alone do not prove that none stands twice, not all lines bear one
        header amount, or one that is denied bears money.

    References
    ----------
    methods.md, A3 and A7.
    """
    # Each line's number is one bit: n lines whose bits are the first n are numbered 1 to n, each once.
    odd = (denial_rule(keys) == "A4.2").fill_null(False) & (keys.raw_usd != 0)
    number = ibis.ifelse(odd, PROVEN_LINES + 1, ibis.least(keys.claim_line_number, PROVEN_LINES + 1))
    bit = ibis.literal(1).cast("int64") << ibis.greatest(number, 0)
    marked = keys.select(
        "raw_usd",
        "header_paid_amount",
        claim=fingerprint(keys, CLAIM),
        record=fingerprint(keys, ["adjustment", "paid_date", "source_file", "claim_type"]),
        bit=bit.cast("int64"),
        header=keys.header_paid_amount.fill_null(NO_HEADER),
    )
    claims = marked.group_by("claim").agg(
        lines=marked.count(),
        bits=marked.bit.bit_or(),
        first_record=marked.record.min(),
        last_record=marked.record.max(),
        line_usd=marked.raw_usd.sum(),
        header_usd=marked.header_paid_amount.max(),
        header_sum=marked.header.sum(),
    )
    one = ibis.literal(1).cast("int64")
    numbered = (one << ibis.least(claims.lines, PROVEN_LINES)) * 2 - 2
    one_header = claims.header_usd.isnull() | (claims.header_sum == claims.header_usd * claims.lines)
    proven = (claims.bits == numbered) & (claims.lines <= PROVEN_LINES) & one_header
    differs = ((claims.header_usd - claims.line_usd).abs() > 0.01).fill_null(False)
    several = (claims.first_record != claims.last_record).fill_null(False)
    looked_at = claims.mutate(is_differing=differs | several, is_unproven=~proven.fill_null(False))
    return looked_at.filter(looked_at.is_differing | looked_at.is_unproven).select(
        "claim", "is_differing", "is_unproven"
    )


def find_near(keys: ibis.Table) -> ibis.Table:
    """List the claims that bill a service another claim bills too."""
    paid = keys.filter(is_paid_service(keys))
    paid = paid.select(*CLAIM, "adjustment", service=fingerprint(paid, SERVICE))
    services = paid.group_by("service").agg(lines=paid.count())
    # The few services first: the many other lines are then looked up, and what they are is not asked.
    again = hold(paid.semi_join(hold(services.filter(services.lines > 1)), "service"))
    again = again.filter(again.adjustment.notin([*MONEY_ONLY, "void"]))
    claims = again.group_by("service").agg(first=again.claim_id.min(), last=again.claim_id.max())
    return again.semi_join(claims.filter(claims.first != claims.last), "service").select(CLAIM)


def find_repeated(keys: ibis.Table, unproven: ibis.Table) -> ibis.Table:
    """List, of claims whose numbering proves nothing, those that hold a line number twice, or a line without one."""
    marked = keys.select(*CLAIM, "claim_line_number", claim=fingerprint(keys, CLAIM))
    lines = marked.semi_join(unproven, "claim")
    places = lines.group_by([*CLAIM, "claim_line_number"]).agg(lines=lines.count())
    return places.filter((places.lines > 1) | places.claim_line_number.isnull()).select(CLAIM)


def select_institutional(keys: ibis.Table, files: ibis.Table) -> ibis.Table:
    """List the institutional claims of the files that repeat headers (`headers.find_repeating_files`)."""
    institutional = keys.filter(keys.claim_type == "institutional")
    return institutional.semi_join(files, institutional.source_file.fill_null("") == files.repeating_file).select(
        CLAIM
    )
