"""The same persons on several clocks: their contacts, their enrolment, and the floor that contacts bear out of it."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from ratebook.contracts.engagement import CLOCKS, CONTRAST, Clocks
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.curves import Curve, curves_by_arm, rmst_in, rmst_rows, unknown_to
from ratebook.engagement.estimates import Measured, contrast_rows
from ratebook.engagement.resampling import Resampling
from ratebook.tables import frame_of

ENDED = "ended"
NO_ENROLMENT = "no enrolment dates in the arm"
BY_CONTACTS = "contact"


class Timed(NamedTuple):
    """Each clock's curves by arm, with the contact clock's among the same persons, and what stands behind an arm."""

    curves: dict[str, dict[str, Curve]]
    paired: dict[str, dict[str, Curve]]
    arm_persons: dict[str, int]
    sources: dict[str, str]


def time_by_clocks(persons: pd.DataFrame, draws: Resampling, end_reasons: dict[str, str]) -> Timed:
    """Give each arm's curve on every clock, and the contact clock's among the persons each other clock knows.

    On the clocks of enrolment a spell ends where the enrolment (on the floor: its months with a contact) does,
    whatever the silence since the last contact; an end that closes a spell on the contact clock (a death) closes
    it here, and what is censored there is censored here.

    Parameters
    ----------
    persons : DataFrame
        As `engaged_persons` gives it.
    draws : Resampling
        The persons' replicates: one set for all clocks, so that differences of clocks share their errors.
    end_reasons : dict
        End reason to event, competing or censor.
    """
    closes = [reason for reason, role in end_reasons.items() if role != "censor"]
    curves = {BY_CONTACTS: curves_by_arm(persons, persons.days, draws, closes)}
    paired = {BY_CONTACTS: curves[BY_CONTACTS]}
    for clock in CLOCKS[1:]:
        days, reason = persons[f"{clock}_days"], persons[f"{clock}_end_reason"]
        is_timed = days.notna() & reason.notna()
        mine = persons.assign(arm=persons.arm.where(is_timed))
        on_clock = mine.assign(end_reason=reason)
        curves[clock] = curves_by_arm(on_clock, days, draws, [ENDED, *closes])
        paired[clock] = curves[BY_CONTACTS] if is_timed.all() else curves_by_arm(mine, persons.days, draws, closes)
    by_arm = {arm: persons[persons.arm == arm] for arm in ARMS}
    sources = {arm: " and ".join(sorted(mine.source.dropna().unique())) or "none" for arm, mine in by_arm.items()}
    return Timed(curves, paired, {arm: len(mine) for arm, mine in by_arm.items()}, sources)


def clock_rows(timed: Timed, draws: Resampling, horizons_days: list[int], min_observed_share: float) -> list[dict]:
    """Give the rows of `Engagement` on the clocks of enrolment: their means, and what they add to the contact clock.

    Returns
    -------
    list of dict
        Restricted means and shares, and the `measurement_gap` of each arm among the same persons.

    References
    ----------
    methods.md, B7 (differential measurement); H23.
    """
    rows = []
    for clock in CLOCKS[1:]:
        rows += rmst_rows(timed.curves[clock], draws, clock, "kaplan_meier", horizons_days, min_observed_share)
        for tau in horizons_days:
            gaps = {arm: _gap(timed, arm, clock, tau, min_observed_share) for arm in ARMS}
            rows += contrast_rows("measurement_gap", tau, clock, "kaplan_meier", gaps, draws, ("difference",))
    return [{**row, "reason": _named(row["reason"], timed)} for row in rows]


def compare_clocks(
    timed: Timed, draws: Resampling, horizons_days: list[int], min_observed_share: float
) -> pd.DataFrame:
    """Lay clocks against arms: each arm's mean on each clock, the gaps between clocks, and RSN less CSP across any two.

    The contrast across clocks is what comes out where one arm is timed by its enrolment and the other by its
    billed contacts; less the contrast on one clock it is what measurement alone manufactures.

    Returns
    -------
    Clocks
        Every comparison at every horizon; null with a reason where an arm has no such clock.

    References
    ----------
    methods.md, B7 (differential measurement); H23.
    """
    rsn, csp = ARMS
    rows = []
    for tau in horizons_days:
        means = {
            (arm, clock): _mean(timed.curves[clock][arm], tau, min_observed_share) for clock in CLOCKS for arm in ARMS
        }
        for clock in CLOCKS:
            alone = contrast_rows("mean", tau, clock, "", {arm: means[arm, clock] for arm in ARMS}, draws, ())
            rows += [_row("mean", row, (row["arm"], clock), ("", ""), timed) for row in alone]
        for clock in CLOCKS[1:]:
            gaps = {arm: _gap(timed, arm, clock, tau, min_observed_share) for arm in ARMS}
            for row in contrast_rows("gap", tau, clock, "", gaps, draws, ()):
                rows.append(_row("measurement_gap", row, (row["arm"], clock), (row["arm"], BY_CONTACTS), timed))
        for clock in CLOCKS:
            for other in CLOCKS:
                pair = {rsn: means[rsn, clock], csp: means[csp, other]}
                kind = "same_clock" if clock == other else "cross_clock"
                compared = contrast_rows(kind, tau, clock, "", pair, draws, ("difference",))
                rows += [
                    _row(kind, row, (rsn, clock), (csp, other), timed) for row in compared if row["arm"] == CONTRAST
                ]
    return frame_of(rows, Clocks)


def _mean(curve: Curve, tau: int, min_observed_share: float) -> Measured:
    return rmst_in(curve, tau, unknown_to(curve, tau, min_observed_share))


def _gap(timed: Timed, arm: str, clock: str, tau: int, min_observed_share: float) -> Measured:
    long = _mean(timed.curves[clock][arm], tau, min_observed_share)
    short = _mean(timed.paired[clock][arm], tau, min_observed_share)
    return Measured(
        long.estimate - short.estimate,
        long.replicates - short.replicates,
        long.persons,
        reason=long.reason or short.reason,
    )


def _row(comparison: str, row: dict, mine: tuple[str, str], other: tuple[str, str], timed: Timed) -> dict:
    known = {name: row[name] for name in ("std_error", "lower", "upper", "persons", "error_units", "error_unit")}
    return {
        "comparison": comparison,
        "tau_days": row["tau_days"],
        "arm": mine[0],
        "clock": mine[1],
        "other_arm": other[0],
        "other_clock": other[1],
        "estimate_days": row["estimate"],
        "arm_persons": min(timed.arm_persons[arm] for arm in (mine[0], other[0]) if arm),
        **known,
        "source": " / ".join(timed.sources[arm] for arm in dict.fromkeys((mine[0], other[0])) if arm),
        "reason": _named(row["reason"], timed),
    }


def _named(reason: str | None, timed: Timed) -> str | None:
    """Tell an arm whose program records no enrolment from an arm without a person."""
    return NO_ENROLMENT if reason == "no person in the arm" and all(timed.arm_persons.values()) else reason
