"""Pseudonyms: ids give way to keyed hashes, joins hold, and neither key nor id is ever said."""

from __future__ import annotations

import copy
import hashlib
import hmac
import importlib
import io
from types import SimpleNamespace

import pytest
import yaml

from conftest import ROOT
from ratebook.clean.feeds import SUFFIX
from ratebook.clean.members import build_identity
from ratebook.contracts.intake import TABLES, Eligibility, IdentityCrosswalk, MedicalClaims, Members, NavigatorLog
from ratebook.errors import RatebookError
from ratebook.intake.pseudonyms import DIGITS, IDS, LENGTH, hide_id, hide_ids, look_up, main, subkey
from ratebook.keys import KEY, SHORTEST, check_key, fingerprint_of, read_key
from ratebook.settings import check_settings, walk_assumptions
from ratebook.steps import step
from ratebook.tables import empty_frame, open_table

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
SECRET = "a test's key, of no worth: 0123456789abcdef"
OTHER = "another key of a test, of no worth either: 42"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def config(ids="keyed_hash", data_note=""):
    changed = copy.deepcopy(CONFIG)
    changed["intake"]["ids"], changed["study"]["data_note"] = ids, data_note
    return changed


def by_hand(text: str, kind: str, key: str = SECRET) -> str:
    """What Python's own HMAC gives for an id of which nothing is kept."""
    block = subkey(kind, key).encode()
    found = hmac.new(block, text.encode(), hashlib.sha256).hexdigest()
    return found[:LENGTH].translate(str.maketrans(*DIGITS))


@pytest.fixture
def hidden(table, run):
    def hide(kind, *ids, key=SECRET):
        drawn = table("id\n" + "\n".join(ids))
        return [row["id"] for row in run(drawn.select(id=hide_id(drawn.id, kind, key)))]

    return hide


def test_no_column_of_a_raw_table_that_names_someone_or_something_is_left_out():
    hashed = {column for columns in IDS.values() for column in columns}
    named = {
        column
        for contract in TABLES.values()
        for column, kind in contract.types().items()
        if kind == "string" and column.endswith(("_id", "_npi", "_number", "_identifier"))
    }
    assert named == hashed


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("text", ["P00000100", "1", "ÄÖ 'quoted\" \\x41", "long" * 60, "1234567890"])
def test_the_engine_hashes_as_pythons_hmac_does(hidden, kind, text):
    assert hidden(kind, text) == [by_hand(text, kind)]


def test_a_kinds_own_key_is_derived_from_the_key_and_prints():
    assert subkey("person", SECRET) != subkey("person", OTHER) != subkey("worker", OTHER)
    for kind in IDS:
        block = subkey(kind, SECRET)
        padded = [chr(ord(letter) ^ pad) for letter in block for pad in (0x36, 0x5C)]
        assert len(block) == 64
        assert all(letter.isprintable() and letter not in "'\"\\" for letter in padded)


def test_one_text_of_two_kinds_has_two_pseudonyms(hidden):
    assert len({hidden(kind, "1234567890")[0] for kind in IDS}) == len(IDS)


def test_another_key_gives_other_pseudonyms(hidden):
    assert hidden("person", "A1") != hidden("person", "A1", key=OTHER)


def test_a_placeholder_is_still_one_and_differs_from_the_id_without_its_mark(hidden):
    placeholder, same_without = hidden("person", "&123", "123")
    assert placeholder == "&" + same_without
    assert len(same_without) == LENGTH and same_without.isdigit()


@pytest.mark.parametrize(
    ("claim", "tail"),
    [
        pytest.param("C123", "", id="a plain number"),
        pytest.param("C123-1", "-1", id="a dash and a digit"),
        pytest.param("C123_02", "_02", id="an underscore and two digits"),
        pytest.param("C123.A1", ".A1", id="a point and a letter"),
        pytest.param("C123R", "R", id="a letter"),
        pytest.param("C123V01", "V01", id="a letter and digits"),
        pytest.param("C123R-1", "R-1", id="a version of a version"),
        pytest.param("C123-1-2", "-1-2", id="a version of a version, both with dashes"),
    ],
)
def test_a_claims_suffix_is_kept_behind_the_hash_of_its_number(hidden, claim, tail):
    assert hidden("claim", claim, "C123") == [by_hand("C123", "claim") + tail, by_hand("C123", "claim")]


@pytest.mark.parametrize("claim", ["C123-ABCD", "13091-3d0d320f-73c2-4e83-ba55-b8761599", "NOVERSION", "77-1-2-3"])
def test_what_is_no_suffix_is_hashed(hidden, claim):
    found = hidden("claim", claim)[0]
    assert "13091" not in found and "NOVERSION" not in found
    assert found[:LENGTH].isdigit() and len(found) <= LENGTH + 8


DASHED = ("-1", "_02", ".A1", " R1")
LETTERED = ("R", "V1", "A01")


@pytest.mark.parametrize(
    ("number", "suffixes"),
    [
        pytest.param("C123", DASHED + LETTERED, id="a letter and digits"),
        pytest.param("20180051234567", DASHED + LETTERED, id="digits"),
        # A number that ends as versions do, a letter and one or two digits, can bear versions behind a dash only.
        pytest.param("13091-3d0d320f-73c2-4e83-ba55-4e07a8f7c87", DASHED, id="hexadecimal"),
        pytest.param("A1B2C3", DASHED, id="mixed"),
    ],
)
def test_cleaning_finds_the_versions_it_would_have_found(table, run, number, suffixes):
    drawn = table("\n".join(["id", number, *(number + suffix for suffix in suffixes)]))
    hashed = drawn.select(id=hide_id(drawn.id, "claim", SECRET))

    def bases(numbers):
        return [row["base"] for row in run(numbers.select(base=numbers.id.re_extract(SUFFIX, 1)))][1:]

    assert bases(drawn) == [number] * len(suffixes)
    assert bases(hashed) == [run(hashed)[0]["id"]] * len(suffixes)


def test_null_stays_null(table, run):
    drawn = table("claim_id | original_claim_id | person_id\nC1 | | \n", MedicalClaims, cells_unparsed=0)
    row = run(hide_ids(drawn, SECRET))[0]
    assert row["claim_id"] == by_hand("C1", "claim")
    assert row["original_claim_id"] is row["person_id"] is row["rendering_npi"] is None


def test_nothing_but_ids_changes_and_without_a_key_nothing_does(table, run):
    drawn = table("log_id | person_id | program | provider_id | minutes\nL1 | A | RSN | O1 | 15\n", NavigatorLog)
    before, after = run(drawn)[0], run(hide_ids(drawn, SECRET))[0]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"log_id", "person_id", "provider_id"}
    assert run(hide_ids(drawn, None)) == [before]
    assert run(hide_ids(drawn, SECRET).count()) == 1


def test_claims_find_their_members_through_the_crosswalk_as_before(table, run):
    members = table("person_id\nNEW\nLONE\n&77", Members)
    eligibility = table("person_id\nNEW", Eligibility)
    crosswalk = table("source_person_id | person_id\nOLD | MID\nMID | NEW", IdentityCrosswalk)
    claims = table("claim_id | person_id\nC1 | OLD\nC2 | MID\nC3 | LONE\nC4 | &77\nC5 | NOBODY", MedicalClaims)

    def persons(key):
        identity = build_identity(*(hide_ids(t, key) for t in (members, eligibility, crosswalk)))
        lines = hide_ids(claims, key)
        joined = lines.join(identity, lines.person_id == identity.source_person_id)
        return sorted(
            joined.select(lines.claim_id, person=identity.person_id).pipe(run), key=lambda row: row["claim_id"]
        )

    plain, hashed = persons(None), persons(SECRET)
    assert [row["claim_id"] for row in plain] == ["C1", "C2", "C3"]
    translated = [(by_hand(row["claim_id"], "claim"), by_hand(row["person"], "person")) for row in plain]
    assert [(row["claim_id"], row["person"]) for row in hashed] == sorted(translated)


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


def test_who_holds_the_key_can_look_a_known_id_up():
    assert look_up("person", ["P2", "", " P1 "], SECRET) == [by_hand("P2", "person"), by_hand("P1", "person")]


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
