"""The config is refused before any work, with one message that names the key."""

from __future__ import annotations

import copy

import pytest
import yaml

from conftest import ROOT
from ratebook.errors import RatebookError
from ratebook.settings import check_settings, walk_assumptions

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(key: str, value) -> dict:
    config = copy.deepcopy(CONFIG)
    *path, last = key.split(".")
    place = config
    for name in path:
        place = place[name]
    place[last] = value
    return config


def test_the_shipped_config_passes(monkeypatch):
    monkeypatch.chdir(ROOT)
    check_settings(CONFIG, SCHEMA, {})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        pytest.param("clean.typo", 1, r"clean.*'typo' was unexpected", id="an unknown key"),
        pytest.param("episodes.spell_gap_days", "thirty", r"episodes\.spell_gap_days.*integer", id="a wrong type"),
        pytest.param("intake.max_rejected_share", 1.5, r"intake\.max_rejected_share.*maximum", id="out of range"),
        pytest.param(
            "rates.loads.admin_share", {"value": 0.1, "unit": "share"}, r"admin_share.*'source'", id="no source"
        ),
        pytest.param("study.window_start", "2014-13-45", r"study\.window_start.*no date", id="no date"),
        pytest.param("study.window_start", "2019-01-01", r"study\.window_start.*after study\.window_end", id="order"),
        pytest.param("rates.rating_end", "2018-01-01", r"rates\.rating_start.*after rates\.rating_end", id="rating"),
        pytest.param("programs.files", ["nowhere.yaml"], r"programs\.files.*nowhere", id="a file that is not there"),
        pytest.param(
            "study.data_note", "", r"(?s)real.*cost\.payment_forms.*programs.*rates\.", id="stand-ins on real data"
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(monkeypatch, key, value, said):
    monkeypatch.chdir(ROOT)
    with pytest.raises(RatebookError, match=said):
        check_settings(changed(key, value), SCHEMA, {})


def test_every_assumption_is_found_with_its_key():
    keys = [row["key"] for row in walk_assumptions(CONFIG)]
    assert "rates.loads.admin_share" in keys
    assert len(keys) == len(set(keys)) > 20


def own_sources(node):
    """Give a config whose every assumption is somebody's own."""
    if isinstance(node, dict) and {"value", "unit", "source"} <= set(node):
        return {**node, "source": "contract 2018, exhibit 4"}
    return {key: own_sources(child) for key, child in node.items()} if isinstance(node, dict) else node


def real(config: dict) -> dict:
    ids = {**config["intake"], "ids": "already_pseudonymous"}
    return {**config, "study": {**config["study"], "data_note": ""}, "intake": ids}


def test_real_data_refuses_stand_ins_and_lists_every_key_and_how_to_set_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(RatebookError) as error:
        check_settings(real(CONFIG), SCHEMA, {})
    said = str(error.value)
    placeholders = [
        row["key"] for row in walk_assumptions(CONFIG) if row["assumption_source"].startswith("placeholder")
    ]
    assert len(placeholders) > 10 and all(f"  {key} (" in said for key in placeholders)
    assert "a value, a unit and a source" in said


def test_real_data_runs_on_assumptions_somebody_stands_for_whatever_their_value(monkeypatch):
    monkeypatch.chdir(ROOT)
    check_settings(real(own_sources(CONFIG)), SCHEMA, {})


def test_one_placeholder_left_is_enough(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = real(own_sources(CONFIG))
    config["rates"]["trend"]["assumed_unit_cost"]["source"] = "Placeholder until the actuary has spoken"
    with pytest.raises(RatebookError, match=r"1 assumptions.*\n  rates\.trend\.assumed_unit_cost \(Placeholder"):
        check_settings(config, SCHEMA, {})
