"""Denials by file and month: a share that jumps says that the feed changed."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.clean.lines import denial_rule, unite_lines
from ratebook.clean.missing import count_where
from ratebook.contracts.quality import Denials
from ratebook.dates import month_of

NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
READ = ["billing_npi", "paid_date", "denied_flag", "record_type", "claim_status_code", "line_status_code"]
FILE_MONTH = ["source_table", "source_file", "paid_month"]


def build_denials(tally: pd.DataFrame, jump_sd: float, least_months: int) -> pd.DataFrame:
    """Lay out the share of raw rows denied by file and month paid, and say where it jumps.

    A month of a feed (the files named alike but for digits) is compared with the median of the feed's months. Its
    distance is measured in standard deviations: 1.4826 times the median absolute deviation, or what chance alone
    makes of so few rows where that is more. Beyond `jump_sd` the month is a jump; a feed of fewer months than
    `least_months` is not judged.

    Parameters
    ----------
    tally : pandas.DataFrame
        As `attrition.tally_lines`.
    jump_sd : float
        Standard deviations; at the limit itself there is no jump.
    least_months : int

    Returns
    -------
    Denials

    References
    ----------
    methods.md, A4.
    """
    denied = tally.rows.where(tally.rule_id.isin(["A4.1", "A4.2"]), 0)
    keyed = tally.assign(denied_rows=denied)
    found = keyed.groupby(FILE_MONTH, dropna=False, as_index=False)[["rows", "denied_rows"]].sum()
    found["feed"] = found.source_file.str.replace(r"\d+", "#", regex=True)
    found["denied_share"] = found.denied_rows / found.rows
    feed = ["source_table", "feed"]
    months = found.groupby([*feed, "paid_month"], as_index=False)[["rows", "denied_rows"]].sum()
    months["share"] = months.denied_rows / months.rows
    by_feed = months.groupby(feed)
    months["usual_share"] = by_feed.share.transform("median")
    pooled = by_feed.denied_rows.transform("sum") / by_feed.rows.transform("sum")
    spread = NORMAL * (months.share - months.usual_share).abs().groupby([months[name] for name in feed]).transform(
        "median"
    )
    chance = np.sqrt(pooled * (1 - pooled) / months.rows)
    far = (months.share - months.usual_share).abs()
    months["distance_sd"] = (far / np.maximum(spread, chance)).where(far > 0, 0.0)
    months["is_jump"] = (months.distance_sd > jump_sd).astype("boolean")
    months = months[by_feed.share.transform("size") >= least_months]
    judged = [*feed, "paid_month", "usual_share", "distance_sd", "is_jump"]
    found = found.merge(months[judged], on=[*feed, "paid_month"], how="left")
    return found[list(Denials.types())]


def count_provider_jumps(medical: ibis.Table, pharmacy: ibis.Table, jump_sd: float, least_months: int) -> ibis.Table:
    """Count the months of billing providers in which the share denied jumps, by the same rule; no provider is named.

    Returns
    -------
    ibis.Table
        One row: `provider_months` of providers with enough months, `provider_jumps` among them.
    """
    lines = unite_lines(medical, pharmacy, READ)
    lines = lines.filter(lines.billing_npi.notnull(), lines.paid_date.notnull())
    lines = lines.mutate(paid_month=month_of(lines.paid_date))
    months = lines.group_by("billing_npi", "paid_month").agg(
        rows=lines.count(), denied_rows=count_where(denial_rule(lines).notnull())
    )
    months = months.mutate(share=months.denied_rows / months.rows)
    usual = months.group_by("billing_npi").agg(
        usual_share=months.share.median(),
        pooled=months.denied_rows.sum() / months.rows.sum(),
        months=months.count(),
    )
    months = months.join(usual.filter(usual.months >= least_months), "billing_npi")
    months = months.mutate(far=(months.share - months.usual_share).abs())
    spread = months.group_by("billing_npi").agg(spread=months.far.median() * NORMAL)
    months = months.join(spread, "billing_npi")
    chance = (months.pooled * (1 - months.pooled) / months.rows).sqrt()
    is_jump = (months.far > 0) & (months.far > ibis.greatest(months.spread, chance) * jump_sd)
    return months.aggregate(provider_months=months.count(), provider_jumps=count_where(is_jump).fill_null(0))
