"""One number each of the claims-scale tables, for the checks that need it."""

from __future__ import annotations

import ibis

from ratebook.clean.lines import denial_rule, unite_lines
from ratebook.clean.members import with_person
from ratebook.contracts import clean, episodes, exposure, intake
from ratebook.dates import month_of
from ratebook.episodes.stays import STILL_PATIENT

COUNTED_IN = {
    "medical_claims": intake.MedicalClaims,
    "pharmacy_claims": intake.PharmacyClaims,
    "capitation_payments": intake.CapitationPayments,
    "identity": clean.Identity,
    "claims": clean.Claims,
    "cash_ledger": clean.CashLedger,
    "spans": exposure.Spans,
    "member_months": exposure.MemberMonths,
    "episodes": episodes.Episodes,
    "cohort": episodes.Cohort,
    "continuity": episodes.Continuity,
}
"""The tables `check_claims` reads."""
TREATMENT = ["NAVIGATOR", "WM_HOSP", "WM_RES", "WM_OP"]
"""Categories and levels of care that are the program studied or another detoxification: never what continues care."""
LEAST_LINES = 30
"""Fewer lines in half a year are too few to say that a code's use jumped."""
SAID = ["record_type", "denied_flag", "claim_status_code", "line_status_code", "header_paid_amount", "adjustment"]
SAID += ["raw_usd"]
RAW = ["source_table", "load_sequence", "source_file", *SAID]
"""What is read again of a raw row."""
NATURAL_KEY = (
    "person_id", "claim_type", "service_start_date", "service_end_date", "hcpcs_code", "hcpcs_modifier_1",
    "revenue_center_code", "ndc_code", "diagnosis_code_1", "units", "paid_usd", "billing_npi", "rendering_npi",
)  # fmt: skip
"""Two lines equal in all of these and different in their claim look like one service billed twice."""


def check_claims(tables: dict[str, ibis.Table], settings: dict) -> ibis.Table:
    """Count over the large tables what the checklist asks of them.

    A share whose whole is zero is null: there was nothing to count.

    Parameters
    ----------
    tables : dict
        Those of `COUNTED_IN`: final lines, their raw rows, signed records, coverage, episodes, capitation.
    settings : dict
        `episode_gap_days` (longest gap that joins two stays into one episode: one as short, or of a day, is never a
        readmission),
        `window_start` and `window_end` of the study, `base_start` and `base_end` of the rates' base, `mm_rule`.

    Returns
    -------
    ClaimFacts

    References
    ----------
    methods.md, H1 to H18.
    """
    claims, ledger, episodes = tables["claims"], tables["cash_ledger"], tables["episodes"]
    beside = _beside_raw(tables)
    parts = [
        _facts(
            claims,
            claim_lines=claims.count(),
            lines_neither_ffs_nor_encounter=claims.record_type.notin(["ffs", "encounter"]).sum(),
            flagged_units_share=_share(claims.cost_usd, claims.units_flag.notnull()),
            unmapped_share=_share(claims.cost_usd, claims.category == "OTHER"),
            claims_usd=claims.paid_usd.sum(),
            cost_usd=claims.cost_usd.sum(),
        ),
        _facts(
            ledger,
            ledger_usd=ledger.signed_usd.sum(),
            ledger_served_usd=ibis.ifelse(ledger.record_type.isin(["ffs", "encounter"]), ledger.signed_usd, 0).sum(),
        ),
        _facts(
            beside,
            denied_lines=denial_rule(beside).notnull().sum(),
            void_lines=(beside.adjustment == "void").sum(),
        ),
        _continued_by_treatment(claims, tables["cohort"], tables["continuity"]),
        _headers(beside),
        _brought_by_two_feeds(beside),
        _families(claims),
        _lines_kept_twice(claims),
        _lines_brought_twice(claims),
        _near_duplicates(claims),
        _capitation_in_cost(claims, tables["capitation_payments"], tables["identity"]),
        _jumping_codes(claims, settings["window_start"], settings["window_end"]),
        *_coverage(tables["member_months"], tables["spans"], settings),
        _facts(
            episodes,
            episodes=episodes.count(),
            readmissions_within_gap=_is_continued(episodes, settings["episode_gap_days"]).sum(),
            readmissions_of_inpatients=_again_still_a_patient(episodes).sum(),
            transfers=episodes.is_transfer.sum(),
        ),
    ]
    return ibis.union(*parts)


def _beside_raw(tables: dict[str, ibis.Table]) -> ibis.Table:
    """Put beside each final line its raw row: what the source said of it before any rule."""
    raw = unite_lines(tables["medical_claims"], tables["pharmacy_claims"], RAW)
    raw = raw.select(
        *SAID,
        raw_sequence="load_sequence",
        is_pharmacy=raw.source_table == "pharmacy_claims",
        feed=raw.source_file.re_replace("[0-9]+", "#"),
    )
    claims = tables["claims"].select("claim_id", "is_money_only", "load_sequence", *NATURAL_KEY)
    claims = claims.mutate(of_pharmacy=claims.claim_type == "pharmacy")
    return claims.join(raw, [claims.load_sequence == raw.raw_sequence, claims.of_pharmacy == raw.is_pharmacy])


def _headers(beside: ibis.Table) -> ibis.Table:
    """Add up claims that state a header amount: what counts for them, what the header says, and where lines agree."""
    headed = beside.filter(beside.header_paid_amount.notnull(), ~beside.is_money_only)
    claims = headed.group_by("claim_id").agg(
        header_usd=headed.header_paid_amount.max(), line_usd=headed.raw_usd.sum(), final_usd=headed.paid_usd.sum()
    )
    return _facts(
        claims,
        header_usd=claims.header_usd.sum(),
        headed_final_usd=claims.final_usd.sum(),
        header_equals_lines_share=_share(ibis.literal(1), claims.header_usd == claims.line_usd, claims.count()),
    )


def _brought_by_two_feeds(beside: ibis.Table) -> ibis.Table:
    """Count services whose every field stands in two feeds; files that differ in their digits only are one feed."""
    served = beside.filter(beside.paid_usd > 0, ~beside.is_money_only, beside.feed.notnull())
    same = served.group_by(list(NATURAL_KEY)).agg(feeds=served.feed.nunique())
    return _facts(same, services_in_two_feeds=(same.feeds > 1).sum())


def _families(claims: ibis.Table) -> ibis.Table:
    """Count families of adjustments with more than one final record of service; dollars alone may stand beside it."""
    served = claims.filter(~claims.is_money_only)
    served = served.mutate(is_pharmacy=served.claim_type == "pharmacy")
    families = served.group_by("is_pharmacy", "family_id").agg(records=served.claim_id.nunique())
    return _facts(families, families_of_two_records=(families.records > 1).sum())


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


def _capitation_in_cost(claims: ibis.Table, capitation: ibis.Table, identity: ibis.Table) -> ibis.Table:
    """Count member months with a capitation payment whose very dollars stand among cost, on a line that serves nothing."""
    bare = claims.filter(
        claims.hcpcs_code.isnull() & claims.revenue_center_code.isnull() & claims.ndc_code.isnull(),
        claims.cost_usd != 0,
    )
    bare = bare.select("person_id", service_month=month_of(bare.service_start_date), usd=bare.cost_usd)
    paid = with_person(capitation, identity, capitation.coverage_month)
    paid = paid.select(owner_id="person_id", month=month_of(paid.coverage_month), amount=paid.amount)
    same = [bare.person_id == paid.owner_id, bare.service_month == paid.month, bare.usd == paid.amount]
    both = bare.semi_join(paid, same).select("person_id", "service_month").distinct()
    return _facts(both, capitation_months_in_cost=both.count())


def _jumping_codes(claims: ibis.Table, window_start: str, window_end: str) -> ibis.Table:
    """Find procedure codes whose use jumps: more than doubles or halves from one quarter to the next.

    Every month from the study's second year on is looked at: the three months from it hold more than twice, or less
    than half, the lines of the three before it, and the two differ by more than three standard deviations of a count.
    """
    coded = claims.filter(
        claims.hcpcs_code.notnull(), ~claims.is_money_only, claims.service_start_date.between(window_start, window_end)
    )
    monthly = coded.group_by("hcpcs_code", month=_month_number(coded.service_start_date)).agg(lines=coded.count())
    # A month is one of the three from itself and the two months before it, and one of the three before the next three.
    spread = monthly.mutate(shift=ibis.array(list(range(-2, 4))).unnest())
    spread = spread.mutate(at=spread.month + spread.shift)
    quarters = spread.group_by("hcpcs_code", "at").agg(
        after=ibis.ifelse(spread.shift <= 0, spread.lines, 0).sum(),
        before=ibis.ifelse(spread.shift > 0, spread.lines, 0).sum(),
    )
    first, last = (_month_number(ibis.date(day)) for day in (window_start, window_end))
    quarters = quarters.filter(quarters.at >= first + 12, quarters.at <= last - 2)
    change, both = quarters.after - quarters.before, quarters.after + quarters.before
    doubled = ibis.greatest(quarters.after, quarters.before) > 2 * ibis.least(quarters.after, quarters.before)
    jumps = quarters.filter(doubled, change * change > 9 * both, both >= LEAST_LINES)
    jumps = jumps.select(jumping_code="hcpcs_code").distinct()
    marked = coded.left_join(jumps, coded.hcpcs_code == jumps.jumping_code)
    return _facts(
        marked,
        jumping_codes=marked.jumping_code.nunique(),
        jumping_codes_share=_share(marked.cost_usd, marked.jumping_code.notnull()),
    )


def _month_number(day: ibis.Value) -> ibis.Value:
    return (day.year() * 12 + day.month()).cast("int64")


def _is_continued(episodes: ibis.Table, gap_days: int) -> ibis.Value:
    """Mark episodes that the next follows so soon that it is a transfer: on the next day at the latest, or in the gap."""
    return (episodes.days_to_next <= max(gap_days, 1)).fill_null(False)


def _continued_by_treatment(claims: ibis.Table, cohort: ibis.Table, continuity: ibis.Table) -> ibis.Table:
    """Count members whose care continued on a day on which they had the navigator or detoxification and nothing else."""
    waits = continuity.filter(continuity.is_continued).select("person_id", "days_to_service").distinct()
    days = cohort.select("discharge_date", member="person_id")
    waits = waits.join(days, waits.person_id == days.member)
    waits = waits.mutate(day=(waits.discharge_date + waits.days_to_service.as_interval("D")).cast("date"))
    is_treatment = (claims.category.isin(TREATMENT) | claims.level.isin(TREATMENT)).fill_null(False)
    care = claims.filter(~is_treatment).select("person_id", day="service_start_date")
    alone = waits.select("person_id", "day").anti_join(care, ["person_id", "day"])
    return _facts(alone, continued_by_treatment_alone=alone.person_id.nunique())


def _again_still_a_patient(episodes: ibis.Table) -> ibis.Value:
    """Mark episodes whose last bill says still a patient, and that another follows within 30 days: one stay, cut."""
    return ((episodes.discharge_status == STILL_PATIENT) & (episodes.days_to_next <= 30)).fill_null(False)


def _coverage(months: ibis.Table, spans: ibis.Table, settings: dict) -> list[ibis.Table]:
    """Add up coverage twice, by member months and by days of spans, and what of the rates' base is retroactive."""
    in_base = months.service_month.between(settings["base_start"], settings["base_end"])
    counted = months[f"mm_{settings['mm_rule']}"]
    days = spans.end_date.delta(spans.start_date, unit="day") + 1
    return [
        _facts(
            months,
            member_months=months.count(),
            fractional_member_months=months.mm_fractional.sum(),
            full_dual_share=_share(months.mm_fractional, months.dual_group == "full"),
            retro_base_months=ibis.ifelse(in_base & months.is_retro, counted, 0).sum().fill_null(0),
        ),
        _facts(spans, eligible_days=days.sum()),
    ]


def _near_duplicates(claims: ibis.Table) -> ibis.Table:
    """Count groups of paid lines equal in every field of the natural key and different in their claim."""
    paid = claims.filter(claims.paid_usd > 0)
    same = paid.group_by(list(NATURAL_KEY)).agg(claims=paid.claim_id.nunique())
    return _facts(same, near_duplicates=(same.claims > 1).sum())


def _share(amount: ibis.Value, is_part: ibis.Value, whole: ibis.Value | None = None) -> ibis.Value:
    """Give the part's share of an amount; null where the whole is zero."""
    part = ibis.ifelse(is_part.fill_null(False), amount, 0).sum().cast("float64")
    return part / (amount.sum() if whole is None else whole).cast("float64").nullif(0)


def _facts(table: ibis.Table, **counts: ibis.Value) -> ibis.Table:
    """Turn one row of counts into one row per count."""
    row = table.aggregate(**{name: value.cast("float64") for name, value in counts.items()})
    parts = [row.select(fact=ibis.literal(name), value=row[name]) for name in counts]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
