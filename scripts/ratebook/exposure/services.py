"""The monthly exhibit of quality: what was used and paid, month by month, beside how much of it has arrived."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.exposure import MonthlyServices
from ratebook.dates import month_of
from ratebook.tables import fingerprint, frame_of

LEAST_VOLUME = 0.5
"""Average months of dollars that must stand behind a step from one lag to the next."""
NO_DATES = "the source has no paid dates for this category"
NOT_YET = "nothing of this category was paid so early in any month of service"
AFTER = "the month is not over at the last complete month of payments"


def tally_services(claims: ibis.Table) -> ibis.Table:
    """Count claims, lines, persons and dollars by month of service and category, in one pass.

    A claim counts once in each month and category in which it has a line that serves something; a gross
    adjustment is dollars, and no service. Lines outside coverage are counted too: this is what arrived.

    Returns
    -------
    ibis.Table
        service_month, category, claims, lines, persons, cost_usd.
    """
    lines = claims.mutate(
        service_month=month_of(claims.service_start_date),
        served=(~claims.is_money_only).cast("int64"),
        # Persons are counted by fingerprint, and a person's few claims of a month told apart by one.
        person=fingerprint(claims, ["person_id"]),
        claim=fingerprint(claims, ["claim_type", "claim_id"]),
    )
    by_claim = lines.group_by("service_month", "category", "person", "claim")
    by_claim = by_claim.agg(lines=lines.served.sum(), cost_usd=lines.cost_usd.sum())
    return by_claim.group_by("service_month", "category").agg(
        claims=(by_claim.lines > 0).cast("int64").sum(),
        lines=by_claim.lines.sum(),
        persons=by_claim.person.nunique(),
        cost_usd=by_claim.cost_usd.sum(),
    )


def build_monthly_services(
    services: pd.DataFrame,
    months: pd.DataFrame,
    lags: pd.DataFrame,
    window_start: str,
    extract_date: str,
    reportable_completion: float,
) -> pd.DataFrame:
    """Set each month's use and cost beside its members, and beside what they will be when all is paid.

    Every category that occurs has a row for every month from the study's start to the extract, also for a month
    without any claim: a hole is what this table is made to show. Observed figures divided by `completion_share`
    are the completed ones; they assume that claims arrive as dollars do. This is a check of the data by a plain
    chain ladder, without smoothing, tail or judgement; rates are built on a completion of their own.

    Parameters
    ----------
    services : pandas.DataFrame
        As `tally_services` gives it.
    months : pandas.DataFrame
        As `checks.count_months` gives it: member months by the rule in force.
    lags : PaidLags
        Dollars by month of service, lag and category.
    window_start, extract_date : str
        First day of the study; last day the data can speak of.
    reportable_completion : float
        A month completed to this share is reportable as it stands.

    Returns
    -------
    MonthlyServices

    References
    ----------
    methods.md, A11, A13 and E2.
    """
    if services.empty:
        return frame_of([], MonthlyServices)
    calendar = pd.period_range(window_start, extract_date, freq="M")
    categories = sorted(services.category.unique())
    grid = pd.MultiIndex.from_product([calendar.to_timestamp(), categories], names=["service_month", "category"])
    found = services.set_index(["service_month", "category"]).astype({"cost_usd": float}).reindex(grid, fill_value=0)
    found = found.reset_index()
    in_force = months.groupby("service_month").member_months.sum().astype(float)
    found["member_months"] = found.service_month.map(in_force).fillna(0.0)
    completion = complete_by_category(lags, categories, calendar, extract_date)
    found = found.merge(completion, on=["service_month", "category"], how="left")
    members = found.member_months.where(found.member_months > 0)
    share = found.completion_share
    found["claims_per_1000"] = found.claims / members * 1000
    found["pmpm_usd"] = found.cost_usd / members
    found["completed_claims_per_1000"] = found.claims_per_1000 / share
    found["completed_pmpm_usd"] = found.pmpm_usd / share
    found["is_reportable"] = (share >= reportable_completion).astype("boolean").where(share.notna())
    return found[list(MonthlyServices.types())]


def complete_by_category(
    lags: pd.DataFrame, categories: list[str], calendar: pd.PeriodIndex, extract_date: str
) -> pd.DataFrame:
    """Give the share of each month's final dollars that is paid by the last complete month of payments.

    Returns
    -------
    pandas.DataFrame
        One row per month of the calendar and category: service_month, category, completion_share, reason.
    """
    # The month of the extract is complete only if the extract was taken on its last day.
    last_paid = (pd.Timestamp(extract_date) + pd.Timedelta(days=1)).to_period("M") - 1
    found = []
    for category in categories:
        dated = lags[(lags.category == category) & lags.lag_months.notna()]
        rows = pd.DataFrame({"service_month": calendar.to_timestamp(), "category": category})
        age = np.array([(last_paid - month).n for month in calendar])
        shares = completion_by_age(dated, last_paid)
        known = (age >= 0) & (len(shares) > 0)
        # A month older than the oldest paid one is as complete as that one.
        rows["completion_share"] = np.nan
        if len(shares):
            rows.loc[known, "completion_share"] = shares[np.minimum(age[known], len(shares) - 1)]
        missing = np.where(age < 0, AFTER, NOT_YET) if len(shares) else np.full(len(age), NO_DATES, dtype=object)
        rows["reason"] = pd.Series(missing, dtype=object).where(rows.completion_share.isna(), None)
        found.append(rows)
    return pd.concat(found, ignore_index=True)


def completion_by_age(lags: pd.DataFrame, last_paid: pd.Period) -> np.ndarray:
    """Give the share of the final dollars paid after so many months: the volume-weighted chain ladder.

    The link from one lag to the next is the sum of what the months seen at both were paid by the later over what
    they had been paid by the earlier. A payment before its month of service counts as of that month, one
    after `last_paid` not at all. What the oldest month was paid is taken as final.

    Parameters
    ----------
    lags : pandas.DataFrame
        `service_month`, `lag_months` and `signed_usd` of one category; every lag stated.
    last_paid : pandas.Period
        Last complete month of payments.

    Returns
    -------
    numpy.ndarray
        Share by age in months, from 0; nan where nothing had been paid so early; empty without a payment.
    """
    month = lags.service_month.dt.to_period("M")
    lag = lags.lag_months.clip(lower=0).astype(int).to_numpy()
    row = np.array([(last_paid - period).n for period in month], dtype=int)
    seen = lag <= row
    if not seen.any():
        return np.empty(0)
    ages = row[seen].max() + 1
    paid = np.zeros((ages, ages))
    np.add.at(paid, (row[seen], lag[seen]), lags.signed_usd.to_numpy(dtype=float)[seen])
    paid = paid.cumsum(axis=1)
    # Row r is the month of age r: it is seen at the lags 0 to r.
    later = np.array([paid[lag:, lag].sum() for lag in range(1, ages)])
    earlier = np.array([paid[lag:, lag - 1].sum() for lag in range(1, ages)])
    link = np.divide(later, earlier, out=np.full(ages - 1, np.nan), where=(earlier > 0) & (later > 0))
    total = np.array([paid[age, age] for age in range(ages)])
    behind = total[::-1].cumsum()[::-1][1:]
    link[behind < LEAST_VOLUME * total.mean()] = 1.0
    return 1 / np.append(link[::-1].cumprod()[::-1], 1.0)
