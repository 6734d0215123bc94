"""What is shown of cost: four denominators side by side, who bears what, sums of categories, and the plane."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost import COSTS, ROWS
from ratebook.contracts.cost_exhibits import (
    EXHIBIT_TABLES,
    EXHIBITED,
    BreakEvenLine,
    CategorySums,
    Perspectives,
    Plane,
    PmpmExhibit,
)
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Sample, mean_cost
from ratebook.cost.drawn import Drawn
from ratebook.cost.panels import MEMBERS_OF
from ratebook.cost.resample import contrast, per
from ratebook.tables import empty_frame, frame_of

NUMERATORS = {
    "P1": ("program", "paid to the navigator"),
    "P2": ("program", "paid to the navigator"),
    "P4": ("total_sud", "all SUD cost, the navigator's included"),
    "P5": ("total_sud", "all SUD cost, the navigator's included"),
}
"""Of each variant of the exhibit what stands above the line, as a code and in words."""
WHOLES = {name: MEMBERS_OF[name] for name in ("total_sud", "other_sud", "tcoc")}
SUMS = WHOLES | {"tcoc_without_navigator": tuple(c for c in MEMBERS_OF["tcoc"] if c not in MEMBERS_OF["program"])}
"""Which categories each sum adds up."""
BORNE = [(bearer, cost) for bearer in ("claims", "payer") for cost in ("program", "total_sud", "tcoc")]
BORNE.append(("provider", "outside"))
"""Perspectives and the costs each bears: claims are the provider's revenue."""
LINE_STEPS = 40
NOT_SAMPLED = "a sum of the ledger over all clients: no sampling error, so no limits"
NOT_COMPARED = "cost outside claims has no ratio: an arm may bear none"
NOT_AN_ESTIMATE = "one draw of providers: no interval of its own"


def exhibit_pmpm(pmpm: pd.DataFrame, mm_rule: str) -> pd.DataFrame:
    """Set P1, P2, P4 and P5 side by side: both arms, their difference and ratio, each with both halves in words.

    Engaged months are exact (days / 30.4375), eligible months by `mm_rule`. A row compares the arms within one
    variant: P1 of one arm is never set against P4 of the other.

    Parameters
    ----------
    pmpm : pandas.DataFrame
        As `Pmpm`.
    mm_rule : str
        The rule eligible months were counted by.

    Returns
    -------
    pandas.DataFrame
        As `PmpmExhibit`; without a row where the cohort is empty.

    References
    ----------
    methods.md, D2, H35 and H70.
    """
    wanted = [(variant, NUMERATORS[variant][0], rule) for variant in EXHIBITED for rule in ("exact", mm_rule, "none")]
    keys = pd.MultiIndex.from_frame(pmpm[["variant", "numerator", "month_rule"]])
    rows = pmpm[keys.isin(wanted) & (pmpm.plan == "all") & pmpm.arm.isin([*ARMS, "difference"])]
    words = rows.variant.map({variant: words for variant, (_, words) in NUMERATORS.items()})
    return frame_of(rows.assign(numerator_words=words), PmpmExhibit)


def derive_exhibits(drawn: Drawn, outside_costs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Derive what is shown beside the estimates, all from one set of replicates.

    Parameters
    ----------
    drawn : Drawn
        Both arms.
    outside_costs : pandas.DataFrame
        As `OutsideCosts`.

    Returns
    -------
    dict
        The tables of `EXHIBIT_TABLES`; without a row where an arm has no member.

    References
    ----------
    methods.md, D1 and D8.
    """
    if not drawn.has_both:
        return {name: empty_frame(contract) for name, contract in EXHIBIT_TABLES.items()}
    return {
        "perspectives": compare_perspectives(drawn, outside_costs),
        "category_sums": sum_categories(drawn),
        "plane": draw_plane(drawn),
        "break_even_line": draw_break_even_line(drawn),
    }


def compare_perspectives(drawn: Drawn, outside_costs: pd.DataFrame) -> pd.DataFrame:
    """Add to claims what each bearer pays outside them, per client and per engaged month of the program.

    A bearer without an item on record bears nothing; without any record of cost outside claims nothing is said of
    payer and provider. The outside amount is the same in every replicate: it has no sampling error.

    References
    ----------
    methods.md, D1 and H44.
    """
    means, rows = dict(zip(ARMS, drawn.pair)), []
    for perspective, estimand in BORNE:
        for unit in ("client", "engaged_month"):
            key = {"perspective": perspective, "estimand": estimand, "per": unit}
            arms = {arm: _borne(means[arm], outside_costs, arm, perspective, estimand, unit) for arm in ARMS}
            for arm, (claims, outside, persons, why) in arms.items():
                found = _sampled(drawn.found(claims + outside, arm, why), estimand)
                is_known = np.isfinite(found["estimate"])
                parts = {
                    "claims_usd": claims[0] if is_known and estimand != "outside" else np.nan,
                    "outside_usd": outside[0] if is_known else np.nan,
                }
                counts = {"persons": drawn.persons(arm), "spread_persons": persons}
                rows.append({**key, "arm": arm, **counts, **parts, **found})
            difference, ratio = contrast(*[claims + outside for claims, outside, *_ in arms.values()])
            why = next(filter(None, [part[3] for part in arms.values()]), "")
            ratios = drawn.found(ratio, "difference", why or (NOT_COMPARED if estimand == "outside" else ""), True)
            rows.append(
                {**key, "arm": "difference", "persons": drawn.persons("difference")}
                | _sampled(drawn.found(difference, "difference", why), estimand)
                | {"ratio": ratios["estimate"], "ratio_lower": ratios["lower"], "ratio_upper": ratios["upper"]}
            )
    return frame_of(rows, Perspectives, estimate_usd="estimate")


def _sampled(found: dict, estimand: str) -> dict:
    """Give no limits to a sum of the ledger alone: all replicates are one number, because nothing was sampled."""
    if estimand != "outside" or found["reason"] or found["std_error"] > 0:
        return found
    return {**found, "std_error": np.nan, "lower": np.nan, "upper": np.nan, "reason": NOT_SAMPLED}


def _borne(
    mean: dict, outside_costs: pd.DataFrame, arm: str, perspective: str, estimand: str, unit: str
) -> tuple[np.ndarray, np.ndarray, float, str]:
    """Give claims and outside cost of one arm by replicate, the clients behind the latter, and why it is not known."""
    claims = mean[estimand] if estimand != "outside" else np.zeros(len(mean["program"]))
    outside, persons, why = 0.0, np.nan, ""
    if perspective != "claims":
        mine = outside_costs[outside_costs.program == arm]
        outside = float(mine.client_usd[mine.perspective == perspective].sum(skipna=False))
        persons = float(mine.persons.max()) if len(mine) else np.nan
        if outside_costs.empty:
            why = "no cost outside claims is on record"
        elif np.isnan(outside):
            why = "no client of the program in the study window"
    outside = np.full(len(claims), outside)
    if unit == "engaged_month":
        claims, outside = (per(part, mean["engaged_months"]) for part in (claims, outside))
    return claims, outside, persons, why


def sum_categories(drawn: Drawn) -> pd.DataFrame:
    """Print SUD cost and all cost with and without the navigator, beside the sum of the categories' own estimates.

    References
    ----------
    methods.md, D1.
    """
    samples, rows = {arm: Sample(panel) for arm, panel in drawn.panels.items()}, []
    for name, categories in SUMS.items():
        key = {"sum_of": name, "has_navigator": "NAVIGATOR" in categories}
        of_arms = [mean[name] if name in mean else mean["tcoc"] - mean["program"] for mean in drawn.pair]
        draws = dict(zip(ARMS, of_arms)) | {"difference": contrast(*of_arms)[0]}
        added = {
            arm: sum(mean_cost(sample, category, "partitioned")[0] for category in categories)
            for arm, sample in samples.items()
        }
        added["difference"] = added["RSN"] - added["CSP"]
        for arm in ROWS:
            own = np.nan if drawn.absent else added[arm]
            found = drawn.found(draws[arm], arm)
            rows.append({**key, "arm": arm, "categories_usd": own, "persons": drawn.persons(arm), **found})
    return frame_of(rows, CategorySums, estimate_usd="estimate")


def draw_plane(drawn: Drawn) -> pd.DataFrame:
    """Give extra months and extra dollars replicate by replicate: the cloud of the cost-effectiveness plane.

    References
    ----------
    methods.md, D8.
    """
    rsn, csp = drawn.pair
    length = 0 if drawn.absent else len(rsn["program"])
    frame = pd.DataFrame({"replicate": range(max(length, 1))})
    for column, name in {"difference_months": "engaged_months", **{f"{cost}_usd": cost for cost in COSTS}}.items():
        frame[column] = rsn[name] - csp[name] if length else np.nan
    reason = drawn.absent or np.where(
        frame.replicate > 0, NOT_AN_ESTIMATE, "the estimate; its limits are in increments"
    )
    frame = frame.assign(persons=drawn.persons("difference"), reason=reason)
    return frame_of(frame, Plane)


def draw_break_even_line(drawn: Drawn) -> pd.DataFrame:
    """Pay RSN every monthly rate from 0 to past the one that breaks even and the one paid, beside what CSP cost.

    References
    ----------
    methods.md, D8.
    """
    rsn, csp = drawn.pair
    absent = drawn.absent or ("" if rsn["engaged_months"][0] > 0 else "no engaged month in RSN: no rate to pay")
    rows = []
    for rate in [0.0] if absent else line_rates(csp["program"][0], rsn["engaged_months"][0], rsn["program"][0]):
        for arm, draws in zip(ARMS, (rate * rsn["engaged_months"], csp["program"])):
            counted = {"rate_usd": rate, "arm": arm, "persons": drawn.persons(arm)}
            rows.append({**counted, **drawn.found(draws, arm, absent)})
    return frame_of(rows, BreakEvenLine, estimate_usd="estimate")


def line_rates(budget_usd: float, months: float, paid_usd: float) -> np.ndarray:
    """Give even rates from 0 past the break-even and past what was paid, in whole dollars."""
    top = 1.25 * max(1.6 * budget_usd, paid_usd) / months
    return np.arange(LINE_STEPS + 1) * max(1.0, np.ceil(top / LINE_STEPS))
