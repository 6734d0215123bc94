"""Checks of cleaning, coverage, episodes and the cohort (H1 to H25)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ratebook.disclosure import is_small
from ratebook.review.seen import CannotSay, Seen, checks

DAY = np.timedelta64(1, "D")
UNANSWERED_DAYS = 1_000.0
"""The value of a wait that no analysis answers: beyond every wait."""


@checks("H1")
def tie_to_control_totals(seen: Seen):
    """Compare the supplier's totals with ours by month paid and category, and add the waterfall up to the dollar.

    Raw plus every change of a rule is final, and final is the cost of the claims. A month and category that only one
    side has is a difference of the whole.
    """
    attrition = seen.table("attrition")
    gap = waterfall_gap(attrition, seen.facts.get("cost_usd"))
    if gap > 1:
        return 1.0, f"the waterfall of dollars misses its end by ${gap:,.2f}"
    stated = seen.tables.get("reconciliation", pd.DataFrame())
    if stated.empty:
        raise CannotSay("the source has no control totals; the waterfall of dollars adds up")
    cells = stated.groupby(["paid_month", "category"], dropna=False)[["paid_usd", "control_usd"]]
    usd = cells.sum(min_count=1).astype(float)
    usd = usd[usd.fillna(0).ne(0).any(axis=1)].fillna(0)
    gaps = (usd.paid_usd - usd.control_usd).abs() / usd.control_usd.abs().where(usd.control_usd != 0)
    failing = int((stated.status == "fail").sum())
    return gaps.fillna(1.0).max(), f"{len(usd):,} months and categories; {failing:,} rows of single files fail"


def waterfall_gap(attrition: pd.DataFrame, cost_usd: float | None = None) -> float:
    """Give the largest dollars by which a table's first amount plus its changes misses its last.

    The last amounts of the claims' tables together miss the cost of the final lines by what they differ from it.
    """
    gaps, ends = [], {}
    for table, steps in attrition.sort_values("step").groupby("source_table"):
        paid = steps[["paid_in_usd", "delta_usd", "paid_out_usd"]].astype(float)
        gaps.append(abs(paid.paid_in_usd.iloc[0] + paid.delta_usd.sum() - paid.paid_out_usd.iloc[-1]))
        ends[table] = paid.paid_out_usd.iloc[-1]
    if cost_usd is not None and not pd.isna(cost_usd):
        gaps.append(abs(sum(ends.values()) - cost_usd))
    return max(gaps)


@checks("H2")
def void_or_original_kept(seen: Seen):
    """Count families of adjustments with two final records or the same line twice, and voids among final lines."""
    seen.fact("claim_lines")
    voids = seen.fact("void_lines")
    return (
        max(seen.fact("families_of_two_records"), seen.fact("lines_kept_twice")) + voids,
        f"{voids:,.0f} voids are among the final lines",
    )


@checks("H3")
def header_and_lines_summed(seen: Seen):
    """Compare final dollars with the cash that moved and with what claim headers say: twice is a double sum.

    Dollars above the headers' count; below them stand denied lines. Where headers and lines agree throughout, a sum
    of both would be twice the header.
    """
    ledger = seen.fact("ledger_served_usd")
    if ledger <= 0:
        raise CannotSay("the ledger holds no dollars")
    apart = abs(seen.fact("claims_usd") / ledger - 1)
    headers = seen.facts.get("header_usd")
    if headers is None or pd.isna(headers) or headers <= 0:
        return apart, "no header amounts to compare with"
    above = seen.fact("headed_final_usd") / headers - 1
    agree = seen.fact("header_equals_lines_share")
    return max(apart, above), f"header and lines agree in {100 * agree:.1f}% of the claims that state both"


@checks("H4")
def capitation_beside_encounters(seen: Seen):
    """Count lines of cost that are no service, and member months whose capitation stands among cost again."""
    return seen.fact("lines_neither_ffs_nor_encounter") + seen.fact("capitation_months_in_cost")


@checks("H5")
def denied_in_use(seen: Seen):
    """Count final lines whose raw row says that they were denied."""
    lines = seen.fact("claim_lines")
    return seen.fact("denied_lines"), f"{lines:,.0f} final lines were held against their raw rows"


@checks("H6")
def services_outside_coverage(seen: Seen):
    """Give the share of dollars served on days nobody was covered."""
    cost = seen.table("exposure_qa", "check_id == 'claims_cost'")
    return cost.value[cost.level == "outside"].sum() / _whole(cost)


@checks("H8")
def dual_cost_unseen(seen: Seen):
    """Give the share of member months with full Medicare-Medicaid coverage, whose Medicare claims are not here."""
    return seen.fact("full_dual_share"), "Medicare claims are not part of the input"


@checks("H9")
def unit_scale(seen: Seen):
    """Give the share of dollars on lines whose units were flagged and corrected."""
    return seen.fact("flagged_units_share")


@checks("H10")
def overlapping_spans(seen: Seen):
    """Count person-years of more than twelve member months, and one more where months exceed covered days over 28."""
    years = seen.table("exposure_qa", "check_id == 'double_count'")
    months, days = seen.fact("fractional_member_months"), seen.fact("eligible_days")
    over = years.value[years.level == "over_12_months_a_year"].sum()
    return over + (months > days / 28), f"{months:,.0f} member months stand on {days:,.0f} covered days"


@checks("H12")
def unmapped_codes(seen: Seen):
    """Give the share of dollars whose codes name no category, or whose codes' use jumps from one quarter to the next.

    A sub-acute code of whose stays more than 30 percent follow an acute one at once is a step down: where it is read
    as detoxification, the code table errs.
    """
    codes = seen.tables.get("detox_codes", pd.DataFrame())
    detox_levels = seen.settings.get("episodes", {}).get("detox_levels", [])
    wrong = sorted(codes.code[codes.is_step_down & codes.level.isin(detox_levels)]) if len(codes) else []
    if wrong:
        return 1.0, f"{', '.join(wrong)} looks like step-down, not detox: most of its stays follow an acute one"
    jumping = seen.facts.get("jumping_codes_share")
    jumping = 0.0 if jumping is None or pd.isna(jumping) else jumping
    codes = seen.facts.get("jumping_codes") or 0
    return seen.fact("unmapped_share") + jumping, f"the use of {codes:,.0f} codes jumps"


@checks("H13")
def brought_twice(seen: Seen):
    """Count lines of one claim number that stand twice, and services that two feeds bring under two numbers."""
    near = seen.fact("near_duplicates")
    return (
        seen.fact("lines_brought_twice") + seen.fact("services_in_two_feeds"),
        f"{near:,.0f} more look alike under two claim numbers of one feed; they are kept",
    )


@checks("H14")
def transfer_as_readmission(seen: Seen):
    """Count readmissions within a day, or within the gap that joins stays, and those of who had not been discharged.

    Asked of the episodes; of the cohort, whose readmissions are what outcomes count; and of the table of readmissions,
    which may count no more persons in a window than the cohort has in it after the gap.
    """
    seen.fact("episodes")
    gap = max(seen.setting("episodes", "episode_gap_days"), 1)
    cohort = seen.table("cohort")
    days = (cohort.readmission_date - cohort.discharge_date).dt.days
    too_soon = int((days <= gap).sum())
    counted = seen.table("readmission", "arm == 'all' and method == 'complete_window'")
    excess = [row.readmitted - days.between(gap + 1, row.window_days).sum() for row in counted.itertuples()]
    still = seen.fact("readmissions_of_inpatients")
    found = seen.fact("readmissions_within_gap") + still + too_soon + max(*excess, 0)
    return (
        found,
        f"{still:,.0f} follow an episode that ended still a patient; {too_soon:,} in the cohort come too soon",
    )


@checks("H15")
def index_rule_stated(seen: Seen):
    """Count index rules that the config does not state; the table of other rules has to stand beside them."""
    for name in ("unit", "min_detox_12m", "count_index", "index_rule"):
        seen.setting("episodes", name)
    variants = seen.table("cohort_variants", "arm == 'all'")
    return float(variants.is_chosen.sum() != 1), f"{len(variants)} readings of repeated detoxification are compared"


@checks("H16")
def future_conditioned(seen: Seen):
    """Count rules of the flow that look further ahead than the day after discharge."""
    return (seen.table("cohort_flow").days_ahead > 1).sum()


@checks("H17")
def immortal_time(seen: Seen):
    """Compare the arms' median days from discharge to first contact; without an answer to immortal time, fail.

    An answer is a difference in engaged days, with its estimate, from a landmark or of weighted clones: an arm named
    by what came after discharge is else credited with the time in which nothing could happen to its members.
    """
    cohort = seen.table("cohort", "arm in ('RSN', 'CSP')")
    waited = (cohort.first_contact_date - cohort.discharge_date).dt.days.groupby(cohort.arm).median()
    if len(waited) < 2:
        raise CannotSay("only one arm has a first contact")
    apart = abs(waited["RSN"] - waited["CSP"])
    rows = seen.table("engagement", "estimand == 'engaged_days_difference'")
    given = rows[rows.estimate.notna()].method.astype(str)
    clones, landmarks = (given.str.startswith(kind).any() for kind in ("clone_censor_weight_", "landmark_"))
    if not (clones or landmarks):
        return UNANSWERED_DAYS, f"the waits differ by {apart:g} days, and no landmark and no weighted clones answer it"
    answers = [name for name, found in (("weighted clones", clones), ("landmarks", landmarks)) if found]
    return apart, f"{' and '.join(answers)} stand beside the estimate as treated"


@checks("H18")
def treatment_as_outcome(seen: Seen):
    """Count the navigator and detoxification in continuity of care: rules that allow it, and care that was nothing else.

    On the day on which care is said to have continued, some line of the member must be neither.
    """
    stated = seen.settings.get("episodes", {})
    treated = {"NAVIGATOR", "WM_HOSP", "WM_RES", "WM_OP", *stated.get("detox_levels", [])}
    counted = treated.intersection(stated.get("coc_categories", []))
    alone = seen.fact("continued_by_treatment_alone")
    rules = len(counted) + bool(stated.get("coc_count_navigator"))
    return rules + alone, f"{alone:,.0f} waits ended on a day with no other care"


@checks("H19")
def attrition_shown(seen: Seen):
    """Count steps of the cohort's flow that gain persons, do not start where the last ended, or end elsewhere."""
    flow = seen.table("cohort_flow").sort_values("step")
    cohort = seen.tables.get("cohort")
    misses = 0 if cohort is None else int(flow.persons_out.iloc[-1] != len(cohort))
    gains = (flow.persons_out > flow.persons_in).sum()
    breaks = (flow.persons_in.iloc[1:].to_numpy() != flow.persons_out.iloc[:-1].to_numpy()).sum()
    return gains + breaks + misses


@checks("H20")
def contamination(seen: Seen):
    """Give the share of engaged members with contacts of both programs, in whole percent above; count workers of both.

    With few such members in either arm no share is given: their number would follow from it.
    """
    cohort = seen.table("cohort", "arm in ('RSN', 'CSP')")
    both = cohort.is_both_programs.groupby(cohort.arm).sum()
    if is_small(both, seen.setting("release", "suppress_below")).any():
        raise CannotSay("so few members had contacts of both programs that their share is not shown")
    mixed = seen.tables.get("contamination", pd.DataFrame(columns=["measure"])).query("measure == 'mixed_workers'")
    workers = f"; workers who deliver both: {mixed.counted.sum()} of {mixed.looked_at.sum()}" if len(mixed) else ""
    share = math.ceil(round(100 * cohort.is_both_programs.mean(), 6)) / 100
    return share, f"analysed by the first program, whatever came after{workers}"


@checks("H22")
def bundle(seen: Seen):
    """Say, always, that training, coaching and incentives came with the case rate."""
    seen.table("cohort", "arm == 'RSN'")
    return 1.0, "the effect of the payment form is not separable from training, coaching and client incentives"


@checks("H25")
def end_of_data_as_event(seen: Seen):
    """Count spells said to have ended while observation ended within the silence that would show it.

    Observation of a member ends with the data, with coverage or with life, whichever comes first.
    """
    spells = seen.table("spells", "end_reason in ('disengaged', 'lost', 'graduated')")
    gap, end = seen.setting("episodes", "spell_gap_days"), pd.Timestamp(seen.setting("study", "window_end"))
    observed = seen.table("cohort").set_index("person_id").follow_end_date.reindex(spells.person_id).to_numpy()
    last = spells.last_date.to_numpy()
    by_data, by_member = (end - spells.last_date).dt.days <= gap, ~((observed - last) / DAY > gap)
    return (by_data | by_member).sum(), f"{by_member.sum():,} within the silence before the member's own end"


@checks("H33")
def informative_disenrolment(seen: Seen):
    """Test whether the arms lose members alike: in follow-up, and among spells whose end was not seen (chi-squared).

    The smaller p of the two. Where estimates weighted for those who lost coverage stand beside the headline, an
    unlike share is answered: the check then gives no less than 0.05, and its remark the p.
    """
    from scipy.stats import chi2_contingency

    cohort = seen.table("cohort", "arm in ('RSN', 'CSP')")
    table = pd.crosstab(cohort.arm, cohort.follow_end_reason == "disenrolled")
    if table.shape != (2, 2):
        raise CannotSay("nobody, or everybody, was disenrolled, or only one arm stands")
    tests = {"in follow-up": chi2_contingency(table, correction=False).pvalue}
    models = seen.tables.get("engagement_models", pd.DataFrame(columns=["model", "p_value"]))
    causes = models.p_value[models.model == "censoring"].dropna()
    tests |= {"by cause among censored spells": causes.iloc[0]} if len(causes) else {}
    p_value, said = min(tests.values()), "; ".join(f"p = {p:.2g} {where}" for where, p in tests.items())
    rows = seen.tables.get("engagement", pd.DataFrame({"method": [], "estimate": []}))
    if not rows.estimate[rows.method == "ipcw"].notna().any():
        return p_value, f"{said}; no estimate weighted for losses stands beside the headline"
    return max(p_value, 0.05), f"{said}; estimates weighted for losses (ipcw) stand beside the headline"


def _whole(rows: pd.DataFrame) -> float:
    whole = rows.value.sum()
    if not whole:
        raise CannotSay("there are no dollars to share out")
    return whole
