"""Navigators' log worker by worker, and measures of their work with limits that resample them."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.contracts.navigation import ServiceSummary, WorkerTotals
from ratebook.dates import month_of
from ratebook.engagement.estimates import NAN, Measured, contrast_rows
from ratebook.engagement.resampling import resample
from ratebook.engagement.service_mix import case_form_usd, has_case_rate, work_done

KINDS = {
    "contact": ("face", "phone", "text", "video"),
    "collateral": ("collateral",),
    "outreach": ("attempt",),
    "coaching": ("coaching",),
    "training": ("training",),
    "admin": ("admin",),
}
"""What the time went into, to the activities of the log."""
MEASURES = {
    **{f"{kind}_share": (f"{kind}_minutes", "minutes", "share") for kind in KINDS},
    "nonbillable_share": ("nonbillable_minutes", "minutes", "share"),
    "minutes_per_client_month": ("minutes", "client_months", "identity"),
    "contacts_per_worker_month": ("contacts", "worker_months", "identity"),
    "clients_per_worker_month": ("served_months", "worker_months", "identity"),
    "unit_form_usd": ("unit_form_earned_usd", "worker_months", "identity"),
    "case_form_usd": ("case_form_earned_usd", "worker_months", "identity"),
    "case_to_unit_ratio": ("case_form_earned_usd", "unit_form_earned_usd", "log"),
}
"""Measure to what is summed above and below the line, and the scale of its interval."""
NO_LOG = "no worker of the program in the log"
NO_PRICE = "no claim of this form of payment to take a price from"
NOTHING_BELOW = "nothing to divide by"


def build_worker_totals(worker_time: ibis.Table, prices: ibis.Table) -> ibis.Table:
    """Sum every worker's log, and price it both ways at what claims paid on average.

    A case rate pays for clients, not for work: each client, client-month and client-day is credited once, to the
    worker of its first entry (of months and days: of the first contact in it).

    Parameters
    ----------
    worker_time : WorkerTime
    prices : ibis.Table
        As `service_mix.payment_prices` gives them.

    Returns
    -------
    WorkerTotals

    References
    ----------
    methods.md, D3 and E7.
    """
    month = month_of(worker_time.activity_date).cast("string")
    time = worker_time.mutate(worker_id=worker_time.worker_id.fill_null("unknown"), month=month)
    is_first = {
        "opens_client": _opens(time, [], time.person_id.notnull()),
        "opens_month": _opens(time, ["month", "is_contact"], time.is_contact),
        "opens_day": _opens(time, ["activity_date", "is_contact"], time.is_contact),
    }
    time = time.mutate(**is_first)
    sums = time.group_by("program", "provider_id", "worker_id").agg(
        **work_done(time),
        **{
            f"{kind}_minutes": time.minutes.sum(where=time.activity.isin(of)).fill_null(0)
            for kind, of in KINDS.items()
        },
        worker_months=time.month.nunique(),
        served_months=(time.month + "|" + time.person_id).nunique(),
        clients=time.opens_client.cast("int64").sum(),
        client_months=time.opens_month.cast("int64").sum(),
        client_days=time.opens_day.cast("int64").sum(),
    )
    priced = sums.cross_join(prices)
    return priced.mutate(
        unit_form_earned_usd=priced.billable_units.cast("float64") * priced.unit_price_usd,
        case_form_earned_usd=ibis.ifelse(has_case_rate(priced), case_form_usd(priced), ibis.null("float64")),
    ).select(*WorkerTotals.types())


def _opens(time: ibis.Table, within: list[str], counts: ibis.Value) -> ibis.Value:
    """Say which entry is the first of its client (and month, or day) in the program, of those that count."""
    first = ibis.window(group_by=["program", "person_id", *within], order_by=["activity_date", "log_id"])
    return counts & (ibis.row_number().over(first) == 0)


def estimate_service_summary(totals: pd.DataFrame, boot_reps: int, seed: int) -> pd.DataFrame:
    """Give each measure of navigators' work by program, and RSN less CSP, with limits from resampling workers.

    A measure is a ratio of the program's sums, never the mean of workers' ratios. Workers are drawn with all their
    log; organisations and prices are taken as they are.

    Parameters
    ----------
    totals : WorkerTotals
    boot_reps : int
    seed : int

    Returns
    -------
    ServiceSummary
        A row for every measure and program; null with a reason where a program has no log, a form of payment no
        price, or one worker stands alone.

    References
    ----------
    methods.md, D3 and E7.
    """
    keys = ["program", "provider_id", "worker_id"]
    totals = totals.sort_values(keys, kind="stable", ignore_index=True)
    totals = totals.assign(nonbillable_minutes=totals.minutes - totals.billable_minutes)
    worker = totals.program + "|" + totals.provider_id + "|" + totals.worker_id
    draws = resample(totals.program, worker, boot_reps, seed)
    rows = []
    for measure, (part, whole, scale) in MEASURES.items():
        found = {arm: _ratio(totals, arm, part, whole, draws) for arm in ARMS}
        contrasts = () if scale == "log" else ("difference",)
        rows += contrast_rows(measure, None, "", "", found, draws, contrasts, scale)
    renamed = pd.DataFrame(rows).rename(columns={"estimand": "measure", "error_units": "workers"})
    return renamed[list(ServiceSummary.types())]


def _ratio(totals: pd.DataFrame, arm: str, part: str, whole: str, draws) -> Measured:
    is_mine = (totals.program == arm).to_numpy()
    mine = totals[is_mine]
    unit, counts = draws.among(is_mine)
    clients, none = int(mine.clients.sum()), np.full(len(counts), NAN)
    if mine.empty:
        return Measured(NAN, none, 0, reason=NO_LOG)
    if mine[[part, whole]].isna().any(axis=None):
        return Measured(NAN, none, clients, reason=NO_PRICE)
    above, below = (np.bincount(unit, mine[name].astype(float), counts.shape[1]) for name in (part, whole))
    if not below.sum():
        return Measured(NAN, none, clients, reason=NOTHING_BELOW)
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates = (counts @ above) / (counts @ below)
    return Measured(float(above.sum() / below.sum()), replicates, clients)
