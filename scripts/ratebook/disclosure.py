"""Disclosure control: what may be shown of a table that counts people.

A count from 1 to one less than the limit is small. It is hidden, and with it every column that would give it
back; then so much more that it cannot be worked out by subtraction, from a total, from its siblings or from
the two sides of a step. Zero is shown: nobody stands behind it.
"""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.base import Contract
from ratebook.contracts.chains import Flow, Series


def is_small(counts: pd.Series, limit: int) -> pd.Series:
    """Say which counts are small: at least 1 and below the limit. A missing count is not."""
    return ((counts > 0) & (counts < limit)).fillna(False).astype(bool)


def disclose(
    frame: pd.DataFrame, contract: type[Contract], limit: int, chains: tuple[Flow | Series, ...] = ()
) -> pd.DataFrame:
    """Give the copy of a table that may leave the building.

    A row with a small count of persons shows none of its counts of persons, and none of the columns of
    `Config.hides`. Within each group of `Config.groups`, where one hidden count could be worked out from the
    rest, the next smallest row is hidden too. At the limit itself a count is shown.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table, in its contract's columns.
    contract : type of Contract
        `Field.persons` marks counts of people; `Config.hides` the columns hidden with them; `Config.groups`
        the columns within which counts add up: one group of names, or several groups (an arm's levels add up
        to the arm, a level's arms to the level).
    limit : int
        `release.suppress_below`: the smallest count that is shown.
    chains : tuple of Flow or Series
        Counts whose differences from row to row are counts of people too.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns, with null where a cell is hidden.

    References
    ----------
    methods.md, 0.1 and H67.
    """
    shown = frame.copy()
    chained = {f"{chain.count}{side}" for chain in chains if isinstance(chain, Flow) for side in ("_in", "_out")}
    counts = [name for name, field in contract.fields().items() if field.persons and name not in chained]
    counts = [name for name in counts if name in frame]
    if counts:
        hidden = hidden_rows(frame, counts, groupings(contract), limit)
        shown = _blank(shown, hidden, [*counts, *contract.Config.hides])
    for chain in chains:
        shown = _hide_flow(shown, chain, limit) if isinstance(chain, Flow) else _hide_series(shown, chain, limit)
    return shown


def groupings(contract: type[Contract]) -> list[list[str]]:
    """Read `Config.groups` as a list of groupings: names alone are one grouping, tuples of names several."""
    groups = contract.Config.groups
    if not groups:
        return []
    if isinstance(groups[0], str):
        return [list(groups)]
    return [list(group) for group in groups]


def hidden_rows(frame: pd.DataFrame, counts: list[str], groups: list[list[str]], limit: int) -> pd.Series:
    """Say which rows are hidden: those with a small count, then their complements, until nothing changes."""
    hidden = pd.Series(False, index=frame.index)
    for count in counts:
        hidden |= is_small(frame[count], limit)
    changed = bool(groups)
    while changed:
        before = int(hidden.sum())
        for group in groups:
            for _, rows in frame.groupby(group, dropna=False, sort=False) if group else [((), frame)]:
                for count in counts:
                    complement = complements(rows[count], hidden[rows.index], limit)
                    hidden.loc[complement] = True
        changed = int(hidden.sum()) > before
    return hidden


def complements(counts: pd.Series, hidden: pd.Series, limit: int) -> list:
    """Give the rows to hide as well, so that what is hidden among siblings cannot be worked out from their sum.

    The smallest shown rows follow, one by one, until at least two are hidden, together they reach the limit,
    and their sum does not force every one of them (all of 1, or all of the largest small count). A row hidden
    only to protect another grouping needs company here too: else it comes back by subtraction, and the small
    count behind it.
    """
    people = counts[hidden & (counts > 0)].astype(int).tolist()
    if not people:
        return []
    shown = counts[~hidden & (counts > 0)].sort_values(kind="stable")
    more = []
    for row, count in shown.items():
        if _is_safe(people, limit):
            break
        people.append(int(count))
        more.append(row)
    return more


def _is_safe(people: list[int], limit: int) -> bool:
    forced = (len(people), len(people) * (limit - 1))
    return len(people) >= 2 and sum(people) >= limit and sum(people) not in forced


def visible_nodes(counts: list[int | None], limit: int) -> list[bool]:
    """Say which counts of a falling sequence may be shown: no shown pair differs by a small number.

    Read from the end, because the end of a flow is what every other table is about: the last count is shown
    unless it is small, then each earlier one that equals the next shown one or differs from it by the limit or more.
    The first count, the population, is shown in place of neighbours too close to it.
    """
    shown = [False] * len(counts)
    after = None
    for place in range(len(counts) - 1, -1, -1):
        count = counts[place]
        if pd.isna(count) or 0 < count < limit:
            continue
        difference = 0 if after is None else abs(count - after)
        if difference == 0 or difference >= limit:
            shown[place], after = True, count
    if counts and not shown[0] and _can_replace(counts, shown, limit):
        near = [0 < abs(counts[0] - count) < limit if is_shown else False for count, is_shown in zip(counts, shown)]
        shown = [True, *(is_shown and not is_near for is_shown, is_near in zip(shown[1:], near[1:]))]
    return shown


def _can_replace(counts: list[int | None], shown: list[bool], limit: int) -> bool:
    """Say whether the first count may be shown beside the last one that is."""
    first, last = counts[0], max((place for place, is_shown in enumerate(shown) if is_shown), default=0)
    if pd.isna(first) or 0 < first < limit:
        return False
    difference = abs(first - counts[last])
    return difference == 0 or difference >= limit


def _hide_flow(frame: pd.DataFrame, flow: Flow, limit: int) -> pd.DataFrame:
    before, after = f"{flow.count}_in", f"{flow.count}_out"
    for _, rows in frame.groupby(list(flow.within), dropna=False, sort=False) if flow.within else [((), frame)]:
        shown = visible_nodes(rows[before].tolist()[:1] + rows[after].tolist(), limit)
        frame = _blank(frame, ~pd.Series(shown[:-1], rows.index), [before])
        frame = _blank(frame, ~pd.Series(shown[1:], rows.index), [after])
    return frame


def apart(counts: list[int | None], preferred: list[bool], limit: int) -> list[bool]:
    """Say which of several counts may be shown, no two of them being a small number apart, in whatever order they stand.

    The largest comes first, because it is the population that other tables give; then the preferred, then the rest,
    each from the end.
    """
    known = [place for place, count in enumerate(counts) if not pd.isna(count) and not 0 < count < limit]
    largest = max(known, key=lambda place: counts[place], default=None)
    shown: dict[int, int] = {}
    for place in sorted(known, key=lambda place: (place != largest, not preferred[place], -place)):
        if all(counts[place] == other or abs(counts[place] - other) >= limit for other in shown.values()):
            shown[place] = counts[place]
    return [place in shown for place in range(len(counts))]


def _hide_series(frame: pd.DataFrame, series: Series, limit: int) -> pd.DataFrame:
    preferred = frame[series.prefer].fillna(False).astype(bool) if series.prefer else pd.Series(False, frame.index)
    shown = pd.Series(True, frame.index)
    for _, rows in frame.groupby(list(series.within), dropna=False, sort=False) if series.within else [((), frame)]:
        shown[rows.index] = apart(rows[series.count].tolist(), preferred[rows.index].tolist(), limit)
    if series.together and len(frame):
        shown = shown.groupby([frame[column] for column in series.together]).transform("all")
    return _blank(frame, ~shown, [series.count, *series.hides])


def _blank(frame: pd.DataFrame, hidden: pd.Series, columns: list[str]) -> pd.DataFrame:
    """Set the cells of hidden rows to null; whole numbers become nullable, so none turns into a float."""
    hidden = hidden[hidden].index
    if hidden.empty:
        return frame
    frame = frame.copy()
    for column in dict.fromkeys(columns):
        if pd.api.types.is_integer_dtype(frame[column]):
            frame[column] = frame[column].astype("Int64")
        elif pd.api.types.is_bool_dtype(frame[column]):
            frame[column] = frame[column].astype("boolean")
        frame.loc[hidden, column] = pd.NA if str(frame[column].dtype) in ("Int64", "boolean") else None
    return frame
