"""`make recovery`: thousands of programs of which the truth is known, and what the pipeline makes of them.

Every program is drawn anew, its cohort and spells go through the functions the doors call, and what comes out is held
against the truth: bias below 2%, 95% intervals that cover in 93 to 97% of programs, tests that reject a true null in
4 to 6% (40 providers or more; at most 7% with 12), an estimate as treated that errs in the planted direction where
the landmark, the weights and the clones do not. Each number stands beside its Monte-Carlo error, and the programs are
as many as its verdict needs; the exit is not zero if one breaks its limit.

    python tests/recovery/study.py --share 0.05      a twentieth of the programs, to see it run
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

for library in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(library, "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from recovery import estimators  # noqa: E402
from recovery.command import study  # noqa: E402
from recovery.truth import truth_of  # noqa: E402
from recovery.world import World, tables  # noqa: E402

MOST_BIAS = 0.02
COVERAGE = (0.93, 0.97)
TYPE_I_MANY, TYPE_I_FEW = (0.04, 0.06), (0.0, 0.07)
FAR_OFF = 0.05
"""Relative bias an estimate as treated must show at least, in a world made to fool it."""
FEWEST = 11
"""A share that fewer persons stand behind in half of the programs is in no released table there: shown, not judged.

Not on average: where nobody at all is left of an arm a share is of everybody, and few such programs make a large mean.
"""
FOOLED_DAYS = 365
"""Horizon by which waiting longer has ceased to cost days and only selects."""


@dataclass(frozen=True)
class Part:
    """Programs of one world, what is asked of them, and which of the answers are held to which limit."""

    world: World
    asked: tuple[Callable, ...]
    programs: int
    judged: frozenset[str] = frozenset()
    fooled: frozenset[str] = frozenset()
    type_i: tuple[float, float] | None = None


PROPORTIONAL = World()
CROSSING = replace(PROPORTIONAL, early_rate=(1 / 60, 1 / 120), late_rate=(1 / 240, 1 / 80))
SAME = replace(PROPORTIONAL, early_rate=(1 / 120, 1 / 120), late_rate=(1 / 120, 1 / 120))
FEW = replace(SAME, providers=(6, 6), persons=1000)
# Slow referrals to RSN, where nothing can happen: who is readmitted before the first contact never shows in the arm,
# the severe first of all. The wait itself does not depend on who is severe.
IMMORTAL = replace(
    PROPORTIONAL,
    early_rate=(1 / 200, 1 / 80),
    late_rate=(1 / 200, 1 / 80),
    mean_wait_days=(24.0, 4.0),
    readmission_rate=1 / 150,
    severity_on_end=0.3,
    severity_on_readmission=0.5,
)
# And the less severe are sent there.
OBSERVED = replace(IMMORTAL, persons=2400, severity_on_arm=0.6)
CURVES = frozenset({"kaplan_meier", "aalen_johansen"})
WEIGHTED = frozenset({"overlap_weighted", "inverse_weighted", "treated_weighted", "pseudo_values"})
CLONES = frozenset({f"clone_censor_weight_{estimators.GRACE_DAYS}"})
NAIVE = frozenset({"naive"})
LANDMARK = frozenset({f"landmark_{estimators.LANDMARK_DAYS}"})
PARTS = {
    "proportional": Part(PROPORTIONAL, (estimators.curves,), 2000, CURVES),
    "crossing": Part(CROSSING, (estimators.curves,), 2000, CURVES),
    "immortal": Part(IMMORTAL, (estimators.trial,), 1000, CLONES | LANDMARK, NAIVE),
    "observed": Part(OBSERVED, (estimators.survival, estimators.trial), 800, CURVES | WEIGHTED | CLONES, NAIVE),
    "no difference": Part(SAME, (estimators.tests,), 2400, type_i=TYPE_I_MANY),
    "no difference, 12 providers": Part(FEW, (estimators.tests,), 2400, type_i=TYPE_I_FEW),
}
IGNORANT = "persons independent"
"""Tests shown for what they are worth; a test of this name that passed would prove the world harmless."""


def one_program(task: tuple[str, int]) -> pd.DataFrame:
    """Draw a program and ask everything of it; an error names the seed that brings it back."""
    name, seed = task
    part = PARTS[name]
    try:
        cohort, spells = tables(part.world, seed)
        found = [ask(cohort, spells, seed) for ask in part.asked]
    except Exception as error:
        raise RuntimeError(f"program {seed} of {name!r}: {error}") from error
    return pd.concat(found).assign(part=name, seed=seed)


def judge(found: pd.DataFrame, allowed_errors: float = 0.0) -> pd.DataFrame:
    """Hold each estimator of each part against the truth and its limits.

    Parameters
    ----------
    found : DataFrame
        Rows of `one_program`, of many.
    allowed_errors : float
        Monte-Carlo errors by which the limits are widened: none in the study itself, which has programs enough for
        a verdict; a smaller one must allow for chance.

    Returns
    -------
    DataFrame
        A row per part, estimand, method, horizon and arm: the numbers, their Monte-Carlo errors, and a verdict.
        `kept`, `broken: …` or, where the noise is over half of what the limits leave, `open: …`; `not judged: …` where
        the release would not show the number; empty where nothing is claimed of it.
    """
    parts = [_judge_part(name, mine, allowed_errors) for name, mine in found.groupby("part", sort=False)]
    return pd.concat(parts, ignore_index=True)


def _judge_part(name: str, found: pd.DataFrame, allowed_errors: float) -> pd.DataFrame:
    part = PARTS[name]
    key = ["part", "estimand", "method", "tau_days", "arm"]
    if part.type_i:
        groups = found.groupby(key, sort=False).p_value
        table = pd.DataFrame({"programs": groups.count(), "rejected_share": groups.agg(lambda p: (p < 0.05).mean())})
        table["rejected_error"] = _share_error(table.rejected_share, table.programs)
    else:
        table = _measured(estimators.known(found, truth_in(part.world)), key)
    table = table.reset_index()
    return table.assign(verdict=[_verdict(row, part, allowed_errors) for row in table.itertuples()])


def truth_in(world: World) -> dict:
    """Give the truths of a world at the study's horizons."""
    days = estimators.HORIZONS_DAYS, estimators.INCIDENCE_DAYS
    return truth_of(world, *days, estimators.LANDMARK_DAYS, estimators.GRACE_DAYS)


def _measured(known: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    has_limits = known.lower.notna() & known.upper.notna()
    covered = ((known.lower <= known.truth) & (known.truth <= known.upper)).astype(float).where(has_limits)
    groups = known.assign(covered=covered).groupby(key, sort=False)
    programs, truth, mean = groups.estimate.count(), groups.truth.first(), groups.estimate.mean()
    coverage = groups.covered.mean()
    return pd.DataFrame(
        {
            "programs": programs,
            "truth": truth,
            "mean": mean,
            "bias_share": (mean - truth) / truth.abs(),
            "bias_error": groups.estimate.std() / np.sqrt(programs) / truth.abs(),
            "coverage": coverage,
            "coverage_error": _share_error(coverage, groups.covered.count()),
            "persons": groups.fewest_persons.median(),
            "error_ratio": groups.std_error.mean() / groups.estimate.std(),
        }
    )


def _share_error(share: pd.Series, programs: pd.Series) -> pd.Series:
    """Monte-Carlo error of a share; a share of 0 or 1 is given that of one program more or less."""
    return np.sqrt(
        share.clip(1 / programs, 1 - 1 / programs) * (1 - share.clip(1 / programs, 1 - 1 / programs)) / programs
    )


def _verdict(row, part: Part, allowed: float) -> str:
    if part.type_i:
        if row.method.startswith(IGNORANT):
            return "kept" if row.rejected_share > part.type_i[1] else "broken: a harmless world"
        return _held({"type I": (row.rejected_share, row.rejected_error, *part.type_i, 0.01)}, allowed)
    if row.method in part.fooled and row.estimand.endswith("_difference") and row.tau_days == FOOLED_DAYS:
        is_fooled = row.bias_share > FAR_OFF - allowed * row.bias_error
        return "kept" if is_fooled else "broken: not fooled"
    if row.method not in part.judged:
        return ""
    if row.persons < FEWEST:
        return "not judged: too few persons to be shown"
    limits = {
        "bias": (row.bias_share, row.bias_error, -MOST_BIAS, MOST_BIAS, MOST_BIAS),
        "coverage": (row.coverage, row.coverage_error, *COVERAGE, 0.02),
    }
    return _held({name: limit for name, limit in limits.items() if np.isfinite(limit[0])}, allowed)


def _held(limits: dict[str, tuple], allowed: float) -> str:
    """Say which of the numbers (value, noise, low, high, room) leave their limits, or are too noisy to tell."""
    noisy = [name for name, (_, noise, _, _, room) in limits.items() if not allowed and noise > room / 2]
    outside = [
        name
        for name, (value, noise, low, high, _) in limits.items()
        if not low - allowed * noise <= value <= high + allowed * noise
    ]
    broken = [name for name in outside if name not in noisy]
    return f"broken: {', '.join(broken)}" if broken else f"open: {', '.join(noisy)}" if noisy else "kept"


def printed(table: pd.DataFrame) -> str:
    """Lay out what was judged as text, a row a number: the value ± its Monte-Carlo error."""
    lines = []
    for name, mine in table[table.verdict != ""].groupby("part", sort=False):
        lines += ["", f"{name}: {mine.programs.max()} programs"]
        for row in mine.itertuples():
            what = f"{row.estimand}, {row.tau_days:.0f} days, {row.arm}" if not PARTS[name].type_i else ""
            if PARTS[name].type_i:
                numbers = f"rejects {100 * row.rejected_share:5.2f} ± {100 * row.rejected_error:.2f}%"
            else:
                numbers = (
                    f"truth {row.truth:8.3f}  bias {100 * row.bias_share:6.2f} ± {100 * row.bias_error:.2f}%"
                    f"  covers {100 * row.coverage:6.2f} ± {100 * row.coverage_error:.2f}%"
                )
            lines.append(f"  {row.method:42} {what:52} {numbers}  {row.verdict}")
    return "\n".join(lines)


if __name__ == "__main__":
    study(__doc__, PARTS, one_program, judge, printed, "engagement")
