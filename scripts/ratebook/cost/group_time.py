"""Effects where units start at different times: each group beside units that have not started, never each other's past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

NEVER = np.inf
ALL = "all"
ALWAYS = "started in the first period: nothing before it to compare with"
NO_COMPARISON = "no unit that had not started yet"
ONE_UNIT = "one unit in the group or the comparison: no limits"
NO_START = "no unit starts within the periods"
NO_CELL = "no observation of the group in one of the two periods"


@dataclass(frozen=True)
class UnitPanel:
    """Units over periods.

    Attributes
    ----------
    periods : list
        Names of the periods, in order.
    start : numpy.ndarray (U,)
        Place of the first treated period; `NEVER` for units never treated.
    weight, amount : numpy.ndarray (U, T)
        Observations, and the sum of their outcomes; 0 where a unit is not observed.
    """

    periods: list
    start: np.ndarray
    weight: np.ndarray
    amount: np.ndarray

    @property
    def groups(self) -> list[int]:
        """Starts that fall in the periods, in order."""
        return sorted({int(start) for start in self.start[np.isfinite(self.start)]})


def read_panel(frame: pd.DataFrame) -> UnitPanel:
    """Lay out a table of `unit`, `period`, `group` (period of the start, missing for never), `outcome`, `weight`.

    Periods are those that occur, in order; a group that starts before the first counts as starting in it, one that
    starts after the last as never.
    """
    periods = sorted(frame.period.unique())
    units = sorted(frame.unit.unique())
    at = pd.Index(units).get_indexer(frame.unit), pd.Index(periods).get_indexer(frame.period)
    weight, amount = np.zeros((2, len(units), len(periods)))
    np.add.at(weight, at, frame.weight.to_numpy(float))
    np.add.at(amount, at, (frame.weight * frame.outcome).to_numpy(float))
    first = frame.drop_duplicates("unit").set_index("unit").group.reindex(units)
    place = np.array([NEVER if pd.isna(g) else np.searchsorted(periods, g) for g in first], dtype=float)
    return UnitPanel(periods, np.where(place < len(periods), place, NEVER), weight, amount)


def site_panel(site_quarters: pd.DataFrame, column: str, start_share: float) -> UnitPanel:
    """Say when each site started: the first quarter in which so large a share of its discharges met a navigator.

    Sites that never reach it are compared with, though some of their people meet a navigator too.
    """
    share = site_quarters.met_discharges / site_quarters.discharges
    started = site_quarters[share >= start_share].groupby("facility_id").quarter_date.min()
    return read_panel(
        pd.DataFrame(
            {
                "unit": site_quarters.facility_id,
                "period": pd.to_datetime(site_quarters.quarter_date),
                "group": pd.to_datetime(site_quarters.facility_id.map(started)),
                "outcome": site_quarters[column].astype(float) / site_quarters.discharges,
                "weight": site_quarters.discharges.astype(float),
            }
        )
    )


def group_time_rows(panel: UnitPanel, reps: int, seed: int, comparison: str = "not_yet") -> list[dict]:
    """Estimate the effect by group and period, by time since the start, and overall; the plain regression beside it.

    ATT(g, t) is the change of group g's mean from its last period before the start to t, less the same change of
    the units that have started in neither (`not_yet`) or never do (`never`). Means weigh observations; groups are
    put together by their observations in the period. Before the start the same differences are placebos.

    Parameters
    ----------
    panel : UnitPanel
    reps, seed : int
        Units are drawn with replacement within group, m - 1 of m counting m / (m - 1) each.
    comparison : str
        not_yet or never.

    Returns
    -------
    list of dict
        Rows of `GroupTime`. Limits are Student's with the units less the groups as degrees of freedom.

    References
    ----------
    methods.md, D6; Callaway & Sant'Anna 2021; de Chaisemartin & D'Haultfoeuille 2020 (negative weights).
    """
    if not panel.groups:
        return [_row("overall", ALL, None, _counts(panel, [], 0.0), {"reason": NO_START})]
    cells = group_time_cells(panel, _draws(panel, reps, seed), comparison)
    rows = [_cell_row(panel, cell) for cell in cells]
    usable = [cell for cell in cells if cell.reason is None]
    for event in sorted({cell.event for cell in usable}):
        rows.append(_together(panel, "event_time", event, [cell for cell in usable if cell.event == event]))
    rows.append(_together(panel, "overall", None, [cell for cell in usable if cell.event >= 0]))
    return [*rows, _regression_row(panel)]


@dataclass(frozen=True)
class Cell:
    """One group in one period: the estimate and its replicates, and the group's observations in each."""

    group: int
    period: int
    draws: np.ndarray
    weight: np.ndarray
    compared: int
    reason: str | None

    @property
    def event(self) -> int:
        """Periods since the start."""
        return self.period - self.group


def group_time_cells(panel: UnitPanel, counts: np.ndarray, comparison: str = "not_yet") -> list[Cell]:
    """Estimate ATT(g, t) for any counting of the units: `counts` (replicates, U), the first row all ones."""
    cells = []
    for group in panel.groups:
        mine, base = panel.start == group, group - 1
        for period in range(len(panel.periods)):
            if period == base:
                continue
            others = panel.start > max(period, base) if comparison == "not_yet" else ~np.isfinite(panel.start)
            others = others & ~mine
            nothing = np.full(len(counts), np.nan)
            reason = ALWAYS if base < 0 else None if others.any() else NO_COMPARISON
            draws = nothing
            if reason is None:
                draws = _change(panel, counts, mine, base, period) - _change(panel, counts, others, base, period)
                reason = None if np.isfinite(draws[0]) else NO_CELL
            weight = counts[:, mine] @ panel.weight[mine, period]
            cells.append(Cell(group, period, draws, weight, int(others.sum()), reason))
    return cells


def regression(panel: UnitPanel) -> dict:
    """Fit unit and period effects and one treatment effect by weighted least squares: the estimate not to believe.

    Its coefficient is a weighted mean of the treated cells' effects; `negative_weight_share` is the sum of the
    negative weights where all add up to 1.
    """
    unit, period = np.nonzero(panel.weight > 0)
    weight = panel.weight[unit, period]
    outcome = panel.amount[unit, period] / weight
    treated = (period >= panel.start[unit]).astype(float)
    root = np.sqrt(weight)
    effects = np.column_stack([np.eye(len(panel.start))[unit], np.eye(len(panel.periods))[period][:, 1:]])
    effects = effects * root[:, None]
    own = treated - effects @ np.linalg.lstsq(effects, root * treated, rcond=None)[0] / root
    size = float((weight * own) @ own)
    if size < 1e-9 * weight.sum():
        return {"reason": "units and periods tell the treated cells apart: no regression"}
    estimate = float((weight * own) @ outcome) / size
    left = root * (outcome - estimate * treated)
    left = (left - effects @ np.linalg.lstsq(effects, left, rcond=None)[0]) / root
    scores = np.bincount(unit, weight * own * left, len(panel.start))
    many = len(panel.start)
    error = float(np.sqrt((scores**2).sum() * many / (many - 1)) / size) if many > 1 else np.nan
    shares = (weight * own)[treated > 0] / (weight * own)[treated > 0].sum()
    return {
        **_limits(estimate, error, max(many - 1, 1)),
        "negative_weight_share": float(np.abs(shares[shares < 0]).sum()),
    }


def _change(panel: UnitPanel, counts: np.ndarray, units: np.ndarray, base: int, period: int) -> np.ndarray:
    """Give the change of the units' mean between two periods, a value a replicate."""
    pair = [base, period]
    above = counts[:, units] @ panel.amount[units][:, pair]
    below = counts[:, units] @ panel.weight[units][:, pair]
    means = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return means[:, 1] - means[:, 0]


def _draws(panel: UnitPanel, reps: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    counts = np.ones((reps + 1, len(panel.start)))
    for start in [*panel.groups, NEVER]:
        mine = np.flatnonzero(panel.start == start)
        many = len(mine)
        if many > 1:
            drawn = generator.multinomial(many - 1, np.full(many, 1 / many), size=reps)
            counts[1:, mine] = drawn * (many / (many - 1))
    return counts


def _together(panel: UnitPanel, level: str, event: int | None, cells: list[Cell]) -> dict:
    """Put groups together by their observations; a replicate that drew none of a group leaves the group out."""
    groups = sorted({cell.group for cell in cells})
    weight = np.array([cell.weight for cell in cells])
    facts = _counts(panel, groups, float(weight[:, 0].sum()) if len(cells) else 0.0)
    facts["comparison_sites"] = max((cell.compared for cell in cells), default=0)
    if not cells:
        return _row(level, ALL, event, facts, {"reason": NO_COMPARISON})
    values = np.array([cell.draws for cell in cells])
    weight = np.where(np.isfinite(values), weight, 0.0)
    whole = weight.sum(axis=0)
    sums = (weight * np.where(np.isfinite(values), values, 0.0)).sum(axis=0)
    draws = np.divide(sums, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return _row(level, ALL, event, facts, _summary(panel, draws, groups, min(cell.compared for cell in cells)))


def _cell_row(panel: UnitPanel, cell: Cell) -> dict:
    facts = _counts(panel, [cell.group], float(cell.weight[0])) | {"comparison_sites": cell.compared}
    found = {"reason": cell.reason}
    if cell.reason is None:
        found = _summary(panel, cell.draws, [cell.group], cell.compared)
    return _row("group_time", _name(panel.periods[cell.group]), cell.event, facts, found)


def _regression_row(panel: UnitPanel) -> dict:
    facts = _counts(panel, panel.groups, float(panel.weight[np.isfinite(panel.start)].sum()))
    return _row("two_way_fixed_effects", ALL, None, facts, regression(panel))


def _summary(panel: UnitPanel, draws: np.ndarray, groups: list[int], compared: int) -> dict:
    units = int(np.isin(panel.start, groups).sum())
    alone = min(compared, *[int((panel.start == group).sum()) for group in groups]) < 2
    spread = draws[1:][np.isfinite(draws[1:])]
    error = float(spread.std(ddof=1)) if len(spread) > 1 and not alone else np.nan
    return _limits(float(draws[0]), error, max(units + compared - len(groups) - 1, 1))


def _limits(estimate: float, error: float, df: float) -> dict:
    if not np.isfinite(error):
        return {"estimate_usd": estimate, "reason": ONE_UNIT}
    reach = float(special.stdtrit(df, 0.975)) * error
    limits = {"lower": estimate - reach, "upper": estimate + reach}
    return {"estimate_usd": estimate, "std_error": error, **limits, "reason": None}


def _counts(panel: UnitPanel, groups: list[int], observations: float) -> dict:
    started = int(np.isin(panel.start, groups).sum())
    never = int((~np.isfinite(panel.start)).sum())
    return {"sites": started, "comparison_sites": never, "discharges": round(observations)}


def _name(period) -> str:
    return f"{period.year}Q{(period.month + 2) // 3}" if hasattr(period, "month") else str(period)


def _row(level: str, start_quarter: str, event: int | None, facts: dict, found: dict) -> dict:
    key = {"level": level, "start_quarter": start_quarter, "event_quarter": event}
    return key | facts | found
