"""The reference of program files says what their schema says, and the schema says what every key means."""

from __future__ import annotations

import pytest
import yaml

from conftest import ROOT
from ratebook.programs import primitives
from ratebook.programs.definitions import MEASURES
from ratebook.programs.reference import kind, sections, write_reference

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/program.schema.yaml").read_text())
WORDS = {
    "$defs", "$ref", "$schema", "additionalProperties", "const", "default", "description", "enum", "exclusiveMaximum",
    "if", "items", "minItems", "minProperties", "minimum", "oneOf", "pattern", "properties", "required", "then", "type",
}  # fmt: skip
NAMED = {"properties", "$defs"}


def nodes(node, names=False):
    """Every part of the schema that holds keywords."""
    if isinstance(node, dict):
        if not names:
            yield node
        for key, child in node.items():
            yield from nodes(child, names=not names and key in NAMED)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


def test_the_reference_has_not_drifted_from_the_schema():
    written = (ROOT / "docs/program_reference.md").read_text(encoding="utf-8")
    assert written == write_reference(), (
        "run: PYTHONPATH=scripts python -m ratebook.programs.reference > docs/program_reference.md"
    )


def test_every_key_says_what_it_means():
    undescribed = [
        (title, key)
        for title, node in [("program file", SCHEMA), *sections(SCHEMA)]
        for key, child in node["properties"].items()
        if not child.get("description", "").strip()
    ]
    assert not undescribed


def test_a_comma_in_a_description_has_made_no_keyword():
    assert not {key for node in nodes(SCHEMA) for key in node} - WORDS


def test_every_definition_is_in_the_reference():
    text = write_reference()
    for name in SCHEMA["$defs"]:
        assert f"## {name}\n" in text or f"| `{name}` |" in text, name
    for name in [*MEASURES, "covered", *(n for n in vars(primitives) if n.startswith("settle_"))]:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "integer"}, "integer"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"$ref": "#/$defs/term"}, "term"),
        ({"type": "array", "items": {"$ref": "#/$defs/bid"}}, "list of bid"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "name to number"),
        ({"type": ["integer", "null"]}, "integer or null"),
    ],
)
def test_a_kind_in_words(node, words):
    assert kind(node) == words
