"""Disclosure control: what may be shown of a table that counts people.

A count from 1 to one less than the limit is small. It is hidden, and with it every column that would give it
back; then so much more that it cannot be worked out by subtraction, from a total, from its siblings or from
the two sides of a step. Zero is shown: nobody stands behind it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.base import Contract
from ratebook.contracts.chains import Flow, Series, Split, Tail
from ratebook.contracts.episodes import ARMS


def is_small(counts: pd.Series, limit: int) -> pd.Series:
    """Say which counts are small: at least 1 and below the limit. A missing count is not."""
    return ((counts > 0) & (counts < limit)).fillna(False).astype(bool)


def disclose(
    frame: pd.DataFrame, contract: type[Contract], limit: int, chains: tuple[Flow | Series | Split | Tail, ...] = ()
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
    chains : tuple of Flow, Series, Split or Tail
        Counts whose differences from row to row, or from what other tables give, are counts of people too.

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
        hidden = hidden_rows(frame, counts, groupings(contract), limit, contract.Config.overlaps)
        shown = _blank(shown, hidden, [*counts, *contract.Config.hides])
    for chain in chains:
        shown = HIDE[type(chain)](shown, chain, limit)
    return shown


def disclose_tables(frames: dict[str, pd.DataFrame], released: dict, limit: int) -> dict[str, pd.DataFrame]:
    """Give what may be shown of several tables together: what one hides, another must not give back.

    Parameters
    ----------
    frames : dict of DataFrame
        Tables by their released name.
    released : dict of Released
        `contracts.released.RELEASED`: contracts, and what they alone cannot say of disclosure.
    limit : int
        Smallest count of persons that is shown.

    References
    ----------
    methods.md, 0.1 and H67.
    """
    kinds = {name: released[name] for name in frames}
    shown = {name: disclose(frame, kinds[name].contract, limit, kinds[name].chains) for name, frame in frames.items()}
    for name, kind in kinds.items():
        if kind.compares:
            shown[name] = hide_comparisons(shown[name], kind.contract, shown[kind.compares])
    for name, kind in kinds.items():
        for column in kind.never:
            is_count = kind.contract.fields()[column].type == "int64"
            shown[name][column] = pd.Series(pd.NA if is_count else float("nan"), shown[name].index).astype(
                "Int64" if is_count else float
            )
        if kind.totals:
            column, values, columns = kind.totals
            shown[name] = _blank(shown[name], ~shown[name][column].isin(values), list(columns))
        for column in kind.percents:
            shown[name][column] = shown[name][column].astype(float).round(2)
        for other, key, columns, *where in filter(None, (kind.follows, kind.also)):
            rows = shown[other].query(where[0]) if where else shown[other]
            counts = [column for column, field in released[other].contract.fields().items() if field.persons]
            hidden = rows[key][rows[counts].isna().any(axis=1)]
            here = [column for column in columns if column in shown[name]]
            shown[name] = _blank(shown[name], shown[name][key].isin(hidden), here)
    return shown


def hide_comparisons(frame: pd.DataFrame, contract: type[Contract], by_arm: pd.DataFrame) -> pd.DataFrame:
    """Hide comparisons of arms of which one is hidden: with the other arm they would give it back.

    In a table by arm they are the rows of the difference, each with its own arms; in a table that names no arm they
    are all rows, as soon as `by_arm` hides one of its arms.
    """
    columns = [name for name, field in contract.fields().items() if field.persons] + list(contract.Config.hides)
    if "arm" not in frame:
        hidden = by_arm.arm.isin(ARMS) & by_arm.persons.isna()
        return _blank(frame, pd.Series(bool(hidden.any()), index=frame.index), columns)
    key = [name for name in contract.Config.unique if name != "arm"]
    lost = frame.assign(lost=frame.arm.isin(ARMS) & frame.persons.isna())
    lost = lost.groupby(key, dropna=False).lost.transform("any") if key else pd.Series(lost.lost.any(), frame.index)
    return _blank(frame, lost.astype(bool) & (frame.arm == "difference"), columns)


def hide_rows(frame: pd.DataFrame, contract: type[Contract], hidden: pd.Series) -> pd.DataFrame:
    """Hide the counts of persons in some rows, and what would give them back."""
    counts = [name for name, field in contract.fields().items() if field.persons]
    return _blank(frame, hidden, [*counts, *contract.Config.hides])


def groupings(contract: type[Contract]) -> list[list[str]]:
    """Read `Config.groups` as a list of groupings: names alone are one grouping, tuples of names several."""
    groups = contract.Config.groups
    if not groups:
        return []
    if isinstance(groups[0], str):
        return [list(groups)]
    return [list(group) for group in groups]


def hidden_rows(
    frame: pd.DataFrame, counts: list[str], groups: list[list[str]], limit: int, overlaps: bool = False
) -> pd.Series:
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
                    complement = complements(rows[count], hidden[rows.index], limit, overlaps)
                    hidden.loc[complement] = True
        changed = int(hidden.sum()) > before
        if not changed and _do_cross(groups):
            for count in counts:
                hidden.loc[hide_solvable(frame, count, hidden, groups, limit)] = True
            changed = int(hidden.sum()) > before
    return hidden


def _do_cross(groups: list[list[str]]) -> bool:
    """Say whether there are several groupings and none lies within another, as a file's months within all of them."""
    pairs = [(set(one), set(other)) for one in groups for other in groups if one is not other]
    return bool(pairs) and not any(one <= other for one, other in pairs)


def hide_solvable(frame: pd.DataFrame, count: str, hidden: pd.Series, groups: list[list[str]], limit: int) -> list:
    """Give one more row to hide where a small hidden count solves the equations of several groupings together.

    Two hidden in every row and column are not enough: their sums may have one solution only. Each group is an
    equation of its hidden rows, in which a row named 'all' stands on the other side. The next smallest shown row of a
    group of such a count follows; none where nobody is left there to hide behind.
    """
    cells = frame.index[hidden & (frame[count] > 0)]
    sides = np.where((frame.loc[cells] == "all").any(axis=1), -1.0, 1.0)
    codes = [frame.groupby(group, dropna=False, sort=False).ngroup() for group in groups]
    # A row alone in its group adds to no other: there is no sum that would give it back.
    sums = [code.value_counts().loc[lambda rows: rows > 1].index.to_numpy() for code in codes]
    equations = np.vstack([(added[:, None] == code[cells].to_numpy()) * sides for added, code in zip(sums, codes)])
    solved = np.diag(np.linalg.pinv(equations) @ equations) > 1 - 1e-9
    for cell in cells[solved & is_small(frame.loc[cells, count], limit).to_numpy()]:
        beside = pd.concat([code == code[cell] for code in codes], axis=1).any(axis=1)
        company = frame[count][beside & ~hidden & (frame[count] > 0)].sort_values(kind="stable")
        if len(company):
            return [company.index[0]]
    return []


def complements(counts: pd.Series, hidden: pd.Series, limit: int, overlaps: bool = False) -> list:
    """Give the rows to hide as well, so that what is hidden among siblings cannot be worked out from their sum.

    The smallest shown rows follow, one by one, until at least two are hidden, together they reach the limit,
    and their sum does not force every one of them (all of 1, or all of the largest small count). A row hidden
    only to protect another grouping needs company here too: else it comes back by subtraction, and the small
    count behind it. Where rows may count the same people (`overlaps`), one of the hidden must reach the limit alone.
    """
    people = counts[hidden & (counts > 0)].astype(int).tolist()
    if not people:
        return []
    shown = counts[~hidden & (counts > 0)].sort_values(kind="stable")
    more = []
    for row, count in shown.items():
        if _is_safe(people, limit) and (not overlaps or max(people) >= limit):
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
    chained = frame
    if series.only:
        chained = frame[pd.concat([frame[column] == value for column, value in series.only], axis=1).any(axis=1)]
    whole = [((), chained)] if len(chained) else []
    for _, rows in chained.groupby(list(series.within), dropna=False, sort=False) if series.within else whole:
        shown[rows.index] = apart(rows[series.count].tolist(), preferred[rows.index].tolist(), limit)
    if series.together and len(frame):
        alike = [frame[column] for column in series.together]
        shown = shown.groupby(alike, dropna=False).transform("all").astype(bool)
    return _blank(frame, ~shown.astype(bool), [series.count, *series.hides])


def _hide_split(frame: pd.DataFrame, split: Split, limit: int) -> pd.DataFrame:
    column, values = split.given
    whole = [frame[name] for name in split.within]
    is_other = ~frame[column].isin(values)
    is_few = is_small(frame[split.count], limit) | frame[split.count].isna()
    has_few = is_few.groupby(whole, dropna=False).transform("any").astype(bool)
    # One part alone would be the whole less what is given.
    is_alone = is_other.groupby(whole, dropna=False).transform("sum") == 1
    return _blank(frame, has_few & (is_other | is_alone), [split.count])


def _hide_tail(frame: pd.DataFrame, tail: Tail, limit: int) -> pd.DataFrame:
    is_shown = frame[tail.count].notna() & (frame[tail.count] > 0)
    whole = [frame[name] for name in tail.within]
    has_hidden = frame[tail.count].isna().groupby(whole, dropna=False).transform("any").astype(bool)
    last = frame[tail.count].where(is_shown).groupby(whole, dropna=False).transform("min")
    return _blank(frame, has_hidden & is_shown & (frame[tail.count] == last), [tail.count, *tail.hides])


HIDE = {Flow: _hide_flow, Series: _hide_series, Split: _hide_split, Tail: _hide_tail}
"""How each kind of chain is hidden."""


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
