"""Sentences of the report on the five programs: savings, margins, incentives, and published amounts beside ours."""

from __future__ import annotations

import pandas as pd

from ratebook.release.cost_sentences import listed
from ratebook.release.sentences import Tables, section
from ratebook.release.wording import phrase, spell

PER_MEMBER = "per member per month"


@section("programs")
def say_programs(tables: Tables, settings: dict) -> list[str]:
    """Say which design saves the State most, what plans keep, what they are paid for, and how far we are from print."""
    rows = tables["program_comparison"]
    known = rows[rows.state_saving_pmpm_usd.notna() & (rows.scenario == "as_is")]
    if known.empty:
        return ["No member of these data would be enrolled by any of the five programs, so none could be priced."]
    return [
        *_say_savings(known),
        *_say_response(rows, known),
        *_say_incentives(tables["program_incentives"]),
        *_say_print(tables["rate_scales"], tables["rate_orders"]),
    ]


def _say_savings(known):
    known = known.sort_values("state_saving_pmpm_usd")
    said = [f"{len(known)} designs are priced on the same people, each by its own formula."]
    for row, word in ((known.iloc[-1], "most"), (known.iloc[0], "least")):
        shown = {**row.to_dict(), "estimate": row.state_saving_pmpm_usd}
        said.append(f"The State saves {word} under {_named(row)}: {phrase(shown, 'usd')} {PER_MEMBER}.")
    losing = known[known.margin_upper < 0]
    said.append(
        f"Under {len(losing)} of them a plan that changed nothing in care would lose, by the whole interval"
        + (f": {listed([_place(row) for _, row in losing.iterrows()])}." if len(losing) else ".")
    )
    return said


def _say_response(rows, known):
    """Say what avoided facility days are worth to plan and State, in the middle of all designs."""
    key = ["program", "state", "area", "era"]
    both = known.merge(rows[rows.scenario == "response"], on=key, suffixes=("", "_response"))
    if both.empty or both.plan_margin_pmpm_usd_response.isna().all():
        return []
    gain = (both.plan_margin_pmpm_usd_response - both.plan_margin_pmpm_usd).median()
    saved = (both.state_saving_pmpm_usd_response - both.state_saving_pmpm_usd).max()
    share = spell(both.avoided_share_response.iloc[0], "share")
    return [
        f"Were plans to turn {share} of facility days into days at home, an assumption, the median design's plan would "
        f"keep {spell(gain, 'usd')} more {PER_MEMBER}; the State, at rates held, would save at most {spell(saved, 'usd')} "
        "more, where it pays facility days itself."
    ]


def _say_incentives(incentives):
    said = []
    rows = incentives[(incentives.incentive == "nf_day_avoided") & incentives.estimate_usd.notna()]
    if len(rows):
        rows = rows.sort_values("estimate_usd")
        for row, word in ((rows.iloc[-1], "most"), (rows.iloc[0], "least")):
            shown = {**row.to_dict(), "estimate": row.estimate_usd}
            said.append(f"A facility day avoided gains a plan {word} under {_place(row)}: {phrase(shown, 'usd')}.")
    rows = incentives[(incentives.incentive == "member_moved") & (incentives.upper < 0)]
    if len(rows):
        places = listed([_place(row) for _, row in rows.iterrows()])
        said.append(f"A plan loses by moving a resident home under {places}: the rate falls by more than the cost.")
    return said


def _say_print(scales, orders):
    said = []
    told = scales[scales.is_same_order.notna()]
    if len(told):
        same = int(told.is_same_order.astype(bool).sum())
        said.append(f"{same} of {len(told)} of our rates are of the order of magnitude of the published ones.")
    told = orders[orders.verdict.notna() & (orders.verdict != "unknown")]
    if len(told):
        counts = told.verdict.value_counts()
        said.append(
            f"Of {len(told)} orders between published amounts {counts.get('kept', 0)} are kept, "
            f"{counts.get('not told', 0)} cannot be told and {counts.get('reversed', 0)} are reversed; the table says why."
        )
    return said


def _named(row: pd.Series) -> str:
    return f"{row['name']} ({_place(row).partition(' ')[2]})"


def _place(row: pd.Series) -> str:
    parts = [row.state, *[part for part in (row.area, row.era) if part not in ("all", None)]]
    return f"{row.program} {', '.join(parts)}"
