"""Which claims deserve a look beyond the single line: found by grouping all lines by fingerprints, in few passes."""

from __future__ import annotations

import ibis

from ratebook.clean.copies import SERVICE, is_paid_service
from ratebook.clean.lines import CLAIM, MONEY_ONLY, fingerprint

PROVEN_LINES = 7
"""Up to so many lines, first, last, count, sum and sum of squares prove that a claim's lines are numbered 1, 2, 3, …"""


def find_irregular(keys: ibis.Table, files: ibis.Table) -> ibis.Table:
    """Find the claims that are not one record of lines 1, 2, 3, … whose amounts make its header's: one pass.

    Parameters
    ----------
    keys : ibis.Table
        Raw lines.
    files : ibis.Table
        As `headers.find_repeating_files` gives them: their institutional claims are looked at too.

    Returns
    -------
    ibis.Table
        `claim`, the fingerprint of table and number; `is_differing`: several records, header and lines that differ, or
        a file that repeats headers; `is_unproven`: the numbers of the lines alone do not prove that none stands twice.

    References
    ----------
    methods.md, A3 and A7.
    """
    institutional = keys.claim_type == "institutional"
    named = files.rename(in_file="repeating_file")
    joined = keys.left_join(named, institutional & (keys.source_file.fill_null("") == named.in_file))
    # A number beyond the proven ones is as good as any other; its square might not fit.
    line = ibis.least(joined.claim_line_number, PROVEN_LINES + 1)
    marked = joined.select(
        "raw_usd",
        "header_paid_amount",
        claim=fingerprint(joined, CLAIM),
        record=fingerprint(joined, ["adjustment", "paid_date"]),
        line=ibis.greatest(line, -1),
        repeats=joined.in_file.notnull().cast("int64"),
    )
    claims = marked.group_by("claim").agg(
        lines=marked.count(),
        numbered=marked.line.count(),
        first_line=marked.line.min(),
        last_line=marked.line.max(),
        line_sum=marked.line.sum(),
        square_sum=(marked.line * marked.line).sum(),
        first_record=marked.record.min(),
        last_record=marked.record.max(),
        line_usd=marked.raw_usd.sum(),
        header_usd=marked.header_paid_amount.max(),
        repeats=marked.repeats.max(),
    )
    n = claims.lines
    proven = (
        (claims.numbered == n)
        & (claims.first_line == 1)
        & (claims.last_line == n)
        & (n <= PROVEN_LINES)
        & (claims.line_sum * 2 == n * (n + 1))
        & (claims.square_sum * 6 == n * (n + 1) * (2 * n + 1))
    )
    differs = ((claims.header_usd - claims.line_usd).abs() > 0.01).fill_null(False)
    several = (claims.first_record != claims.last_record).fill_null(False)
    looked_at = claims.mutate(
        is_differing=differs | several | (claims.repeats == 1), is_unproven=~proven.fill_null(False)
    )
    return looked_at.filter(looked_at.is_differing | looked_at.is_unproven).select(
        "claim", "is_differing", "is_unproven"
    )


def find_near(keys: ibis.Table) -> ibis.Table:
    """List the claims that bill a service another claim bills too."""
    paid = keys.filter(keys.adjustment.notin([*MONEY_ONLY, "void"]), is_paid_service(keys))
    paid = paid.select(*CLAIM, service=fingerprint(paid, SERVICE), claim=fingerprint(paid, CLAIM))
    services = paid.group_by("service").agg(first=paid.claim.min(), last=paid.claim.max())
    return paid.semi_join(services.filter(services.first != services.last), "service").select(CLAIM)


def select_claims(keys: ibis.Table, claims: ibis.Table) -> ibis.Table:
    """Give table and number of claims known by their fingerprint."""
    marked = keys.select(*CLAIM, claim=fingerprint(keys, CLAIM))
    return marked.semi_join(claims, "claim").select(CLAIM)


def find_repeated(keys: ibis.Table, unproven: ibis.Table) -> ibis.Table:
    """List, of claims whose numbering proves nothing, those that hold a line number twice, or a line without one."""
    marked = keys.select(*CLAIM, "claim_line_number", claim=fingerprint(keys, CLAIM))
    lines = marked.semi_join(unproven, "claim")
    places = lines.group_by([*CLAIM, "claim_line_number"]).agg(lines=lines.count())
    return places.filter((places.lines > 1) | places.claim_line_number.isnull()).select(CLAIM)
