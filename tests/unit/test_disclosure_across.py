"""What one released table hides, no other gives back: an attacker solves for small counts with everything shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ratebook.contracts.released import RELEASED
from ratebook.release.tables import release_tables

LIMIT = 11
ARMS = ("RSN", "CSP", "none")


def draw(counts):
    """Lay out persons by level and arm as Table 1, the balance and the strata do."""
    levels = [str(place) for place in range(len(counts))]
    wide = pd.DataFrame(counts, columns=list(ARMS), index=levels)
    table_1 = wide.assign(all=wide.sum(axis=1)).stack().rename_axis(["level", "arm"]).rename("persons").reset_index()
    table_1 = table_1.assign(characteristic="Race", place=table_1.level.astype(int), share=0.1)
    both = {"covariate": "race", "level": levels, "rsn_persons": wide.RSN.values, "csp_persons": wide.CSP.values}
    frames = {"cohort": table_1, "balance": pd.DataFrame(both), "positivity": pd.DataFrame(both)}
    typed = {name: frame.reindex(columns=list(RELEASED[name].contract.types())) for name, frame in frames.items()}
    return wide, typed


def solved(shown, levels):
    """Give the cells whose persons follow from what is shown and from the arms' totals."""
    known = [(row.level, row.arm) for row in shown["cohort"].itertuples() if pd.notna(row.persons)]
    for name in ("balance", "positivity"):
        for row in shown[name].itertuples():
            known += [(row.level, "RSN")] * pd.notna(row.rsn_persons) + [(row.level, "CSP")] * pd.notna(
                row.csp_persons
            )
    cells = [(level, arm) for level in levels for arm in ARMS]
    equations = [[cell[1] == arm for cell in cells] for arm in ARMS]
    equations += [[cell[0] == level and arm in (cell[1], "all") for cell in cells] for level, arm in known]
    rows = np.array(equations, float)
    return [cell for cell, share in zip(cells, np.diag(np.linalg.pinv(rows) @ rows)) if share > 1 - 1e-9]


def test_few_who_met_neither_program_do_not_follow_from_the_balance():
    """Table 1 hides them with somebody of an arm; the balance knows nothing of them, and would show that arm."""
    wide, frames = draw([(40, 30, 5), (60, 70, 80), (90, 95, 99)])
    alone = [cell for cell in solved(frames, wide.index) if 0 < wide.loc[cell] < LIMIT]
    assert alone == [("0", "none")]
    shown = release_tables(frames, LIMIT)
    assert not [cell for cell in solved(shown, wide.index) if 0 < wide.loc[cell] < LIMIT]
    assert shown["balance"].rsn_persons.isna().tolist() == shown["positivity"].rsn_persons.isna().tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 3), min_size=2, max_size=4))
def test_no_small_count_follows_from_three_tables(counts):
    wide, frames = draw(counts)
    shown = release_tables(frames, LIMIT)
    small = [cell for cell in solved(shown, wide.index) if 0 < wide.loc[cell] < LIMIT]
    assert not [cell for cell in small if has_company(wide, *cell)]


def has_company(wide, level, arm):
    """Say whether somebody stands at another level of the arm and in another arm of the level to hide the few behind."""
    return (wide.loc[wide.index != level, arm] > 0).any() and (wide.loc[level].drop(arm) > 0).any()
