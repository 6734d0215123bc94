"""The checklist of cost: sound results pass every question, and each damage fails the one that looks for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cost_data import SETTINGS, random_tables
from ratebook.contracts.cost import WINDOW_TABLES
from ratebook.cost.arms import compare_arms
from ratebook.cost.drawn import draw_arms
from ratebook.cost.exhibits import derive_exhibits, exhibit_pmpm
from ratebook.cost.pmpm import price_pmpm
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.tables import empty_frame
from review_data import ask

OF_COST = ["H21", *[f"H{number}" for number in range(35, 47)], "H70"]
OUTSIDE = pd.DataFrame(
    {
        "program": ["RSN", "RSN", "CSP"],
        "item": ["training", "coaching", "training"],
        "perspective": ["payer", "payer", "provider"],
        "amount_usd": [20000.0, 10000.0, 5000.0],
        "persons": [200, 200, 160],
        "client_usd": [100.0, 50.0, 31.25],
        "reason": None,
    }
)


def cohort_of(follow_up: pd.DataFrame) -> pd.DataFrame:
    dates = pd.date_range("2015-01-01", periods=len(follow_up), freq="D")
    return follow_up[["person_id", "arm"]].assign(discharge_date=dates)


def months_around() -> dict[str, pd.DataFrame]:
    """Give cost by month before admission, level, and the contrast that stands beside each arm's change."""
    told = {"estimand": "total_sud", "dollars": "nominal"}
    events = [
        told | {"contrast": arm, "event_month": month, "estimate_usd": 200.0}
        for arm in ("RSN", "CSP")
        for month in range(-12, 3)
    ]
    did = [told | {"contrast": "RSN-CSP", "quantity": "difference_in_differences", "estimate": 100.0}]
    return {"event_study": pd.DataFrame(events), "did": pd.DataFrame(did)}


def models_of(follow_up: pd.DataFrame) -> pd.DataFrame:
    persons = follow_up.arm.value_counts()
    rows = [
        {"method": method, "family": family, "is_primary": primary, "arm": arm, "estimate_usd": usd}
        | {"estimand": "total_sud", "persons": persons.get(arm, len(follow_up))}
        for method, family, primary in [
            ("one_part", "gamma", True),
            ("ols_log_smearing", "normal on the log scale", False),
            ("winsorised", "gamma", False),
        ]
        for arm, usd in {"RSN": 7000.0, "CSP": 5000.0, "difference": 2000.0}.items()
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def sound() -> dict[str, pd.DataFrame]:
    """Results as the pipeline makes them."""
    people = random_tables()
    tables = dict(zip(("follow_up", "person_costs", "client_intervals"), people)) | {"outside_costs": OUTSIDE}
    drawn = draw_arms(*people, SETTINGS)
    tables |= estimate_total_cost(*people, SETTINGS) | compare_arms(drawn, SETTINGS) | derive_exhibits(drawn, OUTSIDE)
    nobody = [empty_frame(WINDOW_TABLES[name]) for name in ("population_costs", "population_months")]
    tables["pmpm"] = price_pmpm(*people, tables["total_cost"], *nobody, "fractional", 60, 3)
    tables["pmpm_exhibit"] = exhibit_pmpm(tables["pmpm"], "fractional")
    tables |= months_around()
    tables["cohort"] = cohort_of(people[0])
    tables["cost_models"] = models_of(people[0])
    return tables


@pytest.mark.parametrize("check_id", OF_COST)
def test_sound_results_pass(sound, check_id):
    found = ask(check_id, **sound)
    assert found.status == "pass", (found.value, found.reason)


@pytest.mark.parametrize("check_id", OF_COST)
def test_absent_results_are_not_an_absent_error(check_id):
    assert ask(check_id).status == "na"


def set_where(column: str, value, **where):
    """Give a damage: a column's value in the rows that meet the conditions."""

    def damage(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        hit = np.logical_and.reduce([frame[name] == wanted for name, wanted in where.items()] or [[True] * len(frame)])
        frame.loc[hit, column] = value(frame.loc[hit, column]) if callable(value) else value
        return frame

    return damage


def drop_where(**where):
    def damage(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[~np.logical_and.reduce([frame[name] == wanted for name, wanted in where.items()])]

    return damage


def move_index_stay(costs: pd.DataFrame) -> pd.DataFrame:
    """Put the index stays of one arm into follow-up."""
    hit = (costs.window == "index") & costs.person_id.str[-1].isin(list("02468"))
    return pd.concat([costs[~hit], costs[hit].assign(window="post", interval=1)])


def later_index(cohort: pd.DataFrame) -> pd.DataFrame:
    late = pd.to_timedelta(np.where(cohort.arm == "RSN", 100, 0), unit="D")
    return cohort.assign(discharge_date=cohort.discharge_date + late)


def all_available(cost: pd.DataFrame) -> pd.DataFrame:
    """Keep only means that overlook censoring."""
    return cost[cost.method.isin(["available_case", "complete_case"])]


DAMAGES = [
    ("H21", "event_study", set_where("estimate_usd", 900.0, event_month=-1), "cost peaks before admission"),
    ("H21", "did", set_where("estimate", np.nan), "nothing stands beside a before-after"),
    ("H35", "pmpm", set_where("denominator", "", variant="P1"), "a denominator is not stated"),
    ("H35", "pmpm", set_where("month_rule", None, variant="P4"), "nor the rule of its months"),
    ("H35", "pmpm", set_where("denominator", "other months", variant="P2", arm="RSN"), "arms differ in theirs"),
    ("H35", "pmpm", set_where("estimate_usd", 1.0, variant="P1", arm="difference"), "P1 of one, P4 of the other"),
    ("H36", "pmpm_exhibit", set_where("variant", "P6", variant="P1"), "P6 is the headline"),
    ("H36", "pmpm", set_where("estimate_usd", lambda x: 1.2 * x, variant="P1", arm="RSN"), "P1 is a mean of ratios"),
    ("H36", "pmpm_exhibit", set_where("numerator_usd", np.nan, variant="P1", arm="RSN"), "its halves are not given"),
    ("H37", "total_cost", set_where("method", "kaplan_meier", method="lin"), "Kaplan-Meier of cost"),
    ("H37", "follow_up", set_where("end_reason", "disengaged", end_reason="horizon"), "leaving censors cost"),
    ("H37", "follow_up", set_where("is_complete", False, end_reason="death"), "death censors cost"),
    ("H38", "total_cost", all_available, "available cases only"),
    ("H38", "total_cost", drop_where(method="partitioned", arm="RSN"), "one arm is not adjusted"),
    ("H38", "total_cost", drop_where(method="simple"), "one of the two means is missing"),
    ("H38", "pmpm", set_where("estimate_usd", lambda x: 0.9 * x, variant="P5", arm="CSP"), "available cases are quoted"),
    ("H39", "cost_models", set_where("method", "ols_log", method="ols_log_smearing"), "no smearing"),
    ("H39", "cost_models", set_where("estimate_usd", 1.4, arm="difference", method="one_part"), "exp(b) as dollars"),
    ("H40", "total_cost", set_where("lower", np.nan, arm="difference"), "a difference without its interval"),
    ("H40", "pmpm", set_where("ratio_upper", np.nan, arm="difference"), "a ratio without its interval"),
    ("H40", "total_cost", set_where("clusters", 300, arm="difference"), "members are drawn, not providers"),
    ("H40", "pmpm", set_where("clusters", np.nan, arm="difference"), "no provider is named"),
    ("H41", "follow_up", lambda frame: frame.iloc[5:], "the dearest members are left out"),
    ("H41", "total_cost", set_where("persons", lambda x: x - 3, arm="RSN"), "an estimate leaves members out"),
    ("H41", "cost_models", set_where("is_primary", True, method="winsorised"), "the winsorised row is primary"),
    ("H41", "cost_models", set_where("persons", lambda x: x - 3, arm="difference"), "a model leaves members out"),
    ("H42", "person_costs", move_index_stay, "the index stay of one arm is in follow-up"),
    ("H42", "person_costs", lambda frame: frame[~((frame.window == "index") & frame.person_id.str[-1].isin(list("13579")))],
     "the index stay of one arm is dropped"),
    ("H43", "cohort", later_index, "arms 100 days apart, nominal dollars"),
    ("H44", "outside_costs", drop_where(program="RSN"), "no cost outside claims on record"),
    ("H44", "perspectives", set_where("outside_usd", 0.0, perspective="payer"), "on record, and not shown"),
    ("H45", "increments", set_where("quadrant", None), "a ratio without its quadrant"),
    ("H45", "increments", set_where("quadrant", "SE"), "with another quadrant"),
    ("H46", "decomposition", set_where("effect_usd", lambda x: x + 1, category="OP_SUD", factor="price"), "a dollar is left"),
    ("H46", "decomposition", set_where("effect_usd", np.nan, category="OP_SUD", factor="price"), "a price is undefined"),
    ("H46", "cost_by_category", drop_where(category="IP_MEDICAL"), "a category is missing from the total"),
    ("H70", "pmpm_exhibit", drop_where(variant="P4"), "one of the four is missing"),
    ("H70", "pmpm_exhibit", drop_where(variant="P5", arm="CSP"), "one arm is missing"),
    ("H70", "pmpm_exhibit", set_where("denominator", "", variant="P1"), "a half is not named"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check_id", "table", "damage"), [pytest.param(*row[:3], id=f"{row[0]}: {row[3]}") for row in DAMAGES]
)
def test_damaged_results_fail(sound, check_id, table, damage):
    found = ask(check_id, **sound | {table: damage(sound[table])})
    assert found.status == {"H21": "warn", "H43": "warn", "H44": "warn", "H45": "warn"}.get(check_id, "fail"), (
        found.reason
    )


def test_every_question_of_cost_has_a_damage():
    assert {row[0] for row in DAMAGES} == set(OF_COST)


def test_ninety_days_apart_is_the_limit(sound):
    cohort = sound["cohort"].assign(discharge_date=pd.Timestamp("2015-01-01"))
    at = cohort.assign(
        discharge_date=cohort.discharge_date + pd.to_timedelta(np.where(cohort.arm == "RSN", 90, 0), "D")
    )
    assert ask("H43", **sound | {"cohort": at}).status == "pass"
    real = pd.DataFrame({"dollars": ["real"], "estimate_usd": [1.0]})
    assert ask("H43", **sound | {"cohort": later_index(at)}).status == "warn"
    assert ask("H43", **sound | {"cohort": later_index(at), "price_comparison": real}).status == "pass"


def test_the_order_of_rows_is_of_no_matter(sound):
    mixed = {name: frame.sample(frac=1.0, random_state=1) for name, frame in sound.items()}
    for check_id in OF_COST:
        assert ask(check_id, **mixed).value == pytest.approx(ask(check_id, **sound).value, abs=1e-9)
