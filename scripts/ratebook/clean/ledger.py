"""The ledger: every movement of money at its own date."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.codes import classify_lines
from ratebook.contracts.clean import CashLedger, ReversedLines
from ratebook.dates import month_of, months_between
from ratebook.tables import fingerprint

TAKEN_BACK = ("A5.3a", "A5.3b", "A5.5", "A5.6", "A5.7")
"""Rules that take lines whose money moved: first out, then back."""


def select_reversed(
    taken: ibis.Table, services: pd.DataFrame, diagnoses: pd.DataFrame, meanings: ibis.Table
) -> ibis.Table:
    """Select the lines whose money moved and was taken back, and the voids of what was paid before the extract.

    The records that do the taking back bear no money of their own: what they take back is what was paid, even where
    the source writes voids positive or zero.

    Parameters
    ----------
    taken : ibis.Table
        The lines of `mark_lines` that a rule took.
    services, diagnoses, meanings
        As `clean_claims` takes them.

    Returns
    -------
    ReversedLines
    """
    moved = taken.filter(taken.rule_id.isin(TAKEN_BACK), taken.service_start_date.notnull())
    takes_back = (moved.adjustment == "void") | ((moved.rule_id == "A5.6") & (moved.raw_usd < 0))
    moved = moved.filter((moved.rule_id == "A5.5") | ~takes_back)
    return classify_lines(moved, services, diagnoses, meanings).select(*ReversedLines.types())


def build_cash_ledger(claims: ibis.Table, reversed_lines: ibis.Table) -> ibis.Table:
    """Write down every payment and every taking back, each at its own date.

    A line of a non-denied record is a payment. Where a later void, replacement or credit takes it back, the same
    dollars go back on the day of that record; so voids are right even where the source writes them positive or zero,
    and a family's entries add up to its final paid amount. A void of something paid before the extract goes
    back at its own date.

    Parameters
    ----------
    claims : Claims
        Final-action lines: the payments that stand.
    reversed_lines : ReversedLines
        The payments that do not.

    Returns
    -------
    CashLedger

    References
    ----------
    methods.md, A5.8 and E2.
    """
    undone = reversed_lines
    moves = ibis.ifelse(undone.rule_id == "A5.5", ibis.array(["orphan_void"]), ibis.array(["payment", "reversal"]))
    undone = undone.mutate(entry=moves).unnest("entry")
    undone = undone.mutate(
        # Where no record says when the money came back, it moved out and back on one day.
        paid_date=ibis.ifelse(
            undone.entry == "reversal", ibis.coalesce(undone.reversed_date, undone.paid_date), undone.paid_date
        ),
        signed_usd=undone.entry.cases(
            ("payment", undone.paid_usd), ("reversal", -undone.paid_usd), ("orphan_void", -undone.paid_usd.abs())
        ),
    )
    stands = claims.mutate(entry=ibis.literal("payment"), signed_usd=claims.paid_usd)
    return _entries(stands).union(_entries(undone))


def build_paid_lags(ledger: ibis.Table) -> ibis.Table:
    """Sum the ledger by month of service, months to payment, and category.

    Returns
    -------
    PaidLags

    References
    ----------
    methods.md, A13 T6.
    """
    keyed = ledger.mutate(
        service_month=month_of(ledger.incurred_date), lag_months=months_between(ledger.incurred_date, ledger.paid_date)
    )
    return keyed.group_by("service_month", "lag_months", "category").agg(
        entries=keyed.count(),
        # Counted by fingerprint: ids need no text to be told apart.
        persons=fingerprint(keyed, ["person_id"]).nunique(),
        signed_usd=keyed.signed_usd.sum(),
    )


def _entries(lines: ibis.Table) -> ibis.Table:
    lines = lines.mutate(incurred_date=lines.service_start_date, signed_usd=lines.signed_usd.cast("decimal(14, 2)"))
    return lines.select(*CashLedger.types())
