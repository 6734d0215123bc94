"""`make recovery`, its third part: programs of which expected cost is known, and what the rate stage makes of them.

Every program is drawn anew, members, months and payments, and its tables go through the functions that the doors of
rates call: completion, trend, build-up, credibility, rates and their uncertainty. What comes out is held against what
was planted: the bias of unpaid cost below 1% of it; rates of the rating period whose 95% limits hold the planted
expected rate in 90 to 99% of cells and programs; trends alike. The exit is not zero if one breaks its limit.

    python tests/recovery/rates_study.py --share 0.05      a twentieth of the programs, to see it run
"""

from __future__ import annotations

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
import yaml  # noqa: E402

from ratebook.contracts.risk_sharing import Pooling  # noqa: E402
from ratebook.rates import derive  # noqa: E402
from ratebook.rates.completion import estimate_completion  # noqa: E402
from ratebook.rates.trend import estimate_trend  # noqa: E402
from ratebook.rates.uncertainty import estimate_uncertainty  # noqa: E402
from ratebook.tables import empty_frame  # noqa: E402
from recovery.command import study  # noqa: E402
from recovery.rates_world import AGE_BANDS, RatesWorld, draw_program  # noqa: E402

MOST_BIAS, COVERAGE = 0.01, (0.90, 0.99)
CHANCE = 2.0
"""Monte-Carlo errors outside its limits within which a number is left open."""
REPLICATES = 200
PROGRAMS = 500
JUDGED = {"unpaid": "bias", "rate, redrawn": "coverage", "trend": "coverage"}


@dataclass(frozen=True)
class Part:
    """Programs of one world."""

    world: RatesWorld
    programs: int = PROGRAMS


PARTS = {
    "three months of runout": Part(RatesWorld()),
    "no runout: the latest months are green": Part(RatesWorld(runout=0)),
    "what moves everybody is large": Part(RatesWorld(shock=0.05)),
}
OWN = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]
CELLS = {"cell_columns": ["plan", "age_band"], "age_bands": list(AGE_BANDS)}
NONE = {"program_changes": {}, "managed_care": {}, "missing": {}, "base_changes": {}}
SETTINGS = OWN | CELLS | NONE | {"manual_pmpm_usd": OWN["manual_pmpm_usd"] | {"value": {}}}


def estimates(world: RatesWorld, seed: int) -> pd.DataFrame:
    """Draw a program and rate it: a row a number, with its truth and its limits."""
    drawn = draw_program(world, seed)
    base_months = (SETTINGS["base_start"], SETTINGS["base_end"])
    _, ultimates, base = estimate_completion(
        drawn.triangles, drawn.experience, base_months, drawn.last_paid, SETTINGS["completion"]
    )
    trend = estimate_trend(drawn.experience, ultimates, SETTINGS["trend"])
    build = derive.derive_rate_build(drawn.experience, drawn.moments, base, trend, empty_frame(Pooling), SETTINGS)
    trusted = derive.derive_credibility(drawn.experience, drawn.moments, SETTINGS)
    rates = derive.derive_rates(build, trusted, base, trend, derive.place_cells(drawn.experience), SETTINGS)
    redrawn, _ = estimate_uncertainty(
        build,
        rates,
        base,
        ultimates,
        trend,
        drawn.cell_groups,
        drawn.group_months,
        {**SETTINGS, "replicates": REPLICATES},
        seed,
    )
    loads = 1 - rates[["admin_share", "margin_share", "tax_share"]].sum(axis=1)
    truth = (rates.cell.map(drawn.cost_ahead) + rates.fixed_pmpm_usd) / loads
    frames = [
        pd.DataFrame(
            {"quantity": "unpaid", "estimate": ultimates.ibnr_usd.sum(), "truth": sum(drawn.unpaid_usd.values())},
            index=[0],
        )
    ]
    for name, table in {"rate, sum of variances": rates, "rate, redrawn": redrawn}.items():
        frames.append(
            pd.DataFrame(
                {
                    "quantity": name,
                    "estimate": rates.rate_usd.astype(float),
                    "truth": truth,
                    "lower": table.lower,
                    "upper": table.upper,
                }
            )
        )
    cost = trend[trend.component == "pmpm"]
    planted = (1 + world.utilisation) * (1 + world.unit_cost) - 1
    frames.append(
        pd.DataFrame(
            {
                "quantity": "trend",
                "estimate": 1 + cost.fitted_trend,
                "truth": 1 + planted,
                "lower": 1 + cost.fitted_lower,
                "upper": 1 + cost.fitted_upper,
            }
        )
    )
    return pd.concat(frames, ignore_index=True)


def one_program(task: tuple[str, int]) -> pd.DataFrame:
    """Draw and rate; an error names the seed that brings it back."""
    name, seed = task
    try:
        return estimates(PARTS[name].world, seed).assign(part=name, seed=seed)
    except Exception as error:
        raise RuntimeError(f"program {seed} of {name!r}: {error}") from error


def judge(found: pd.DataFrame, allowed: float = 0.0) -> pd.DataFrame:
    """Hold each number of each part against its truth; programs, not cells, are what chance draws apart.

    Parameters
    ----------
    found : DataFrame
        Rows of `one_program`, of many.
    allowed : float
        Monte-Carlo errors by which limits are widened: none in the study itself, more where programs are few.
    """
    rows = []
    for (part, quantity), mine in found.groupby(["part", "quantity"], sort=False):
        mine = mine.assign(covered=((mine.lower <= mine.truth) & (mine.truth <= mine.upper)).astype(float))
        each = mine.groupby("seed")
        programs, off = each.ngroups, each.estimate.sum() / each.truth.sum() - 1
        coverage = each.covered.mean() if mine.lower.notna().any() else pd.Series(np.nan, off.index)
        row = {
            "part": part,
            "quantity": quantity,
            "programs": programs,
            "truth": mine.truth.mean(),
            "mean": mine.estimate.mean(),
            "bias_share": mine.estimate.sum() / mine.truth.sum() - 1,
            "bias_error": off.std() / np.sqrt(programs),
            "coverage": coverage.mean(),
            "coverage_error": max(coverage.std(), 0.01) / np.sqrt(programs),
            "width_share": ((mine.upper - mine.lower) / mine.truth).mean(),
        }
        rows.append(row | {"verdict": _verdict(row, allowed)})
    return pd.DataFrame(rows)


def _verdict(row: dict, allowed: float) -> str:
    what = JUDGED.get(row["quantity"])
    if not what:
        return ""
    if what == "bias":
        beyond = (abs(row["bias_share"]) - MOST_BIAS) / row["bias_error"]
    else:
        low, high = COVERAGE
        beyond = max(low - row["coverage"], row["coverage"] - high) / row["coverage_error"]
    if beyond > max(allowed, CHANCE):
        return f"broken: {what}"
    return f"open: {what}" if beyond > 0 and not allowed else "kept"


def printed(table: pd.DataFrame) -> str:
    """Lay out what was judged as text, a row a number: the value ± its Monte-Carlo error."""
    lines = []
    for part, mine in table.groupby("part", sort=False):
        lines += ["", f"{part}: {mine.programs.max()} programs"]
        for row in mine.itertuples():
            numbers = f"truth {row.truth:14,.3f}  bias {100 * row.bias_share:6.2f} ± {100 * row.bias_error:.2f}%"
            if not np.isnan(row.coverage):
                numbers += f"  covers {100 * row.coverage:6.2f} ± {100 * row.coverage_error:.2f}%"
                numbers += f"  width {100 * row.width_share:.1f}%"
            lines.append(f"  {row.quantity:24} {numbers}  {row.verdict}")
    return "\n".join(lines)


if __name__ == "__main__":
    study(__doc__, PARTS, one_program, judge, printed, "rates")
