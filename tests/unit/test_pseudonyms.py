"""Pseudonyms: ids give way to keyed hashes, joins and versions hold, and whoever holds the key can look one up."""

from __future__ import annotations

import pytest

from pseudonym_data import OTHER, SECRET, by_hand
from ratebook.clean.feeds import SUFFIX
from ratebook.clean.members import build_identity
from ratebook.contracts.intake import TABLES, Eligibility, IdentityCrosswalk, MedicalClaims, Members, NavigatorLog
from ratebook.intake.pseudonyms import IDS, LENGTH, hide_id, hide_ids, look_up, subkey


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


def test_who_holds_the_key_can_look_a_known_id_up():
    assert look_up("person", ["P2", "", " P1 "], SECRET) == [by_hand("P2", "person"), by_hand("P1", "person")]
