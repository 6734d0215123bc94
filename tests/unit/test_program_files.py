"""Programs as data: a file that is wrong is refused, the documentation's example is one, and the core knows none."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ltc_world import NAMES, NF, SETTINGS, covered, ltc_months, program, reduced_groups
from ratebook.errors import RatebookError
from ratebook.programs.definitions import read_program, settlements_of
from ratebook.programs.rates import derive_program_rates

CORE = ROOT / "scripts" / "ratebook"


@pytest.fixture
def read(tmp_path):
    """Read a program from its text, under the project's schema, scope and settings."""

    def of(text: str, **scope) -> dict:
        (tmp_path / "mine.yaml").write_text(text)
        schema = yaml.safe_load((ROOT / "workflow/schemas/program.schema.yaml").read_text())
        services = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", keep_default_na=False).assign(**scope)
        return read_program(str(tmp_path / "mine.yaml"), schema, services, SETTINGS, {})

    return of


def shipped(name: str) -> dict:
    return yaml.safe_load((ROOT / f"workflow/programs/{name}.yaml").read_text())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"discuont": 0.05}, "discuont", id="an unknown key"),
        pytest.param({"population": {"age": {"min": 65}}}, "no column of the name age", id="an unknown column"),
        pytest.param(
            {"liability": {"window": "first_days", "enrolled_in_nf": "plan"}}, "days", id="a window without days"
        ),
        pytest.param({"covers": ["X"]}, "covers", id="an unknown mark"),
        pytest.param({"medicare": "beside"}, "medicare", id="Medicare neither inside nor outside"),
        pytest.param({"program": "unheard_of"}, "has no column", id="a program the scope does not know"),
        pytest.param({"conversion": {"cell": "moved", "limit_months": 12}}, "no cell of the name moved", id="no such cell"),
        pytest.param(
            {"reconciliation": [{"item": "x", "kind": "cost", "group": "heavy", "cost": "acute", "share": 1}]},
            "no group of the name heavy",
            id="a settlement of a group that is not there",
        ),
        pytest.param(
            {"reconciliation": [{"item": "x", "kind": "cost", "group": "residents", "cost": "pills", "share": 1}]},
            "no cost of the name pills",
            id="a settlement of a cost that is not there",
        ),
    ],
)  # fmt: skip
def test_a_program_file_that_is_wrong_is_refused_and_says_where(read, change, message):
    with pytest.raises(RatebookError, match=message):
        read(yaml.safe_dump(shipped("msho") | change))


HOME = {"observed": ["residents", "community"], "costs": ["covered"]}


@pytest.mark.parametrize(
    ("rate", "scheme", "message"),
    [
        pytest.param({"terms": [HOME | {"at_most": {"residents": 0.3, "community": 0.7}}]}, {}, "every group", id="caps"),
        pytest.param({"terms": [HOME | {"at_most": {"enrolled": 0.3}}]}, {}, "in the term", id="a cap on another group"),
        pytest.param({"terms": [HOME | {"costs": {"residents": ["acute"]}}]}, {}, "in the term", id="a group without costs"),
        pytest.param({"terms": [HOME], "cap": HOME | {"costs": ["pills"]}}, {}, "no cost", id="a cap on nothing known"),
        pytest.param(
            {"terms": [HOME | {"net_of": ["applied_income"]}]}, {"pay_net_soc": True}, "twice", id="net of the share twice"
        ),
        pytest.param(
            {"terms": [HOME, {"blend": {"enrolled": 1}, "costs": ["applied_income"], "times": -1}]},
            {"pay_net_soc": True},
            "twice",
            id="net of the share twice, by an offset",
        ),
    ],
)  # fmt: skip
def test_a_scheme_that_cannot_be_what_it_says_is_refused(read, rate, scheme, message):
    schemes = [{"state": "Here", "rates": [rate]} | scheme]
    with pytest.raises(RatebookError, match=message):
        read(yaml.safe_dump(shipped("msho") | {"schemes": schemes}))


def test_two_schemes_that_cut_one_population_otherwise_need_an_era(read):
    def here(**more):
        return {"state": "Here", "rates": [{"terms": [HOME]}], "cells": [{"cell": "all", "when": {}}]} | more

    msho = {k: v for k, v in shipped("msho").items() if k != "conversion"}
    other = here(cells=[{"cell": "all", "when": {}, "by": ["sex"]}])
    with pytest.raises(RatebookError, match="name an era"):
        read(yaml.safe_dump(msho | {"schemes": [here(), other]}))
    found = read(yaml.safe_dump(msho | {"schemes": [here(), other | {"era": "later"}]}))
    assert [scheme["frame"] for scheme in found["schemes"]] == ["Here", "Here later"]


def test_a_scheme_may_settle_by_a_list_of_its_own():
    altcs = program("altcs")
    settled = {scheme["era"]: [item["kind"] for item in settlements_of(altcs, scheme)] for scheme in altcs["schemes"]}
    assert settled == {
        "before 1994": ["offset", "offset", "offset", "cost", "mix"],
        "1994-95": ["cost", "offset", "offset", "mix"],
        "1996-97": ["mix", "offset"],
    }
    starplus = program("starplus")
    assert settlements_of(starplus, starplus["schemes"][0]) == starplus["reconciliation"]


def test_what_medicare_covers_too_is_known_of_every_program():
    outside = {name for name in NAMES if program(name)["medicare"] == "outside"}
    assert outside == {"altcs", "starplus"}, "programs that capitate Medicaid alone"
    scope = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", keep_default_na=False)
    assert scope.medicare.isin(["yes", "no"]).all() and (scope.medicare_source != "").all()
    assert program("starplus")["medicare_services"] == ["therapy", "adaptive_aids", "acute"]
    for name in NAMES:
        found = program(name)["medicare_services"]
        assert set(found) <= set(program(name)["services"]) - {"nursing_facility", "personal_care", "homemaker"}


def test_a_discount_of_a_half_or_more_does_not_pass_the_schema(read):
    text = (ROOT / "workflow/programs/ccn.yaml").read_text().replace("discounts: [0.02]", "discounts: [0.98]")
    with pytest.raises(RatebookError, match=r"mine\.yaml: schemes"):
        read(text)


def test_the_example_in_the_documentation_runs_as_it_stands(read, table, tmp_path):
    """Two people on a waiver, one of them six months in a facility: 18,000 dollars there, 12,000 at home."""
    text = (ROOT / "docs/programs.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert len(text.splitlines()) <= 20
    mine = read(text, mine="C")
    claims = f"""\
        {NF}
        A | 1 | 1 | nursing_facility | 2015-04-01 | 2015-09-30 | 18000
        B | 2 | 1 | personal_care | 2015-01-01 | 2015-12-31 | 12000"""
    months = covered("2015-01-01", 12, waiver="EW") + covered("2015-01-01", 12, "B", waiver="EW")
    reduced = reduced_groups(ltc_months(table, claims, months), [mine], tmp_path)
    found = derive_program_rates(reduced, [mine], 365, 2, 24).set_index("cell")
    assert found.member_months.to_dict() == {"resident": 4, "home/75_84": 20, "average": 24}
    assert found.rate_usd.tolist() == pytest.approx([0.95 * (0.6 * 3000 + 0.4 * 12_000 / 18) + 13] * 3)
    assert found.credibility["resident"] == pytest.approx((4 / 24) ** 0.5)
    assert found.credibility["average"] == 1
