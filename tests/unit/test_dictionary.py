"""The data dictionary says what the contracts say."""

from __future__ import annotations

from conftest import ROOT
from ratebook.contracts import cost
from ratebook.dictionary import contracts_of, write_dictionary


def test_the_dictionary_has_not_drifted_from_the_contracts():
    written = (ROOT / "docs/data_dictionary.md").read_text(encoding="utf-8")
    assert written == write_dictionary(), (
        "run: PYTHONPATH=scripts python -m ratebook.dictionary > docs/data_dictionary.md"
    )


def test_every_table_states_its_grain_and_key():
    text = write_dictionary()
    for contract in contracts_of(cost):
        assert f"### {contract.__name__}\n" in text
        assert " ".join(contract.__doc__.split()) in text


def test_counts_of_people_are_marked():
    assert "| `at_risk` | int64 |" in write_dictionary()
    assert "*persons* |" in write_dictionary()
