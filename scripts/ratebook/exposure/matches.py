"""Were the services we have served to the people we have? Lines beside coverage, by month and by source file."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.exposure import EligibilityMatch
from ratebook.dates import month_of
from ratebook.tables import empty_frame, fingerprint, frame_of

SCOPES = {
    "all": [],
    "month": ["service_month"],
    "file": ["source_file"],
    "file_month": ["source_file", "service_month"],
}
"""What a row speaks of: everything, a month of service in all files, a file in all months, or one of each."""
EVERY_FILE = "all"


def tag_coverage(claims: ibis.Table, spans: ibis.Table) -> ibis.Table:
    """Say of every line whether its person was covered when the service began.

    `coverage` is `eligible` on a day known to be covered at the time, `retro` on a day covered only
    retroactively, `outside` on any other day. The last retroactive day is `retro`, the day after it is not.

    References
    ----------
    methods.md, A12.7.
    """
    covered = spans.select("start_date", "end_date", "retro_through_date", covered_person_id=spans.person_id)
    tagged = claims.left_join(
        covered,
        [
            claims.person_id == covered.covered_person_id,
            claims.service_start_date >= covered.start_date,
            claims.service_start_date <= covered.end_date,
        ],
    )
    coverage = ibis.cases(
        (tagged.covered_person_id.isnull(), "outside"),
        (tagged.service_start_date <= tagged.retro_through_date, "retro"),
        else_="eligible",
    )
    return tagged.mutate(coverage=coverage).drop(*covered.columns)


def tally_coverage(claims: ibis.Table, spans: ibis.Table) -> ibis.Table:
    """Add up lines and dollars by month of service, source file and coverage: the one pass over the claims.

    Returns
    -------
    ibis.Table
        service_month, source_file ('unknown' where the source has none), coverage, lines, persons, paid_usd, cost_usd.
    """
    lines = claims.select("person_id", "service_start_date", "source_file", "paid_usd", "cost_usd")
    tagged = tag_coverage(lines, spans)
    grouped = tagged.group_by(
        "coverage",
        service_month=month_of(tagged.service_start_date),
        source_file=tagged.source_file.fill_null("unknown"),
    )
    return grouped.agg(
        lines=tagged.count(),
        # Counted by fingerprint: half a billion ids need no text to be told apart.
        persons=fingerprint(tagged, ["person_id"]).nunique(),
        paid_usd=tagged.paid_usd.sum(),
        cost_usd=tagged.cost_usd.sum(),
    )


def build_eligibility_match(services: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Give the share of paid dollars served to covered members: in all, by month, by file, and by both.

    Retroactive coverage is coverage. The share at the limit passes, below it is a warning; where nothing was
    paid, or more was taken back than paid, there is no share and the status is `na`.

    Parameters
    ----------
    services : pandas.DataFrame
        As `tally_coverage` gives it.
    limit : float
        `config.yaml` exposure.match_share.

    Returns
    -------
    EligibilityMatch

    References
    ----------
    methods.md, A12.7 and A13 T5; check H6.
    """
    if services.empty:
        return empty_frame(EligibilityMatch)
    usd = services.paid_usd.astype(float)
    marked = services.assign(paid_usd=usd)
    for level in ("retro", "outside"):
        is_level = services.coverage == level
        marked[f"{level}_lines"] = services.lines.where(is_level, 0)
        marked[f"{level}_usd"] = usd.where(is_level, 0.0)
    marked["outside_persons"] = services.persons.where(services.coverage == "outside", 0)
    sums = {name: "sum" for name in ("lines", "retro_lines", "outside_lines", "paid_usd", "retro_usd", "outside_usd")}
    found = []
    for scope, keys in SCOPES.items():
        grouped = marked.assign(scope=scope).groupby(["scope", *keys], as_index=False)
        found.append(grouped.agg({**sums, "outside_persons": "max"}))
    match = pd.concat(found, ignore_index=True)
    match["source_file"] = match.source_file.fillna(EVERY_FILE)
    match["match_share"] = 1 - match.outside_usd / match.paid_usd.where(match.paid_usd > 0)
    match["limit_share"] = limit
    judged = np.where(match.match_share >= limit, "pass", "warn")
    match["status"] = np.where(match.match_share.isna(), "na", judged)
    return frame_of(match.astype({"service_month": "datetime64[us]"}), EligibilityMatch)
