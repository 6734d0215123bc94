"""Released tables of programs: no few people can be worked out, by whatever cut, sum, step or figure."""

from __future__ import annotations

import pandas as pd
import pytest

from ltc_world import groups, program
from ratebook.contracts.released import RELEASED
from ratebook.disclosure import complements, disclose_tables
from ratebook.programs import plots
from ratebook.programs.rates import derive_program_rates
from ratebook.tables import empty_frame

KEY = {"program": "p", "state": "s", "area": "all", "era": "all"}


def released(name, rows):
    """The released copy of a table of which only the columns that matter are drawn."""
    frame = pd.DataFrame(rows).reindex(columns=list(RELEASED[name].contract.types()))
    return disclose_tables({name: frame}, RELEASED, 11)[name]


def rates(state, cells):
    months = [{"cell": cell, "persons": n, "member_months": 30 * n} for cell, n in cells.items()]
    return [KEY | {"state": state, "rate_usd": 1000.0, "credibility": 0.38815} | row for row in months]


def test_one_cut_less_another_does_not_count_the_few_between_them():
    """West is 163 people; a state that cuts it by age shows 158 of them, and 5 would be left."""
    by_region = rates("Coarse", {"west": 163, "east": 400, "average": 563})
    by_age = rates("Fine", {"west/old": 158, "west/young": 5, "east/old": 380, "east/young": 20, "average": 563})
    shown = released("program_rates", by_region + by_age)
    is_total = shown.cell == "average"
    for column in ("persons", "member_months"):
        assert shown[column][~is_total].isna().all() and shown[column][is_total].notna().all(), column
    assert set(shown.credibility.dropna()) == {0.39}, "months would come back from its digits"
    hidden = shown.rate_usd.isna() & (shown.state == "Fine")
    assert set(shown.cell[hidden]) == {"west/young", "east/young"}


def test_populations_few_apart_are_not_both_counted():
    shown = released("program_rates", rates("One", {"average": 563}) + rates("Other", {"all": 560}))
    assert shown.persons.notna().sum() == 1 and shown.rate_usd.notna().all()
    rows = [{**KEY, "state": state, "scenario": "as_is", "persons": n} for state, n in (("One", 563), ("Other", 560))]
    shown = released(
        "program_comparison", [row | {"state_ffs_pmpm_usd": 900.0, "unpriced_share": 0.004} for row in rows]
    )
    assert shown.state_ffs_pmpm_usd.notna().sum() == 1
    assert (shown.unpriced_share.dropna() == 0).all(), "of a known whole a share would give the few without a rate"


@pytest.mark.parametrize(
    ("hidden", "overlaps", "more"),
    [
        pytest.param([5, 4, 2, 1], False, [], id="twelve people where rows hold each their own"),
        pytest.param([5, 4, 2, 1], True, [36], id="perhaps five, where one person may stand in all four"),
        pytest.param([5, 11], True, [], id="one of them is enough alone"),
    ],
)
def test_hidden_rows_of_the_same_people_are_no_more_than_the_largest(hidden, overlaps, more):
    counts = pd.Series([*hidden, 36, 200])
    rows = complements(counts, pd.Series([True] * len(hidden) + [False] * 2), 11, overlaps)
    assert counts[rows].tolist() == more


def test_a_cell_of_few_shows_no_day_and_no_month_of_theirs():
    cells = {"home": 400, "facility": 90, "moved": 1, "all": 450}
    rows = [
        {
            "program": "p",
            "cell": cell,
            "persons": n,
            "member_months": 9 * n,
            "nf_days": 7 * n,
            "state_nf_usd": 80.0 * n,
        }
        for cell, n in cells.items()
    ]
    shown = released(
        "plan_liability", [row | {"plan_nf_day_share": 0.12345, "plan_cost_pmpm_usd": 5.0} for row in rows]
    )
    shown = shown.set_index("cell")
    for column in ("persons", "member_months", "nf_days", "state_nf_usd"):
        assert shown[column].notna().to_dict() == {"home": False, "facility": False, "moved": False, "all": True}
    assert shown.plan_nf_day_share.isna().to_dict() == {"home": False, "facility": True, "moved": True, "all": False}
    assert shown.plan_nf_day_share["home"] == 0.12


def test_a_step_of_facility_days_does_not_count_who_left():
    rows = [(1, 700, 700, 650), (2, 698, 697, 648), (3, 9, 9, 8)]
    rows = [dict(zip(("nf_day", "nf_days", "plan_nf_days", "persons"), row)) for row in rows]
    rows = [row | {"program": "p", "window_day_share": row["plan_nf_days"] / row["nf_days"]} for row in rows]
    shown = released("liability_days", rows)
    assert shown[["nf_days", "plan_nf_days", "persons"]].isna().all(axis=None)
    assert shown.window_day_share.tolist()[:2] == [1.0, 1.0] and pd.isna(shown.window_day_share[2])


def test_a_plans_settlement_does_not_come_back_from_a_sum_of_nothing():
    plans = {"East": (400, 70.0), "West": (90, -50.0), "Small": (6, -20.0)}
    rows = [
        KEY | {"item": "heavy users", "plan": plan, "persons": n, "settlement_usd": usd, "member_months": 9 * n}
        for plan, (n, usd) in plans.items()
    ]
    shown = released("program_reconciliation", rows).set_index("plan")
    assert shown.settlement_usd.isna().to_dict() == {"East": False, "West": True, "Small": True}
    assert shown.member_months.isna().to_dict() == {"East": False, "West": True, "Small": True}


@pytest.mark.parametrize(
    ("persons", "shown_years"),
    [
        pytest.param([60, 40, 9], [1], id="a small year takes the next smallest: their sum is known"),
        pytest.param([60, 40, 35], [1, 3], id="who left after a year are few"),
        pytest.param([60, 40, 20], [1, 2, 3], id="nobody is few"),
    ],
)
def test_years_of_a_capped_benefit_do_not_tell_who_left(persons, shown_years):
    rows = [{"program": "p", "benefit_year": n, "persons": count} for n, count in enumerate(persons, 1)]
    shown = released("capped_benefits", [row | {"paid_pmpm_usd": 5.0, "member_months": 12} for row in rows])
    assert shown.benefit_year[shown.paid_pmpm_usd.notna()].tolist() == shown_years
    assert shown.benefit_year[shown.member_months.notna()].tolist() == shown_years


def test_persons_of_a_published_item_do_not_give_a_hidden_cell_back():
    for name in ("rate_scales", "rate_orders", "buy_in"):
        assert released(name, [KEY | {"persons": 307}]).persons.isna().all(), name


def test_a_figure_draws_what_the_released_copy_shows(monkeypatch):
    """A cell hidden to keep a small one company is not drawn either."""
    seen = {}
    monkeypatch.setattr(
        plots, "DRAWN", {name: (table, seen.setdefault(name, []).append) for name, (table, _) in plots.DRAWN.items()}
    )
    tables = {name: empty_frame(contract) for name, contract in plots.DRAWN_FROM.items()}
    cells = pd.DataFrame(rates("s", {"a": 9, "b": 40, "c": 500, "average": 549}))
    plots.plot_programs(tables | {"rates": cells.reindex(columns=list(tables["rates"]))}, 11)
    assert seen["rates"][0].rate_usd.notna().tolist() == [False, False, True, True]
    assert set(seen) == set(plots.DRAWN_FROM)


def test_the_months_an_average_leaves_out_are_told_in_whole_percent():
    """Three months of 1,003 may be one person's."""
    drawn = """\
        enrolled | institutional/F1 | 1000 |
        enrolled | nhc_conversion/F2 | 3 |
        at_facility | F1 | 1000 | per_diem=100 ancillary=0"""
    found = derive_program_rates(groups("ccn", "all", drawn), [program("ccn")], 365, 2, 36_000)
    note = found.note[found.cell == "average"].iloc[0]
    assert note.endswith("left out: at most 1% of member months")
