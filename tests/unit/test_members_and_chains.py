"""Ids to their ends, and persons to one row."""

import pytest

from ratebook.clean.groups import find_ends
from ratebook.clean.members import build_identity, build_persons, count_split_ids
from ratebook.contracts.clean import Identity
from ratebook.contracts.intake import Eligibility, IdentityCrosswalk, Members


@pytest.fixture
def ends(table, run):
    def find(pairs):
        drawn = "id | next_id\n" + "\n".join(f"{a} | {b}" for a, b in pairs)
        return {row["id"]: row["end_id"] for row in run(find_ends(table(drawn)))}

    return find


@pytest.mark.parametrize("length", [1, 2, 3, 64, 65, 700])
def test_a_chain_of_any_length_has_one_end(ends, length):
    found = ends([(f"n{at:03}", f"n{at + 1:03}") for at in range(length)])
    assert set(found.values()) == {f"n{length:03}"}
    assert len(found) == length + 1


@pytest.mark.parametrize("length", [2, 3, 4, 7])
def test_ids_in_a_circle_end_at_the_smallest(ends, length):
    found = ends([(f"n{at}", f"n{(at + 1) % length}") for at in range(length)] + [("a-tail", "n1")])
    assert set(found.values()) == {"n0"}


def test_an_id_pointing_to_itself_or_nowhere_has_no_chain(ends):
    assert ends([("A", "A"), ("B", "")]) == {}


MEMBERS = """\
    person_id | birth_date | sex    | county
    A         | 1980-01-01 | female | Kent
    A         | 1980-01-01 | male   | Kent
    A-OLD     | 1981-01-01 | female |
    B         |            | x      |
    &C        | 1970-01-01 | male   |
    """
CROSSWALK = """\
    source_person_id | person_id
    A-OLD            | A
    A-OLDEST         | A-OLD
    SPLIT            | A
    SPLIT            | B
    GHOST            | NOBODY
    """


@pytest.fixture
def identity(table):
    eligible = table("person_id\nE\nA", Eligibility)
    return build_identity(table(MEMBERS, Members), eligible, table(CROSSWALK, IdentityCrosswalk))


def test_every_known_id_is_one_persons(identity, run):
    found = {row["source_person_id"]: row["person_id"] for row in run(identity)}
    assert found == {"A": "A", "A-OLD": "A", "A-OLDEST": "A", "B": "B", "E": "E"}
    assert len(run(identity)) == len(found)


def test_an_id_sent_to_two_persons_is_counted(table, run):
    assert run(count_split_ids(table(CROSSWALK, IdentityCrosswalk))) == [{"crosswalk_ids": 4, "split_ids": 1}]


def test_a_person_is_what_most_records_say(table, run, tmp_path, identity):
    from ratebook.tables import open_table, write_table

    write_table(identity, tmp_path / "identity", Identity)
    persons = build_persons(table(MEMBERS, Members), open_table(tmp_path / "identity", Identity))
    found = {row["person_id"]: row for row in run(persons)}
    assert set(found) == {"A", "B", "E"}
    assert (str(found["A"]["birth_date"]), found["A"]["sex"], found["A"]["county"]) == ("1980-01-01", "female", "Kent")
    assert (found["B"]["birth_date"], found["B"]["sex"]) == (None, "unknown")
    assert found["E"]["county"] == "unknown"
