"""The reference of program files says what their schema says, and the schema says what every key means."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ltc_world import NAMES, SETTINGS, groups, program
from ratebook.programs import primitives
from ratebook.programs.definitions import MEASURES, read_program
from ratebook.programs.published import derive_published
from ratebook.programs.rates import derive_program_rates
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


def with_defaults(node, schema: dict, schema_part: dict):
    """Write a key's default into every place of a program where the key was left out."""
    if "$ref" in schema_part:
        return with_defaults(node, schema, schema["$defs"][schema_part["$ref"].split("/")[-1]])
    if isinstance(node, list):
        return [with_defaults(child, schema, schema_part.get("items", {})) for child in node]
    if not isinstance(node, dict):
        return node
    keys, others = schema_part.get("properties", {}), schema_part.get("additionalProperties")
    plain = {key: child["default"] for key, child in keys.items() if is_plain(child.get("default"))}
    inner = {key: keys.get(key, others if isinstance(others, dict) else {}) for key in node}
    return plain | {key: with_defaults(child, schema, inner[key]) for key, child in node.items()}


def is_plain(default) -> bool:
    """A default that is a value of the file, not words about it."""
    return default in ("all", False, 0, 1) or default in ([], {})


@pytest.mark.parametrize("name", NAMES)
def test_a_default_written_out_changes_nothing(tmp_path, name):
    source = yaml.safe_load((ROOT / f"workflow/programs/{name}.yaml").read_text())
    written = with_defaults(source, SCHEMA, SCHEMA)
    assert written != source
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    scope = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", dtype=str, keep_default_na=False)
    full = read_program(str(tmp_path / "mine.yaml"), SCHEMA, scope, SETTINGS, {})
    drawn = "enrolled | all | 10 | acute=200\nnursing_facility | all | 10 | nf_gross=2400"
    tables = [
        derive_program_rates(groups(name, "all", drawn), [made], 365, 2, 36_000) for made in (program(name), full)
    ]
    pd.testing.assert_frame_equal(*tables)
    pd.testing.assert_frame_equal(derive_published([program(name)]), derive_published([full]))
