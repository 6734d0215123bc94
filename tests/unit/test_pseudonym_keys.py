"""The key of pseudonyms: real data run only with it, a run keeps to one, and it is never said."""

from __future__ import annotations

import copy
import importlib
import io
from types import SimpleNamespace

import pytest
import yaml

from conftest import ROOT
from pseudonym_data import OTHER, SECRET, by_hand
from ratebook.contracts.intake import TABLES, MedicalClaims
from ratebook.errors import RatebookError
from ratebook.intake.pseudonyms import LENGTH, main, subkey
from ratebook.keys import KEY, SHORTEST, check_key, fingerprint_of, read_key
from ratebook.settings import check_settings, walk_assumptions
from ratebook.steps import step
from ratebook.tables import empty_frame, open_table

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def config(ids="keyed_hash", data_note=""):
    changed = copy.deepcopy(CONFIG)
    changed["intake"]["ids"], changed["study"]["data_note"] = ids, data_note
    return changed


@pytest.mark.parametrize(
    ("ids", "data_note", "environment", "said"),
    [
        pytest.param("keyed_hash", "", {}, "has no RATEBOOK_KEY", id="real data and no key"),
        pytest.param("keyed_hash", "", {KEY: "   "}, "has no RATEBOOK_KEY", id="real data and a blank key"),
        pytest.param("keyed_hash", "", {KEY: "k" * (SHORTEST - 1)}, "shorter than 32", id="a key of 31 characters"),
        pytest.param("keyed_hash", "", {KEY: "k" * SHORTEST}, None, id="a key of 32 characters, the least"),
        pytest.param("already_pseudonymous", "", {}, None, id="real data whose ids are pseudonyms"),
        pytest.param("keyed_hash", "synthetic", {}, None, id="synthetic data"),
    ],
)
def test_real_data_runs_only_with_a_key(ids, data_note, environment, said):
    if said is None:
        check_key(config(ids, data_note), environment)
        return
    with pytest.raises(RatebookError, match=said) as refused:
        check_key(config(ids, data_note), environment)
    message = str(refused.value)
    assert "intake.ids" in message and "secrets.token_hex(32)" in message
    assert "kkk" not in message, "the key is not quoted"


@pytest.mark.parametrize(
    ("arguments", "said"), [([], "use:"), (["plan"], "use:"), (["person"], "has no RATEBOOK_KEY")]
)
def test_the_command_says_in_one_line_what_is_wrong(monkeypatch, arguments, said):
    monkeypatch.delenv(KEY, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("P1\n"))
    with pytest.raises(SystemExit, match=said):
        main(arguments)


def test_the_settings_are_refused_without_a_key(monkeypatch):
    monkeypatch.chdir(ROOT)
    real = config()
    for row in walk_assumptions(real):
        place = real
        for name in row["key"].split("."):
            place = place[name]
        place["source"] = "our own experience"
    with pytest.raises(RatebookError, match="RATEBOOK_KEY"):
        check_settings(real, SCHEMA, {})
    check_settings(real, SCHEMA, {KEY: SECRET})


def test_the_fingerprint_tells_keys_apart_and_is_empty_where_ids_stay():
    one, two = (fingerprint_of(config(), {KEY: key}) for key in (SECRET, OTHER))
    assert one != two and len(one) == len(two) == 8 and int(one, 16) >= 0
    assert one not in by_hand("", "fingerprint")
    assert fingerprint_of(config("already_pseudonymous"), {KEY: SECRET}) == ""
    assert fingerprint_of(config(data_note="synthetic"), {KEY: SECRET}) == ""


def test_a_step_takes_no_other_key_than_the_run_was_started_with():
    planned = fingerprint_of(config(), {KEY: SECRET})
    assert read_key({KEY: SECRET}, planned) == SECRET
    assert read_key({KEY: SECRET}, "") is None
    for environment in ({}, {KEY: OTHER}):
        with pytest.raises(RatebookError, match="not the key") as refused:
            read_key(environment, planned)
        assert OTHER not in str(refused.value)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Run the door on a feed of two members and two claims, as Snakemake would."""
    source = tmp_path / "source"
    source.mkdir()
    ids = {
        "members": ["PERSON77", "PERSON78"],
        "eligibility": ["PERSON77"],
        "medical_claims": ["PERSON77", "PERSON78"],
    }
    for name, persons in ids.items():
        frame = empty_frame(TABLES[name]).reindex(range(len(persons))).assign(person_id=persons)
        if name == "medical_claims":
            frame = frame.assign(claim_id=["CLAIM5", "CLAIM5-1"], load_sequence=[1, 2])
        frame.drop(columns="cells_unparsed").astype({"person_id": "string"}).to_parquet(source / f"{name}.parquet")
    layout = tmp_path / "layout.yaml"
    tables = {name: {"files": f"{name}.parquet", "same_names": True} for name in ids}
    layout.write_text(yaml.safe_dump({"name": "layout", "description": "drawn here", "tables": tables}))

    def run_door(fingerprint, environment):
        for name in (KEY,):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        made = {name: str(tmp_path / "out" / f"{name}.parquet") for name in (*TABLES, "source_manifest")}
        snakemake = SimpleNamespace(
            input=SimpleNamespace(layout=str(layout), schema=str(ROOT / "workflow/schemas/layout.schema.yaml")),
            output=SimpleNamespace(**made),
            params=SimpleNamespace(source=str(source), max_rejected_share=0.5, key_fingerprint=fingerprint),
            log=[str(tmp_path / "door.log")],
            config={"engine": {"name": "duckdb", "memory": "2GB", "scratch": ""}},
            threads=1,
            rule="read_sources",
        )
        step(importlib.import_module("intake.read_sources").main, snakemake)
        return made, (tmp_path / "door.log").read_text()

    return run_door


def test_the_door_hides_ids_and_says_neither_them_nor_the_key(read, run, tmp_path):
    made, log = read(fingerprint_of(config(), {KEY: SECRET}), {KEY: SECRET})
    tables = {name: run(open_table(made[name], TABLES[name])) for name in ("members", "medical_claims")}
    assert {row["person_id"] for row in tables["members"]} == {by_hand(f"PERSON{n}", "person") for n in (77, 78)}
    assert {row["person_id"] for row in tables["medical_claims"]} == {row["person_id"] for row in tables["members"]}
    assert [row["claim_id"][LENGTH:] for row in tables["medical_claims"]] == ["", "-1"]
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    for secret in (SECRET, subkey("person", SECRET), subkey("claim", SECRET), "PERSON77", "CLAIM5"):
        assert secret not in log
        assert secret.encode() not in written


def test_synthetic_data_reads_the_same_whatever_key_is_in_the_environment(read, run):
    made, _ = read("", {KEY: SECRET})
    rows = run(open_table(made["medical_claims"], MedicalClaims))
    assert [(row["person_id"], row["claim_id"]) for row in rows] == [("PERSON77", "CLAIM5"), ("PERSON78", "CLAIM5-1")]


def test_the_door_stops_at_another_key_and_says_none(read, capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        read(fingerprint_of(config(), {KEY: SECRET}), {KEY: OTHER})
    said = str(stopped.value) + (tmp_path / "door.log").read_text() + "".join(capsys.readouterr())
    assert "not the key" in said
    assert SECRET not in said and OTHER not in said and "PERSON77" not in said
