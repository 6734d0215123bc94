"""What can only be said of a line beside its neighbours: copies, chains of adjustments, header amounts.

Few lines are copied, adjusted or paid at the header. They are found by grouping all lines once; everything that
needs windows is done on those few, and the result is a small table the lines are joined with.
"""

from __future__ import annotations

import functools

import ibis

from ratebook.clean.chains import CLAIM, RECORD, with_chains
from ratebook.clean.copies import SERVICE, find_near, find_repeated, with_copies, with_near_duplicates
from ratebook.clean.headers import find_differing, find_repeating_files, sum_records, with_paid
from ratebook.clean.lines import unite_lines
from ratebook.clean.units import find_misscaled, find_prices, with_unit_scale
from ratebook.contracts.clean import AdjustedLines

KEYS = [*RECORD, "claim_line_number", "original_claim_id", "claim_type", "header_paid_amount", "source_file", *SERVICE]
"""The columns that tell which claims need a look beyond the single line."""


def build_adjustments(
    medical: ibis.Table,
    pharmacy: ibis.Table,
    timed_codes: list[str],
    repeated_header_share: float,
    include_gross_adjustments: bool,
) -> ibis.Table:
    """Say of each line that is not judged by its own cells alone which rule takes it, and what it is paid.

    In this order: copies (`with_copies`), chains of adjustments (`with_chains`), the same service under another
    claim (`with_near_duplicates`), header and line amounts (`with_paid`), the scale of units (`with_unit_scale`).

    Parameters
    ----------
    medical, pharmacy : MedicalClaims, PharmacyClaims
        Raw lines.
    timed_codes : list of str
        HCPCS codes billed in units of time.
    repeated_header_share : float
        From this share of one file's multi-line institutional claims with one non-zero amount on every line,
        the amount is the header's.
    include_gross_adjustments : bool
        Gross adjustments count as cost; else rule A5.4 takes them.

    Returns
    -------
    AdjustedLines

    References
    ----------
    methods.md, A3, A5, A6, A7 and A10.
    """
    keys = unite_lines(medical, pharmacy, KEYS)
    records = sum_records(keys)
    files = find_repeating_files(records, repeated_header_share)
    prices = find_prices(keys, timed_codes)
    suspects = [find_repeated(keys), find_near(keys), find_differing(records, files), find_misscaled(keys, prices)]
    lines = unite_lines(medical, pharmacy).semi_join(_claims(keys, suspects), CLAIM)
    lines = with_copies(lines)
    lines = with_chains(lines, include_gross_adjustments)
    lines = with_near_duplicates(lines)
    lines = with_paid(lines, files)
    lines = with_unit_scale(lines, prices)
    lines = _with_line_number(lines)
    told = (
        lines.rule_id.notnull()
        | lines.amount_rule_id.notnull()
        | lines.is_near_duplicate
        | lines.is_orphan_replacement
        | lines.unit_scale.notnull()
        | (lines.family_id != lines.claim_id)
        | ~lines.line_number.identical_to(lines.claim_line_number)
    )
    return lines.filter(told).select(*AdjustedLines.types())


def _claims(keys: ibis.Table, suspects: list[ibis.Table]) -> ibis.Table:
    """List the suspects, the claims that adjust another, and those they adjust."""
    adjusted = keys.filter((keys.adjustment != "original") | keys.original_claim_id.notnull())
    targets = adjusted.select("source_table", claim_id="original_claim_id")
    parts = [part.select(CLAIM) for part in (*suspects, adjusted, targets)]
    return functools.reduce(lambda a, b: a.union(b), parts).distinct()


def _with_line_number(lines: ibis.Table) -> ibis.Table:
    """Number the lines of a claim anew where their own numbers are missing or repeat."""
    among = ibis.window(group_by=[*CLAIM, "is_open", "claim_line_number"])
    lines = lines.mutate(twins=lines.count().over(among))
    claim = ibis.window(group_by=[*CLAIM, "is_open"])
    lines = lines.mutate(
        unclear=((lines.twins > 1) | lines.claim_line_number.isnull()).cast("int64").max().over(claim),
        anew=ibis.row_number().over(
            ibis.window(group_by=[*CLAIM, "is_open"], order_by=["claim_line_number", "load_sequence"])
        )
        + 1,
    )
    return lines.mutate(
        line_number=ibis.ifelse(lines.is_open & (lines.unclear == 1), lines.anew, lines.claim_line_number)
    )
