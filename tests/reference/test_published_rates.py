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
from ratebook.programs.published import derive_notes, derive_published

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


def test_a_rate_stands_with_the_era_it_was_paid_in(published):
    found = published[["program", "item", "era"]]
    assert found[found.era != "all"].to_numpy().tolist() == [["altcs", "rate", "1996-97"]]


def test_the_methods_of_today_have_no_published_amount():
    assert derive_published([program("modern")]).empty


def test_numbers_of_the_text():
    files = {name: program(name) for name in PROGRAMS}
    assert {name: file["enrollment"]["persons"] for name, file in files.items()} == PRINTED["enrolled"]
    days = {name: file["liability"]["days"] for name, file in files.items() if "days" in file["liability"]}
    assert days == PRINTED["days_at_risk"]
    ages = {n: f["population"]["age_years"]["min"] for n, f in files.items() if "age_years" in f["population"]}
    assert ages == PRINTED["ages"]
    benefit = {key: files["ccn"]["capped_benefit"][key] for key in PRINTED["capped_benefit"]}
    assert benefit == PRINTED["capped_benefit"]
    notes = " ".join(rate.get("note", "") for rate in files["ccn"]["schemes"][0]["rates"])
    assert f"{PRINTED['variance_explained_percent']} percent of the variance" in notes


def test_conversion_limits():
    moved = {
        name: next(c["when"] for c in program(name)["cells"] if c["cell"] == "nhc_conversion")
        for name in ("msho", "ccn")
    }
    limits = PRINTED["conversion"]
    assert moved["msho"]["institutional_days_before_move"] == {"min": limits["msho"]["days"]}
    assert moved["msho"]["months_since_conversion"]["max"] == limits["msho"]["months"]
    assert moved["ccn"]["institutional_days_before_move"] == {"above": limits["ccn"]["months_before"] * 365.25 / 12}
    assert {name: program(name)["conversion"]["limit_months"] for name in moved} == {
        name: limits[name]["months"] for name in moved
    }


def discounts_of(rate: dict) -> list[float]:
    return [discount for term in rate["terms"] for discount in term.get("discounts", [])]


def test_discounts_of_the_programs_with_cells():
    printed = PRINTED["discounts"]
    for rate in program("starplus")["schemes"][0]["rates"]:
        assert discounts_of(rate) == [printed["starplus"]["nursing_facility"], printed["starplus"]["other"]]
    for rate in program("ccn")["schemes"][0]["rates"]:
        kind = rate["cells"][0] if rate["cells"][0] in printed["ccn"] else "community"
        assert discounts_of(rate) == [printed["ccn"][kind]]
    for rate in program("msho")["schemes"][0]["rates"]:
        waiver = [term for term in rate["terms"] if "elderly_waiver" in term["blend"]]
        assert discounts_of(rate) == [printed["msho"]["elderly_waiver"]] * len(waiver)
    pace = [d for scheme in program("pace")["schemes"] for rate in scheme["rates"] for d in discounts_of(rate)]
    assert (min(pace), max(pace)) == tuple(printed["pace"].values())
    assert not [d for scheme in program("altcs")["schemes"] for rate in scheme["rates"] for d in discounts_of(rate)]


def test_parameters_of_the_states():
    pace = program("pace")
    for scheme in pace["schemes"]:
        printed, rate = PRINTED["parameters"].get(scheme["state"], {}), scheme["rates"][0]
        assert set(discounts_of(rate)) == {printed[key] for key in printed if key == "discount"}, scheme["state"]
        if "weights" in printed:
            assert list(rate["terms"][0]["blend"].values()) == printed["weights"]
        if "adder_usd" in printed:
            assert [adder["usd"] for adder in rate["adders"]] == [printed["adder_usd"]]
        if "cells" in printed:
            assert len({row["cell"] for row in scheme["cells"]}) == printed["cells"]
        if "months" in printed:
            (group,) = rate["terms"][0]["blend"]
            assert scheme["groups"][group]["when"]["nf_months_in_year"] == {"min": printed["months"]}


def test_components_that_are_bid():
    for scheme in program("altcs")["schemes"][1:]:
        (rate,) = scheme["rates"]
        bids = [name for term in rate["terms"] for key in ("bids", "share_bids") for name in term.get(key, {})]
        bids += [adder["name"] for adder in rate["adders"] if "bid" in adder]
        assert len(bids) == PRINTED["bid_components"][scheme["era"]]


def test_states_marked_as_discounted_with_no_discount_stated_are_noted_and_priced_without():
    pace = program("pace")
    for scheme in pace["schemes"]:
        stated = [discount for rate in scheme["rates"] for discount in discounts_of(rate)]
        unknown = "discount unknown" in scheme.get("note", "")
        assert unknown == (not stated) == (scheme["state"] in PRINTED["no_discount_stated"]), scheme["state"]


def test_all_nine_conflicts_of_the_source_are_on_record():
    notes = derive_notes([program(name) for name in PROGRAMS])
    assert notes.conflict.tolist() == list(range(1, 10))
    assert notes.note.str.len().min() > 20
    assert notes.set_index("conflict").program.to_dict() | {6: "ccn", 7: "msho"} == dict.fromkeys(
        range(1, 10), "pace"
    ) | {
        6: "ccn",
        7: "msho",
    }
