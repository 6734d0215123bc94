"""One number each of the claims-scale tables, for the checks that need it."""

from __future__ import annotations

import ibis

NATURAL_KEY = (
    "person_id", "claim_type", "service_start_date", "service_end_date", "hcpcs_code", "hcpcs_modifier_1",
    "revenue_center_code", "ndc_code", "diagnosis_code_1", "units", "paid_usd", "billing_npi", "rendering_npi",
)  # fmt: skip
"""Two lines equal in all of these and different in their claim look like one service billed twice."""


def check_claims(
    claims: ibis.Table, cash_ledger: ibis.Table, member_months: ibis.Table, episodes: ibis.Table, episode_gap_days: int
) -> ibis.Table:
    """Count over the large tables what the checklist asks of them.

    A share whose whole is zero is null: there was nothing to count.

    Parameters
    ----------
    claims, cash_ledger, member_months, episodes : ibis.Table
        Final lines, signed records, covered months, detoxification episodes.
    episode_gap_days : int
        Longest gap that joins two stays into one episode: a shorter one is never a readmission.

    Returns
    -------
    ClaimFacts

    References
    ----------
    methods.md, H2 to H14.
    """
    parts = [
        _facts(
            claims,
            claim_lines=claims.count(),
            lines_neither_ffs_nor_encounter=claims.record_type.notin(["ffs", "encounter"]).sum(),
            flagged_units_share=_share(claims.cost_usd, claims.units_flag.notnull()),
            unmapped_share=_share(claims.cost_usd, claims.category == "OTHER"),
            claims_usd=claims.paid_usd.sum(),
        ),
        _facts(
            cash_ledger,
            ledger_usd=cash_ledger.signed_usd.sum(),
            ledger_served_usd=ibis.ifelse(
                cash_ledger.record_type.isin(["ffs", "encounter"]), cash_ledger.signed_usd, 0
            ).sum(),
        ),
        _lines_kept_twice(claims),
        _lines_brought_twice(claims),
        _near_duplicates(claims),
        _facts(
            member_months,
            member_months=member_months.count(),
            full_dual_share=_share(member_months.mm_fractional, member_months.dual_group == "full"),
        ),
        _facts(
            episodes,
            episodes=episodes.count(),
            readmissions_within_gap=(episodes.days_to_next <= episode_gap_days).sum(),
            transfers=episodes.is_transfer.sum(),
        ),
    ]
    return ibis.union(*parts)


def _lines_kept_twice(claims: ibis.Table) -> ibis.Table:
    """Count services of a chain of adjustments that stand in the final table more than once.

    Gross adjustments stand beside the service they belong to by design: they are money, and no service.
    """
    served = claims.filter(~claims.is_money_only)
    lines = served.group_by("family_id", "line_number", "service_start_date", "hcpcs_code", "revenue_center_code")
    lines = lines.agg(claims=served.claim_id.nunique())
    return _facts(lines, lines_kept_twice=(lines.claims > 1).sum())


def _lines_brought_twice(claims: ibis.Table) -> ibis.Table:
    """Count lines of one claim number that stand in the final table more than once, as two feeds would leave them."""
    lines = claims.group_by("claim_id", "line_number").agg(copies=claims.count())
    return _facts(lines, lines_brought_twice=(lines.copies > 1).sum())


def _near_duplicates(claims: ibis.Table) -> ibis.Table:
    """Count groups of paid lines equal in every field of the natural key and different in their claim."""
    paid = claims.filter(claims.paid_usd > 0)
    same = paid.group_by(list(NATURAL_KEY)).agg(claims=paid.claim_id.nunique())
    return _facts(same, near_duplicates=(same.claims > 1).sum())


def _share(amount: ibis.Value, is_part: ibis.Value) -> ibis.Value:
    """Give the part's share of an amount; null where the whole is zero."""
    part = ibis.ifelse(is_part.fill_null(False), amount, 0).sum().cast("float64")
    return part / amount.sum().cast("float64").nullif(0)


def _facts(table: ibis.Table, **counts: ibis.Value) -> ibis.Table:
    """Turn one row of counts into one row per count."""
    row = table.aggregate(**{name: value.cast("float64") for name, value in counts.items()})
    parts = [row.select(fact=ibis.literal(name), value=row[name]) for name in counts]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
