"""Exhibits of cost with few members or users: what is hidden, what goes with it, and what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cost_data import random_tables
from cost_exhibit_data import SETTINGS, draw_people, exhibits_of
from ratebook.contracts.released import RELEASED
from ratebook.cost.arms import compare_arms
from ratebook.cost.plots import FIGURES, NEEDS, plot_cost
from ratebook.cost.pmpm import price_pmpm
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.disclosure import disclose_tables
from ratebook.tables import empty_frame

people = pytest.fixture(random_tables, scope="module")
drawn = pytest.fixture(draw_people, scope="module")
made = pytest.fixture(exhibits_of, scope="module")


@pytest.fixture(scope="module")
def tables(people, made, drawn):
    found = estimate_total_cost(*people, SETTINGS) | compare_arms(drawn, SETTINGS) | made
    return {name: found.get(name, empty_frame(RELEASED[name].contract)) for name in {*NEEDS, *made, "increments"}}


def released(tables: dict, limit: int) -> dict:
    return disclose_tables({name: frame.copy() for name, frame in tables.items()}, RELEASED, limit)


def test_every_comparison_of_a_small_arm_is_hidden(tables):
    small = {
        name: frame.assign(persons=np.where(frame.arm == "RSN", 7, frame.persons)) if "arm" in frame else frame
        for name, frame in tables.items()
    }
    shown = released(small, 11)
    for name in ("perspectives", "category_sums", "total_cost"):
        usd = shown[name].groupby("arm").estimate_usd.count()
        assert usd["RSN"] == 0 and usd["difference"] == 0 and usd["CSP"] > 0, name
    for name, column in (("decomposition", "effect_usd"), ("plane", "tcoc_usd"), ("increments", "icer_usd")):
        assert shown[name][column].isna().all() and shown[name].persons.isna().all(), name
    assert shown["net_benefit"].net_benefit_usd.isna().all() and shown["break_even"].value.isna().all()


def test_arms_at_the_limit_are_shown(tables):
    shown = released(tables, int(tables["total_cost"].persons[tables["total_cost"].arm == "RSN"].min()))
    assert shown["perspectives"].estimate_usd.notna().all()


@pytest.mark.parametrize(("users", "is_hidden"), [(10, True), (11, False)])
def test_a_rare_category_is_hidden_with_another_of_its_total(tables, users, is_hidden):
    rows = tables["cost_by_category"]
    used = rows.category.map({"OP_SUD": 120, "WM_RES": 90, "IOP_PHP": 60, "NAVIGATOR": 150}).fillna(0).astype(int)
    used = used.where(~((rows.arm == "RSN") & (rows.category == "IOP_PHP")), users)
    shown = released({**tables, "cost_by_category": rows.assign(users=used)}, 11)
    post = shown["cost_by_category"].query("window == 'post'")
    hidden = post[post.users.isna()].groupby("arm").category.agg(set).to_dict()
    # The other one keeps the rare one from being what is left of the printed total; the difference follows its arm.
    assert hidden == ({"RSN": {"IOP_PHP", "WM_RES"}, "difference": {"IOP_PHP", "WM_RES"}} if is_hidden else {})
    of_parts = shown["decomposition"][shown["decomposition"].effect_usd.isna()].category
    assert {"IOP_PHP", "WM_RES"} <= set(of_parts) if is_hidden else "OP_SUD" not in set(of_parts)


def test_figures_show_what_is_released_and_nothing_else(tables):
    for given in (tables, {name: empty_frame(RELEASED[name].contract) for name in tables}):
        drawn = plot_cost(given, 11)
        assert set(drawn) == set(FIGURES)
    hidden = plot_cost(tables, 10_000)
    texts = [text.get_text() for text in hidden["ce_plane"].axes[0].texts]
    assert any("nothing to compare" in text for text in texts)


@pytest.mark.parametrize(("users", "is_hidden"), [(10, True), (11, False)])
def test_a_category_few_of_a_plan_used_cannot_be_worked_out(people, users, is_hidden):
    plans, categories = ["A", "B", "C"], ["OP_SUD", "OTP", "LTSS", "OTHER", "IP_MEDICAL"]
    cells = pd.MultiIndex.from_product([plans, categories], names=["plan", "category"]).to_frame(index=False)
    cells = cells.assign(service_month=pd.Timestamp("2016-01-01"), is_covered=True, cost_usd=500.0, units=1.0)
    cells["users"] = [40 + 3 * n for n in range(len(cells))]
    cells.loc[(cells.plan == "B") & (cells.category == "LTSS"), "users"] = users
    months = pd.DataFrame(
        {"plan": plans, "service_month": pd.Timestamp("2016-01-01"), "member_months": 100.0, "persons": 90}
    )
    total = empty_frame(RELEASED["total_cost"].contract)
    priced = price_pmpm(*people, total, cells, months, "fractional", 0, 1)
    shown = disclose_tables({"pmpm": priced}, RELEASED, 11)["pmpm"].query("arm == 'all'")
    hidden = set(zip(shown.plan, shown.numerator)) - set(
        zip(*shown.dropna(subset="estimate_usd")[["plan", "numerator"]].to_numpy().T)
    )
    assert (("B", "LTSS") in hidden) == is_hidden
    # In the plan, and among plans, another cell of the same total is hidden with it.
    of_plan = {numerator for plan, numerator in hidden if plan == "B"} - {"tcoc", "total_sud"}
    of_category = {plan for plan, numerator in hidden if numerator == "LTSS"}
    assert (len(of_plan & {"LTSS", "OTHER", "IP_MEDICAL"}) > 1 and len(of_category) > 1) == is_hidden
