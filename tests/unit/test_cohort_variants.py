"""Other readings of repeated detoxification: whom the cohort would hold under each."""

from __future__ import annotations

import ibis
import pytest

from cohort_data import CONTACTS, cohort_drawer, study_drawer
from ratebook.contracts.clean import Contacts
from ratebook.episodes.variants import count_variants, select_eligible
from ratebook.tables import hold

study = pytest.fixture(study_drawer)
cohort_of = pytest.fixture(cohort_drawer)


def readings(rows, **asked) -> dict:
    """Persons by number asked for, whether the index counts, and arm, where the rest is as asked."""
    usual = {"unit": "episode", "index_rule": "first", "arm": "all", **asked}
    kept = [row for row in rows if all(row[name] == value for name, value in usual.items())]
    return {(row["min_detox_12m"], row["count_index"]): row["persons"] for row in kept}


@pytest.fixture
def variants_of(study, table, run):
    def make(**changes):
        candidates, cohort, rules = study(**changes)
        contacts = table(CONTACTS, Contacts).mutate(contact_id=ibis.row_number().cast("string"))
        eligible = hold(select_eligible({"episode": candidates}, contacts, rules))
        found = count_variants(eligible, rules)
        return run(found.order_by(*found.columns[:5])), run(cohort.count())

    return make


def test_other_readings_of_repeated_detox_hold_the_same_or_fewer_as_they_ask_for_more(variants_of):
    rows, persons = variants_of()
    assert readings(rows) == {(1, False): 2, (1, True): 2, (2, False): 1, (2, True): 2, (3, False): 0, (3, True): 1}
    assert [row["persons"] for row in rows if row["is_chosen"] and row["arm"] == "all"] == [persons]
    rows, _ = variants_of(min_detox_12m=5)
    chosen = [row for row in rows if row["is_chosen"]]
    assert [(row["min_detox_12m"], row["persons"]) for row in chosen] == [(5, 0)] * 4


@pytest.mark.parametrize(
    ("index_rule", "rsn", "discharges"),
    [
        pytest.param("first", 1, 2, id="A's second episode, five days before the contact"),
        pytest.param("last", 0, 2, id="A's third, after it"),
        pytest.param("all", 1, 3, id="A is there twice, with RSN once"),
    ],
)
def test_which_discharge_is_the_index_decides_the_arm(variants_of, index_rule, rsn, discharges):
    rows, _ = variants_of()
    assert readings(rows, index_rule=index_rule)[2, True] == 2
    assert readings(rows, index_rule=index_rule, arm="RSN")[2, True] == rsn
    asked = [row for row in rows if row["index_rule"] == index_rule and row["unit"] == "episode"]
    counted = {
        row["arm"]: row["discharges"] for row in asked if (row["min_detox_12m"], row["count_index"]) == (2, True)
    }
    assert counted.pop("all") == sum(counted.values()) == discharges


def test_the_arms_of_a_reading_add_up_to_it_and_the_reading_in_force_is_the_cohort(variants_of, cohort_of):
    for index_rule in ("first", "last", "random"):
        rows, persons = variants_of(index_rule=index_rule)
        chosen = {row["arm"]: row["persons"] for row in rows if row["is_chosen"]}
        assert chosen.pop("all") == sum(chosen.values()) == persons
        arms = [row["arm"] for row in cohort_of(index_rule=index_rule).values()]
        assert chosen == {arm: arms.count(arm) for arm in ("RSN", "CSP", "none")}
