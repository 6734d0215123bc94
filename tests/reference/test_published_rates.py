"""The published amounts in the program files are those of the article's tables (methods.md, F7).

Source: Rudolph NV, Lubitz J. Health Care Financing Review 1999, Tables 1 to 4, typed again in published_rates.yaml.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ltc_world import program
from ratebook.programs.published import derive_published

PRINTED = yaml.safe_load(Path(__file__).with_name("published_rates.yaml").read_text())
PROGRAMS = ("pace", "altcs", "starplus", "msho", "ccn")


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return derive_published([program(name) for name in PROGRAMS])


def test_table_2(published):
    rows = published[published.source.str.contains("Table 2")]
    found = rows[["program", "item", "published_low_usd", "published_high_usd"]].to_numpy().tolist()
    assert sorted(found) == sorted(PRINTED["table_2"])


def test_table_3_has_seventeen_states_and_eighteen_rates(published):
    rows = published[published.source.str.contains("Table 3")]
    found: dict = {}
    for row in rows.itertuples():
        assert row.published_low_usd == row.published_high_usd
        # Areas that only say where a formula's data come from are not in the printed list's key.
        found.setdefault(row.state, {})[row.area] = row.published_low_usd
    assert found == PRINTED["table_3"]
    assert (len(found), len(rows)) == (17, 18)
    assert (rows.published_low_usd.min(), rows.published_high_usd.max()) == (1486, 3965)


def test_table_4():
    for name, states in PRINTED["table_4"].items():
        factors = program(name)["factors"]
        keys = ("nursing_facility", "nursing_facility_and_hcbs", "variation", "discount")
        found = {s: [*(f[key] for key in keys), f.get("operating_site", False)] for s, f in factors.items()}
        assert found == states
    assert sum(row[4] for row in PRINTED["table_4"]["pace"].values()) == 10, "15 sites in 10 States"


def test_table_1():
    scope = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", keep_default_na=False)
    scope = scope[scope.source.str.contains("Table 1") & ~scope.source.str.contains("not in|after")]
    found = {row["service"]: "".join(row[list(PROGRAMS)]) for _, row in scope.iterrows()}
    assert found == PRINTED["table_1"]


def test_implied_gross_is_the_amount_before_its_stated_discount(published):
    table_3 = published[published.source.str.contains("Table 3") & published.stated_discount.notna()]
    found = table_3.set_index("state").implied_gross_low_usd.drop("New Mexico").to_dict()
    assert found == pytest.approx(PRINTED["implied_gross"], abs=0.005)
    cells = published[published.program != "pace"].set_index(["program", "item"]).implied_gross_low_usd
    for name, cell, expected in PRINTED["implied_gross_cells"]:
        assert cells[(name, cell)] == pytest.approx(expected, abs=0.005)


def test_the_waiver_payment_behind_the_lowest_conversion_rate_is_a_round_610():
    assert pytest.approx(610.00, abs=1e-9) == (1460 - 301) / (0.95 * 2)


def test_states_marked_as_discounted_with_no_discount_stated_are_noted_and_priced_without():
    pace = program("pace")
    for scheme in pace["schemes"]:
        stated = [d for rate in scheme["rates"] for term in rate["terms"] for d in term.get("discounts", [])]
        unknown = "discount unknown" in scheme.get("note", "")
        assert unknown == (not stated), scheme["state"]


def test_all_nine_conflicts_of_the_source_are_on_record():
    found = {note["conflict"] for name in PROGRAMS for note in program(name).get("notes", [])}
    assert found == set(range(1, 10))
