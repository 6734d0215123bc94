"""What a design pays a plan for: a facility day avoided, a member moved home, members who cost little, cost left to Medicare."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.designs import MixSensitivity, ProgramIncentives
from ratebook.programs.comparison import Design
from ratebook.programs.rates import Costs, price_rate, rate_of, weights_of
from ratebook.programs.replicates import NO_MONTHS, estimate, ratio
from ratebook.programs.risk import Margins
from ratebook.tables import frame_of

PER_MONTH = "USD per member month"
GRID = np.linspace(0.0, 1.0, 11)
MEDICARE_INSIDE = "the plan is paid for Medicare's services too: nothing is left to another payer"
NO_BLEND = "the rate is no blend of comparison groups"
POINT = 0.01
WEIGHED = ("observed", "reweight", "blend", "at_most", "share_bids")
"""Keys of a term that weigh its groups."""


def derive_incentives(designs: list[Design], margins: Margins) -> pd.DataFrame:
    """Price what a plan gains by what it can do, on the common population, rates and cells as they are.

    - `nf_day_avoided`: a facility day becomes a day at home: the plan's cost of a day less a day of home services.
    - `member_moved`: a resident moves home: the rate of the cell they then are in, less a month at home, less what
      the rate of their cell left over their cost as residents.
    - `low_cost_half`: enrolling only those who cost no more than half of all members the year before: their margin
      less that of all who have a year before.
    - `medicare_shift`: what the plan would save, at most, were every service Medicare covers too left to Medicare,
      with the first 100 days of skilled facility stays; per month of members with Medicare. Nothing where the plan
      is paid for Medicare as well.
    - `mix_point`: what one point more weight on the first comparison group adds to a blended rate.

    Parameters
    ----------
    designs : list of Design
        As `price_designs` gives them.
    margins : Margins
        The plans' margins by person and year, as `ratebook.programs.risk` sums them.

    Returns
    -------
    ProgramIncentives

    References
    ----------
    methods.md, F6, E9 (dR/dp); Rudolph and Lubitz 1999, discussion: incentives, cost shifting, adverse selection.
    """
    rows = []
    for design in designs:
        found = {
            "nf_day_avoided": ("USD per facility day", _per_day(design), None),
            "member_moved": (PER_MONTH, _move(design), None),
            "low_cost_half": (PER_MONTH, margins.low_cost_gain(design.key), None),
            "medicare_shift": (PER_MONTH, _medicare(design), _why_none(design)),
            "mix_point": ("USD per point", _mix_point(design), None if _blended(design.scheme) else NO_BLEND),
        }
        rows += [_row(design, name, *amounts) for name, amounts in found.items()]
    return frame_of(rows, ProgramIncentives)


def _row(design, name, unit, values, reason):
    found = estimate(values)
    return {
        **design.key,
        "incentive": name,
        "unit": unit,
        "persons": design.persons,
        "estimate_usd": found["estimate"],
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": reason or (found["reason"] if design.months else NO_MONTHS),
    }


def _per_day(design: Design) -> np.ndarray:
    paid = design.paid("common")
    return ratio(paid["window_nf"] + paid["funded_nf"], paid["nf_days"]) - design.home_day()


def _move(design: Design) -> np.ndarray:
    residents = design.paid("common_residents")
    before = design.rate(design.cells("common_residents")) - ratio(residents["plan"], residents["months"])
    return design.rate(design.cells("common_moved")) - design.home_month() - before


def _medicare(design: Design) -> np.ndarray:
    if design.program["medicare"] == "inside":
        return design.whole
    sums, cells = design.costs.sums, design.cells("common_medicare")
    marked = {cell: [*_medicare_services(design, cell), "medicare_nf"] for cell in cells}
    total = sum(
        (sums.total("common_medicare", cell, f"{n}_usd") for cell in cells for n in marked[cell]), design.whole
    )
    return ratio(total, sum(cells.values(), design.whole))


def _medicare_services(design, cell):
    return [name for name in design.costs.services("covered", cell) if name in design.program["medicare_services"]]


def _why_none(design):
    return MEDICARE_INSIDE if design.program["medicare"] == "inside" else None


def _mix_point(design: Design) -> np.ndarray:
    if not _blended(design.scheme):
        return design.whole * np.nan
    share = _share_now(design)
    return _rate_at(design, share + POINT / 2) - _rate_at(design, share - POINT / 2)


def derive_mix_sensitivity(designs: list[Design]) -> pd.DataFrame:
    """Give each blended rate as the weight of its first comparison group goes from nothing to all.

    The other groups keep their proportions; the row `is_current` has the weight the rate uses.

    Returns
    -------
    MixSensitivity

    References
    ----------
    methods.md, E9: R = p NF + (1 - p) HCBS.
    """
    rows = []
    for design in designs:
        if blended := _blended(design.scheme):
            now = _share_now(design)
            points = [(share + design.whole, False) for share in GRID] + [(now, True)]
            group = _groups(blended)[0]
            rows += [_mix_row(design, group, share, is_current) for share, is_current in points]
    return frame_of(rows, MixSensitivity)


def _mix_row(design, group, share, is_current):
    found = estimate(_rate_at(design, share))
    known = np.isfinite(share[0])
    return {
        **design.key,
        "comparison_group": group,
        "group_share": round(float(share[0]), 6) if known else None,
        "is_current": is_current,
        "persons": design.persons,
        "rate_pmpm_usd": found["estimate"],
        "lower": found["lower"],
        "upper": found["upper"],
        "reason": found["reason"] if design.months else NO_MONTHS,
    }


def _groups(term: dict) -> list[str]:
    return term.get("observed") or list(term.get("blend", {}))


def _blended(scheme: dict) -> dict | None:
    """Find the scheme's first term that weighs several comparison groups."""
    terms = [term for rate in scheme["rates"] for term in rate["terms"] if len(_groups(term)) > 1]
    return terms[0] if terms else None


def _share_now(design: Design) -> np.ndarray:
    """Give the first group's weight, averaged over the population's cells."""
    term = _blended(design.scheme)
    shares = {cell: weights_of(term, cell, design.costs)[_groups(term)[0]] + design.whole for cell in design.months}
    return Design(design.program, design.scheme, design.costs, design.months, shares).rate()


def _rate_at(design: Design, share: np.ndarray) -> np.ndarray:
    """Price the scheme with another weight of the first group in its blended term."""
    rates = {}
    for cell in design.months:
        rate = rate_of(design.scheme, cell)
        terms = [_reweighted(term, cell, design.costs, share) for term in rate["terms"]]
        rates[cell] = price_rate(rate | {"terms": terms}, cell, design.costs)["rate"]
    return Design(design.program, design.scheme, design.costs, design.months, rates).rate()


def _reweighted(term: dict, cell: str, costs: Costs, share: np.ndarray) -> dict:
    names = _groups(term)
    if len(names) < 2:
        return term
    weights = weights_of(term, cell, costs)
    others = sum(weights[name] for name in names[1:])
    scaled = {name: weights[name] * ratio(1 - share, others + 0 * share) for name in names[1:]}
    plain = {key: value for key, value in term.items() if key not in WEIGHED}
    return plain | {"blend": {names[0]: share, **scaled}}
