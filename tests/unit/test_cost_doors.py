"""The doors of cost run on files: of the random program, and of nobody."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cost.compare_arms import main as compare_arms_door
from cost.estimate_total_cost import main as estimate_total_cost_door
from cost.plot_cost import main as plot_cost_door
from cost.price_pmpm import main as price_pmpm_door
from cost_data import SETTINGS, random_tables
from ratebook.contracts import cost as contracts
from ratebook.contracts.cost import WINDOW_TABLES
from ratebook.contracts.cost_exhibits import EXHIBIT_TABLES, PmpmExhibit
from ratebook.contracts.cost_panels import PriceComparison
from ratebook.contracts.released import RELEASED
from ratebook.cost.arms import ARM_TABLES
from ratebook.cost.plots import FIGURES, NEEDS
from ratebook.tables import empty_frame, read_table, write_table

NOBODY = tuple(empty_frame(WINDOW_TABLES[name]) for name in ("follow_up", "person_costs", "client_intervals"))

people = pytest.fixture(random_tables, scope="module")


class Files(dict):
    """Named files, as a rule hands them on: by attribute and by key."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("which", ["random", "nobody"])
def test_the_doors_write_every_table_and_figure(people, tmp_path, which):
    given = dict(zip(("follow_up", "person_costs", "client_intervals"), people if which == "random" else NOBODY))
    given |= {
        name: empty_frame(WINDOW_TABLES[name]) for name in ("population_costs", "population_months", "outside_costs")
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in given}
    for name, frame in given.items():
        write_table(frame, paths[name], WINDOW_TABLES[name])
    made = {"total_cost": contracts.TotalCost, "cost_curve": contracts.CostCurve, "price_comparison": PriceComparison}
    made |= {"cost_by_category": contracts.CostByCategory, "pmpm": contracts.Pmpm}
    made |= {"payment_forms": contracts.PaymentForms}
    made |= {"pmpm_exhibit": PmpmExhibit, **ARM_TABLES, **EXHIBIT_TABLES}
    paths |= {name: tmp_path / f"{name}.parquet" for name in made}
    # What other doors make of models and of before and after is drawn too: here of nobody.
    for name in set(NEEDS) - set(paths):
        paths[name] = tmp_path / f"{name}.parquet"
        write_table(empty_frame(RELEASED[name].contract), paths[name], RELEASED[name].contract)
    drawn = {f"{name}_{kind}": tmp_path / f"{name}.{kind}" for name in FIGURES for kind in ("svg", "png")}
    forms = {"hybrid": SETTINGS["hybrid"], "per_day": {"per_day_usd": 6.5}}
    params = SimpleNamespace(
        settings=SETTINGS,
        mm_rule="fractional",
        resampled={name: SETTINGS[name] for name in ("boot_reps", "seed")},
        payment={"forms": forms, "month_rule": "exact", "min_contacts": 2},
        suppress_below=11,
        note="synthetic data",
    )
    files = Files(paths)
    for door in (estimate_total_cost_door, price_pmpm_door, compare_arms_door):
        door(SimpleNamespace(input=files, output=files, params=params))
    plot_cost_door(SimpleNamespace(input=files, output=SimpleNamespace(**drawn), params=params))
    assert all(path.stat().st_size for path in drawn.values())
    for name, contract in made.items():
        table = read_table(paths[name], contract)
        if "lower" in table and len(table):
            limits = [column for column in table if column.endswith(("lower", "upper")) and "ratio" not in column]
            lacks = table[limits].isna().any(axis=1)
            assert (table.reason.notna() == lacks).all(), name
        if which == "random":
            assert len(table), name
