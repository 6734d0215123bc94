"""All that is laid before an auditor of cleaning: counted in the engine, laid out of the counts, tied together."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.clean import attrition as a
from ratebook.clean import denials, exhibits, lags, quality
from ratebook.clean.contacts import count_log, mark_log
from ratebook.clean.lines import MARKED_FROM, mark_lines
from ratebook.clean.members import count_split_ids
from ratebook.clean.missing import build_missingness
from ratebook.clean.prices import select_prices
from ratebook.clean.reconciliation import build_file_totals, build_reconciliation
from ratebook.contracts import clean as to
from ratebook.contracts import intake as raw
from ratebook.contracts import quality as exhibit
from ratebook.errors import RatebookError

COUNTED_FROM = {
    **MARKED_FROM,
    "claims": to.Claims,
    "rejected": to.Rejected,
    "members": raw.Members,
    "identity_crosswalk": raw.IdentityCrosswalk,
    "navigator_log": raw.NavigatorLog,
    "control_totals": raw.ControlTotals,
}
"""The claims-scale tables that are counted."""
EXHIBITS = {
    "attrition": to.Attrition,
    "reconciliation": to.Reconciliation,
    "qa": to.Qa,
    "file_totals": exhibit.FileTotals,
    "adjustment_rates": exhibit.AdjustmentRates,
    "lag_distribution": exhibit.LagDistribution,
    "lag_completion": exhibit.LagCompletion,
    "missingness": exhibit.Missingness,
    "duplicates": exhibit.Duplicates,
    "denials": exhibit.Denials,
    "net_cost": exhibit.NetCost,
    "unit_prices": exhibit.UnitPrices,
}
"""What is laid out of the counts, by the name of its file."""


def count_sources(
    tables: dict[str, ibis.Table], extract_date: str, judged_by: dict, limits: dict
) -> dict[str, ibis.Table]:
    """Say what is counted: each a small aggregate, and no row of a person.

    Parameters
    ----------
    tables : dict
        The tables of `COUNTED_FROM`.
    extract_date : str
        Last day on which a payment could be in the data.
    judged_by : dict
        The settings a line is judged by.
    limits : dict
        The section `clean.quality` of the config.
    """
    medical, pharmacy, _, identity, persons = (tables[name] for name in MARKED_FROM)
    log = mark_log(tables["navigator_log"], identity, persons, extract_date)
    series = limits["denial_jump_sd"], limits["least_months"]
    return {
        "tally": a.tally_lines(mark_lines(tables, extract_date, judged_by, a.TALLIED)),
        "persons": a.count_persons(a.unite_persons(tables["claims"], tables["rejected"]), a.RULES),
        "log": count_log(log),
        "log_persons": a.count_persons(log, a.LOG_RULES),
        "control": tables["control_totals"],
        "claims": quality.count_claims(tables["claims"]),
        "unit_prices": select_prices(tables["claims"], limits["price_codes"], limits["price_lines"]),
        "providers": denials.count_provider_jumps(medical, pharmacy, *series),
        "crosswalk": count_split_ids(tables["identity_crosswalk"]),
        "members": quality.count_disagreeing(tables["members"], identity),
    }


def build_exhibits(
    counts: dict[str, pd.DataFrame],
    manifest: pd.DataFrame,
    paid_lags: pd.DataFrame,
    header_cases: pd.DataFrame,
    study: dict,
    limits: dict,
) -> dict[str, pd.DataFrame]:
    """Lay out every exhibit of the counts, and stop where they do not tie.

    Parameters
    ----------
    counts : dict
        What `count_sources` says, counted.
    manifest : SourceManifest
    paid_lags : PaidLags
    header_cases : HeaderCases
        Laid out with the adjustments, and tied to the waterfall here.
    study : dict
        `window_start`, `window_end`, `extract_date`.
    limits : dict
        `clean.quality`, and the limits of rejects, control totals, unknown ids, negatives and completion.

    Returns
    -------
    dict
        The tables of `EXHIBITS`.

    Raises
    ------
    RatebookError
        If more rows are faulty than allowed, if raw and the rules' changes do not make final, if the waterfall does
        not end at the lines and dollars of `Claims`, or an exhibit does not add up to the waterfall.

    References
    ----------
    methods.md, A13 and H1.
    """
    tally, extract = counts["tally"], study["extract_date"]
    attrition = a.build_attrition(
        [(tally, counts["persons"], a.RULES), (counts["log"], counts["log_persons"], a.LOG_RULES)]
    )
    a.check_rejected_share(attrition, limits["max_rejected_share"])
    check_final(attrition, counts["claims"])
    control, held_to = counts["control"], limits["control_total_share"]
    completion = lags.build_lag_completion(paid_lags, extract)
    found = {
        "attrition": attrition,
        "reconciliation": build_reconciliation(tally, control, **held_to),
        "file_totals": build_file_totals(tally, control, **held_to),
        "adjustment_rates": exhibits.build_adjustment_rates(tally),
        "lag_distribution": lags.build_lag_distribution(paid_lags, extract),
        "lag_completion": completion,
        "missingness": build_missingness(tally),
        "duplicates": exhibits.build_duplicates(tally),
        "denials": denials.build_denials(tally, limits["denial_jump_sd"], limits["least_months"]),
        "net_cost": exhibits.build_net_cost(counts["claims"], limits["net_identity"]),
        "unit_prices": counts["unit_prices"],
    }
    exhibits.check_ties(tally, attrition, {**found, "header_cases": header_cases})
    of_claims = counts["claims"].drop(columns=["plan", "claim_type"])
    jumps = found["denials"].dropna(subset="is_jump").drop_duplicates(["source_table", "feed", "paid_month"])
    counted = {
        **quality.count_marks(tally),
        **of_claims.sum().to_dict(),
        **counts["crosswalk"].iloc[0],
        **counts["members"].iloc[0],
        **counts["providers"].iloc[0],
        "cells_unparsed": int(manifest.cells_unparsed.sum()),
        "denial_jumps": int(jumps.is_jump.sum()),
        "net_flagged": int(found["net_cost"].is_flagged.sum()),
        "runout_months": lags.count_runout(paid_lags, study["window_end"], extract),
        "immature_months": lags.count_immature(completion, **study, least=limits["completion"]),
    }
    return {**found, "qa": quality.build_qa(counted, limits)}


def check_final(attrition: pd.DataFrame, claims: pd.DataFrame) -> None:
    """Stop where the waterfall does not end at the rows and dollars of `Claims`, which it does not read.

    Raises
    ------
    RatebookError
        Naming both.
    """
    last = attrition[attrition.source_table != "navigator_log"].groupby("source_table").last()
    if claims.final_rows.sum() != last.rows_out.sum() or sum(claims.final_cost_usd) != sum(last.paid_out_usd):
        raise RatebookError("the waterfall does not end at the lines and dollars of the final claims")
