"""The ledger: every movement of money at its own date."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.codes import classify_lines
from ratebook.contracts.clean import CashLedger
from ratebook.dates import month_of, months_between

TAKEN_BACK = ("A5.3a", "A5.3b", "A5.5", "A5.6")
"""Rules that take lines whose money moved: first out, then back."""


def build_cash_ledger(
    claims: ibis.Table,
    marked: ibis.Table,
    services: pd.DataFrame,
    diagnoses: pd.DataFrame,
    meanings: ibis.Table,
) -> ibis.Table:
    """Write down every payment and every taking back, each at its own date.

    A line of a non-denied record is a payment. Where a later void or replacement takes it back, the same dollars
    go back on the day of that record; so voids are right even where the source writes them positive or zero,
    and a family's entries add up to its final paid amount. A void of something paid before the extract goes
    back at its own date.

    Parameters
    ----------
    claims : Claims
        Final-action lines: the payments that stand.
    marked, services, diagnoses, meanings
        As `clean_claims` takes them, for the payments that do not.

    Returns
    -------
    CashLedger

    References
    ----------
    methods.md, A5.8 and E2.
    """
    undone = marked.filter(marked.rule_id.isin(TAKEN_BACK), marked.service_start_date.notnull())
    takes_back = (undone.adjustment == "void") | ((undone.rule_id == "A5.6") & (undone.raw_usd < 0))
    undone = undone.filter((undone.rule_id == "A5.5") | ~takes_back)
    undone = classify_lines(undone, services, diagnoses, meanings)
    moves = ibis.ifelse(undone.rule_id == "A5.5", ibis.array(["orphan_void"]), ibis.array(["payment", "reversal"]))
    undone = undone.mutate(entry=moves).unnest("entry")
    undone = undone.mutate(
        paid_date=ibis.ifelse(undone.entry == "reversal", undone.reversed_date, undone.paid_date),
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
        entries=keyed.count(), persons=keyed.person_id.nunique(), signed_usd=keyed.signed_usd.sum()
    )


def _entries(lines: ibis.Table) -> ibis.Table:
    lines = lines.mutate(incurred_date=lines.service_start_date, signed_usd=lines.signed_usd.cast("decimal(14, 2)"))
    return lines.select(*CashLedger.types())
