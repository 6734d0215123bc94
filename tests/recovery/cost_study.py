"""`make recovery`, its second half: programs of which every dollar is known, and what the cost stage makes of them.

Every program is drawn anew, its windows go through the functions that the doors of cost call, and what comes out is
held against a large sample in which nothing is hidden: bias below 2%, 95% limits that hold the truth in 93 to 97% of
programs, for total cost, for the ratio per month and for the break-even rates; the planted paradox found in sign and
size; means that ignore censoring off in the planted direction. P1 and P4 of `pmpm` are about observed follow-up, so
they are held against a large sample observed as the data are. Each number stands beside its Monte-Carlo error; the
exit is not zero if one breaks its limit.

    python tests/recovery/cost_study.py --share 0.05      a twentieth of the programs, to see it run
"""

from __future__ import annotations

import itertools
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

for library in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(library, "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from ratebook.contracts.cost import COSTS, OTHER_SUD, PopulationCosts, PopulationMonths, TotalCost  # noqa: E402
from ratebook.contracts.cost_identity import NUMERATORS  # noqa: E402
from ratebook.contracts.episodes import ARMS  # noqa: E402
from ratebook.cost import decomposition, total_cost  # noqa: E402
from ratebook.cost.arms import compare_arms  # noqa: E402
from ratebook.cost.decomposition import shapley  # noqa: E402
from ratebook.cost.drawn import draw_arms  # noqa: E402
from ratebook.cost.pmpm import price_pmpm  # noqa: E402
from ratebook.cost.resample import replicate  # noqa: E402
from ratebook.tables import empty_frame  # noqa: E402
from recovery.command import study  # noqa: E402
from recovery.cost_world import EDGES, MONTH_DAYS, CostWorld, Truth, tables, truth_of  # noqa: E402

MOST_BIAS, COVERAGE = 0.02, (0.93, 0.97)
FAR_OFF = 0.05
"""Relative bias that a mean which ignores censoring must show at least, below the truth."""
FOUND = 0.99
"""Share of programs in which a planted sign must be found."""
CHANCE = 2.0
"""Monte-Carlo errors outside its limits within which a number is left open: three hundred are judged at once."""
REPLICATES = 200
PROGRAMS = 500


@dataclass(frozen=True)
class Part:
    """Programs of one world; in which arms, and in the ratio, a mean that ignores censoring must be off.

    Of `lin` the bias is judged where censoring is moderate: it is right when censoring falls on the intervals' ends, and
    short by what half an interval censors when it falls on any day.
    """

    world: CostWorld
    fooled: frozenset[tuple[str, str]]
    is_lin_judged: bool = True
    programs: int = PROGRAMS


PARADOX = CostWorld()
FEW = CostWorld(providers=(12, 12))
# RSN is paid a flat daily rate and loses members three times as fast, and many die; other care costs it less, so a
# payer breaks even. Who is complete has died, or stayed: the dead are too many of them.
BY_ARM = CostWorld(
    episode_usd=(0.0, 0.0),
    month_usd=(6.5 * MONTH_DAYS, 0.0),
    leaving_rate=(1 / 700, 1 / 2400),
    closing_share=(0.2, 0.1),
    stay_usd=(600.0, 2600.0),
    engaged_usd=(8.0, 12.5),
    death_rate=1 / 500,
)
AVAILABLE = frozenset({("available_case", arm) for arm in ARMS})
LOST = frozenset({("available_case", "RSN"), ("available_case", "ratio"), ("complete_case", "RSN")})
PARTS = {
    "paradox, 24 providers an arm": Part(PARADOX, AVAILABLE),
    "paradox, 12 providers an arm": Part(FEW, AVAILABLE),
    "censoring by arm, daily rate": Part(BY_ARM, LOST, is_lin_judged=False),
}
HEADLINE = ("partitioned", "linearised", "month_ratio", "total_ratio")
KEY = ["part", "table", "estimand", "method", "arm"]


def _undrawn(panel, statistics, reps, seed) -> dict:
    """Draw no members: their errors stand beside those of providers, and are judged nowhere."""
    return replicate(panel, statistics, [np.ones((1, panel.clusters))])


def estimates(world: CostWorld, seed: int) -> pd.DataFrame:
    """Draw a program and estimate it: a row a number, with its limits."""
    total_cost.draw_members = decomposition.draw_members = _undrawn
    people = tables(world, seed)
    enrolment, month = world.rates
    settings = {
        "horizon_days": int(EDGES[-1]),
        "intervals": len(EDGES) - 1,
        "boot_reps": REPLICATES,
        "min_observed_share": 0.05,
        "seed": seed,
        "month_values_usd": [],
        "hybrid": {"per_episode_usd": enrolment, "per_month_usd": month},
    }
    drawn = draw_arms(*people, settings)
    total = total_cost.total_costs(drawn.panels, drawn.weights, settings)
    made = compare_arms(drawn, settings)
    nobody = empty_frame(PopulationCosts), empty_frame(PopulationMonths)
    pmpm = price_pmpm(*people, empty_frame(TotalCost), *nobody, "fractional", REPLICATES, seed)
    rows = [*_totals(total), *_prices(pmpm), *_compared(made)]
    return pd.DataFrame(rows, columns=["table", "estimand", "method", "arm", "estimate", "lower", "upper"])


def _totals(total: pd.DataFrame):
    for row in total.itertuples():
        key = ("total_cost", row.estimand, row.method)
        yield *key, row.arm, row.estimate_usd, row.lower, row.upper
        if row.arm == "difference":
            yield *key, "ratio", row.ratio, row.ratio_lower, row.ratio_upper


def _prices(pmpm: pd.DataFrame):
    wanted = pmpm.variant.isin(["P1", "P4"]) & pmpm.month_rule.isin(["exact", "fractional"])
    for row in pmpm[wanted].itertuples():
        for method, prefix in (("linearised", ""), ("providers drawn", "boot_")):
            names = [f"{prefix}{end}" for end in ("lower", "upper", "ratio_lower", "ratio_upper")]
            lower, upper, ratio_lower, ratio_upper = (getattr(row, name) for name in names)
            yield "pmpm", row.variant, method, row.arm, row.estimate_usd, lower, upper
            if row.arm == "difference":
                yield "pmpm", row.variant, method, "ratio", row.ratio, ratio_lower, ratio_upper


def _compared(made: dict[str, pd.DataFrame]):
    for row in made["break_even"].itertuples():
        yield "break_even", row.quantity, row.perspective, "both", row.value, row.lower, row.upper
    for row in made["increments"].itertuples():
        yield "increments", row.estimand, "icer", "both", row.icer_usd, row.lower, row.upper
    for row in made["decomposition"].itertuples():
        yield "decomposition", row.category, row.factor, "both", row.effect_usd, row.lower, row.upper
    for row in made["paradox"].itertuples():
        for name in ("month_ratio", "duration_ratio", "total_ratio"):
            limits = (getattr(row, f"{name}_{end}") for end in ("lower", "upper"))
            yield "paradox", row.numerator, name, "ratio", getattr(row, name), *limits
        yield "paradox", row.numerator, "is_paradox", "both", float(row.is_paradox), np.nan, np.nan


def truths(world: CostWorld) -> dict[tuple, float]:
    """Give what every row of `estimates` should be: by table, estimand, method and arm; no entry where there is none."""
    true, observed = truth_of(world), truth_of(world, is_watched=False)
    found = {}
    for name in COSTS:
        rsn, csp = (true[arm].cost(name) for arm in ARMS)
        for arm, value in {"RSN": rsn, "CSP": csp, "difference": rsn - csp, "ratio": rsn / csp}.items():
            found["total_cost", name, arm] = value
        found["increments", name, "icer", "both"] = (rsn - csp) / (true["RSN"].months - true["CSP"].months)
    for variant, of in {"P1": _p1, "P4": _p4}.items():
        rsn, csp = (of(observed[arm]) for arm in ARMS)
        for arm, value in {"RSN": rsn, "CSP": csp, "difference": rsn - csp, "ratio": rsn / csp}.items():
            found["pmpm", variant, arm] = value
    duration = true["RSN"].months / true["CSP"].months
    for name in NUMERATORS:
        total = true["RSN"].cost(name) / true["CSP"].cost(name)
        parts = {"month_ratio": total / duration, "duration_ratio": duration, "total_ratio": total}
        found |= {("paradox", name, part, "ratio"): value for part, value in parts.items()}
        found["paradox", name, "is_paradox", "both"] = float((total < 1) != (total / duration < 1))
    return found | _break_even(world, true["RSN"], true["CSP"]) | _parts(true["RSN"], true["CSP"])


def _p1(truth: Truth) -> float:
    return truth.cost("program") / truth.months


def _p4(truth: Truth) -> float:
    return truth.cost("total_sud") / truth.eligible_months


def _break_even(world: CostWorld, rsn: Truth, csp: Truth) -> dict[tuple, float]:
    enrolment, month = world.rates
    found = {}
    payer = csp.cost("total_sud") - rsn.cost("other_sud")
    for perspective, budget in {"program": csp.cost("program"), "payer": payer}.items():
        values = {
            "rate_per_month": budget / rsn.months,
            "rate_per_day": budget / rsn.months / MONTH_DAYS,
            "rate_hybrid": (budget - enrolment * rsn.spells) / rsn.months,
            "rate_per_episode": budget / rsn.spells,
        }
        # A negative rate is none: the table must be empty there.
        found |= {("break_even", name, perspective, "both"): value for name, value in values.items() if value > 0}
    found["break_even", "duration", "program", "both"] = (csp.cost("program") - enrolment * rsn.spells) / month
    return found


def _parts(rsn: Truth, csp: Truth) -> dict[tuple, float]:
    def chain(arm: Truth, name: str) -> list[np.ndarray]:
        counts = [arm.months, arm.log_units] if name == "NAVIGATOR" else [arm.units[name]]
        values = [1.0, *counts, arm.usd[name]]
        return [np.array(after / before) for before, after in itertools.pairwise(values)]

    found = {}
    for name in ("NAVIGATOR", *(name for name in OTHER_SUD if name in rsn.usd)):
        factors = ("duration", "intensity", "price") if name == "NAVIGATOR" else ("volume", "price")
        for factor, effect in zip(factors, shapley(chain(csp, name), chain(rsn, name))):
            # An effect of cents has no relative bias.
            if abs(effect) > 1:
                found["decomposition", name, factor, "both"] = float(effect)
    return found


def one_program(task: tuple[str, int]) -> pd.DataFrame:
    """Draw and estimate; an error names the seed that brings it back."""
    name, seed = task
    try:
        return estimates(PARTS[name].world, seed).assign(part=name, seed=seed)
    except Exception as error:
        raise RuntimeError(f"program {seed} of {name!r}: {error}") from error


def judge(found: pd.DataFrame, allowed: float = 0.0) -> pd.DataFrame:
    """Hold each number of each part against its truth.

    Parameters
    ----------
    found : DataFrame
        Rows of `one_program`, of many.
    allowed : float
        Monte-Carlo errors by which limits are widened: none in the study itself, more where programs are few.

    Returns
    -------
    DataFrame
        A row per part and number: programs, truth, mean, bias, coverage, their Monte-Carlo errors, and the verdict:
        `kept`; `open: …` outside by no more than chance may do; `broken: …`; or none: shown only.
    """
    parts = []
    for name, mine in found.groupby("part", sort=False):
        known = truths(PARTS[name].world)
        rows = mine.groupby(KEY, sort=False)
        truth = pd.Series({key: _truth(known, key) for key, _ in rows})
        mine = mine.join(truth.rename("truth"), on=KEY)
        covered = (mine.lower <= mine.truth) & (mine.truth <= mine.upper)
        mine["covered"] = covered.astype(float).where(mine.lower.notna() & mine.upper.notna() & mine.truth.notna())
        groups = mine.groupby(KEY, sort=False)
        programs, mean, coverage = groups.estimate.count(), groups.estimate.mean(), groups.covered.mean()
        share, scale = coverage.clip(1 / programs, 1 - 1 / programs), groups.truth.first().abs()
        table = pd.DataFrame(
            {
                "drawn": groups.size(),
                "programs": programs,
                "limited": groups.lower.count(),
                "truth": groups.truth.first(),
                "mean": mean,
                "bias_share": (mean - groups.truth.first()) / scale,
                "bias_error": groups.estimate.std() / np.sqrt(programs) / scale,
                "coverage": coverage,
                "coverage_error": np.sqrt(share * (1 - share) / groups.covered.count()),
            }
        )
        parts.append(table.reset_index())
    table = pd.concat(parts, ignore_index=True)
    return table.assign(verdict=[_verdict(row, allowed) for row in table.itertuples()])


def _truth(known: dict, key: tuple) -> float:
    _, table, estimand, method, arm = key
    return known.get((table, estimand, method, arm), known.get((table, estimand, arm), math.nan))


def _verdict(row, allowed: float) -> str:
    part = PARTS[row.part]
    if row.method == "is_paradox":
        # Where none is planted, and the totals are near alike, chance may well show one.
        found = row.mean >= FOUND - allowed * 0.01
        return "" if not row.truth else "kept" if found else "broken: the sign is not found"
    if row.table == "break_even" and math.isnan(row.truth):
        # An estimate may be above zero by chance; its lower limit may not, but in one program of twenty.
        return "kept" if row.limited <= 0.05 * row.drawn + allowed else "broken: a rate where there is none"
    if row.method in ("available_case", "complete_case"):
        if row.estimand != "total_sud" or (row.method, row.arm) not in part.fooled:
            return ""
        return "kept" if row.bias_share < -FAR_OFF + allowed * row.bias_error else "broken: not fooled"
    # A flat daily rate is the same in every program, to the cent.
    is_certain = row.bias_error < 1e-4
    if math.isnan(row.truth) or is_certain or (row.method == "lin" and not part.is_lin_judged):
        return ""
    limits = {} if row.method == "lin" else {"coverage": (row.coverage, row.coverage_error, *COVERAGE)}
    # A truth near zero has no relative bias.
    if row.bias_error < MOST_BIAS / 2 or allowed:
        limits["bias"] = (row.bias_share, row.bias_error, -MOST_BIAS, MOST_BIAS)
    beyond = {
        name: max(low - value, value - high) / noise for name, (value, noise, low, high) in limits.items() if noise > 0
    }
    outside = [name for name, errors in beyond.items() if errors > max(allowed, CHANCE)]
    near = [name for name, errors in beyond.items() if 0 < errors <= CHANCE and not allowed]
    return f"broken: {', '.join(outside)}" if outside else f"open: {', '.join(near)}" if near else "kept"


def printed(table: pd.DataFrame) -> str:
    """Lay out what was judged as text, a row a number: the value ± its Monte-Carlo error."""
    lines = []
    for name, mine in table[table.verdict != ""].groupby("part", sort=False):
        lines += ["", f"{name}: {mine.drawn.max()} programs"]
        for row in mine.itertuples():
            what = f"{row.table}, {row.estimand}, {row.method}, {row.arm}"
            numbers = f"truth {row.truth:9.3f}  bias {100 * row.bias_share:6.2f} ± {100 * row.bias_error:.2f}%"
            numbers += f"  covers {100 * row.coverage:6.2f} ± {100 * row.coverage_error:.2f}%"
            lines.append(f"  {what:56} {numbers}  {row.verdict}")
        alike = mine[mine.method.isin(HEADLINE) | mine.table.eq("break_even")].groupby("table").coverage.mean()
        shares = ", ".join(f"{table} {100 * share:.1f}%" for table, share in alike.items())
        lines.append(f"  on average the limits of these hold the truth in: {shares}")
    return "\n".join(lines)


if __name__ == "__main__":
    study(__doc__, PARTS, one_program, judge, printed, "cost")
