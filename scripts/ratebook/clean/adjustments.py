"""What can only be said of a line beside its neighbours: copies, chains of adjustments, header amounts.

Few lines are copied, adjusted or paid at the header. They are found by grouping all lines once; everything that
needs windows is done on those few, and the result is a small table the lines are joined with.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import ibis

from ratebook.clean.chains import RECORD, find_families, find_unnamed, select_adjusting, with_chains
from ratebook.clean.copies import SERVICE, with_copies, with_near_duplicates
from ratebook.clean.feeds import CANCELS, find_cancelling, find_versions, with_pairs, with_versions
from ratebook.clean.headers import find_repeating_files, with_paid
from ratebook.clean.lines import CLAIM, LINE, unite_lines, with_told
from ratebook.clean.suspects import find_irregular, find_near, find_repeated, select_institutional
from ratebook.clean.units import find_misscaled, find_prices, with_unit_scale
from ratebook.contracts.clean import AdjustedLines
from ratebook.contracts.intake import MedicalClaims
from ratebook.tables import fingerprint, hold

OF_RECORD = ["record_type", "cells_unparsed", "denied_flag", "claim_status_code", "line_status_code"]
OF_CLAIM = ["claim_type", "claim_end_date", "original_claim_id", "patient_control_number", "header_paid_amount"]
OF_CLAIM += ["final_action_flag"]
KEYS = [*RECORD, *OF_RECORD, *OF_CLAIM, "claim_line_number", "source_file", *SERVICE, *CANCELS]
KEYS = list(dict.fromkeys(KEYS))
"""The columns that tell which claims need a look beyond the single line."""
ASKED = {*KEYS, "load_sequence", "allowed_amount", "charge_amount", "payment_level"}
UNASKED = [name for name in MedicalClaims.types() if name not in ASKED]
"""Columns nothing asks for once copies are told apart."""


@dataclass(frozen=True)
class Suspects:
    """What grouping all lines has found, held in the engine; claims by `source_table` and `claim_id`."""

    lines: ibis.Table
    """All lines of the claims to be looked at."""
    named: ibis.Table
    """What records adjust that do not say so themselves."""
    families: ibis.Table
    files: ibis.Table
    """Files that repeat headers."""
    prices: ibis.Table
    irregular: ibis.Table
    """`claim`: the fingerprints of these claims, and of all others that are not one plain record."""


def find_suspects(
    medical: ibis.Table, pharmacy: ibis.Table, styles: ibis.Table, timed_codes: list[str], repeated_header_share: float
) -> Suspects:
    """Find the claims that are not judged by the cells of their lines alone.

    Parameters
    ----------
    medical, pharmacy : MedicalClaims, PharmacyClaims
        Raw lines.
    styles : FeedStyles
        How each file writes adjustments.
    timed_codes : list of str
        HCPCS codes billed in units of time.
    repeated_header_share : float
        From this share of one file's multi-line institutional claims with one non-zero amount on every line, the
        amount is the header's.

    References
    ----------
    methods.md, A3, A5, A6, A7 and A10.
    """
    keys = unite_lines(medical, pharmacy, KEYS)
    adjusting = hold(select_adjusting(keys))
    versions = hold(find_versions(keys, styles))
    named = versions.filter(versions.target_id != versions.claim_id)
    named = hold(named.union(find_unnamed(keys, adjusting)))
    families = hold(find_families(adjusting, named))
    files = hold(find_repeating_files(keys, repeated_header_share))
    prices = hold(find_prices(keys, timed_codes))
    irregular = hold(find_irregular(keys))
    found = [find_repeated(keys, irregular.filter(irregular.is_unproven)), find_near(keys)]
    found += [select_institutional(keys, files), find_misscaled(keys, prices), find_cancelling(keys, styles)]
    found += [versions, *_adjusting(adjusting, named)]
    # Each by itself, so that no two of the large groupings are in memory at once.
    found = [hold(part.select(claim=fingerprint(part, CLAIM))) for part in found]
    found.append(irregular.filter(irregular.is_differing).select("claim"))
    suspects = hold(functools.reduce(ibis.union, found).distinct())
    lines = unite_lines(medical, pharmacy)
    lines = lines.mutate(claim=fingerprint(lines, CLAIM)).filter(lines.claim_id.notnull())
    lines = hold(lines.semi_join(suspects, "claim").drop("claim"))
    prints = hold(irregular.select("claim").union(suspects).distinct())
    return Suspects(lines, named, families, files, prices, prints)


def build_adjustments(suspects: Suspects, styles: ibis.Table, per_diem_codes: list[str], settings: dict) -> ibis.Table:
    """Say of each line that is not judged by its own cells alone which rule takes it, and what it is paid.

    In this order: copies (`with_copies`), pairs of debit and credit (`with_pairs`), chains of adjustments
    (`with_chains`), the same service under another claim (`with_near_duplicates`), header and line amounts
    (`with_paid`), the scale of units (`with_unit_scale`).

    Parameters
    ----------
    suspects : Suspects
        As `find_suspects` gives them.
    styles : FeedStyles
        How each file writes adjustments.
    per_diem_codes : list of str
        HCPCS codes billed by the day.
    settings : dict
        `include_gross_adjustments`: they count as cost; else rule A5.4 takes them. `use_final_action_flag`: the payer's
        word on which record is final is taken. `near_duplicates`: `flag` or `drop_later`, for per-diem codes and for
        others.

    Returns
    -------
    AdjustedLines

    References
    ----------
    methods.md, A3, A5, A6, A7 and A10.
    """
    lines = with_versions(suspects.lines, suspects.named)
    lines = with_copies(lines).drop(*UNASKED)
    lines = with_pairs(hold(lines), styles)
    as_said = settings["include_gross_adjustments"], settings["use_final_action_flag"]
    lines = hold(with_chains(lines, suspects.families, *as_said))
    lines = with_near_duplicates(lines, per_diem_codes, settings["near_duplicates"])
    lines = with_paid(lines, suspects.files)
    lines = with_unit_scale(lines, suspects.prices)
    lines = _with_line_number(lines)
    told = (
        lines.rule_id.notnull()
        | lines.amount_rule_id.notnull()
        | lines.is_near_duplicate
        | lines.is_orphan_replacement
        | lines.unit_scale.notnull()
        | lines.is_unit_outlier
        | lines.record_verdict.notnull()
        | (lines.family_id != lines.claim_id)
        | ~lines.line_number.identical_to(lines.claim_line_number)
    )
    lines = lines.mutate(reversed_date=ibis.coalesce(lines.reversed_date, lines.credit_date))
    return lines.filter(told).select(*AdjustedLines.types())


def _adjusting(adjusting: ibis.Table, named: ibis.Table) -> list[ibis.Table]:
    """List the claims that adjust another, and those they adjust."""
    targets = adjusting.select("source_table", claim_id="original_claim_id")
    return [adjusting, targets, named, named.select("source_table", claim_id="target_id")]


def _with_line_number(lines: ibis.Table) -> ibis.Table:
    """Number the lines of a claim anew where their own numbers are missing or repeat."""
    among = ibis.window(group_by=[*CLAIM, "claim_line_number"])
    twins = lines.filter(lines.is_open).select(*LINE, "claim_id", "claim_line_number")
    twins = twins.mutate(is_unclear=twins.claim_line_number.isnull() | (twins.count().over(among) > 1))
    unclear = twins.filter(twins.is_unclear).select(CLAIM).distinct()
    in_order = ibis.window(group_by=CLAIM, order_by=["claim_line_number", "load_sequence"])
    open_lines = twins.semi_join(unclear, CLAIM)
    anew = open_lines.select(*LINE, anew=ibis.row_number().over(in_order) + 1)
    lines = with_told(lines, hold(anew))
    return lines.mutate(line_number=ibis.coalesce(lines.anew, lines.claim_line_number)).drop("anew")
